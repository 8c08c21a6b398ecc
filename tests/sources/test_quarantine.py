from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources import quarantine
from a2ledger.sources.batch import CALL, Refused
from a2ledger.sources.quarantine import Quarantine


def refused(identity="pbx/u", line=3, raw="a,b", reason="no-rate"):
    return Refused("Master.csv", line, reason, "no rate for 99", raw, identity)


EMPTY = Quarantine({})


def test_a_row_is_new_once():
    one, new = EMPTY.updated("pbx", [refused()], [])
    again, none = one.updated("pbx", [refused(line=9)], [])
    _, other = one.updated("other", [refused()], [])

    assert (new, none, other) == (1, 0, 1)
    assert again.rows["pbx", "pbx/u"].line == 9


def test_a_call_that_lost_keeps_the_place_it_was_read_in_first():
    lost = Refused("a.csv", 3, "conflict", "another", '{"called": "1"}', "pbx/u#1", CALL)
    held, _ = EMPTY.updated("pbx", [lost], [])

    again, none = held.updated("pbx", [lost._replace(file="b.csv", line=1)], [])
    other, _ = held.updated("pbx", [lost._replace(line=1, reason="settled")], [])

    assert (again, none) == (held, 0)
    assert (other.rows["pbx", "pbx/u#1"].line, len(other.rows)) == (1, 1)


def test_a_row_leaves_when_it_is_posted_unless_it_was_refused_in_the_same_run():
    held, _ = EMPTY.updated("pbx", [refused("a"), refused("b")], [])

    left, new = held.updated("pbx", [refused("b")], ["a", "b", "unknown"])

    assert list(left.rows) == [("pbx", "b")]
    assert new == 0
    assert held.updated("other", [], ["a"])[0].rows == held.rows


TEXTS = st.text(
    st.one_of(st.sampled_from(list('"\n\r,;\\\x1f\u2028\udc80')), st.characters(min_codepoint=32)),
    max_size=20,
)


@given(st.lists(st.builds(Refused, TEXTS, st.integers(0, 10**6), *[TEXTS] * 7)))
def test_whatever_a_switch_wrote_comes_back(rows):
    held, _ = EMPTY.updated("pbx", rows, [])

    assert quarantine.parse(quarantine.written(held).decode("utf-8", "surrogateescape")) == held


def test_long_rows_are_read_and_whoever_reads_next_has_a_limit_again():
    long = refused(raw="x" * 200_000)
    limit = csv.field_size_limit()

    (read,) = quarantine.parse(
        quarantine.written(Quarantine({("pbx", "u"): long})).decode()
    ).rows.values()

    assert read.raw == long.raw
    assert csv.field_size_limit() == limit


def test_it_is_written_by_source_file_and_line(tmp_path):
    rows = [refused("c", 9), refused("a", 10), refused("b", 2)]
    held, _ = EMPTY.updated("pbx", rows, [])
    held, _ = held.updated("another", [refused("z")], [])
    (tmp_path / "quarantine").mkdir()
    (tmp_path / quarantine.PATH).write_bytes(quarantine.written(held))

    assert quarantine.written(held).decode() == (
        "source,identity,file,line,reason,message,raw,head,day,customer\n"
        'another,z,Master.csv,3,no-rate,no rate for 99,"a,b",,,\n'
        'pbx,b,Master.csv,2,no-rate,no rate for 99,"a,b",,,\n'
        'pbx,c,Master.csv,9,no-rate,no rate for 99,"a,b",,,\n'
        'pbx,a,Master.csv,10,no-rate,no rate for 99,"a,b",,,\n'
    )
    assert quarantine.read(tmp_path) == held


def test_a_book_without_one_has_an_empty_one(tmp_path):
    assert quarantine.read(tmp_path) == EMPTY


def test_a_row_longer_than_csv_usually_allows_is_read():
    held, _ = EMPTY.updated("pbx", [refused(raw="x" * 200_000)], [])

    assert quarantine.parse(quarantine.written(held).decode("utf-8", "surrogateescape")) == held


@pytest.mark.parametrize(
    "text", ["source,identity\npbx,a\n", "source,identity,file,line\na,b,c,x\n"]
)
def test_a_file_that_is_none_of_ours_is_said(tmp_path, text):
    (tmp_path / "quarantine").mkdir()
    (tmp_path / quarantine.PATH).write_text(text)

    with pytest.raises(quarantine.BrokenQuarantineError, match="is not as a2ledger wrote it"):
        quarantine.read(tmp_path)


# Rows that are dropped for good


BAD = "id,customer,start,called,seconds\nq1,nobody,2026-01-05 10:00:00,32,60\n"


@pytest.mark.parametrize("columns", [BAD, BAD.replace("id,", "", 1).replace("q1,", "")])
def test_a_row_that_is_dropped_stays_away_and_leaves_a_trace(book, columns):
    book.customers({"id": "C1"})
    path = book.file("calls.csv", columns)
    book.run("import", "calls", path, today="2026-01-06", code=3)
    (row,) = book.run("quarantine", "list", "--json").json
    book.run("quarantine", "drop", row["identity"], "--reason", "our own test", today="2026-01-07")
    assert book.run("quarantine", "list", "--json").json == []
    assert book.log()[0] == "quarantine drop: 1 row(s): our own test"
    trace = book.text("dropped.csv").splitlines()[1]
    assert "our own test" in trace
    assert "unknown-customer" in trace
    assert "nobody" not in trace
    # The same row again is counted, refused by nobody, and billed to nobody.
    done = book.run("import", "calls", path, "--json", today="2026-01-08")
    assert done.json["not_billable"] == {"dropped": 1}
    book.run("customer", "set", "C1", "identifiers=nobody", "--from", "2026-01-01")
    done = book.run("import", "calls", path, "--json", today="2026-01-08")
    assert (done.json["posted"], done.json["not_billable"]) == (0, {"dropped": 1})
    explained = book.run("import", "calls", path, "--explain", today="2026-01-08").stdout
    assert "not billable (dropped)" in explained
    # Another row with its id is another row.
    other = book.file("other.csv", columns.replace(",60", ",61"))
    assert book.run("import", "calls", other, "--json", today="2026-01-08").json["posted"] == 1


def test_nothing_is_dropped_without_a_reason_or_by_another_name(book):
    book.customers({"id": "C1"})
    book.run("import", "calls", book.file("calls.csv", BAD), today="2026-01-06", code=3)
    before = book.digests()
    book.run("quarantine", "drop", "calls/q1", code=2)
    book.run("quarantine", "drop", "calls/q1", "--reason", " ", code=1)
    done = book.run("quarantine", "drop", "calls/q1", "calls/q2", "--reason", "x", code=1)
    assert "calls/q2: not in the quarantine; nothing was dropped" in done.stderr
    book.run("quarantine", "drop", "calls/q1", "--reason", "x", "--dry-run")
    assert book.digests() == before
