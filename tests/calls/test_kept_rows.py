"""Rows of sources with trunks, as they are stored: in seconds, each once, for legs made anew."""

from __future__ import annotations

import datetime as dt

import pytest
from batches import rows_of

from a2ledger.book.disk import write
from a2ledger.book.source_config import Source
from a2ledger.calls import kept_rows
from a2ledger.calls.detail import MissingDetailError

DAY = dt.date(2026, 1, 5)
NOON = 1767614400  # 2026-01-05 12:00 UTC
SOURCE = Source(name="pbx1", dialect="asterisk", switch="pbx1", timezone="Europe/Brussels")


def facts(*rows, **columns):
    usual = {"start": "2026-01-05 13:00:00", "answer": "2026-01-05 13:00:05",
             "end": "2026-01-05 13:01:05", "duration": "65", "seconds": "60"}  # fmt: skip
    batch, _ = rows_of(*(usual | row for row in rows), **columns)
    return kept_rows.facts(batch.rows, SOURCE)


def times(rows):
    return rows.select(kept_rows.TIMES).to_pylist()[0]


def test_times_are_seconds_by_the_clock_of_the_source():
    assert times(facts({})) == {
        "start_at": NOON, "answer_at": NOON + 5, "end_at": NOON + 65,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "answer", "end"),
    [
        ({"answer": ""}, 5, 65),  # what the row counted is what is left
        ({"end": ""}, 5, 65),
        ({"end": "2026-01-05 12:01:05"}, 5, 65),  # the clock was put back meanwhile
        ({"answer": "2026-01-05 15:00:00"}, 5, 65),
        ({"duration": "", "end": ""}, 0, 0),
    ],
)
def test_where_a_row_s_times_cannot_be_right_its_own_lengths_hold(row, answer, end):
    found = times(facts(row))
    assert (found["answer_at"] - NOON, found["end_at"] - NOON) == (answer, end)


def test_a_row_without_a_time_has_none_and_is_of_no_day():
    assert times(facts({"start": "yesterday"}))["start_at"] is None


def test_rows_without_an_id_have_one_of_their_contents():
    (first, second, third) = facts({"src": "1"}, {"src": "2"}, {"src": "1"})["uniqueid"].to_pylist()
    assert first == third != second


def test_a_row_that_comes_twice_or_is_there_already_is_kept_once(tmp_path):
    rows = facts({"uniqueid": "1"}, {"uniqueid": "2"}, {"uniqueid": "1"})
    draft = _Draft(tmp_path)
    nothing = kept_rows.read(tmp_path, DAY)
    assert len(nothing) == 0
    kept_rows.keep(draft, DAY, nothing, rows, kept_rows.texts_of(rows))
    held = kept_rows.read(tmp_path, DAY)
    assert held["uniqueid"].to_pylist() == ["1", "2"]
    more = facts({"uniqueid": "2"}, {"uniqueid": "0", "start": "2026-01-05 12:59:00"})
    kept_rows.keep(draft, DAY, held, more, kept_rows.texts_of(more))
    assert kept_rows.read(tmp_path, DAY)["uniqueid"].to_pylist() == ["0", "1", "2"]
    kept_rows.keep(draft, DAY, held, rows, kept_rows.texts_of(rows))
    assert draft.written == 2  # nothing new, nothing written


def test_the_rows_of_a_leg_are_found_beside_midnight_and_of_its_switch_alone(tmp_path):
    draft = _Draft(tmp_path)
    rows = facts({"uniqueid": "1", "channel": "PJSIP/a-1"}, {"uniqueid": "2", "channel": "x"})
    kept_rows.keep(draft, DAY, kept_rows.read(tmp_path, DAY), rows, kept_rows.texts_of(rows))
    name = kept_rows.model.name_of(rows.to_pylist()[0])
    after = dt.datetime(2026, 1, 6, tzinfo=dt.UTC)
    leg = f"PJSIP/t-1: {name}"
    assert [row["uniqueid"] for row in kept_rows.rows_of(tmp_path, "pbx1", leg, after)] == ["1"]
    assert kept_rows.rows_of(tmp_path, "pbx2", leg, after) == []
    assert kept_rows.rows_of(tmp_path, "pbx1", leg, after + dt.timedelta(days=2)) == []


def test_rows_that_cannot_be_read_are_refused(tmp_path):
    path = tmp_path / kept_rows.path(DAY)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1")
    with pytest.raises(MissingDetailError, match="backup"):
        kept_rows.read(tmp_path, DAY)


def test_the_days_of_rows_are_counted_in_utc():
    rows = facts({"start": "2026-01-05 00:30:00"}, {"start": "2026-01-05 01:30:00"})
    first, second = kept_rows.days(rows)
    assert (dt.date(1970, 1, 1) + dt.timedelta(days=int(second)), second - first) == (DAY, 1)


class _Draft:
    """Where files are put, counted."""

    def __init__(self, root):
        self.root, self.written = root, 0

    def put(self, path, content):
        self.written += 1
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        write(self.root / path, content)
