"""Payments that came back, or were of another customer or of nobody."""

from __future__ import annotations

from decimal import Decimal

import pytest
from soundness import due, sound


def test_a_returned_payment_leaves_the_debt_as_old_as_it_was(billed):
    billed.moves("payments", "C1", "2026-02-05", "18.15", id="p1")
    assert due(billed, "C1") == []
    billed.run("returned", "C1", "p1", "--description", "refused")
    # Issued on 2 February, due on the 16th: on 1 March 13 days late, as if nothing had come.
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    assert due(billed, "C1", "2026-02-09") == []
    assert billed.sums().get("Assets:Bank") is None
    (said,) = billed.run("returned", "C1", "p2", code=1).errors
    assert "C1: no payment p2" in said
    sound(billed)


def test_a_negative_row_reverses_a_payment_too(billed):
    billed.moves("payments", "C1", "2026-02-05", "18.15", id="p1")
    billed.moves("payments", "C1", "2026-02-08", "-18.15", id="p1-back", reference="p1")
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    sound(billed)


def test_a_returned_payment_that_paid_for_a_refill_takes_the_credit_back(billed):
    billed.moves("refills", "C2", "2026-02-04", "10.00", id="r1")
    billed.moves("payments", "C2", "2026-02-05", "10.00", id="p1", reference="r1", method="cash")
    assert billed.balance("C2")["owed"] == "-10.00"
    billed.run("returned", "C2", "p1")
    assert billed.balance("C2")["owed"] == "0.00"
    assert not {"Assets:Cash", "Assets:Clearing:Refills"} & billed.sums().keys()
    sound(billed)


def test_a_payment_of_the_wrong_customer_reaches_the_right_one_and_stays_known(billed):
    row = {"id": "p1", "customer": "C2", "date": "2026-02-05", "amount": "18.15"}
    billed.imported("payments", [row])
    done = billed.run("transfer", "C2", "C1", "p1", "--json").json
    assert [entry["customer"] for entry in done["entries"]] == ["C2", "C1"]
    assert billed.balance("C2")["owed"] == "0.00"
    assert billed.balance("C1")["owed"] == "0.00"
    assert "Liabilities:Suspense:Unmatched" not in billed.sums()
    # His journal does not tell either whose the other account is.
    assert "C1" not in billed.text("journals/2026-02/C2.01.beancount").replace("C1.01", "")
    again = billed.imported("payments", [row], today="2026-02-11")
    assert "1 duplicate" in again.stderr
    mended = billed.imported("payments", [{**row, "customer": "C1"}])
    assert "1 duplicate" in mended.stderr
    (said,) = billed.run("transfer", "C2", "C1", "p1", "--date", "2026-02-09", code=1).errors
    assert "nothing is left of payment p1" in said
    # It may bounce later, for whoever has it now.
    (said,) = billed.run("returned", "C2", "p1", code=1).errors
    assert "nothing is left of payment p1" in said
    billed.run("returned", "C1", "p1")
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    assert "Assets:Bank" not in billed.sums()
    sound(billed)


@pytest.mark.parametrize("owner", ["C1", ""])
def test_a_return_is_voided_and_the_payment_is_there_as_it_was(billed, owner):
    row = {"id": "p1", "customer": owner, "date": "2026-02-05", "amount": "18.15"}
    billed.imported("payments", [row], today="2026-02-11")
    before, books = billed.sums(), billed.balance("C1")
    name = owner or "suspense"
    back = billed.run("returned", name, "p1", "--json").json
    (said,) = billed.run("void", "payment/p1", "slip", code=1).errors
    assert "refers to it" in said
    billed.run("void", f"returned/{back['id']}", "the other one")
    assert (billed.sums(), billed.balance("C1")) == (before, books)
    if owner:
        (paid,) = billed.run("payments", "C1", "--json").json
        assert (paid["returned"], paid["invoices"]) == (False, ["INV-2026-000001"])
    sound(billed)
    # Once more it is returned, or struck out; then the first return does not stand again.
    billed.run("returned", name, "p1", "--id", "again")
    (said,) = billed.run("void", "--undo", f"returned/{back['id']}", code=1).errors
    assert "was returned, moved or voided since" in said
    billed.run("void", "returned/again", "slip")
    billed.run("void", "payment/p1", "slip")
    (said,) = billed.run("void", "--undo", f"returned/{back['id']}", code=1).errors
    assert "was returned, moved or voided since" in said
    assert "Assets:Bank" not in billed.sums()
    sound(billed)


