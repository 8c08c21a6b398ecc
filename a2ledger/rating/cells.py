"""Parse the cells of a rate deck into integers. Ambiguous values are refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable

from a2ledger.rating.columns import ALWAYS, MAX_AMOUNT, MAX_SECONDS
from a2ledger.times import LOCAL_EPOCH

FINE = 100
"""Parts of a micro-unit that amounts are parsed into: rates have up to eight decimals."""

YES = ("yes", "y", "true", "1", "x", "blocked")
NO = ("", "no", "n", "false", "0")

PAIR = re.compile(r"([0-9]{1,7})\s*[/+]\s*([0-9]{1,7})", re.ASCII)
"""Two blocks in a cell: the first, and those after it."""

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,12})(?:\.([0-9]+))?", re.ASCII)
_DECIMALS = 8
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?", re.ASCII
)
_NUMERIC = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})((?:[ T].*)?)", re.ASCII)
_NO_DATE = "0000-00-00"


def amount(cell: str, *, comma: bool) -> int:
    """Parse an amount into hundredths of a micro-unit, with its sign.

    >>> amount("0.31135104", comma=False)
    31135104

    Raises:
        ValueError: if it is none, has more than eight decimals, or is more than a million.
    """
    text = cell.replace(",", ".") if comma and "." not in cell else cell
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f"{cell!r} is not an amount such as 12.34")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    if len(fraction) > _DECIMALS:
        raise ValueError(f"{cell!r} has more than eight decimals")
    value = int(whole + fraction.ljust(_DECIMALS, "0"))
    if value > MAX_AMOUNT * FINE:
        raise ValueError(f"{cell!r} is more than {MAX_AMOUNT // 1_000_000:,}")
    return -value if sign == "-" else value


def seconds(cell: str) -> int:
    """Parse a whole number of seconds.

    Raises:
        ValueError: if it is none, or more than there may be.
    """
    if not re.fullmatch(r"[0-9]{1,7}", cell, re.ASCII) or int(cell) > MAX_SECONDS:
        raise ValueError(f"{cell!r} is not a whole number of seconds up to {MAX_SECONDS:,}")
    return int(cell)


def block(cell: str) -> int:
    """Parse the seconds of the blocks after the first: 60 of ``60``, 6 of ``30/6``."""
    pair = PAIR.fullmatch(cell)
    return seconds(pair[2] if pair else cell)


def first_block(cell: str) -> int:
    """Parse the seconds of the first block: 30 of ``30/6``, 0 if only one number is given."""
    pair = PAIR.fullmatch(cell)
    return seconds(pair[1]) if pair else 0


def remainder(cell: str) -> int:
    """Parse how blocks are counted: 1 from the end of the first block, 0 from the start."""
    if cell not in ("total", "remainder"):
        raise ValueError(f"{cell!r} is neither total nor remainder")
    return int(cell == "remainder")


def within(cell: str) -> int:
    """Parse where free seconds are taken from: 1 what is billed, 0 what was talked."""
    if cell not in ("before", "within"):
        raise ValueError(f"{cell!r} is neither before nor within")
    return int(cell == "within")


def flag(cell: str) -> int:
    """Parse yes as 1 and no as 0."""
    if cell.lower() not in (*YES, *NO):
        raise ValueError(f"{cell!r} is neither yes nor no")
    return int(cell.lower() in YES)


def minute(cell: str) -> int:
    """Parse a minute of the week."""
    if not re.fullmatch(r"[0-9]{1,5}", cell, re.ASCII) or int(cell) > ALWAYS["endtime"]:
        raise ValueError(f"{cell!r} is not a minute of the week, 0 (Monday 00:00) to 10079")
    return int(cell)


def date(cell: str, *, default: int, order: str = "") -> int:
    """Parse a date or time into seconds since 1970 on the book's own clock.

    Args:
        cell: as it is written; ``0000-00-00`` is none.
        default: what none is.
        order: ``day`` or ``month`` where a date with slashes begins with that.

    Raises:
        ValueError: if it is no date, or may be two.
    """
    if cell.startswith(_NO_DATE):
        return default
    text = cell
    if match := _NUMERIC.fullmatch(cell):
        first, second = int(match[1]), int(match[3])
        if not order and first != second:
            raise ValueError(
                f"{cell!r} is not a date such as 2026-02-01: whether it begins with the day or "
                "the month is not clear from the file"
            )
        day, month = (second, first) if order == "month" else (first, second)
        text = f"{match[4]}-{month:02}-{day:02}{match[5]}"
    with contextlib.suppress(ValueError):
        if _ISO.fullmatch(text):
            return (dt.datetime.fromisoformat(text) - LOCAL_EPOCH) // dt.timedelta(seconds=1)
    raise ValueError(f"{cell!r} is not a date such as 2026-02-01 or 2026-02-01 08:00")


def order(cells: Iterable[str]) -> str:
    """Return what a file's dates begin with: ``day``, ``month``, or empty if unclear.

    >>> order(["02/15/2026", "03/01/2026"]), order(["15/02/2026"]), order(["01/02/2026"])
    ('month', 'day', '')
    """
    pairs = {
        (int(match[1]), int(match[3])) for cell in cells if (match := _NUMERIC.fullmatch(cell))
    }
    is_day = any(first > 12 for first, _ in pairs)  # noqa: PLR2004 - there are twelve months
    is_month = any(second > 12 for _, second in pairs)  # noqa: PLR2004
    if is_day == is_month:
        return ""
    return "day" if is_day else "month"
