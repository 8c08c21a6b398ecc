"""Rating told slowly and plainly, one call and one ``Fraction`` at a time.

The kernel in :mod:`a2ledger.rating.rate` computes whole columns of integers; this module computes
one call the way the rules are spoken. Tests hold the two against each other.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor


def rounded(amount):
    """A Fraction in units as whole micro-units, half away from zero."""
    return floor(abs(amount) * 1_000_000 + Fraction(1, 2)) * (1 if amount >= 0 else -1)


def up(seconds, block):
    """The next multiple of a block; a block of 0 rounds nothing."""
    return -(-seconds // block) * block if block else seconds


def beyond(seconds, initial, block, remainder):
    """Seconds of a call longer than its initial block, in whole blocks."""
    return initial + up(seconds - initial, block) if remainder else up(seconds, block)


def bought(rate, seconds):
    """What the carrier takes for a call, in micro-units."""
    if seconds < rate.get("buy_billed_from", 1):
        return 0
    initial = rate.get("buyrateinitblock", 0)
    used = max(seconds + rate.get("additional_grace", 0), initial)
    if used > initial:
        used = beyond(used, initial, rate.get("buyrateincrement", 0), rate.get("buy_remainder"))
    price = Fraction(used, 60) * abs(rate.get("buyrate", 0))
    return rounded(price + abs(rate.get("buyconnectcharge", 0)))


def lengthened(rate, seconds):
    """Seconds after grace and after the rounding of short calls."""
    seconds += rate.get("additional_grace", 0)
    least, threshold = rate.get("rounding_calltime", 0), rate.get("rounding_threshold", 0)
    return least if least > 0 and threshold > 0 and threshold < seconds < least else seconds


def once(rate, seconds, lengthened_seconds):
    """Fees that do not depend on the price of a minute."""
    fees = Fraction(abs(rate.get("connectcharge", 0)))
    after = rate.get("disconnectcharge_after", 0)
    if after == 0 or after <= seconds:
        fees += abs(rate.get("disconnectcharge", 0))
    every = rate.get("additional_block_charge_time", 0)
    if every > 0:
        fees += lengthened_seconds // every * abs(rate.get("additional_block_charge", 0))
    return fees


def progressive(rate, seconds):
    """Cost and billed seconds of the steps a, b, c and of what is left after them."""
    cost, billed, rest = Fraction(0), 0, seconds
    for step in "abc":
        price, limit = abs(rate.get(f"charge{step}", 0)), rate.get(f"timecharge{step}", 0)
        if not (price and limit) or (step != "a" and rest == 0):
            break
        part, rest = min(rest, limit), max(rest - limit, 0)
        part = up(part, rate.get(f"billingblock{step}", 0))
        cost += abs(rate.get(f"stepcharge{step}", 0)) + Fraction(part, 60) * price
        billed += part
    rest = up(rest, rate.get("billingblock", 0))
    return cost + Fraction(rest, 60) * abs(rate["rateinitial"]), billed + rest


def flat(rate, seconds):
    """Cost and billed seconds at one price."""
    initial = rate.get("initblock", 0)
    if seconds > initial:
        seconds = beyond(seconds, initial, rate.get("billingblock", 0), rate.get("remainder"))
    return Fraction(seconds, 60) * abs(rate["rateinitial"]), seconds


def sold(rate, seconds, discount=0):
    """Billed seconds and cost in micro-units of a call.

    ``rate`` holds a deck's columns by name, amounts in units as Fractions. ``discount`` is
    in hundredths of a percent.
    """
    if seconds < rate.get("billed_from", 1):
        return 0, 0
    length = lengthened(rate, seconds)
    total = once(rate, seconds, length)
    stepped = rate.get("chargea", 0) and rate.get("timechargea", 0)
    free, within = rate.get("included_seconds", 0), rate.get("included") == "within"
    if free and not within and length <= free:
        part, billed = Fraction(0), 0
    else:
        length = max(length - (0 if within else free), rate.get("initblock", 0))
        part, billed = (progressive if stepped else flat)(rate, length)
        if within:  # never with steps
            billed = max(billed - free, 0)
            part = Fraction(billed, 60) * rate["rateinitial"]
    total = (total + part) * (1 - Fraction(discount, 10_000))
    return billed, max(rounded(total), rounded(abs(rate.get("minimal_cost", Fraction(0)))))


def chosen(number, prefixes):
    """The longest of some prefixes a number begins with, or None."""
    for length in range(len(number), -1, -1):
        if number[:length] in prefixes:
            return number[:length]
    return None
