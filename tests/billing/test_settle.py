"""Settling an account: the last bill, an account that is even and closed, and opening it again."""

from __future__ import annotations

import json

import pytest
from harness import made_once

CALLS = "id,customer,start,called,seconds,cost\n"
PAID = "id,customer,date,amount\n"


@pytest.fixture
@made_once
def leaving(book):
    """A customer with a closed January and 3.333333 used in February, on 10 February."""
    book.today = "2026-02-10"
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2", "vat": "on-invoice"})
    spend(book, "a,C1,2026-01-05 10:00:00,3021,60,10.000001")
    book.run("close", "--through", "2026-01-31")
    spend(book, "b,C1,2026-02-05 10:00:00,3021,60,3.333333")
    return book


def spend(book, *rows, code=0):
    done = book.run(
        "import",
        "calls",
        book.file("calls.csv", CALLS + "\n".join(rows) + "\n"),
        "--json",
        code=code,
    )
    return json.loads(done.stdout)


def pay(book, row):
    book.run("import", "payments", book.file("payments.csv", f"{PAID}{row}\n"))


def settle(book, *words, code=0):
    return json.loads(book.run("close", "C1", "--final", "--json", *words, code=code).stdout)


def own(book):
    return (book.root / "journals/customers/C1.beancount").read_text()


def balances(book):
    rows = json.loads(book.run("balances", "--json").stdout)
    return {row["customer"]: (row["billed"], row["unbilled"]) for row in rows}


def test_the_last_bill_ends_yesterday_and_leaves_no_fraction(leaving):
    # January: 10.000001 net is billed as 10.00 and 2.10 VAT. February: 13.333334 in all, 13.33
    # billed, so 3.33 now, and 0.70 VAT; the 0.003334 that are left go to rounding.
    (row,) = settle(leaving)
    assert row["period"] == {"start": "2026-02-01", "end": "2026-02-10"}
    assert (row["gross"], row["to_pay"]) == ("4.03", "16.13")
    assert balances(leaving)["C1"] == ("16.13", "0.00")
    closed = (leaving.root / "journals/2026-02/C1.01.beancount").read_text()
    assert "  Income:Rounding                 0.003334 EUR\n" in closed
    leaving.run("check", "C1")


def test_an_account_is_closed_in_its_own_ledger_once_it_is_even(leaving):
    settle(leaving)
    assert " close " not in own(leaving)
    leaving.today = "2026-02-20"
    pay(leaving, "P1,C1,2026-02-19,16.13")
    assert own(leaving).count("2026-02-19 close Assets:Receivable:C1:") == 2
    leaving.run("check", "C1")
    # Money that comes after that opens it once more, and its refund closes it again.
    pay(leaving, "P2,C1,2026-02-20,5.00")
    assert " close " not in own(leaving)
    pay(leaving, "P3,C1,2026-02-20,-5.00")
    assert own(leaving).count("2026-02-20 close Assets:Receivable:C1:") == 2
    leaving.run("check", "C1")


def test_calls_and_charges_of_a_settled_account_wait_in_quarantine(leaving):
    settle(leaving)
    known = spend(leaving, "b,C1,2026-02-05 10:00:00,3021,60,3.333333")
    assert known["duplicate"] == 1
    late = spend(leaving, "c,C1,2026-02-09 10:00:00,3021,60,1.00", code=3)
    assert late["quarantined"] == {"settled": 1}
    charge = leaving.file(
        "charges.csv", "id,customer,date,amount,service\nX,C1,2026-02-10,1,One-off\n"
    )
    done = leaving.run("import", "charges", charge, "--json", code=3)
    assert json.loads(done.stdout)["quarantined"] == {"settled": 1}
    assert balances(leaving)["C1"] == ("16.13", "0.00")


def test_a_settled_account_is_not_closed_again(leaving):
    settle(leaving)
    assert settle(leaving, code=1)[0]["warnings"][0]["code"] == "settled"
    leaving.today = "2026-04-02"
    closed = json.loads(leaving.run("close", "--json").stdout)
    assert {row["customer"] for row in closed} == {"C2"}


@pytest.mark.parametrize("kind", ["call", "payment"])
def test_what_is_posted_today_must_be_over_first(leaving, kind):
    if kind == "call":
        spend(leaving, "d,C1,2026-02-10 10:00:00,3021,60,1.00")
    else:
        pay(leaving, "P1,C1,2026-02-10,1.00")
    (row,) = settle(leaving, code=1)
    assert not row["closed"]
    assert row["warnings"][0]["code"] == "posted-ahead"
    leaving.today = "2026-02-11"
    assert settle(leaving)[0]["closed"]


