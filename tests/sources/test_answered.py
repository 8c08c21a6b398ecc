"""Whether a call was answered, in the words of switches and providers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from a2ledger.sources import answered


@pytest.mark.parametrize(
    ("word", "means"),
    [("Répondu", True), ("Erfolgreich", True), ("Contestada", True), ("SIP 200", True),
     ("Call End", True), ("Occupé", False), ("verpasst", False), ("No contesta", False)],
)  # fmt: skip
def test_words_for_answered_are_known_in_the_languages_of_exports(word, means):
    judged = answered.judge(pa.array([word]), pa.array(["60"]))
    assert (judged.answered.to_pylist(), judged.unknown.to_pylist()) == ([means], [""])


def judged(word, seconds="60", more=()):
    result = answered.judge(pa.array([word]), pa.array([seconds]), more)
    return result.answered.to_pylist()[0], result.unknown.to_pylist()[0]


@pytest.mark.parametrize(
    "cause", ["NORMAL_CLEARING", "16", "Terminated by dst", "ORIGINATOR_CANCEL"]
)
@pytest.mark.parametrize(
    ("seconds", "talked"),
    [
        ("60", True),
        ("0", False),
        ("00:00:07", True),
        ("0:00", False),
        ("1.5", True),
        ("7 sec", True),
        ("", False),
    ],
)
def test_how_a_call_ended_says_nothing_unless_people_talked(cause, seconds, talked):
    assert judged(cause, seconds) == (talked, "")


@pytest.mark.parametrize(
    ("word", "is_answer"),
    [("2026-01-05 10:00:00", True), ("1768000000", True), ("0000-00-00 00:00:00", False),
     ("1970-01-01 00:00:00", False), ("", False), ("0", False)],
)  # fmt: skip
def test_a_time_says_when_a_call_was_answered(word, is_answer):
    assert judged(word, "") == (is_answer, "")


def test_an_unknown_word_is_named_only_where_people_talked():
    assert judged("Zork") == (True, "Zork")
    assert judged("Zork", "0") == (False, "")
    assert judged("Zork", more=["zork"]) == (True, "")


def test_no_word_means_two_things():
    assert not answered.YES & answered.NO
    assert {"1"} >= answered.CAUSES & (answered.YES | answered.NO)  # a cause of ISDN, and a yes


def test_each_row_of_many_is_judged_as_alone():
    words = ["ANSWERED", "BUSY", "Zork", "16", ""]
    whole = answered.judge(pa.array(words), pa.array(["60"] * 5))
    each = [judged(word) for word in words]
    assert list(zip(*(column.to_pylist() for column in whole), strict=True)) == each
