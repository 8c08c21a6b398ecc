"""The customers' own ledgers in a book: read as they are, written in a draft."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import shelf

from a2ledger.book.book import Book, BrokenBookError
from a2ledger.customers import register
from a2ledger.journal import customer_file, subledgers

FIRST = dt.date(2026, 1, 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book in euro with a customer in euro and one in dollars."""
    root = shelf.started(tmp_path / "book", "A")
    toml = root / "a2ledger.toml"
    toml.write_text(toml.read_text() + '\n[tariffs.usd]\ncurrency = "USD"\n')
    one = shelf.draft(root)
    register.add(one, "U", {"opened": "2026-01-15", "currency": "USD", "tariff": "usd"})
    shelf.publish(one)
    return root


def test_customers_are_read_by_their_ids_with_their_currencies(root):
    book = Book(root)

    assert list(subledgers.customers(book)) == ["A", "U"]
    assert subledgers.customer(book, "U").opened == dt.date(2026, 1, 15)
    assert [subledgers.currency(book, name) for name in ("A", "U", "")] == ["EUR", "USD", "EUR"]
    assert subledgers.foreign_accounts(book) == {"U": "USD"}


def test_what_a_draft_puts_is_read_from_it_and_not_from_the_book(root):
    one = shelf.draft(root)
    customer = subledgers.customer(one, "A")
    longer = subledgers.with_period(customer, dt.date(2026, 2, 1))
    subledgers.put_customer(one, longer)

    assert subledgers.customer(one, "A").periods == (FIRST, dt.date(2026, 2, 1))
    assert subledgers.customer(Book(root), "A").periods == (FIRST,)
    assert one.touched["A"] == dt.date(2026, 2, 1)
    shelf.publish(one)
    assert subledgers.customer(Book(root), "A").open_since == dt.date(2026, 2, 1)


def test_a_new_customer_begins_with_an_empty_period(root):
    one = shelf.draft(root)
    register.add(one, "N", {"opened": "2026-03-05"})

    path = customer_file.period_path("N", dt.date(2026, 3, 5))
    assert one.put_files[path] is not None
    assert subledgers.open_file(one, "N").above == ()


def test_a_ledger_that_cannot_be_read_is_named_with_file_and_line(root):
    path = root / customer_file.path("A")
    path.write_text(path.read_text() + '2026-01-01 custom "a2ledger-fee" "f" "twice a day"\n')
    (root / "journals/customers/B.beancount").write_text(
        (root / customer_file.path("U")).read_text()
    )

    with pytest.raises(BrokenBookError) as error:
        list(subledgers.customers(Book(root)))
    first, second = error.value.problems
    assert first.file == customer_file.path("A")
    assert first.line == path.read_text().count("\n")
    assert (second.file, second.what) == ("journals/customers/B.beancount", "is the ledger of U")


def test_a_period_that_is_not_as_the_program_writes_it_is_named(root):
    path = customer_file.period_path("A", FIRST)
    (root / path).write_text((root / path).read_text() + '2026-01-05 * "Calls" "many"\n')

    with pytest.raises(BrokenBookError) as error:
        subledgers.open_file(Book(root), "A")
    assert error.value.problems[0].file == path