def test_a_source_that_has_not_reported_since_midnight_is_waited_for(leaving):
    toml = leaving.root / "a2ledger.toml"
    toml.write_text(toml.read_text() + '\n[sources.pbx1]\ndialect = "calls"\n')
    assert settle(leaving, code=1)[0]["warnings"][0]["code"] == "source-behind"
    leaving.run("import", "pbx1", leaving.file("empty.csv", CALLS), "--empty")
    assert settle(leaving)[0]["closed"]


def test_periods_that_ended_before_are_closed_first(leaving):
    leaving.today = "2026-03-05"
    rows = settle(leaving)
    assert [(row["period"]["start"], row["period"]["end"]) for row in rows] == [
        ("2026-02-01", "2026-03-01"),
        ("2026-03-01", "2026-03-05"),
    ]
    # On a billing day the period that has just ended is the last one.
    leaving.run("customer", "reopen", "C1")
    leaving.today = "2026-04-01"
    assert [row["period"]["end"] for row in settle(leaving)] == ["2026-04-01"]


def test_an_account_opened_again_starts_a_period_and_never_a_second_open(leaving):
    settle(leaving)
    leaving.today = "2026-03-20"
    pay(leaving, "P1,C1,2026-03-01,16.13")
    leaving.run("customer", "reopen", "C1", "--from", "2026-03-15")
    assert " close " not in own(leaving)
    assert own(leaving).count(" open Assets:Receivable:C1:Unbilled") == 1
    late = spend(
        leaving,
        "c,C1,2026-02-09 10:00:00,3021,60,1.00",
        "e,C1,2026-03-16 10:00:00,3021,60,2.00",
    )
    assert (late["late"], late["posted"]) == (1, 1)
    leaving.today = "2026-04-02"
    rows = json.loads(leaving.run("close", "C1", "--json").stdout)
    assert [(row["period"]["start"], row["gross"]) for row in rows] == [("2026-03-15", "3.63")]
    leaving.run("check", "C1")
    leaving.run("customer", "reopen", "C1", code=1)


def test_settling_needs_a_name_and_ends_yesterday(leaving):
    leaving.run("close", "--final", code=2)
    leaving.run("close", "C1", "--final", "--through", "2026-02-01", code=2)


def test_a_rehearsal_settles_nothing(leaving):
    before = leaving.digests()
    rows = json.loads(leaving.run("close", "C1", "--final", "--dry-run", "--json").stdout)
    assert rows[0]["gross"] == "4.03"
    assert leaving.digests() == before


def test_the_last_bill_settles_fees_to_the_day_and_returns_the_deposit(leaving):
    # 31.00 a month, paid ahead from 1 January on: February's 31.00 fell due on 31 January. He
    # leaves on 10 February, after 9 of 28 days: 19 days are credited, 31.00 x 19 / 28 = 21.04.
    leaving.run("fee", "add", "C2", "Subscriptions", "31.00", "--from", "2026-01-01")
    leaving.run("deposit", "C2", "50.00", "--date", "2026-02-03")
    assert balances(leaving)["C2"] == ("0.00", "62.00")
    (row,) = json.loads(leaving.run("close", "C2", "--final", "--json").stdout)
    # 62.00 - 21.04 = 40.96, and 21 % of it 8.60 (8.6016): 49.56, less the deposit.
    assert (row["gross"], row["to_pay"]) == ("49.56", "0.00")
    assert balances(leaving)["C2"] == ("-0.44", "0.00")
    leaving.run("refund", "C2", "0.44")
    text = leaving.text("journals/customers/C2.beancount")
    assert text.count("2026-02-10 close Assets:Receivable:C2:") == 2
    leaving.run("check", "C2")
    leaving.run("fee", "add", "C2", "Subscriptions", "5.00", code=1)


def test_a_last_bill_that_cannot_be_made_changes_nothing(leaving):
    (leaving.root / "tariffs/usd.csv").write_text("dialprefix,rateinitial\n30,0.60\n")
    leaving.append("a2ledger.toml", '\n[tariffs.usd]\ncurrency = "USD"\n')
    leaving.customers({"id": "U1", "currency": "USD", "tariff": "usd", "vat": "on-invoice"})
    leaving.run("fee", "add", "U1", "Subscriptions", "31.00", "--from", "2026-01-01")
    before = leaving.digests()
    done = leaving.run("close", "U1", "--final", code=1)
    assert "there is no price of USD" in done.stderr
    assert "nothing was settled" in done.stderr
    assert leaving.digests() == before