def test_a_payment_that_went_and_came_back_is_where_it_was(billed):
    billed.moves("payments", "C2", "2026-02-05", "18.15", id="p1")
    billed.run("transfer", "C2", "C1", "p1", "--id", "t1")
    billed.run("transfer", "C1", "C2", "p1", "--id", "t2")
    (paid,) = billed.run("payments", "C2", "--json").json
    assert (paid["id"], paid["returned"]) == ("p1", False)
    (gone,) = billed.run("payments", "C1", "--json").json
    assert (gone["id"], gone["returned"]) == ("p1", True)
    billed.run("transfer", "C2", "C1", "p1", "--id", "t3")
    assert [row["returned"] for row in billed.run("payments", "C1", "--json").json] == [False]
    assert [row["returned"] for row in billed.run("payments", "C2", "--json").json] == [True]
    sound(billed)


def test_an_amount_is_transferred_and_what_could_be_either_is_asked_about(billed):
    billed.moves("payments", "C2", "2026-02-05", "20.00", id="7")
    billed.run("transfer", "C2", "C1", "5.50")
    assert (billed.balance("C2")["owed"], billed.balance("C1")["owed"]) == ("-14.50", "12.65")
    (said,) = billed.run("transfer", "C2", "C1", "7", code=1).errors
    assert "7 is an amount, and a payment of C2's" in said
    billed.run("transfer", "C2", "C1", "7.00")
    assert billed.balance("C2")["owed"] == "-7.50"
    billed.run("transfer", "C2", "C1", "7", "--payment")
    assert billed.balance("C2")["owed"] == "12.50"
    (said,) = billed.run("transfer", "C1", "C1", "7.00", code=1).errors
    assert "a transfer needs two customers" in said
    sound(billed)


def test_money_without_a_customer_waits_in_suspense_for_its_owner(billed):
    row = {"id": "p1", "customer": "", "date": "2026-02-05", "amount": "18.15",
           "reference": "who?", "description": "From the bank"}  # fmt: skip
    done = billed.imported("payments", [row, {**row, "id": "p2", "date": "2025-11-30"}])
    assert "2 rows read, 2 posted" in done.stderr
    assert "2 payment(s) name no customer" in done.stderr
    assert (
        "2 duplicate"
        in billed.imported("payments", [row, {**row, "id": "p2", "date": "2025-11-30"}]).stderr
    )
    assert billed.sums()["Liabilities:Suspense:Unmatched"] == Decimal("-36.30")
    sound(billed)
    waiting = billed.run("suspense", "--json").json
    assert waiting[1] == {
        "id": "p1", "date": "2026-02-05", "amount": "18.15", "currency": "EUR",
        "account": "Assets:Bank", "reference": "who?", "description": "From the bank",
    }  # fmt: skip
    # The row comes again with its customer: it is not booked twice, and the message says how.
    done = billed.imported("payments", [{**row, "customer": "C1"}], code=3)
    assert "`a2ledger transfer suspense C1 p1` assigns it" in done.stderr
    billed.run("transfer", "suspense", "C1", "p1")
    assert [found["id"] for found in billed.run("suspense", "--json").json] == ["p2"]
    assert billed.balance("C1")["owed"] == "0.00"
    assert "1 duplicate" in billed.imported("payments", [{**row, "customer": "C1"}]).stderr
    assert "1 duplicate" in billed.imported("payments", [row]).stderr
    # It was not C1's after all, nor C2's: back, and back to whoever sent it.
    billed.run("transfer", "C1", "suspense", "p1")
    billed.run("transfer", "suspense", "C2", "p1")
    billed.run("transfer", "C2", "suspense", "p1")
    billed.run("returned", "suspense", "p1")
    assert [found["id"] for found in billed.run("suspense", "--json").json] == ["p2"]
    assert billed.sums()["Assets:Bank"] == Decimal("18.15")
    assert (billed.balance("C1")["owed"], billed.balance("C2")["owed"]) == ("18.15", "0.00")
    (said,) = billed.run("transfer", "suspense", "C1", "5.00", code=1).errors
    assert "suspense holds payments, not amounts" in said
    said = billed.run("balances").stderr
    assert said == "note: 18.15 EUR belongs to no customer: see `a2ledger suspense`\n"
    (said,) = billed.run("customer", "add", "suspense", code=1).errors
    assert "this name is reserved for unmatched money" in said
    unknown = billed.imported("payments", [{**row, "id": "p3", "customer": "C9"}], code=3)
    assert "unknown-customer" in unknown.stderr
    assert "p2" in billed.run("suspense").stdout
    sound(billed)


