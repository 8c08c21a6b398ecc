"""Rows put aside by day."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls.spool import Spool

SCHEMA = pa.schema([("number", pa.int64()), ("text", pa.string())])
DAYS = [dt.date(2026, 1, day) for day in (1, 2, 3)]


def table(rows):
    return pa.table(
        {"number": [number for number, _ in rows], "text": [str(n) for n, _ in rows]},
        schema=SCHEMA,
    ), pa.chunked_array([pa.array([day for _, day in rows], pa.date32())])


@given(
    batches=st.lists(st.lists(st.tuples(st.integers(0, 99), st.sampled_from(DAYS)))),
    limit=st.integers(0, 20),
)
def test_a_day_gives_back_what_was_put_under_it_in_order(tmp_path_factory, batches, limit):
    with Spool(tmp_path_factory.mktemp("spool"), SCHEMA, limit) as spool:
        for rows in batches:
            spool.add(*table(rows))
        given_days = {day for rows in batches for _, day in rows}

        assert spool.days() == sorted(given_days)
        for day in DAYS:
            wanted = [number for rows in batches for number, when in rows if when == day]
            assert sorted(spool.look(day)["number"].to_pylist()) == sorted(wanted)
            assert sorted(spool.take(day)["number"].to_pylist()) == sorted(wanted)


def test_nothing_is_left_behind_not_even_after_an_error(tmp_path):
    def fail():
        with Spool(tmp_path, SCHEMA, 0) as spool:
            spool.add(*table([(1, DAYS[0]), (2, DAYS[1])]))
            assert list(tmp_path.iterdir())
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert list(tmp_path.iterdir()) == []
