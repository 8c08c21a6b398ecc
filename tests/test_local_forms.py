"""Amounts and days as people write them: read in one way, or refused with both readings."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import local_forms, money
from a2ledger.errors import BadValueError
from a2ledger.local_forms import Cell, Locale

COMMA, POINT, NOBODY = Locale(decimal=","), Locale(decimal="."), Locale()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("28,18", "28.18"), ("1.234,56", "1234.56"), ("1,234.56", "1234.56"), ("0,057", "0.057"),
        ("1 234,5", "1234.5"), ("1,234,567", "1234567"), ("-5,00", "-5.00"), ("12.5", "12.5"),
        ("1'250.00", "1250.00"), ("ten", "ten"), ("", ""), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_an_amount_that_can_be_but_one_is_read_whatever_the_locale(written, read):
    for locale in (COMMA, POINT, NOBODY):
        assert local_forms.amount(written, locale) == read


def test_an_amount_that_may_be_two_is_decided_by_the_locale_or_shown_both_ways():
    assert local_forms.amount("1,234", COMMA) == "1.234"
    assert local_forms.amount("1,234", POINT) == "1234"
    assert local_forms.amount("1.234", COMMA) == "1234"
    assert local_forms.amount("1.234", NOBODY) == "1.234"  # as the program writes it
    with pytest.raises(BadValueError, match=r"may be 1.234 or 1234") as error:
        local_forms.amount("1,234", NOBODY)
    assert "[locale] decimal" in error.value.todo


def test_one_cell_decides_for_its_whole_file_and_two_may_not_disagree():
    cells = [Cell(2, "1,234"), Cell(3, "28,18")]
    assert local_forms.decimal_mark(cells, POINT) == ","
    with pytest.raises(BadValueError, match=r"line 3 has a decimal comma and .* on line 4"):
        local_forms.decimal_mark([*cells, Cell(4, "1.00")], COMMA)


def test_days_are_told_from_months_by_the_file_then_by_the_locale():
    september = [Cell(2, "01/09/2026")]
    assert local_forms.date_order([*september, Cell(3, "15/09/2026")], NOBODY) == "day"
    assert local_forms.date_order([*september, Cell(3, "09/15/2026")], NOBODY) == "month"
    assert local_forms.date_order(september, Locale(dates="month")) == "month"
    with pytest.raises(BadValueError, match=r"may be 2026-09-01 or 2026-01-09"):
        local_forms.date_order(september, NOBODY)
    with pytest.raises(BadValueError, match=r"begins with the day and .* with the month"):
        local_forms.date_order([Cell(2, "13/09/2026"), Cell(3, "09/13/2026")], NOBODY)
    assert local_forms.day("7/7/2026", NOBODY) == "2026-07-07"
    assert local_forms.day("2026/7/1 10:00", NOBODY) == "2026-07-01 10:00"


@given(micro=st.integers(-(10**12), 10**12), mark=st.sampled_from(",."))
def test_what_is_written_with_thousands_is_read_back(micro, mark):
    micro = money.rounded(micro, 2)
    thousands = "." if mark == "," else ","
    whole, _, fraction = money.text(micro, 2).lstrip("-").partition(".")
    sign = "-" if micro < 0 else ""
    written = f"{sign}{int(whole):,}".replace(",", thousands) + mark + fraction[:2]
    read = local_forms.amount(written, NOBODY)
    assert money.parse(read) == micro


@given(st.dates(dt.date(1950, 1, 1), dt.date(2150, 1, 1)), st.sampled_from(["day", "month"]))
def test_a_day_is_read_back_in_the_order_it_was_written_in(day, order):
    written = f"{day:%d/%m/%Y}" if order == "day" else f"{day:%m/%d/%Y}"
    assert local_forms.iso([written], order) == [str(day)]
