"""Fees in advance are income of the days they cover, under the VAT of those days."""

from __future__ import annotations

from decimal import Decimal

from beancount.core import data
from harness import Book, bean_check


def income(book: Book, until: str) -> Decimal:
    return -sum(
        (
            leg.units.number
            for entry in book.entries("journals/history.beancount")
            if isinstance(entry, data.Transaction) and str(entry.date) <= until
            for leg in entry.postings
            if leg.account in {"Income:Subscriptions", "Income:Corrections"}
        ),
        Decimal(0),
    )


def test_a_month_in_advance_is_income_of_that_month(book):
    book.customers({"id": "A", "credit_limit": "1000"})
    book.run("fee", "add", "A", "Subscriptions", "31.00", "--from", "2026-11-01", "--id", "f",
             today="2026-11-01")  # fmt: skip
    book.close(today="2027-02-01")
    assert income(book, "2026-12-31") == Decimal("62.00")
    assert income(book, "2027-01-31") == Decimal("93.00")
    assert book.sums()["Liabilities:Deferred-Income"] == Decimal("-31.00")


def test_a_period_across_a_month_s_end_releases_at_both(book):
    book.customers({"id": "A", "credit_limit": "1000", "billing_day": 15})
    book.run("fee", "add", "A", "Subscriptions", "31.00", "--from", "2026-01-15", "--id", "f",
             today="2026-01-15")  # fmt: skip
    book.close(today="2026-03-15")
    # 17 of the 31 days from 15 January lie in January.
    assert income(book, "2026-01-31") == Decimal("17.00")
    assert income(book, "2026-02-14") == Decimal("31.00")


def test_a_credit_note_takes_the_deferral_with_it(book):
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    book.run("fee", "add", "A", "Subscriptions", "365.00", "--every", "year", "--id", "f",
             "--from", "2026-01-01", "--until", "2027-01-01", today="2026-01-01")  # fmt: skip
    book.close(today="2026-02-01")
    assert income(book, "2026-01-31") == Decimal("31.00")
    book.run("credit-note", "INV-2026-000001", "--reason", "wrong", today="2026-02-02")
    assert "Liabilities:Deferred-Income" not in book.sums("journals/history.beancount")
    assert income(book, "2026-02-02") == Decimal("0.00")
    book.close(today="2026-04-01")
    assert income(book, "2026-03-31") == Decimal("0.00")
    assert bean_check(book.root / "journals/history.beancount") == ""
    assert book.run("verify").stdout == ""


def test_half_a_credit_note_takes_half_of_what_is_deferred(book):
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    book.run("fee", "add", "A", "Subscriptions", "365.00", "--every", "year", "--id", "f",
             "--from", "2026-01-01", "--until", "2027-01-01", today="2026-01-01")  # fmt: skip
    book.close(today="2026-02-01")
    book.run("credit-note", "INV-2026-000001", "--reason", "half", "--line", "1", "--amount",
             "182.50", today="2026-02-02")  # fmt: skip
    assert book.sums()["Liabilities:Deferred-Income"] == Decimal("-167.00")
    book.close(today="2027-02-01")
    assert income(book, "2026-12-31") == Decimal("182.50")
    assert "Liabilities:Deferred-Income" not in book.sums("journals/history.beancount")


def test_a_rate_that_changes_inside_a_month_parts_the_fee(book):
    book.append(
        "a2ledger.toml",
        '\n[vat.codes.S19]\nrate = 19\n[[vat.rules]]\ncode = "S19"\nfrom = 2026-07-01\n',
    )
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice",
                    "opened": "2026-05-15", "billing_day": 15})  # fmt: skip
    book.run("fee", "add", "A", "Subscriptions", "30.00", "--from", "2026-05-15", "--id", "f",
             today="2026-05-15")  # fmt: skip
    (bill,) = book.close(today="2026-06-15")
    document = book.invoice(bill["number"])
    lines = [(line["from"], line["to"], line["net"], line["vat_code"])
             for line in document["lines"]]  # fmt: skip
    # The month from 15 June has 16 days in June and 14 in July.
    assert sorted(lines)[1:] == [
        ("2026-06-15", "2026-06-30", "16.00", "S21"),
        ("2026-07-01", "2026-07-14", "14.00", "S19"),
    ]
    # What is given back bears the VAT it was charged with.
    book.run("fee", "stop", "A", "f", "--from", "2026-06-21", today="2026-06-20")
    rows = book.preview("A", today="2026-06-20")["lines"]
    assert sorted((row["vat_code"], row["net"]) for row in rows) == [
        ("S19", "-14.00"),
        ("S21", "-10.00"),
    ]


def test_a_business_that_owes_the_vat_from_the_next_period_on_is_named_with_its_number(book):
    book.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    book.append(
        "a2ledger.toml", '\n[[vat.rules]]\ncode = "AE"\ncountries = ["eu"]\nbusiness = true\n'
    )
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice", "country": "BE"})
    book.run("fee", "add", "A", "Subscriptions", "100.00", "--from", "2026-01-01",
             today="2026-01-01")  # fmt: skip
    book.run("customer", "set", "A", "country=DE", "vat_id=DE136695976", "--from", "2026-02-01",
             today="2026-01-10")  # fmt: skip
    (row,) = book.close(today="2026-02-01")

    # January's fee bears 21 %; February's, on the same bill, the customer owes the VAT of.
    bill = book.invoice(row["number"])
    assert [(vat["code"], vat["net"], vat["vat"]) for vat in bill["vat"]] == [
        ("AE", "100.00", "0.00"),
        ("S21", "100.00", "21.00"),
    ]
    assert (bill["customer"]["vat_id"], bill["customer"]["country"]) == ("DE136695976", "DE")
    book.run("verify")
