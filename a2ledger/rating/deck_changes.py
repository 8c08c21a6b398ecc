"""Compare a rate sheet with a deck: rates that are new, dearer, cheaper, gone or blocked.

A deck keeps its history: a new price is one more row, and a prefix that is gone gets an end. So the
deck prices calls of every day as it did before the sheet, up to the day the sheet takes effect.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from a2ledger.rating import cells, prefixes
from a2ledger.rating.columns import ALWAYS, AMOUNTS
from a2ledger.rating.deck import Deck, Read, moment_text
from a2ledger.rating.markup import Markup
from a2ledger.rating.sheet import BARRED, CHEAPER, DEARER, GONE, NEW, SAME, SheetRate
from a2ledger.times import LOCAL_EPOCH

TERMS, NAMED = "other terms", "renamed"

SELL, BUY = "sell", "buy"

_PARTS = 10**8
_SIDES = {
    SELL: ("rateinitial", "connectcharge", "initblock", "billingblock", "increment"),
    BUY: ("buyrate", "buyconnectcharge", "buyrateinitblock", "buyrateincrement", "buyincrement"),
}
"""Columns of each side: price, connection fee, first block, other blocks, how blocks count."""

_BUYING = (*_SIDES[BUY], "carrier", "buy_billed_from")
_HALF = 2
_NEVER = "1970-01-01"
"""The end of a rate that has no beginning and shall not hold at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a sheet is applied."""

    side: str = SELL
    carrier: str = ""
    markup: Markup | None = None
    since: dt.datetime | None = None
    """Start of the rates that have no date of their own."""
    whole: bool = True
    """True if prefixes that the sheet does not name are gone."""


class Change(NamedTuple):
    """A change of a prefix's price, in hundred-millionths of a unit, or None without a price."""

    kind: str
    prefix: str
    destination: str
    since: dt.datetime | None
    before: int | None
    after: int | None

    @property
    def ratio(self) -> Decimal:
        """Return the rise or fall of the price, as a share of the old price."""
        if not self.before or self.after is None:
            return Decimal(0)
        return Decimal(self.after - self.before) / self.before

    def as_json(self) -> dict[str, Any]:
        """Return the change as in the command's ``--json``."""
        return {
            "kind": self.kind,
            "prefix": self.prefix,
            "destination": self.destination,
            "from": str(self.since.date()) if self.since else None,
            "before": None if self.before is None else written(self.before),
            "after": None if self.after is None else written(self.after),
        }


@dataclass(kw_only=True)
class Changes:
    """The changes of a sheet, and the rows to write for them."""

    changes: list[Change] = field(default_factory=list)
    added: list[dict[str, str]] = field(default_factory=list)
    ended: dict[int, str] = field(default_factory=dict)
    same: int = 0
    below_cost: int = 0
    """New prices below the carrier's price."""
    announced: int = 0
    """Prices of later days, announced before, that the sheet does not name."""
    windows: int = 0
    """Prices by time of the week that are replaced by one for the whole week."""
    unpriced: list[str] = field(default_factory=list)
    """Prefixes of a carrier that have no selling price."""

    def counts(self) -> dict[str, int]:
        """Return the number of prefixes of each kind of change."""
        return dict(Counter(change.kind for change in self.changes)) | {SAME: self.same}

    def largest(self, count: int) -> list[Change]:
        """Return the largest changes of price, relative to the old price."""
        moved = [change for change in self.changes if change.kind in (DEARER, CHEAPER)]
        return sorted(moved, key=lambda change: (-abs(change.ratio), change.prefix))[:count]

    def doubtful(self) -> int:
        """Return how many prices at least double or halve."""
        return sum(
            change.kind in (DEARER, CHEAPER)
            and not (
                (change.before or 0) < (change.after or 0) * _HALF
                and (change.after or 0) < (change.before or 0) * _HALF
            )
            for change in self.changes
        )


@lru_cache(maxsize=100_000)
def written(price: int) -> str:
    """Format a price in hundred-millionths of a unit for a deck.

    >>> written(5_700_000), written(31_135_104), written(0)
    ('0.057', '0.31135104', '0')
    """
    text = f"{Decimal(price) / _PARTS:.8f}".rstrip("0").rstrip(".")
    return text or "0"


@lru_cache(maxsize=100_000)
def _marked_up(markup: Markup, price: int) -> str:
    return written(markup.price(price))


