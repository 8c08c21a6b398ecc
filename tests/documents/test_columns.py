"""Text in columns, for a terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from a2ledger.documents import columns

WORDS = st.text("ab é電\u0301", max_size=60)


@given(WORDS, st.integers(2, 40))
def test_wrapped_text_keeps_its_characters_and_its_width(text, width):
    lines = columns.fitted(text, width)
    assert all(columns.columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == "".join(text.split())


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(-(10**9), 10**9)), min_size=1, max_size=5))
def test_amounts_stand_below_each_other_and_are_never_broken(rows):
    block = "\n".join(columns.cells(*row) for row in rows)
    lines = columns.table(block, "<*>").splitlines()
    numbers = [str(row[2]) for row in rows]
    ending = [line for line in lines if line.endswith(tuple(numbers))]
    assert len(ending) >= len(rows)
    assert len({columns.columns(line) for line in ending if line.split()[-1] in numbers}) <= 2
    assert all(columns.columns(line) <= columns.WIDTH for line in lines)


def test_a_rule_is_as_wide_as_the_table():
    text = columns.table(f"{columns.cells('a', '12')}\n---\n{columns.cells('bcd', '3')}", "<>")
    assert text == "a    12\n-------\nbcd   3\n"


def test_what_stands_in_one_cell_never_becomes_two():
    assert columns.cells("a\tb\n c", ["d", "e"]) == "a b c\td\te"


def test_a_paragraph_keeps_its_own_line_breaks_and_is_indented():
    assert columns.wrapped("one two\nthree", 9, "  ") == "  one two\n  three"
    assert columns.padded("電", 4, right=True) == "  電"
