"""What all the periods of a close come to."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from a2ledger import money
from a2ledger.billing import closed
from a2ledger.billing.closed import Closed
from a2ledger.period import Period
from a2ledger.records import Warned

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))


def result(customer="C1", **more):
    return Closed(customer=customer, period=JANUARY, currency="EUR", **more)


def test_a_credit_note_takes_off_the_total_and_what_is_left_open_adds_nothing():
    results = [
        result(billed_micro=121_000_000, gross="121.00"),
        result(billed_micro=-21_000_000, gross="21.00"),
        result(closed=False, gross="50.00"),
    ]
    assert closed.totals(results) == ["100.00 EUR"]
    assert [row.billed for row in results] == ["121.00", "-21.00", ""]
    assert results[2].as_json()["kind"] is None
    assert closed.totals([]) == []


CURRENCIES = st.sampled_from(["EUR", "USD", "JPY"])


@given(st.lists(st.tuples(CURRENCIES, st.integers(-(10**9), 10**9), st.booleans())))
def test_currencies_are_never_added_up_together(rows):
    results = [
        Closed(
            customer="C",
            period=JANUARY,
            currency=currency,
            billed_micro=whole * 10**6,
            closed=is_closed,
        )
        for currency, whole, is_closed in rows
    ]
    found = {text.split()[1]: money.parse(text.split()[0]) for text in closed.totals(results)}
    assert found == {
        currency: sum(whole for name, whole, is_closed in rows if name == currency and is_closed)
        * 10**6
        for currency in {currency for currency, _, is_closed in rows if is_closed}
    }


def test_bills_that_wait_are_counted_and_are_no_reproach():
    waits = [
        result(closed=False, waits=True, gross="3.50"),
        result(closed=False, waits=True, gross="1.00"),
    ]
    assert closed.waiting(waits) == "2 bill(s) below the minimum wait for the next, 4.50 EUR"
    assert closed.waiting([result(gross="1.00")]) == ""
    assert list(closed.left_open(waits)) == []


def test_each_reason_for_which_a_period_was_left_open_is_a_message():
    warnings = [Warned("source", "pbx1 has not reported"), Warned("gap", "two days lack calls")]
    open_ = result("C2", closed=False, warnings=warnings)
    noted = result("C3", warnings=warnings)
    assert list(closed.left_open([open_, noted])) == [
        "C2, 1 January 2026 to 31 January 2026: left open: pbx1 has not reported",
        "C2, 1 January 2026 to 31 January 2026: left open: two days lack calls",
    ]
