"""Explain a call's cost step by step: :mod:`a2ledger.rating.cost` in words.

The kernel prices whole columns; this tells one call's price as one would work it out by hand,
in exact fractions. Whoever shows an explanation compares its result with the kernel's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from a2ledger import money
from a2ledger.rating.deck import AMOUNTS, FLOORS, Deck

_MINUTE = 60
_FULL = 10_000
_DIGITS = 9


class Step(NamedTuple):
    """One step: a column of the deck, and its effect on the call."""

    name: str
    text: str


class Explained(NamedTuple):
    """The steps to a call's price, and the price."""

    steps: tuple[Step, ...]
    billed_seconds: int
    cost_micro: int


Rate = Mapping[str, int | Fraction]
"""A rate's columns: integers, and a ``Fraction`` for an amount finer than a micro-unit."""


def rate(deck: Deck, row: int) -> Rate:
    """Return the columns that one rate of a deck uses, amounts in micro-units."""
    return {
        name: Fraction(int(column[row]), deck.scale)
        if deck.scale > 1 and name in AMOUNTS
        else int(column[row])
        for name, column in deck.values.items()
    }


def _seconds(rate: Rate, column: str) -> int:
    """Return a column of seconds, 0 if the rate does not use it."""
    return int(rate.get(column, 0))


def sold(rate: Rate, seconds: int, discount: int = 0) -> Explained:
    """Explain what a customer pays for a call.

    Args:
        rate: columns of its rate, amounts in micro-units; one that is missing is 0.
        seconds: its length.
        discount: in hundredths of a percent.
    """
    steps = [Step("seconds", f"{seconds} s")]
    if _is_free(rate, seconds, "billed_from", steps):
        return Explained(tuple(steps), 0, 0)
    length = _lengthened(rate, seconds, steps)
    fees = _fees(rate, seconds, length, steps)
    length, covered = _without_included(rate, length, steps)
    stepped = _is_on(rate, "a")
    billed, part = 0, Fraction(0)
    if not covered:
        initial = _seconds(rate, "initblock")
        if initial:
            length = max(length, initial)
            steps.append(Step("initblock", f"at least {initial} s: {length} s"))
        for step, more, cost in (_stepped if stepped else _flat)(rate, length):
            steps.append(step)
            billed, part = billed + more, part + cost
    total = part + sum(fees.values())
    steps += [Step(name, f"+ {_exact(cost)}") for name, cost in fees.items()]
    if len(fees) or stepped:
        steps.append(Step("sum", _exact(total)))
    if discount:
        total = total * (_FULL - discount) / _FULL
        percent = f"{(Decimal(discount) / 100).normalize():f}"
        steps.append(Step("discount_percent", f"less {percent} %: {_exact(total)}"))
    cost_micro = _rounded(total, steps)
    least = rate.get("minimal_cost", 0)
    if least:
        cost_micro = max(
            cost_micro, money.divide(Fraction(least).numerator, Fraction(least).denominator)
        )
        steps.append(Step("minimal_cost", f"at least {_price(least)}: {money.text(cost_micro)}"))
    return Explained(tuple(steps), billed, cost_micro)


def _without_included(rate: Rate, length: int, steps: list[Step]) -> tuple[int, bool]:
    """Return the length less what is free before any block, and whether it becomes 0."""
    free = _seconds(rate, "included_seconds")
    if not free or rate.get("included_within", 0):
        return length, False
    rest = max(length - free, 0)
    steps.append(Step("included_seconds", f"less {free} s that are free: {rest} s"))
    return rest, not rest


def _is_on(rate: Rate, step: str) -> bool:
    """Return whether a rate has a step."""
    priced = rate.get(f"charge{step}", 0) or rate.get(f"free{step}", 0)
    return bool(priced and rate.get(f"timecharge{step}", 0))


def bought(rate: Rate, seconds: int) -> Explained:
    """Explain what a carrier takes for a call."""
    steps = [Step("seconds", f"{seconds} s")]
    if _is_free(rate, seconds, "buy_billed_from", steps):
        return Explained(tuple(steps), 0, 0)
    length = seconds
    if grace := _seconds(rate, "additional_grace"):
        length += grace
        steps.append(Step("additional_grace", f"+ {grace} s: {length} s"))
    initial = _seconds(rate, "buyrateinitblock")
    if initial:
        length = max(length, initial)
        steps.append(Step("buyrateinitblock", f"at least {initial} s: {length} s"))
    block_steps, length = _beyond(rate, length, initial, "buyrateincrement", "buy_remainder")
    steps += block_steps
    step, cost = _charged("buyrate", length, rate.get("buyrate", 0))
    steps.append(step)
    if fee := rate.get("buyconnectcharge", 0):
        cost += fee
        steps.append(Step("buyconnectcharge", f"+ {_price(fee)}: {_exact(cost)}"))
    return Explained(tuple(steps), length, _rounded(cost, steps))


def _is_free(rate: Rate, seconds: int, column: str, steps: list[Step]) -> bool:
    """Return whether a call is too short to cost anything, adding a step if it is."""
    shortest = rate.get(column, FLOORS[column])
    if seconds >= shortest:
        return False
    steps.append(Step(column, f"shorter than {shortest} s: costs nothing"))
    return True


