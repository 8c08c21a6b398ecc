"""Normalise telephone numbers to the form of a tariff's prefixes: digits, country code first.

``0032 2 123-45-67`` and ``+3221234567`` are ``3221234567``. What is no such number in the end
(a name, ``*98``) stays as it was; whether it has a price is for the tariff to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import dial_plan

_FILLING = r"[\s().\-]"


class Dialling(Protocol):
    """The dialling rules of a source, from its configuration."""

    @property
    def short_codes(self) -> Sequence[str]:
        """Return numbers that stay as they are."""

    @property
    def international(self) -> Sequence[str]:
        """Return prefixes that introduce a country code."""

    @property
    def national(self) -> str:
        """Return the prefix of a national number, empty if there is none."""

    @property
    def country(self) -> str:
        """Return the country code that a national number lacks."""


def digits(numbers: pa.StringArray, source: Dialling) -> pa.StringArray:
    """Normalise numbers to digits, country code first.

    A short code stays as it is. Else the first of these that fits is applied: an international
    prefix is taken off, the longest first; a national one makes room for the country's code.

    Args:
        numbers: as a switch wrote them, shape (n,); no nulls.
        source: whose ``short_codes``, ``international``, ``national`` and ``country`` apply.
    """
    dialled = numbers
    if not are_digits(numbers):
        dialled = pc.replace_substring_regex(numbers, _FILLING, "")
    number = dialled
    untouched = np.ones(len(numbers), np.bool_)
    if source.short_codes:
        untouched &= ~_mask(pc.is_in(dialled, value_set=pa.array(source.short_codes, pa.string())))
    prefixes = sorted(source.international, key=len, reverse=True)
    for prefix, instead in [*((p, "") for p in prefixes), (source.national, source.country)]:
        if prefix and (fits := untouched & _mask(pc.starts_with(dialled, prefix))).any():
            untouched &= ~fits
            rest = pc.utf8_slice_codeunits(dialled, len(prefix))
            changed = pc.binary_join_element_wise(instead, rest, "") if instead else rest
            number = pc.if_else(pa.array(fits), changed, number)
    if are_digits(number) and pc.min(pc.binary_length(number)).as_py():
        return number
    return pc.if_else(pc.match_substring_regex(number, "^[0-9]+$"), number, numbers)


def planned(
    numbers: pa.StringArray,
    source: Dialling,
    plans: Sequence[str],
    plan: npt.NDArray[np.integer[Any]],
) -> pa.StringArray:
    """Normalise numbers by their callers' own dial plans, then as :func:`digits` does.

    A dial plan is a list of ``DIALLED=DIGITS``: the longest start of a number that a plan names
    is replaced (``9=`` takes an outside line's 9 off, ``0=30`` puts a country code for the
    trunk prefix), and what it gives is taken as it is.

    Args:
        numbers: as a switch wrote them, shape (n,); no nulls.
        source: see :func:`digits`.
        plans: the different dial plans there are; an empty one changes nothing.
        plan: each number's index into ``plans``, shape (n,).
    """
    normalised = digits(numbers, source)
    for index, text in enumerate(plans):
        ours = plan == index
        if text and ours.any():
            own = numbers.filter(pa.array(ours))
            normalised = pc.replace_with_mask(
                normalised, pa.array(ours), _by_plan(own, source, text)
            )
    return normalised


def _by_plan(numbers: pa.StringArray, source: Dialling, plan: str) -> pa.StringArray:
    rules = dict(dial_plan.parse(plan))
    dialled = pc.replace_substring_regex(numbers, _FILLING, "")
    untouched = np.ones(len(numbers), np.bool_)
    if source.short_codes:
        untouched &= ~_mask(pc.is_in(dialled, value_set=pa.array(source.short_codes, pa.string())))
    result = digits(numbers, source)
    for prefix in sorted(rules, key=len, reverse=True):
        fits = untouched & _mask(pc.starts_with(dialled, prefix))
        untouched &= ~fits
        rest = pc.utf8_slice_codeunits(dialled, len(prefix))
        changed = pc.binary_join_element_wise(rules[prefix], rest, "")
        result = pc.if_else(pa.array(fits), changed, result)
    return result


def are_digits(texts: pa.StringArray) -> bool:
    """Return whether all texts consist of digits only."""
    least, most = bounds(texts)
    return least >= ord("0") and most <= ord("9")


def bounds(texts: pa.StringArray) -> tuple[int, int]:
    """Return the least and the greatest byte of all texts, or a digit's if there is none."""
    characters = data(texts)
    if not len(characters):
        return ord("0"), ord("0")
    return int(characters.min()), int(characters.max())


def data(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    """Return the bytes of all texts, concatenated."""
    offsets, values = texts.buffers()[1:]
    if values is None or not len(texts):
        return np.empty(0, np.uint8)
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(values, np.uint8)[places[0] : places[-1]]


def _mask(flags: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    return np.asarray(flags)
