"""Parse the cells of rate sheets: numbers, dates, prefixes and increments."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from a2ledger.errors import BadValueError
from a2ledger.rating import prefixes
from a2ledger.rating.columns import MAX_AMOUNT, MAX_SECONDS
from a2ledger.rating.sheet_headers import CODES, SIGNS

FINE = 10**8
"""Parts of a currency's unit that prices are parsed into."""

BLOCKED = -FINE
"""The price -1, by which carriers mark calls they do not carry."""

_SCIENTIFIC = re.compile(r"[0-9]+[.,]?[0-9]*[eE]\+?[0-9]+")
_SPACES = re.compile(r"[\s\u00a0\u202f']")
_MONEY_WORDS = re.compile(
    rf"(?:{'|'.join(CODES)}|{'|'.join(map(re.escape, SIGNS))}|¢|cents?|ct)"
    r"|(?:/|per|p/)min(?:ute|\.)?|(?<=[0-9])/m$",
    re.IGNORECASE,
)
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_PAIR = re.compile(r"([0-9]{1,6})\s*[/+:-]\s*([0-9]{1,6})(?:\s*(?:s|sec|secs|seconds))?")
_ALIKE = re.compile(r"([0-9]{1,6})([/+:-])\1\2\1")
_ONE = re.compile(r"([0-9]{1,6})(?:\.0+)?\s*(?:s|sec|secs|seconds|sek)?", re.IGNORECASE)
_EACH = r"(?:per|by|pro|par|por)?[ -]*(?:the )?"
_EACH_SECOND = re.compile(rf"{_EACH}(?:sec|seconds?|sekunde|seconde|segundo)")
_EACH_MINUTE = re.compile(rf"{_EACH}(?:min|minutes?|minuto)")
_EXCEL_DAYS = range(36_526, 73_051)  # from 2000 to 2099
_EXCEL_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a sheet's dates have no zone
_YEARS = range(2000, 2100)
_TWO_DIGITS = 100

# Country codes of one and of two digits (E.164); all others have three.
_ONE_DIGIT = "17"
_TWO = frozenset(
    str(code)
    for code in (20, 27, *range(30, 67), 81, 82, 84, 86, *range(90, 99))
    if code not in (35, 37, 38, 42, 50, 59, 96, 97)
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan janv ene gen sty januari", "feb fév fev févr febr lut"),
            *("mar mär mars mrz maa mrt", "apr avr abr kwi", "may mai maj mag mei"),
            *("jun juin giu cze juni", "jul juil lug lip", "aug août aou ago sie"),
            *("sep sept set wrz", "oct okt ott paź out", "nov lis", "dec dez déc dic gru"),
        ),
        1,
    )
    for name in names.split()
}
_TIME = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?)?\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
_ISO = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_TIME}")
_NUMERIC = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d{{2}}){_TIME}")
_NAMED = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?(?:[-/. ]|\bde\b|\bdi\b)+([^\W\d]{3,})\.?,?"
    r"(?:[-/. ]|\bde\b)+(\d{4}|\d{2})",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(r"([^\W\d]{3,})\.?[-/. ]+(\d{1,2})(?:st|nd|rd|th)?,?[-/. ]+(\d{4})")


def decimal_mark(texts: Iterable[str]) -> str:
    """Return the decimal mark of a file's prices.

    Raises:
        ValueError: if commas and points cannot be told apart.
    """
    commas = points = both_comma = both_point = False
    for text in texts:
        has_comma, has_point = "," in text, "." in text
        if has_comma and has_point:
            comma_last = text.rindex(",") > text.rindex(".")
            both_comma, both_point = both_comma or comma_last, both_point or not comma_last
        commas = commas or (has_comma and not has_point)
        points = points or (has_point and not has_comma)
    if (both_comma and both_point) or (commas and points and not (both_comma or both_point)):
        raise BadValueError(
            "prices have decimal commas and decimal points", todo="write them alike"
        )
    if both_point and commas:
        raise BadValueError(
            "prices have commas in thousands and as decimals", todo="write them alike"
        )
    return "," if both_comma or (commas and not both_point) else "."


