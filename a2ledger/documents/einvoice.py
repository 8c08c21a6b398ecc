"""The semantic model of EN 16931: the content of an e-invoice, in any syntax.

It is made of a document alone. Only what is billed now is invoiced: a balance brought forward
stands in the note, a credit that covers part of the bill is its paid amount. Every line is one
lot at its net price, so that no line's amount is a quantity times a rounded price.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from a2ledger import codelists, money, vat
from a2ledger.documents import references
from a2ledger.documents.document import Document, Line
from a2ledger.period import DAY

CORE = "urn:cen.eu:en16931:2017"
PEPPOL = f"{CORE}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
XRECHNUNG = f"{CORE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
PROFILES = {"core": CORE, "peppol": PEPPOL, "xrechnung": XRECHNUNG}
"""Specifications an e-invoice may claim to follow, by their names in the configuration."""

INVOICE, CREDIT_NOTE = "380", "381"
KINDS = {"invoice": INVOICE, "credit-note": CREDIT_NOTE}
"""Kinds of document that are e-invoices, and their codes (UNTDID 1001)."""

_TRANSFER, _SEPA, _DEBIT, _UNDEFINED = "30", "58", "59", "1"
_EXEMPTIONS = {"AE": "VATEX-EU-AE", "K": "VATEX-EU-IC", "G": "VATEX-EU-G", "O": "VATEX-EU-O"}
DISCOUNT = "95"
"""UNTDID 5189: the reason of an allowance."""
_MAIL = re.compile(r"[^@\s]+@([^@.\s]+\.)+[^@.\s]+")
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010fffd]")
"""Characters that XML 1.0 cannot hold, or should not."""


class Id(NamedTuple):
    """An identifier, and the register it is in. The register is empty where it is not known."""

    scheme: str
    number: str


class Party(NamedTuple):
    """The seller or the buyer."""

    name: str
    identifier: str
    """The seller's identifier of the buyer."""
    registration: Id | None
    vat_id: str
    tax_id: str
    """A seller's tax number that is not a VAT id in the sense of EN 16931. Buyers have none."""
    endpoint: Id | None
    """The address that e-invoices are sent to."""
    street: str
    street2: str
    street3: str
    city: str
    postcode: str
    region: str
    country: str
    contact: str
    phone: str
    email: str


class Item(NamedTuple):
    """An invoice line: one lot, or -1 where it is credited."""

    id: str
    name: str
    description: str
    net: str
    quantity: str
    price: str
    category: str
    rate: str
    """Empty in category O."""
    start: str
    """First day it is for, empty if outside the invoice's period."""
    end: str


class Allowance(NamedTuple):
    """A reduction of the whole document, net and without its sign."""

    reason: str
    net: str
    category: str
    rate: str
    """Empty in category O."""


class Tax(NamedTuple):
    """VAT of one category and rate."""

    category: str
    rate: str
    net: str
    vat: str
    reason: str
    reason_code: str


class Payment(NamedTuple):
    """Payment instructions."""

    means: str
    reference: str
    iban: str
    bic: str
    holder: str
    mandate: str = ""
    """Reference of the mandate, where it is collected by direct debit …"""
    payer: str = ""
    """… from this account …"""
    creditor: str = ""
    """… by whom this identifies."""


class Attachment(NamedTuple):
    """A file that the e-invoice carries."""

    name: str
    description: str
    mime: str
    content: bytes


class EInvoice(NamedTuple):
    """An invoice or credit note in the terms of EN 16931, whose amounts are positive on both."""

    profile: str
    number: str
    kind: str
    issue_date: str
    due_date: str
    tax_point: str
    """Empty if it is the day of issue."""
    start: str
    end: str
    """Last day of the period, which begins on ``start``."""
    note: str
    terms: str
    currency: str
    tax_currency: str
    """The book's currency if VAT is stated in it too, else empty."""
    tax_total: str
    """The VAT in ``tax_currency``."""
    buyer_reference: str
    order_reference: str
    original: tuple[str, str] | None
    """Number and date of the invoice that a credit note corrects."""
    deliver_to: str
    """Country that goods without VAT are delivered to; empty where there are none."""
    seller: Party
    buyer: Party
    payment: Payment | None
    items: tuple[Item, ...]
    allowances: tuple[Allowance, ...]
    taxes: tuple[Tax, ...]
    items_net: str
    """The items alone."""
    allowed: str
    """The allowances alone, empty if there are none."""
    net: str
    vat: str
    gross: str
    paid: str
    rounding: str
    due: str
    attachments: tuple[Attachment, ...]


