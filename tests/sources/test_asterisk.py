"""Asterisk's call records, as Asterisk writes them."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import os

import pytest
from checkout import MASTER
from harness import cdr

from a2ledger import sources
from a2ledger.book.source_config import Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.sources.asterisk import COLUMNS
from a2ledger.sources.batch import UnusableInput

SOURCE = Source(name="pbx1", dialect="asterisk", switch="pbx1", timezone="UTC")

ROW = (
    '"C1","3021","3069","customers","""Ann"" <3021>","PJSIP/1001-00000001","PJSIP/out-00000002",'
    '"Dial","PJSIP/3069@out,60","2026-01-05 10:00:00","2026-01-05 10:00:04",'
    '"2026-01-05 10:01:04",64,60,"ANSWERED","DOCUMENTATION"'
)


def read(path, **changes):
    (batch,) = sources.dialect("asterisk")(path, dataclasses.replace(SOURCE, **changes))
    return batch


def said(batch):
    """What each row says, but for what it says nothing of."""
    return [{name: value for name, value in row.items() if value} for row in batch.rows.to_pylist()]


@pytest.fixture
def master(tmp_path):
    def write(*lines):
        path = tmp_path / "Master.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


def test_a_file_by_a_live_asterisk_is_read_whole():
    batch = read(MASTER)
    assert (len(batch.rows), batch.refused, batch.notes) == (66, [], ())
    assert batch.rows.column_names == [*sources.FIELDS, "line", "answered", "never"]
    row = batch.rows.slice(1, 1).to_pylist()[0]
    assert row == {
        "accountcode": "cust1",
        "peeraccount": "cust1",
        "channel": "Local/1*306970000000@t-00000006;2",
        "dstchannel": "Local/306970000000@carrier-00000007;1",
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
        "lastdata": "Local/306970000000@carrier,8,L(60000)",
        "linkedid": "",
        "answer": "",
        "end": "",
        "direction": "",
        "line": 2,
        "answered": False,
        "never": "",
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


def named(directory, *names):
    for name in names:
        (directory / name).write_text("")
    return [path.name for path in sources.files("asterisk", directory)]


def test_of_a_directory_the_master_and_what_was_rotated_from_it_are_read_oldest_first(tmp_path):
    (tmp_path / "old.csv").mkdir()
    rotated = ["Master.csv-20251201.gz", "Master-20260101.csv", "Master.csv.10", "Master.csv.2.gz"]
    others = ["acme.csv", "karthik <1001>.csv", "notes.txt", ".Master.csv.swp", "Master.xls"]

    assert named(tmp_path, "Master.csv", *others, "Master.csv.1", *reversed(rotated)) == [
        *rotated,
        "Master.csv.1",
        "Master.csv",
    ]


def test_of_a_directory_without_a_master_the_files_of_accounts_are_read(tmp_path):
    assert named(tmp_path, "b.csv", "a.csv", "a.csv.1", "a.csv-20260101.gz", "cdr.log") == [
        "a.csv-20260101.gz",
        "a.csv.1",
        "a.csv",
        "b.csv",
    ]


def test_a_directory_without_a_file_of_the_dialect_cannot_be_used(tmp_path):
    with pytest.raises(UnusableInput, match=r"no file here is one of asterisk; nothing was"):
        named(tmp_path, "notes.txt")
    with pytest.raises(UnusableInput, match=r"cannot be read: no such file"):
        sources.files("asterisk", tmp_path / "none")


def test_of_a_directory_a_dialect_without_a_choice_reads_all_but_hidden_files(tmp_path):
    for age, name in enumerate(("a", "c", "b", ".hidden")):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (age, age))
    assert [path.name for path in sources.files("calls", tmp_path)] == ["a", "c", "b"]


def test_a_directory_stands_for_its_files_and_copies_in_it_are_not_calls_twice(book, tmp_path):
    book.customers({"id": "C1"})
    rows = [cdr(uniqueid=f"1767607200.{number}", sequence=number) for number in range(3)]
    directory = tmp_path / "cdr-csv"
    directory.mkdir()
    for name, part in {"Master.csv.1": rows[:2], "Master.csv": rows[2:], "C1.csv": rows}.items():
        (directory / name).write_text("".join(f"{row}\n" for row in part))

    done = book.run("import", "asterisk", directory, "--json", today="2026-01-31")

    assert done.json["files"] == [str(directory)]
    assert (done.json["read"], done.json["posted"], done.json["duplicate"]) == (3, 3, 0)
    assert f"{directory}: 2 of 3 files read, and not C1.csv" in done.stderr
    again = book.run("import", "asterisk", directory / "C1.csv", "--json", today="2026-01-31")
    assert (again.json["posted"], again.json["duplicate"]) == (0, 3)


def test_a_directory_that_cannot_be_used_is_one_line(book, tmp_path):
    (tmp_path / "empty").mkdir()
    done = book.run("import", "asterisk", tmp_path / "empty", code=65)
    assert len(done.errors) == 1
    assert len(book.run("import", "customers", tmp_path / "empty", code=65).errors) == 1


