"""VAT that the journals move, with a document and without one."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book, BrokenBookError
from a2ledger.documents import paths
from a2ledger.reports import documents

FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
CHARGE = "id,customer,date,amount,service\n1,A,2026-01-05,100,Calls\n"
BY_HAND = """
2026-02-10 * "Tax office" "correction"
  Liabilities:VAT:S21   1.00 EUR
  Assets:Bank  -1.00 EUR
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    root = shelf.started(
        tmp_path_factory.mktemp("documents") / "book", "A", vat="on-invoice", country="BE"
    )
    shelf.take(root, "charges", CHARGE)
    shelf.close(root, dt.date(2026, 2, 1))
    return root


def test_vat_by_hand_is_of_no_document(template):
    with shelf.copied(template) as root:
        with (root / "journals/manual.beancount").open("a") as file:
            file.write(BY_HAND)
        moved = documents.due(Book(root), FIRST, LAST)
        assert [(row.code, row.base_micro, row.vat_micro) for row in moved.taxed] == [
            ("S21", 100_000_000, 21_000_000)
        ]
        (other,) = moved.other
        assert (other.vat_micro, other.description) == (-1_000_000, "Tax office, correction")


def test_a_document_that_is_gone_is_asked_back(template):
    with shelf.copied(template) as root:
        (path,) = paths.every(Book(root)).values()
        (root / path).unlink()
        with pytest.raises(BrokenBookError, match="which is not under invoices/; restore that"):
            documents.issued(Book(root), FIRST, LAST)


def test_a_document_counts_on_the_day_of_its_entry(template):
    book = Book(template)
    (row,) = documents.issued(book, FIRST, LAST)
    assert documents.issued(book, FIRST, row.date) == [row]
    assert documents.issued(book, FIRST, row.date - dt.timedelta(days=1)) == []
    assert documents.issued(book, row.date + dt.timedelta(days=1), LAST) == []
