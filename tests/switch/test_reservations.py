"""What an allowed call reserves, and until when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.switch.reservations import ENDED, NEVER, RUNNING, SETUP, Reservation

MOMENTS = st.integers(0, 20)


def reserved(**more):
    facts = {
        "call": "1.1", "attempt": 1, "switch": "", "customer": "C1", "called": "3225550199",
        "destination": "Belgium", "started": 0, "max_seconds": 60, "held_micro": 1_000_000,
        "expires": 10, "forget": 15,
    }  # fmt: skip
    return Reservation(**facts | more)


@given(MOMENTS, MOMENTS, st.sampled_from([SETUP, RUNNING, ENDED]))
def test_money_is_reserved_until_the_record_is_imported_or_the_call_forgotten(now, at, state):
    reservation = reserved(state=state, released=5)
    holds = at < 5 and now < 15
    assert reservation.holds(now, at) == (1_000_000 if holds else 0)


@given(MOMENTS, MOMENTS)
def test_a_call_of_which_no_record_ever_comes_is_forgotten_in_the_end(now, at):
    assert reserved().released == NEVER
    assert (reserved().holds(now, at) == 0) == (now >= 15)


@pytest.mark.parametrize(
    ("state", "now", "generation", "is_on"),
    [
        (SETUP, 9, 0, True),
        (RUNNING, 9, 0, True),
        (ENDED, 9, 0, False),
        (RUNNING, 10, 0, False),  # it has ended by now at the latest
        (RUNNING, 9, 5, False),  # its record is imported
    ],
)
def test_a_call_counts_as_running_until_it_ends_can_run_no_longer_or_is_imported(
    state, now, generation, is_on
):
    assert reserved(state=state, released=5).is_on(now, generation) is is_on


def test_a_call_that_ended_still_holds_its_cost():
    ended = reserved(state=ENDED, held_micro=40_000, cost_micro=40_000)
    assert ended.holds(now=9, generation=0) == 40_000
    assert not ended.is_on(now=9, generation=0)
