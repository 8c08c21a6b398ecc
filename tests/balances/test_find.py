"""What is found by a part of its text, and in which order."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.balances import find
from a2ledger.balances.find import CUSTOMER, INVOICE, NUMBER, PAYMENT, Entry, Hit
from a2ledger.book.book import Book
from a2ledger.records import Customer

FIRST, LATER = dt.date(2026, 1, 1), dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return Book(shelf.started(tmp_path_factory.mktemp("find") / "book", "C1"))


def customer(**facts):
    return Customer(
        id="C1", opened=FIRST, facts={key: ((FIRST, value),) for key, value in facts.items()}
    )


def found(entries, text, own):
    return [(hit.kind, hit.id) for hit in find.matching(entries, text, own)]


def test_a_customer_is_found_by_what_is_known_of_them_and_by_the_numbers_they_hold(own):
    entries = list(
        find.of_customer(
            customer(
                name="Ada & Co", city="Gent", phone="09 123", identifiers="trunk7, +32 3 555 00 03"
            )
        )
    )
    assert [entry.hit.kind for entry in entries] == [CUSTOMER, NUMBER, NUMBER, NUMBER]
    assert found(entries, "  ADA   & co ", own) == [(CUSTOMER, "C1")]
    assert found(entries, "0032 3 555-00-03", own) == [(NUMBER, "+32 3 555 00 03")]
    assert found(entries, "55500", own) == [(NUMBER, "+32 3 555 00 03")]
    assert found(entries, "trunk", own) == [(NUMBER, "trunk7")]
    assert found(entries, "55", own) == []
    assert found(entries, " ", own) == []


def test_a_number_that_was_given_back_is_found_and_that_is_said():
    facts = {"identifiers": ((FIRST, "3031, 3032"), (LATER, "3032"))}
    texts = [
        entry.hit.text for entry in find.of_customer(Customer(id="C1", opened=FIRST, facts=facts))
    ]
    assert texts[1:] == ["3031: C1, not any more", "3032: C1"]


def test_accents_and_capitals_do_not_matter_and_a_phone_that_calls_is_one_hit(own):
    facts = customer(name="Café Zénith", phone="3225550001", identifiers="3225550001")
    entries = list(find.of_customer(facts))
    for text in ("zenith", "CAFÉ ZÉNITH", "cafe"):
        assert found(entries, text, own) == [(CUSTOMER, "C1")]
    assert found(entries, "3225550001", own)[0] == (NUMBER, "3225550001")
    assert [entry.hit.kind for entry in entries] == [CUSTOMER, NUMBER]


MONTH = """\
2026-01-05 * "Payment" "thanks" ^payment-payments-77
  id: "BANK-77"
  reference: "INV-2026-000009"
  Assets:Bank  33.33 EUR
  Assets:Receivable:X:Billed  -33.33 EUR

2026-01-06 * "Payment" "" ^payment-payments-78
  voided: "entered twice"
  Assets:Bank  0.00 EUR
  Assets:Receivable:X:Billed  0.00 EUR

2026-01-31 * "Invoice INV-2026-000004" "" #invoice ^INV-2026-000004
  number: "INV-2026-000004"
  Assets:Receivable:X:Unbilled  -121.00 EUR
  Assets:Receivable:X:Billed  121.00 EUR

2026-01-31 balance Assets:Bank  33.33 EUR
"""


def test_invoices_and_payments_of_a_month_are_found_newest_first(own):
    entries = list(find.of_month(MONTH, {"X": "C1"}.get))
    assert [(entry.hit.kind, entry.hit.id, entry.amount) for entry in entries] == [
        (INVOICE, "INV-2026-000004", "121.00 EUR"),
        (PAYMENT, "BANK-77", "33.33 EUR"),
    ]
    assert found(entries, "bank-77", own) == [(PAYMENT, "BANK-77")]
    assert found(entries, "33.33", own) == [(PAYMENT, "BANK-77")]
    assert found(entries, "inv-2026", own) == [(INVOICE, "INV-2026-000004"), (PAYMENT, "BANK-77")]
    assert found(entries, "33.34", own) == []


def test_what_is_called_exactly_so_comes_first_and_no_kind_crowds_out_another(own):
    entries = [Entry(Hit(PAYMENT, f"p{place}", "C1", ""), f"p{place} ada") for place in range(60)]
    entries += [Entry(Hit(CUSTOMER, "Ada", "Ada", ""), "ada")]
    hits = found(entries, "ada", own)
    assert hits[0] == (CUSTOMER, "Ada")
    assert len(hits) == 1 + find.MOST


def test_without_calls_a_book_has_none_to_find(own):
    assert find.of_calls(own, "3225550101", FIRST) == []
    assert [hit.id for hit in find.find(own, "c1", FIRST)] == ["C1"]