def _lengthened(rate: Rate, seconds: int, steps: list[Step]) -> int:
    """Return the length with grace, and with short calls rounded up."""
    length = seconds
    if grace := _seconds(rate, "additional_grace"):
        length += grace
        steps.append(Step("additional_grace", f"+ {grace} s: {length} s"))
    least, threshold = _seconds(rate, "rounding_calltime"), _seconds(rate, "rounding_threshold")
    if least and 0 < threshold < length:
        length = max(length, least)
        steps.append(
            Step(
                "rounding_calltime", f"longer than {threshold} s, so at least {least} s: {length} s"
            )
        )
    return length


def _fees(rate: Rate, seconds: int, length: int, steps: list[Step]) -> dict[str, Fraction]:
    """Return the fees that do not depend on the price of a minute, in micro-units."""
    fees = {"connectcharge": rate.get("connectcharge", 0)}
    after = _seconds(rate, "disconnectcharge_after")
    if after <= seconds:
        fees["disconnectcharge"] = rate.get("disconnectcharge", 0)
    elif rate.get("disconnectcharge", 0):
        steps.append(Step("disconnectcharge_after", f"not {after} s: no disconnectcharge"))
    every, charge = (
        _seconds(rate, "additional_block_charge_time"),
        rate.get("additional_block_charge", 0),
    )
    if every and charge:
        times = length // every
        steps.append(
            Step("additional_block_charge", f"{times} times {every} s, each {_price(charge)}")
        )
        fees["additional_block_charge"] = times * charge
    return {name: Fraction(fee) for name, fee in fees.items() if fee}


_Told = Iterator[tuple[Step, int, Fraction]]
"""Steps, with the seconds and the cost that each adds."""


def _flat(rate: Rate, length: int) -> _Told:
    """Yield the steps of a call at one price per minute."""
    block_steps, length = _beyond(rate, length, _seconds(rate, "initblock"), "billingblock")
    for step in block_steps:
        yield step, 0, Fraction(0)
    free = _seconds(rate, "included_seconds") if rate.get("included_within", 0) else 0
    if free:
        length = max(length - free, 0)
        yield Step("included_seconds", f"less {free} s that are free: {length} s"), 0, Fraction(0)
    step, cost = _charged("rateinitial", length, rate.get("rateinitial", 0))
    yield step, length, cost


def _stepped(rate: Rate, length: int) -> _Told:
    """Yield the steps of a call that goes through a, b and c, and of what remains after them."""
    rest = length
    for name in "abc":
        charge, limit = rate.get(f"charge{name}", 0), _seconds(rate, f"timecharge{name}")
        if not _is_on(rate, name) or (name != "a" and not rest):
            break
        part = min(rest, limit)
        rest -= part
        block = _seconds(rate, f"billingblock{name}")
        billed = _up(part, block)
        once = rate.get(f"stepcharge{name}", 0)
        words = f"{part} s of up to {limit} s" + (
            f", in blocks of {block} s: {billed} s" * bool(block)
        )
        step, cost = _charged(f"charge{name}", billed, charge)
        plus = f", and {_price(once)} once" if once else ""
        yield Step(f"charge{name}", f"{words}; {step.text}{plus}"), billed, cost + once
    block = _seconds(rate, "billingblock")
    billed = _up(rest, block)
    if rest and block:
        yield (
            Step("billingblock", f"{rest} s left, in blocks of {block} s: {billed} s"),
            0,
            Fraction(0),
        )
    if billed:
        step, cost = _charged("rateinitial", billed, rate.get("rateinitial", 0))
        yield step, billed, cost


def _beyond(
    rate: Rate, length: int, initial: int, block: str, remainder: str = "remainder"
) -> tuple[list[Step], int]:
    """Round a length up to whole blocks where it exceeds the initial block."""
    size = _seconds(rate, block)
    if length <= initial or not size:
        return [], length
    if rate.get(remainder, 0):
        whole = initial + _up(length - initial, size)
        words = f"{initial} s and blocks of {size} s: {whole} s"
    else:
        whole = _up(length, size)
        words = f"in blocks of {size} s: {whole} s"
    return [Step(block, words)], whole


def _up(length: int, block: int) -> int:
    """Round a length up to the next multiple of a block, unless the block is 0."""
    return -(-length // block) * block if block else length


def _price(charge_micro: int | Fraction) -> str:
    """Format an amount as in a deck, with up to eight decimals."""
    if isinstance(charge_micro, int) or charge_micro.denominator == 1:
        return money.text(int(charge_micro), 2)
    return f"{Decimal(charge_micro.numerator) / charge_micro.denominator / money.MICRO:f}"


def _charged(name: str, seconds: int, charge_micro: int | Fraction) -> tuple[Step, Fraction]:
    cost = Fraction(seconds * charge_micro, _MINUTE)
    words = f"{seconds} / 60 * {_price(charge_micro)} = {_exact(cost)}"
    return Step(name, words), cost


def _rounded(total: Fraction, steps: list[Step]) -> int:
    """Round to whole micro-units, half up, adding a step if that changes the amount."""
    cost_micro: int = money.divide(total.numerator, total.denominator)
    if cost_micro != total:
        steps.append(Step("rounded", money.text(cost_micro)))
    return cost_micro


def _exact(micro: Fraction) -> str:
    """Format micro-units as an amount, with ``…`` where decimals are cut off."""
    scaled = abs(micro) * 10 ** (_DIGITS - money.PLACES)
    whole = int(scaled)
    digits = f"{whole:0{_DIGITS + 1}d}"
    decimals = digits[-_DIGITS:].rstrip("0") if whole == scaled else f"{digits[-_DIGITS:]}…"
    return f"{'-' * (micro < 0)}{digits[:-_DIGITS]}.{decimals:<02}"
