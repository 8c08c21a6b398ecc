"""Settle an account for good, close it once it is even, and open it again."""

from __future__ import annotations

import datetime as dt

from a2ledger import accounts, customerfile, journal, ledger
from a2ledger.book import Draft
from a2ledger.period import DAY
from a2ledger.records import Customer


def mark(draft: Draft) -> None:
    """Have settled accounts that are even closed in their own ledgers, and no others."""
    for identity in draft.touched:
        customer = draft.customer(identity)
        path = customerfile.path(identity)
        text = draft.text(path)
        if customer.settled or " close Assets:Receivable:" in text:
            draft.put(path, customerfile.with_closes(text, identity, _even_since(draft, customer)))


def _even_since(draft: Draft, customer: Customer) -> dt.date | None:
    """The last day that moved a settled account whose balances are both zero."""
    if not customer.settled:
        return None
    text = draft.text(customerfile.period_path(customer.id, customer.open_since))
    brought = ledger.read_brought(text, customer.open_since)
    left = {
        accounts.billed(customer.id): brought.billed_micro,
        accounts.unbilled(customer.id): brought.unbilled_micro,
    }
    for leg in journal.legs(text):
        if leg.account in left:
            left[leg.account] += leg.micro
    if any(left.values()):
        return None
    days = [
        dt.date.fromisoformat(block.date) for block in journal.blocks(text) if block.kind == "*"
    ]
    # The balances brought forward are asserted on the period's first day.
    return max([customer.open_since, *days]) + DAY * 0
