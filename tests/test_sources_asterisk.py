"""Asterisk's call records, as Asterisk writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2ledger import sources
from a2ledger.config import Source

LIVE = Path(__file__).parent / "data" / "asterisk_live" / "Master.csv"
SOURCE = Source(name="pbx1", dialect="asterisk", switch="pbx1", timezone="UTC")

ROW = (
    '"C1","3021","3069","customers","""Ann"" <3021>","PJSIP/1001-00000001","PJSIP/out-00000002",'
    '"Dial","PJSIP/3069@out,60","2026-01-05 10:00:00","2026-01-05 10:00:04",'
    '"2026-01-05 10:01:04",64,60,"ANSWERED","DOCUMENTATION"'
)


def read(path):
    (batch,) = sources.dialect("asterisk")(path, SOURCE)
    return batch


@pytest.fixture
def master(tmp_path):
    def write(*lines):
        path = tmp_path / "Master.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


def test_a_file_by_a_live_asterisk_is_read_whole():
    batch = read(LIVE)
    assert (len(batch.rows), batch.refused, batch.notes) == (66, [], ())
    assert batch.rows.column_names == [*sources.FIELDS, "line", "answered"]
    row = batch.rows.slice(1, 1).to_pylist()[0]
    assert row == {
        "accountcode": "cust1",
        "peeraccount": "cust1",
        "channel": "Local/1*306970000000@t-00000006;2",
        "src": "302110001112",
        "dst": "306970000000",
        "did": "",
        "userfield": "max:60000",
        "context": "customers",
        "application": "Dial",
        "start": "2026-11-22 12:11:35",
        "seconds": "0",
        "duration": "0",
        "uniqueid": "1795349495.13",
        "sequence": "13",
        "cost": "",
        "line": 2,
        "answered": False,
    }
    assert batch.raw(2).startswith('"cust1","302110001112","306970000000","customers"')


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", {}),
        (',"1767607200.1"', {"uniqueid": "1767607200.1"}),
        (',"pbx-a-1767607200.1"', {"uniqueid": "pbx-a-1767607200.1"}),
        (',"note"', {"userfield": "note"}),
        (',"1767607200.1","note"', {"uniqueid": "1767607200.1", "userfield": "note"}),
        (',"C2","1767607200.0",7', {"peeraccount": "C2", "sequence": "7"}),
        (
            ',"1767607200.1","C2","1767607200.0",7',
            {"uniqueid": "1767607200.1", "peeraccount": "C2", "sequence": "7"},
        ),
        (
            ',"note","C2","1767607200.0",7',
            {"userfield": "note", "peeraccount": "C2", "sequence": "7"},
        ),
        (
            ',"1767607200.1","note","C2","1767607200.0",7',
            {
                "uniqueid": "1767607200.1",
                "userfield": "note",
                "peeraccount": "C2",
                "sequence": "7",
            },
        ),
    ],
)
def test_rows_have_as_many_columns_as_are_logged(master, more, expected):
    (row,) = read(master(ROW + more)).rows.to_pylist()
    names = ("uniqueid", "userfield", "peeraccount", "sequence")
    assert {name: row[name] for name in names if row[name]} == expected
    assert (row["accountcode"], row["dst"], row["seconds"]) == ("C1", "3069", "60")
    assert row["answered"]


def test_columns_may_change_in_the_middle_of_a_file(master):
    batch = read(master(ROW, ROW + ',"1767607200.1","note"', ROW, ROW + ',"a","b","c","d","5"'))
    rows = batch.rows.to_pylist()
    assert [row["line"] for row in rows] == [1, 2, 3, 4]
    assert [row["uniqueid"] for row in rows] == ["", "1767607200.1", "", "a"]


def test_a_header_in_the_middle_is_refused_by_name(master):
    header = (
        "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,"
        "duration,billsec,disposition,amaflags"
    )
    batch = read(master(ROW, header, ROW))
    assert [row.reason for row in batch.refused] == ["header"]
    assert batch.rows["line"].to_pylist() == [1, 3]
    assert read(master(header, ROW)).refused == []


def test_other_numbers_of_columns_are_refused(master):
    batch = read(master(ROW, ROW.rpartition(",")[0], ROW + ',"x"' * 6))
    assert [(row.line, row.reason) for row in batch.refused] == [(2, "columns"), (3, "columns")]
    assert batch.refused[0].message == "there are 15 columns, not 16, 17, 18, 19, 20, 21"
    assert batch.refused[0].identity.startswith("raw-")
    assert batch.refused[0].file.endswith("Master.csv")


def test_dialects_are_found_by_name():
    assert {"asterisk", "calls"} <= set(sources.dialects())
    with pytest.raises(KeyError):
        sources.dialect("morse")


def test_an_installed_dialect_is_found_by_its_entry_point(tmp_path, monkeypatch):
    (tmp_path / "morse-1.0.dist-info").mkdir()
    (tmp_path / "morse-1.0.dist-info" / "METADATA").write_text("Name: morse\nVersion: 1.0\n")
    (tmp_path / "morse-1.0.dist-info" / "entry_points.txt").write_text(
        "[a2ledger.dialects]\nmorse = operator:sub\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert "morse" in sources.dialects()
    assert sources.dialect("morse")(5, 2) == 3
