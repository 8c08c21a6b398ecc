"""Periods of billing and the days that bound them.

A period is half-open: ``[start, end)``. It starts where the last closed one ended and runs to
where the customer's cycle next begins; billing day 31 is the last day of a shorter month, as is
any day a month does not have. Days are days in the book's time zone.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import NamedTuple

EPOCH = dt.date(1970, 1, 1)
"""The day that columns of days count from."""

DAY = dt.timedelta(days=1)


class Period(NamedTuple):
    """Days from ``start`` (inclusive) to ``end`` (exclusive)."""

    start: dt.date
    end: dt.date

    @property
    def last(self) -> dt.date:
        """The last day inside the period."""
        return self.end - DAY

    def __str__(self) -> str:
        return f"{long_date(self.start)} to {long_date(self.last)}"


def long_date(day: dt.date) -> str:
    """A day as it is written on a bill: ``1 January 2026``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


class Cycle(NamedTuple):
    """How often periods begin: every ``months`` months on ``day``, one of them in ``month``."""

    months: int = 1
    """1, 3 or 12."""
    day: int = 1
    month: int = 1


CYCLES = {
    "monthly": 1,
    "quarterly": 3,
    "yearly": 12,
    "monthly-anniversary": 1,
    "quarterly-anniversary": 3,
    "yearly-anniversary": 12,
}
"""Months of each kind of cycle."""


def is_anniversary(kind: str) -> bool:
    """Whether a cycle is counted from the day the account was opened, not by the calendar."""
    return kind.endswith("-anniversary")


def cycle_of(kind: str, billing_day: int, opened: dt.date) -> Cycle:
    """A customer's cycle.

    By the calendar, quarters begin in January, April, July and October, years in January, on
    the billing day. An anniversary cycle is counted from the day the account was opened.

    >>> cycle_of("quarterly", 15, dt.date(2026, 2, 10))
    Cycle(months=3, day=15, month=1)
    >>> cycle_of("quarterly-anniversary", 15, dt.date(2026, 2, 10))
    Cycle(months=3, day=10, month=2)
    """
    if is_anniversary(kind):
        return Cycle(CYCLES[kind], opened.day, opened.month)
    return Cycle(CYCLES[kind], billing_day)


def _latest(cycle: Cycle, day: dt.date) -> int:
    """The latest month up to a day's own in which a period begins, counted from the year 0."""
    index = day.year * 12 + day.month - 1
    return index - (index - cycle.month + 1) % cycle.months


def _begin(cycle: Cycle, index: int) -> dt.date:
    year, month = divmod(index, 12)
    return dt.date(year, month + 1, min(cycle.day, calendar.monthrange(year, month + 1)[1]))


def starting(start: dt.date, cycle: Cycle) -> Period:
    """The period that starts on a day.

    >>> print(starting(dt.date(2026, 1, 31), Cycle(day=31)))
    31 January 2026 to 27 February 2026
    >>> print(starting(dt.date(2026, 1, 10), Cycle()))
    10 January 2026 to 31 January 2026
    >>> print(starting(dt.date(2026, 2, 15), Cycle(3, 15)))
    15 February 2026 to 14 April 2026
    """
    index = _latest(cycle, start)
    end = _begin(cycle, index)
    return Period(start, end if end > start else _begin(cycle, index + cycle.months))


def holding(day: dt.date, cycle: Cycle) -> Period:
    """The whole period that holds a day.

    >>> print(holding(dt.date(2026, 2, 10), Cycle(day=15)))
    15 January 2026 to 14 February 2026
    >>> print(holding(dt.date(2028, 2, 29), Cycle(12, 31, 8)))
    31 August 2027 to 30 August 2028
    """
    index = _latest(cycle, day)
    start = _begin(cycle, index)
    return starting(start if start <= day else _begin(cycle, index - cycle.months), cycle)


def month_of(day: dt.date) -> str:
    """The calendar month of a day, as it names files: ``2026-01``."""
    return f"{day.year:04d}-{day.month:02d}"


def last_of_month(month: str) -> dt.date:
    """The last day of a month written ``2026-01``."""
    year, number = map(int, month.split("-"))
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def months_before(month: str, count: int) -> str:
    """The month a number of months earlier.

    >>> months_before("2026-02", 3)
    '2025-11'
    """
    year, number = map(int, month.split("-"))
    index = year * 12 + number - 1 - count
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
