"""Rates of one prefix that hold at the same time."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pricing import MONDAY

from a2ledger.rating import clashes
from a2ledger.rating import deck as tariff

HEADER = "dialprefix,rateinitial,startdate,stopdate,starttime,endtime\n"


def found(rows):
    read = tariff.read(HEADER + rows, name="d", file="d.csv")
    return clashes.find(read.deck, np.array(read.lines()), "d.csv")


def test_the_same_rate_twice_is_a_note_and_two_prices_are_a_problem():
    notes, problems = found("44,1,,,,\n44,1,,,,\n33,1,,,,\n33,2,,,,\n")
    assert notes == ["1 rate(s) are listed twice (44 on lines 2 and 3)"]
    assert [(problem.line, problem.reason) for problem in problems] == [(5, "duplicate-prefix")]
    assert "line 4" in problems[0].message
    assert "startdate" in problems[0].todo


def test_of_many_that_are_listed_twice_the_first_are_named():
    notes, _ = found("".join(f"{number},1,,,,\n" * 2 for number in range(30, 35)))
    assert notes[0].startswith("5 rate(s) are listed twice (30 on lines 2 and 3, 31 on")
    assert notes[0].endswith(" …)")


def test_a_later_price_clashes_with_none_but_overlaps_in_a_price_list():
    rows = "44,1,2026-01-01,,,\n44,2,2026-02-01,,,\n"
    assert found(rows) == ([], [])
    deck = tariff.read(HEADER + rows, name="d", file="d.csv").deck
    assert clashes.overlapping(deck) == [1]


WINDOWS = st.tuples(st.integers(0, 10_079), st.integers(0, 10_079))


@given(WINDOWS, WINDOWS)
def test_two_windows_of_the_week_clash_if_a_minute_is_in_both(one, other):
    def minutes(window):
        first, last = window
        every = set(range(10_080))
        return set(range(first, last + 1)) if first <= last else every - set(range(last + 1, first))

    rows = "".join(f"44,{n},,,{first},{last}\n" for n, (first, last) in enumerate((one, other)))
    assert bool(found(rows)[1]) == bool(minutes(one) & minutes(other))


DAYS = st.tuples(st.integers(0, 3), st.integers(0, 5))


@given(st.lists(DAYS, min_size=2, max_size=4))
def test_no_two_prices_begin_to_hold_at_once_in_a_deck_without_problems(spans):
    def day(number):
        return (MONDAY + dt.timedelta(days=number)).date()

    rows = "".join(
        f"44,{price},{day(first)},{day(last)},,\n" for price, (first, last) in enumerate(spans)
    )
    starts = [first for first, last in spans if first < last]
    assert bool(found(rows)[1]) == (len(starts) != len(set(starts)))
