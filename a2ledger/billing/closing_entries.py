"""The entries and balances that a close writes, and the document it makes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money, vat
from a2ledger.balances.statement import statement_lines
from a2ledger.billing.bill import Bill
from a2ledger.book.config import Config
from a2ledger.documents import translation
from a2ledger.documents.document import Document, Line, StatementLine, VatLine
from a2ledger.documents.parties import parties
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import syntax
from a2ledger.journal.rows import Row
from a2ledger.records import Customer

SHOWN = ("included", "on-refill", "reverse-charge")
"""Treatments named on documents and closing entries: all but the usual one."""


class Tax(NamedTuple):
    """How the VAT of a bill is posted."""

    waits: bool = False
    """True if it does not become due with the close."""
    currency: str = ""
    """The book's currency, where the account's is another."""
    translated_micro: Mapping[str, int] = MappingProxyType({})
    """Amounts by VAT code, in the book's currency."""

    def legs(self, code: str, micro: int, currency: str) -> Iterator[data.Posting]:
        """Yield the VAT postings of a code, via Equity:Conversion if the currencies differ.

        What the customer owes in another currency meets what the tax office is owed at
        ``Equity:Conversion``, balanced in each.
        """
        account = (accounts.not_due if self.waits else accounts.vat)(code)
        if code not in self.translated_micro:
            places = money.decimals(currency)
            yield journal_entries.leg(account, micro, currency, places=places)
            return
        own = self.translated_micro[code]
        own = -abs(own) if micro < 0 else abs(own)
        yield from journal_entries.converted(account, code, (micro, currency), (own, self.currency))


def tax_of(document: Document, bill: Bill, base: str) -> Tax:
    """Return how the VAT of a bill is posted, given its document.

    Args:
        document: with its VAT in the book's currency too, where the account's is another.
        bill: of it.
        base: the book's currency.
    """
    sign = -1 if document.kind == "credit-note" else 1
    translated = translation.by_code(document.vat_translated, bill.vat_micro, sign)
    return Tax(bool(document.tax_point), base, translated)


def entries(
    bill: Bill,
    customer: str,
    currency: str,
    kind: str,
    number: str | None,
    tax: Tax = Tax(),  # noqa: B008 - never changed
    *,
    stated: Mapping[str, Any] = MappingProxyType({}),
) -> list[data.Transaction]:
    """Return the closing entries, which stand at the end of the period's file.

    Args:
        bill: what is billed.
        customer: whose.
        currency: of their account.
        kind: of the document.
        number: the document's; a statement has none.
        tax: how its VAT stands in the books.
        stated: metadata that leads to a document that bills without a number.
    """
    unbilled = accounts.unbilled(customer)
    made = [
        journal_entries.transaction(
            bill.period.last,
            "Rounding",
            f"fraction of a cent left under {code}",
            [
                journal_entries.leg(unbilled, micro, currency, vat=code),
                journal_entries.leg(accounts.ROUNDING, -micro, currency),
            ],
            tags=["rounding"],
        )
        for code, micro in bill.rounding_micro.items()
    ]
    link = number or syntax.link("statement", customer, str(bill.period.start))
    if bill.cash_micro:
        made.append(_to_cash(bill, customer, currency, link))
    moved = {code: micro for code, micro in bill.moved_micro.items() if micro}
    made += [
        journal_entries.transaction(
            bill.period.last,
            "Rounding",
            f"VAT inside less than is billed under {code}",
            [
                journal_entries.leg(accounts.pending(code), micro, currency),
                journal_entries.leg(accounts.ROUNDING, -micro, currency),
            ],
            tags=["rounding"],
        )
        for code, micro in bill.pending_micro.items()
        if code not in moved
    ]
    if not moved:
        return made
    treatment = {"treatment": bill.treatment} if bill.treatment in SHOWN else {}
    title = {"credit-note": "Credit note", "invoice": "Invoice"}.get(kind, "Statement")
    return [
        *made,
        journal_entries.transaction(
            bill.period.last,
            f"{title} {number}" if number else title,
            str(bill.period),
            list(_legs(bill, customer, currency, moved, tax)),
            meta={**treatment, **stated},
            links=[link],
            tags=[kind],
        ),
    ]


def _to_cash(bill: Bill, customer: str, currency: str, link: str) -> data.Transaction:
    """Return the entry that makes what is asked for payable in coins."""
    unit = money.text(bill.coin_micro, bill.places)
    billed, places = accounts.billed(customer), bill.places
    return journal_entries.transaction(
        bill.period.last,
        "Rounding",
        f"what is to pay, to {unit}",
        [
            journal_entries.leg(billed, bill.cash_micro, currency, places=places),
            journal_entries.leg(accounts.ROUNDING, -bill.cash_micro, currency, places=places),
        ],
        links=[link],
        tags=["rounding"],
    )


