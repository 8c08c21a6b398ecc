"""Notices of price changes: to whom, and of which prices."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.rating import notices

MARCH = dt.date(2026, 3, 1)
DECK = (
    "dialprefix,destination,rateinitial,startdate,stopdate\n"
    "32,Belgium,0.10,,\n32,Belgium,0.12,2026-03-01,\n"
    "33,France,0.05,,\n33,France,0.04,2026-03-01,\n"
    "34,Spain,0.05,,2026-03-01\n"
    "44,UK,0.05,,\n"
)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("notices") / "book", "C1", "C2", tariff="standard")
    (root / "tariffs/standard.csv").write_text(DECK)
    return Book(root)


def found(book, numbers, day=MARCH, **options):
    return {
        notice.customer.id: [(change.destination, change.kind) for change in notice.changes]
        for notice in notices.notices(book, day, numbers=numbers, **options)
    }


def test_each_customer_hears_of_the_numbers_they_call(own):
    numbers = {"C1": ["3225550101", "441"], "C2": ["331", "341"], "C9": ["321"]}
    assert found(own, numbers) == {
        "C1": [("Belgium", "dearer")],
        "C2": [("France", "cheaper"), ("Spain", "no longer available")],
    }


def test_nobody_hears_of_a_day_on_which_nothing_changes(own):
    assert found(own, None, dt.date(2026, 3, 2)) == {}
    assert found(own, {"C1": ["441"]}) == {}
    assert found(own, {}) == {}


def test_only_those_named_and_of_every_price_there_is(own):
    every = found(own, None, names=["C2"])
    assert list(every) == ["C2"]
    assert sorted(every["C2"]) == [
        *(("Belgium", "dearer"), ("France", "cheaper"), ("Spain", "no longer available"))
    ]


@pytest.mark.parametrize(("number", "rises"), [("321", True), ("331", False), ("341", True)])
def test_a_destination_that_is_dropped_counts_as_a_rise(own, number, rises):
    (notice,) = notices.notices(own, MARCH, numbers={"C1": [number]})
    assert notice.rises is rises
    assert notice.as_json()["rises"] is rises
    assert notice.values(own, dt.date(2026, 2, 1))["effective"] == "2026-03-01"


def test_a_row_leaves_the_price_open_where_there_is_none(own):
    (notice,) = notices.notices(own, MARCH, numbers={"C1": ["341"]})
    (row,) = (dict(zip(notices.COLUMNS, row, strict=True)) for row in notice.rows())
    assert (row["price_before"], row["price_after"], row["currency"]) == ("0.05", "", "EUR")


def test_numbers_called_on_several_days_are_each_named_once():
    days = [
        pa.table({"customer": ["C1", "C2", "C1"], "called": ["33", "32", "32"]}),
        pa.table({"customer": ["C1"], "called": ["32"]}),
    ]
    assert notices.called(iter(days)) == {"C1": ["32", "33"], "C2": ["32"]}
    assert notices.called(iter([])) == {}
