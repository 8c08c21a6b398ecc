"""Rows of the quarantine, read again from the text that was kept."""

from __future__ import annotations

import datetime as dt
import json

from a2ledger.book.source_config import Source
from a2ledger.sources import restore
from a2ledger.sources.batch import CALL, Refused

SOURCE = Source(name="calls", dialect="calls", switch="s", timezone="UTC")
HEAD = "id,customer,start,called,seconds"
GOOD = "1,C1,2026-01-05 10:00:00,3225550101,60"


def row(raw, line=7, file="a.csv", head=HEAD):
    return Refused(file, line, "no-rate", "", raw, f"i{line}", head)


def read(*rows):
    return list(restore.batches(rows, SOURCE))


def test_rows_of_a_file_are_read_together_and_keep_their_places():
    other = GOOD.replace("1,C1", "2,C2")
    (batch,) = read(row(GOOD), row(other, 9))
    assert batch.rows["accountcode"].to_pylist() == ["C1", "C2"]
    assert batch.origin.lines.to_pylist() == [7, 9]
    assert batch.file == "a.csv"
    assert [batch.raw(number) for number in batch.rows["line"].to_pylist()] == [GOOD, other]


def test_rows_of_two_files_are_two_batches():
    batches = read(row(GOOD), row(GOOD, 3, "b.csv"))
    assert [batch.file for batch in batches] == ["a.csv", "b.csv"]


def test_what_cannot_be_read_again_stays_refused_and_takes_no_other_with_it():
    batches = read(row(GOOD), row('1,"open', 8), row("x", 9))
    kept = [
        line
        for batch in batches
        for line in batch.origin.lines.to_pylist()
        if batch.origin and len(batch.rows)
    ]
    refused = [part.line for batch in batches for part in batch.refused]
    assert 7 in kept
    assert set(refused) == {8, 9}


def call(**more):
    usual = {
        "customer": "C1", "start": "2026-01-31T23:30:00+00:00", "called": "32", "caller": "",
        "seconds": 60, "switch": "s", "uid": "1", "seq": "", "service": "Calls",
        "identifier": "C1", "tariff": "", "halves": "",
    }  # fmt: skip
    return Refused("a.csv", 7, "conflict", "", json.dumps(usual | more), "i", CALL)


def test_a_call_in_json_is_a_call_again_on_the_book_s_clock():
    table, unusable = restore.calls([call(), call(given_micro=5)], ["C0", "C1"], "Europe/Brussels")
    assert unusable == []
    assert table["customer"].to_pylist() == [1, 1]
    assert table["day"].to_pylist() == [dt.date(2026, 2, 1)] * 2
    assert table["given_micro"].to_pylist() == [None, 5]
    assert restore.batch_of_calls([call()], table).raw(1) == call().raw


def test_what_is_no_call_or_of_nobody_is_left_where_it_is():
    odd = [call(customer="gone"), call()._replace(raw="{"), call(start="never"), call(seconds="x")]
    table, unusable = restore.calls([*odd, call()], ["C1"], "UTC")
    assert (len(table), unusable) == (1, odd)
    assert table["line"].to_pylist() == [5]
