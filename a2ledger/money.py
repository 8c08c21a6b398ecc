"""Amounts of money: integers of micro-units, and the one rounding rule.

Inside a2ledger an amount is an ``int`` (or an int64 array) of **micro-units**: one
millionth of the currency's unit, named ``…_micro``. Text and Beancount's ``Decimal`` are
for the edges. Nothing here or above ever passes through a float.

The rounding rule, everywhere: half away from zero.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = TypeVar("Integers", int, npt.NDArray[np.int64])

PLACES = 6
"""Decimals of a micro-unit. The most an amount may have."""

MICRO: int = 10**PLACES

_NUMBER = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,8}))?", re.ASCII)

# ISO 4217 minor units, where they are not two.
_DECIMALS = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"),
            *("UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def decimals(currency: str) -> int:
    """Return the number of decimals that documents show for a currency (ISO 4217).

    >>> decimals("EUR"), decimals("JPY"), decimals("KWD")
    (2, 0, 3)
    """
    return _DECIMALS.get(currency, 2)


def divide(numerator: Integers, denominator: int) -> Integers:
    """Divide integers or int64 arrays, rounding half away from zero.

    Args:
        numerator: what to divide; twice its magnitude must fit where it is an array.
        denominator: a positive integer.

    >>> divide(5, 10), divide(-5, 10), divide(4, 10), divide(-15, 10)
    (1, -1, 0, -2)
    """
    magnitude: Integers = (2 * abs(numerator) + denominator) // (2 * denominator)
    quotient: Integers = magnitude * ((numerator > 0) * 2 - 1)
    return quotient


def rounded(amount_micro: Integers, places: int) -> Integers:
    """Round an amount in micro-units to a number of decimals.

    >>> rounded(12_345_000, 2), rounded(-5_000, 2), rounded(4_999, 2)
    (12350000, -10000, 0)
    """
    unit: int = 10 ** (PLACES - places)
    result: Integers = divide(amount_micro, unit) * unit
    return result


def is_finer(amount_micro: int, currency: str) -> bool:
    """Return whether an amount has more decimals than its currency.

    >>> is_finer(1_005_000, "EUR"), is_finer(1_010_000, "EUR"), is_finer(1_500_000, "JPY")
    (True, False, True)
    """
    return amount_micro != rounded(amount_micro, decimals(currency))


@lru_cache(maxsize=8192)  # a bill checks each of its amounts several times
def parse(text: str) -> int:
    """Parse a plain ASCII number such as ``-12.345`` into micro-units.

    Raises:
        ValueError: for anything else: exponents, separators, more than twelve digits
            before the point, or decimals beyond the sixth that are not zero.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an amount such as 12.34")
    sign, whole, fraction = match[1], match[2], (match[3] or "").ljust(PLACES, "0")
    if fraction[PLACES:].strip("0"):
        raise ValueError(f"{text!r} has more than six decimals")
    micro = int(whole) * MICRO + int(fraction[:PLACES])
    return -micro if sign else micro


def text(amount_micro: int, places: int = PLACES) -> str:
    """Format an amount with at least ``places`` decimals, and as many as it needs up to six.

    >>> text(12_345_670), text(-20_000_000, 2), text(1_230_010, 2)
    ('12.345670', '-20.00', '1.23001')
    """
    whole, fraction = divmod(abs(amount_micro), MICRO)
    sign = "-" if amount_micro < 0 else ""
    digits = f"{fraction:06d}"
    if places == PLACES:
        return f"{sign}{whole}.{digits}"
    decimals_text = digits[:places] + digits[places:].rstrip("0")
    return f"{sign}{whole}.{decimals_text}" if decimals_text else f"{sign}{whole}"


def decimal(amount_micro: int, places: int = PLACES) -> Decimal:
    """Convert an amount to Beancount's ``Decimal``, with the decimals of :func:`text`."""
    return Decimal(text(amount_micro, places))


def micro(number: Decimal) -> int:
    """Convert a ``Decimal`` read from a journal to micro-units.

    Raises:
        ValueError: if the number is finer than a micro-unit.
    """
    scaled = number * MICRO
    if scaled != (whole := int(scaled)):
        raise ValueError(f"{number} has more than six decimals")
    return whole
