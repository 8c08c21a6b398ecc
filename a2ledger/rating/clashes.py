"""Find rates of the same prefix and time: repeated rates, and conflicting prices.

Of rates that hold at the same time the one that began last is meant; where two began at once it
cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from a2ledger.rating import prefixes
from a2ledger.rating.columns import ALWAYS
from a2ledger.records import Problem

if TYPE_CHECKING:
    from a2ledger.rating.deck import Deck

Integers = npt.NDArray[np.int64]

_FIRST_NAMED = 3


def find(deck: Deck, lines: Integers, file: str) -> tuple[list[str], list[Problem]]:
    """Return a note on repeated rates, and a problem for each prefix with two prices at once.

    Args:
        deck: the rates.
        lines: line of each.
        file: their file, for problems.
    """
    same: list[str] = []
    problems = []
    for row, other in _pairs(deck, dated=True):
        prefix = prefixes.canonical(deck.prefixes[row].as_py())
        if _values(deck, row) == _values(deck, other):
            same.append(f"{prefix or prefixes.WORLD} on lines {lines[other]} and {lines[row]}")
            continue
        problems.append(
            Problem(
                file,
                int(lines[row]),
                "duplicate-prefix",
                f"prefix {prefix!r} has a rate at the same time on line {lines[other]}",
                todo="remove one, or give the new one a later startdate",
            )
        )
    if not same:
        return [], problems
    examples = ", ".join(same[:_FIRST_NAMED]) + " …" * (len(same) > _FIRST_NAMED)
    return [f"{len(same)} rate(s) are listed twice ({examples})"], problems


def overlapping(deck: Deck) -> list[int]:
    """Return the places of rates that overlap an earlier row of the same prefix."""
    return [row for row, _ in _pairs(deck, dated=False)]


def _pairs(deck: Deck, *, dated: bool) -> Iterator[tuple[int, int]]:
    """Yield each rate that overlaps an earlier row of the same prefix, and that row.

    Args:
        deck: the rates.
        dated: whether one that begins later takes the place of one that began before.
    """
    since = deck.values.get("startdate") if dated else None
    groups: dict[tuple[str, int], list[int]] = {}
    starts = since.tolist() if since is not None else [0] * len(deck)
    for row, (prefix, start) in enumerate(zip(deck.prefixes.to_pylist(), starts, strict=True)):
        groups.setdefault((prefixes.canonical(prefix), start), []).append(row)
    for rows in groups.values():
        for index, row in enumerate(rows[1:], 1):
            other = next((other for other in rows[:index] if _meet(deck, row, other)), None)
            if other is not None:
                yield row, other


def _values(deck: Deck, row: int) -> tuple[object, ...]:
    """Return a rate's texts and values, without the times it holds."""
    return (
        deck.destinations[row].as_py(),
        deck.carriers[row].as_py(),
        *(int(column[row]) for name, column in deck.values.items() if name not in ALWAYS),
    )


def _meet(deck: Deck, row: int, other: int) -> bool:
    """Return whether there is a time at which both rates hold."""
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