def price(cell: str, mark: str) -> tuple[int, bool]:
    """Parse a price into hundred-millionths of a unit, and return whether it was rounded.

    >>> price("$ 0.0570", "."), price("1.234,5 EUR", ","), price("-1", ".")
    ((5700000, False), (123450000000, False), (-100000000, False))

    Raises:
        ValueError: if it is none.
    """
    text = _MONEY_WORDS.sub("", _SPACES.sub("", cell)) if not _exponent(cell) else cell.strip()
    text = _DASHES.sub("-", text)
    text = text.replace("." if mark == "," else ",", "").replace(mark, ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise BadValueError(f"{cell!r} is not a price") from None
    if not number.is_finite() or abs(number) > MAX_AMOUNT // 1_000_000:
        raise BadValueError(f"{cell!r} is not a price up to a million")
    exact = number * FINE
    whole = int(exact.to_integral_value(ROUND_HALF_UP))
    return whole, whole != exact


def _exponent(cell: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9][0-9.,]*[eE]-[0-9]{1,2}", cell.strip()))


def without_money(text: str) -> bool:
    """Return whether a text has no digits, like headings and footers in a column of prices."""
    return not any(character.isdigit() for character in text)


def increments(cell: str) -> tuple[int | None, int]:
    """Parse the first block (None if only one is given) and the other blocks, in seconds.

    >>> increments("60/60"), increments("1+1"), increments("30"), increments("per minute")
    ((60, 60), (1, 1), (None, 30), (60, 60))

    Raises:
        ValueError: if it is none.
    """
    text = cell.strip().lower()
    if _EACH_SECOND.fullmatch(text):
        return 1, 1
    if _EACH_MINUTE.fullmatch(text):
        return 60, 60
    if match := _ALIKE.fullmatch(text):
        first = following = int(match[1])
    elif match := _PAIR.fullmatch(text):
        first, following = int(match[1]), int(match[2])
    elif match := _ONE.fullmatch(text):
        first, following = None, int(match[1])
    else:
        raise BadValueError(f"{cell!r} is not an increment such as 60/60")
    if max(first or 0, following) > MAX_SECONDS:
        raise BadValueError(f"{cell!r} is more than {MAX_SECONDS:,} seconds")
    return first, following


# ---- dates ----


def order(texts: Iterable[str]) -> str:
    """Return what a file's dates begin with: ``day``, ``month``, or empty if unclear."""
    seen = [match for text in texts if (match := _NUMERIC.fullmatch(text))]
    is_day = any(int(match[1]) > 12 for match in seen)  # noqa: PLR2004 - there are twelve months
    is_month = any(int(match[3]) > 12 for match in seen)  # noqa: PLR2004
    if is_day != is_month:
        return "day" if is_day else "month"
    # Dates with points begin with the day wherever they are written so.
    return "day" if seen and not is_day and all(match[2] == "." for match in seen) else ""


def date(cell: str, begins: str) -> dt.datetime:
    """Parse a date or time as carriers write it.

    Args:
        cell: its text.
        begins: ``day`` or ``month``, for dates such as 01/02/2026.

    >>> date("15-Sep-2026", "").date(), date("02/15/2026", "month").date()
    (datetime.date(2026, 9, 15), datetime.date(2026, 2, 15))

    Raises:
        ValueError: if it is none, or may be two.
    """
    text = cell.strip()
    hour = minute = 0
    if match := _ISO.fullmatch(text):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        hour, minute = int(match[4] or 0), int(match[5] or 0)
    elif match := _NUMERIC.fullmatch(text):
        first, second = int(match[1]), int(match[3])
        if not begins and first != second:
            raise BadValueError(
                f"{cell!r} may begin with the day or with the month", todo="say which with --dates"
            )
        day, month = (second, first) if begins == "month" else (first, second)
        year = int(match[4])
        hour, minute = int(match[5] or 0), int(match[6] or 0)
    elif match := _NAMED.fullmatch(text):
        day, month, year = int(match[1]), _month(match[2], cell), int(match[3])
    elif match := _MONTH_FIRST.fullmatch(text):
        day, month, year = int(match[2]), _month(match[1], cell), int(match[3])
    elif re.fullmatch(r"20\d{6}", text):
        year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    elif re.fullmatch(r"\d{5}(?:\.0+)?", text) and int(float(text)) in _EXCEL_DAYS:
        return _EXCEL_EPOCH + dt.timedelta(days=int(float(text)))
    else:
        raise BadValueError(f"{cell!r} is not a date such as 2026-02-01")
    if year < _TWO_DIGITS:
        year += _YEARS.start
    try:
        return dt.datetime(year, month, day, hour, minute)  # noqa: DTZ001 - the book's own clock
    except ValueError:
        raise BadValueError(f"{cell!r} is not a date such as 2026-02-01") from None


def is_date(cell: str) -> bool:
    """Return whether a cell looks like a date that is written with its parts."""
    return any(form.fullmatch(cell.strip()) for form in (_ISO, _NUMERIC, _NAMED, _MONTH_FIRST))


def _month(name: str, cell: str) -> int:
    known = name.lower()
    for length in range(len(known), 2, -1):
        if known[:length] in _MONTHS:
            return _MONTHS[known[:length]]
    raise BadValueError(f"{cell!r} is not a date such as 2026-02-01")


# ---- prefixes ----


def is_country(digits: str) -> bool:
    """Return whether the digits are as many as their country code has."""
    if digits[:1] in _ONE_DIGIT:
        return len(digits) == 1
    return len(digits) == (2 if digits[:2] in _TWO else 3)


def listed(cell: str, country: str = "") -> list[str]:
    """Parse the prefixes of a cell: one, a list, ranges, or national ones after a country code.

    Args:
        cell: its text.
        country: what is put before each of them.

    >>> listed("44 7400-7402"), listed("447, 448"), listed("20; 7400", "44")
    (['447400', '447401', '447402'], ['447', '448'], ['4420', '447400'])

    Raises:
        ValueError: if it is none, or may be read in two ways.
    """
    text = _DASHES.sub("-", cell).strip()
    text = re.sub(r'^=?"(.*)"$', r"\1", text).lstrip("'").strip()
    if _SCIENTIFIC.fullmatch(text):
        raise BadValueError(
            f"{cell!r} is a number a spreadsheet has shortened",
            todo="give the column the format text",
        )
    text = re.sub(r"^([0-9]+)\.0+$", r"\1", text)
    text = re.sub(r"[()\[\]]", " ", text)
    parts = [part.strip() for part in re.split(r"[,;/|\n]+", text)]
    numbers: list[str] = []
    base = ""
    for part in filter(None, parts):
        ranges, base = _part(part, cell, country, base)
        numbers += ranges
    if not numbers:
        raise BadValueError(f"{cell!r} has no prefix")
    return numbers


def _part(part: str, cell: str, country: str, base: str) -> tuple[list[str], str]:
    """Parse one item of a list into prefixes, and return the country code it begins with."""
    tokens = re.sub(r"\s*-\s*", "-", part).split()
    tokens[0] = tokens[0].removeprefix("+")
    is_one = any(mark in cell for mark in "+(,;/|")  # then a space parts the digits of one prefix
    if tokens[0] in ("", "00") and len(tokens) > 1:
        del tokens[0]  # "+ 32 475", "00 32 475"
        is_one = True
    if not country:
        tokens[0] = prefixes.without_00(tokens[0])
    if country:
        return _ranges(country, "".join(tokens), cell), ""
    if len(tokens) == 1:
        low, dash, high = tokens[0].partition("-")
        if dash and len(low) < len(high) and is_country(low):
            return _ranges("", low + high, cell), low
        if base and not low.startswith(base):
            raise BadValueError(
                f"{cell!r}: whether {part!r} follows {base} is unclear", todo="write it whole"
            )
        return _ranges("", tokens[0], cell), base
    first, *rest = tokens
    if not first.isdecimal() or not is_country(first):
        raise BadValueError(f"{cell!r} is not a prefix", todo="put commas between several")
    several = all(token.isdecimal() and is_country(token) for token in rest)
    if several and not is_one and first != "1":
        raise BadValueError(
            f"{cell!r} may be one prefix or several", todo="put commas between several"
        )
    return _ranges(first, "".join(rest), cell), first


def _ranges(before: str, text: str, cell: str) -> list[str]:
    """Return the prefixes of digits or a range, each after a country code."""
    low, dash, high = text.partition("-")
    if dash and len(high) < len(low):
        high = low[: len(low) - len(high)] + high  # 7400-09
    if not low.isdecimal() or (dash and not high.isdecimal()) or not (low + high).isascii():
        raise BadValueError(f"{cell!r} is not digits, a list or a range")
    text = f"{before}{low}-{before}{high}" if dash else before + low
    try:
        return prefixes.listed(text)
    except ValueError as error:
        raise BadValueError(f"{cell!r}: {error}") from None


def signs(texts: Sequence[str]) -> set[str]:
    """Return the currencies, by code or sign, mentioned in prices."""
    return {code for text in texts for sign, code in SIGNS.items() if sign in text}
