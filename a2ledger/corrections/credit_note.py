"""Compute what a credit note gives back of an issued invoice, and make its document.

Every line of an invoice can be given back once, whole or in parts, and so can its VAT. The VAT
of a credit note telescopes over all credit notes of the invoice: what has been given back of a
code is ``round(net given back so far x rate)``, and when all its net is back, exactly the VAT
that was billed. So an invoice credited at once and one credited line by line end the same.
Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from a2ledger import money
from a2ledger.documents.document import ROUNDING, Document, Line, Statement, StatementLine, VatLine
from a2ledger.documents.given_back import GivenBack
from a2ledger.errors import CORRECT, ExpectedError

_EXACT = 10
"""Decimals an exchange rate may have."""


class CannotCreditError(ExpectedError):
    """The invoice cannot be credited in this way: the reason, and what to do."""

    def __init__(self, why: str, more: str = "") -> None:
        super().__init__(why, "nothing was credited", more or CORRECT)


class Credit(NamedTuple):
    """Amounts that a credit note gives back."""

    lines: Mapping[int, int]
    """Net by invoice line."""
    net: Mapping[str, int]
    """Net by VAT code."""
    vat: Mapping[str, int]

    @property
    def gross_micro(self) -> int:
        """Return the amount by which the customer owes less."""
        return sum(self.net.values()) + sum(self.vat.values())


def draw_up(
    invoice: Document,
    given: Sequence[GivenBack],
    lines: Sequence[int],
    amount_micro: int | None,
) -> Credit:
    """Compute what a credit note for an invoice gives back.

    Args:
        invoice: the document.
        given: the credit notes it has already, and what else was given back on it; see
            :mod:`a2ledger.documents.worth`.
        lines: which of its lines; all that is left of it if none is named.
        amount_micro: net, of the one line named; all that is left of it if not given.

    Raises:
        CannotCreditError: if there is no such line, or not so much of it left.
    """
    number, places = invoice.name, money.decimals(invoice.currency)
    billed = invoice.net_by_line
    codes = {line.line: line.vat_code for line in invoice.lines}
    remaining = _left(billed, given)
    if unknown := [line for line in lines if line not in billed]:
        raise CannotCreditError(
            f"{number} has no line {unknown[0]}",
            f"it has {len(billed)}: `a2ledger invoice {number} --format text -o -` shows them",
        )
    asked = {line: remaining[line] for line in lines or remaining if remaining[line]}
    used_up = [line for line in lines if line not in asked]
    if used_up or not asked:
        problem = f"nothing is left of line {used_up[0]}" if used_up else "nothing is left of it"
        raise CannotCreditError(f"{number}: {problem} to credit", _before(given))
    if amount_micro is not None:
        asked = _part(number, asked, amount_micro, given, places)
    net: dict[str, int] = {}
    for line, micro in asked.items():
        net[codes[line]] = net.get(codes[line], 0) + micro
    credit = Credit(asked, net, _vat(invoice, given, net, places))
    _guard(invoice, given, credit)
    return credit


def _left(billed: Mapping[int, int], given: Iterable[GivenBack]) -> dict[int, int]:
    remaining = dict(billed)
    for each in given:
        for line, net in each.lines.items():
            remaining[line] -= net
    return remaining


def _part(
    number: str,
    asked: Mapping[int, int],
    amount_micro: int,
    given: Sequence[GivenBack],
    places: int,
) -> dict[int, int]:
    """Return the part to credit of the one line named."""
    ((line, available),) = asked.items()
    if money.rounded(amount_micro, places) != amount_micro:
        raise CannotCreditError(f"--amount has more than the {places} decimals of a document")
    if not 0 < amount_micro <= available:
        raise CannotCreditError(
            f"{number}: {money.text(available, places)} net of line {line} can be credited, "
            f"not {money.text(amount_micro, places)}",
            _before(given),
        )
    return {line: amount_micro}


def _vat(
    invoice: Document, given: Sequence[GivenBack], net: Mapping[str, int], places: int
) -> dict[str, int]:
    """Return the VAT to give back with some net: due in total, less what came back before."""
    taxes = {}
    for row in invoice.vat:
        code, total = row.code, money.parse(row.net)
        if code not in net:
            continue
        before = sum(each.net.get(code, 0) for each in given)
        paid = sum(each.vat.get(code, 0) for each in given)
        after = before + net[code]
        tax = money.parse(row.vat)
        if after != total:
            tax = min(_tax(after, row.rate, places), tax, key=abs)
        taxes[code] = tax - paid
    return taxes


def _tax(net_micro: int, rate: str, places: int) -> int:
    unit: int = 10 ** (money.PLACES - places)
    return money.divide(net_micro * money.parse(rate), 100 * money.MICRO * unit) * unit


def _guard(invoice: Document, given: Sequence[GivenBack], credit: Credit) -> None:
    """Check that a credit is positive and takes back no code beyond what was billed."""
    number = invoice.name
    for row in invoice.vat:
        after = sum(each.net.get(row.code, 0) for each in given) + credit.net.get(row.code, 0)
        total = money.parse(row.net)
        if not min(0, total) <= after <= max(0, total):
            raise CannotCreditError(
                f"{number} billed {money.text(total, 2)} net under {row.code} in all; "
                f"{money.text(after, 2)} would be credited",
                _before(given),
            )
    if credit.gross_micro <= 0:
        raise CannotCreditError(
            f"{number}: that is {money.text(credit.gross_micro, 2)}, so there is nothing to credit"
        )


def _before(given: Sequence[GivenBack]) -> str:
    """Describe what was given back before, for a message."""
    return ", ".join(
        f"{each.title} {'credited' if each.is_note else 'gave back'} "
        f"{money.text(each.gross_micro, 2)}"
        for each in given
    )


def document(  # noqa: PLR0913 - everything that stands on it
    invoice: Document,
    notes: Sequence[GivenBack],
    credit: Credit,
    *,
    number: str,
    day: dt.date,
    issue_date: dt.date,
    opening_micro: int,
    reason: str,
) -> Document:
    """Make the document of a credit note, with positive amounts.

    Its lines bear the numbers of the invoice's lines, its parties are those of the invoice, and
    its period is the day on which it stands in the account.

    Args:
        invoice: what it corrects.
        notes: the credit notes that one has already.
        credit: what it gives back.
        number: its own.
        day: on which it stands in the account.
        issue_date: the day it is made.
        opening_micro: what was owed on bills before it.
        reason: why.
    """
    places = money.decimals(invoice.currency)
    opening = money.rounded(opening_micro, places)
    gross, net = credit.gross_micro, sum(credit.net.values())
    closing = money.rounded(opening_micro - gross, places)
    moves = [
        (f"Credit note {number} for {invoice.name}, {reason}", -gross, opening - gross),
        (ROUNDING, closing - opening + gross, closing),
    ]
    moved = tuple(
        StatementLine(
            date=str(day),
            description=words,
            amount=money.text(amount, places),
            balance=money.text(balance, places),
        )
        for words, amount, balance in moves
        if amount
    )
    return Document(
        kind="credit-note",
        number=number,
        original=invoice.named,
        supplier=invoice.supplier,
        customer=invoice.customer,
        currency=invoice.currency,
        issue_date=str(issue_date),
        due_date=str(issue_date),
        period={"start": str(day), "end": str(day + dt.timedelta(days=1))},
        statement=Statement(
            opening=money.text(opening, places),
            lines=moved,
            closing=money.text(closing, places),
        ),
        lines=tuple(_lines(invoice, credit, places)),
        vat=tuple(
            VatLine(
                code=row.code,
                category=row.category,
                rate=row.rate,
                net=money.text(credit.net[row.code], places),
                vat=money.text(credit.vat[row.code], places),
                reason=row.reason,
            )
            for row in invoice.vat
            if row.code in credit.net
        ),
        net=money.text(net, places),
        vat_total=money.text(gross - net, places),
        gross=money.text(gross, places),
        to_pay=money.text(max(0, closing), places),
        credit=money.text(max(0, -closing), places),
        notes=(reason,),
        vat_translated=_translated(invoice, notes, gross - net),
        treatment=invoice.treatment,
    )


def _translated(
    invoice: Document, notes: Sequence[GivenBack], vat_micro: int
) -> dict[str, str] | None:
    """Translate the VAT given back at the invoice's own rate, telescoping over all credit notes."""
    billed = invoice.vat_translated
    if billed is None or not vat_micro:
        return None
    places = money.decimals(billed["currency"])
    unit: int = 10 ** (money.PLACES - places)
    worth, unity = (int(Decimal(text).scaleb(_EXACT)) for text in (billed["price"], "1"))
    before = sum(note.vat_micro for note in notes)
    was, now = (
        money.divide(micro * worth, unity * unit) * unit for micro in (before, before + vat_micro)
    )
    return {**billed, "vat_total": money.text(now - was, places)}


def _lines(invoice: Document, credit: Credit, places: int) -> Iterable[Line]:
    for line in invoice.lines:
        if line.line not in credit.lines:
            continue
        micro = credit.lines[line.line]
        whole = micro == money.parse(line.net)
        yield replace(
            line,
            kind="correction",
            calls=line.calls if whole else 0,
            seconds=line.seconds if whole else 0,
            net=money.text(micro, places),
        )