def clean(text: str) -> str:
    """Return a text on one line, without characters that XML cannot hold.

    >>> clean(" Rue  du Midi ")
    'Rue du Midi'
    """
    return " ".join(_UNFIT.sub("", text).split())


def _compact(text: str) -> str:
    """Return only the letters and digits of a number that people write in groups."""
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def draw_up(
    document: Document, profile: str = CORE, attachments: Sequence[Attachment] = ()
) -> EInvoice:
    """Build the e-invoice of a document that has no :func:`objections`.

    Args:
        document: an invoice or credit note with its number.
        profile: the specification it follows.
        attachments: files it carries.
    """
    taxes = _taxes(document)
    outside = any(tax.category == "O" for tax in taxes)
    last = str(dt.date.fromisoformat(document.period["end"]) - DAY)
    paid = _paid_micro(document)
    places = money.decimals(document.currency)
    rounding = _rounding_micro(document) if document.kind == "invoice" else 0
    reductions = _reductions(document)
    allowed = -sum(money.parse(line.net) for line in reductions)
    due = money.text(money.parse(document.gross) - paid + rounding, places)
    translated = document.vat_translated or {}
    buyer = document.customer
    original = document.original
    # Danish suppliers may give numbers of a register alone (DK-R-013).
    danish = vat.nation(document.supplier.get("country", "")) == "DK"
    return EInvoice(
        profile=profile,
        number=document.number or "",
        kind=KINDS[document.kind],
        issue_date=document.issue_date,
        due_date=document.due_date,
        tax_point="" if last == document.issue_date else last,
        start=document.period["start"],
        end=last,
        note=_note(document),
        terms=_terms(document, due),
        currency=document.currency,
        tax_currency=translated.get("currency", ""),
        tax_total=translated.get("vat_total", ""),
        buyer_reference=clean(buyer.get("buyer_reference", "")) or buyer["id"],
        order_reference=clean(buyer.get("order_reference", "")),
        original=(original["number"], original["date"]) if original else None,
        deliver_to=_deliver_to(document, taxes),
        seller=party_of(document.supplier, "", outside=outside),
        # A tax number that is no VAT id is known of sellers alone (BT-32).
        buyer=party_of(buyer, "" if danish else buyer["id"], outside=outside)._replace(tax_id=""),
        payment=_payment(document, due),
        items=tuple(_items(document, reductions)),
        allowances=tuple(_allowances(document, reductions)),
        taxes=taxes,
        items_net=money.text(money.parse(document.net) + allowed, places),
        allowed=money.text(allowed, places) if allowed else "",
        net=document.net,
        vat=document.vat_total,
        gross=document.gross,
        paid=money.text(paid, places) if paid else "",
        rounding=money.text(rounding, places) if rounding else "",
        due=due,
        attachments=tuple(attachments),
    )


def _deliver_to(document: Document, taxes: Sequence[Tax]) -> str:
    """Return the country that goods without VAT are delivered to (BT-80), else nothing."""
    if all(tax.category != "K" for tax in taxes):
        return ""
    return country_of(document.customer)


def country_of(party: Mapping[str, str]) -> str:
    """Return the code of a party's country as EN 16931 lists it, which has its own for Kosovo."""
    code = vat.nation(party.get("country", ""))
    return "1A" if code == "XK" else code


def _paid_micro(document: Document) -> int:
    """Return how much of a document was already paid when it was issued (BT-113).

    That is the credit the account had without it, as far as it goes: earlier debts come first.
    Of a credit note only what was paid back counts, and that is known where a refill is.
    """
    gross = money.parse(document.gross)
    if document.kind == "credit-note":
        return gross if document.treatment == "on-refill" and _is_square(document) else 0
    before = money.parse(document.to_pay) - money.parse(document.credit) - gross
    before -= _rounding_micro(document)
    return max(0, min(-before, gross))


