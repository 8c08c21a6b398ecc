"""What closing would do now, drawn up beside the requests: of many customers it takes a while."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from a2ledger.billing import close, closed, preview, unposted
from a2ledger.billing.closed import Closed
from a2ledger.book.book import Book, Draft
from a2ledger.calls import unclaimed
from a2ledger.period import Period
from a2ledger.staff.cards import Deck
from a2ledger.staff.kept import Kept

Values = dict[str, Any]

PAGE = 100
"""Periods of a page."""
_SHOWN_HELD = 50
State = tuple[Book, dt.date, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The periods that would close, those that stay open, and calls that their bills would lack."""

    ready: Sequence[Closed]
    waiting: Sequence[Closed]
    totals: Sequence[str]
    held: Mapping[tuple[str, str], int]
    """Quarantined calls of these periods by customer, empty where none is known, and reason."""
    unclaimed: Values = field(default_factory=dict)
    """Calls of these days that are nobody's: count, seconds, reasons, and a sentence."""


class Drawn:
    """Draws up what would close, once for a state of the book."""

    def __init__(self) -> None:
        self._due: Kept[State, Due] = Kept(_drawn_up)

    def get(self, book: Book, today: dt.date, without: Sequence[str]) -> Due | None:
        """Return what would close, None while it is being drawn up.

        Raises:
            BrokenBookError: as for a close.
            MissingDetailError: if the calls of a day are missing.
        """
        due, is_fresh = self._due.get((book, today, tuple(without)))
        return due if is_fresh else None


def _drawn_up(state: State) -> Due:
    book, today, without = state

    def ask() -> Due:
        # A draft is only in memory until it is published.
        draft = Draft(Book(book.root), today, lambda _: None)
        results = close.close(draft, through=None, names=[], without=without)
        ready = [row for row in results if row.closed]
        spans = [row.period for row in ready]
        return Due(
            ready=ready,
            waiting=[row for row in results if not row.closed],
            totals=closed.totals(ready),
            held=_held(book, ready),
            unclaimed=_unclaimed(book, spans) if spans else {},
        )

    due: Due = book.reading(ask)
    return due


def _held(book: Book, ready: Sequence[Closed]) -> Mapping[tuple[str, str], int]:
    periods: dict[str, list[Period]] = {}
    for row in ready:
        periods.setdefault(row.customer, []).append(row.period)
    every = list(dict.fromkeys(row.period for row in ready))
    counts: Counter[tuple[str, str]] = Counter()
    for call in unposted.held(book):
        own = periods.get(call.customer, ()) if call.customer else every
        if any(unposted.may_lie(call, period) for period in own):
            counts[call.customer, call.reason] += 1
    return counts


def _unclaimed(book: Book, spans: Sequence[Period]) -> Values:
    summary = unclaimed.between(
        book, min(span.start for span in spans), max(span.end for span in spans)
    )
    return {**summary.as_json(), "text": summary.text("of these days")} if summary.calls else {}


def as_values(due: Due, book: Book, deck: Deck, first: int, without: Sequence[str]) -> Values:
    """Return a page of what would close, for the browser; totals and counts are of all."""
    names = deck.names()
    held = sorted(due.held.items(), key=lambda item: (-item[1], item[0]))
    return {
        "ready": [_row(row, names) for row in due.ready[first : first + PAGE]],
        "waiting": [_row(row, names) for row in due.waiting[:PAGE]],
        "ready_count": len(due.ready),
        "waiting_count": len(due.waiting),
        "first": first,
        "page": PAGE,
        "behind": sorted(
            {
                warning.code
                for row in due.waiting
                for warning in row.warnings
                if warning.code == "source-behind"
            }
        ),
        "totals": list(due.totals),
        "held": [
            {"customer": customer, "name": names.get(customer, ""), "reason": why, "count": count}
            for (customer, why), count in held[:_SHOWN_HELD]
        ],
        "held_count": sum(due.held.values()),
        "unclaimed": due.unclaimed,
        "sources": list(book.config.sources),
        "without": list(without),
    }


def _row(row: Closed, names: Mapping[str, str]) -> Values:
    """A period that would be closed, or stays open, with its customer's name."""
    last, name = str(row.period.last), names.get(row.customer, "")
    return row.as_json() | {"last": last, "name": name}


def next_periods(deck: Deck) -> list[Values]:
    """Return the next period ends, each with the number of customers."""
    ends: dict[dt.date, int] = {}
    for card in deck.cards.values():
        if not card.customer.settled:
            end = preview.open_period(card.customer).end
            ends[end] = ends.get(end, 0) + 1
    return [{"day": str(day), "count": count} for day, count in sorted(ends.items())[:5]]
