"""Calls added up: by service, destination and VAT code, of one customer and period."""

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
    """A day's calls added up: customer and day posted for each sum, and what seals vouch for."""

    day: dt.date
    used: list[tuple[str, dt.date, Used]]
    told: list[Told]


def day_of(calls: pa.Table, day: dt.date) -> Day:
    """A day's calls, added up."""
    names = ("service", "destination", "vat", "late_in", "calls", "seconds", "cost_micro")
    found, callers = detail.lines(calls), detail.callers(calls)
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
            *(found[name].to_pylist() for name in ("customer", *names)), strict=True
        )
    ]
    return Day(day, used, detail.told(calls))


class Calls:
    """Calls of some customers, added up for bills."""

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
    ) -> Calls:
        """Those of customers' open periods until a day: one pass over the days in question."""
        start = min(customer.open_since for customer in customers.values())
        late = {row.late_from for _, rows in states_of.values() for row in rows if row.late_from}
        days = sorted({*late, *(day for day in detail.digests(book) if start <= day < end)})
        names = pa.array(sorted(customers), pa.string())
        found = cls()
        for day in days:
            calls = detail.verified(book.root, day, detail.digests(book))
            found.add(day_of(calls.filter(pc.is_in(calls["customer"], names)), day))
        return found

    def only(self, customers: Iterable[str]) -> Calls:
        """Those of some customers, to be handed to another process."""
        found = Calls()
        for name in customers:
            found._posted[name] = self._posted.get(name, [])
            found._told[name] = self._told.get(name, [])
        return found

    def add(self, one: Day) -> None:
        """Take in the calls of a day."""
        for customer, posted, used in one.used:
            self._posted.setdefault(customer, []).append((posted, used))
        for told in one.told:
            self._told.setdefault(told.customer, []).append((one.day, told))

    def told(self, customer: str, one: Period) -> tuple[int, str]:
        """How many calls were posted in a customer's period, and what vouches for their text."""
        inside = [
            (day, told)
            for day, told in self._told.get(customer, ())
            if one.start <= (told.late_in or day) < one.end
        ]
        text = "".join(
            sorted(
                f"{day} {told.late_in or '-'} {told.calls} {told.sha256}\n" for day, told in inside
            )
        )
        return sum(told.calls for _, told in inside), text

    def of(self, customer: str, one: Period) -> list[Used]:
        """Calls posted in a customer's period."""
        found: dict[tuple[Any, ...], Used] = {}
        for posted, used in self._posted.get(customer, ()):
            if one.start <= posted < one.end:
                key = (used.service, used.destination, used.vat, used.late_from)
                old = found.get(key)
                found[key] = _sum(old, used) if old else used
        return list(found.values())


def _sum(one: Used, other: Used) -> Used:
    return one._replace(
        calls=one.calls + other.calls,
        seconds=one.seconds + other.seconds,
        micro=one.micro + other.micro,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        extensions=Counter(one.extensions) + Counter(other.extensions),
    )
