"""Many fees from a table, and fees of several things at a price each."""

from __future__ import annotations

import shutil

import pytest
from harness import Book

ROWS = [
    {"id": "block", "customer": "C1", "service": "DIDs", "amount": "4.00", "quantity": "10",
     "from": "2026-01-01", "description": "Numbers"},
    {"customer": "C2", "service": "Subscriptions", "amount": "12.50", "from": "2026-01-01"},
]  # fmt: skip


@pytest.fixture
def book(empty_book, tmp_path) -> Book:
    shutil.copytree(empty_book, tmp_path / "book")
    made = Book(tmp_path / "book", tmp_path / "files", "2026-01-10")
    made.customers({"id": "C1"}, {"id": "C2"})
    return made


def test_a_table_of_fees_is_added_once(book):
    assert "2 posted" in book.imported("fees", ROWS).stderr
    before = book.run("fee", "list", "--json").json
    assert [(row["amount"], row["quantity"], row["price"]) for row in before] == [
        ("40.00", 10, "4.00"),
        ("12.50", 1, "12.50"),
    ]
    assert "2 duplicate" in book.imported("fees", ROWS).stderr
    assert book.run("fee", "list", "--json").json == before
    assert book.balance("C1")["owed"] == "40.00"


def test_other_terms_under_a_known_id_are_a_conflict(book):
    book.imported("fees", ROWS)
    done = book.imported("fees", [{**ROWS[0], "amount": "5.00"}], code=3)
    assert "fee change" in done.stderr
    assert book.balance("C1")["owed"] == "40.00"


def test_the_bill_shows_how_many_at_which_price(book):
    book.run("fee", "add", "C1", "DIDs", "4,50", "--quantity", "3", "--id", "f")
    text = book.run("preview", "C1").stdout
    assert "3 x 4.50" in text
    book.run("fee", "change", "C1", "f", "4.00", "--quantity", "5", "--from", "2026-02-01")
    assert "5 x 4.00" in book.run("preview", "C1", today="2026-01-31").stdout
    book.run("check", "C1")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"customer": "C9"}, "unknown-customer"), ({"quantity": "two"}, "bad-quantity"),
        ({"every": "fortnight"}, "bad-term"), ({"service": "Pizza"}, "unknown-service"),
        ({"amount": "much"}, "bad-amount"), ({"from": "soon"}, "bad-date"),
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_is_no_fee_is_quarantined_and_tried_again(book, wrong, reason):
    done = book.imported("fees", [{**ROWS[0], **wrong}, ROWS[1]], code=3)
    assert f"({reason})" in done.stderr
    if reason == "unknown-customer":
        book.customers({"id": "C9"})
        book.run("quarantine", "retry")
        assert book.balance("C9")["owed"] == "40.00"
