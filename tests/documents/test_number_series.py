"""Numbers: where a series starts, and what it never does."""

from __future__ import annotations

import pytest
from harness import Book


@pytest.fixture
def one(book: Book) -> Book:
    book.customers({"id": "A", "credit_limit": "1000"})
    book.moves("charges", "A", "2026-01-05", "100.00", today="2026-01-06")
    return book


@pytest.mark.parametrize("said", ["[numbers]\nnext = 544\n", "[series]\nstart = 544\n"])
def test_a_series_goes_on_where_another_system_ended(one, said):
    one.append("a2ledger.toml", f"\n{said}")
    assert [row["number"] for row in one.close(today="2026-02-01")] == ["INV-2026-000544"]
    one.moves("charges", "A", "2026-12-05", "1.00", today="2026-12-05")
    assert one.close("A", today="2027-01-01")[-1]["number"] == "INV-2027-000001"


def test_a_number_that_an_opening_brought_is_not_taken_again(one):
    row = {"id": "o1", "customer": "A", "amount": "50.00", "number": "INV-2026-000001",
           "due": "2026-01-15"}  # fmt: skip
    one.imported("openings", [row], today="2026-01-06")
    refused = one.run("close", today="2026-02-01", code=1)
    assert "INV-2026-000001 is the number of an opening balance" in refused.stderr
    one.append("a2ledger.toml", "\n[numbers]\nnext = 2\n")
    assert [row["number"] for row in one.close(today="2026-02-01")] == ["INV-2026-000002"]


def test_a_start_that_would_leave_numbers_out_is_refused(one):
    one.close(today="2026-02-01")
    one.moves("charges", "A", "2026-02-05", "1.00", today="2026-02-05")
    one.append("a2ledger.toml", "\n[numbers]\nnext = 10\n")
    refused = one.run("close", today="2026-03-01", code=1)
    assert "numbers.next: is 10, and INV-2026-000001 was issued" in refused.stderr


def test_a_number_never_has_an_earlier_date_than_the_one_before_it(one):
    one.customers({"id": "B", "credit_limit": "1000"})
    one.moves("charges", "B", "2026-01-05", "10.00", today="2026-01-06")
    one.close("A", today="2026-02-10")
    refused = one.run("close", "B", today="2026-02-03", code=1)
    assert "INV-2026-000001 was issued on 2026-02-10" in refused.stderr
    assert [row["number"] for row in one.close("B", today="2026-02-10")] == ["INV-2026-000002"]
