"""Receivables: who owes what at the end of a day, as in the balance sheet."""

from __future__ import annotations

import datetime as dt

from a2ledger import money
from a2ledger.balances import ageing, balances
from a2ledger.balances.ageing import BUCKETS
from a2ledger.book.book import Book
from a2ledger.reports.taxes import Report


def receivables(book: Book, day: dt.date) -> Report:
    """Return what each customer owes, billed by age and unbilled, negative for credit.

    The sum in each currency equals ``Assets:Receivable`` on that day. Within a month, the general
    ledger posts usage on the last day with calls.
    """
    aged = {row.customer: row.as_json() for row in ageing.aged(book, [], day)}
    rows = []
    sums: dict[str, dict[str, int]] = {}
    for row in balances.standings_on(book, day):
        if not (row.billed_micro or row.unbilled_micro):
            continue
        parts = {key: money.parse(aged[row.customer][key]) for key in (*BUCKETS, "unapplied")}
        parts |= {"billed": row.billed_micro, "unbilled": row.unbilled_micro,
                  "owed": row.owed_micro}  # fmt: skip
        sum_of = sums.setdefault(row.currency, {})
        for key, micro in parts.items():
            sum_of[key] = sum_of.get(key, 0) + micro
        amounts = {key: money.text(micro, 2) for key, micro in parts.items()}
        rows.append(
            {"customer": row.customer, "name": row.name, "currency": row.currency, **amounts}
        )
    totals = [
        {"customer": "total", "name": "", "currency": currency,
         **{key: money.text(micro, 2) for key, micro in parts.items()}}
        for currency, parts in sorted(sums.items())
    ]  # fmt: skip
    columns = ("customer", "name", "currency", *BUCKETS, "unapplied", "billed", "unbilled", "owed")
    return Report(columns, rows, totals)
