"""The rows of price lists that hold for calls, and what each moved."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.corrections.rate_rows import RateRow, RateRows

DECK = (
    "# ours\ndialprefix,destination,rateinitial,startdate,starttime,endtime\n"
    "32,Belgium,0.10,,,\n32,Belgium,0.20,2026-02-01,,\n"
)
NIGHTS = "dialprefix,rateinitial,starttime,endtime\n33,0.10,0,479\n33,0.20,480,10079\n"
JANUARY, FEBRUARY = dt.datetime(2026, 1, 31, 23, 59), dt.datetime(2026, 2, 1)  # noqa: DTZ001


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("rows") / "book")
    (root / "tariffs/standard.csv").write_text(DECK)
    (root / "tariffs/nights.csv").write_text(NIGHTS)
    return Book(root)


def test_the_row_that_held_is_named_by_file_and_line(own):
    rows = RateRows(own)
    places = [
        rows.row("standard", "32", "322", "Belgium", when).place for when in (JANUARY, FEBRUARY)
    ]
    assert places == ["tariffs/standard.csv:3", "tariffs/standard.csv:4"]
    monday = dt.datetime(2026, 1, 5, 7, 59)  # noqa: DTZ001 - the book's own clock
    places = [
        rows.row("nights", "33", "331", "", monday + dt.timedelta(minutes=by)).line for by in (0, 1)
    ]
    assert places == [2, 3]


@pytest.mark.parametrize(
    ("deck", "prefix"), [("", ""), ("gone", "32"), ("standard", "3"), ("standard", "44")]
)
def test_a_price_that_no_row_gives_any_more_has_no_place(own, deck, prefix):
    row = RateRows(own).row(deck, prefix, "322", "Belgium", FEBRUARY)
    assert row == RateRow(deck, 0, prefix, "Belgium")
    assert row.place == ""


def calls(*costs):
    start = [
        dt.datetime(2026, 1, 31, 22, 59, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 23, tzinfo=dt.UTC),
    ]
    return pa.table(
        {
            "start": pa.array(start, pa.timestamp("s", "UTC")),
            "deck": ["standard"] * 2,
            "prefix": ["32"] * 2,
            "called": ["322"] * 2,
            "destination": ["Belgium"] * 2,
            "cost_micro": list(costs),
        }
    )


def test_what_calls_moved_is_added_up_by_row_on_the_book_s_own_clock(own):
    """The second call is in February in Brussels, though not in UTC."""
    rows = RateRows(own)
    rows.add(calls(100_000, 100_000), calls(150_000, 200_000), [0, 1])
    rows.add(calls(1, 100_000), calls(2, 190_000), [1])
    assert [
        (row["row"], row["calls"], row["before"], row["difference"]) for row in rows.as_json()
    ] == [
        ("tariffs/standard.csv:3", 1, "0.10", "0.05"),
        ("tariffs/standard.csv:4", 2, "0.20", "0.19"),
    ]
    assert RateRows(own).as_json() == []
