"""What may be a value of a customer's fact."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from a2ledger import facts


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("credit_limit", "50", Decimal("50.00")),
        ("billing_day", "31", Decimal(31)),
        ("discount_percent", "12.5", Decimal("12.5")),
        ("terms", "30", "30"),
        ("terms", "", ""),
        ("tariff", " acme ,standard", "acme, standard"),
        ("dial_plan", "9=,0=30", "9=, 0=30"),
        ("vat", "none", "none"),
        ("identifiers", "ann,Room 3", "ann, Room 3"),
        ("name", "Ada \n Lovelace\t& Co", "Ada Lovelace & Co"),  # on one line of every list
        ("name", "Ada  Lovelace", "Ada  Lovelace"),
        ("address", "High Street 1\n1000 Brussels", "High Street 1\n1000 Brussels"),
    ],
)
def test_what_is_a_value(key, text, value):
    assert facts.parse(key, text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("credit_limit", "much"),
        ("billing_day", "0"),
        ("billing_day", "1.5"),
        ("discount_percent", "101"),
        ("terms", "soon"),
        ("terms", "\u00b2"),
        ("terms", "99999999999"),
        ("currency", "euro"),
        ("vat", "sometimes"),
        ("dial_plan", "9"),
        ("identifiers", "ann;3225550101"),
        ("identifiers", "ann|3225550101"),
        ("shoe_size", "42"),
    ],
)
def test_what_is_none_is_said_by_its_key(key, text):
    with pytest.raises(ValueError, match=f"^{key}: "):
        facts.parse(key, text)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('"billing_day" 1', '"billing_day" 0', "billing_day"),
        ('"vat" "none"', '"vat" "sometimes"', "vat"),
        ('"tariff" "standard"', '"terms" "soon"', "terms"),
    ],
)
@pytest.mark.parametrize("words", [["close"], ["preview", "C1"], ["check"]], ids=" ".join)
def test_a_fact_written_by_hand_that_is_none_is_one_line_and_nothing_is_committed(
    book, old, new, key, words
):
    book.customers({"id": "C1"})
    log = book.log()
    book.edit("journals/customers/C1.beancount", f'"a2ledger-set" {old}', f'"a2ledger-set" {new}')

    done = book.run(*words, code=1, today="2026-03-01")

    (line,) = done.errors
    assert re.match(rf"a2ledger: journals/customers/C1\.beancount:\d+: {key}", line), line
    assert book.log() == log


def test_a_vat_code_still_carried_may_not_vanish_from_the_configuration(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.moves("charges", "C1", "2026-01-05", "1.23", today="2026-01-06")
    book.close(today="2026-02-01")
    text = book.text("a2ledger.toml").replace("[vat.codes.S21]", "[vat.codes.S20]")
    (book.root / "a2ledger.toml").write_text(text.replace('"S21"', '"S20"'))

    done = book.run("close", code=1, today="2026-03-01")

    assert "vat.codes.S21: is gone, and entries are posted under it" in done.stderr


def test_a_price_changed_backwards_says_that_what_is_posted_stays(book):
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-05", today="2026-01-06")
    before = book.balance("C1")["owed"]

    done = book.run(
        "customer", "set", "C1", "discount_percent=50", "--from", "2026-01-02", today="2026-01-10"
    )

    assert "already posted keep their price" in done.stderr
    assert book.balance("C1")["owed"] == before
