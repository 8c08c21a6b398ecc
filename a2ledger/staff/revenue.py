"""Revenue by month and service, and by destination with its margin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from beancount.core import data

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.calls.detail import Digest
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
    sums: dict[tuple[str, ...], list[int]] = {}
    base = book.config.currency
    foreign = subledgers.foreign_accounts(book)
    bought = {name: terms.currency for name, terms in book.config.decks.items()}
    in_base = not foreign and set(bought.values()) <= {base}
    for day, digest in detail.digests(book).items():
        if f"{day:%Y-%m}" == month:
            of_day = (
                _summed_once(book.root, day, digest, base)
                if in_base
                else _summed(book, foreign, day)
            )
            for key, numbers in of_day:
                totals = sums.setdefault(key, [0] * len(numbers))
                for place, number in enumerate(numbers):
                    totals[place] += number
    rows = [_destination(key, values) for key, values in sums.items()]
    return sorted(rows, key=lambda totals: (totals["service"], -totals["micro"]))


_PRICED = ["service", "destination", "seconds", "cost_micro", "buy_micro", "carrier"]
_SUMMED = ("seconds", "cost_micro", "buy_micro", "known", "sold")
_DAYS = 400
"""Days whose sums are kept."""
Sums = list[tuple[tuple[str, ...], list[int]]]
"""Numbers by service, destination and currency."""


@lru_cache(maxsize=_DAYS)
def _summed_once(root: Path, day: dt.date, digest: Digest, base: str) -> Sums:
    """Return the sums of a day whose money is all in one currency; its digest says which calls."""
    table = detail.read(root, day, {day: digest}, _PRICED)
    currency = pa.repeat(pa.scalar(base), len(table))
    return _added_up(table, currency, pc.not_equal(table["carrier"], ""))


def _summed(book: Book, foreign: Mapping[str, str], day: dt.date) -> Sums:
    """Return the sums of a day with several currencies."""
    columns = [*_PRICED, "customer", "deck"]
    table = detail.read(book.root, day, detail.digests(book), columns)
    own = [foreign.get(name, book.config.currency) for name in table["customer"].to_pylist()]
    bought = [book.config.deck(name).currency for name in table["deck"].to_pylist()]
    currency = pa.array(own, pa.string())
    known = pc.and_(
        pc.not_equal(table["carrier"], ""), pc.equal(currency, pa.array(bought, pa.string()))
    )
    return _added_up(table, currency, known)


def _added_up(table: pa.Table, currency: pa.Array, known: pa.ChunkedArray) -> Sums:
    keys = ["service", "destination", "currency"]
    summed = (
        _with_margins(table, currency, known)
        .group_by(keys, use_threads=False)
        .aggregate([("seconds", "count"), *((name, "sum") for name in _SUMMED)])
    )
    numbers = ["seconds_count", *(f"{name}_sum" for name in _SUMMED)]
    return [
        (tuple(row[key] for key in keys), [row[name] or 0 for name in numbers])
        for row in summed.to_pylist()
    ]


def _with_margins(table: pa.Table, currency: pa.Array, known: pa.ChunkedArray) -> pa.Table:
    """Add currency, known buying cost, and the price of calls with a known cost."""
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
