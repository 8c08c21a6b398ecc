"""Values of A2Billing's tables."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import ROUND_HALF_UP, Decimal

import pytest
from exports import exported
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.a2billing import tables
from a2ledger.a2billing.tables import Clock

CLOCK = Clock(zoneinfo.ZoneInfo("America/New_York"), zoneinfo.ZoneInfo("Europe/Brussels"))


@given(st.decimals(-(10**9), 10**9, places=9))
def test_an_amount_has_five_decimals_rounded_half_away_from_zero(amount):
    exact = amount.quantize(Decimal("0.00001"), ROUND_HALF_UP)
    assert tables.micro(f"{amount:f}") == exact * 10**6
    assert Decimal(tables.five(f"{amount:f}")) == exact
    assert tables.five("-0.000001") == "0.00000"


@pytest.mark.parametrize("text", ["x", "NaN", "inf", "1e12", "1,5"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="is not an amount"):
        tables.micro(text)


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026-01-31", 31), ("2026-01-31 17:59:59", 31), ("2026-01-31 18:00:00", 1)],
)
def test_a_time_is_a_day_on_the_book_s_clock(written, day):
    assert CLOCK.day(written).day == day


@pytest.mark.parametrize(
    ("written", "number"),
    [("7", 7), ("7.9", 7), ("-3", -3), ("", 5), ("x", 5), ("NaN", 5), ("inf", 5)],
)
def test_a_whole_number_or_the_default(written, number):
    assert tables.whole(written, 5) == number


def test_settings_rates_and_carriers_are_read(tmp_path):
    own = exported(
        tmp_path / "a2b",
        cc_config=[
            {"config_key": "other", "config_value": "x"},
            {"config_key": "base_currency", "config_value": "eur"},
        ],
        cc_currencies=[
            {"currency": "usd", "value": "0.9"},
            {"currency": "ABC", "value": "0"},
            {"currency": "D", "value": "x"},
        ],
        cc_provider=[{"provider_name": "Acme"}],
        cc_trunk=[
            {"id_trunk": 4, "trunkcode": "t4", "id_provider": 1},
            {"id_trunk": 5, "trunkcode": "t5", "id_provider": 9},
        ],
    )
    assert tables.base_currency(own) == "EUR"
    assert tables.rates_of_exchange(own) == {"USD": Decimal("0.9")}
    assert tables.carriers(own) == {"4": "Acme", "5": "t5"}
    empty = exported(tmp_path / "empty")
    assert (tables.base_currency(empty), tables.carriers(empty)) == ("", {})


def test_rows_say_what_they_are(tmp_path):
    (row,) = exported(tmp_path, cc_card=[{"credit": "NULL"}]).rows("cc_card", ("id", "credit")).rows
    assert (row.name, row["credit"]) == ("cc_card 1", "")
    assert row.refused("bad", "why", "i").line == 2
    assert isinstance(CLOCK.day("2026-01-31"), dt.date)
