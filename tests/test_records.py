"""Customers, fees and problems: plain values."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import records
from a2ledger.period import DAY
from a2ledger.records import Customer, Fee, Problem

OPENED = dt.date(2026, 1, 1)
DAYS = st.dates(dt.date(2025, 12, 1), dt.date(2026, 12, 31))


def test_a_problem_says_where_what_and_what_to_do():
    problem = Problem("a.csv", 7, "bad-date", "is no day", "nothing was read", "correct it")
    assert str(problem) == "a.csv:7: is no day; nothing was read; correct it"
    assert str(Problem("a.csv", 0, "x", "is odd")) == "a.csv: is odd"
    assert problem.line_of_error.count("; ") == 2
    assert Problem("a", 1, "x", "is odd").line_of_error.count("; ") == 2


@given(st.lists(DAYS, unique=True, min_size=1).map(sorted), DAYS)
def test_a_fact_holds_from_its_day_until_the_next(days, day):
    values = tuple((since, str(place)) for place, since in enumerate(days))
    customer = Customer(id="C1", opened=OPENED, facts={"name": values})
    before = [value for since, value in values if since <= day]
    first = values[0][1] if days[0] <= OPENED else ""
    assert customer.text("name", day) == (before[-1] if before else first)
    assert customer.values("name") == [value for _, value in values]
    assert customer.fact("email", day) is None


def test_a_list_has_its_items_in_order():
    customer = Customer(id="C1", opened=OPENED, facts={"tariff": ((OPENED, " a, ,b ,"),)})
    assert customer.listed("tariff", OPENED) == ("a", "b")
    assert records.split_list("") == ()


@given(st.sampled_from(["monthly", "weekly", "quarterly", "monthly-anniversary"]), DAYS)
def test_every_day_lies_in_one_period_and_they_follow_each_other(cycle, day):
    facts = {"cycle": ((OPENED, cycle),), "billing_day": ((OPENED, 1),)}
    customer = Customer(id="C1", opened=OPENED, facts=facts)
    period = customer.period_holding(max(day, OPENED))
    assert period.start <= max(day, OPENED) < period.end
    assert customer.period_holding(period.end).start == period.end
    assert customer.period_holding(period.end - DAY) == period


@pytest.mark.parametrize(
    ("history", "settled"),
    [((), False), (("yes",), True), (("yes", "no"), False), (("yes", "no", "yes"), True)],
)
def test_an_account_is_settled_until_it_is_reopened(history, settled):
    days = tuple((OPENED + place * DAY, value) for place, value in enumerate(history))
    assert Customer(id="C1", opened=OPENED, facts={"settled": days}).settled is settled


def test_the_open_period_is_the_last_one():
    assert Customer(id="C1", opened=OPENED).open_since == OPENED
    later = dt.date(2026, 2, 1)
    assert Customer(id="C1", opened=OPENED, periods=(OPENED, later)).open_since == later


def test_a_fee_has_its_price_and_quantity_from_their_days():
    march = dt.date(2026, 3, 1)
    fee = Fee(
        id="f", service="S", every="month", arrears=False, description="", currency="EUR",
        prices=((OPENED, 5), (march, 7)), quantities=((march, 3),),
    )  # fmt: skip
    days = [OPENED - DAY, OPENED, march - DAY, march]
    assert [(fee.price_micro(day), fee.quantity(day)) for day in days] == [
        *((5, 1), (5, 1), (5, 1), (7, 3)),
    ]
    assert fee.start == OPENED


@pytest.mark.parametrize(
    ("every", "months", "weeks", "is_long"),
    [
        ("week", 0, 1, False),
        ("4-weeks", 0, 4, False),
        ("5-weeks", 0, 5, True),
        ("month", 1, 0, False),
        ("2-months", 2, 0, True),
        ("half-year", 6, 0, True),
        ("year", 12, 0, True),
    ],
)
def test_what_an_amount_is_for(every, months, weeks, is_long):
    span = records.span(every)
    assert (span.months, span.weeks, span.is_long, span.is_own) == (months, weeks, is_long, False)
    assert records.span(f"{every}-anniversary") == span._replace(is_own=True)


@pytest.mark.parametrize("every", ["", "day", "0-weeks", "100-months", "monthly"])
def test_what_does_not_recur_is_refused(every):
    with pytest.raises(ValueError, match="is none of week, month"):
        records.span(every)
