"""Billing periods, and the days that bound them.

A period is half-open: ``[start, end)``. It starts where the last closed one ended and runs to
where the customer's cycle next begins; billing day 31 is the last day of a shorter month, as is
any day a month does not have. Days are days in the book's time zone.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import NamedTuple

EPOCH = dt.date(1970, 1, 1)
"""Day 0 of columns of days."""

DAY = dt.timedelta(days=1)

FIRST_DAY, LAST_DAY = dt.date(1970, 1, 1), dt.date(2999, 12, 31)
"""The days a book can hold: accounts are opened on the first, and arithmetic ends before time."""

LONG_AGO_YEARS = 30
"""How far back an account may be opened without a word: every period since is closed one by one."""


class DayError(ValueError):
    """A day that no book can hold."""


def check_day(day: dt.date) -> dt.date:
    """Return a day that a book can hold.

    >>> check_day(dt.date(2026, 1, 31))
    datetime.date(2026, 1, 31)

    Raises:
        DayError: if it is before 1970 or after 2999.
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise DayError(f"{day} is not a day of a book: they are from {FIRST_DAY} to {LAST_DAY}")
    return day


def read_day(text: str) -> dt.date:
    """Return the day a text such as ``2026-01-31`` names, if a book can hold it.

    Raises:
        ValueError: saying why it names none.
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day such as 2026-01-31") from None
    return check_day(day)


class Period(NamedTuple):
    """A period: the days from ``start`` (inclusive) to ``end`` (exclusive)."""

    start: dt.date
    end: dt.date

    @property
    def last(self) -> dt.date:
        """Return the last day of the period."""
        return self.end - DAY

    def __str__(self) -> str:
        return f"{long_date(self.start)} to {long_date(self.last)}"


def long_date(day: dt.date) -> str:
    """Format a day as it is written on a bill: ``1 January 2026``."""
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


class Cycle(NamedTuple):
    """How often periods begin: every ``months`` months on ``day``, or every ``weeks`` weeks.

    The months are counted from ``month`` (1 to ``months``; of the year 0), the weeks from the day
    ``begin``.
    """

    months: int = 1
    day: int = 1
    month: int = 1
    weeks: int = 0
    """Where it is counted in weeks; else 0."""
    begin: dt.date = dt.date(1970, 1, 5)
    """A day on which a period of weeks begins; a Monday, where nothing else is said."""


NAMED_CYCLES = {"weekly": "1-weekly", "monthly": "1-monthly", "quarterly": "3-monthly",
                "half-yearly": "6-monthly", "yearly": "12-monthly"}  # fmt: skip
"""Cycles with a name of their own, as so many weeks or months."""

_YEAR = 12
WEEK = 7
"""Days of a week."""
_COUNTED = re.compile(r"([1-9][0-9]?)-(weekly|monthly)")
ANNIVERSARY = "-anniversary"


def counted(kind: str) -> tuple[int, int]:
    """Return how many months and weeks a period of a kind of cycle has; one of them is 0.

    >>> counted("quarterly"), counted("2-weekly"), counted("5-monthly-anniversary")
    ((3, 0), (0, 2), (5, 0))

    Raises:
        ValueError: if there is no such cycle.
    """
    name = kind.removesuffix(ANNIVERSARY)
    match = _COUNTED.fullmatch(NAMED_CYCLES.get(name, name))
    if match is None:
        raise ValueError(
            f"{kind!r} is none of {', '.join(NAMED_CYCLES)}, 2-weekly, 2-monthly and so on, "
            f"each also with {ANNIVERSARY}"
        )
    count = int(match[1])
    return (count, 0) if match[2] == "monthly" else (0, count)


def is_anniversary(kind: str) -> bool:
    """Return whether a cycle counts from the day the account was opened, not by the calendar."""
    return kind.endswith(ANNIVERSARY)


def anniversary(kind: str, opened: dt.date) -> int:
    """Return the billing day of a cycle counted from the opening: a weekday, if of weeks.

    >>> anniversary("weekly-anniversary", dt.date(2026, 2, 10))
    2
    """
    return opened.isoweekday() if counted(kind)[1] else opened.day


def cycle_of(kind: str, billing_day: int, opened: dt.date) -> Cycle:
    """Return a customer's cycle.

    By the calendar, quarters begin in January, April, July and October, years in January, on
    the billing day; so do all that divide a year. Others are counted from the month or the week
    in which the account was opened. A week begins on the billing day, 1 for Monday to 7 for
    Sunday. An anniversary cycle is counted from the day the account was opened.

    >>> cycle_of("quarterly", 15, dt.date(2026, 2, 10))
    Cycle(months=3, day=15, month=1, weeks=0, begin=datetime.date(1970, 1, 5))
    >>> cycle_of("quarterly-anniversary", 15, dt.date(2026, 2, 10))
    Cycle(months=3, day=10, month=2, weeks=0, begin=datetime.date(1970, 1, 5))
    >>> cycle_of("2-weekly", 5, dt.date(2026, 2, 10))  # a Tuesday
    Cycle(months=1, day=1, month=1, weeks=2, begin=datetime.date(2026, 2, 6))
    """
    months, weeks = counted(kind)
    if weeks:
        begin = opened if is_anniversary(kind) else week_of(opened, billing_day)
        return Cycle(weeks=weeks, begin=begin)
    if is_anniversary(kind):
        return months_from(opened, months)
    if _YEAR % months:
        return months_from(holding(opened, Cycle(day=billing_day)).start, months, billing_day)
    return Cycle(months, billing_day)


def week_of(day: dt.date, weekday: int = 1) -> dt.date:
    """Return the first day of the week that holds a day; weeks begin on a weekday, Monday is 1.

    >>> print(week_of(dt.date(2026, 2, 10), 5), week_of(dt.date(2026, 2, 13), 5))
    2026-02-06 2026-02-13
    """
    return day - (day.isoweekday() - weekday) % WEEK * DAY


def months_from(day: dt.date, months: int, billing_day: int = 0) -> Cycle:
    """Return a cycle of months with a period that begins in a day's month, on its day or another.

    >>> months_from(dt.date(2026, 5, 31), 3).month, months_from(dt.date(2026, 5, 31), 12).month
    (2, 5)
    """
    return Cycle(months, billing_day or day.day, _index(day) % months + 1)


def _index(day: dt.date) -> int:
    """Return a day's month, counted from the year 0."""
    return day.year * _YEAR + day.month - 1


