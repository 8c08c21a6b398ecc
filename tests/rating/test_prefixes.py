"""Prefixes of a deck: which of them a number begins with, and how they may be written."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.rating import prefixes

DIGITS = st.text("0123", min_size=1, max_size=4)


@given(st.lists(DIGITS, min_size=1, max_size=8, unique=True), st.lists(DIGITS, min_size=1))
def test_a_number_is_that_of_the_longest_prefix_it_begins_with(deck, numbers):
    index = prefixes.index(deck)
    found = index.find(prefixes.keys(pa.array(numbers)))
    bare = {prefix: row for row, prefix in enumerate(deck)}
    for prefix, row in list(bare.items()):
        bare.setdefault(prefixes.without_00(prefix), row)
    for number, place in zip(numbers, found.tolist(), strict=True):
        fitting = [prefix for prefix in bare if number.startswith(prefix)]
        wanted = bare[max(fitting, key=len)] if fitting else None
        assert (index.row[place] if place >= 0 else None) == wanted


@given(st.lists(st.text("0123456789+#a", max_size=20)))
def test_one_number_has_the_key_it_has_among_others(numbers):
    keys = prefixes.keys(pa.array(numbers, pa.string())).tolist()
    assert keys == [prefixes.key(number) for number in numbers]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("44", ["44"]),
        ("+44; 33", ["44", "33"]),
        ("008-011", ["008", "009", "010", "011"]),
        ("DEFAULT", ["default"]),
        ("_44[2-9]X.", ["_44[2-9]X."]),
    ],
)
def test_a_cell_may_be_a_list_a_range_or_a_pattern(cell, meant):
    assert prefixes.listed(cell) == meant


@pytest.mark.parametrize(
    "cell", [",", "44a", "44-4", "47-44", "1" * 16, "10000-99999", "_", "_44[", "44-"]
)
def test_what_is_no_prefix_is_refused(cell):
    with pytest.raises(ValueError, match=r"is not|is a list|has more|is more|both ends"):
        prefixes.listed(cell)
