from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import period
from a2ledger.period import Cycle
from a2ledger.records import Customer

DAYS = st.dates(dt.date(1970, 1, 1), dt.date(2199, 1, 1))
BILLING_DAYS = st.integers(1, 31)
KINDS = st.tuples(
    st.sampled_from([*period.NAMED_CYCLES, "2-weekly", "5-weekly", "2-monthly", "5-monthly"]),
    st.sampled_from(["", "-anniversary"]),
).map("".join)
CYCLES = st.builds(period.cycle_of, KINDS, BILLING_DAYS, DAYS)


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
    found = period.starting(dt.date.fromisoformat(start), Cycle(day=billing_day))

    assert str(found.end) == end


@pytest.mark.parametrize(
    ("start", "kind", "billing_day", "opened", "ends"),
    [
        ("2026-01-01", "quarterly", 1, "2026-01-01", ["2026-04-01", "2026-07-01", "2026-10-01"]),
        ("2026-02-10", "quarterly", 15, "2026-02-10", ["2026-04-15", "2026-07-15"]),
        ("2026-04-10", "quarterly", 15, "2026-02-10", ["2026-04-15", "2026-07-15"]),
        ("2027-12-31", "quarterly", 31, "2027-01-01", ["2028-01-31", "2028-04-30", "2028-07-31"]),
        ("2026-02-10", "yearly", 15, "2026-02-10", ["2027-01-15", "2028-01-15"]),
        ("2026-01-10", "yearly", 15, "2026-01-10", ["2026-01-15", "2027-01-15"]),
        ("2026-02-10", "monthly-anniversary", 1, "2026-02-10", ["2026-03-10", "2026-04-10"]),
        ("2027-11-30", "quarterly-anniversary", 1, "2027-11-30", ["2028-02-29", "2028-05-30"]),
        ("2028-02-29", "yearly-anniversary", 1, "2028-02-29", ["2029-02-28", "2030-02-28"]),
        ("2031-02-28", "yearly-anniversary", 1, "2028-02-29", ["2032-02-29", "2033-02-28"]),
        ("2026-02-10", "half-yearly", 15, "2026-02-10", ["2026-07-15", "2027-01-15"]),
        ("2026-02-10", "2-monthly", 1, "2026-02-10", ["2026-03-01", "2026-05-01"]),
        # Five months do not divide a year: they are counted from the month of the opening.
        ("2026-02-10", "5-monthly", 1, "2026-02-10", ["2026-07-01", "2026-12-01", "2027-05-01"]),
        ("2026-02-10", "5-monthly-anniversary", 1, "2026-02-10", ["2026-07-10", "2026-12-10"]),
        # 10 February 2026 is a Tuesday; weeks begin on Mondays, or on Fridays.
        ("2026-02-10", "weekly", 1, "2026-02-10", ["2026-02-16", "2026-02-23", "2026-03-02"]),
        ("2026-02-10", "weekly", 5, "2026-02-10", ["2026-02-13", "2026-02-20"]),
        ("2026-02-10", "2-weekly", 1, "2026-02-10", ["2026-02-23", "2026-03-09"]),
        ("2026-02-10", "4-weekly-anniversary", 2, "2026-02-10", ["2026-03-10", "2026-04-07"]),
    ],
)
def test_weeks_months_and_years_run_by_the_calendar_or_from_the_opening(
    start, kind, billing_day, opened, ends
):
    cycle = period.cycle_of(kind, billing_day, dt.date.fromisoformat(opened))
    start = dt.date.fromisoformat(start)

    for end in ends:
        start = period.starting(start, cycle).end
        assert str(start) == end


@given(DAYS, CYCLES)
def test_periods_follow_one_another_without_a_gap_and_are_as_long_as_their_cycle(day, cycle):
    one = period.holding(day, cycle)
    following = period.starting(one.end, cycle)

    assert one.start <= day < one.end
    assert period.holding(one.end, cycle) == following
    shortest, longest = {
        1: (27, 31), 2: (58, 62), 3: (89, 92), 5: (150, 153), 6: (180, 184), 12: (365, 366),
    }[cycle.months]  # fmt: skip
    days = (one.end - one.start).days
    assert days == 7 * cycle.weeks if cycle.weeks else shortest <= days <= longest
    assert one.last == one.end - period.DAY
    assert period.holding(one.last, cycle) == one


@given(DAYS, CYCLES)
def test_a_period_that_starts_inside_a_whole_one_ends_with_it(day, cycle):
    assert period.starting(day, cycle).end == period.holding(day, cycle).end


@given(st.data(), DAYS)
def test_periods_tile_time_whatever_is_changed_where_one_starts(data, opened):
    facts: dict[str, list[tuple[dt.date, object]]] = {
        "billing_day": [(opened, Decimal(data.draw(BILLING_DAYS)))],
        "cycle": [(opened, data.draw(KINDS))],
    }
    start, days = opened, 0
    for _ in range(data.draw(st.integers(1, 12))):
        customer = Customer(id="C1", opened=opened, facts={k: tuple(v) for k, v in facts.items()})
        one = customer.period_from(start)
        assert one.start == start < one.end
        days += (one.end - one.start).days
        start = one.end
        if data.draw(st.booleans()):
            facts["billing_day"].append((start, Decimal(data.draw(BILLING_DAYS))))
        if data.draw(st.booleans()):
            facts["cycle"].append((start, data.draw(KINDS)))
        if (start - opened).days:  # what is closed is never taken back
            customer = replace(customer, periods=(opened,))
            assert customer.period_holding(one.last) == one
    assert (start - opened).days == days


def test_a_period_is_written_with_its_last_day():
    assert str(period.starting(dt.date(2026, 1, 1), Cycle())) == "1 January 2026 to 31 January 2026"


@given(DAYS, st.integers(0, 500))
def test_months_are_counted_back(day, count):
    month = period.month_of(day)
    back = period.months_before(month, count)

    def number(text):
        return int(text[:4]) * 12 + int(text[5:])

    assert number(month) - number(back) == count
    assert period.month_of(period.last_of_month(month)) == month
    assert period.month_of(period.last_of_month(month) + period.DAY) > month
