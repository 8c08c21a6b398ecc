"""Tariffs: rate decks read from CSV text with A2Billing's column names.

A deck is a table of rates by prefix. Every number in it is an integer: amounts in
micro-units, durations in seconds, times in seconds since 1970-01-01 00:00 on the book's own
clock, without a zone. Reading is strict: whatever could be taken for another price is a
problem, and a deck with a problem is not to be used.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger import csvfile, money
from a2ledger.rating import prefixes
from a2ledger.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Integers = npt.NDArray[np.int64]

AMOUNTS = (
    *("rateinitial", "buyrate", "connectcharge", "disconnectcharge"),
    *("stepchargea", "stepchargeb", "stepchargec", "chargea", "chargeb", "chargec"),
    *("additional_block_charge", "minimal_cost"),
)
"""Columns of money, per minute or per call. Their sign is ignored, as A2Billing ignores it."""

SECONDS = (
    *("initblock", "billingblock", "buyrateinitblock", "buyrateincrement"),
    *("billingblocka", "billingblockb", "billingblockc"),
    *("timechargea", "timechargeb", "timechargec"),
    *("disconnectcharge_after", "rounding_calltime", "rounding_threshold"),
    *("additional_block_charge_time", "additional_grace"),
)

FLOORS = {"billed_from": 1, "buy_billed_from": 1}
"""The shortest lengths that cost something, for the customer and for us, as they are where a deck
says nothing: a call of no seconds is free on both sides."""

ALWAYS = {"startdate": -(2**62), "stopdate": 2**62, "starttime": 0, "endtime": 7 * 24 * 60 - 1}
"""The conditions of a rate, as they are when it has none. Dates are half-open; minutes of the
week (since Monday 00:00) are inclusive, and a start after the end goes over the week's end."""

_DEFAULTS = ALWAYS | FLOORS

TEXTS = ("dialprefix", "destination", "carrier", "increment", "buyincrement")
"""Columns of words."""

MAX_AMOUNT = 1_000_000 * money.MICRO
MAX_SECONDS = 1_000_000
"""The longest block there may be, and the longest call; rating's integers rely on both."""

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - the book's own clock has no zone
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True, eq=False)
class Deck:
    """Rates by prefix; every sequence has one item a rate."""

    name: str
    prefixes: pa.StringArray
    """As written, but without ``+`` and with ranges and lists spelled out."""
    destinations: pa.StringArray
    carriers: pa.StringArray
    values: Mapping[str, Integers]
    """Columns by name; one that says nothing in any row (:data:`ALWAYS`, :data:`FLOORS`, else 0)
    is left out. ``remainder`` is 1 where blocks are counted from the end of the initial one, and
    ``buy_remainder`` where the carrier's are."""
    ignored_columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.prefixes)

    @cached_property
    def index(self) -> prefixes.Index:
        """The prefixes made ready for looking numbers up; kept, and pickled, once made."""
        return prefixes.index(self.prefixes.to_pylist())

    @cached_property
    def conditional(self) -> bool:
        """Whether any rate holds only at some times."""
        return any(column in self.values for column in ALWAYS)

    def starting(self, day: dt.date) -> Deck:
        """The deck with no rate that holds before a day."""
        if day == dt.date.min:
            return self
        first = (day - _EPOCH.date()).days * 24 * 60 * 60
        since = self.values.get("startdate", np.full(len(self), ALWAYS["startdate"]))
        later = replace(self, values={**self.values, "startdate": np.maximum(since, first)})
        later.__dict__["index"] = self.index  # the prefixes are the same
        return later


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """A customer's decks in order: the first that knows a number decides."""

    name: str
    decks: tuple[Deck, ...]


def parse(text: str, *, name: str, file: str) -> tuple[Deck, list[Problem]]:
    """The deck written in a CSV text, and what is wrong with it.

    Args:
        text: a header, in any order, and a row a rate; ``,`` or ``;`` between columns.
        name: what the deck is called in its calls.
        file: what it is called in problems.

    Returns:
        The deck and its problems in order of lines. With any problem the deck is incomplete
        and nothing may be priced by it.
    """
    rows, problems = _read(text, file)
    amount = partial(_amount, comma=rows.separator == ";")
    values = {column: _column(rows, column, amount, problems, file) for column in AMOUNTS}
    values |= {column: _column(rows, column, _seconds, problems, file) for column in SECONDS}
    values |= {column: _column(rows, column, _seconds, problems, file) for column in FLOORS}
    values |= _conditions(rows, problems, file)
    values["remainder"] = _column(rows, "increment", _remainder, problems, file)
    own = _column(rows, "buyincrement", _remainder, problems, file)
    cells = rows.columns.get("buyincrement", [""] * len(rows.lines))
    says = np.array([bool(cell) for cell in cells], np.bool_)
    values["buy_remainder"] = np.where(says, own, values["remainder"])
    spread = list(_spread(rows, problems, file))
    which = np.array([row for row, _ in spread], np.int64)
    deck = Deck(
        name=name,
        prefixes=pa.array([prefix for _, prefix in spread], pa.string()),
        destinations=_text(rows, "destination").take(which),
        carriers=_text(rows, "carrier").take(which),
        values={
            column: value.take(which)
            for column, value in values.items()
            if (value != _DEFAULTS.get(column, 0)).any()
        },
        ignored_columns=rows.ignored,
    )
    problems += _duplicates(deck, np.array(rows.lines, np.int64).take(which), file)
    return deck, sorted(problems, key=lambda problem: problem.line)


