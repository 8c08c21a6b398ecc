"""Quote a call: its cost as it goes on, and how long it may last for an amount of money.

The price is that of :mod:`a2ledger.rating.cost`, which rates calls once they have ended, asked
for lengths that are still to come.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from a2ledger import money
from a2ledger.rating.cost import FULL, sold
from a2ledger.rating.deck import MAX_SECONDS, Deck, Tariff
from a2ledger.rating.rate import rate_of

_STEPS = 256
"""Lengths priced at once when searching for the longest that can be paid."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """The rate of calls to a number, and the customer's discount."""

    deck: Deck
    """The rate, as a deck of its own."""
    discount: int
    """In hundredths of a percent."""
    _costs: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Costs by length, kept because the longest length is asked for again."""

    @property
    def destination(self) -> str:
        """Return the destination in the deck's words."""
        return str(self.deck.destinations[0].as_py())

    @property
    def prefix(self) -> str:
        """Return the prefix that decided."""
        return str(self.deck.prefixes[0].as_py())

    @property
    def is_blocked(self) -> bool:
        """Return whether the deck blocks such calls."""
        return bool("blocked" in self.deck.values and self.deck.values["blocked"][0])

    @cached_property
    def per_minute_micro(self) -> int:
        """Return micro-units per minute, less the discount."""
        rate = self.deck.values.get("rateinitial")
        full = int(rate[0]) if rate is not None else 0
        return int(money.divide(full * (FULL - self.discount), FULL * self.deck.scale))

    def cost(self, seconds: int) -> int:
        """Return the cost of a call of some seconds, in micro-units, 0 for no seconds."""
        if seconds <= 0:
            return 0
        if seconds not in self._costs:
            self._costs[seconds] = self.costs([seconds])[0]
        return self._costs[seconds]

    def costs(self, seconds: Sequence[int]) -> list[int]:
        """Return the costs of calls of several lengths above zero, in micro-units.

        A call that pays the customer costs nothing: its money counts once it is owed.
        """
        lengths = np.minimum(np.asarray(seconds, np.int64), MAX_SECONDS)
        discount = np.full(len(lengths), self.discount, np.int64) if self.discount else None
        costs: list[int] = np.maximum(sold(self.deck, lengths, discount), 0).tolist()
        return costs

    def longest(self, available_micro: int, limit: int) -> int:
        """Return the most seconds, up to a limit, that cost no more than the available amount."""
        low, high = 0, 0 if self.is_blocked else min(limit, MAX_SECONDS)
        if high and self.cost(high) <= available_micro:
            return high
        # A longer call never costs less, so that the last one that can be paid lies between the
        # last of some lengths that can and the first that cannot.
        while low < high:
            step = -(-(high - low) // _STEPS)
            lengths = [*range(low + step, high, step), high]
            paid = bisect_right(self.costs(lengths), available_micro)
            if paid == len(lengths):
                return high
            low, high = (lengths[paid - 1] if paid else low), lengths[paid] - 1
        return low


def quote(tariff: Tariff, called: str, local: dt.datetime, discount: int = 0) -> Quote | None:
    """Return a quote for calls to a number that start at a time, or None if it has no rate.

    Args:
        tariff: the customer's.
        called: the number, digits with the country code first.
        local: when the call starts, on the book's clock.
        discount: in hundredths of a percent.
    """
    rate = rate_of(tariff, called, local)
    if rate is None:
        return None
    return Quote(deck=_single(*rate), discount=discount)


def _single(deck: Deck, row: int) -> Deck:
    """Return one rate as a deck of its own, so that pricing looks at nothing else.

    What the call costs to buy is left out.
    """
    single = replace(
        deck,
        prefixes=deck.prefixes.slice(row, 1),
        destinations=deck.destinations.slice(row, 1),
        carriers=deck.carriers.slice(row, 1),
        values={
            name: column[row : row + 1]
            for name, column in deck.values.items()
            if not name.startswith("buy")
        },
    )
    single.__dict__["largest"] = deck.largest  # no rate is larger, and it is not added up anew
    return single


def max_seconds(
    tariff: Tariff,
    called: str,
    local: dt.datetime,
    available_micro: int,
    *,
    discount: int = 0,
    limit: int = 24 * 60 * 60,
) -> int | None:
    """Return the most seconds, up to a limit, that the available amount pays for.

    Args:
        tariff: the customer's.
        called: the number.
        local: when the call starts, on the book's clock.
        available_micro: credit limit less what is owed.
        discount: in hundredths of a percent.
        limit: the most to answer, in seconds.

    Returns:
        Seconds; 0 where not even one can be paid or its calls are blocked; None where the number
        has no rate.
    """
    known = quote(tariff, called, local, discount)
    return None if known is None else known.longest(available_micro, limit)
