"""What switches ask and are told, as JSON."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.switch import answers
from a2ledger.switch.answers import QuestionError
from a2ledger.switch.decide import Decision
from a2ledger.switch.questions import Settled
from a2ledger.switch.reservations import ENDED, NEVER, RUNNING, Reservation


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0),
        ("", 0),
        (0, 0),
        ("0.0", 0),
        (61, 61),
        ("61", 61),
        ("61.5", 62),
        ("61.0", 61),
        (0.2, 1),
    ],
)
def test_a_second_that_was_begun_counts(value, seconds):
    assert answers.seconds_of(value) == seconds


@pytest.mark.parametrize("value", [True, "1e3", "-1", "1:00", "٣", "1" * 10, [], {}, float("nan")])
def test_what_is_no_length_is_refused_by_its_name(value):
    with pytest.raises(QuestionError, match=r"^length: "):
        answers.seconds_of(value, "length")


def test_a_call_is_allowed_for_a_second_at_least_and_a_day_at_most():
    assert answers.wanted_seconds(10**8) == 24 * 60 * 60
    assert answers.wanted_seconds(None) == 0
    with pytest.raises(QuestionError, match="at least a second"):
        answers.wanted_seconds(0)


@pytest.mark.parametrize(
    ("value", "text"), [("a b", "a b"), (32470, "32470"), (None, ""), ("", ""), ("é", "é")]
)
def test_a_text_may_be_a_number(value, text):
    assert answers.text_of({"called": value}, "called") == text


@pytest.mark.parametrize("value", [True, 1.5, [], {}, "a\n", "a\0", "x" * 257, "\ud800"])
def test_what_is_no_text_is_refused_by_its_name(value):
    with pytest.raises(QuestionError, match=r"^called: "):
        answers.text_of({"called": value}, "called")


def test_what_must_be_said_is_asked_for():
    with pytest.raises(QuestionError, match="called: is missing"):
        answers.text_of({"called": ""}, "called", required=True)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [(True, True), ("Yes", True), ("1", True), (False, False), ("no", False), (0, False)],
)
def test_yes_and_no_have_many_words(value, meaning):
    assert answers.is_true(value, "ends") is meaning


@pytest.mark.parametrize("value", ["", "maybe", 2, None])
def test_neither_yes_nor_no_is_refused(value):
    with pytest.raises(QuestionError, match="ends: must be true or false"):
        answers.is_true(value, "ends")


def test_amounts_are_texts():
    decision = Decision(allowed=True, reason="ok", per_minute_micro=123_456, reserved_micro=600_000)
    shown = answers.decision_json(decision)
    assert (shown["per_minute"], shown["reserved"]) == ("0.123456", "0.60")
    settled = Settled(call="1", is_known=True, cost_micro=-1_000_000)
    assert answers.settled_json(settled)["cost"] == "-1.00"


@given(st.integers(0, 2000))
def test_a_call_that_nobody_hung_up_is_lost_once_it_must_have_ended(now):
    call = Reservation(
        call="1", attempt=1, switch="", customer="C1", called="32", destination="", started=1000,
        max_seconds=600, held_micro=1, expires=1600, forget=5000,
    )  # fmt: skip
    shown = answers.call_json(call, now, 1, ZoneInfo("UTC"))
    assert shown["state"] == (RUNNING if now < 1600 else "lost")
    assert 0 <= shown["seconds"] <= 600
    assert call.released == NEVER
    ended = Reservation(**{name: getattr(call, name) for name in call.__slots__} | {"state": ENDED})
    assert answers.call_json(ended, now, 1, ZoneInfo("UTC"))["state"] == ENDED
