"""Rate sheets read from files: which are read, and why others are not."""

from __future__ import annotations

import zipfile

import pytest
from carriers_sheets import BELGIUM, ROWS, of_text, read, shown, workbook

from a2ledger.rating import sheet_file
from a2ledger.sources.batch import UnusableInput


def test_of_several_sheets_with_prices_one_is_named(tmp_path):
    path = workbook(tmp_path / "a.xlsx", ROWS, Old=ROWS[2:4])
    with pytest.raises(UnusableInput, match="sheets Rates, Old; nothing was read; say which"):
        read(path)
    assert shown(read(path, name="Old")) == BELGIUM[:1]


@pytest.mark.parametrize("content", [b"\xd0\xcf\x11\xe0junk", b"PK\x03\x04junk"])
def test_what_is_no_workbook_is_said_to_be_none(tmp_path, content):
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match="nothing was read"):
        read(path)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('32,0.02,"Belgium\n33,0.01,France\n34,0.01,Spain\n', ":2: a cell begins with a quotation"),
        (f"32,0.02,{'B' * 200_000}\n", ":2: a cell is longer than 131,072 characters"),
    ],
)
def test_a_cell_that_takes_in_the_rows_below_it_is_refused_with_its_line(tmp_path, row, says):
    with pytest.raises(UnusableInput, match=says):
        of_text(tmp_path, f"Prefix,Rate,Destination\n{row}")


def test_marks_within_a_cell_are_let_pass(tmp_path):
    found = of_text(tmp_path, 'Prefix,Rate,Destination\n32,0.02,"Bel" gium\n33,1,"a, b"\n')
    assert [rate.destination for rate in found.rates] == ["Bel gium", "a, b"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"%PDF-1.7\n", "is a PDF; nothing was read"),
        ("a.csv", b"PK\x03\x04junk", "cannot be read as a workbook .* save it as .xlsx or CSV"),
    ],
)
def test_what_is_no_sheet_is_said_to_be_none(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnusableInput, match=says):
        read(path)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml"])
def test_a_damaged_workbook_is_said_to_be_one(tmp_path, part):
    whole = workbook(tmp_path / "a.xlsx", ROWS)
    with zipfile.ZipFile(whole) as parts, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as damaged:
        for name in parts.namelist():
            damaged.writestr(name, parts.read(name)[: 90 if name == part else None])
    with pytest.raises(UnusableInput, match="cannot be read as a workbook"):
        read(tmp_path / "b.xlsx")


def test_a_workbook_that_unpacks_to_more_than_a_gigabyte_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_file, "LARGEST", 1000)
    with pytest.raises(UnusableInput, match="larger than"):
        read(workbook(tmp_path / "a.xlsx", ROWS))
