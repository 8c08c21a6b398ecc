"""Telephone numbers in the form a tariff's prefixes have: digits, country code first.

``0032 2 123-45-67`` and ``+3221234567`` are ``3221234567``. What is no such number in the end
(a name, ``*98``) stays as it was; whether it has a price is for the tariff to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from a2ledger.config import Source

_FILLING = r"[\s().\-]"
_DIGITS = np.isin(np.arange(256), list(b"0123456789"))


def digits(numbers: pa.StringArray, source: Source) -> pa.StringArray:
    """Numbers as digits, country code first.

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


def are_digits(texts: pa.StringArray) -> bool:
    """Whether there is nothing but digits in any text."""
    return bool(_DIGITS[data(texts)].all())


def data(texts: pa.StringArray) -> npt.NDArray[np.uint8]:
    """The bytes of all texts, one after the other."""
    offsets, values = texts.buffers()[1:]
    if values is None or not len(texts):
        return np.empty(0, np.uint8)
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.frombuffer(values, np.uint8)[places[0] : places[-1]]


def _mask(flags: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    return np.asarray(flags)
