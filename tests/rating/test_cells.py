"""Cells of a rate deck: what they mean, and what is refused because it may mean two things."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger.rating import cells


@pytest.mark.parametrize(
    ("cell", "comma", "hundredths"),
    [
        ("0.31135104", False, 31_135_104),
        ("0,05", True, 5_000_000),
        ("-0.10", False, -10_000_000),
        ("+2", False, 200_000_000),
        ("1.500000000", False, 150_000_000),
        ("1000000", False, 100_000_000_000_000),
    ],
)
def test_an_amount_is_exact_to_eight_decimals(cell, comma, hundredths):
    assert cells.amount(cell, comma=comma) == hundredths


@pytest.mark.parametrize("cell", ["", "1,5", "1e3", "0.123456789", "1000000.01", "NaN", "1 000"])
def test_what_is_no_amount_is_refused(cell):
    with pytest.raises(ValueError, match=r"not an amount|more than"):
        cells.amount(cell, comma=False)


def test_a_pair_of_blocks_is_the_first_and_those_after_it():
    for cell in ("30/6", "30 / 6", "30+6"):
        assert (cells.first_block(cell), cells.block(cell)) == (30, 6)
    assert (cells.first_block("60"), cells.block("60")) == (0, 60)


@pytest.mark.parametrize("cell", ["-1", "1.5", "99999999", ""])
def test_seconds_are_whole_and_not_negative(cell):
    with pytest.raises(ValueError, match="not a whole number of seconds"):
        cells.seconds(cell)


def at(*moment):
    return int((dt.datetime(*moment) - dt.datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cell", "order", "moment"),
    [
        ("2026-02-01", "", (2026, 2, 1)),
        ("2026-02-01 08:30", "", (2026, 2, 1, 8, 30)),
        ("2026-02-01T08:30:15", "", (2026, 2, 1, 8, 30, 15)),
        ("1/2/2026", "day", (2026, 2, 1)),
        ("1/2/2026", "month", (2026, 1, 2)),
        ("02.02.2026", "", (2026, 2, 2)),
        ("15.02.2026 08:30", "day", (2026, 2, 15, 8, 30)),
    ],
)
def test_a_date_is_read_in_the_order_of_its_file(cell, order, moment):
    assert cells.date(cell, default=7, order=order) == at(*moment)


@pytest.mark.parametrize("cell", ["01/02/2026", "2026-02-30", "2026-13-01", "yesterday", ""])
def test_a_date_that_may_be_two_or_is_none_is_refused(cell):
    with pytest.raises(ValueError, match="is not a date"):
        cells.date(cell, default=7)


def test_no_date_is_what_none_is():
    assert cells.date("0000-00-00 00:00:00", default=7) == 7


def test_a_file_whose_dates_contradict_each_other_has_no_order():
    assert cells.order(["15/02/2026", "02/15/2026"]) == ""


def test_flags_are_words_for_yes_and_no_and_nothing_else():
    assert [cells.flag(cell) for cell in ("YES", "x", "blocked", "", "No", "0")] == [
        1,
        1,
        1,
        0,
        0,
        0,
    ]
    with pytest.raises(ValueError, match="neither yes nor no"):
        cells.flag("perhaps")


def test_a_minute_of_the_week_ends_on_sunday_night():
    assert cells.minute("10079") == 10_079
    with pytest.raises(ValueError, match="not a minute of the week"):
        cells.minute("10080")
