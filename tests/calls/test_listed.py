"""A customer's calls between two days, and what each row of the list says."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from harness import call, made_once

from a2ledger.book.book import Book
from a2ledger.calls import listed
from a2ledger.calls.detail import MissingDetailError

FIRST, LAST = dt.date(2026, 1, 10), dt.date(2026, 1, 12)


@pytest.fixture
@made_once
def talked(book):
    book.customers({"id": "C1"}, {"id": "C2"})
    rows = [call(f"a{day}", "C1", f"2026-01-{day}", 60) for day in (9, 10, 12, 13)]
    book.imported("calls", [*rows, call("b", "C2", "2026-01-10", 60)], today="2026-01-14")
    return book


def ids(calls):
    return [row["id"] for row in listed.rows_json(calls, "Europe/Brussels")]


def test_both_days_are_included_and_nobody_else_s_calls(talked):
    calls = listed.of_customer(Book(talked.root), "C1", FIRST, LAST)
    assert [name.split("/")[-1] for name in ids(calls)] == ["a10", "a12"]


def test_a_customer_or_days_without_calls_have_an_empty_list_with_the_same_columns(talked):
    book = Book(talked.root)
    nobody = listed.of_customer(book, "C9", FIRST, LAST)
    nothing = listed.of_customer(book, "C1", LAST, FIRST)
    assert (len(nobody), len(nothing)) == (0, 0)
    assert nobody.column_names == nothing.column_names == listed.SHOWN


def test_a_row_says_when_by_the_clock_of_the_place_what_it_cost_and_by_which_rate(talked):
    row = next(listed.rows_json(listed.of_customer(Book(talked.root), "C1", FIRST, LAST), "UTC"))
    assert (row["start"], row["cost"], row["seconds"]) == ("2026-01-10 11:00:00", "1.00", 60)
    assert (row["direction"], row["tariff"], row["void"]) == ("outgoing", "standard", "")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Brussels", "America/St_Johns"])
@pytest.mark.parametrize("month", [1, 7])
def test_starts_are_local_in_summer_as_in_winter(zone, month):
    moment = dt.datetime(2026, month, 5, 12, 34, 56, tzinfo=dt.UTC)
    assert listed.start(moment, zone) == moment.astimezone(ZoneInfo(zone)).strftime(
        "%Y-%m-%d %H:%M:%S"
    )


def test_days_that_are_gone_or_changed_are_refused_and_not_left_out(talked):
    (path,) = talked.root.glob("calls/2026-01/2026-01-10.parquet")
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(MissingDetailError):
        listed.of_customer(Book(talked.root), "C1", FIRST, LAST)
    path.write_bytes(content)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(MissingDetailError):
        listed.of_customer(Book(talked.root), "C1", FIRST, LAST)
