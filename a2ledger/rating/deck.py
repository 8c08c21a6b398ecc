"""Rate decks: tariffs read from CSV text with A2Billing's column names.

A deck is a table of rates by prefix. Every number in it is an integer: amounts in
micro-units (or parts of them, see :attr:`Deck.scale`), durations in seconds, times in seconds
since 1970-01-01 00:00 on the book's own clock, without a zone. Reading is strict: whatever could
be taken for another price is a problem, and a deck with a problem is not to be used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger import csvfile
from a2ledger.local_forms import NO_LOCALE, Locale
from a2ledger.rating import cells, clashes, columns, prefixes
from a2ledger.rating.columns import (
    ALWAYS,
    AMOUNTS,
    DEFAULTS,
    FLOORS,
    MAX_AMOUNT,
    MAX_SECONDS,
    SECONDS,
)
from a2ledger.records import Problem
from a2ledger.times import LOCAL_EPOCH

__all__ = [
    "ALWAYS",
    "AMOUNTS",
    "FLOORS",
    "MAX_AMOUNT",
    "MAX_SECONDS",
    "SECONDS",
    "Deck",
    "Read",
    "Tariff",
    "first",
    "lines",
    "parse",
    "read",
]

Integers = npt.NDArray[np.int64]

SHOWN = 20
"""Most problems of one file that are listed. The others are counted."""

_FIRST_NAMED = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Deck:
    """Rates by prefix. Every sequence has one item per rate."""

    name: str
    prefixes: pa.StringArray
    """As written, but without ``+``, and with ranges and lists expanded."""
    destinations: pa.StringArray
    carriers: pa.StringArray
    values: Mapping[str, Integers]
    """Columns by name. One that has its default in every row (:data:`ALWAYS`, :data:`FLOORS`, else
    0) is left out.

    Beside those of the text: ``remainder`` is 1 where blocks are counted from the end of the
    first one, and ``buy_remainder`` where the carrier's are; ``included_within`` where free
    seconds are taken from what is billed, ``freea`` to ``freec`` where a step costs nothing,
    ``blocked`` where the call is refused.
    """
    scale: int = 1
    """Parts of a micro-unit in which ``values`` has amounts: 100 if any amount is finer than 1."""
    ignored_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """Notes for the deck's user: columns not read, and rows that price nothing."""

    def __len__(self) -> int:
        return len(self.prefixes)

    @cached_property
    def index(self) -> prefixes.Index:
        """Return the index of the prefixes, made once and kept, also when pickled."""
        since = self.values.get("startdate")
        return prefixes.index(self.prefixes.to_pylist(), None if since is None else -since)

    @cached_property
    def conditional(self) -> bool:
        """Return whether any rate holds only at some times."""
        return any(column in self.values for column in ALWAYS)

    @cached_property
    def sinces(self) -> pa.StringArray:
        """Return the start of each rate on the book's clock, empty where it has none."""
        if "startdate" not in self.values:
            return pa.repeat("", len(self))
        starts, places = np.unique(self.values["startdate"], return_inverse=True)
        return pa.array(map(_start, starts.tolist()), pa.string()).take(pa.array(places))

    @cached_property
    def largest(self) -> Mapping[str, int]:
        """Return the largest magnitude of each column of amounts or seconds."""
        return {
            column: max(int(value.max(initial=0)), -int(value.min(initial=0)))
            for column, value in self.values.items()
            if column in AMOUNTS or column in SECONDS
        }

    def starting(self, day: dt.date) -> Deck:
        """Return the deck with no rate valid before a day."""
        if day == dt.date.min:
            return self
        first = _seconds_of(dt.datetime.combine(day, dt.time()))
        since = self.values.get("startdate", np.full(len(self), ALWAYS["startdate"]))
        later = replace(self, values={**self.values, "startdate": np.maximum(since, first)})
        later.__dict__["index"] = self.index  # the order of rates of one prefix stays
        return later

    def at(self, moment: dt.datetime) -> Deck:
        """Return the deck as it holds at a time on the book's own clock, without any dates."""
        time = _seconds_of(moment)
        since, until = (
            self.values.get(column, np.full(len(self), ALWAYS[column]))
            for column in ("startdate", "stopdate")
        )
        held = np.flatnonzero((since <= time) & (time < until))
        held = held[np.argsort(-since[held], kind="stable")]  # among equals the first is tried
        return self.only(held, without=("startdate", "stopdate"))

    def only(self, rates: Integers, without: Sequence[str] = ()) -> Deck:
        """Return a deck of the rates at some places, in this order."""
        places = pa.array(rates)
        return Deck(
            name=self.name,
            prefixes=self.prefixes.take(places),
            destinations=self.destinations.take(places),
            carriers=self.carriers.take(places),
            values={
                column: value.take(rates)
                for column, value in self.values.items()
                if column not in without
            },
            scale=self.scale,
            ignored_columns=self.ignored_columns,
            notes=self.notes,
        )


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """A customer's decks in order: the first that has a rate for a number decides."""

    name: str
    decks: tuple[Deck, ...]


