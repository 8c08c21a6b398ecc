"""The price list rows that hold for calls, and the effect of each on those re-rated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from a2ledger import money, times
from a2ledger.book.book import Book
from a2ledger.rating import deck as decks
from a2ledger.rating import decks as cache
from a2ledger.rating.columns import ALWAYS
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.rating.rate import rate_of

_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class RateRow:
    """A row of a price list."""

    deck: str
    line: int
    """0 if the price comes from the call's own record or from a rule, not from a row."""
    prefix: str
    destination: str

    @property
    def place(self) -> str:
        """Return the file and line of the row, or an empty text."""
        return f"tariffs/{self.deck}.csv:{self.line}" if self.line else ""


@dataclass(slots=True)
class Moved:
    """Totals of the calls a row prices anew, in micro-units."""

    calls: int = 0
    before_micro: int = 0
    after_micro: int = 0


@dataclass
class RateRows:
    """Names the row of a price list that holds for a call, and sums re-rated calls by it."""

    book: Book
    moved: dict[RateRow, Moved] = field(default_factory=dict)
    _rows: dict[tuple[str, str, dt.datetime], RateRow] = field(default_factory=dict)
    _lines: dict[str, list[int]] = field(default_factory=dict)
    _by_day: dict[str, bool] = field(default_factory=dict)
    """By deck: whether its rates hold for whole days."""

    def add(self, before: pa.Table, after: pa.Table, places: Iterable[int]) -> None:
        """Add calls that changed.

        Args:
            before: calls as they were …
            after: … and as they are priced by now.
            places: of those to add.
        """
        rows = pa.array(list(places), pa.int64())
        old, new = before.take(rows), after.take(rows)
        naive = times.to_naive(
            np.asarray(new["start"].cast(pa.int64())), self.book.config.timezone
        ).tolist()
        columns = ("deck", "prefix", "called", "destination", "cost_micro")
        values = zip(*(new[name].to_pylist() for name in columns), strict=True)
        for cost_micro, second, (deck, prefix, called, destination, now_micro) in zip(
            old["cost_micro"].to_pylist(), naive, values, strict=True
        ):
            local = (times.EPOCH + dt.timedelta(seconds=second)).replace(tzinfo=None)
            row = self.row(deck, prefix, called, destination, local)
            moved = self.moved.setdefault(row, Moved())
            moved.calls += 1
            moved.before_micro += cost_micro
            moved.after_micro += now_micro

    def row(
        self, deck: str, prefix: str, called: str, destination: str, local: dt.datetime
    ) -> RateRow:
        """Return the row that holds for a call.

        Args:
            deck: the price list it was priced by, empty if its price came with it.
            prefix: of its rate, as in the call detail.
            called: the number.
            destination: its name.
            local: the call's start on the book's clock.
        """
        if not deck or not self.book.text(f"tariffs/{deck}.csv"):
            return RateRow(deck, 0, prefix, destination)
        known = cache.deck(self.book, deck)
        if deck not in self._by_day:
            self._by_day[deck] = _holds_by_day(known)
        if self._by_day[deck]:
            local = dt.datetime.combine(local.date(), dt.time())
        key = deck, prefix, local
        if key in self._rows:
            return self._rows[key]
        match = rate_of(Tariff(name=deck, decks=(known,)), called, local)
        if match is None or match[0].prefixes[match[1]].as_py() != prefix:
            return RateRow(deck, 0, prefix, destination)
        if deck not in self._lines:
            self._lines[deck] = decks.lines(self.book.text(f"tariffs/{deck}.csv"))
        row = RateRow(deck, self._lines[deck][match[1]], prefix, destination)
        self._rows[key] = row
        return row

    def as_json(self) -> list[dict[str, Any]]:
        """Return the effect of each row for ``--json``, in price list order."""
        return [
            {
                "row": row.place,
                "deck": row.deck,
                "prefix": row.prefix,
                "destination": row.destination,
                "calls": moved.calls,
                "before": money.text(moved.before_micro, 2),
                "after": money.text(moved.after_micro, 2),
                "difference": money.text(moved.after_micro - moved.before_micro, 2),
            }
            for row, moved in sorted(
                self.moved.items(), key=lambda item: (item[0].deck, item[0].line, item[0].prefix)
            )
        ]


def _holds_by_day(deck: Deck) -> bool:
    """Return whether no rate of a deck begins or ends within a day."""
    if {"starttime", "endtime"} & set(deck.values):
        return False
    bounds = (deck.values[name] for name in ("startdate", "stopdate") if name in deck.values)
    return not any((values[np.abs(values) < ALWAYS["stopdate"]] % _DAY).any() for values in bounds)
