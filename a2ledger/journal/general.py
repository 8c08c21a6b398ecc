"""The general ledger: the operator's summary of all customers, derived from their own ledgers.

By calendar month it holds, for every customer, one usage entry per slice (the part of a period
in one month), service and VAT code, dated the slice's last day that has usage; and every other
transaction and ``balance`` line as it stands in the customer's own ledger. Text in, text out.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from beancount.core import data

from a2ledger import accounts
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import period_file, syntax
from a2ledger.journal.period_file import PeriodFile, Usage
from a2ledger.journal.syntax import Block
from a2ledger.period import last_of_month

_CUSTOMER = re.compile(r"Assets:Receivable:([^:\s]+):")
_OWN = re.compile(rf"{_CUSTOMER.pattern}|{accounts.DEPOSITS}(\S+)")
_POSTED = re.compile(
    rf"^(?:[ \t]+(?:[*!][ \t]+)?|\d{{4}}-\d\d-\d\d (?:open|balance) +){_CUSTOMER.pattern}",
    re.MULTILINE,
)  # where an account stands, not where a text only speaks of one
_Sums = dict[tuple[str, str], int]
"""Micro-units by account and currency."""
_NAMED = re.compile(r'^  customer: "([^"]+)"$', re.MULTILINE)


def blocks(file: PeriodFile, customer: str, currency: str) -> list[Block]:
    """What one period of a customer adds to the general ledger, by date."""
    taken = [block for block in file.above if block.kind in {"*", "!", "balance"}]
    late = [row for row in file.usage if row.late_from]
    entries = [
        period_file.usage_entry(row, customer, currency) for row in [*_slices(file.usage), *late]
    ]
    usage = [Block(entry.date.isoformat(), "*", syntax.formatted(entry)) for entry in entries]
    found = [*taken, *usage, *file.closing]
    spaced = (Block(date, kind, text.rstrip("\n") + "\n\n") for date, kind, text in found)
    return sorted(spaced, key=_order)


def _slices(usage: Iterable[Usage]) -> Iterator[Usage]:
    def of_slice(row: Usage) -> tuple[int, int, str, str]:
        return (row.date.year, row.date.month, row.service, row.vat)

    own = sorted((row for row in usage if not row.late_from), key=of_slice)
    for (_, _, service, vat), rows in groupby(own, key=of_slice):
        days = list(rows)
        yield Usage(
            max(row.date for row in days),
            None,
            service,
            vat,
            sum(row.calls for row in days),
            sum(row.seconds for row in days),
            sum(row.micro for row in days),
            sum(row.pending_micro for row in days),
        )


def _order(block: Block) -> tuple[str, bool]:
    return (block.date, block.kind != "balance")


def customer_of(block: Block) -> str:
    """The account part of the one customer a block of the general ledger is about."""
    if match := _POSTED.search(block.text):
        return match[1]
    named = _NAMED.search(block.text)
    return accounts.component(named[1]) if named else ""


def merged(text: str, customers: Iterable[str], added: Iterable[Block]) -> str:
    """A month of the general ledger with all blocks of some customers replaced.

    Args:
        text: the month as it stands; empty for a new one.
        customers: ids whose blocks are replaced.
        added: their new blocks in this month, each customer's by date.
    """
    replaced = {accounts.component(customer) for customer in customers}
    kept = (block for block in syntax.blocks(text) if customer_of(block) not in replaced)
    ordered = sorted([*kept, *added], key=lambda block: (*_order(block), customer_of(block)))
    return syntax.joined(ordered)


def merged_opens(text: str, customers: Iterable[str], added: Iterable[data.Open]) -> str:
    """``general/opens.beancount`` with the ``open`` entries of some customers replaced."""
    replaced = {accounts.component(customer) for customer in customers}
    kept = [block for block in syntax.blocks(text) if customer_of(block) not in replaced]
    new = [Block(str(entry.date), "open", syntax.formatted(entry)) for entry in added]
    # Unbilled, which bears the facts, stands before Billed.
    key = lambda block: (customer_of(block), ":Unbilled" not in block.text)  # noqa: E731
    return syntax.joined(sorted([*kept, *new], key=key))


def carried(months: Mapping[str, Iterable[str]]) -> str:
    """What lies before the months ``main`` shows: balances, and each month's totals.

    Args:
        months: texts of ``general/``, ``suspense/`` and ``carriers/`` by month (``2026-01``).
    """
    if not months:
        return ""
    owed: dict[str, _Sums] = {}
    totals: dict[str, _Sums] = {}
    for month in sorted(months):
        of_month = totals.setdefault(month, {})
        for text in months[month]:
            for account, micro, currency in syntax.legs(text):
                own = _OWN.match(account)
                part = owed.setdefault(own[1] or own[2], {}) if own else of_month
                part[account, currency] = part.get((account, currency), 0) + micro
    last = last_of_month(max(months))
    entries = [
        _carried_entry(last, customer, dict(sorted(sums.items(), reverse=True)))
        for customer, sums in sorted(owed.items())
    ]
    entries += [
        _carried_entry(last_of_month(month), month, dict(sorted(sums.items())))
        for month, sums in totals.items()
    ]
    return "".join(
        syntax.formatted(entry)
        for entry in sorted(entries, key=lambda entry: entry.date)
        if entry.postings
    )


def _carried_entry(day: dt.date, what: str, sums: _Sums) -> data.Transaction:
    moved = {key: micro for key, micro in sums.items() if micro}
    postings = [
        journal_entries.leg(account, micro, currency)
        for (account, currency), micro in moved.items()
    ]
    for currency in sorted({currency for _, currency in moved}):
        rest = -sum(micro for (_, other), micro in moved.items() if other == currency)
        if rest:
            postings.append(journal_entries.leg(accounts.OPENING, rest, currency))
    return journal_entries.transaction(day, "Carried", what, postings)
