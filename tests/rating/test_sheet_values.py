"""Cells of carriers' rate sheets: prices, blocks, dates and prefixes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.errors import BadValueError
from a2ledger.rating import sheet_values


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        (["0.05", "1"], "."),
        (["0,05", "1"], ","),
        (["1.234,50", "0,05"], ","),
        (["1,234.50", "0.05"], "."),
        (["12", ""], "."),
    ],
)
def test_the_decimal_mark_is_that_of_the_whole_file(texts, mark):
    assert sheet_values.decimal_mark(texts) == mark


@pytest.mark.parametrize("texts", [["0,05", "0.05"], ["1.234,5", "1,234.5"], ["1,234.5", "0,05"]])
def test_marks_that_contradict_each_other_are_refused(texts):
    with pytest.raises(BadValueError, match="write them alike"):
        sheet_values.decimal_mark(texts)


@given(st.decimals(0, 999_999, places=8), st.sampled_from([",", "."]), st.booleans())
def test_a_price_of_eight_decimals_is_parsed_exactly_however_it_is_written(price, mark, grouped):
    text = f"{price:,.8f}" if grouped else f"{price:.8f}"
    if mark == ",":
        text = text.replace(",", " ").replace(".", ",").replace(" ", ".")
    exact = (int(price * 10**8), False)
    assert sheet_values.price(f"€ {text}", mark) == exact
    assert sheet_values.price(f"{text} EUR/min", mark) == exact


def test_the_ninth_decimal_is_rounded_half_up_and_that_is_said():
    assert sheet_values.price("0.000000015", ".") == (2, True)
    assert sheet_values.price("0.000000014", ".") == (1, True)
    assert sheet_values.price("1.5E-7", ".") == (15, False)


@pytest.mark.parametrize("cell", ["", "free", "NaN", "Infinity", "1000001", "0.05.1", "1e9"])
def test_what_is_no_price_is_refused(cell):
    with pytest.raises(BadValueError, match="is not a price"):
        sheet_values.price(cell, ".")


@pytest.mark.parametrize(
    ("cell", "blocks"),
    [
        ("1-1", (1, 1)),
        ("30 / 6 sec", (30, 6)),
        ("60:60:60", (60, 60)),
        ("60 sec", (None, 60)),
        ("60.0", (None, 60)),
        ("par seconde", (1, 1)),
        ("each", None),
        ("60/30/6", None),
        ("-6", None),
        ("9999999", None),
    ],
)
def test_blocks_are_a_pair_or_the_following_ones_alone(cell, blocks):
    if blocks:
        assert sheet_values.increments(cell) == blocks
    else:
        with pytest.raises(BadValueError):
            sheet_values.increments(cell)


@pytest.mark.parametrize(
    ("texts", "begins"),
    [
        (["01/02/2026", "13/02/2026"], "day"),
        (["01/02/2026", "02/13/2026"], "month"),
        (["01.02.2026"], "day"),
        (["01/02/2026"], ""),
        (["13/02/2026", "02/13/2026"], ""),
        (["2026-02-01"], ""),
    ],
)
def test_a_file_shows_what_its_dates_begin_with(texts, begins):
    assert sheet_values.order(texts) == begins


DAY = st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31))


@given(DAY)
def test_a_day_is_the_same_day_in_every_form(day):
    for form, begins in [
        ("%Y-%m-%d", ""),
        ("%Y/%m/%d", ""),
        ("%Y%m%d", ""),
        ("%d.%m.%Y", "day"),
        ("%m/%d/%y", "month"),
        ("%d-%b-%Y", ""),
        ("%B %d, %Y", ""),
    ]:
        assert sheet_values.date(day.strftime(form), begins).date() == day, form
    excel = (day - dt.date(1899, 12, 30)).days
    assert sheet_values.date(str(excel), "").date() == day


def test_a_time_of_day_is_kept_and_its_zone_is_that_of_the_book():
    moment = sheet_values.date("2026-09-01 14:30:00 UTC", "")
    assert moment == dt.datetime(2026, 9, 1, 14, 30)  # noqa: DTZ001 - the book's own clock


@pytest.mark.parametrize("cell", ["31/04/2026", "soon", "", "12345", "1 Foo 2026", "2026-13-01"])
def test_what_is_no_date_is_refused(cell):
    with pytest.raises(BadValueError, match="is not a date"):
        sheet_values.date(cell, "day")


def test_a_date_that_may_be_two_is_refused_and_one_that_is_the_same_both_ways_is_not():
    with pytest.raises(BadValueError, match="--dates"):
        sheet_values.date("01/02/2026", "")
    assert sheet_values.date("02/02/2026", "").date() == dt.date(2026, 2, 2)


@pytest.mark.parametrize(
    ("digits", "is_country"),
    [
        ("1", True),
        ("7", True),
        ("12", False),
        ("44", True),
        ("35", False),
        ("355", True),
        ("", False),
    ],
)
def test_a_country_code_has_its_own_length(digits, is_country):
    assert sheet_values.is_country(digits) is is_country


@given(st.lists(st.integers(2, 99_999), min_size=1, max_size=5, unique=True))
def test_a_list_of_prefixes_is_each_of_them_and_after_a_country_code_each_with_it(numbers):
    cell = "; ".join(map(str, numbers))
    assert sheet_values.listed(cell) == [str(number) for number in numbers]
    assert sheet_values.listed(cell, "44") == [f"44{number}" for number in numbers]


def test_a_spreadsheet_that_shortened_a_number_is_told_apart_from_a_number():
    with pytest.raises(BadValueError, match="format text"):
        sheet_values.listed("4.47E+11")
    assert sheet_values.listed('="447"') == ["447"]


def test_signs_name_their_currencies():
    assert sheet_values.signs(["€ 1", "1 £", "1"]) == {"EUR", "GBP"}
    assert Decimal(sheet_values.BLOCKED) / sheet_values.FINE == -1
