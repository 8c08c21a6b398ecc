from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import period

DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2199, 1, 1))
BILLING_DAYS = st.integers(1, 31)


@pytest.mark.parametrize(
    ("start", "billing_day", "end"),
    [
        ("2026-01-01", 1, "2026-02-01"),
        ("2026-01-10", 1, "2026-02-01"),
        ("2026-01-10", 15, "2026-01-15"),
        ("2026-01-31", 31, "2026-02-28"),
        ("2026-02-28", 31, "2026-03-31"),
        ("2024-02-29", 30, "2024-03-30"),
        ("2026-12-15", 15, "2027-01-15"),
        ("2026-02-28", 29, "2026-03-29"),
    ],
)
def test_a_period_runs_to_the_next_billing_day(start, billing_day, end):
    found = period.starting(dt.date.fromisoformat(start), billing_day)

    assert str(found.end) == end


@given(DAYS, BILLING_DAYS)
def test_periods_follow_one_another_without_a_gap_and_are_at_most_a_month(day, billing_day):
    one = period.holding(day, billing_day)
    following = period.starting(one.end, billing_day)

    assert one.start <= day < one.end
    assert period.holding(one.end, billing_day) == following
    assert dt.timedelta(27) <= one.end - one.start <= dt.timedelta(31)
    assert one.last == one.end - period.DAY
    assert period.holding(one.last, billing_day) == one


@given(DAYS, BILLING_DAYS)
def test_a_period_that_starts_between_billing_days_ends_with_the_whole_one(day, billing_day):
    assert period.starting(day, billing_day).end == period.holding(day, billing_day).end


def test_a_period_is_written_with_its_last_day():
    assert str(period.starting(dt.date(2026, 1, 1), 1)) == "1 January 2026 to 31 January 2026"


@given(DAYS, st.integers(0, 500))
def test_months_are_counted_back(day, count):
    month = period.month_of(day)
    back = period.months_before(month, count)

    def number(text):
        return int(text[:4]) * 12 + int(text[5:])

    assert number(month) - number(back) == count
    assert period.month_of(period.last_of_month(month)) == month
    assert period.month_of(period.last_of_month(month) + period.DAY) > month
