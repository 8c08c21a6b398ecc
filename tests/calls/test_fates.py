"""Each row of a batch has one fate, and what is read of it is clean."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from batches import rows_of
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls.fates import Fates, clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  a b ", "a b"),
        ("a\x00b\n", "ab"),
        ("\u202eevil\u2028", "evil"),
        ("\u00a0é\u3000", "é"),
        ("\t", ""),
        ("~", "~"),
        (None, ""),
    ],
)
def test_controls_and_blanks_around_a_text_go_alone_and_among_others(text, cleaned):
    assert clean(pa.array([text], pa.string())).to_pylist() == [cleaned]
    assert clean(pa.array(["é", text, "a"], pa.string())).to_pylist() == ["é", cleaned, "a"]
    assert clean(pa.array(["a", text, " "], pa.string())).to_pylist() == ["a", cleaned, ""]


@given(st.lists(st.text(max_size=5), max_size=5))
def test_texts_together_are_cleaned_as_each_alone_and_once_is_enough(texts):
    def cleaned(*some):
        return clean(pa.array(some, pa.string())).to_pylist()

    assert cleaned(*texts) == [cleaned(text)[0] for text in texts]
    assert cleaned(*cleaned(*texts)) == cleaned(*texts)


def test_the_first_fate_of_a_row_is_its_only_one():
    batch, rows = rows_of({"uniqueid": "1.1"}, {"uniqueid": "1.2"}, {}, {})
    fates = Fates(batch, rows)
    fates.leave_out(np.array([True, False, False, False]), "context")
    fates.refuse(np.array([True, True, False, False]), "bad-start", lambda row: f"row {row}")
    fates.leave_out(np.array([True, True, True, False]), "rule")
    fates.leave_out(np.array([True, True, True, False]), "never")
    assert fates.open.tolist() == [False, False, False, True]
    assert fates.not_billable == {"context": 1, "rule": 1}
    assert fates.left_out.tolist() == [0, -1, 1, -1]
    (refused,) = fates.refused
    assert (refused.line, refused.reason, refused.message) == (2, "bad-start", "row 1")
    assert (refused.identity, fates.places) == ("sw1/1.2", [1])


def test_devices_are_those_of_answered_rows():
    _, rows = rows_of(
        {"channel": "PJSIP/a-00000001"},
        {"channel": "PJSIP/b-00000002", "answered": False},
        {"channel": "PJSIP/c-00000003"},
    )
    assert rows.devices("channel", pa.array([2, 1, 0])).to_pylist() == ["c", "", "a"]
    assert rows.devices("channel", pa.array([0, 2])).to_pylist() == ["a", "c"]


def test_a_row_says_when_its_channel_was_made_and_who_it_is():
    _, rows = rows_of(
        {"uniqueid": "pbx-1768000000.7", "sequence": "3"}, {"uniqueid": "x"}, {"sequence": "3"}
    )
    assert [rows.created(place) for place in range(3)] == [1_768_000_000, None, None]
    assert [rows.identity(place) for place in range(3)] == ["sw1/pbx-1768000000.7/3", "sw1/x", ""]


def test_rows_that_are_never_calls_are_named_by_their_reasons():
    never = pa.array(["hangup", "", None, "hangup", "b-leg"], pa.string())
    _, rows = rows_of(*[{}] * 5, never=never)
    assert rows.never_names() == ["b-leg", "hangup"]
    assert rows.never("hangup").tolist() == [True, False, False, True, False]
    assert rows_of({})[1].never_names() == []
    assert not rows.is_of_switch
    assert rows_of({}, {"dstchannel": "SIP/x"})[1].is_of_switch