def test_foreign_money_goes_back_as_it_came(billed):
    """90 EUR at 0.90 are 100 USD: returned, the bank has lost 90 EUR, and he owes 100 USD."""
    (billed.root / "tariffs/usd.csv").write_text(billed.text("tariffs/standard.csv"))
    billed.append("a2ledger.toml", '\n[tariffs.usd]\ncurrency = "USD"\n')
    billed.customers({"id": "U1", "currency": "USD", "tariff": "usd"})
    rows = "date,currency,price\n2026-01-02,USD,0.90\n"
    billed.run("import", "prices", billed.file("prices.csv", rows))
    euros = {"date": "2026-02-05", "amount": "90.00", "currency": "EUR"}
    billed.imported("payments", [{"id": "p1", "customer": "U1", **euros}])
    billed.imported("payments", [{"id": "p2", "customer": "", **euros}])
    assert billed.balance("U1")["owed"] == "-100.00"
    billed.run("transfer", "suspense", "U1", "p2")
    assert billed.balance("U1")["owed"] == "-200.00"
    again = billed.imported("payments", [{"id": "p2", "customer": "U1", **euros}])
    assert "1 duplicate" in again.stderr
    assert not billed.run("transfer", "suspense", "U1", "p2", "--json").json["posted"]
    for payment in ("p1", "p2"):
        done = billed.run("returned", "U1", payment, "--json").json
        assert (done["amount"], done["currency"]) == ("100.00", "USD")
        (entry,) = done["entries"]
        assert [tuple(leg.values()) for leg in entry["postings"]] == [
            ("Assets:Receivable:U1:Billed", "100.00", "USD"),
            ("Equity:Conversion", "-100.00", "USD"),
            ("Equity:Conversion", "90.00", "EUR"),
            ("Assets:Bank", "-90.00", "EUR"),
        ]
    assert billed.balance("U1")["owed"] == "0.00"
    assert not {"Assets:Bank", "Equity:Conversion"} & billed.sums().keys()
    billed.moves("payments", "U1", "2026-02-06", "5.00", id="p3")
    (said,) = billed.run("transfer", "U1", "C1", "5.00", code=1).errors
    assert "it is in USD, and C1 is kept in EUR; nothing was posted" in said
    sound(billed)
    # A payment is worth to its owner what it would have been worth at once: 5 USD are 4.50 EUR.
    billed.run("transfer", "U1", "C1", "p3")
    assert (billed.balance("U1")["owed"], billed.balance("C1")["owed"]) == ("0.00", "13.65")
    billed.imported("payments", [{"id": "p4", "customer": "U1", **euros}])
    billed.run("transfer", "U1", "C1", "p4")
    assert billed.balance("C1")["owed"] == "-76.35"  # the 90 EUR that came
    sound(billed)


def test_check_says_so_if_more_left_suspense_than_came_into_it(billed):
    """A hand-written entry takes 3.00 for a customer out of an empty suspense."""
    billed.edit(
        "journals/2026-02/C2.01.beancount",
        "; ---- usage",
        '2026-02-09 * "Found" ""\n  Liabilities:Suspense:Unmatched  3.00 EUR\n'
        "  Assets:Receivable:C2:Billed  -3.00 EUR\n\n; ---- usage",
    )
    billed.append("journals/chart.beancount", "1970-01-01 open Liabilities:Suspense:Unmatched\n")
    billed.run("customer", "set", "C2", "terms=7")
    said = billed.run("check", code=1).stdout
    assert "3.00 EUR more left suspense than came into it" in said


@pytest.mark.parametrize("order", ["refill first", "payment first", "refill last"])
def test_a_payment_from_suspense_and_the_refill_it_paid_for_are_one(billed, order):
    refill = {"id": "R1", "customer": "C2", "date": "2026-02-05", "amount": "10.00"}
    payment = {"id": "P1", "customer": "", "date": "2026-02-05", "amount": "12.00"}
    steps = [
        lambda: billed.imported("refills", [refill]),
        lambda: billed.imported("payments", [{**payment, "reference": "R1"}]),
        lambda: billed.run("transfer", "suspense", "C2", "P1"),
    ]
    places = {"refill first": (0, 1, 2), "payment first": (1, 0, 2), "refill last": (1, 2, 0)}
    for place in places[order]:
        steps[place]()
    # 10.00 paid for the refill, and what is more is the customer's.
    assert billed.balance("C2")["owed"] == "-12.00"
    assert "Assets:Clearing:Refills" not in billed.sums()
    steps[0](), steps[1]()
    billed.run("returned", "C2", "P1")
    assert billed.balance("C2")["owed"] == "0.00"
    sound(billed)