def _legs(
    bill: Bill, customer: str, currency: str, moved: Mapping[str, int], tax: Tax
) -> Iterator[data.Posting]:
    """Yield the postings of a close: Billed, Unbilled and VAT."""
    places = bill.places
    if bill.gross_micro:
        account = accounts.billed(customer)
        yield journal_entries.leg(account, bill.gross_micro, currency, places=places)
    for code, micro in moved.items():
        account = accounts.unbilled(customer)
        yield journal_entries.leg(account, -micro, currency, places=places, vat=code)
    for code in moved:
        if waited := bill.pending_micro.get(code, 0):
            yield journal_entries.leg(accounts.pending(code), waited, currency)
        if taxed := bill.vat_micro[code]:
            yield from tax.legs(code, -taxed, currency)
        # Where VAT is inside the prices, what was set aside was not rounded.
        if bill.treatment == "included" and (rest := taxed - waited):
            yield journal_entries.leg(accounts.ROUNDING, rest, currency)


def brought_forward(
    bill: Bill, customer: str, currency: str
) -> tuple[list[data.Balance], list[data.Custom]]:
    """Return the next period's opening lines: exact balances, and cumulative nets by VAT code."""
    day = bill.period.end
    balances = [
        data.Balance(
            {},
            day,
            account,
            Amount(money.decimal(micro, places), currency),
            None,
            None,
        )
        for account, micro, places in (
            (accounts.billed(customer), bill.carried.billed_micro, bill.places),
            (accounts.unbilled(customer), bill.carried.unbilled_micro, money.PLACES),
        )
    ]
    cumulative = [
        data.Custom(
            {},
            day,
            "a2ledger-carried",
            [code, Amount(money.decimal(micro), currency)],
        )
        for code, micro in bill.carried.cumulative_micro.items()
    ]
    return balances, cumulative


def document(  # noqa: PLR0913 - everything that stands on it
    bill: Bill,
    customer: Customer,
    config: Config,
    *,
    currency: str,
    kind: str,
    number: str | None,
    issue_date: dt.date,
    since: tuple[StatementLine, ...] = (),
    tax_micro: int = 0,
) -> Document:
    """Make the document of a bill.

    Args:
        bill: what it says.
        customer: whose it is; the address of the day it is made stands on it.
        config: who sends it.
        currency: of their account.
        kind: ``preview``, ``invoice``, ``statement`` or ``credit-note``; the amounts of a
            credit note are positive.
        number: in its series, if it has one.
        issue_date: the day it is made.
        since: what moved the balance after the period and until that day.
        tax_micro: VAT that becomes due by paying what is asked.
    """
    sign = -1 if kind == "credit-note" else 1
    places = bill.places
    owed = sum((money.parse(line.amount) for line in since), money.parse(bill.statement.closing))
    terms = customer.text("terms", bill.period.last)
    due = issue_date + dt.timedelta(days=int(terms) if terms else config.terms_days)
    net = sum(bill.net_micro.values())
    supplier, buyer = parties(customer, config, _supplied(bill), issue_date)
    return Document(
        kind=kind,
        number=number,
        supplier=supplier,
        customer=buyer,
        currency=currency,
        issue_date=str(issue_date),
        due_date=str(due),
        period={"start": str(bill.period.start), "end": str(bill.period.end)},
        statement=bill.statement,
        lines=tuple(_signed_line(line, sign, places) for line in bill.lines),
        vat=tuple(_signed_vat(line, sign, places) for line in bill.vat),
        net=money.text(sign * net, places),
        vat_total=money.text(sign * (bill.gross_micro - net), places),
        gross=money.text(sign * bill.gross_micro, places),
        to_pay=money.text(max(0, owed) + tax_micro, places),
        credit=money.text(max(0, -owed), places),
        treatment=bill.treatment if bill.treatment in SHOWN else "",
        since=since,
        tax_on_payment=money.text(tax_micro, places) if tax_micro else "",
        rounding=_rounding(bill),
        usage=config.bill.usage if config.bill.usage != "day" else "",
    )


def _supplied(bill: Bill) -> dt.date:
    """Return the day whose customer facts decided the VAT, usually the last of the period.

    Where a fee in advance is for a business that owes the VAT from a later day on, it is that day.
    """
    reversed_ = {row.code for row in bill.vat if row.category == vat.REVERSED.category}
    days = (dt.date.fromisoformat(line.from_) for line in bill.lines if line.vat_code in reversed_)
    return max([bill.period.last, *days])


def _rounding(bill: Bill) -> dict[str, str] | None:
    """Return what rounds the balance that is asked for, and to what, as the document says it."""
    if not bill.cash_micro:
        return None
    return {
        "amount": money.text(bill.cash_micro, bill.places),
        "to": money.text(bill.coin_micro, bill.places),
    }


def since_end(bill: Bill, rows: Iterable[Row], day: dt.date) -> tuple[StatementLine, ...]:
    """Return statement lines for what moved Billed after a bill's period, through a day."""
    later = [
        row for row in rows if row.billed and bill.period.end <= row.date <= day and not row.voided
    ]
    return tuple(
        movement.line(bill.places)
        for movement in statement_lines(later, bill.carried, bill.places)
        if movement.amount
    )


def _signed_line(line: Line, sign: int, places: int) -> Line:
    if sign > 0:
        return line
    return replace(line, net=money.text(-money.parse(line.net), places))


def _signed_vat(line: VatLine, sign: int, places: int) -> VatLine:
    if sign > 0:
        return line
    return replace(
        line,
        net=money.text(-money.parse(line.net), places),
        vat=money.text(-money.parse(line.vat), places),
    )
