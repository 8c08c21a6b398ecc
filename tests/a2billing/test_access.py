"""A2Billing's tables in a directory of exports."""

from __future__ import annotations

import pytest

from a2ledger.a2billing import access
from a2ledger.sources.batch import UnusableInput


def read(tmp_path, content, columns=("id", "name")):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "cc_card.csv").write_bytes(data)
    return access.Files(tmp_path).rows("cc_card", columns)


@pytest.mark.parametrize("nothing", ["NULL", "\\N", "0000-00-00 00:00:00", " ", ""])
def test_null_and_dates_of_zeros_are_nothing(tmp_path, nothing):
    (row,) = read(tmp_path, f"id,name\n1,{nothing}\n").rows
    assert row.values == {"id": "1", "name": ""}


def test_text_stored_as_utf8_in_a_latin1_table_is_itself_again(tmp_path):
    twice = "Königreich".encode().decode("cp1252")
    rows = read(tmp_path, f"id,name\n1,{twice}\n2,Königreich\n3,日本\n").rows
    assert [row["name"] for row in rows] == ["Königreich", "Königreich", "日本"]
    assert [row["name"] for row in read(tmp_path, "id,name\n1,Köln\n".encode("latin-1")).rows] == [
        "Köln"
    ]


def test_a_table_or_a_column_that_is_not_there_is_empty(tmp_path):
    assert access.Files(tmp_path).rows("cc_gone", ("id",)) == ([], [])
    (row,) = read(tmp_path, "id\n1\n", ("id", "name", "other")).rows
    assert row.values == {"id": "1", "name": "", "other": ""}
    with pytest.raises(UnusableInput, match="no column id"):
        read(tmp_path, "name\nx\n")


def test_a_row_keeps_its_place_and_text_and_one_that_is_none_is_refused(tmp_path):
    found = read(tmp_path, 'id,name\n1,"two\nlines"\n2,x,y\n3,z\n')
    assert [(row.line, row["name"]) for row in found.rows] == [(2, "two\nlines"), (5, "z")]
    assert found.rows[1].raw == "3,z"
    assert [(row.line, row.reason) for row in found.refused] == [(4, "columns")]
