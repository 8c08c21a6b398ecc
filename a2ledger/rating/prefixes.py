"""Find the prefix of a number: prefixes as text become sorted integers.

A number is matched by its leading digits, at most fifteen of them (E.164). Its **key** is the
digits padded with zeros to fifteen places, times a hundred, plus how many there are; so keys
sort like numbers do, ``14`` before ``140``, and the numbers that begin with a prefix are one
half-open interval of keys. Intervals of prefixes lie inside one another or apart, never
across, which leaves one sorted list of boundaries to look a key up in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

Integers = npt.NDArray[np.int64]

DIGITS = 15
"""Most digits of a number that can decide its price."""

DEFAULT = "defaultprefix"
"""How A2Billing writes the prefix of every number …"""

WORLD = "default"
"""… and the shorter word for it."""

_LARGEST_RANGE = 10_000
_POWERS = np.array([10 ** (DIGITS - length) * 100 for length in range(DIGITS + 1)])
_SINGLE = re.compile(f"[0-9]{{1,{DIGITS}}}", re.ASCII)
_LEADING = re.compile(f"[0-9]{{1,{DIGITS}}}", re.ASCII)
_PATTERN = re.compile(r"_(?:[0-9XZN.!+*#]|\[[0-9]+(?:-[0-9]+)?[0-9]*\])+", re.ASCII | re.IGNORECASE)
_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*", "+": r"\+", "*": r"\*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The prefixes of a deck, indexed for looking numbers up.

    A **candidate** is a row of the deck that fits a number; each knows the one to try next
    where its own conditions do not hold: another row of the same prefix, then those of the
    next shorter one.
    """

    bounds: Integers
    """Keys at which the longest fitting prefix changes, sorted."""
    first: Integers
    """The candidate to try first from each bound on, -1 where no prefix fits."""
    row: Integers
    """The deck's row of each candidate."""
    following: Integers
    """The candidate to try after each, -1 after the last."""
    patterns: tuple[tuple[str, int, int], ...]
    """Asterisk patterns as (regular expression, written length, row), shortest first."""

    def find(self, numbers: Integers) -> Integers:
        """Return the first candidate of each key, or -1."""
        if not self.bounds.size:
            return np.full(numbers.size, -1)
        # Sorted keys walk through the bounds instead of jumping about in them.
        order = np.argsort(numbers)
        place = np.searchsorted(self.bounds, numbers.take(order), "right") - 1
        candidates = np.empty(numbers.size, np.int64)
        candidates[order] = np.where(place < 0, -1, self.first.take(place, mode="clip"))
        return candidates


def keys(numbers: pa.StringArray) -> Integers:
    """Return the key of each number, 0 if it does not begin with a digit."""
    plain = pc.and_(
        pc.ascii_is_decimal(numbers), pc.less_equal(pc.binary_length(numbers), DIGITS)
    ).to_numpy(zero_copy_only=False)
    if plain.all():
        return _keys_of_digits(numbers)
    result = np.zeros(len(numbers), np.int64)
    result[plain] = _keys_of_digits(numbers.filter(plain))
    heads = pc.replace_substring_regex(
        numbers.filter(~plain), f"(?s)^([0-9]{{0,{DIGITS}}}).*$", r"\1"
    )
    numeric = pc.not_equal(heads, "").to_numpy(zero_copy_only=False)
    result[np.flatnonzero(~plain)[numeric]] = _keys_of_digits(heads.filter(numeric))
    return result


def key(number: str) -> int:
    """Return the key of one number, as :func:`keys` does for several.

    >>> key("44"), key("+44"), key("0" * 20)
    (44000000000000002, 0, 15)
    """
    match = _LEADING.match(number)
    digits = match[0] if match else ""
    return int(digits.ljust(DIGITS, "0")) * 100 + len(digits) if digits else 0


def index(prefixes: Sequence[str], order: Integers | None = None) -> Index:
    """Return the index of a deck's prefixes, in the form of :func:`canonical`, one per row.

    Args:
        prefixes: of the deck's rows.
        order: a number a row: of one prefix the row with the least is tried first, and the
            earlier row where they are equal.
    """
    texts = [canonical(prefix) for prefix in prefixes]
    ranks = [0] * len(texts) if order is None else order.tolist()
    candidates = [
        (text, rank, row)
        for row, (text, rank) in enumerate(zip(texts, ranks, strict=True))
        if not text.startswith("_")
    ]
    # Imported numbers come without 00, so 0044 serves as 44 too unless the deck has a 44.
    known = {text for text, _, _ in candidates}
    candidates += [
        (bare, rank, row)
        for text, rank, row in candidates
        if (bare := without_00(text)) != text and bare not in known
    ]
    candidates.sort()
    distinct = sorted({text for text, _, _ in candidates})
    place = {text: index for index, text in enumerate(distinct)}
    counts = np.bincount([place[text] for text, _, _ in candidates], minlength=len(distinct))
    bounds, longest, parent = _nest(distinct)
    ends = np.cumsum(counts, dtype=np.int64)
    starts = np.append(ends - counts, -1)  # the last one answers for "no prefix", -1
    following = np.arange(1, len(candidates) + 1)
    following[ends - 1] = starts[parent]
    return Index(
        bounds=bounds,
        first=starts[longest],
        row=np.array([row for _, _, row in candidates], np.int64),
        following=following,
        patterns=tuple(
            (expression(text), len(text), row) for _, _, _, row, text in _patterns(texts, ranks)
        ),
    )


