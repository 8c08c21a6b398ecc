"""What a carrier's price is sold at."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.rating.markup import Markup

UNIT = 10**8


@pytest.mark.parametrize(
    ("markup", "buying", "selling"),
    [
        (Markup(), "0.12345678", "0.123457"),
        (Markup(percent=Decimal(20)), "0.1", "0.12"),
        (Markup(percent=Decimal("12.5")), "0.01", "0.01125"),
        (Markup(percent=Decimal(-10)), "0.10", "0.09"),
        (Markup(minute=200_000), "0.01", "0.012"),
        (Markup(percent=Decimal(20), minute=200_000, decimals=3), "0.0104", "0.014"),
        (Markup(percent=Decimal(15), decimals=2), "0.10", "0.12"),  # half up
        (Markup(percent=Decimal(15), decimals=0), "0.10", "0"),
        (Markup(percent=Decimal(20), floor=UNIT // 50), "0.001", "0.02"),
        (Markup(floor=123_456), "0", "0.00123456"),  # a floor is not rounded
        (Markup(percent=Decimal(20), decimals=8), "0.00000001", "0.00000001"),
    ],
)
def test_per_cent_a_minute_rounding_and_floor(markup, buying, selling):
    assert Decimal(markup.price(int(Decimal(buying) * UNIT))) / UNIT == Decimal(selling)


@given(
    st.integers(0, 50 * UNIT),
    st.integers(0, 50 * UNIT),
    st.decimals(0, 500, places=2),
    st.integers(0, UNIT),
    st.integers(0, 8),
    st.integers(0, UNIT),
)
def test_dearer_to_buy_is_never_cheaper_to_sell(low, high, percent, minute, decimals, floor):
    markup = Markup(percent=percent, minute=minute, decimals=decimals, floor=floor)
    low, high = sorted((low, high))
    assert floor <= markup.price(low) <= markup.price(high)
    exact = Decimal(high) * (100 + percent) / 100 + minute
    assert abs(max(exact, floor) - markup.price(high)) <= UNIT // 10**decimals


def test_what_is_charged_once_is_marked_up_by_per_cent_alone():
    markup = Markup(percent=Decimal(50), minute=1000, floor=UNIT, decimals=4)
    assert markup.fee(UNIT // 10) == UNIT * 15 // 100
