"""The rules of EN 16931 for an invoice: sums that add up, and what each VAT category needs.

The rules bear the standard's own names. This is arithmetic over a document, apart from how it
was drawn up, so that it can disagree: a document that breaks a rule is not issued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from a2ledger import money, vat
from a2ledger.documents.document import Document, VatLine
from a2ledger.vat import VatCode

SELLER_NAMED = ("S", "Z", "E", "AE", "K", "G", "L", "M")
"""Categories whose invoices must show the supplier's VAT id."""
CROSS_BORDER = ("AE", "K", "G")
"""The categories among them that require it: no tax office would otherwise see the VAT."""
BUYER_NAMED = {
    "AE": "the reverse charge needs the customer's VAT id",
    "K": "goods sold to another member state without VAT need the customer's VAT id",
}
"""The categories whose invoices must show the customer's VAT id, and why."""
_RULES = {"K": "IC", "L": "AF", "M": "AG"}
"""What the standard's rules call a category, where that is not its code."""


class Objection(NamedTuple):
    """A rule that a document breaks, and how."""

    rule: str
    message: str


def rule_of(category: str, number: str) -> str:
    """Return the name of a rule of a category.

    >>> rule_of("S", "05"), rule_of("K", "02")
    ('BR-S-05', 'BR-IC-02')
    """
    return f"BR-{_RULES.get(category, category)}-{number}"


def objections(document: Document) -> Iterator[Objection]:
    """Yield every reason why a document must not be issued."""
    yield from _sums(document)
    yield from _on_refill(document)
    if document.kind != "statement" or document.vat:
        for row in document.vat:
            yield from _row(row, document)
        yield from _categories(document)
        yield from _parties(document)


def remarks(document: Document) -> Iterator[Objection]:
    """Yield what a document should state but does not. A small business may have no VAT id."""
    used = {row.category for row in document.vat} & set(SELLER_NAMED)
    if used and not _has_id(document.supplier):
        yield Objection(
            rule_of(min(used), "02"),
            "company.vat_id in a2ledger.toml is missing or no VAT number; an invoice with VAT "
            "must show it",
        )


def _micro(amounts: Iterable[str]) -> int:
    return sum(map(money.parse, amounts))


def _sums(document: Document) -> Iterator[Objection]:
    """Yield objections to the sums: BR-CO-10 to BR-CO-16, BR-DEC, and the statement's own."""
    places = money.decimals(document.currency)
    net, taxes, gross = (
        money.parse(amount) for amount in (document.net, document.vat_total, document.gross)
    )
    if _micro(line.net for line in document.lines) != net:
        yield Objection("BR-CO-10", f"the lines do not add up to the net {document.net}")
    if _micro(row.vat for row in document.vat) != taxes:
        yield Objection("BR-CO-14", f"VAT does not add up to {document.vat_total}")
    if net + taxes != gross:
        yield Objection("BR-CO-15", f"net and VAT are not the total {document.gross}")
    statement = document.statement
    closing = money.parse(statement.closing)
    owed = closing + _micro(line.amount for line in document.since)
    tax = money.parse(document.tax_on_payment or "0")
    if money.parse(document.to_pay) - tax - money.parse(document.credit) != owed:
        balance = money.text(owed, places)
        yield Objection("BR-CO-16", f"the amount to pay is not the balance {balance}")
    moved = _micro(line.amount for line in statement.lines)
    if money.parse(statement.opening) + moved != closing:
        yield Objection("statement", f"the statement does not lead to {statement.closing}")
    amounts = [document.net, document.vat_total, document.gross, document.to_pay, document.credit]
    amounts += [line.net for line in document.lines]
    amounts += [amount for row in document.vat for amount in (row.net, row.vat)]
    for amount in amounts:
        if (micro := money.parse(amount)) != money.rounded(micro, places):
            yield Objection("BR-DEC", f"{amount} has more decimals than {document.currency}")


