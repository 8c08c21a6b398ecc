"""The ids of calls, and of those that lost a conflict over one."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pyarrow as pa

from a2ledger.calls import detail, identity

START = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)


def call(**more):
    usual = dict.fromkeys(detail.SCHEMA.names, "")
    figures = dict.fromkeys(
        name
        for name in detail.SCHEMA.names
        if not pa.types.is_string(detail.SCHEMA.field(name).type)
    )
    return usual | figures | {
        "switch": "pbx", "uid": "17.1", "seq": "2", "start": START, "seconds": 60,
        "customer": "C1", "called": "32470", "given": False, "cost_micro": 0, "voided_micro": 0,
    } | more  # fmt: skip


def test_an_id_names_the_switch_the_row_and_its_sequence_if_it_has_one():
    calls = pa.table({"switch": ["pbx", "pbx"], "uid": ["1", "2"], "seq": ["", "7"]})
    assert list(identity.identities(calls)) == ["pbx/1", "pbx/2/7"]


def test_a_rival_is_known_by_its_contents_beside_the_id():
    own, other = (identity.of_rival(call(seconds=seconds)) for seconds in (60, 61))
    assert own != other
    assert own.startswith("pbx/17.1/2#")
    assert own == identity.of_rival(call(caller="whoever"))


def test_a_call_is_written_with_its_price_only_if_its_row_gave_it():
    assert "given_micro" not in json.loads(identity.written(call(cost_micro=5)))
    given = json.loads(identity.written(call(given=True, cost_micro=5, voided_micro=7)))
    assert given["given_micro"] == 12
    assert dt.datetime.fromisoformat(given["start"]) == START


def test_the_loser_of_a_conflict_says_how_it_is_added_all_the_same():
    rows = [{**call(), "file": "a.csv", "line": 7}]
    (refused,) = identity.conflicts(pa.Table.from_pylist(rows))
    assert (refused.file, refused.line, refused.reason) == ("a.csv", 7, "conflict")
    assert "--accept" in refused.message
    assert refused.identity == identity.of_rival(rows[0])


def test_calls_are_equal_by_switch_id_and_sequence():
    calls = pa.table({"switch": ["a", "a", "b"], "uid": ["1", "1", "1"], "seq": ["", "2", ""]})
    one, others = np.array([0, 1, 2]), np.array([0])
    assert identity.equal(calls, one, others).tolist() == [True, False, False]
    assert identity.equal(calls, one, np.array([], np.int64)).tolist() == [False] * 3
