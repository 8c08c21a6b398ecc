"""Refills that are taxed when they are paid: what is asked, paid, given back and owed agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from harness import made_once


@pytest.fixture
@made_once
def prepaid(book):
    """12.10 are paid, of which 2.10 are VAT; 16 minutes at 1.00 are used in January."""
    book.customers({"id": "P1", "vat": "on-refill"})
    book.today = "2026-01-20"
    book.moves("payments", "P1", "2026-01-05", "12.10", id="r1", method="paypal")
    return book


def vat(book) -> Decimal:
    return -book.sums().get("Liabilities:VAT:S21", Decimal(0))


def test_paying_what_is_asked_leaves_nothing(prepaid):
    prepaid.talks("P1", "2026-01-06", 16)
    (row,) = prepaid.close(today="2026-02-02")
    assert row["to_pay"] == "7.26"
    bill = prepaid.documents()["statement-P1-2026-01-01"]
    assert (bill["statement"]["closing"], bill["tax_on_payment"]) == ("6.00", "1.26")
    text = prepaid.run("invoice", "statement-P1-2026-01-01", "--format", "text", "-o", "-").stdout
    assert "Still to pay: EUR 7.26." in text
    assert "VAT, due when it is paid" in text
    prepaid.today = "2026-02-03"
    prepaid.moves("payments", "P1", "2026-02-03", "7.26")
    assert prepaid.balance("P1")["owed"] == "0.00"
    assert vat(prepaid) == Decimal("3.36")  # 21 % of 16.00
    prepaid.run("verify")


def test_a_bonus_makes_no_invoice(prepaid):
    done = prepaid.imported(
        "refills",
        [{"id": "b", "customer": "P1", "date": "2026-01-07", "amount": "5.00", "method": "bonus"}],
    )
    assert "document" not in done.stderr
    assert prepaid.balance("P1")["owed"] == "-15.00"
    assert vat(prepaid) == Decimal("2.10")


def test_no_more_is_refunded_than_is_left(prepaid):
    prepaid.talks("P1", "2026-01-06", 5)
    assert (
        "6.05 of refills can be paid back at most"
        in prepaid.run("refund", "P1", "6.06", code=1).stderr
    )
    prepaid.run("refund", "P1", "6.05", "--date", "2026-01-08")
    said = prepaid.run("refund", "P1", "6.05", "--id", "again", code=1).stderr
    assert "0.00 of refills can be paid back at most" in said
    assert (prepaid.balance("P1")["owed"], vat(prepaid)) == ("0.00", Decimal("1.05"))


def test_a_chargeback_after_a_refund_gives_no_vat_back_that_is_back_already(prepaid):
    prepaid.run("refund", "P1", "6.05")
    prepaid.run("returned", "P1", "r1")
    assert vat(prepaid) == 0
    prepaid.run("check", "P1")


def test_a_deposit_is_taxed_only_as_far_as_it_settles_something(prepaid):
    prepaid.run("deposit", "P1", "50.00")
    prepaid.talks("P1", "2026-01-06", 16)
    prepaid.run("close", "P1", "--final", today="2026-02-01")
    # 6.00 were owed: 7.26 of the deposit pay them, and the rest is returned.
    assert (prepaid.balance("P1")["owed"], vat(prepaid)) == ("0.00", Decimal("3.36"))
    said = prepaid.run("deposit", "P1", "--return", "--json", today="2026-02-01").json
    assert said["amount"] == "42.74"


def test_a_deposit_of_somebody_who_owes_nothing_is_not_taxed(prepaid):
    prepaid.run("deposit", "P1", "50.00")
    prepaid.run("close", "P1", "--final", today="2026-02-01")
    assert vat(prepaid) == Decimal("2.10")
    assert prepaid.run("deposit", "P1", "--return", "--json", today="2026-02-01").json[
        "amount"
    ] == ("50.00")


def test_a_debt_that_was_never_taxed_gives_no_vat_back(book):
    book.customers({"id": "C1", "vat": "none"})
    book.moves("charges", "C1", "2026-01-05", "121.00", today="2026-01-20")
    book.run("customer", "set", "C1", "vat=on-refill", "--from", "2026-02-01", today="2026-01-20")
    book.close(today="2026-02-01")
    assert "Liabilities:VAT:S21" not in book.sums()
    assert list(book.documents()) == ["INV-2026-000001"]
    # It is asked for as it is, and paying it is no top-up; what is paid beyond it is one.
    assert book.invoice("INV-2026-000001")["to_pay"] == "121.00"
    book.moves("payments", "C1", "2026-02-05", "100.00", today="2026-02-05")
    assert list(book.documents()) == ["INV-2026-000001"]
    book.moves("payments", "C1", "2026-02-06", "33.10", today="2026-02-06")
    assert (book.balance("C1")["owed"], vat(book)) == ("-10.00", Decimal("2.10"))
    book.run("check", "C1")


def test_a_debt_with_vat_in_it_is_asked_for_as_it_is_and_paid_by_a_taxed_refill(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.moves("charges", "C1", "2026-01-05", "100.00", today="2026-01-20")
    book.run("customer", "set", "C1", "vat=on-refill", "--from", "2026-02-01", today="2026-01-20")
    (row,) = book.close(today="2026-02-02")
    assert row["to_pay"] == "121.00"
    assert (book.balance("C1")["owed"], vat(book)) == ("100.00", Decimal(0))
    book.moves("payments", "C1", "2026-02-05", "121.00", today="2026-02-05")
    assert (book.balance("C1")["owed"], vat(book)) == ("0.00", Decimal("21.00"))


def test_a_refund_that_is_charged_back_is_owed_without_vat(prepaid):
    prepaid.run("refund", "P1", "12.10")
    prepaid.run("returned", "P1", "r1")
    assert (prepaid.balance("P1")["owed"], vat(prepaid)) == ("12.10", Decimal(0))
    (row,) = prepaid.close(today="2026-02-02")
    assert row["to_pay"] == "12.10"
    prepaid.moves("payments", "P1", "2026-02-05", "12.10", today="2026-02-05")
    assert (prepaid.balance("P1")["owed"], vat(prepaid)) == ("0.00", Decimal(0))
    prepaid.run("check", "P1")


def test_a_bill_asks_for_what_is_owed_on_the_day_it_is_made(book):
    book.customers({"id": "C1"})
    for day, amount in (("2026-01-05", "20.00"), ("2026-02-05", "30.00")):
        book.moves("charges", "C1", day, amount, today="2026-02-20")
    book.close(today="2026-02-21")
    book.today = "2026-03-02"
    book.moves("payments", "C1", "2026-03-01", "20.00")
    assert book.preview("C1")["to_pay"] == "30.00"
    (row,) = book.close(today="2026-03-02")
    assert (row["to_pay"], book.balance("C1")["owed"]) == ("30.00", "30.00")
    bill = book.invoice(row["number"])
    assert bill["statement"]["closing"] == "50.00"
    assert [(line["date"], line["amount"], line["balance"]) for line in bill["since"]] == [
        ("2026-03-01", "-20.00", "30.00")
    ]
    text = book.run("invoice", row["number"], "--format", "text", "-o", "-").stdout
    assert "Please pay EUR 30.00" in text
    assert "1 March 2026, Payment" in text
    book.run("verify")


def test_a_credit_note_of_a_close_is_told_with_its_kind_and_sign(book):
    book.customers({"id": "C1"})
    book.moves("charges", "C1", "2026-01-05", "-50.00", today="2026-01-20")
    said = book.run("close", "--dry-run", today="2026-02-01").stdout
    assert "CN-2026-000001  credited 50.00, to pay 0.00" in said
    (row,) = book.close(today="2026-02-01")
    assert (row["kind"], row["gross"], row["billed"]) == ("credit-note", "50.00", "-50.00")