def _rounding_micro(document: Document) -> int:
    """Return what rounds what a document asks to coins: BT-114."""
    return money.parse((document.rounding or {}).get("amount", "0"))


def _is_square(document: Document) -> bool:
    """Return whether a document was paid, or paid back, at once: the balance did not change."""
    return document.statement.opening == document.statement.closing


def _id(text: str) -> Id | None:
    """Parse an identifier ``SCHEME:NUMBER``, or a number without a scheme."""
    text = clean(text)
    scheme, colon, number = text.partition(":")
    if colon and codelists.is_register(scheme) and number:
        return Id(scheme, number)
    return Id("", text) if text else None


def endpoint_of(party: Mapping[str, str]) -> Id | None:
    """Return the address for a party's e-invoices: its Peppol address, else its e-mail."""
    scheme, _, number = clean(party.get("peppol", "")).partition(":")
    if scheme in codelists.ADDRESSES and number:
        return Id(scheme, number)
    email = clean(party.get("email", ""))
    return Id(codelists.MAIL, email) if _MAIL.fullmatch(email) else None


def _registration(party: Mapping[str, str]) -> Id | None:
    """Return a party's number in a business register.

    Where none is told, its Peppol address names it if the scheme is a register's, and a Belgian
    VAT id is the enterprise number.
    """
    if registered := _id(party.get("registration", "")):
        return registered
    scheme, _, number = clean(party.get("peppol", "")).partition(":")
    if codelists.is_register(scheme) and number:
        return Id(scheme, number)
    number = _compact(party.get("vat_id", "")).removeprefix("BE")
    if vat.nation(party.get("country", "")) == "BE" and codelists.is_number("0208", number):
        return Id("0208", number)
    return None


def party_of(party: Mapping[str, str], identifier: str, *, outside: bool) -> Party:
    """Return a party of an e-invoice, without VAT id outside the scope of VAT (BR-O-02)."""
    texts = {key: clean(text) for key, text in party.items()}
    vat_id, tax_id = ("", "") if outside else _tax_ids(texts.get("vat_id", ""))
    streets = [texts.get(key, "") for key in ("street", "street2")]
    if not texts.get("street") and not texts.get("city"):
        streets = [clean(line) for line in party.get("address", "").splitlines()]
    street, street2, *rest = [*filter(None, streets), "", ""]
    return Party(
        name=texts.get("name", ""),
        identifier=identifier,
        registration=_registration(party),
        vat_id=vat_id,
        tax_id=tax_id,
        endpoint=endpoint_of(party),
        street=street,
        street2=street2,
        street3=", ".join(filter(None, rest)),
        city=texts.get("city", ""),
        postcode=texts.get("postcode", ""),
        region=texts.get("region", ""),
        country=country_of(texts),
        contact=texts.get("contact", ""),
        phone=texts.get("phone", ""),
        email=texts.get("email", ""),
    )


def _tax_ids(text: str) -> tuple[str, str]:
    """Return a VAT id in the sense of EN 16931, with its country first, or else a tax number."""
    number = _compact(text)
    if number[:2] in codelists.COUNTRIES | {"EL"}:
        return number, ""
    return "", number


def _reductions(document: Document) -> tuple[Line, ...]:
    """Return the lines of an invoice that reduce it as a whole: charges below zero.

    What takes back a call or a fee stays an item, and an invoice has an item at least (BR-16).
    """
    lower = tuple(
        line for line in document.lines if line.kind == "charge" and money.parse(line.net) < 0
    )
    is_item_left = len(lower) < len(document.lines)
    return lower if document.kind == "invoice" and is_item_left else ()


