"""Exchange rates: the price that holds on a day, and amounts rounded once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import exchange_rates
from a2ledger.journal.exchange_rates import Price, Prices

JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
KNOWN = [
    Price(FEBRUARY, "USD", Decimal("0.90")),
    Price(JANUARY, "USD", Decimal("0.80")),
    Price(JANUARY, "KWD", Decimal(3)),
]


@pytest.mark.parametrize(
    ("day", "number"),
    [("2025-12-31", None), ("2026-01-01", "0.80"), ("2026-01-31", "0.80"), ("2026-02-01", "0.90")],
)
def test_a_price_holds_from_its_day_until_the_next(day, number):
    price = Prices(KNOWN, "EUR").at("USD", dt.date.fromisoformat(day))
    assert (price and price.number) == (number and Decimal(number))


def test_the_books_own_currency_needs_no_price():
    assert Prices([], "EUR").converted(1_230_000, "EUR", "EUR", JANUARY) == 1_230_000


def test_without_a_price_nothing_is_converted():
    assert Prices(KNOWN, "EUR").converted(1, "GBP", "EUR", FEBRUARY) is None


@given(st.integers(-(10**12), 10**12), st.sampled_from([("USD", "KWD", 3), ("KWD", "USD", 2)]))
def test_between_two_foreign_currencies_it_is_rounded_once(micro, pair):
    own, other, places = pair
    prices = Prices(KNOWN, "EUR")
    found = prices.converted(micro, own, other, FEBRUARY)
    worth = {"USD": Fraction(9, 10), "KWD": Fraction(3)}
    exact = micro * worth[own] / worth[other]
    unit = 10 ** (6 - places)
    assert found % unit == 0
    assert abs(found - exact) <= Fraction(unit, 2)


def test_prices_are_read_as_they_were_written():
    text = exchange_rates.written(KNOWN, "EUR")
    assert exchange_rates.parse(text, "EUR") == sorted(KNOWN)
    assert exchange_rates.parse(text, "USD") == []


@pytest.mark.parametrize("text", ["0", "0.00", "-1", "1,5", "1e3", "0.12345678901", "", "NaN"])
def test_a_price_is_a_positive_number_of_ten_decimals(text):
    with pytest.raises(ValueError, match="is not a price"):
        exchange_rates.number(text)
