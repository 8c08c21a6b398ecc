"""List one customer's calls, oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money, times
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.calls.identity import identity
from a2ledger.sources.batch import OUTGOING

SHOWN = [
    *("customer", "start", "direction", "extension", "caller", "called", "destination"),
    *("seconds", "billed_seconds", "cost_micro", "switch", "uid", "seq", "service"),
    *("void", "deck", "prefix", "late_in"),
]
"""Columns of a list of calls."""


def of_customer(book: Book, customer: str, first: dt.date, last: dt.date) -> pa.Table:
    """Return a customer's calls that started between two days, both included, as listed.

    Raises:
        MissingDetailError: if the calls of a day are not there.
    """
    digests = detail.digests(book)
    days = [day for day in sorted(digests) if first <= day <= last]
    believed = detail.unchanged(book, days)
    parts = []
    for day in days:
        if day in believed:
            parts.append(detail.of_customers(book.root, day, [customer], SHOWN))
        else:
            table = detail.read(book.root, day, digests, SHOWN)
            parts.append(table.filter(pc.equal(table["customer"], customer)))
    return pa.concat_tables(parts) if parts else detail.empty().select(SHOWN)


def rows_json(calls: pa.Table, zone: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``calls --json``, with starts in a time zone."""
    for row in calls.to_pylist():
        yield {
            "start": start(row["start"], zone),
            "direction": row["direction"] or OUTGOING,
            "extension": row["extension"],
            "caller": row["caller"],
            "called": row["called"],
            "destination": row["destination"],
            "seconds": row["seconds"],
            "cost": money.text(row["cost_micro"], 2),
            "id": identity(row["switch"], row["uid"], row["seq"]),
            "service": row["service"],
            "billed_seconds": row["billed_seconds"],
            "void": row["void"],
            "tariff": row["deck"],
            "prefix": row["prefix"],
        }


def start(moment: dt.datetime, zone: str) -> str:
    """Format the start of a call as local time in a zone."""
    import numpy as np  # noqa: PLC0415

    naive = int(times.to_naive(np.array([int(moment.timestamp())]), zone)[0])
    return f"{times.EPOCH + dt.timedelta(seconds=naive):%Y-%m-%d %H:%M:%S}"
