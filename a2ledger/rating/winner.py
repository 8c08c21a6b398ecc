"""Explain which rate holds for a number at a time, why others do not, and a minute's price."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.rating import deck as reading
from a2ledger.rating import decks, formula, prefixes, rate
from a2ledger.rating.columns import ALWAYS
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.rating.formula import Explained, Rate
from a2ledger.times import LOCAL_EPOCH

_FILLING = r"[\s().\-]"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A rate whose prefix fits a number."""

    deck: str
    line: int
    prefix: str
    destination: str
    verdict: str
    """``holds``, or why it does not hold."""


@dataclass(frozen=True, kw_only=True)
class Winner:
    """The rate that holds for a number, and its rivals."""

    number: str
    when: dt.datetime
    candidates: tuple[Candidate, ...]
    minute: Explained | None
    """The price of a minute, or None if there is no rate or calls are blocked."""
    bought: Explained | None
    rate: Rate
    reason: str = ""
    """``no-rate``, ``blocked`` or empty."""

    def as_json(self) -> dict[str, Any]:
        """Return the result as in the command's ``--json``."""
        return {
            "number": self.number,
            "at": str(self.when),
            "reason": self.reason,
            "candidates": [vars(candidate) for candidate in self.candidates],
            "minute": money.text(self.minute.cost_micro) if self.minute else None,
            "billed_seconds": self.minute.billed_seconds if self.minute else None,
            "steps": [step._asdict() for step in self.minute.steps] if self.minute else [],
            "buy_minute": money.text(self.bought.cost_micro) if self.bought else None,
        }

    def lines(self) -> list[str]:
        """Return the lines to print."""
        output = [f"{self.number} at {self.when:%Y-%m-%d %H:%M}"]
        for candidate in self.candidates:
            mark = "*" if candidate.verdict == "holds" else " "
            name = f"{candidate.prefix or 'default'} {candidate.destination}".strip()
            output.append(
                f"{mark} tariffs/{candidate.deck}.csv:{candidate.line}  {name}: {candidate.verdict}"
            )
        if self.reason:
            output.append(
                "blocked: such calls are refused" if self.reason == "blocked" else "no rate"
            )
        if self.minute:
            output.append(f"a minute costs {money.text(self.minute.cost_micro, 2)}")
            output += [f"    {step.name}: {step.text}" for step in self.minute.steps]
        if self.bought and self.bought.cost_micro:
            output.append(f"the carrier takes {money.text(self.bought.cost_micro, 2)}")
        return output


def explain(
    book: Book, names: tuple[str, ...], number: str, when: dt.datetime, discount: int
) -> Winner:
    """Explain which rate of some decks holds for a number.

    Args:
        book: whose decks.
        names: of decks, in their order.
        number: as it is written; ``+``, ``00`` and what is only for the eye do not matter.
        when: on the book's own clock.
        discount: in hundredths of a percent.
    """
    digits = re.sub(_FILLING, "", number).removeprefix("+")
    digits = prefixes.without_00(digits)
    loaded = tuple(decks.deck(book, name) for name in names)
    rate_found = rate.rate_of(Tariff(name=", ".join(names), decks=loaded), digits, when)
    moment = (when - LOCAL_EPOCH) // dt.timedelta(seconds=1)
    candidates: list[Candidate] = []
    for deck in loaded:
        lines = reading.lines(book.text(f"tariffs/{deck.name}.csv"))
        decided = any(candidate.verdict == "holds" for candidate in candidates)
        for row in _fitting(deck, digits):
            verdict = _verdict(deck, row, moment, rate_found)
            if decided and verdict == _LONGER:
                verdict = "an earlier deck decides"
            candidates.append(
                Candidate(
                    deck=deck.name,
                    line=lines[row],
                    prefix=deck.prefixes[row].as_py(),
                    destination=deck.destinations[row].as_py(),
                    verdict=verdict,
                )
            )
    if rate_found is None:
        return Winner(number=digits, when=when, candidates=tuple(candidates), minute=None,
                      bought=None, rate={}, reason="no-rate")  # fmt: skip
    values = formula.rate(*rate_found)
    blocked = bool(values.get("blocked", 0))
    return Winner(
        number=digits,
        when=when,
        candidates=tuple(candidates),
        minute=None if blocked else formula.sold(values, 60, discount),
        bought=formula.bought(values, 60) if "buyrate" in values and not blocked else None,
        rate=values,
        reason="blocked" if blocked else "",
    )


_LONGER = "a longer prefix, or one that began later, holds"


def _fitting(deck: Deck, digits: str) -> list[int]:
    """Return the rates whose prefix a number begins with, longest first."""
    index = deck.index
    candidate = int(index.find(prefixes.keys(pa.array([digits], pa.string())))[0])
    rows = [
        row
        for text, _, row in reversed(index.patterns)
        if re.fullmatch(text[4:], digits, re.DOTALL)
    ]
    while candidate >= 0:
        rows.append(int(index.row[candidate]))
        candidate = int(index.following[candidate])
    return rows


def _verdict(deck: Deck, row: int, moment: int, winner: tuple[Deck, int] | None) -> str:
    """Return why a rate does or does not hold."""
    if winner is not None and winner[0] is deck and winner[1] == row:
        return "holds"
    since, until = (
        int(deck.values[column][row]) if column in deck.values else ALWAYS[column]
        for column in ("startdate", "stopdate")
    )
    if moment < since:
        return f"holds from {_day(since)} on"
    if moment >= until:
        return f"ended on {_day(until)}"
    if "starttime" in deck.values or "endtime" in deck.values:
        held = rate.holds(deck, np.array([row]), np.array([moment]))
        if not held[0]:
            return "holds at other times of the week"
    return _LONGER


def _day(seconds: int) -> str:
    return reading.moment_text(LOCAL_EPOCH + dt.timedelta(seconds=seconds))


def coming(deck: Deck, today: dt.date) -> list[dt.date]:
    """Return the days after today on which rates of a deck begin."""
    if "startdate" not in deck.values:
        return []
    first = (dt.datetime.combine(today, dt.time()) - LOCAL_EPOCH) // dt.timedelta(seconds=1)
    later = deck.values["startdate"][deck.values["startdate"] > first].tolist()
    return [(LOCAL_EPOCH + dt.timedelta(seconds=start)).date() for start in later]
