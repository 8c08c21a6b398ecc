"""Calls that a close leaves off its bills: quarantined ones, and those of no customer."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from a2ledger.book.book import Book
from a2ledger.book.source_config import TABLES
from a2ledger.calls import unclaimed
from a2ledger.period import Period
from a2ledger.records import Warned
from a2ledger.sources import quarantine
from a2ledger.sources.batch import CALL, Refused

CODE = "quarantined"
UNCLAIMED = "unclaimed"
_NAMED = 5
"""Number of customers named in a message."""


class Held(NamedTuple):
    """A quarantined call: day and customer, as far as the row gives them, and the reason."""

    day: dt.date | None
    customer: str
    reason: str


def held(book: Book) -> list[Held]:
    """Return the calls in a book's quarantine."""
    rows = quarantine.read(book.root).rows.items()
    return [_held(row, book) for (source, _), row in rows if source not in TABLES]


def _held(row: Refused, book: Book) -> Held:
    day, customer = row.day, row.customer
    if row.head == CALL:
        try:
            call = json.loads(row.raw)
            start = dt.datetime.fromisoformat(call["start"]).astimezone(book.config.zone)
            return Held(start.date(), str(call["customer"]), row.reason)
        except (KeyError, TypeError, ValueError):
            pass  # it was edited; what else is known of it still holds
    try:
        return Held(dt.date.fromisoformat(day) if day else None, customer, row.reason)
    except ValueError:
        return Held(None, customer, row.reason)


def hindrances(calls: Iterable[Held], customer: str, period: Period) -> list[Warned]:
    """Warn that a strict close leaves a period open: calls of the customer, or of unknown ones."""
    theirs = [call for call in calls if call.customer in {customer, ""} and may_lie(call, period)]
    return [Warned(CODE, _message(theirs))] if theirs else []


def remarks(calls: Iterable[Held], customer: str, period: Period) -> list[Warned]:
    """Warn that a closed period lacks quarantined calls of the customer."""
    theirs = [call for call in calls if call.customer == customer and may_lie(call, period)]
    return [Warned(CODE, _message(theirs))] if theirs else []


def told(calls: Sequence[Held], closed: Iterable[tuple[str, Period]]) -> list[str]:
    """Return warnings on quarantined calls that belong to the periods just closed."""
    periods: dict[str, list[Period]] = {}
    for customer, period in closed:
        periods.setdefault(customer, []).append(period)
    every = [period for several in periods.values() for period in several]
    known = [
        call
        for call in calls
        if call.customer and any(may_lie(call, period) for period in periods.get(call.customer, ()))
    ]
    nobodys = [
        call
        for call in calls
        if not call.customer and any(may_lie(call, period) for period in every)
    ]
    lines = []
    if known:
        lines.append(f"{_message(known)}: {_customers(known)}")
    if nobodys:
        lines.append(f"{_message(nobodys)}: no customer is known of them")
    return lines


def unclaimed_within(book: Book, period: Period) -> list[Warned]:
    """Warn that a strict close leaves a period open because of its unclaimed answered calls."""
    summary = unclaimed.between(book, period.start, period.end)
    return [Warned(UNCLAIMED, summary.text("of this period"))] if summary.calls else []


def told_unclaimed(book: Book, closed: Iterable[tuple[str, Period]]) -> list[str]:
    """Return warnings on unclaimed answered calls in the periods just closed."""
    periods = [period for _, period in closed]
    if not periods:
        return []
    first, end = min(period.start for period in periods), max(period.end for period in periods)
    summary = unclaimed.between(book, first, end)
    return [summary.text("of these periods")] if summary.calls else []


def may_lie(call: Held, period: Period) -> bool:
    """Return whether a quarantined call may be of a period; one of no known day may be of any."""
    return call.day is None or period.start <= call.day < period.end


def _message(calls: Sequence[Held]) -> str:
    reasons = Counter(call.reason for call in calls)
    why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    dayless = sum(call.day is None for call in calls)
    unsure = f", {dayless} of a day nobody can tell" if dayless else ""
    count = f"{len(calls)} call{'s' if len(calls) > 1 else ''}"
    return f"{count} of these periods in quarantine ({why}{unsure})"


def _customers(calls: Sequence[Held]) -> str:
    counts = Counter(call.customer for call in calls).most_common()
    named = ", ".join(f"{name} {count}" for name, count in counts[:_NAMED])
    more = len(counts) - _NAMED
    return named + (f" and {more} more customers" if more > 0 else "")