class Read(NamedTuple):
    """A deck as it was read: the rates, the problems, and the rows as written."""

    deck: Deck
    problems: list[Problem]
    table: csvfile.Table
    """The rows that name a prefix, by our names of columns."""
    rows: list[int]
    """Place in the table of each rate's row."""
    names: list[str]
    """The header, with other systems' names replaced by ours."""

    def lines(self) -> list[int]:
        """Return the line of each rate."""
        return [self.table.lines[row] for row in self.rows]


def parse(
    text: str, *, name: str, file: str, locale: Locale = NO_LOCALE
) -> tuple[Deck, list[Problem]]:
    """Parse a deck written in CSV, and report its problems.

    Args:
        text: a header, in any order, and a row a rate; ``,``, ``;``, ``|`` or a tab between
            columns.
        name: what the deck is called in its calls.
        file: what it is called in problems.
        locale: how amounts and dates are written where the deck does not show it.

    Returns:
        The deck and its problems in order of lines. With any problem the deck is incomplete
        and nothing may be priced by it.
    """
    deck, problems, *_ = read(text, name=name, file=file, locale=locale)
    return deck, problems


def read(text: str, *, name: str, file: str, locale: Locale = NO_LOCALE) -> Read:
    """Parse a deck as :func:`parse` does, with its rows as they are written."""
    reading = _Reading(text, file, locale)
    deck = reading.deck(name)
    parsed = Read(deck, [], reading.rows, reading.which, reading.names)
    same, problems = clashes.find(deck, np.array(parsed.lines(), np.int64), file)
    problems += reading.problems
    notes = [f"{file}: {note}" for note in (*reading.notes, *same)]
    return parsed._replace(
        deck=replace(deck, notes=tuple(notes)),
        problems=sorted(problems, key=lambda problem: problem.line),
    )


def lines(text: str) -> list[int]:
    """Return the line of each rate of a deck that has no problems, in the deck's order."""
    return read(text, name="", file="").lines()


