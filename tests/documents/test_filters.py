"""How values stand on a page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.documents import filters
from a2ledger.documents.language import language


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00"), (59, "0:00:59"), (3_661, "1:01:01"), (360_000, "100:00:00")],
)
def test_a_length_has_hours_minutes_and_seconds(seconds, text):
    assert filters.duration(seconds) == text


@given(st.decimals(-(10**12), 10**12, places=2))
def test_groups_of_thousands_joined_are_the_amount(amount):
    groups = filters.grouped(f"{amount:.2f}")
    assert "".join(groups) == f"{amount:.2f}"
    assert ",".join(groups) == f"{amount:,.2f}"


@pytest.mark.parametrize("text", ["12.34", "", "much", "1,234.50", "12345x"])
def test_what_needs_no_groups_or_is_no_amount_stays_as_it_is(text):
    assert filters.grouped(text) == [text]


def test_many_extensions_are_counted():
    calls = {str(number): 9 - number for number in range(7)}
    assert filters.extensions(calls) == "ext. 0 (9), 1 (8), 2 (7), 3 (6), 4 (5) and 2 more"


def test_rows_of_a_price_list_name_it_once_and_say_since_when():
    rows = [
        {"tariff": "standard", "prefix": "32", "since": "2026-03-01 08:00", "calls": 1},
        {"tariff": "standard", "prefix": "33", "since": "", "calls": 9},
        {"tariff": "saver", "prefix": "34", "since": "", "calls": 5},
    ]
    assert filters.rates(rows[:2], language("en")) == "standard 33, 32 from 1 March 2026 08:00"
    assert filters.rates(rows[:2], language("de")).startswith("standard 33, 32 ab 1. März 2026")
    assert filters.rates(rows, language("en")).startswith("standard 33, saver 34, standard 32")
    assert filters.rates([rows[1]] * 6, language("en")).endswith(" …")


@given(st.text())
def test_no_text_ends_a_string_of_a_style_sheet(text):
    assert set(filters.css_string(text)) <= set("\\0123456789abcdef")


def test_pages_are_counted_by_the_style_sheet():
    assert "counter(page)" in filters.counters("Page {page} of {pages}")
    assert filters.counters("{pages}") == "counter(pages)"
