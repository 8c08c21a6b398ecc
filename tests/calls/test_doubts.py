"""What is said of rows that may mean something else."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from batches import rows_of

from a2ledger.calls import doubts
from a2ledger.calls.fates import Fates

EPOCH = 1_768_000_000


def zone(*ahead, uid=f"{EPOCH}.7"):
    rows = rows_of(*({"uniqueid": uid} for _ in ahead))[1]
    starts = np.array([EPOCH + seconds for seconds in ahead])
    return doubts.of_zone(rows, starts, np.ones(len(ahead), np.bool_))


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (0, ""),
        (400, ""),
        (3600, "1:00 hours later"),
        (-7200, "2:00 hours earlier"),
        (20_700, "5:45 hours later"),
    ],
)
def test_most_calls_must_start_when_their_ids_say(seconds, says):
    warnings = zone(seconds, seconds, seconds, 86_400)
    assert [says in warning for warning in warnings] == [True] * bool(says)


def test_ids_without_a_time_say_nothing_of_zones():
    assert zone(3600, uid="abc") == []
    assert zone() == []


def test_an_hour_that_happened_twice_is_said_with_its_rows():
    batch, rows = rows_of({}, {})
    fates = Fates(batch, rows)
    assert doubts.of_hour(rows, fates) == []
    fates.doubtful = 2
    assert doubts.of_hour(rows, fates) == [
        "note: pbx1: 2 rows of an hour that happened twice, taken as the first"
    ]


def test_directions_that_were_inferred_are_said_of_a_switch_s_rows_only():
    ways = SimpleNamespace(guessed=np.array([True]), short=np.array([True]))
    for dstchannel, said in (("", 0), ("SIP/x", 1)):
        batch, rows = rows_of({"dstchannel": dstchannel})
        fates = Fates(batch, rows)
        assert len(doubts.of_guesses(rows, ways, fates)) == said
        assert "short_codes" in doubts.of_short_numbers(rows, ways, fates)[0]
        fates.leave_out(np.array([True]), "context")
        assert doubts.of_guesses(rows, ways, fates) == []
        assert doubts.of_short_numbers(rows, ways, fates) == []
