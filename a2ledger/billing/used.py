"""Calls added up by service, destination and VAT code, for a customer and period."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.billing.bill import Used
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.calls.detail import Told
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.records import Customer


class Day(NamedTuple):
    """A day's calls added up: (customer, posting day, sum) each, and the digests for seals."""

    day: dt.date
    used: list[tuple[str, dt.date, Used]]
    told: list[Told]


def day_of(calls: pa.Table, day: dt.date) -> Day:
    """Add up the calls of a day."""
    names = ("service", "destination", "vat", "late_in", "calls", "seconds", "cost_micro")
    sums, callers = detail.lines(calls), detail.callers(calls)
    used = [
        (
            customer,
            late or day,
            Used(
                *(service, place, vat, day if late else None, count, seconds, micro, day, day),
                callers.get((customer, service, place, vat, late), {}),
            ),
        )
        for customer, service, place, vat, late, count, seconds, micro in zip(
            *(sums[name].to_pylist() for name in ("customer", *names)), strict=True
        )
    ]
    return Day(day, used, detail.told(calls))


class Calls:
    """Some customers' calls, added up for bills."""

    def __init__(self) -> None:
        self._posted: dict[str, list[tuple[dt.date, Used]]] = {}
        self._told: dict[str, list[tuple[dt.date, Told]]] = {}

    @classmethod
    def read(
        cls,
        book: Book,
        customers: Mapping[str, Customer],
        states_of: Mapping[str, tuple[Brought, list[Row]]],
        end: dt.date,
        *,
        for_seal: bool = True,
    ) -> Calls:
        """Read calls of customers' open periods until a day, in one pass over those days.

        Args:
            book: theirs.
            customers: by id.
            states_of: what their open periods start with, and hold.
            end: the day.
            for_seal: whether the content of every day is compared with ``DIGESTS``; else that of
                days whose files the disk says are as they were published is believed.
        """
        start = min(customer.open_since for customer in customers.values())
        late = {row.late_from for _, rows in states_of.values() for row in rows if row.late_from}
        days = sorted({*late, *(day for day in detail.digests(book) if start <= day < end)})
        names = pa.array(sorted(customers), pa.string())
        believed = set() if for_seal else detail.unchanged(book, days)
        result = cls()
        for day in days:
            if day in believed:
                calls = detail.of_customers(book.root, day, customers)
            else:
                calls = detail.verified(book.root, day, detail.digests(book))
            if (theirs := calls.filter(pc.is_in(calls["customer"], names))).num_rows:
                result.add(day_of(theirs, day))
        return result

    def only(self, customers: Iterable[str]) -> Calls:
        """Return the calls of some customers, to pass to another process."""
        result = Calls()
        for name in customers:
            result._posted[name] = self._posted.get(name, [])
            result._told[name] = self._told.get(name, [])
        return result

    def add(self, calls: Day) -> None:
        """Add the calls of a day."""
        for customer, posted, used in calls.used:
            self._posted.setdefault(customer, []).append((posted, used))
        for vouched in calls.told:
            self._told.setdefault(vouched.customer, []).append((calls.day, vouched))

    def told(self, customer: str, period: Period) -> tuple[int, str]:
        """Return the count of a customer's calls in a period, and the text their seal digests."""
        inside = [
            (day, told)
            for day, told in self._told.get(customer, ())
            if period.start <= (told.late_in or day) < period.end
        ]
        text = "".join(
            sorted(
                f"{day} {told.late_in or '-'} {told.calls} {told.sha256}\n" for day, told in inside
            )
        )
        return sum(told.calls for _, told in inside), text

    def of(self, customer: str, period: Period) -> list[Used]:
        """Return the calls posted in a customer's period, added up."""
        sums: dict[tuple[Any, ...], Used] = {}
        for posted, used in self._posted.get(customer, ()):
            if period.start <= posted < period.end:
                key = (used.service, used.destination, used.vat, used.late_from)
                old = sums.get(key)
                sums[key] = _sum(old, used) if old else used
        return list(sums.values())


def _sum(first_sum: Used, other: Used) -> Used:
    return first_sum._replace(
        calls=first_sum.calls + other.calls,
        seconds=first_sum.seconds + other.seconds,
        micro=first_sum.micro + other.micro,
        first=min(first_sum.first, other.first),
        last=max(first_sum.last, other.last),
        extensions=_counted(first_sum.extensions, other.extensions),
    )


def _counted(counts: Mapping[str, int], others: Mapping[str, int]) -> Mapping[str, int]:
    if not (counts and others):
        return counts or others
    return Counter(counts) + Counter(others)
