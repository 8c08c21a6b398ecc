"""Revenue by month and service, and by destination with its margin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from beancount.core import data

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.journal import subledgers
from a2ledger.journal.ledger import Ledger
from a2ledger.staff.customers import shown

Values = dict[str, Any]

_EARNED = ("Income:", "Expenses:Termination:")


def earned(loaded: Ledger) -> Values:
    """Return revenue by month and service, and carriers' charges, from the ledger."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for entry in loaded.entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                if posting.account.startswith(_EARNED) and posting.units:
                    key = (f"{entry.date:%Y-%m}", posting.account, posting.units.currency)
                    sums[key] = sums.get(key, Decimal()) + (posting.units.number or 0)
    rows: list[Values] = []
    for (month, account, currency), number in sums.items():
        root, _, name = account.partition(":")
        micro = money.micro(number)
        rows.append(
            {
                "month": month,
                "account": account,
                "service": name,
                "cost": root == "Expenses",
                "currency": currency,
                "micro": -micro,
                "amount": shown(-micro, currency),
            }
        )
    rows.sort(key=lambda item: item["account"])
    rows.sort(key=lambda item: item["month"], reverse=True)
    return {"rows": rows, "chart": _chart([row for row in rows if not row["cost"]])}


def _chart(rows: Sequence[Values]) -> list[Values]:
    """Return revenue by month as a Fava chart: one bar a month, divided by account."""
    months: dict[str, Values] = {}
    for row in rows:
        bar = months.setdefault(
            row["month"],
            {"date": f"{row['month']}-01", "balance": {}, "account_balances": {}, "budgets": {}},
        )
        amount = money.decimal(row["micro"])
        bar["balance"][row["currency"]] = bar["balance"].get(row["currency"], 0) + amount
        bar["account_balances"].setdefault(row["account"], {})[row["currency"]] = amount
    data = [months[month] for month in sorted(months)]
    return [{"label": "Revenue by month", "type": "bar", "data": data}]


def months_of_calls(book: Book) -> list[str]:
    """Return the months with calls in the book, newest first."""
    return sorted({f"{day:%Y-%m}" for day in detail.digests(book)}, reverse=True)


def destinations(book: Book, month: str) -> list[Values]:
    """Return revenue of a month's calls by destination, and their cost where known.

    Raises:
        MissingDetailError: if the calls of a day are not there.
    """
    keys = ["service", "destination", "currency"]
    sums: dict[tuple[str, ...], list[int]] = {}
    foreign = subledgers.foreign_accounts(book)
    for day in (day for day in detail.digests(book) if f"{day:%Y-%m}" == month):
        table = _with_margins(
            book, foreign, detail.read(book.root, day, detail.digests(book), _MARGIN_OF)
        )
        summed = table.group_by(keys, use_threads=False).aggregate(
            [("seconds", "count"), *((name, "sum") for name in _SUMMED)]
        )
        for row in summed.to_pylist():
            totals = sums.setdefault(tuple(row[key] for key in keys), [0] * (len(_SUMMED) + 1))
            for place, name in enumerate(["seconds_count", *(f"{name}_sum" for name in _SUMMED)]):
                totals[place] += row[name] or 0
    rows = [_destination(key, values) for key, values in sums.items()]
    return sorted(rows, key=lambda totals: (totals["service"], -totals["micro"]))


_MARGIN_OF = [
    *("service", "destination", "customer", "deck"),
    *("seconds", "cost_micro", "buy_micro", "carrier"),
]
_SUMMED = ("seconds", "cost_micro", "buy_micro", "known", "sold")


def _with_margins(book: Book, foreign: Mapping[str, str], table: pa.Table) -> pa.Table:
    """Add currency, known buying cost, and the price of calls with a known cost."""
    base = book.config.currency
    known = pc.not_equal(table["carrier"], "")
    if foreign or any(terms.currency != base for terms in book.config.decks.values()):
        own = [foreign.get(name, base) for name in table["customer"].to_pylist()]
        bought = [book.config.deck(name).currency for name in table["deck"].to_pylist()]
        currency = pa.array(own, pa.string())
        known = pc.and_(known, pc.equal(currency, pa.array(bought, pa.string())))
    else:
        currency = pa.repeat(pa.scalar(base), len(table))
    known = pc.cast(known, pa.int64())
    columns = {
        "currency": currency,
        "known": known,
        "sold": pc.multiply(table["cost_micro"], known),
        "buy_micro": pc.multiply(pc.fill_null(table["buy_micro"], 0), known),
    }
    for name, column in columns.items():
        if name in table.column_names:
            table = table.drop_columns([name])
        table = table.append_column(name, column)
    return table


def _destination(key: tuple[str, ...], sums: Sequence[int]) -> Values:
    service, destination, currency = key
    count, seconds, micro, buy, known, sold = sums
    margin = sold - buy
    return {
        "service": service,
        "destination": destination,
        "currency": currency,
        "calls": count,
        "minutes": f"{seconds / 60:.1f}",
        "seconds": seconds,
        "micro": micro,
        "revenue": shown(micro, currency),
        "cost": shown(buy, currency) if known else "",
        "margin": shown(margin, currency) if known else "",
        "percent": f"{100 * margin / sold:.1f}" if known and sold else "",
    }
