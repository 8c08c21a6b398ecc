"""Reservations in a database."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3

import pytest
from boards import account, begin, board
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a2ledger.switch.reservations import NEVER, Reservation
from a2ledger.switch.state import State, StateError


def test_calls_an_earlier_version_wrote_down_are_known(path):
    first = board(path, account())
    begin(first, "1", seconds=600)
    first.state.close()
    with contextlib.closing(sqlite3.connect(path)) as state:
        state.execute("ALTER TABLE calls DROP COLUMN ends")
    later = board(path, account())
    assert [(call.call, call.ends) for call in later.holding()] == [("1", 0)]
    assert begin(later, "2", ends=True).allowed


def reservation(call="1", **more):
    facts = {
        "call": call, "attempt": 1, "switch": "pbx", "customer": "ada", "called": "3312",
        "destination": "Belgium", "started": 1000, "max_seconds": 600, "held_micro": 5,
        "expires": 2000, "forget": 3000, "cost_micro": 5,
    }  # fmt: skip
    return Reservation(**facts | more)


@pytest.fixture
def state(path):
    with contextlib.closing(State(str(path))) as opened:
        opened.open()
        yield opened


def test_what_was_written_is_there_after_it_is_opened_again(state, path):
    with state.transaction():
        state.put(reservation())
        state.put(reservation(attempt=2, held_micro=7))
        state.put(reservation(attempt=2, held_micro=9))
    state.close()
    with contextlib.closing(State(str(path))) as again, again.transaction():
        assert again.find("1") == again.find("1", "pbx") == reservation(attempt=2, held_micro=9)
        assert again.find("1", "other") is again.find("2") is None
        assert [row.attempt for row in again.attempts("1")] == [1, 2]


def test_of_a_transaction_that_fails_nothing_is_written(state):
    def broken():
        with state.transaction():
            state.put(reservation())
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    with state.transaction():
        assert state.find("1") is None


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file"):
        State(str(tmp_path / "file" / "state.sqlite")).open()


CALLS = st.lists(
    st.builds(
        lambda number, **more: (number, more),
        st.integers(0, 3),
        customer=st.sampled_from(["ada", "bob"]),
        held_micro=st.integers(0, 9),
        state=st.sampled_from(["setup", "running", "ended"]),
        started=st.integers(0, 20),
        expires=st.integers(0, 20),
        forget=st.integers(0, 20),
        released=st.sampled_from([1, 2, 3, NEVER]),
        cost_micro=st.integers(0, 9),
    ),
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CALLS, st.integers(0, 20), st.sampled_from([1, 2]), st.integers(0, 20))
def test_what_a_customer_s_calls_hold_is_the_sum_of_what_each_holds(
    state, calls, now, generation, hour
):
    rows = {number: reservation(str(number), **more) for number, more in calls}
    with state.transaction():
        state._run("DELETE FROM calls")  # noqa: SLF001 - the table is the same for each example
        state.put_all(rows.values())
        held = state.holds("ada", now, generation, spent_since=(hour, 0))
        own = [row for row in rows.values() if row.customer == "ada"]
        assert held.held_micro == sum(row.holds(now, generation) for row in own)
        assert held.hour_micro == sum(row.cost_micro for row in own if row.started >= hour)
        assert held.day_micro == sum(row.cost_micro for row in own)
        on = [row for row in own if row.is_on(now, generation) and row.forget > now]
        assert held.calls == len(on)
        for row in own:
            others = state.holds("ada", now, generation, without=row, spent_since=(0, 0))
            assert others.held_micro == held.held_micro - row.holds(now, generation)
            assert others.day_micro == held.day_micro - row.cost_micro


def test_an_alert_of_a_reason_is_the_first_of_its_day_once(state):
    day = dt.date(2026, 3, 2)
    with state.transaction():
        asked = [state.first_alert(day, "ada", reason) for reason in ("barred", "barred", "hour")]
        assert asked == [True, False, True]
        assert state.first_alert(day + dt.timedelta(days=1), "ada", "barred")
        state.purge(0, day + dt.timedelta(days=3))
        assert state.first_alert(day, "ada", "barred")


def test_a_call_whose_record_never_came_is_remembered_for_a_month(state):
    day = 24 * 60 * 60
    with state.transaction():
        state.put_all([reservation("held"), reservation("free", held_micro=0)])
        state.purge(10 * day, dt.date(2026, 3, 2))
        assert [row.call for row in state.lost(10 * day)] == ["held"]
        assert state.find("free") is None
        state.purge(31 * day, dt.date(2026, 3, 2))
        assert state.find("held") is None
