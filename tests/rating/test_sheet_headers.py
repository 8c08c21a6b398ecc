"""The columns of carriers' sheets, known by usual words of many languages."""

from __future__ import annotations

import pytest

from a2ledger.rating import sheet_headers


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Tarif HT / min", "rate"),
        ("Price excl. VAT", "rate"),
        ("Preis zzgl. MwSt (EUR/Min)", "rate"),
        ("Per Minute Charge", "rate"),
        ("Your Rate", "rate"),
        ("Dest", "destination"),
        ("Dialing Prefix", "prefix"),
        ("Prix TTC", ""),
        ("Price incl. VAT", ""),
        ("VAT", ""),
        ("Old Rate", ""),
        ("Preis alt", ""),
        ("Preis neu", "rate"),
        ("rate_cost", "rate"),
        ("Change %", ""),
        ("Data de início", "effective"),
        ("Date d'application", "effective"),
        ("Rounding rules", "increments"),
    ],
)
def test_words_around_a_header_do_not_hide_what_it_is(header, field):
    """A price that contains a tax is another price, and is not taken for it."""
    usual = ["Country Code"] if field == "rate" else ["Country Code", "Price"]
    found = sheet_headers.find([header, *usual], {})
    assert found is not None
    assert {name for name, place in found.places.items() if place == 0} == ({field} - {""})


def test_a_header_says_how_the_prices_below_it_are_meant():
    cents = sheet_headers.find(["Prefix", "Price (cents/min)", "Sold by"], {})
    assert (cents.places, cents.divisor, cents.factor) == ({"prefix": 0, "rate": 1}, 100, 1)
    assert cents.unread == ("Sold by",)
    seconds = sheet_headers.find(["Code", "Rate USD per sec"], {})
    assert (seconds.currency, seconds.divisor, seconds.factor) == ("USD", 1, 60)


@pytest.mark.parametrize(
    "cells", [["Prefix", "Destination"], ["Destination", "Rate"], ["32", "Belgium", "0.05"], []]
)
def test_a_row_without_numbers_or_prices_is_no_header(cells):
    assert sheet_headers.find(cells, {}) is None


def test_of_two_columns_that_may_be_meant_the_better_known_name_is_taken():
    header = sheet_headers.find(["Prefix", "Rate", "New Rate", "Country", "Destination"], {})
    assert (header.places["rate"], header.places["destination"]) == (2, 4)
    assert header.unread == ("Rate", "Country")


def test_what_a_person_has_named_is_that_column_and_no_other():
    cells = ["Prefix", "Rate", "Retail"]
    assert sheet_headers.find(cells, {"rate": "retail"}).places == {"prefix": 0, "rate": 2}
    assert sheet_headers.find(cells, {"rate": "Wholesale"}) is None


def test_prices_for_other_times_are_known_by_either_row_of_a_header():
    upper, lower = ["Prefix", "Rate", "", "Weekend"], ["", "Peak", "Off-peak", ""]
    header = sheet_headers.find(upper, {}, lower)
    assert header.other_times == {2: "Off-peak", 3: "Weekend"}
    assert sheet_headers.find(upper, {"rate": "Rate"}, lower).other_times == {}
