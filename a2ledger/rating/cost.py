"""Compute the cost of a call at its rate: A2Billing's rules in integers.

Amounts are micro-units, those that are rates per minute. For each call:

- Its length is what was talked, plus ``additional_grace`` (once: A2Billing adds it twice, by
  mistake), then ``rounding_calltime`` where it is longer than ``rounding_threshold`` but
  shorter than that, and never less than ``initblock``. Beyond the initial block it goes up to
  a multiple of ``billingblock``: all of it, 31 s at 18/12 being 36 s, or with ``increment``
  ``remainder`` only what exceeds the initial block, 42 s.
- ``included_seconds`` are free: taken from the length before any block, so that a call that is
  no longer costs no time at all; or, ``within``, from what is billed in the end.
- With ``chargea`` and ``timechargea`` it goes through steps: ``stepchargea`` once and up to
  ``timechargea`` seconds at ``chargea``, in blocks of ``billingblocka``; then b, then c, as far
  as they follow without a gap; what is left is charged at ``rateinitial``. A step may be free.
- ``connectcharge`` is added; ``disconnectcharge`` unless less than ``disconnectcharge_after``
  was talked; ``additional_block_charge`` for every full ``additional_block_charge_time``.
- The sum, less the discount, is rounded once, half away from zero, to a micro-unit, and raised
  to ``minimal_cost`` where there is one. A credit is negative, and rounded the same.
- A call shorter than ``billed_from`` seconds costs nothing, and has no billed seconds; the carrier
  takes nothing for one shorter than ``buy_billed_from``. Both are 1 unless the deck says otherwise.
- The carrier takes ``buyrate`` for the length with grace, at least ``buyrateinitblock``, beyond
  it in blocks of ``buyrateincrement``, and ``buyconnectcharge``, rounded in the same way.

A minute has sixty seconds, so everything before the rounding is an integer over sixty, exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from a2ledger import money
from a2ledger.rating.deck import AMOUNTS, FLOORS, SECONDS, Deck

if TYPE_CHECKING:
    from collections.abc import Mapping

Integers = npt.NDArray[np.int64]

FULL = 10_000
"""A discount of 100 %, in hundredths of a percent."""

_MINUTE = 60
_ROOM = 2**62


def price(
    deck: Deck, row: Integers, seconds: Integers, discount: Integers | None = None
) -> tuple[Integers, Integers, Integers]:
    """Return billed seconds, cost and buying cost (micro-units) of calls at known rates.

    Args:
        deck: the rates.
        row: each call's rate, a place in the deck.
        seconds: each call's length, 0 to :data:`~a2ledger.rating.deck.MAX_SECONDS`.
        discount: each call's discount, in hundredths of a percent.
    """
    if not len(row):
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, nothing
    values, seconds = _roomy(deck, seconds, discount)
    rates = Rates(values, row, FLOORS)
    billed, cost = _charged(deck, rates, seconds, discount)
    buy = _rounded(_bought(rates, seconds), None, _MINUTE * deck.scale)
    buy = np.where(seconds < rates["buy_billed_from"], 0, buy)
    return tuple(  # type: ignore[return-value]
        np.broadcast_to(figure, row.shape).astype(np.int64) for figure in (billed, cost, buy)
    )


def sold(deck: Deck, seconds: Integers, discount: Integers | None = None) -> Integers:
    """Return the selling price of calls at the one rate of a deck, as :func:`price` does.

    A switch waits for the answer, so that nothing else is worked out.

    Args:
        deck: one rate.
        seconds: lengths of calls.
        discount: of each, in hundredths of a percent.
    """
    values, seconds = _roomy(deck, seconds, discount)
    # A row for each length: steps are taken by those calls alone that have them.
    rates = Rates(values, np.zeros(len(seconds), np.int64), FLOORS)
    cost = _charged(deck, rates, seconds, discount)[1]
    return np.asarray(cost, np.int64)


def _roomy(
    deck: Deck, seconds: Integers, discount: Integers | None
) -> tuple[Mapping[str, Integers], Integers]:
    """Return a deck's columns and lengths of calls as numbers that cannot overflow."""
    room = _ROOM if discount is None else _ROOM // FULL * _MINUTE
    if _largest(deck.largest, int(seconds.max())) <= room:
        return deck.values, seconds
    # Amounts this large do not fit into 64 bits on the way: Python's integers do.
    values = {column: value.astype(object) for column, value in deck.values.items()}
    return values, seconds.astype(object)


def _charged(
    deck: Deck, rates: Rates, seconds: Integers, discount: Integers | None
) -> tuple[Any, Any]:
    """Return billed seconds, and the cost in micro-units."""
    billed, numerator = _sold(rates, seconds)
    cost = _rounded(numerator, discount, _MINUTE * deck.scale)
    if "minimal_cost" in rates:
        # A minimum finer than a micro-unit comes to 0 and still holds: no credit is paid out.
        least = money.divide(rates["minimal_cost"], deck.scale)
        cost = np.where(rates["minimal_cost"] != 0, np.maximum(cost, least), cost)
    is_free = seconds < rates["billed_from"]
    return np.where(is_free, 0, billed), np.where(is_free, 0, cost)


class Rates:
    """Columns of a deck, by call. A column that the deck does not use is a plain number."""

    def __init__(
        self, values: Mapping[str, Any], row: Integers, defaults: Mapping[str, int] | None = None
    ) -> None:
        self.values, self.row, self.defaults = values, row, defaults or {}

    def __getitem__(self, column: str) -> Any:
        if column not in self.values:
            return self.defaults.get(column, 0)
        return self.values[column].take(self.row)

    def __contains__(self, column: str) -> bool:
        return column in self.values


