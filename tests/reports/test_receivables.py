"""Who owes what at the end of a day."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger import money
from a2ledger.balances.ageing import BUCKETS
from a2ledger.book.book import Book
from a2ledger.reports.receivables import receivables


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("receivables") / "book", "A", "B", "C", vat="none")
    charges = "id,customer,date,amount,service\n1,A,2026-01-05,100,Calls\n2,A,2026-02-10,7,Calls\n"
    shelf.take(root, "charges", charges)
    shelf.close(root, dt.date(2026, 2, 1))
    shelf.take(root, "payments", "id,customer,date,amount\n1,A,2026-02-12,40\n2,B,2026-02-12,5\n")
    return Book(root)


@pytest.mark.parametrize(
    ("day", "owed"),
    [
        (dt.date(2026, 1, 4), {}),
        (dt.date(2026, 1, 31), {"A": ("100.00", "0.00", "100.00")}),
        (dt.date(2026, 2, 11), {"A": ("100.00", "7.00", "107.00")}),
        (dt.date(2026, 2, 20), {"A": ("60.00", "7.00", "67.00"), "B": ("-5.00", "0.00", "-5.00")}),
    ],
)
def test_each_day_has_what_was_billed_unbilled_and_owed(own, day, owed):
    report = receivables(own, day)
    assert {
        row["customer"]: (row["billed"], row["unbilled"], row["owed"]) for row in report.rows
    } == owed


def test_what_is_open_by_age_and_what_is_unapplied_is_what_was_billed(own):
    report = receivables(own, dt.date(2026, 2, 20))
    for row in [*report.rows, *report.totals]:
        by_age = sum(money.parse(row[name]) for name in BUCKETS)
        assert by_age + money.parse(row["unapplied"]) == money.parse(row["billed"])
        assert set(report.columns) == set(row)
    (total,) = report.totals
    assert (total["currency"], total["owed"]) == ("EUR", "62.00")
    assert receivables(own, dt.date(2026, 1, 4)).totals == []
