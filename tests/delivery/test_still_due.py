"""What of a document is still to pay on the day its letter goes out."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.delivery import still_due
from a2ledger.documents import files, paths

ISSUED, LATER = dt.date(2026, 2, 1), dt.date(2026, 2, 15)
ROWS = "id,customer,date,amount\n"


@pytest.fixture(scope="module")
def billed(tmp_path_factory):
    """A bill of 100.00 and one of a customer whose refills are taxed, of 12.10 for 10.00."""
    root = shelf.started(tmp_path_factory.mktemp("due") / "book", "A", vat="none")
    draft = shelf.draft(root)
    shelf.register.add(draft, "P", {"opened": "2026-01-01", "vat": "on-refill"})
    shelf.publish(draft)
    charges = "id,customer,date,amount,service\n1,A,2026-01-05,100,Calls\n2,P,2026-01-05,10,Calls\n"
    shelf.take(root, "charges", charges)
    shelf.close(root, ISSUED)
    return root


def still(root, customer="A", day=LATER):
    book = Book(root)
    documents = [files.read(book, path) for path in paths.every(book).values()]
    (document,) = (
        one for one in documents if (one.customer["id"], one.issue_date) == (customer, str(ISSUED))
    )
    return still_due.of_document(book, document, day)


def paid(root, kind, customer, amount, day="2026-02-10"):
    shelf.take(root, kind, f"{ROWS}x,{customer},{day},{amount}\n")


@pytest.mark.parametrize(
    ("amount", "left"), [("0.01", "99.99"), ("40", "60.00"), ("100", "0.00"), ("500", "0.00")]
)
def test_a_bill_asks_for_what_has_not_been_paid_meanwhile(billed, amount, left):
    with shelf.copied(billed) as root:
        assert still(root) == "100.00"
        paid(root, "payments", "A", amount)
        assert still(root) == left
        assert still(root, day=dt.date(2026, 2, 9)) == "100.00"
        assert still(root, day=dt.date(2026, 1, 31)) == "100.00"


def test_what_was_paid_back_is_still_to_pay(billed):
    with shelf.copied(billed) as root:
        paid(root, "payments", "A", "40")
        paid(root, "refills", "A", "-30")
        assert still(root) == "90.00"


def test_vat_that_falls_due_by_paying_is_due_on_what_is_left(billed):
    with shelf.copied(billed) as root:
        assert still(root, "P") == "12.10"
        paid(root, "refills", "P", "6.05")
        assert still(root, "P") == "6.05"
