"""CSV of people: any order, any separator, comments; what is wrong is named with its line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import csvfile


def read(text):
    return csvfile.read(text, file="f.csv", known=("id", "name"), required=("id",))


def test_columns_are_found_by_name_in_whatever_order_and_separator():
    table, problems = read("\ufeff# from the shop\nname;more; id\n\n Ada ;1;C1\n;;\nBob\n")
    assert problems == []
    assert {name: list(cells) for name, cells in table.columns.items()} == {
        "id": ["C1", ""],
        "name": ["Ada", "Bob"],
    }
    assert list(table.lines) == [4, 6]
    assert (table.separator, table.ignored) == (";", ("more",))


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name\nAda\n", 1, "has no column id"),
        ("id,id\n1,2\n", 1, "names the column id twice"),
        ("id,name\nC1,Ada,1.5\n", 2, "has 3 cells under 2 columns"),
        ('id,name\nC1,"Ada\n', 2, "cannot be read as CSV"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text, line, said):
    _, problems = read(text)
    assert [(problem.file, problem.line) for problem in problems] == [("f.csv", line)]
    assert said in str(problems[0])


@given(
    st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))), max_size=5)
)
def test_what_is_written_is_read_again(rows):
    rows = [row for row in rows if row]
    text = csvfile.csv_text(rows)
    assert list(csv.reader(io.StringIO(text, newline=""))) == rows


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-cmd", "+cmd", "\t=1"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(text):
    assert csvfile.cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.50", "+32255501", "Anna", "", "C-1"])
def test_numbers_and_words_stay_as_they_are(text):
    assert csvfile.cell(text) == text
