"""The rows of a block of CSV text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from a2ledger.sources.text import rows
from a2ledger.sources.text.lines import Block
from a2ledger.sources.text.rows import Layout

LAYOUT = Layout(widths={2: ("a", "b"), 3: ("a", "b", "")}, heading=("a",), loose=frozenset("b"))


def read(content, *, fast=True, line=5, last=True):
    found = rows.read(Block(content, line, last=last), LAYOUT, fast=fast)
    return (
        [tuple(row.values()) for row in found.table.select(["a", "b", "line"]).to_pylist()],
        [(damage.line, damage.reason) for damage in found.damages],
        found.rest,
    )


PIECES = st.lists(
    st.sampled_from(
        [
            "1,2",
            '"1",2,3',
            "",
            " ",
            "1",
            '1,"2',
            '3"',
            '"1"x,2',
            "é,2\r",
            "\ufeff1,2",
            "1\0,2",
            "1,2,3,4",
        ]
    )
).map(lambda lines: "".join(f"{line}\n" for line in lines))


@given(PIECES)
@example("")
def test_many_at_once_and_one_by_one_give_the_same(text):
    content = text.encode()
    assert read(content) == read(content, fast=False)


@given(PIECES)
def test_every_line_is_of_a_row_is_refused_is_blank_or_is_left(text):
    content = text.encode()
    found, refused, rest = read(content, last=False)
    lines = content[:rest].splitlines() if "\r" not in text else content[:rest].split(b"\n")[:-1]
    taken = {line for *_, line in found} | {line for line, _ in refused}
    for number, line in enumerate(lines, 5):
        if line.strip() and number not in taken:
            assert b'"' in content  # within a row of several lines
    assert len(found) + len(refused) <= len(lines)


@given(st.lists(st.lists(st.text('a",é ;', max_size=5), min_size=2, max_size=3), min_size=1))
def test_what_a_writer_wrote_is_what_is_read(written):
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(written)
    found, refused, _ = read(out.getvalue().encode())
    assert [row[:2] for row in found] == [tuple(row[:2]) for row in written]
    assert refused == []


def test_a_row_that_is_open_at_the_end_of_a_block_is_left_for_the_next():
    content = b'1,2\n3,"four\n'
    assert read(content, last=False) == ([("1", "2", 5)], [], 4)
    assert read(content, last=True)[:2] == ([("1", "2", 5)], [(6, "quotes")])


def test_the_text_of_a_row_is_had_by_its_line():
    found = rows.read(Block(b'1,"a\nb"\n\xff,2\n', 1, last=True), LAYOUT)
    assert found.raw(1) == '1,"a\nb"'
    assert found.raw(3) == r"\xff,2"


@pytest.mark.parametrize("text", ['a"b', '"a"b,c', '"a', 'a,"b" '])
def test_a_quote_within_a_field_that_has_none_around_it_is_no_row(text):
    with pytest.raises(csv.Error):
        rows.strict(text, ",")


@given(
    st.lists(st.text('a",|é', max_size=5), min_size=1, max_size=4).filter(lambda row: row != [""])
)
def test_a_row_is_split_as_it_was_joined(fields):
    out = io.StringIO()
    csv.writer(out, delimiter="|", lineterminator="").writerow(fields)
    assert rows.strict(out.getvalue(), "|") == fields


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_quotes_stand_around_values_whatever_stands_between_them(separator):
    layout = Layout(widths={2: ("a", "b")}, heading=("a",), separator=separator)
    block = Block(f'"1"{separator}"x ""y"" {separator} z"\n'.encode(), 1, last=True)
    for fast in (True, False):
        found = rows.read(block, layout, fast=fast)
        assert found.table["b"].to_pylist() == [f'x "y" {separator} z']
        assert found.damages == []