def _sold(rates: Rates, seconds: Integers) -> tuple[Any, Any]:
    """Return billed seconds, and the cost before discount and rounding, in sixtieths."""
    length = seconds + rates["additional_grace"]
    if "rounding_calltime" in rates:
        least, threshold = rates["rounding_calltime"], rates["rounding_threshold"]
        length = np.where((threshold > 0) & (threshold < length), np.maximum(length, least), length)
    fees = rates["connectcharge"]
    if "disconnectcharge" in rates:
        due = rates["disconnectcharge_after"] <= seconds
        fees = fees + np.where(due, rates["disconnectcharge"], 0)
    if "additional_block_charge" in rates:
        every = rates["additional_block_charge_time"]
        times = np.where(every > 0, length // np.maximum(every, 1), 0)
        fees = fees + times * rates["additional_block_charge"]
    length, covered = _without_included(rates, length)
    initial = rates["initblock"]
    length = np.maximum(length, initial)
    billed = _beyond(length, initial, rates, "billingblock")
    if "included_within" in rates:
        free = np.where(rates["included_within"] != 0, rates["included_seconds"], 0)
        billed = np.maximum(billed - free, 0)
    cost = billed * rates["rateinitial"]
    if ("chargea" in rates or "freea" in rates) and "timechargea" in rates:
        calls = np.flatnonzero(_is_on(rates, "a"))
        stepped = Rates(rates.values, rates.row.take(calls))
        billed[calls], cost[calls] = _stepped(stepped, length.take(calls))
    if covered is not None:
        billed, cost = np.where(covered, 0, billed), np.where(covered, 0, cost)
    return billed, cost + fees * _MINUTE


def _without_included(rates: Rates, length: Any) -> tuple[Any, Any]:
    """Return lengths less the seconds that are free before any block, and which become 0."""
    if "included_seconds" not in rates:
        return length, None
    free = np.where(rates["included_within"] != 0, 0, rates["included_seconds"])
    return np.maximum(length - free, 0), (free > 0) & (length <= free)


def _is_on(rates: Rates, step: str) -> Any:
    """Return which calls' rates have a step."""
    priced = (rates[f"charge{step}"] != 0) | (rates[f"free{step}"] != 0)
    return priced & (rates[f"timecharge{step}"] != 0)


def _stepped(rates: Rates, length: Any) -> tuple[Any, Any]:
    """Return billed seconds, and cost in sixtieths, of calls that go through steps."""
    rest, billed, cost = length, 0, 0
    going: Any = True  # steps follow each other as long as there are seconds, and no gap
    for step in "abc":
        charge, limit = rates[f"charge{step}"], rates[f"timecharge{step}"]
        going = going & _is_on(rates, step) & ((rest > 0) | (step == "a"))
        part = np.where(going, np.minimum(rest, limit), 0)
        rest = rest - part
        part = _up(part, rates[f"billingblock{step}"])
        cost = cost + part * charge + np.where(going, rates[f"stepcharge{step}"], 0) * _MINUTE
        billed = billed + part
    rest = _up(rest, rates["billingblock"])
    return billed + rest, cost + rest * rates["rateinitial"]


def _bought(rates: Rates, seconds: Integers) -> Any:
    """Return the carrier's price before rounding, in sixtieths of a micro-unit."""
    fee = rates["buyconnectcharge"] * _MINUTE
    if "buyrate" not in rates:
        return fee + np.zeros(1, np.int64)
    initial = rates["buyrateinitblock"]
    length = np.maximum(seconds + rates["additional_grace"], initial)
    billed = _beyond(length, initial, rates, "buyrateincrement", "buy_remainder")
    return billed * rates["buyrate"] + fee


def _beyond(
    length: Any, initial: Any, rates: Rates, block: str, remainder: str = "remainder"
) -> Any:
    """Return lengths rounded up to whole blocks where they exceed the initial block."""
    if block not in rates:
        return length
    start = rates[remainder] * initial if remainder in rates else 0
    return np.where(length > initial, start + _up(length - start, rates[block]), length)


def _up(length: Any, block: Any) -> Any:
    """Round lengths up to the next multiple of a block, unless the block is 0."""
    return length + -length % np.maximum(block, 1)


def _rounded(numerator: Any, discount: Integers | None, unit: int) -> Any:
    """Convert ``unit`` parts of a micro-unit into micro-units less a discount, rounded once."""
    if discount is None:
        return money.divide(numerator, unit)
    magnitude, share = abs(numerator), FULL - discount
    # In two parts, for the whole numerator times the share would not fit into 64 bits.
    most, rest = magnitude // unit * share, magnitude % unit * share
    rounded = most // FULL + money.divide(most % FULL * unit + rest, FULL * unit)
    return np.where(numerator < 0, -rounded, rounded)


def _largest(top: Mapping[str, int], seconds: int) -> int:
    """Return an upper bound of the cost of any call up to a length, in sixtieths.

    Args:
        top: the largest value of each column.
        seconds: the length.
    """
    length = seconds + sum(top.get(column, 0) for column in SECONDS)
    amounts = sum(top.get(column, 0) for column in AMOUNTS)
    return (length + _MINUTE) * amounts + (length * top.get("additional_block_charge", 0) * _MINUTE)
