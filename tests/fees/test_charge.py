"""Recurring fees from the line in a customer's ledger to the bill: sums anybody can work out."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path

import pytest
import shelf
from examples import tried
from harness import Book, bean_check, total
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import accounts
from a2ledger.fees import charge, deferrals
from a2ledger.fees import due as fees
from a2ledger.journal import customer_file, syntax
from a2ledger.period import DAY


@pytest.fixture
def subscriber(book: Book) -> Book:
    """A book with one customer, billed on the first, in January 2028."""
    book.today = "2028-01-01"
    book.customers({"id": "C1", "opened": "2028-01-01"})
    return book


def fee(book: Book, *words: str, today: str) -> str:
    """Add a fee ``line`` of 29.00 (in February a day costs 1.00), unless told otherwise."""
    usual = ["C1", "Subscriptions", "29.00", "--id", "line"]
    return book.run("fee", "add", *usual, *words, today=today).stderr


def charged(document: dict) -> list[tuple[str, ...]]:
    keys = ("kind", "service", "from", "to", "net", "late_from")
    return [tuple(line[key] for key in keys) for line in document["lines"]]


def test_a_fee_stands_on_the_bill_with_the_days_it_is_for(subscriber):
    fee(subscriber, "--from", "2028-01-01", "--description", "Line 1", today="2028-01-01")
    assert subscriber.balance("C1")["unbilled"] == "29.00"
    rows = subscriber.close(today="2028-03-01")
    bills = subscriber.documents()

    # January and February were due in January, March on the last of February.
    assert [row["gross"] for row in rows] == ["58.00", "29.00"]
    assert charged(bills["INV-2028-000001"]) == [
        ("fee", "Subscriptions", "2028-01-01", "2028-01-31", "29.00", None),
        ("fee", "Subscriptions", "2028-02-01", "2028-02-29", "29.00", None),
    ]
    assert charged(bills["INV-2028-000002"]) == [
        ("fee", "Subscriptions", "2028-03-01", "2028-03-31", "29.00", None),
    ]
    text = subscriber.run("invoice", "INV-2028-000002", "--format", "text", "-o", "-").stdout
    assert "Line 1, 1 March 2028 to 31 March 2028" in " ".join(text.split())
    assert subscriber.run("check", "C1").code == 0


def test_a_part_says_how_it_comes_about(subscriber):
    subscriber.close(today="2028-02-02")
    fee(subscriber, "--from", "2028-02-18", today="2028-02-20")

    [line] = subscriber.preview("C1", today="2028-02-20")["lines"]
    assert line["net"] == "12.00"
    assert line["description"] == (
        "line, 18 February 2028 to 29 February 2028 (12 of 29 days of 29.00)"
    )


@pytest.mark.parametrize("commands", ["daily", "never"])
def test_what_was_missed_in_a_pause_is_posted_once(subscriber, commands):
    fee(subscriber, "--from", "2028-01-01", "--arrears", today="2028-01-01")
    if commands == "daily":
        for day in ("2028-01-31", "2028-02-01", "2028-02-29", "2028-03-01", "2028-03-31"):
            subscriber.run("customer", "set", "C1", "terms=14", today=day)
    # Nobody closed for three months: each month's fee lies in its own period all the same.
    assert [row["gross"] for row in subscriber.close(today="2028-04-02")] == ["29.00"] * 3
    assert subscriber.close(today="2028-04-02") == []
    assert (
        subscriber.text("journals/general/2028-03.beancount").count("^fee-C1-line-2028-03-01") == 1
    )


def test_any_command_that_writes_posts_what_is_due_and_a_dry_run_does_not(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    before = subscriber.digests()
    subscriber.run("customer", "set", "C1", "terms=30", "--dry-run", today="2028-01-31")
    assert subscriber.digests() == before
    assert total(subscriber.preview("C1", today="2028-01-30")["statement"]) == 29
    assert total(subscriber.preview("C1", today="2028-01-31")["statement"]) == 58

    subscriber.run("customer", "set", "C1", "terms=30", today="2028-01-31")
    assert subscriber.balance("C1")["unbilled"] == "58.00"
    assert subscriber.git("log", "-1", "--format=%b").strip() == "fees: 1 posted"
    after, log = subscriber.digests(), subscriber.log()
    subscriber.run("customer", "set", "C1", "terms=30", today="2028-01-31")
    assert (subscriber.digests(), subscriber.log()) == (after, log)


def test_a_preview_is_what_closing_bills(subscriber):
    fee(subscriber, "--from", "2028-01-10", today="2028-01-10")
    subscriber.run("fee", "add", "C1", "DIDs", "90.00", "--every", "year", today="2028-01-20")
    shown = subscriber.preview("C1", today="2028-02-01")
    dry = subscriber.close("--dry-run", today="2028-02-01")
    [row] = subscriber.close(today="2028-02-01")

    assert dry == [row]
    bill = subscriber.invoice(row["number"])
    assert re.fullmatch("[0-9a-f]{4}(-[0-9a-f]{4}){3}", bill.pop("seal"))
    assert {**bill, "kind": "preview", "number": None} == shown
    # 22 of 31 days of 29.00 are 20.58; February 29.00; 347 days of the year's 366 of 90.00 are
    # 85.3279, from 20 January to 31 December.
    assert [line["net"] for line in bill["lines"]] == ["20.58", "85.33", "29.00"]


def test_stopped_while_the_period_is_open_it_was_never_more(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.run("customer", "set", "C1", "terms=30", today="2028-01-31")
    said = subscriber.run(
        "fee", "stop", "C1", "line", "--from", "2028-02-11", today="2028-01-31"
    ).stderr
    assert "10 of 29 days of 29.00" in said
    assert subscriber.balance("C1")["unbilled"] == "39.00"  # January, and ten days of February

    subscriber.run("fee", "stop", "C1", "line", "--from", "2028-02-01", today="2028-01-31")
    assert subscriber.balance("C1")["unbilled"] == "29.00"
    assert [row["gross"] for row in subscriber.close(today="2028-03-01")] == ["29.00", "0.00"]


def test_a_fee_that_runs_on_costs_what_it_would_have(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.close(today="2028-02-02")
    before = subscriber.balance("C1")
    stopped = subscriber.run(
        "fee", "stop", "C1", "line", "--from", "2028-02-18", "--json", today="2028-02-10"
    ).json
    assert (stopped["until"], stopped["was"]["until"]) == ("2028-02-18", None)
    assert subscriber.balance("C1") != before

    again = subscriber.run("fee", "resume", "C1", "line", "--json", today="2028-02-10").json
    assert (again["changed"], again["until"]) == (True, None)
    assert subscriber.balance("C1") == before
    after = subscriber.digests()
    said = subscriber.run("fee", "resume", "C1", "line", today="2028-02-10").stderr
    assert said == "C1: line nothing to change\n"
    assert subscriber.digests() == after
    changed = subscriber.run("fee", "change", "C1", "line", "40", "--json", today="2028-02-10")
    assert (changed.json["price"], changed.json["was"]["price"]) == ("40.00", "29.00")
    (said,) = subscriber.run("fee", "resume", "C1", "other", today="2028-02-10", code=1).errors
    assert "no fee other" in said


def test_stopped_after_it_was_billed_the_days_ahead_are_credited_once(subscriber):
    fee(subscriber, "--from", "2028-01-01", "--description", "Line 1", today="2028-01-01")
    subscriber.close(today="2028-02-02")
    subscriber.run("fee", "stop", "C1", "line", "--until", "2028-02-18", today="2028-02-10")
    after = subscriber.digests()
    subscriber.run("fee", "stop", "C1", "line", "--until", "2028-02-18", today="2028-02-25")
    assert subscriber.digests() == after

    # Paid ahead for 29 days at 1.00; 17 are over: 12.00 come back.
    [row] = subscriber.close(today="2028-03-01")
    bill = subscriber.invoice(row["number"])
    assert (row["number"], row["gross"]) == ("CN-2028-000001", "12.00")
    assert charged(bill) == [
        ("late", "Subscriptions", "2028-02-18", "2028-02-29", "12.00", "2028-01-31")
    ]
    assert bill["lines"][0]["description"] == (
        "Line 1, 18 February 2028 to 29 February 2028 "
        "(credit for 12 days: 17.00 due for 17 of 29 days of 29.00, 29.00 billed)"
    )
    assert subscriber.close(today="2028-04-01")[0]["gross"] == "0.00"
    assert subscriber.balance("C1")["owed"] == "46.00"  # 31 days of January are 29.00, and 17 days


def test_a_price_changed_after_it_was_billed_is_one_line_more(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.close(today="2028-02-02")
    subscriber.run(
        "fee", "change", "C1", "line", "58.00", "--from", "2028-02-20", today="2028-02-10"
    )

    # 19 days at 1.00 and 10 at 2.00 are 39.00; 29.00 were billed; March costs 58.00.
    [row] = subscriber.close(today="2028-03-01")
    assert charged(subscriber.invoice(row["number"])) == [
        ("late", "Subscriptions", "2028-02-01", "2028-02-29", "10.00", "2028-01-31"),
        ("fee", "Subscriptions", "2028-03-01", "2028-03-31", "58.00", None),
    ]
    # And back again: only the difference to all that was billed moves.
    subscriber.run(
        "fee", "change", "C1", "line", "29.00", "--from", "2028-02-20", today="2028-03-10"
    )
    [row] = subscriber.close(today="2028-04-01")
    # A credit note of 10.00: 10.00 less for February, 29.00 for March, and April's 29.00.
    assert (row["number"][:2], row["gross"]) == ("CN", "10.00")
    assert [line["net"] for line in subscriber.invoice(row["number"])["lines"]] == [
        "10.00", "29.00", "-29.00",
    ]  # fmt: skip
    assert subscriber.balance("C1")["owed"] == "116.00"  # four months of 29.00


def test_a_fee_added_backwards_is_billed_late_month_by_month(subscriber):
    subscriber.close(today="2028-03-02")
    fee(subscriber, "--from", "2028-01-21", today="2028-03-05")

    # 11 of 31 days of 29.00 are 10.29; February; March was due on the last of February.
    assert charged(subscriber.preview("C1", today="2028-03-05")) == [
        ("late", "Subscriptions", "2028-01-21", "2028-01-31", "10.29", "2028-01-21"),
        ("late", "Subscriptions", "2028-02-01", "2028-02-29", "29.00", "2028-01-31"),
        ("late", "Subscriptions", "2028-03-01", "2028-03-31", "29.00", "2028-02-29"),
    ]
    after = subscriber.digests()
    subscriber.run("customer", "set", "C1", "name=C1", today="2028-03-06")
    assert subscriber.digests() == after
    assert [row["gross"] for row in subscriber.close(today="2028-04-01")] == ["97.29"]


def test_a_changed_billing_day_moves_the_days_a_fee_is_for(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.close(today="2028-02-02")
    # February is billed; from 1 February on months begin on the 15th: 14 of the 31 days from
    # 15 January to 14 February are 13.10 (13.0968), so 15.90 come back, and a month is due.
    subscriber.run(
        "customer", "set", "C1", "billing_day=15", "--from", "2028-02-01", today="2028-02-03"
    )
    [row] = subscriber.close(today="2028-02-15")
    assert row["period"] == {"start": "2028-02-01", "end": "2028-02-15"}
    assert charged(subscriber.invoice(row["number"])) == [
        ("late", "Subscriptions", "2028-02-15", "2028-02-29", "-15.90", "2028-01-31"),
        ("fee", "Subscriptions", "2028-02-15", "2028-03-14", "29.00", None),
    ]


def test_a_fee_of_a_quarter_is_earned_month_by_month_and_nothing_is_left(subscriber):
    subscriber.run(
        "fee", "add", "C1", "DIDs", "91.00", "--every", "quarter", "--from", "2028-01-01",
        "--until", "2028-04-01", today="2028-01-01",
    )  # fmt: skip
    earned = []
    for month in ("2028-02-01", "2028-03-01", "2028-04-01"):
        subscriber.close(today=month)
        sums = subscriber.sums()
        earned.append((sums["Income:DIDs"], sums.get("Liabilities:Deferred-Income", Decimal(0))))
    # A day costs 1.00: 31 in January, 29 in February, 31 in March.
    assert earned == [(-31, -60), (-60, -31), (-91, 0)]
    assert "a2ledger-deferred" not in subscriber.text("journals/2028-04/C1.01.beancount")
    for top in subscriber.tops():
        assert bean_check(subscriber.root / top) == ""


def test_a_fee_of_a_year_that_is_stopped_leaves_nothing_deferred(subscriber):
    subscriber.run("fee", "add", "C1", "DIDs", "366.00", "--every", "year", "--id", "did")
    subscriber.close(today="2028-03-01")
    assert subscriber.sums()["Liabilities:Deferred-Income"] == -306
    subscriber.run("fee", "stop", "C1", "did", "--from", "2028-05-01", today="2028-03-10")
    assert subscriber.balance("C1")["owed"] == "121.00"  # 31 + 29 + 31 + 30 days of 1.00

    # The credit of 245 days takes back what was deferred for them; April is still to be earned.
    subscriber.close(today="2028-04-01")
    assert subscriber.sums()["Liabilities:Deferred-Income"] == -30
    subscriber.close(today="2028-05-01")
    assert "Liabilities:Deferred-Income" not in subscriber.sums()
    assert subscriber.sums()["Income:DIDs"] == -121
    assert (
        subscriber.run("check", "C1", code=1).stdout.count("\n") == 1
    )  # over the limit, and no more


def test_fees_bear_the_vat_of_their_service(book):
    book.today = "2028-01-01"
    book.customers({"id": "C1", "opened": "2028-01-01", "vat": "on-invoice"})
    book.edit("a2ledger.toml", "[vat.codes.S21]", "[vat.codes.S6]\nrate = 6\n\n[vat.codes.S21]")
    book.edit("a2ledger.toml", '[services.DIDs]\nvat = "S21"', '[services.DIDs]\nvat = "S6"')
    book.run("fee", "add", "C1", "DIDs", "10.00", "--arrears")
    book.run("fee", "add", "C1", "Subscriptions", "100.00", "--arrears")
    [row] = book.close(today="2028-02-01")

    assert row["gross"] == "131.60"  # 10.00 and 6 % are 10.60, 100.00 and 21 % are 121.00


@pytest.mark.parametrize(
    ("today", "credited"),
    [
        # February was billed ahead at 1.00 a day, the year at 1.00 a day: what is not over by
        # yesterday comes back, of February and of the 366 days.
        ("2028-02-18", "330.00"),  # 12 of 29 days, and 318 of 366
        ("2028-02-29", "308.00"),  # 1 day, and 307; the month due ahead today is not
    ],
)
def test_settling_an_account_settles_its_fees_to_the_day(subscriber, today, credited):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.run("fee", "add", "C1", "DIDs", "366.00", "--every", "year")
    subscriber.run(
        "fee", "add", "C1", "DIDs", "29.00", "--arrears", "--from", "2028-02-01", "--id", "a"
    )
    subscriber.close(today="2028-02-02")
    over = int(today[-2:]) - 1  # days of February, at 1.00, of the fee in arrears
    [row] = subscriber.close("C1", "--final", today=today)

    assert row["number"].startswith("CN-")
    assert row["gross"] == str(Decimal(credited) - over)
    sums = subscriber.sums("journals/history.beancount")
    assert "Liabilities:Deferred-Income" not in sums
    assert sums["Income:DIDs"] == -(31 + over + over)  # days of the year, and of February
    assert {row["until"] for row in subscriber.run("fee", "list", "--json").json} == {today}
    done = subscriber.run("fee", "add", "C1", "DIDs", "1.00", today=today, code=1)
    assert "the account is settled" in done.stderr
    for top in subscriber.tops():
        assert bean_check(subscriber.root / top) == ""


def test_a_fee_that_is_struck_out_stays_so(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.run("fee", "add", "C1", "DIDs", "91.00", "--every", "quarter", "--id", "did")
    subscriber.run("void", "fee-C1-line-2028-02-01", "a month for free", today="2028-01-31")
    subscriber.run("void", "fee-C1-did-2028-01-01", "a quarter for free", today="2028-01-31")
    after = subscriber.digests()
    subscriber.run("customer", "set", "C1", "name=C1", today="2028-01-31")
    assert subscriber.digests() == after
    assert subscriber.preview("C1", today="2028-01-31")["gross"] == "29.00"
    assert [row["gross"] for row in subscriber.close(today="2028-03-01")] == ["29.00", "29.00"]
    # Nothing comes back for days that were free.
    subscriber.run("fee", "stop", "C1", "line", "--from", "2028-02-10", today="2028-03-05")
    assert subscriber.balance("C1")["owed"] == "29.00"  # what was billed ahead for March comes back
    assert "Liabilities:Deferred-Income" not in subscriber.sums()


def test_prices_that_contain_vat_contain_that_of_fees(book):
    book.today = "2028-01-01"
    book.customers({"id": "C1", "opened": "2028-01-01", "vat": "included"})
    book.run("fee", "add", "C1", "DIDs", "91.00", "--every", "quarter", "--until", "2028-04-01")
    book.run("fee", "add", "C1", "Subscriptions", "12.10", "--id", "line", "--arrears")
    assert book.preview("C1", today="2028-01-31")["gross"] == "103.10"
    rows = book.close(today="2028-02-01")
    # What contains 21 % is 121: of 103.10, 17.89 is VAT (17.8934); on both bills together.
    assert [(row["gross"], book.invoice(row["number"])["vat_total"]) for row in rows] == [
        ("103.10", "17.89"),
    ]  # fmt: skip
    book.run("fee", "stop", "C1", "line", "--from", "2028-02-01", today="2028-02-01")
    book.close(today="2028-04-02")
    sums = book.sums("journals/history.beancount")
    assert "Liabilities:Deferred-Income" not in sums
    assert sums["Assets:Receivable:C1:Billed"] == Decimal("103.10")
    # 91.00 are 75.206612 without the VAT inside, 12.10 are 10.00; billed 85.21 in all.
    assert (sums["Income:DIDs"], sums["Income:Subscriptions"]) == (Decimal("-75.206612"), -10)
    for top in book.tops():
        assert bean_check(book.root / top) == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "C2", "Subscriptions", "5"], "no such customer"),
        (["add", "C1", "Magic", "5"], "service 'Magic' is not under [services]"),
        (["add", "C1", "Subscriptions", "5.001"], "5.001 from 2028-01-05 has more than 2 decimals"),
        (["add", "C1", "Subscriptions", "five"], "'five' is not an amount"),
        (["add", "C1", "Subscriptions", "5", "--id", "line"], "there is a fee line"),
        (["add", "C1", "Subscriptions", "5", "--id", "a-b"], "an id is letters, digits"),
        (["add", "C1", "Subscriptions", "5", "--until", "2028-01-05"], "cannot end on 2028-01-05"),
        (["change", "C1", "other", "5"], "no fee other; nothing was done; see"),
        (["change", "C1", "line", "5", "--from", "2027-12-31"], "2027-12-31 is outside"),
        (["stop", "C1", "line", "--from", "2027-12-31"], "runs from 2028-01-01"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(subscriber, words, said):
    fee(subscriber, today="2028-01-01")
    before = subscriber.digests()
    done = subscriber.run("fee", *words, today="2028-01-05", code=1)
    assert said in done.stderr
    assert len(done.errors) == 1
    assert subscriber.digests() == before


def test_fees_are_listed(subscriber):
    fee(subscriber, "--description", "Line 1", today="2028-01-01")
    subscriber.run("fee", "change", "C1", "line", "31.00", "--from", "2028-03-01")
    subscriber.run("fee", "stop", "C1", "line", "--from", "2028-05-01")

    assert subscriber.run("fee", "list", "C1", "--json", today="2028-03-05").json == [{
        "customer": "C1", "id": "line", "service": "Subscriptions", "amount": "31.00",
        "quantity": 1, "price": "31.00", "currency": "EUR", "every": "month", "due": "advance",
        "from": "2028-01-01",
        "until": "2028-05-01", "description": "Line 1",
        "amounts": [
            {"from": "2028-01-01", "amount": "29.00"}, {"from": "2028-03-01", "amount": "31.00"},
        ],
    }]  # fmt: skip
    assert (
        "29.00 EUR every month in advance"
        in subscriber.run("fee", "list", today="2028-01-05").stdout
    )
    assert subscriber.run("customer", "show", "C1", "--json").json["fees"][0]["id"] == "line"
    assert "line" in subscriber.run("customer", "show", "C1").stdout


HAND = '2028-01-01 custom "a2ledger-fee" "hand" "DIDs" 4.00 EUR "month" "arrears" "By hand"\n'
DEARER = '2028-02-11 custom "a2ledger-fee" "hand" 5.80 EUR\n'


def test_fees_may_be_written_by_hand(subscriber):
    subscriber.append("journals/customers/C1.beancount", HAND)
    subscriber.append("journals/customers/C1.beancount", '; 2028 custom "a2ledger-fee" is a note\n')
    subscriber.append("journals/customers/C1.beancount", DEARER)
    rows = subscriber.close(today="2028-03-01")

    # February: 10 of 29 days of 4.00 are 1.38, 19 of 29 days of 5.80 are 3.80.
    assert [row["gross"] for row in rows] == ["4.00", "5.18"]
    assert "is a note" in subscriber.text("journals/customers/C1.beancount")
    # A line taken away by hand ends the fee and credits nothing.
    subscriber.edit("journals/customers/C1.beancount", HAND, "")
    subscriber.edit("journals/customers/C1.beancount", DEARER, "")
    assert subscriber.close(today="2028-04-01")[0]["gross"] == "0.00"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (HAND.replace("month", "fortnight"), "C1.beancount:25: 2028-01-01 custom"),
        (HAND.replace("EUR", ""), 'is not DATE custom "a2ledger-fee" "ID" "SERVICE"'),
        (HAND.replace("01-01", "13-01"), "'2028-13-01' is not a day"),
        (HAND.replace("DIDs", "Magic"), "fee hand: service 'Magic' is not under [services]"),
        (HAND.replace("EUR", "USD"), "fee hand: is in USD, the account in EUR"),
        (HAND + HAND, "needs one line with its service"),
        (HAND + '2028-01-01 custom "a2ledger-fee" "hand" 5.00 EUR\n', "two amounts on one day"),
        ('2028-01-01 custom "a2ledger-fee" "hand" "stop"\n', "needs one line with its service"),
        (HAND + '2028-02-01 custom "a2ledger-fee" "hand" "stop"\n' * 2, "can stop only once"),
    ],
)
def test_a_line_by_hand_that_is_no_fee_stops_every_command(subscriber, line, said):
    subscriber.append("journals/customers/C1.beancount", line)
    before = subscriber.digests()
    done = subscriber.run("customer", "set", "C1", "terms=3", code=1)
    assert done.stderr.startswith("a2ledger: journals/customers/C1.beancount:")
    assert said in done.stderr
    assert subscriber.digests() == before


def test_an_entry_spoilt_by_hand_comes_back_with_its_note(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    path = "journals/2028-01/C1.01.beancount"
    subscriber.edit(path, "  29.000000 EUR", "   2.000000 EUR")
    subscriber.edit(path, " -29.000000 EUR\n", "  -2.000000 EUR\n\n; he called about this\n")
    subscriber.run("customer", "set", "C1", "terms=3", today="2028-01-05")
    assert "29.000000 EUR" in subscriber.text(path)
    assert "; he called about this" in subscriber.text(path)
    assert subscriber.balance("C1")["unbilled"] == "29.00"


@pytest.mark.parametrize(
    ("billing_day", "first", "others"),
    [
        # Each: what the first period bills, then the twelve that follow, worked out below.
        #
        # Day 1. January: a month 10.00, a quarter 30.00 and a year 366.00 begin; February is due.
        # A quarter more in March, June, September and December, a year more in December.
        (1, "416.00", "10 40 10 10 40 10 10 40 10 10 406 10"),
        # Day 15. 1 to 14 January are 14 of the 31 days from 15 December: 4.52 (4.5161). The
        # quarter from 15 December to 14 March has 91 days, 74 of them from 1 January: 24.40
        # (24.3956). The year from 15 December has 366 days, 349 of them: 349.00. The month from
        # 15 January is due on the 14th: 10.00. A quarter more is due on 14 March, June, September
        # and December, where the periods end that begin on 15 February, May, August, November.
        (15, "387.92", "10 40 10 10 40 10 10 40 10 10 406 10"),
        # Day 29. 1 to 28 January are 28 of 31 days: 9.03 (9.0323). 29 December to 28 March has 91
        # days, 88 left: 29.01 (29.0110). The year from 29 December: 366 days, 363 left: 363.00.
        (29, "411.04", "10 40 10 10 40 10 10 40 10 10 406 10"),
        # Day 30. 29 of 31 days: 9.35 (9.3548). 30 December to 29 March has 91 days, 89 left:
        # 29.34 (29.3407). The year: 364.00.
        (30, "412.69", "10 40 10 10 40 10 10 40 10 10 406 10"),
        # Day 31. 30 of 31 days: 9.68 (9.6774). 31 December to 30 March has 91 days, 90 left:
        # 29.67 (29.6703). The year: 365.00.
        (31, "414.35", "10 40 10 10 40 10 10 40 10 10 406 10"),
    ],
)
def test_a_leap_year_of_fees(book, billing_day, first, others):
    book.today = "2028-01-01"
    book.customers({"id": "C1", "opened": "2028-01-01", "billing_day": billing_day})
    for every, amount in (("month", "10.00"), ("quarter", "30.00"), ("year", "366.00")):
        book.run("fee", "add", "C1", "Subscriptions", amount, "--every", every, "--id", every)
    rows = book.close(today="2029-02-01")

    last = [dt.date.fromisoformat(row["period"]["end"]) for row in rows]
    if billing_day > 1:
        assert [day.day for day in last[:2]] == [billing_day, min(billing_day, 29)]
    assert [row["gross"] for row in rows] == [first, *(f"{n}.00" for n in others.split())]
    # What was billed for days after the last period is deferred, and not earned.
    sums = book.sums("journals/history.beancount")
    billed = sum(Decimal(row["gross"]) for row in rows)
    assert sums["Assets:Receivable:C1:Billed"] == billed
    assert sums["Income:Subscriptions"] + sums["Liabilities:Deferred-Income"] == -billed
    assert book.run("check", code=1).stdout.count("\n") == 1  # over the limit, and no more


# ---- laws ----

START = dt.date(2028, 1, 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf.started(
        tmp_path_factory.mktemp("fees") / "book", "C1", opened="2028-01-01", billing_day="31"
    )


def run(root: Path, day: dt.date, *, close: bool, does=None) -> None:
    """What a command that writes does on a day."""
    draft = shelf.draft(root, day)
    charge.charge(draft)
    if does:
        does(draft)
    charge.charge(draft, charge.changed(draft))
    shelf.publish(draft)
    if close:
        shelf.close(root, day)


AMOUNTS = st.integers(1, 5000).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
DAYS = st.integers(0, 150).map(lambda days: START + dt.timedelta(days=days))


LIVES = st.fixed_dictionaries({
    "every": st.sampled_from(["month", "quarter", "year"]),
    "arrears": st.booleans(),
    "prices": st.lists(st.tuples(DAYS, st.integers(-40, 60), AMOUNTS), min_size=1, max_size=3),
    "stop": st.tuples(DAYS, st.integers(-40, 60)) | st.none(),
})  # fmt: skip
"""A fee that is added, changed and stopped on some days, for days before or after them."""


def acts(life: dict) -> list[tuple[dt.date, object]]:
    """What is done to a fee, and when."""
    (day, offset, amount), *changes = sorted(life["prices"])
    first = max(day + offset * DAY, START)
    terms = {"name": "f", "every": life["every"], "arrears": life["arrears"], "since": first}
    found = [(day, lambda draft: charge.add(draft, "C1", "Subscriptions", amount, **terms))]
    for when, later, price in changes:
        since = max(when + later * DAY, first)
        found.append((when, lambda d, p=price, s=since: charge.change(d, "C1", "f", p, s)))
    if life["stop"]:
        when = max([life["stop"][0], *(row[0] for row in life["prices"])])
        end = max(when + life["stop"][1] * DAY, first)
        found.append((when, lambda draft: charge.stop(draft, "C1", "f", end)))
    return found


@tried(8)
@given(LIVES, st.sets(DAYS, max_size=2), st.sets(DAYS, max_size=6))
def test_how_often_commands_run_changes_no_byte_of_the_books(template, life, closes, others):
    end = START + 250 * DAY
    done = acts(life)

    def lived(days: set[dt.date]) -> dict[str, bytes]:
        with shelf.copied(template) as root:
            for day in sorted({*days, *closes, *(day for day, _ in done), end}):
                run(root, day, close=day in closes or day == end)
                for when, act in done:
                    if when == day:
                        run(root, day, close=False, does=act)
            return shelf.ledger_of(root)

    quiet = lived(set())
    assert lived(others) == quiet

    # What was billed is what is due by the last close; what was not earned of it is deferred.
    draft_of = quiet["journals/customers/C1.beancount"].decode()
    customer = customer_file.parse(draft_of)
    due = sum(
        line.micro
        for fee in customer.fees
        for line in fees.lines(customer, fee, START, customer.open_since - DAY)
    )
    *closed, _ = [
        quiet[customer_file.period_path("C1", start)].decode() for start in customer.periods
    ]
    head = quiet[customer_file.period_path("C1", customer.open_since)].decode()
    posted = [leg for text in closed for leg in syntax.legs(text)]
    assert (
        -sum(leg.micro for leg in posted if leg.account.startswith("Income:S"))
        + sum(-leg.micro for leg in posted if leg.account == accounts.DEFERRED)
        == due
    )
    left = sum(row.left_micro for row in deferrals.read(syntax.blocks(head)) if row.fee == "f")
    fresh = sum(leg.micro for leg in syntax.legs(head) if leg.account == accounts.DEFERRED)
    assert -sum(leg.micro for leg in posted if leg.account == accounts.DEFERRED) == left + fresh


def test_an_only_fee_of_a_service_is_known_by_the_service(subscriber):
    fee(subscriber, "--from", "2028-01-01", today="2028-01-01")
    subscriber.run(
        "fee", "stop", "C1", "Subscriptions", "--until", "2028-02-18", today="2028-02-10"
    )
    (row,) = subscriber.run("fee", "list", "--json").json
    assert (row["id"], row["until"]) == ("line", "2028-02-18")
