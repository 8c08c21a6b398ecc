"""The log of decisions."""

from __future__ import annotations

import contextlib
import json

import pytest
from boards import NOON
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.switch import decisions
from a2ledger.switch.decide import Decision
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.questions import Begin, End, Settled


def decided(**more):
    facts = {"allowed": True, "reason": "ok", "called": "32470123456", "prefix": "32470"}
    return Decision(**facts | more)


def logged(tmp_path, question, answer, alert=None):
    path = tmp_path / "log/decisions.jsonl"
    with contextlib.closing(Decisions(path, 1, 1, alert)) as log:
        log.write(NOON, 7, [question], [answer])
    (line,) = path.read_text().splitlines()
    assert path.stat().st_mode & 0o007 == 0
    return json.loads(line)


def test_a_decision_is_a_line_with_what_it_was_based_on(tmp_path):
    begin = Begin(call="1", called="32470123456", identifiers=("3031", "ada"), switch="pbx")
    line = logged(tmp_path, begin, decided(limit_micro=10_000_000, owed_micro=1, customer="ada"))
    assert (line["asked"], line["call"], line["identifiers"]) == ("begin", "1", ["3031", "ada"])
    assert line["called"] == "32470****56"
    assert line["time"] == "2026-03-02T12:00:00.000+01:00"
    assert (line["from"]["generation"], line["from"]["limit"]) == (7, "10.00")
    assert line["from"]["owed"] == "0.000001"


def test_a_call_that_was_hung_up_is_a_line_with_its_cost(tmp_path):
    settled = Settled(call="1", is_known=True, customer="ada", cost_micro=60_000)
    line = logged(tmp_path, End(call="1", seconds=61), settled)
    assert (line["asked"], line["known"], line["seconds"], line["cost"]) == (
        "end",
        True,
        61,
        "0.06",
    )
    assert "switch" not in line


@pytest.mark.parametrize(("reason", "alerts"), [("ok", 0), ("spend-limit", 1), ("no-credit", 0)])
def test_a_guard_that_held_is_told_to_who_is_to_know(tmp_path, reason, alerts):
    told = []
    decision = decided(allowed=False, reason=reason)
    logged(tmp_path, Begin(call="1", called="32"), decision, lambda *about: told.append(about))
    assert told == [(NOON, decision)] * alerts


@given(st.text("0123456789", max_size=15), st.integers(0, 15))
def test_a_masked_number_shows_its_prefix_and_two_digits_and_keeps_its_length(number, length):
    shown = decisions.masked(number, number[:length])
    assert len(shown) == len(number)
    assert shown.replace("*", "") == number[: max(length, 4)] + number[max(length, 4) :][-2:] or (
        shown == number
    )


def test_nothing_is_written_of_nothing(tmp_path):
    with contextlib.closing(Decisions(tmp_path / "log", 1, 1)) as log:
        log.write(NOON, 1, [], [])
    assert (tmp_path / "log").read_text() == ""