def lines(text: str) -> list[int]:
    """The line of each rate of a deck that has no problems, in the deck's order."""
    rows, problems = _read(text, "")
    return [rows.lines[row] for row, _ in _spread(rows, problems, "")]


def _read(text: str, file: str) -> tuple[csvfile.Table, list[Problem]]:
    return csvfile.read(
        text,
        file=file,
        known=(*TEXTS, *AMOUNTS, *SECONDS, *FLOORS, *ALWAYS),
        required=("dialprefix", "rateinitial"),
        aliases={"prefix": "dialprefix"},
    )


def _text(rows: csvfile.Table, column: str) -> pa.StringArray:
    return pa.array(rows.columns.get(column, [""] * len(rows.lines)), pa.string())


def _column(
    rows: csvfile.Table,
    column: str,
    convert: Callable[[str], int],
    problems: list[Problem],
    file: str,
) -> Integers:
    """A column as integers; empty cells, and those with a problem, are what is always so."""
    default = _DEFAULTS.get(column, 0)
    cells = rows.columns.get(column)
    if cells is None:
        return np.full(len(rows.lines), default)
    known, wrong = {"": default}, {}
    if column == "rateinitial":
        wrong[""] = "is empty; write 0 where calls are free"
    for cell in set(cells) - {""}:
        try:
            known[cell] = convert(cell)
        except ValueError as error:
            known[cell], wrong[cell] = default, str(error)
    if wrong:
        problems += [
            Problem(file, line, "bad-value", f"{column}: {wrong[cell]}")
            for cell, line in zip(cells, rows.lines, strict=True)
            if cell in wrong
        ]
    return np.array([known[cell] for cell in cells], np.int64)


def _amount(cell: str, *, comma: bool) -> int:
    plain = cell.replace(",", ".") if comma and "." not in cell else cell
    amount_micro = abs(money.parse(plain))
    if amount_micro > MAX_AMOUNT:
        raise ValueError(f"{cell!r} is more than {MAX_AMOUNT // money.MICRO:,}")
    return amount_micro


def _seconds(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", cell, re.ASCII) or int(cell) > MAX_SECONDS:
        raise ValueError(f"{cell!r} is not a whole number of seconds up to {MAX_SECONDS:,}")
    return int(cell)


def _remainder(cell: str) -> int:
    if cell not in ("total", "remainder"):
        raise ValueError(f"{cell!r} is neither total nor remainder")
    return int(cell == "remainder")


def _minute(cell: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", cell, re.ASCII) or int(cell) > ALWAYS["endtime"]:
        raise ValueError(f"{cell!r} is not a minute of the week, 0 (Monday 00:00) to 10079")
    return int(cell)


def _date(cell: str, *, default: int) -> int:
    if cell.startswith("0000-00-00"):
        return default
    with contextlib.suppress(ValueError):
        if _DATE.fullmatch(cell):
            return (dt.datetime.fromisoformat(cell) - _EPOCH) // dt.timedelta(seconds=1)
    raise ValueError(f"{cell!r} is not a date such as 2026-02-01 or 2026-02-01 08:00")


def _conditions(rows: csvfile.Table, problems: list[Problem], file: str) -> dict[str, Integers]:
    result = {}
    for column, default in ALWAYS.items():
        convert = partial(_date, default=default) if column.endswith("date") else _minute
        result[column] = _column(rows, column, convert, problems, file)
    return result


def _spread(rows: csvfile.Table, problems: list[Problem], file: str) -> Iterator[tuple[int, str]]:
    """Row and prefix of every prefix a row names."""
    for row, cell in enumerate(rows.columns.get("dialprefix", ())):
        try:
            for prefix in prefixes.listed(cell):
                yield row, prefix
        except ValueError as error:
            problems.append(Problem(file, rows.lines[row], "bad-prefix", f"dialprefix: {error}"))


def _duplicates(deck: Deck, lines: Integers, file: str) -> Iterator[Problem]:
    """Rates of one prefix that hold at the same time; which was meant cannot be known."""
    rates: dict[str, list[int]] = {}
    for row, prefix in enumerate(deck.prefixes.to_pylist()):
        rates.setdefault(prefixes.canonical(prefix), []).append(row)
    for prefix, same in rates.items():
        for index, row in enumerate(same[1:], 1):
            other = next((other for other in same[:index] if _meet(deck, row, other)), None)
            if other is not None:
                yield Problem(
                    file,
                    int(lines[row]),
                    "duplicate-prefix",
                    f"prefix {prefix!r} has a rate at the same time on line {lines[other]}; "
                    "remove one, or give them dates or times that do not overlap",
                )


def _meet(deck: Deck, row: int, other: int) -> bool:
    """Whether two rates hold at some common time."""
    start, stop, first, last = _when(deck, row)
    other_start, other_stop, other_first, other_last = _when(deck, other)
    # Two windows of the week meet where one of them begins inside the other.
    return max(start, other_start) < min(stop, other_stop) and (
        _within(other_first, first, last) or _within(first, other_first, other_last)
    )


def _when(deck: Deck, row: int) -> list[int]:
    return [
        int(deck.values[column][row]) if column in deck.values else default
        for column, default in ALWAYS.items()
    ]


def _within(minute: int, first: int, last: int) -> bool:
    return first <= minute <= last if first <= last else minute >= first or minute <= last