def _allowances(document: Document, reductions: Sequence[Line]) -> Iterator[Allowance]:
    categories = {row.code: row for row in document.vat}
    last = str(dt.date.fromisoformat(document.period["end"]) - DAY)
    for line in reductions:
        row = categories[line.vat_code]
        inside = document.period["start"] <= line.from_ <= line.to <= last
        yield Allowance(
            reason=clean(_description(line, inside=inside)) or clean(line.service) or "Reduction",
            net=line.net.removeprefix("-"),
            category=row.category,
            rate="" if row.category == "O" else row.rate,
        )


def _items(document: Document, reductions: Sequence[Line]) -> Iterator[Item]:
    categories = {row.code: row for row in document.vat}
    last = str(dt.date.fromisoformat(document.period["end"]) - DAY)
    for line in document.lines:
        if line in reductions:
            continue
        row, net = categories[line.vat_code], money.parse(line.net)
        inside = document.period["start"] <= line.from_ <= line.to <= last
        yield Item(
            id=str(line.line),
            name=clean(f"{line.service} {line.destination}") or "Service",
            description=clean(_description(line, inside=inside)),
            net=line.net,
            quantity="-1" if net < 0 else "1",
            price=line.net.removeprefix("-"),
            category=row.category,
            rate="" if row.category == "O" else row.rate,
            start=line.from_ if inside else "",
            end=line.to if inside else "",
        )


def _description(line: Line, *, inside: bool) -> str:
    """Return a line's description, with its days where they lie outside the period."""
    days = line.from_ if line.from_ == line.to else f"{line.from_} to {line.to}"
    return ", ".join(part for part in (line.description, "" if inside else days) if part)


def _taxes(document: Document) -> tuple[Tax, ...]:
    """Return VAT by category and rate, merging codes that share both."""
    places = money.decimals(document.currency)
    groups: dict[tuple[str, Decimal], list[int]] = {}
    rows = {(row.category, Decimal(row.rate)): row for row in document.vat}
    for row in document.vat:
        sums = groups.setdefault((row.category, Decimal(row.rate)), [0, 0])
        sums[0] += money.parse(row.net)
        sums[1] += money.parse(row.vat)
    return tuple(
        Tax(
            category=category,
            rate=rows[category, rate].rate,
            net=money.text(net, places),
            vat=money.text(taxed, places),
            reason="" if category in vat.TAXED else _reasons(document, category),
            reason_code=_EXEMPTIONS.get(category, ""),
        )
        for (category, rate), (net, taxed) in groups.items()
    )


def _reasons(document: Document, category: str) -> str:
    reasons = (clean(row.reason) for row in document.vat if row.category == category)
    return " / ".join(dict.fromkeys(filter(None, reasons)))


def _payment(document: Document, due: str) -> Payment | None:
    """Return payment instructions, without an account if nothing is due or on a credit note."""
    supplier = document.supplier
    iban = _compact(supplier.get("iban", ""))
    number = document.reference or document.number or ""
    debit = references.debit(document.supplier, document.customer, document.currency)
    if document.kind != "invoice" or money.parse(due) <= 0 or not (iban or debit):
        return Payment(_UNDEFINED, number, "", "", "")
    if debit:
        return Payment(_DEBIT, number, "", "", "", *debit)
    means = _SEPA if document.currency == "EUR" else _TRANSFER
    bic = _compact(supplier.get("bic", ""))
    return Payment(means, number, iban, bic, clean(supplier.get("name", "")))


def _terms(document: Document, due: str) -> str:
    if document.kind == "credit-note":
        return "Credited to the account" if money.parse(due) else "Paid back"
    if money.parse(due) <= 0:
        return "Paid; nothing is due"
    if references.debit(document.supplier, document.customer, document.currency):
        return f"Collected by SEPA direct debit on {document.due_date}"
    return f"Payable by {document.due_date}"


def _note(document: Document) -> str:
    """Return the note: the document's notes, reasons of the reverse charge, account balances."""
    words = [clean(note) for note in document.notes]
    words += [clean(row.reason) for row in document.vat if row.category == "AE"]
    statement, currency = document.statement, document.currency
    words.append(
        f"Account: {statement.opening} {currency} brought forward, {statement.closing} {currency} "
        "after this document"
    )
    return ". ".join(dict.fromkeys(filter(None, words)))
