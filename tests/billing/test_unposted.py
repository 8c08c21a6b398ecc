"""Calls that a close leaves off its bills, and what is said of them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import shelf

from a2ledger.billing import unposted
from a2ledger.billing.unposted import Held
from a2ledger.book.book import Book
from a2ledger.period import Period
from a2ledger.sources import quarantine
from a2ledger.sources.batch import CALL, Refused

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
FEBRUARY = Period(dt.date(2026, 2, 1), dt.date(2026, 3, 1))
DAY = dt.date(2026, 1, 31)


@pytest.mark.parametrize(
    ("day", "lies"),
    [
        (dt.date(2026, 1, 1), True),
        (DAY, True),
        (dt.date(2026, 2, 1), False),
        (dt.date(2025, 12, 31), False),
        (None, True),
    ],
)
def test_a_call_of_no_known_day_may_be_of_any_period(day, lies):
    assert unposted.may_lie(Held(day, "C1", "no-rate"), JANUARY) is lies


def test_a_call_of_nobody_known_holds_every_strict_close_and_is_no_remark():
    calls = [Held(DAY, "", "unknown-customer"), Held(None, "C2", "no-rate")]
    (held,) = unposted.hindrances(calls, "C1", JANUARY)
    assert held.message == "1 call of these periods in quarantine (unknown-customer 1)"
    assert unposted.remarks(calls, "C1", JANUARY) == []
    assert unposted.hindrances(calls, "C1", FEBRUARY) == []
    (remark,) = unposted.remarks(calls, "C2", FEBRUARY)
    assert "no-rate 1, 1 of a day nobody can tell" in remark.message


def test_a_close_names_the_customers_whose_calls_it_lacks():
    calls = [Held(DAY, f"C{number}", "no-rate") for number in range(7)]
    calls += [Held(DAY, "C0", "no-rate"), Held(DAY, "", "bad-seconds")]
    closed = [(f"C{number}", JANUARY) for number in range(7)]
    known, nobodys = unposted.told(calls, closed)
    assert known.startswith("8 calls of these periods in quarantine (no-rate 8): C0 2, C1 1,")
    assert known.endswith(" and 2 more customers")
    assert nobodys.endswith("in quarantine (bad-seconds 1): no customer is known of them")
    assert unposted.told(calls, [("C9", FEBRUARY)]) == []


def test_a_quarantined_call_has_the_day_on_the_book_s_own_clock(tmp_path):
    root = shelf.started(tmp_path / "book")

    def row(name, raw, head, day="", customer=""):
        return Refused("a.csv", 1, "no-rate", "", raw, name, head, day, customer)

    late = json.dumps({"start": "2026-01-31T23:30:00+00:00", "customer": "C1"})
    rows = {
        ("pbx1", "late"): row("late", late, CALL),
        ("pbx1", "edited"): row("edited", "{", CALL, "2026-01-05", "C2"),
        ("pbx1", "odd"): row("odd", "x", "", "someday", "C3"),
        ("payments", "p"): row("p", "x", "", "2026-01-05", "C4"),
    }
    (root / "quarantine").mkdir()
    (root / quarantine.PATH).write_bytes(quarantine.written(quarantine.Quarantine(rows)))
    assert sorted(unposted.held(Book(root)), key=lambda call: call.customer) == [
        Held(dt.date(2026, 2, 1), "C1", "no-rate"),
        Held(dt.date(2026, 1, 5), "C2", "no-rate"),
        Held(None, "C3", "no-rate"),
    ]


def test_without_unclaimed_calls_nothing_is_said(tmp_path):
    own = Book(shelf.started(tmp_path / "book"))
    assert unposted.unclaimed_within(own, JANUARY) == []
    assert unposted.told_unclaimed(own, [("C1", JANUARY)]) == []
    assert unposted.told_unclaimed(own, []) == []