SAMPLE_CONF = (
    *("clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start"),
    *("answer", "end", "duration", "billsec", "disposition", "amaflags", "accountcode"),
    *("uniqueid", "userfield", "sequence"),
)
CUSTOM = (
    '"""Ann"" <3021>","3021","3069","customers","PJSIP/1001-00000001","PJSIP/out-00000002",'
    '"Dial","PJSIP/3069@out,60","2026-01-05 10:00:00","2026-01-05 10:00:04",'
    '"2026-01-05 10:01:04","64","60","ANSWERED","DOCUMENTATION","C1","1767607200.1","",7'
)
CALL = {
    "accountcode": "C1",
    "channel": "PJSIP/1001-00000001",
    "dstchannel": "PJSIP/out-00000002",
    "src": "3021",
    "dst": "3069",
    "context": "customers",
    "application": "Dial",
    "start": "2026-01-05 10:00:00",
    "seconds": "60",
    "duration": "64",
    "uniqueid": "1767607200.1",
    "lastdata": "PJSIP/3069@out,60",
    "line": 1,
    "answered": True,
}
TIMES = {"answer": "2026-01-05 10:00:04", "end": "2026-01-05 10:01:04"}


def test_cdr_custom_is_read_by_the_columns_the_source_declares(master):
    batch = read(master(CUSTOM, CUSTOM.rpartition(",")[0], CUSTOM), columns=SAMPLE_CONF)
    assert said(batch) == [CALL | TIMES | {"sequence": "7", "line": line} for line in (1, 3)]
    assert [(row.line, row.message) for row in batch.refused] == [
        (2, "there are 18 columns, not 19")
    ]


def test_columns_of_cdr_custom_may_be_ignored_and_times_may_be_epochs(master):
    path = master('"x","1767607200.477789","3069","y","60.008656","ANSWERED"')
    columns = ("", "start", "dst", "-", "billsec", "disposition")
    assert said(read(path, columns=columns)) == [
        {"start": "2026-01-05 10:00:00Z", "dst": "3069", "seconds": "60"}
        | {"line": 1, "answered": True}
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("start", "dst", "bilsec", "disposition"), "'bilsec' is no column .* mean 'billsec'"),
        (("start", "dst", "what", "disposition"), "'what' is no column .* write \"\""),
        (
            ("start", "dst", "billsec"),
            "there is no disposition; nothing was done; have cdr_custom.conf log it",
        ),
        (("start", "dst", "dst", "billsec", "disposition"), "dst is there twice"),
        (("start", "calldate", "dst", "billsec", "disposition"), "start is there twice"),
    ],
)
def test_columns_that_cannot_be_are_a_mistake_in_the_configuration(master, columns, message):
    with pytest.raises(ConfigError, match=rf"^sources\.pbx1\.columns: {message}"):
        read(master(CUSTOM), columns=columns)


REPORT = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,"
    "disposition,amaflags,accountcode,uniqueid,userfield"
)
REPORTED = (
    '2026-01-05 10:00:00,"Ann" <3021>,3021,3069,customers,PJSIP/1001-00000001,PJSIP/out-00000002,'
    'Dial,"PJSIP/3069@out,60",64,60,ANSWERED,3,C1,1767607200.1,'
)


def test_a_report_of_freepbx_is_read_though_its_names_are_not_quoted(master):
    odd = REPORTED.replace('"Ann" <3021>', '"Smith, "Bob" J." <3021>')
    batch = read(master(REPORT, REPORTED, odd, REPORT, REPORTED.replace('"Ann" <3021>', "3021")))
    assert said(batch) == [CALL | {"line": line} for line in (2, 3, 5)]
    assert [(row.line, row.reason) for row in batch.refused] == [(4, "header")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_export_of_the_table_is_read_by_its_header(tmp_path, separator):
    values = {
        "calldate": "2026-01-05 10:00:00",
        "clid": '"Ann" <3021>',
        "src": "3021",
        "dst": "3069",
        "dcontext": "customers",
        "channel": "PJSIP/1001-00000001",
        "dstchannel": "PJSIP/out-00000002",
        "lastapp": "Dial",
        "lastdata": "PJSIP/3069@out,60",
        "duration": "64",
        "billsec": "60",
        "disposition": "ANSWERED",
        "accountcode": "C1",
        "uniqueid": "1767607200.1",
        "userfield": "NULL",
        "did": "3225550100",
        "recordingfile": "out-3069.wav",
        "linkedid": "1767607200.1",
        "peeraccount": "\\N",
        "sequence": "7",
    }
    path = tmp_path / "cdr.csv.gz"
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.DictWriter(file, list(values), delimiter=separator)
        writer.writeheader()
        writer.writerow(values)
    assert said(read(path)) == [
        CALL | {"did": "3225550100", "linkedid": "1767607200.1", "sequence": "7", "line": 2}
    ]


def test_an_export_is_whole_though_its_last_line_has_no_end(master):
    path = master(REPORT, REPORTED)
    path.write_text(path.read_text().rstrip("\n"))
    assert (len(read(path).rows), read(path).notes) == (1, ())


def test_a_line_of_names_on_a_log_leaves_it_a_log(master):
    names = ",".join(COLUMNS[:16])
    assert [row["uniqueid"] for row in said(read(master(names, ROW + ',"1767607200.1",""')))] == [
        "1767607200.1"
    ]


def test_text_may_be_latin_1_where_the_source_says_so(tmp_path):
    path = tmp_path / "Master.csv"
    path.write_bytes(f'{ROW},"1767607200.1","Zoë"\n'.encode("latin-1"))
    assert [row.reason for row in read(path).refused] == ["encoding"]
    assert said(read(path, encoding="latin-1"))[0]["userfield"] == "Zoë"


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
