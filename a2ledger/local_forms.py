"""Read amounts and days in local forms, such as ``1.234,56`` and ``01/09/2026``.

One reader for files and options. What may be read in two ways is decided by the other cells of
the file, then by the book's ``[locale]``; where neither decides, both readings are shown and
nothing is read. What the program writes itself, ``1234.56`` and ``2026-09-01``, is never in doubt.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from a2ledger.errors import BadValueError

_GAPS = " '\u2019\u00a0\u202f"
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)(?:(?P<grouped>[0-9]{{1,3}}(?:[.,{_GAPS}][0-9]{{3}})+)|(?P<whole>[0-9]+))"
    r"(?P<rest>[.,][0-9]+)?",
    re.ASCII,
)
_SHORT = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})((?:[ T].*)?)", re.ASCII)
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.]([0-9]{1,2})[/.]([0-9]{1,2})((?:[ T].*)?)", re.ASCII)
_MONTHS = 12
_IN_DOUBT = "?"


class Locale(NamedTuple):
    """The local forms of ``[locale]``, each empty where it is not set."""

    decimal: str = ""
    """The decimal mark: ``,`` or ``.``."""
    dates: str = ""
    """What short dates begin with: ``day`` or ``month``."""
    encoding: str = ""
    """The encoding of text that is not UTF-8."""


NO_LOCALE = Locale()
"""Local forms of which nothing is set."""


class Cell(NamedTuple):
    """A text to read, and its line, or 0 outside of files."""

    line: int
    text: str


def decimal_mark(cells: Iterable[Cell], locale: Locale) -> str:
    """Return the decimal mark of some amounts: ``,`` or ``.``.

    >>> decimal_mark([Cell(2, "28,18"), Cell(3, "1.234")], Locale())
    ','

    Raises:
        BadValueError: if they are not written alike, or may be read in two ways.
    """
    sure: dict[str, Cell] = {}
    doubtful: dict[str, Cell] = {}
    for cell in cells:
        mark, is_sure = _mark(cell.text)
        if mark:
            (sure if is_sure else doubtful).setdefault(mark, cell)
    if len(sure) > 1:
        comma, point = sure[","], sure["."]
        raise BadValueError(
            f"{_at(comma)} has a decimal comma and {_at(point)} a decimal point",
            "write amounts alike",
        )
    if sure:
        return next(iter(sure))
    if locale.decimal or "," not in doubtful:
        return locale.decimal if doubtful else "."
    cell = doubtful[","]
    readings = f"{_plain(cell.text, ',')} or {_plain(cell.text, '.')}"
    raise BadValueError(
        f"{_at(cell)} may be {readings}",
        'say which in a2ledger.toml: [locale] decimal = "," or "."',
    )


def date_order(cells: Iterable[Cell], locale: Locale) -> str:
    """Return what some short dates begin with: ``day``, ``month``, or empty if unclear.

    >>> date_order([Cell(2, "01/09/2026"), Cell(3, "15/09/2026")], Locale())
    'day'

    Raises:
        BadValueError: if they do not begin alike, or may be read in two ways.
    """
    seen: dict[str, Cell] = {}
    for cell in cells:
        if match := _SHORT.fullmatch(cell.text):
            first, second = int(match[1]), int(match[3])
            if first > _MONTHS or second > _MONTHS:
                seen.setdefault("day" if first > _MONTHS else "month", cell)
            elif first != second:
                seen.setdefault(_IN_DOUBT, cell)
    doubtful = seen.pop(_IN_DOUBT, None)
    if len(seen) > 1:
        raise BadValueError(
            f"{_at(seen['day'])} begins with the day and {_at(seen['month'])} with the month",
            "write dates alike, best as 2026-01-31",
        )
    if seen:
        return next(iter(seen))
    if doubtful is None or locale.dates:
        return locale.dates
    readings = f"{_iso(doubtful.text, 'day')} or {_iso(doubtful.text, 'month')}"
    raise BadValueError(
        f"{_at(doubtful)} may be {readings}",
        'say which in a2ledger.toml: [locale] dates = "day" or "month"',
    )


def folded(text: str) -> str:
    """Return a text as searches compare it, in small letters without accents.

    >>> folded("Café ZÉNITH")
    'cafe zenith'
    """
    if text.isascii():
        return text.lower()
    marks = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in marks if not unicodedata.combining(mark))


def amount(text: str, locale: Locale) -> str:
    """Return a single amount as ``1234.56``, and any other text as it is.

    >>> amount("28,18", Locale()), amount("1.250,5", Locale()), amount("ten", Locale())
    ('28.18', '1250.5', 'ten')

    Raises:
        BadValueError: if it may be read in two ways.
    """
    return _plain(text, decimal_mark([Cell(0, text)], locale))


def day(text: str, locale: Locale) -> str:
    """Return a single day as ``2026-09-01``, and any other text as it is.

    Raises:
        BadValueError: if it may be read in two ways.
    """
    return _iso(text, date_order([Cell(0, text)], locale))


def plain(texts: Iterable[str], mark: str) -> list[str]:
    """Return amounts as ``1234.56``, and other texts as they are."""
    return [_plain(text, mark) for text in texts]


def iso(texts: Iterable[str], order: str) -> list[str]:
    """Return days, and times after them, as ``2026-09-01``, and other texts as they are."""
    return [_iso(text, order) for text in texts]


def _at(cell: Cell) -> str:
    return f"{cell.text!r} on line {cell.line}" if cell.line else repr(cell.text)


def _mark(text: str) -> tuple[str, bool]:
    """Return the likely decimal mark of an amount, and whether it is certain.

    Nothing where there are no decimals, or it is no amount.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        return "", False
    marks = [sign for sign in text if sign in ",."]
    if match["rest"]:
        # Of 1.234,5 the last sign is the decimals'; of 12,5 there is but one.
        return (match["rest"][0], True) if marks.count(match["rest"][0]) == 1 else ("", False)
    if not marks:
        return "", False
    if len(marks) > 1 and len(set(marks)) == 1:
        return ("." if marks[0] == "," else ","), True  # 1,234,567: thousands
    if len(set(marks)) > 1:
        return marks[-1], True  # 1.234,567
    is_sure = match["grouped"].startswith("0")  # thousands begin with no zero
    return marks[-1], is_sure


def _plain(text: str, mark: str) -> str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    other = "." if mark == "," else ","
    whole = re.sub(f"[{re.escape(other)}{_GAPS}]", "", text)
    return text if whole.count(mark) > 1 else whole.replace(mark, ".")


def _iso(text: str, order: str) -> str:
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day, rest = match.groups()
    else:
        match = _SHORT.fullmatch(text)
        if match is None or not (order or match[1] == match[3]):
            return text
        day, _, month, year, rest = match.groups()
        if order == "month":
            day, month = month, day
    try:
        return f"{dt.date(int(year), int(month), int(day))}{rest}"
    except ValueError:
        return text  # no calendar has it, and the row is refused as it is written
