"""Calls added up by service, destination and VAT code, for a customer and period."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.billing.bill import Used
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.calls.detail import Told
from a2ledger.documents.document import Rate
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.records import Customer

_Key = tuple[str, str, str, "dt.date | None"]
_KEY = ["service", "destination", "vat", "late_from"]
"""Columns whose values the calls of a line share."""
_SUMMED = [
    *(("calls", "sum"), ("seconds", "sum"), ("cost_micro", "sum")),
    *(("day", "min"), ("day", "max")),
]
_Placed = tuple[pa.Table, Mapping[str, tuple[int, int]]]
"""Sums of calls in the order of customers, with each customer's first row and number of rows."""
_PERIODS = 64
"""Most periods whose sums are kept at once."""


class Day(NamedTuple):
    """A day's calls added up, and the digests for seals."""

    day: dt.date
    lines: pa.Table
    """As :func:`detail.lines` gives them."""
    callers: Mapping[tuple[Any, ...], Mapping[str, int]]
    """As :func:`detail.callers` gives them."""
    told: list[Told]


def day_of(calls: pa.Table, day: dt.date, *, for_seal: bool = True) -> Day:
    """Add up the calls of a day; digests of them are for seals alone."""
    told = detail.told(calls) if for_seal else []
    return Day(day, detail.lines(calls), detail.callers(calls), told)


class Calls:
    """Some customers' calls, added up for bills."""

    def __init__(self) -> None:
        self._days: list[pa.Table] = []
        self._summed: dict[Period, _Placed] = {}
        self._callers: dict[str, list[tuple[dt.date, _Key, Mapping[str, int]]]] = {}
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
            for_seal: whether they are digested, and the content of every day is compared with
                ``DIGESTS``; else that of days whose files the disk says are as they were published
                is believed.
        """
        start = min(customer.open_since for customer in customers.values())
        late = {row.late_from for _, rows in states_of.values() for row in rows if row.late_from}
        days = sorted({*late, *(day for day in detail.digests(book) if start <= day < end)})
        names = pa.array(sorted(customers), pa.string())
        believed = set() if for_seal else detail.unchanged(book, days)
        result = cls()
        for day in days:
            if day in believed:
                calls = detail.of_customers(book.root, day, customers, detail.SUMMED)
            else:
                calls = detail.verified(book.root, day, detail.digests(book))
            if (theirs := calls.filter(pc.is_in(calls["customer"], names))).num_rows:
                result.add(day_of(theirs, day, for_seal=for_seal))
        return result

    def only(self, customers: Iterable[str]) -> Calls:
        """Return the calls of some customers, to pass to another process."""
        result, names = Calls(), list(customers)
        chosen = pa.array(names, pa.string())
        result._days = [day.filter(pc.is_in(day["customer"], chosen)) for day in self._days]
        for name in names:
            result._callers[name] = self._callers.get(name, [])
            result._told[name] = self._told.get(name, [])
        return result

    def add(self, calls: Day) -> None:
        """Add the calls of a day."""
        lines, day = calls.lines, pa.repeat(pa.scalar(calls.day), calls.lines.num_rows)
        late = lines["late_in"]
        late_from = pc.if_else(pc.is_valid(late), day, pa.scalar(None, pa.date32()))
        for name, column in {
            "day": day,
            "posted": pc.coalesce(late, day),
            "late_from": late_from,
        }.items():
            lines = lines.append_column(name, column)
        self._days.append(lines)
        self._summed.clear()
        for (customer, service, place, vat, late_in), counts in calls.callers.items():
            key = (service, place, vat, calls.day if late_in else None)
            self._callers.setdefault(customer, []).append((late_in or calls.day, key, counts))
        for vouched in calls.told:
            self._told.setdefault(vouched.customer, []).append((calls.day, vouched))

    def _sums(self, period: Period) -> _Placed:
        """Return calls posted in a period by what they are shown by, and where customers stand.

        Most customers have the same period: their calls are added up at once.
        """
        if period not in self._summed:
            if len(self._summed) >= _PERIODS:
                self._summed.clear()
            posted = pc.field("posted")
            inside = (posted >= pa.scalar(period.start)) & (posted < pa.scalar(period.end))
            days = [day.filter(inside) for day in self._days]
            self._summed[period] = _placed(pa.concat_tables(days)) if days else (pa.table({}), {})
        return self._summed[period]

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
        sums, places = self._sums(period)
        if (place := places.get(customer)) is None:
            return []
        columns = (column.to_pylist() for column in sums.slice(*place).itercolumns())
        extensions: dict[_Key, Counter[str]] = {}
        for posted, key, counts in self._callers.get(customer, ()):
            if period.start <= posted < period.end:
                extensions.setdefault(key, Counter()).update(counts)
        used: dict[_Key, Used] = {}
        for service, destination, vat, late_from, *rest in zip(*columns, strict=True):
            key = (service, destination, vat, late_from)
            used[key] = _with(used.get(key), key, Rate(*rest[:4]), rest[3:])
        return [
            line._replace(extensions=extensions.get(key, {}), rates=tuple(sorted(line.rates)))
            for key, line in used.items()
        ]


def _placed(calls: pa.Table) -> _Placed:
    """Add calls up, and return the sums by customer, and where each customer's stand."""
    keys = ["customer", *_KEY, *detail.RATE]
    sums = calls.group_by(keys, use_threads=False).aggregate(_SUMMED).sort_by("customer")
    counts = sums.group_by("customer", use_threads=False).aggregate([("calls_sum", "count")])
    counts = counts.sort_by("customer")  # groups come in no order that can be relied on
    rows = counts["calls_sum_count"].to_pylist()
    places = zip(accumulate(rows, initial=0), rows, strict=False)
    names = [*keys[1:], *map("_".join, _SUMMED)]
    return sums.select(names), dict(zip(counts["customer"].to_pylist(), places, strict=True))


def _with(line: Used | None, key: _Key, rate: Rate, sums: Sequence[Any]) -> Used:
    """Return a line with the calls of one more rate."""
    calls, seconds, micro, first, last = sums
    rates = (rate,) if rate.tariff else ()
    if line is None:
        return Used(*key, calls, seconds, micro, first, last, rates=rates)
    return line._replace(
        calls=line.calls + calls,
        seconds=line.seconds + seconds,
        micro=line.micro + micro,
        first=min(line.first, first),
        last=max(line.last, last),
        rates=line.rates + rates,
    )