def _row(row: VatLine, document: Document) -> Iterator[Objection]:
    """Yield objections to a row of the VAT table: BR-CO-17, and rules 5 to 10 of its category."""
    rate, net, taxed = Decimal(row.rate), money.parse(row.net), money.parse(row.vat)
    lines = (line.net for line in document.lines if line.vat_code == row.code)
    if _micro(lines) != net:
        yield Objection(rule_of(row.category, "08"), f"lines under {row.code} are not {row.net}")
    if taxed not in _due(row, document.treatment, money.decimals(document.currency)):
        yield Objection("BR-CO-17", f"VAT of {row.code} on {row.net} is not {row.vat}")
    if (row.category == "S" and not rate) or (row.category not in vat.RATED and rate):
        need = "needs a rate; at 0 % it is Z, E or O" if row.category == "S" else "has the rate 0"
        yield Objection(rule_of(row.category, "05"), f"VAT code {row.code}: its category {need}")
    if row.category in vat.TAXED and row.reason:
        yield Objection(
            rule_of(row.category, "10"), f"VAT code {row.code} is taxed and must not give a reason"
        )
    if row.category not in vat.TAXED and not row.reason:
        yield Objection(
            rule_of(row.category, "10"),
            f"VAT code {row.code} has no reason; write one under [vat.codes.{row.code}]",
        )


def _due(row: VatLine, treatment: str, places: int) -> set[int]:
    """Return the amounts of VAT that a row may state.

    VAT that was inside a price is rounded from the gross: from the net it may come out one unit
    of the currency's last decimal otherwise.
    """
    code = VatCode(code=row.code, category=row.category, rate=Decimal(row.rate))
    net = money.parse(row.net)
    on_net, in_gross = (
        vat.added(net, code, places),
        vat.inside(net + money.parse(row.vat), code, places),
    )
    return {"included": {in_gross}, "on-refill": {on_net, in_gross}}.get(treatment, {on_net})


def _categories(document: Document) -> Iterator[Objection]:
    """Yield objections to VAT categories that exclude each other, and to codes without a row."""
    used = [row.category for row in document.vat]
    missing = {line.vat_code for line in document.lines} - {row.code for row in document.vat}
    if missing:
        names = ", ".join(sorted(missing))
        yield Objection("BR-CO-18", f"lines under {names} are not in the VAT table")
    if "O" in used and set(used) != {"O"}:
        others = _names(document.vat, lambda row: row.category != "O")
        outside = _names(document.vat, lambda row: row.category == "O")
        yield Objection(
            "BR-O-11",
            f"{outside}, is outside the scope of VAT and cannot be on one document with {others}; "
            "the law wants two documents: put it on a customer of its own, or give it another "
            "VAT code",
        )


def _on_refill(document: Document) -> Iterator[Objection]:
    """Yield an objection if a statement bills anything but the refills that were taxed."""
    others = [row.code for row in document.vat]
    if document.treatment == "on-refill" and document.kind == "statement" and others:
        yield Objection(
            "on-refill",
            f"{', '.join(others)}: the period's usage is taxed already when it is paid for, and "
            f"makes no invoice; its postings belong under {vat.PAID.code}",
        )


def _names(rows: Sequence[VatLine], wanted: Callable[[VatLine], bool]) -> str:
    return " and ".join(row.code for row in rows if wanted(row))


def _parties(document: Document) -> Iterator[Objection]:
    """Yield objections to missing VAT ids on a document whose VAT nobody collects at home."""
    used = {row.category for row in document.vat if row.category in CROSS_BORDER}
    for category in sorted(used):
        if not _has_id(document.supplier):
            yield Objection(
                rule_of(category, "02"),
                f"category {category} needs your VAT id: company.vat_id in a2ledger.toml is "
                "missing or no VAT number",
            )
    for category in sorted(used & BUYER_NAMED.keys()):
        if not _has_id(document.customer):
            name = document.customer["id"]
            yield Objection(
                rule_of(category, "02"),
                f"{BUYER_NAMED[category]}: `a2ledger customer set {name} "
                "vat_id=…`, or another treatment",
            )


def _has_id(party: Mapping[str, str]) -> bool:
    return vat.is_id(party.get("vat_id", ""), party.get("country", ""))
