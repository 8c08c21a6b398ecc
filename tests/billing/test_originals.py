"""A credit note names what it corrects, whoever made it."""

from __future__ import annotations

import pytest
from harness import Book


@pytest.fixture
def customer(book: Book) -> Book:
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    return book


def numbers(book: Book, name: str = "CN-2026-000001") -> list[str]:
    """Invoices that a credit note corrects, newest first."""
    document = book.invoice(name)
    originals = document.get("originals") or [document["original"]]
    assert document["original"] == originals[0]
    return [one["number"] for one in originals]


def test_fees_that_are_given_back_name_the_bills_they_stood_on(customer):
    add = ("fee", "add", "A", "Subscriptions")
    customer.run(*add, "31.00", "--from", "2026-01-01", today="2026-01-01")
    customer.run(*add, "365.00", "--every", "year", "--from", "2026-01-01", today="2026-01-01")
    customer.close(today="2026-03-01")
    customer.run("close", "A", "--final", today="2026-03-16")

    # The rest of March stood on February's bill, that of the year on January's.
    assert numbers(customer) == ["INV-2026-000002", "INV-2026-000001"]
    text = customer.run("invoice", "CN-2026-000001", "--format", "text", "-o", "-").stdout
    said = "Corrects invoice        INV-2026-000002 of 1 March 2026, INV-2026-000001 of 1\n"
    assert said in text
    assert text.count("Corrects invoice") == 1


def test_calls_that_cost_less_name_the_bill_of_their_period(customer):
    customer.talks("A", "2026-01-06", 10, today="2026-01-07")
    customer.close(today="2026-02-01")
    customer.edit("tariffs/standard.csv", "1.00", "0.50")
    customer.run("rerate", "--from", "2026-01-01", today="2026-02-16")
    customer.close(today="2026-03-01")
    assert numbers(customer) == ["INV-2026-000001"]


def test_a_negative_charge_names_the_latest_bill_with_its_service(customer):
    customer.moves("charges", "A", "2026-01-05", "100.00", service="Subscriptions")
    customer.moves("charges", "A", "2026-02-05", "50.00", service="One-off")
    customer.moves("charges", "A", "2026-03-05", "-30.00", service="Subscriptions")
    customer.close(today="2026-04-01")
    assert numbers(customer) == ["INV-2026-000001"]


def test_what_corrects_no_invoice_has_the_period_it_is_for(customer):
    customer.moves("charges", "A", "2026-01-05", "-30.00")
    customer.close(today="2026-02-01")
    document = customer.invoice("CN-2026-000001")
    assert document["original"] is None
    assert document["period"] == {"start": "2026-01-01", "end": "2026-02-01"}
    text = customer.run("invoice", "CN-2026-000001", "--format", "text", "-o", "-").stdout
    assert "Period                  1 January 2026 to 31 January 2026" in text


def test_a_refill_that_is_paid_back_names_its_own_document(customer):
    customer.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    customer.customers({"id": "P", "vat": "on-refill", "country": "BE"})
    customer.moves("payments", "P", "2026-01-05", "24.20", id="r1")
    customer.run("refund", "P", "12.10", today="2026-01-07")
    assert numbers(customer) == ["INV-2026-000001"]
    customer.run("returned", "P", "r1", today="2026-01-08")
    assert numbers(customer, "CN-2026-000002") == ["INV-2026-000001"]
