"""Locate the quotes of a CSV text, millions of bytes at once.

A text is **plain** where a fast CSV parser and a strict one cannot disagree: quotes open only
at the start of a field and close only at its end, no line ends inside quotes, no NUL, no
carriage return but before a line feed. Masks are packed 64 bytes to a word, so that asking costs
a fraction of parsing: the method is that of simdjson (Langdale and Lemire, 2019).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Indexes = npt.NDArray[np.int64]

_QUOTE, _LF, _CR, _NUL = b'"\n\r\0'
_ONE, _TOP = np.uint64(1), np.uint64(63)
_WORD, _LAST_BIT = 6, 63
_BYTE, _BYTE_LAST = 3, 7
_BITS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


class Marks(NamedTuple):
    """Bit masks over a text, one bit per byte, least significant first."""

    bad: Words
    """Bytes because of which the text is not plain."""
    separators: Words
    """Separators outside quotes."""
    feeds: Words
    """Line feeds."""


def marks(text: Bytes, separator: int, *, tame: bool = False) -> Marks:
    """Mark the bytes of a text that ends with a line feed, and if ``tame`` has no NUL or CR.

    Quotes are paired from the start of the text, so that everything after an unpaired one is
    misjudged: what ``bad`` says is exact only where every line before has its quotes in pairs.
    """
    quote, comma, feed = (_packed(text == byte) for byte in (_QUOTE, separator, _LF))
    inside = _prefix_xor(quote)
    edge = quote | comma | feed
    carriage = feed if tame else _packed(text == _CR)
    edge |= carriage
    before = _following(edge)
    before[:1] |= _ONE
    bad = quote & inside & ~before
    bad |= quote & ~inside & ~_preceding(edge)
    bad |= feed & inside
    if not tame:
        bad |= (carriage & ~_preceding(feed)) | _packed(text == _NUL)
    return Marks(bad, comma & ~inside, feed)


def unpaired(text: Bytes, ends: Indexes) -> npt.NDArray[np.bool_]:
    """Return which lines, given their line feeds, have an odd number of quotes."""
    inside = _prefix_xor(_packed(text == _QUOTE))
    parity = (inside[ends >> _WORD] >> (ends & _LAST_BIT).astype(np.uint64)) & _ONE
    odd: npt.NDArray[np.bool_] = np.diff(parity.astype(np.int8), prepend=np.int8(0)) != 0
    return odd


def counts(mask: Words, ends: Indexes) -> Indexes:
    """Return how many bytes a mask marks in each line."""
    packed = mask.view(np.uint8)
    before = np.cumsum(_BITS[packed], dtype=np.int64)
    places = ends >> _BYTE
    rest = _BITS[packed[places] >> (ends & _BYTE_LAST).astype(np.uint8)]
    per_line: Indexes = np.diff(before[places] - rest, prepend=0)
    return per_line


def total(mask: Words) -> int:
    """Return how many bytes a mask marks."""
    return int.from_bytes(mask.tobytes(), "little").bit_count()


def has_gap(mask: Words, size: int) -> bool:
    """Return whether a mask is empty over one of the text's stretches of this size."""
    words = size >> _WORD
    whole = len(mask) // words * words
    return not mask[:whole].reshape(-1, words).any(axis=1).all()


def positions(mask: Words) -> Indexes:
    """Return the indexes of the bytes a mask marks."""
    packed = mask.view(np.uint8)
    eights = np.flatnonzero(packed)
    bits = np.unpackbits(packed[eights, None], axis=1, bitorder="little")
    rows, columns = np.nonzero(bits)
    return (eights[rows] << _BYTE) + columns


def _packed(mask: npt.NDArray[np.bool_]) -> Words:
    packed = np.packbits(mask, bitorder="little")
    words = np.zeros(-(-len(packed) // 8) * 8, np.uint8)
    words[: len(packed)] = packed
    return words.view("<u8")


def _prefix_xor(mask: Words) -> Words:
    """Return a mask whose bits are the parity of all bits up to and including theirs."""
    parity = mask.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(shift)
    carried = np.bitwise_xor.accumulate(parity >> _TOP)
    parity[1:] ^= np.uint64(0) - carried[:-1]
    return parity


def _following(mask: Words) -> Words:
    """Return a mask of the bytes after marked bytes."""
    shifted = mask << _ONE
    shifted[1:] |= mask[:-1] >> _TOP
    return shifted


def _preceding(mask: Words) -> Words:
    """Return a mask of the bytes before marked bytes."""
    shifted = mask >> _ONE
    shifted[:-1] |= mask[1:] << _TOP
    return shifted