def first(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first problems of a file, and a count of the others as the last item."""
    if len(problems) <= SHOWN + 1:
        return list(problems)
    rest = Problem(
        problems[0].file, 0, problems[0].reason, f"and {len(problems) - SHOWN:,} more problems"
    )
    return [*problems[:SHOWN], rest]


@lru_cache  # a sheet of many thousand rates has few days
def moment_text(moment: dt.datetime) -> str:
    """Write a time on the book's clock as decks have it: the day alone if it is midnight.

    >>> moment_text(dt.datetime(2026, 3, 1)), moment_text(dt.datetime(2026, 3, 1, 8))
    ('2026-03-01', '2026-03-01 08:00')
    """
    if moment.time() == dt.time():
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"


def _start(second: int) -> str:
    """Return when a rate starts, empty where it always has."""
    if second == ALWAYS["startdate"]:
        return ""
    return moment_text(LOCAL_EPOCH + dt.timedelta(seconds=second))


def _seconds_of(moment: dt.datetime) -> int:
    return (moment.replace(tzinfo=None) - LOCAL_EPOCH) // dt.timedelta(seconds=1)


class _Reading:
    """A reader of a deck's text, column by column."""

    def __init__(self, text: str, file: str, locale: Locale) -> None:
        self.file, self.order = file, locale.dates
        self.which: list[int] = []
        """Row of each rate, once the deck is made."""
        self.notes: list[str] = []
        self.headers: list[str] = []
        self.names: list[str] = []
        rows, self.problems = csvfile.read(
            text,
            file=file,
            known=columns.COLUMNS,
            required=("dialprefix", "rateinitial"),
            rename=self._named,
            separators=";\t|",
        )
        self.comma = rows.separator == ";" or locale.decimal == ","
        if rows.ignored:
            self.notes.append(f"columns not read: {', '.join(rows.ignored)}")
        if self._is_numeric(rows):
            # Another system's increment: read again under the name it has here.
            rows, self.problems = csvfile.read(
                text,
                file=file,
                known=columns.COLUMNS,
                required=("dialprefix", "rateinitial"),
                rename=partial(self._named, numeric=True),
                separators=";\t|",
            )
        self.ignored = rows.ignored
        self.rows = self._with_prefix(rows)
        self.count = len(self.rows.lines)

    def _named(self, headers: Sequence[str], numeric: bool = False) -> list[str]:
        self.headers = list(headers)
        self.names = columns.named(headers, numeric)
        return self.names

    @staticmethod
    def _is_numeric(rows: csvfile.Table) -> bool:
        """Return whether ``increment`` holds seconds rather than words."""
        texts = {cell for cell in rows.columns.get("increment", ()) if cell}
        return (
            bool(texts)
            and "billingblock" not in rows.columns
            and all(
                (cell.isascii() and cell.isdecimal()) or cells.PAIR.fullmatch(cell)
                for cell in texts
            )
        )

    def _with_prefix(self, rows: csvfile.Table) -> csvfile.Table:
        """Drop headings and totals: rows that name neither a prefix nor ``default``."""
        prefix = rows.columns.get("dialprefix", ())
        if all(prefix):
            return rows
        named = rows.columns.get("destination", [""] * len(prefix))
        price = rows.columns.get("rateinitial", [""] * len(prefix))
        kept, skipped = [], []
        known = dict(rows.columns)
        known["dialprefix"] = cells_of = list(prefix)
        for row, cell in enumerate(prefix):
            if not cell and named[row].lower() == prefixes.WORLD:
                cells_of[row] = prefixes.WORLD
            if cells_of[row]:
                kept.append(row)
                continue
            skipped.append(f"line {rows.lines[row]}{f' {named[row]!r}' * bool(named[row])}")
            if price[row] and not price[row].strip("0.,"):
                self._problem(
                    rows.lines[row],
                    "bad-prefix",
                    "dialprefix: is empty, and the price is 0",
                    todo=(
                        "remove the row, or write default as the prefix if every other number is "
                        "free"
                    ),
                )
        if skipped:
            examples = ", ".join(skipped[:_FIRST_NAMED]) + " …" * (len(skipped) > _FIRST_NAMED)
            self.notes.append(
                f"{len(skipped)} row(s) without a prefix are ignored ({examples}); "
                "write default as the prefix of the rate of every other number"
            )
        return csvfile.Table(
            columns={name: [texts[row] for row in kept] for name, texts in known.items()},
            lines=[rows.lines[row] for row in kept],
            separator=rows.separator,
            ignored=rows.ignored,
        )

    def _problem(self, line: int, reason: str, message: str, todo: str = "") -> None:
        self.problems.append(Problem(self.file, line, reason, message, todo=todo))

    def deck(self, name: str) -> Deck:
        """Return the deck of all that can be read, reporting the rest as problems."""
        blocked = self._column("blocked", cells.flag)
        amounts = self._amounts(blocked)
        seconds = {column: self._seconds(column) for column in (*SECONDS, *FLOORS)}
        for column, whole in columns.FIRST.items():
            seconds[whole] = np.where(
                self._given(whole), seconds[whole], self._column(column, cells.first_block)
            )
        values = amounts | seconds | self._conditions() | self._words(seconds)
        values |= self._free(amounts, seconds) | {"blocked": blocked}
        self._within_steps(values)
        scale = cells.FINE
        if not any((values[column] % cells.FINE).any() for column in AMOUNTS):
            scale = 1
            values |= {column: values[column] // cells.FINE for column in AMOUNTS}
        spread = list(self._spread())
        which = np.array([row for row, _ in spread], np.int64)
        self.which = which.tolist()
        return Deck(
            name=name,
            prefixes=pa.array([prefix for _, prefix in spread], pa.string()),
            destinations=self._text("destination").take(pa.array(which)),
            carriers=self._text("carrier").take(pa.array(which)),
            values={
                column: value.take(which)
                for column, value in values.items()
                if (value != DEFAULTS.get(column, 0)).any()
            },
            scale=scale,
            ignored_columns=self.ignored,
        )

    def _texts(self, column: str) -> Sequence[str]:
        return self.rows.columns.get(column) or [""] * self.count

    def _text(self, column: str) -> pa.StringArray:
        return pa.array(self._texts(column), pa.string())

    def _given(self, column: str) -> npt.NDArray[np.bool_]:
        """Return in which rows a column has a value."""
        return np.array([bool(cell) for cell in self._texts(column)], np.bool_)

    def _column(self, column: str, convert: Callable[[str], int]) -> Integers:
        """Return a column as integers, empty and bad cells get the default."""
        default = DEFAULTS.get(column, 0)
        texts = self.rows.columns.get(column)
        if texts is None:
            return np.full(self.count, default)
        known, wrong = {"": default}, {}
        for cell in set(texts) - {""}:
            try:
                known[cell] = convert(cell)
            except ValueError as error:
                known[cell], wrong[cell] = default, str(error)
        if wrong:
            for cell, line in zip(texts, self.rows.lines, strict=True):
                if cell in wrong:
                    self._problem(line, "bad-value", f"{column}: {wrong[cell]}")
        return np.array([known[cell] for cell in texts], np.int64)

    def _seconds(self, column: str) -> Integers:
        return self._column(column, cells.block if column in columns.FIRST else cells.seconds)

    def _amounts(self, blocked: Integers) -> dict[str, Integers]:
        """Return the columns of money, in hundredths of a micro-unit."""
        convert = partial(cells.amount, comma=self.comma)
        credit = self._column("is_credit", cells.flag)
        if blocked.any():  # such rows cost nothing, whatever they say
            known = dict(self.rows.columns)
            for column in (name for name in AMOUNTS if name in known):
                pairs = zip(known[column], blocked.tolist(), strict=True)
                known[column] = ["0" if barred else cell for cell, barred in pairs]
            self.rows = csvfile.Table(
                columns=known, lines=self.rows.lines, separator=self.rows.separator
            )
        values = {column: self._column(column, convert) for column in AMOUNTS}
        for row in np.flatnonzero(~self._given("rateinitial")).tolist():
            self._problem(
                self.rows.lines[row],
                "bad-value",
                "rateinitial: is empty",
                todo="write 0 where calls are free",
            )
        if self._is_a2billing:
            self._without_signs(values)
        for column, amounts in values.items():
            for row in np.flatnonzero((amounts < 0) & (credit == 0)).tolist():
                self._problem(
                    self.rows.lines[row],
                    "negative",
                    f"{column}: {self._texts(column)[row]!r} is negative",
                    todo=(
                        "write yes in a column is_credit if the call pays the customer, in a "
                        "column blocked if it is refused"
                    ),
                )
        return values

    @property
    def _is_a2billing(self) -> bool:
        """Return whether the deck is an A2Billing ratecard, with all its columns."""
        return set(self.rows.columns) >= columns.STEPS

    def _without_signs(self, values: dict[str, Integers]) -> None:
        """Drop the signs of amounts, as A2Billing does, and note it."""
        negative = sum(int((amounts < 0).sum()) for amounts in values.values())
        if negative:
            self.notes.append(f"{negative} amount(s) read without their sign, as A2Billing does")
            values |= {column: np.abs(amounts) for column, amounts in values.items()}

    def _conditions(self) -> dict[str, Integers]:
        """Return the columns of when a rate holds."""
        dated = [column for column in ALWAYS if column.endswith("date")]
        texts = (cell for column in dated for cell in set(self._texts(column)))
        order = cells.order(texts) or self.order
        return {
            column: self._column(
                column,
                partial(cells.date, default=default, order=order)
                if column in dated
                else cells.minute,
            )
            for column, default in ALWAYS.items()
        }

    def _words(self, seconds: Mapping[str, Integers]) -> dict[str, Integers]:
        """Return how blocks and free seconds are counted."""
        remainder = self._column("increment", cells.remainder)
        if columns.from_first_block(self.headers):
            odd = seconds["initblock"] % np.maximum(seconds["billingblock"], 1) != 0
            remainder = np.where(self._given("increment"), remainder, odd)
        pairs = [bool(cells.PAIR.fullmatch(cell)) for cell in self._texts("billingblock")]
        if any(pairs):
            remainder = np.where(np.array(pairs) & ~self._given("increment"), 1, remainder)
        own = self._column("buyincrement", cells.remainder)
        return {
            "remainder": remainder.astype(np.int64),
            "buy_remainder": np.where(self._given("buyincrement"), own, remainder).astype(np.int64),
            "included_within": self._column("included", cells.within),
        }

    def _free(
        self, amounts: Mapping[str, Integers], seconds: Mapping[str, Integers]
    ) -> dict[str, Integers]:
        """Return which steps are free: those whose charge is an explicit 0."""
        if self._is_a2billing:
            return {}
        return {
            f"free{step}": (
                self._given(f"charge{step}")
                & (amounts[f"charge{step}"] == 0)
                & (seconds[f"timecharge{step}"] > 0)
            ).astype(np.int64)
            for step in "abc"
        }

    def _within_steps(self, values: Mapping[str, Integers]) -> None:
        """Report free seconds within the first block of a call that goes through steps."""
        stepped = (values["chargea"] != 0) | (values.get("freea", 0) != 0)
        odd = stepped & (values["timechargea"] > 0) & (values["included_within"] > 0)
        for row in np.flatnonzero(odd).tolist():
            message = "included: within cannot be with steps; take the seconds before, or as a step"
            self._problem(self.rows.lines[row], "bad-value", message)

    def _spread(self) -> Iterator[tuple[int, str]]:
        """Yield row and prefix for every prefix that a row names."""
        for row, cell in enumerate(self._texts("dialprefix")):
            try:
                for prefix in prefixes.listed(cell):
                    yield row, prefix
            except ValueError as error:
                self._problem(self.rows.lines[row], "bad-prefix", f"dialprefix: {error}")
