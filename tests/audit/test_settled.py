"""What was used is not edited: a code's rate, the book's currency."""

from __future__ import annotations

import pytest
from harness import Book, made_once


@pytest.fixture
@made_once
def billed(book: Book) -> Book:
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    book.moves("charges", "A", "2026-01-05", "100.00", today="2026-01-06")
    book.close(today="2026-02-01")
    return book


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rate = 21", "rate = 25", "vat.codes.S21.rate: is 25, and entries are posted"),
        ('category = "S"\nrate = 21', 'category = "E"\nrate = 0\nreason = "x"',
         "vat.codes.S21.rate: is 0"),
        ('currency = "EUR"', 'currency = "USD"', "currency: is USD, and the book is kept in EUR"),
    ],
)  # fmt: skip
def test_what_was_used_cannot_be_edited(billed, old, new, said):
    before = billed.digests()
    billed.edit("a2ledger.toml", old, new)
    refused = billed.run("customer", "set", "A", "terms=20", today="2026-02-02", code=1)
    assert said in refused.stderr
    assert len(refused.errors) == 1
    billed.edit("a2ledger.toml", new, old)
    assert billed.digests() == before


@pytest.mark.parametrize("words", [("check",), ("preview", "A")], ids=lambda words: words[0])
def test_no_figure_is_shown_by_an_edited_rate(billed, words):
    billed.edit("a2ledger.toml", "rate = 21", "rate = 25")
    refused = billed.run(*words, today="2026-02-02", code=1)
    assert "vat.codes.S21.rate: is 25, and entries are posted" in refused.stderr
    assert refused.stdout == ""
    billed.edit("a2ledger.toml", "rate = 25", "rate = 21")
    billed.run(*words, today="2026-02-02")


def test_an_edited_rate_is_not_blamed_on_what_was_closed(billed):
    billed.edit("a2ledger.toml", "rate = 21", "rate = 25")
    assert billed.run("verify").stdout == ""


def test_an_edited_currency_is_not_blamed_on_what_was_closed(billed):
    billed.edit("a2ledger.toml", 'currency = "EUR"', 'currency = "USD"')
    assert billed.run("verify").stdout == ""
    assert billed.balance("A")["currency"] == "EUR"
    refused = billed.run("close", today="2026-03-02", code=1)
    assert "currency: is USD, and the book is kept in EUR" in refused.stderr


def test_an_edit_somebody_committed_is_found_too(billed):
    billed.edit("a2ledger.toml", "rate = 21", "rate = 25")
    billed.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org",
               "commit", "--quiet", "--all", "-m", "rates")  # fmt: skip
    refused = billed.run("customer", "set", "A", "terms=20", today="2026-02-02", code=1)
    assert "vat.codes.S21.rate" in refused.stderr


def test_a_code_nothing_bears_may_be_changed(billed):
    billed.append("a2ledger.toml", "\n[vat.codes.S9]\nrate = 9\n")
    billed.run("customer", "set", "A", "terms=20", today="2026-02-02")
    billed.edit("a2ledger.toml", "rate = 9", "rate = 10")
    billed.run("customer", "set", "A", "terms=21", today="2026-02-02")


# ---- assertions of the accountant's ----


def test_an_assertion_that_usage_would_break_is_refused_with_its_line(billed):
    text = billed.text("journals/manual.beancount")
    billed.append("journals/manual.beancount",
                  "2026-01-16 balance Income:Calls  0 EUR\n")  # fmt: skip
    refused = billed.run("customer", "set", "A", "terms=20", today="2026-02-02", code=1)
    line = text.count("\n") + 1
    assert f"journals/manual.beancount:{line}: usage moves Income:Calls" in refused.stderr


def test_ordinary_entries_with_prices_pass(billed):
    billed.append(
        "journals/manual.beancount",
        '2026-01-01 open Expenses:Hosting\n2026-01-09 * "Hosting"\n'
        "  Expenses:Hosting   9.99 USD @ 0.8795 EUR\n  Assets:Bank       -8.79 EUR\n",
    )
    billed.run("customer", "set", "A", "terms=20", today="2026-02-02")
    assert billed.run("check").stdout == ""


def test_an_account_closed_by_hand_is_named_where_it_was_closed(billed):
    billed.moves("payments", "A", "2026-02-01", "5.00", method="paypal", today="2026-02-01")
    billed.append(
        "journals/manual.beancount",
        '2026-02-01 * "PayPal pays out"\n  Assets:Bank  5.00 EUR\n'
        "  Assets:Gateway:X-paypal  -5.00 EUR\n2026-02-02 close Assets:Gateway:X-paypal\n",
    )
    billed.run("customer", "set", "A", "terms=20", today="2026-02-02")
    place = billed.text("journals/manual.beancount").count("\n")
    refused = billed.moves("payments", "A", "2026-02-03", "5.00", method="paypal", code=3)
    assert f"closed since 2026-02-02 (journals/manual.beancount:{place})" in refused.stderr
    billed.close(today="2026-03-01")
    # Closed before the last entry it has, in a file nobody may edit:
    billed.edit("journals/manual.beancount", "2026-02-02 close", "2026-01-31 close")
    refused = billed.run("close", today="2026-03-01", code=1)
    assert f"journals/manual.beancount:{place}: this `close` of 2026-01-31" in refused.stderr


def test_an_edit_of_the_settings_is_not_blamed_on_facts_that_changed_after_a_close(billed):
    """What the general ledger opens accounts with is of the last run's day, whatever that is."""
    billed.run("customer", "set", "A", "credit_limit=5", today="2026-02-02")
    billed.edit("a2ledger.toml", "terms_days = 14", "terms_days = 30")
    assert billed.run("verify").stdout == ""