def _latest(cycle: Cycle, day: dt.date) -> int:
    """Return the latest month, up to a day's own, in which a period begins, counted from year 0."""
    index = _index(day)
    return index - (index - cycle.month + 1) % cycle.months


def _begin(cycle: Cycle, index: int) -> dt.date:
    year, month = divmod(index, _YEAR)
    return dt.date(year, month + 1, min(cycle.day, calendar.monthrange(year, month + 1)[1]))


def starting(start: dt.date, cycle: Cycle) -> Period:
    """Return the period that starts on a day.

    >>> print(starting(dt.date(2026, 1, 31), Cycle(day=31)))
    31 January 2026 to 27 February 2026
    >>> print(starting(dt.date(2026, 1, 10), Cycle()))
    10 January 2026 to 31 January 2026
    >>> print(starting(dt.date(2026, 2, 15), Cycle(3, 15)))
    15 February 2026 to 14 April 2026
    """
    if cycle.weeks:
        return Period(start, holding(start, cycle).end)
    index = _latest(cycle, start)
    end = _begin(cycle, index)
    return Period(start, end if end > start else _begin(cycle, index + cycle.months))


def holding(day: dt.date, cycle: Cycle) -> Period:
    """Return the whole period that includes a day.

    >>> print(holding(dt.date(2026, 2, 10), Cycle(day=15)))
    15 January 2026 to 14 February 2026
    >>> print(holding(dt.date(2028, 2, 29), Cycle(12, 31, 8)))
    31 August 2027 to 30 August 2028
    >>> print(holding(dt.date(2026, 1, 11), Cycle(weeks=2)))
    5 January 2026 to 18 January 2026
    """
    if cycle.weeks:
        length = cycle.weeks * WEEK
        start = day - (day - cycle.begin).days % length * DAY
        return Period(start, start + length * DAY)
    index = _latest(cycle, day)
    start = _begin(cycle, index)
    return starting(start if start <= day else _begin(cycle, index - cycle.months), cycle)


def month_of(day: dt.date) -> str:
    """Return the calendar month of a day, as in file names: ``2026-01``."""
    return f"{day.year:04d}-{day.month:02d}"


def last_of_month(month: str) -> dt.date:
    """Return the last day of a month written ``2026-01``."""
    year, number = map(int, month.split("-"))
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def months_before(month: str, count: int) -> str:
    """Return the month that is a number of months earlier.

    >>> months_before("2026-02", 3)
    '2025-11'
    """
    year, number = map(int, month.split("-"))
    index = year * 12 + number - 1 - count
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