def compare(old: Read | None, rates: Sequence[SheetRate], terms: Terms) -> Changes:
    """Compare a sheet with a deck.

    Args:
        old: the deck, without problems; None if there is none yet.
        rates: of the sheet.
        terms: how it is to be taken.
    """
    return _Comparing(old, rates, terms).changes()


class _Span(NamedTuple):
    """A rate of the deck, with the time it holds."""

    start: int
    stop: int
    row: int
    """Its place in the deck, or a negative number if the sheet adds it."""
    values: tuple[int, ...]
    has_window: bool
    added: Mapping[str, str] = {}
    """The cells of a rate that the sheet adds."""


class _Comparing:
    """A comparison of a sheet with a deck, prefix by prefix."""

    def __init__(self, old: Read | None, rates: Sequence[SheetRate], terms: Terms) -> None:
        self.terms, self.found = terms, Changes()
        self.side = _SIDES[terms.side]
        self.old = old
        self.deck: Deck | None = old.deck if old else None
        self.rows: list[int] = old.rows if old else []
        self.columns: dict[str, list[int]] = {}
        """The deck's columns to compare, with money in hundred-millionths."""
        self.places: dict[str, list[int]] = {}
        self.stopped: set[tuple[int, str]] = set()
        """Rows that end, each with a prefix it ends for."""
        if old is not None:
            scale = cells.FINE // old.deck.scale
            for column, values in old.deck.values.items():
                figures = values * scale if column in AMOUNTS else values
                self.columns[column] = figures.tolist()
            for place, prefix in enumerate(old.deck.prefixes.to_pylist()):
                if not prefix.startswith("_"):
                    self.places.setdefault(_bare(prefix), []).append(place)
        self.default = _seconds(terms.since) if terms.since else ALWAYS["startdate"]
        self.grouped: dict[str, list[SheetRate]] = {}
        for rate in rates:
            self.grouped.setdefault(rate.prefix, []).append(rate)

    def changes(self) -> Changes:
        """Return what changes."""
        for prefix, rates in self.grouped.items():
            spans = self._spans(prefix)
            if len(rates) > 1:
                rates.sort(key=self._since)
            last = self._since(rates[-1])
            self.found.announced += sum(span.start > last for span in spans)
            for rate in rates:
                spans += self._take(prefix, rate, spans)
        if self.terms.whole and self.deck is not None:
            for prefix in self.places:
                if prefix and prefix not in self.grouped:
                    self._gone(prefix, self.default)
        self._go_on()
        self.found.changes.sort(key=lambda change: (change.kind, change.prefix))
        return self.found

    def _since(self, rate: SheetRate) -> int:
        return self.default if rate.since is None else _seconds(rate.since)

    # ---- the deck ----

    def _spans(self, prefix: str) -> list[_Span]:
        return [self._span(place) for place in self.places.get(prefix, ())]

    def _span(self, place: int) -> _Span:
        price, fee, first, following, _ = self.side
        window = any(
            self._value(column, place) != ALWAYS[column] for column in ("starttime", "endtime")
        )
        return _Span(
            self._value("startdate", place),
            self._value("stopdate", place),
            place,
            tuple(
                self._value(column, place) for column in (price, fee, first, following, "blocked")
            ),
            window,
        )

    def _value(self, column: str, place: int) -> int:
        values = self.columns.get(column)
        return ALWAYS.get(column, 0) if values is None else values[place]

    def _cells(self, span: _Span) -> dict[str, str]:
        """Return a rate's cells as written, by column."""
        if span.row < 0 or self.old is None:
            return dict(span.added)
        row = self.rows[span.row]
        return {column: texts[row] for column, texts in self.old.table.columns.items()}

    @staticmethod
    def _holding(spans: Sequence[_Span], moment: int) -> _Span | None:
        holding = [span for span in spans if span.start <= moment < span.stop]
        return max(holding, key=lambda span: span.start, default=None)

    def _shorter(self, prefix: str, moment: int) -> dict[str, str]:
        """Return the cells of the rate that holds for the longest shorter prefix."""
        for length in range(len(prefix) - 1, -1, -1) if self.places else ():
            if prefix[:length] in self.places:
                span = self._holding(self._spans(prefix[:length]), moment)
                if span is not None:
                    return self._cells(span)
        return {}

    # ---- the sheet ----

    def _take(self, prefix: str, rate: SheetRate, spans: list[_Span]) -> list[_Span]:
        """Add a rate of the sheet if it differs from the deck's, and return the span it adds."""
        since = self._since(rate)
        if rate.status == GONE:
            self._gone(prefix, since)
            return []
        held = self._holding(spans, since)
        figures = self._wanted(rate, held)
        old = self._cells(held) if held else {}
        base = old if held else self._shorter(prefix, since)
        selling = self._selling(rate, base)
        renamed = (
            self.terms.side == SELL
            and held is not None
            and bool(rate.destination)
            and old.get("destination", "") != rate.destination
        )
        if held is not None and held.values == figures and not (renamed or held.has_window):
            ends = rate.until is not None and held.stop != _seconds(rate.until)
            if not ends and all(_same(old.get(name, ""), text) for name, text in selling.items()):
                self.found.same += 1
                return []
        if held is not None and held.has_window:
            self.found.windows += 1
        row = self._row(prefix, rate, base, figures, is_new=held is None) | selling
        if not row.get("rateinitial") and not figures[4]:
            self.found.unpriced.append(prefix)
            return []
        self._weigh(row)
        self._note(prefix, rate, held, figures, renamed=renamed)
        for span in spans:
            if span.row >= 0 and span.start == since:  # corrected before it began
                self._end(span, prefix, row["startdate"] or _NEVER)
        self.found.added.append(row)
        stop = ALWAYS["stopdate"] if rate.until is None else _seconds(rate.until)
        return [_Span(since, stop, -1, figures, has_window=False, added=row)]

    def _wanted(self, rate: SheetRate, held: _Span | None) -> tuple[int, ...]:
        """Return the rate's new price, fee, blocks and blocked flag."""
        old = held.values if held else (0, 0, 0, 0, 0)
        if rate.status == BARRED:
            return (*old[:4], 1)
        following = old[3] if rate.following is None else rate.following
        first = rate.first
        if first is None:
            first = old[2] if rate.following is None else 0
        if held is not None and rate.first is None and max(old[2], 1) == old[3] == following:
            first = old[2]  # 60 alone says what 60/60 says
        return rate.price, old[1] if rate.connect is None else rate.connect, first, following, 0

    def _selling(self, rate: SheetRate, base: Mapping[str, str]) -> dict[str, str]:
        """Return the selling cells of a carrier's rate, marked up, empty without a markup."""
        markup = self.terms.markup
        if markup is None or rate.status == BARRED:
            return {}
        selling = {"rateinitial": _marked_up(markup, rate.price)}
        if rate.connect is not None:
            selling["connectcharge"] = written(markup.fee(rate.connect))
        if not base and rate.following is not None:
            selling["initblock"] = str(rate.first or "")
            selling["billingblock"] = str(rate.following)
            selling["increment"] = _counting(rate.first, rate.following)
        return selling

    def _row(
        self,
        prefix: str,
        rate: SheetRate,
        base: Mapping[str, str],
        figures: tuple[int, ...],
        *,
        is_new: bool,
    ) -> dict[str, str]:
        """Return the row to add: the old cells, with this side's taken from the sheet."""
        price, fee, first, following, blocked = figures
        columns = self.side
        row = dict(base) if base else {}
        if is_new and row and self.terms.side == SELL:
            # A new prefix keeps the buying terms of the shorter prefix, but not its selling terms.
            row = {column: row[column] for column in _BUYING if column in row}
        for column in ("starttime", "endtime") if row else ():
            row.pop(column, None)
        row["dialprefix"] = prefix
        row[columns[0]] = written(price) if not blocked or price else row.get(columns[0], "")
        row[columns[1]] = written(fee) if fee else ""
        row[columns[2]] = str(first) if first else ""
        row[columns[3]] = str(following) if following else ""
        row[columns[4]] = _counting(first, following) or row.get(columns[4], "")
        row["blocked"] = "yes" if blocked else ""
        keep_name = self.terms.side == BUY and not is_new
        name = row.get("destination", "")
        row["destination"] = (name if keep_name else rate.destination) or rate.destination or name
        if self.terms.side == BUY and self.terms.carrier:
            row["carrier"] = self.terms.carrier
        moment = rate.since or self.terms.since
        row["startdate"] = moment_text(moment) if moment else ""
        row["stopdate"] = moment_text(rate.until) if rate.until else ""
        return row

    def _weigh(self, row: Mapping[str, str]) -> None:
        """Count the row if its price is below the carrier's."""
        if row.get("carrier") and not row.get("blocked"):
            sold, bought = row.get("rateinitial", ""), row.get("buyrate", "")
            self.found.below_cost += _amount(sold) < _amount(bought)

    def _note(
        self,
        prefix: str,
        rate: SheetRate,
        held: _Span | None,
        figures: tuple[int, ...],
        *,
        renamed: bool,
    ) -> None:
        before = None if held is None or held.values[4] else held.values[0]
        if self.terms.side == BUY and held is not None and not self._cells(held).get("carrier"):
            before = None
        after = None if figures[4] else figures[0]
        if figures[4]:
            kind = BARRED
        elif held is None or before is None:
            kind = NEW
        elif figures[0] != held.values[0]:
            kind = DEARER if figures[0] > held.values[0] else CHEAPER
        elif renamed and held.values == figures:
            kind = NAMED
        else:
            kind = TERMS
        name = rate.destination or (self._cells(held).get("destination", "") if held else "")
        moment = rate.since or self.terms.since
        self.found.changes.append(Change(kind, prefix, name, moment, before, after))

    # ---- prefixes that are gone ----

    def _gone(self, prefix: str, since: int) -> None:
        """End the rates of a prefix, keeping the selling price if another carrier has it now."""
        spans = [span for span in self._spans(prefix) if span.stop > max(since, span.start)]
        if self.terms.side == BUY:
            mine = self.terms.carrier
            spans = [span for span in spans if self._cells(span).get("carrier", "") == mine]
        self.found.announced += sum(span.start > since for span in spans)
        spans = [span for span in spans if span.start <= since]
        held = self._holding(spans, since)
        if held is None:
            return
        moment = None if since == ALWAYS["startdate"] else LOCAL_EPOCH + dt.timedelta(seconds=since)
        name = self._cells(held).get("destination", "")
        before = None if held.values[4] else held.values[0]
        self.found.changes.append(Change(GONE, prefix, name, moment, before, None))
        stop = moment_text(moment) if moment else _NEVER
        if (
            self.terms.side == BUY
            and self.terms.markup is None
            and (row := self._bought(prefix, held))
        ):
            self.found.added.append(row | {"startdate": stop})
            return
        for span in spans:
            self._end(span, prefix, stop)

    def _bought(self, prefix: str, held: _Span) -> dict[str, str]:
        """Return the row of a prefix whose carrier now sells it under a shorter one."""
        for length in range(len(prefix) - 1, 0, -1):
            rates = self.grouped.get(prefix[:length], ())
            if rate := next((rate for rate in rates if rate.status not in (GONE, BARRED)), None):
                figures = self._wanted(rate, None)
                row = self._row(prefix, rate, self._cells(held), figures, is_new=False)
                return row | {"stopdate": ""}
        return {}

    def _end(self, span: _Span, prefix: str, stop: str) -> None:
        """End a row for one of its prefixes."""
        self.found.ended[self.rows[span.row]] = stop
        self.stopped.add((self.rows[span.row], prefix))

    def _go_on(self) -> None:
        """Add rows that continue the other prefixes of rows that ended for only some of theirs."""
        if self.deck is None or not self.found.ended:
            return
        began = {(row["dialprefix"], row.get("startdate", "")) for row in self.found.added}
        for place, row in enumerate(self.rows):
            if (stop := self.found.ended.get(row)) is None:
                continue
            prefix = _bare(self.deck.prefixes[place].as_py())
            if (row, prefix) not in self.stopped and (prefix, stop) not in began:
                cells_of = self._cells(self._span(place))
                self.found.added.append({**cells_of, "dialprefix": prefix, "startdate": stop})


def _bare(prefix: str) -> str:
    return prefixes.without_00(prefixes.canonical(prefix))


@lru_cache(maxsize=1000)
def _seconds(moment: dt.datetime) -> int:
    return (moment - LOCAL_EPOCH) // dt.timedelta(seconds=1)


def _counting(first: int | None, following: int) -> str:
    """Return how blocks are counted, or empty if it makes no difference."""
    return "remainder" if first and following and first % following else ""


@lru_cache(maxsize=100_000)
def _amount(cell: str) -> int:
    try:
        return cells.amount(cell, comma=True) if cell else 0
    except ValueError:
        return 0


def _same(cell: str, text: str) -> bool:
    """Return whether two cells are the same number, however they are written."""
    return cell == text or _amount(cell) == _amount(text)
