"""Income of later days: what is left of a fee paid ahead, on each day and after a credit note."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.fees import deferrals
from a2ledger.fees.deferrals import Credited, Deferral
from a2ledger.period import Period

YEAR = Period(dt.date(2026, 1, 1), dt.date(2027, 1, 1))


def fee(micro=365_000_000, left=None, days=YEAR, name="line"):
    return Deferral(name, "DIDs", days, micro, micro if left is None else left)


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2025-12-01", 365_000_000),
        ("2026-01-01", 365_000_000),
        ("2026-02-01", 334_000_000),
        ("2026-12-31", 1_000_000),
        ("2027-01-01", 0),
        ("2028-01-01", 0),
    ],
)
def test_a_fee_is_earned_by_the_day(day, left):
    assert fee().left_at(dt.date.fromisoformat(day), 2) == left


@given(st.integers(-(10**9), 10**9), st.integers(1, 800), st.integers(0, 800))
def test_what_is_left_has_the_decimals_of_the_currency_and_is_no_more_than_the_fee(
    cents, days, passed
):
    start = dt.date(2026, 1, 1)
    row = fee(cents * 10_000, days=Period(start, start + dt.timedelta(days)))
    left = row.left_at(start + dt.timedelta(passed), 2)
    assert left % 10_000 == 0
    assert 0 <= abs(left) <= abs(row.micro)
    assert left * row.micro >= 0


def test_a_period_is_released_month_by_month():
    parts = deferrals.months_of(Period(dt.date(2026, 1, 15), dt.date(2026, 3, 10)))
    assert [(str(part.start), str(part.end)) for part in parts] == [
        ("2026-01-15", "2026-02-01"),
        ("2026-02-01", "2026-03-01"),
        ("2026-03-01", "2026-03-10"),
    ]


def test_half_of_a_fee_that_is_credited_takes_back_half_of_what_is_left():
    (back,) = deferrals.taken_back(
        [fee(100_000_000, 60_000_000)], [Credited("DIDs", YEAR, 50_000_000)], 2
    )
    assert (back.micro, back.left_micro) == (-50_000_000, -30_000_000)


def test_parts_that_add_up_to_a_fee_take_back_all_that_is_left_of_it():
    parts = [Credited("DIDs", YEAR, micro) for micro in (33_330_000, 33_330_000, 33_340_000)]
    back = list(deferrals.taken_back([fee(100_000_000, 70_010_000)], parts, 2))
    assert sum(row.left_micro for row in back) == -70_010_000
    assert sum(row.micro for row in back) == -100_000_000


def test_the_fee_nearest_in_amount_is_the_one_given_back():
    rows = [fee(100_000_000, name="dear"), fee(20_000_000, name="cheap")]
    (back,) = deferrals.taken_back(rows, [Credited("DIDs", YEAR, 20_000_000)], 2)
    assert (back.fee, back.left_micro) == ("cheap", -20_000_000)


@pytest.mark.parametrize(
    "line",
    [Credited("Calls", YEAR, 1_000_000), Credited("DIDs", YEAR._replace(end=YEAR.start), 1)],
)
def test_what_was_never_deferred_takes_nothing_back(line):
    assert not list(deferrals.taken_back([fee()], [line], 2))
