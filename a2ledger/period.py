"""Periods of billing and the days that bound them.

A period is half-open: ``[start, end)``. It starts where the last closed one ended and runs to
the customer's next billing day; billing day 31 is the last day of a shorter month, as is any
day a month does not have. Days are days in the book's time zone.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import NamedTuple

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


def _billing_day_of(year: int, month: int, billing_day: int) -> dt.date:
    return dt.date(year, month, min(billing_day, calendar.monthrange(year, month)[1]))


def starting(start: dt.date, billing_day: int) -> Period:
    """The period that starts on a day.

    >>> print(starting(dt.date(2026, 1, 31), 31))
    31 January 2026 to 27 February 2026
    >>> print(starting(dt.date(2026, 1, 10), 1))
    10 January 2026 to 31 January 2026
    """
    end = _billing_day_of(start.year, start.month, billing_day)
    if end <= start:
        following = start.replace(day=1) + dt.timedelta(days=32)
        end = _billing_day_of(following.year, following.month, billing_day)
    return Period(start, end)


def holding(day: dt.date, billing_day: int) -> Period:
    """The whole period that holds a day.

    >>> print(holding(dt.date(2026, 2, 10), 15))
    15 January 2026 to 14 February 2026
    """
    start = _billing_day_of(day.year, day.month, billing_day)
    if start > day:
        previous = day.replace(day=1) - DAY
        start = _billing_day_of(previous.year, previous.month, billing_day)
    return starting(start, billing_day)


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
