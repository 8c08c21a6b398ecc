"""What an imported record leaves of the money a call reserves."""

from __future__ import annotations

import pytest

from a2ledger.switch.reservations import ENDED, NEVER, RUNNING, Reservation
from a2ledger.switch.settlement import Record, settled


def reservation(attempt=1, **given):
    usual = {"held_micro": 5_000_000, "max_seconds": 300, "expires": 2_000, "forget": 9_000}
    return Reservation(
        call="x", attempt=attempt, switch="pbx1", customer="C1", called="32470", destination="BE",
        started=1_000, **{**usual, **given},
    )  # fmt: skip


def record(cost_micro, start=1_000, seconds=60):
    return Record(call="x", switch="pbx1", start=start, seconds=seconds, cost_micro=cost_micro)


@pytest.mark.parametrize("state", [RUNNING, ENDED])
def test_a_call_whose_record_is_imported_holds_nothing_beside_it(state):
    (after,) = settled([reservation(state=state)], [record(1_000_000)], 7)
    assert (after.state, after.seconds, after.cost_micro) == (ENDED, 60, 1_000_000)
    assert after.holds(1_500, 6) == 5_000_000  # beside the book before the import
    assert after.holds(1_500, 7) == 0


def test_a_call_that_goes_on_holds_the_rest_until_it_is_hung_up():
    done, going = settled([reservation(ends=1)], [record(2_000_000)], 7)
    assert (done.state, done.cost_micro, done.holds(1_500, 7)) == (ENDED, 2_000_000, 0)
    assert (going.state, going.released, going.attempt) == (RUNNING, NEVER, 2)
    assert going.holds(1_500, 7) == 3_000_000
    assert going.is_on(1_500, 7)


def test_a_record_that_cost_more_than_was_held_leaves_nothing_and_never_less():
    _, going = settled([reservation(ends=1)], [record(8_000_000)], 7)
    assert going.held_micro == 0


def test_what_was_held_is_forgotten_in_the_end_even_if_no_record_comes():
    waiting = reservation()
    assert waiting.holds(8_999, 0) == 5_000_000
    assert waiting.holds(9_000, 0) == 0
