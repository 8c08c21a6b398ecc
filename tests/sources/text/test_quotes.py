"""The quotes of a CSV text, located as a strict reader finds them."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources.text import quotes
from a2ledger.sources.text.rows import strict

LINES = st.lists(st.text('a",\r\0é ', max_size=12).map(str.encode), min_size=1, max_size=6)


def array(text):
    return np.frombuffer(text, np.uint8)


def is_strict(line):
    try:
        strict(line.decode(), ",")
    except csv.Error:
        return False
    return b"\0" not in line and b"\r" not in line.removesuffix(b"\r")


@given(LINES)
def test_a_text_is_plain_only_if_each_of_its_lines_is_a_row_by_itself(lines):
    """A strict reader lets some things pass that are not plain; none the other way round."""
    text = b"".join(line + b"\n" for line in lines)
    marks = quotes.marks(array(text), ord(","))
    if not quotes.total(marks.bad):
        assert all(map(is_strict, lines))
        ends = np.flatnonzero(array(text) == ord("\n"))
        widths = (quotes.counts(marks.separators, ends) + 1).tolist()
        assert widths == [len(strict(line.decode(), ",")) or 1 for line in lines]
    assert quotes.positions(marks.feeds).tolist() == [
        place for place, byte in enumerate(text) if byte == ord("\n")
    ]


@given(LINES)
def test_lines_with_an_odd_number_of_quotes_are_found(lines):
    text = b"".join(line + b"\n" for line in lines)
    ends = np.flatnonzero(array(text) == ord("\n"))
    assert quotes.unpaired(array(text), ends).tolist() == [
        line.count(b'"') % 2 == 1 for line in lines
    ]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (b'a,"b,c",d\n', True),
        (b'"a""b",c\n', True),
        (b'"",\r\n', True),
        (b'a"b,c\n', False),
        (b'"a"b,c\n', False),
        (b'"a\nb",c\n', False),
        (b"a\rb\n", False),
        (b"a\0b\n", False),
    ],
)
def test_what_two_readers_could_read_differently_is_not_plain(text, plain):
    for before in (b"", b"x,y\n" * 40):
        assert (quotes.total(quotes.marks(array(before + text), ord(",")).bad) == 0) == plain


@given(st.sets(st.integers(0, 299)))
def test_a_mask_knows_its_bytes_and_its_gaps(places):
    text = np.full(300, ord("a"), np.uint8)
    text[list(places)] = ord("\n")
    marks = quotes.marks(np.append(text, np.uint8(ord("\n"))), ord(","), tame=True)
    assert set(quotes.positions(marks.feeds).tolist()) == places | {300}
    assert quotes.total(marks.feeds) == len(places) + 1
    empty = any(not places & set(range(start, start + 64)) for start in range(0, 256, 64))
    assert quotes.has_gap(marks.feeds, 64) == empty