def _patterns(texts: Sequence[str], ranks: Sequence[int]) -> list[tuple[int, int, int, int, str]]:
    """Return patterns, shortest first, and equal ones in order of their ranks."""
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        if text[:1] == "_":
            first.setdefault(text, row)
    return sorted(
        (len(text), first[text], ranks[row], row, text)
        for row, text in enumerate(texts)
        if text[:1] == "_"
    )


def canonical(prefix: str) -> str:
    """Return the prefix in the form it is compared in: the default prefix is empty.

    >>> canonical("defaultprefix"), canonical("4420")
    ('', '4420')
    """
    return "" if prefix in (DEFAULT, WORLD) else prefix


def listed(cell: str) -> list[str]:
    """Parse a deck's cell of prefixes: one, a list, ranges, a pattern, or ``default``.

    >>> listed("+44"), listed("4475-4477, 448"), listed("default")
    (['44'], ['4475', '4476', '4477', '448'], ['default'])

    Raises:
        ValueError: saying what is wrong with it.
    """
    if cell.lower() in (DEFAULT, WORLD):
        return [cell.lower()]
    if _SINGLE.fullmatch(cell):
        return [cell]
    if cell.startswith("_"):
        expression(cell)
        return [cell]
    parts = [part.strip() for part in re.split("[,;]", cell)]
    if not any(parts):
        raise ValueError(f"{cell!r} is a list of nothing; default prices every number")
    return [prefix for part in parts if part for prefix in _range(part)]


def _range(part: str) -> list[str]:
    low, dash, high = (text.strip().removeprefix("+") for text in part.partition("-"))
    for text in (low, high) if dash else (low,):
        if not re.fullmatch(r"[0-9]+", text, re.ASCII):
            raise ValueError(f"{part!r} is not digits, a range such as 4475-4479 or a pattern")
        if len(text) > DIGITS:
            raise ValueError(f"{part!r} has more than {DIGITS} digits; no number matches it")
    if not dash:
        return [low]
    if len(low) != len(high) or low > high:
        raise ValueError(f"{part!r}: both ends of a range have as many digits, the lower first")
    if int(high) - int(low) >= _LARGEST_RANGE:
        raise ValueError(f"{part!r} is more than {_LARGEST_RANGE:,} prefixes; write shorter ones")
    return [str(value).zfill(len(low)) for value in range(int(low), int(high) + 1)]


def without_00(number: str) -> str:
    """Return the number without the international prefix 00.

    >>> without_00("0044"), without_00("44"), without_00("00")
    ('44', '44', '00')
    """
    return number[2:] if number.startswith("00") and len(number) > len("00") else number


def expression(pattern: str) -> str:
    """Convert an Asterisk pattern to a regular expression: X 0-9, Z 1-9, N 2-9, ``.`` 1 or more.

    >>> expression("_0034[6-7]XX.")
    '(?s)^0034[6-7][0-9][0-9].+$'

    Raises:
        ValueError: if it is not a pattern.
    """
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is not a pattern such as _0034[6-7]XX.")
    parts = re.findall(r"\[[^]]*\]|.", pattern[1:].upper())
    return "(?s)^" + "".join(_CLASSES.get(part, part) for part in parts) + "$"


def _keys_of_digits(numbers: pa.StringArray) -> Integers:
    length: Any = pc.binary_length(numbers).to_numpy()
    value: Any = pc.cast(numbers, pa.int64()).to_numpy()
    return np.asarray(value * _POWERS.take(length) + length, np.int64)


def _nest(distinct: Sequence[str]) -> tuple[Integers, Integers, Integers]:
    """Return bounds, the longest prefix from each bound on, and each prefix's parent.

    Prefixes are meant by their places in ``distinct``, -1 is none.
    """
    lengths = np.array([len(text) for text in distinct], np.int64)
    values = np.array([int(text or "0") for text in distinct], np.int64)
    spans = _POWERS.take(lengths)
    low, high = values * spans + lengths, (values + 1) * spans
    bounds = np.unique(np.concatenate([low, high]))
    longest = np.full(bounds.size, -1)
    parent = np.full(lengths.size, -1)
    for length in np.unique(lengths):
        level = np.flatnonzero(lengths == length)  # sorted as text, so sorted by key
        parent[level] = longest[np.searchsorted(bounds, low[level])]
        place = level[np.searchsorted(low[level], bounds, "right").clip(1) - 1]
        inside = (low[place] <= bounds) & (bounds < high[place])
        longest[inside] = place[inside]
    return bounds, longest, parent
