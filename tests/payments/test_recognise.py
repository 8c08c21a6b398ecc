"""A payment that names no customer is posted to whoever got the invoice it names."""

from __future__ import annotations

import pytest
from harness import Book, made_once

from a2ledger.documents import references


@pytest.fixture
@made_once
def billed(book: Book) -> Book:
    """Two customers with an invoice each of 10.00 for January."""
    book.edit("a2ledger.toml", 'iban = ""', 'iban = "BE68 5390 0754 7034"')
    book.customers({"id": "C1"}, {"id": "C2"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    book.talks("C2", "2026-01-10", 10, today="2026-01-11")
    book.close(today="2026-02-01")
    return book


def pays(book: Book, reference: str, **more: object):
    return book.moves("payments", "", "2026-02-05", "10.00", reference=reference, **more)


def unpaid(book: Book) -> list[str]:
    """Numbers of the invoices that are open."""
    rows = book.run("ageing", "--documents", "--json", today="2026-03-03").json
    return [row["number"] for row in rows]


def test_an_invoice_asks_for_the_reference_of_its_account_s_country(billed):
    bills = billed.documents()

    assert bills["INV-2026-000001"]["reference"] == references.belgian("INV-2026-000001")
    assert (
        bills["INV-2026-000001"]["reference"]
        in billed.run("invoice", "INV-2026-000001", "--format", "text", "-o", "-").stdout
    )


@pytest.mark.parametrize(
    "written",
    [
        references.belgian("INV-2026-000002"),
        references.creditor("INV-2026-000002"),
        "inv 2026-000002",
    ],
)
def test_a_payment_finds_its_customer_by_reference_and_settles_that_invoice(billed, written):
    pays(billed, written)

    assert billed.balance("C2")["billed"] == "0.00"
    assert billed.balance("C1")["billed"] == "10.00"
    assert unpaid(billed) == ["INV-2026-000001"]


def test_the_same_payment_again_is_a_repetition(billed):
    pays(billed, references.belgian("INV-2026-000002"), id="bank-1")
    before = billed.digests()
    pays(billed, references.belgian("INV-2026-000002"), id="bank-1")

    assert billed.balance("C2")["billed"] == "0.00"
    assert {path: text for path, text in billed.digests().items() if "journals" in path} == {
        path: text for path, text in before.items() if "journals" in path
    }


def test_what_names_invoices_of_two_customers_waits(billed):
    pays(billed, "INV-2026-000001 INV-2026-000002")

    assert [billed.balance(name)["billed"] for name in ("C1", "C2")] == ["10.00", "10.00"]


def test_what_is_in_suspense_already_stays_there(billed):
    pays(billed, "", id="bank-1")
    before = billed.balance("C1")
    done = pays(billed, references.belgian("INV-2026-000001"), id="bank-1", code=3)

    assert billed.balance("C1") == before
    assert "bank-1" in done.stderr


def test_a_reference_settles_the_invoice_it_names_before_older_ones(billed):
    billed.talks("C1", "2026-02-10", 10, today="2026-02-11")
    billed.close(today="2026-03-01")
    newest = billed.documents()["INV-2026-000003"]
    billed.moves("payments", "C1", "2026-03-02", "10.00", reference=newest["reference"])

    assert unpaid(billed) == ["INV-2026-000001", "INV-2026-000002"]
