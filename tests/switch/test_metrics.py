"""Metrics in Prometheus' text format."""

from __future__ import annotations

import datetime as dt

from boards import NOON, account, snapshot

from a2ledger.switch.decide import Decision
from a2ledger.switch.metrics import Metrics
from a2ledger.switch.questions import Begin, End, Settled
from a2ledger.switch.reservations import Reservation
from a2ledger.switch.terms import Account

AT = int(NOON.timestamp())
CALL = Reservation(
    call="1", attempt=1, switch="", customer="ada", called="32", destination="", started=AT,
    max_seconds=60, held_micro=1_500_000, expires=AT + 60, forget=AT + 600,
)  # fmt: skip


def values(text):
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in lines}


def test_what_was_decided_and_what_is_held_can_be_read_off():
    metrics = Metrics()
    begin = Begin(call="1", called="32", protocol="agi")
    metrics.count(begin, Decision(allowed=True, reason="ok"), 0.002)
    metrics.count(begin, Decision(allowed=False, reason="no-rate"), 9.0)
    metrics.count(End(call="1", protocol="agi"), Settled(call="1", is_known=False), 0.001)
    unsound = Account(customer=account("bob").customer, owed_micro=0, is_sound=False)
    book = snapshot(account(), unsound, generation=7)
    shown = values(metrics.text(book, NOON - dt.timedelta(seconds=3), NOON, [CALL]))
    assert shown['a2ledger_decisions_total{protocol="agi",asked="begin",reason="ok"}'] == "1"
    assert shown['a2ledger_ends_total{protocol="agi",known="no"}'] == "1"
    assert (shown["a2ledger_calls"], shown["a2ledger_held"]) == ("1", "1.50")
    assert (shown["a2ledger_customers"], shown["a2ledger_unsound_customers"]) == ("2", "1")
    assert (shown["a2ledger_book_generation"], shown["a2ledger_book_age_seconds"]) == ("7", "3.000")
    buckets = [int(value) for name, value in shown.items() if "_bucket" in name]
    assert buckets == sorted(buckets)
    assert buckets[-1] == int(shown["a2ledger_answer_seconds_count"]) == 3


def test_before_the_book_was_read_there_is_nothing_to_count():
    shown = values(Metrics().text(None, None, NOON, []))
    assert (shown["a2ledger_customers"], shown["a2ledger_book_age_seconds"]) == ("0", "-1.000")
    assert shown["a2ledger_held"] == "0.00"
