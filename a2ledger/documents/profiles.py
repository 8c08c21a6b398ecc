"""What an e-invoice must say: by EN 16931, and by the profile it claims to follow."""

from __future__ import annotations

from collections.abc import Iterator

from a2ledger import codelists, money, vat
from a2ledger.documents import einvoice
from a2ledger.documents.document import Document
from a2ledger.documents.einvoice import CORE, KINDS, PEPPOL, PROFILES, XRECHNUNG, clean
from a2ledger.documents.en16931 import BUYER_NAMED, SELLER_NAMED, Objection, rule_of

_DECIMALS = 2


def objections(
    document: Document, profile: str = "auto", *, by_network: bool = False
) -> Iterator[Objection]:
    """Yield each reason why a document cannot be an e-invoice, with its remedy.

    Args:
        document: an invoice or credit note.
        profile: one of :data:`PROFILES` that it must follow; ``auto`` asks no more than EN 16931.
        by_network: whether it is to go by Peppol's network.
    """
    if document.kind not in KINDS:
        yield Objection(
            "BT-3", f"a {document.kind} is not an invoice; render it as html, pdf or text"
        )
        return
    yield from _money(document)
    yield from _places(document)
    yield from _registered(document)
    german = profile == "xrechnung" or (by_network and profile == "auto" and _is_german(document))
    if german:
        yield from _xrechnung(document)
    if profile == "peppol" or by_network:
        yield from _peppol(document)


def lacks(document: Document) -> list[Objection]:
    """Return what an e-invoice lacks for the profile of its parties, empty if it lacks nothing."""
    return list(_xrechnung(document) if _is_german(document) else _peppol(document))


def profile_of(document: Document, wanted: str = "auto") -> str:
    """Return the specification a document's e-invoice claims to follow.

    Args:
        document: an invoice or credit note.
        wanted: one of :data:`PROFILES`; ``auto`` is XRechnung between German parties, else
            Peppol BIS, and EN 16931 alone where something is missing for that.
    """
    if wanted != "auto":
        return PROFILES[wanted]
    if lacks(document):
        return CORE
    return XRECHNUNG if _is_german(document) else PEPPOL


def _money(document: Document) -> Iterator[Objection]:
    currency = document.currency
    if currency not in codelists.CURRENCIES:
        yield Objection("BR-CL-04", f"{currency} is no currency of ISO 4217")
    if money.decimals(currency) > _DECIMALS:
        yield Objection(
            "BR-DEC-12", f"{currency} has more than the two decimals an e-invoice can hold"
        )
    if not document.lines:
        yield Objection("BR-16", "there is no line; an e-invoice needs one")
    if not document.vat:
        yield Objection("BR-CO-18", "there is no VAT line; an e-invoice needs one")
    other = (document.vat_translated or {}).get("currency", "")
    if other and (other not in codelists.CURRENCIES or money.decimals(other) > _DECIMALS):
        yield Objection("BR-CL-05", f"VAT in {other} cannot be stated on an e-invoice")


def _places(document: Document) -> Iterator[Objection]:
    """Yield objections to the countries and names of both parties: BR-06 to BR-11."""
    customer = document.customer["id"]
    for party, rule, where in (
        (document.supplier, "BR-09", "write company.country in a2ledger.toml"),
        (document.customer, "BR-11", f"say `a2ledger customer set {customer} country=…`"),
    ):
        country = party.get("country", "")
        if (code := einvoice.country_of(party)) not in codelists.COUNTRIES:
            lack = f"{country!r} is no country" if code else "a country is missing"
            yield Objection(rule, f"{lack}; {where}")
        if not clean(party.get("name", "")):
            yield Objection(rule, f"a name is missing; {where.replace('country', 'name')}")


def _registered(document: Document) -> Iterator[Objection]:
    """Yield objections to the parties' registrations: BR-CO-26, and rule 2 of each category."""
    categories = {row.category for row in document.vat}
    outside = "O" in categories
    seller = einvoice.party_of(document.supplier, "", outside=outside)
    if not seller.registration and not seller.vat_id:
        why = "supplies outside the scope of VAT must not show a VAT id, and " if outside else ""
        yield Objection(
            "BR-CO-26",
            f"{why}your company has no registration number or VAT id; write company.registration "
            'in a2ledger.toml, such as "0208:0403170701"',
        )
    named = sorted(categories & set(SELLER_NAMED))
    if named and not seller.vat_id and not seller.tax_id:
        yield Objection(
            rule_of(named[0], "02"), "your VAT id is missing; write company.vat_id in a2ledger.toml"
        )
    for category, why in (("G", "exports need"), ("K", "goods sold to another country need")):
        if category in categories and not seller.vat_id:
            yield Objection(
                rule_of(category, "02"), f"{why} your VAT id; write company.vat_id in a2ledger.toml"
            )
    buyer = einvoice.party_of(document.customer, "", outside=outside)
    for category in sorted(categories & BUYER_NAMED.keys()):
        is_registered = category == "AE" and buyer.registration
        if not buyer.vat_id and not is_registered:
            yield Objection(
                rule_of(category, "02"),
                f"{BUYER_NAMED[category]}; say `a2ledger customer set {document.customer['id']} "
                "vat_id=…`",
            )


def _peppol(document: Document) -> Iterator[Objection]:
    if vat.nation(document.supplier.get("country", "")) == "GR":
        yield Objection(
            "GR-R-004-1",
            "Peppol asks Greek suppliers for the MARK of myDATA and a number made of it, which are "
            "not kept here",
        )
    customer = document.customer["id"]
    for party, rule, where in (
        (document.supplier, "PEPPOL-EN16931-R020", "write company.peppol in a2ledger.toml"),
        (
            document.customer,
            "PEPPOL-EN16931-R010",
            f"say `a2ledger customer set {customer} peppol=…`",
        ),
    ):
        endpoint = einvoice.endpoint_of(party)
        if endpoint is None or endpoint.scheme == codelists.MAIL:
            yield Objection(rule, f'a Peppol address such as "0208:0403170701" is missing; {where}')


def _xrechnung(document: Document) -> Iterator[Objection]:
    """Yield what the German profile requires beyond EN 16931: BR-DE-2 to BR-DE-16."""
    customer = document.customer["id"]
    in_file, by_command = "in a2ledger.toml", f"a2ledger customer set {customer}"
    for key, rule in (
        ("contact", "BR-DE-5"),
        ("phone", "BR-DE-6"),
        ("email", "BR-DE-7"),
        ("city", "BR-DE-3"),
        ("postcode", "BR-DE-4"),
    ):
        if not clean(document.supplier.get(key, "")):
            yield Objection(rule, f"company.{key} is missing; write it {in_file}")
    for key, rule in (("city", "BR-DE-8"), ("postcode", "BR-DE-9")):
        if not clean(document.customer.get(key, "")):
            yield Objection(rule, f"the customer's {key} is missing; say `{by_command} {key}=…`")
    if einvoice.endpoint_of(document.supplier) is None:
        yield Objection("BR-DE-7", f"company.email is missing; write it {in_file}")
    if einvoice.endpoint_of(document.customer) is None:
        yield Objection(
            "PEPPOL-EN16931-R010",
            f"the customer's Peppol address or e-mail is missing; say `{by_command} peppol=…`",
        )


def _is_german(document: Document) -> bool:
    parties = (document.supplier, document.customer)
    return all(vat.nation(party.get("country", "")) == "DE" for party in parties)
