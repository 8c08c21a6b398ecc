"""How often customers are billed: months, quarters and years, by the calendar or by the opening."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest
from harness import Book, a2ledger, call


def ends(rows: list[dict]) -> list[str]:
    return [row["period"]["end"] for row in rows]


def test_a_customer_is_billed_by_the_quarter(book):
    book.today = "2026-12-01"
    book.customers({"id": "C1", "cycle": "quarterly", "billing_day": 15, "opened": "2026-02-10"})
    book.talks("C1", "2026-02-10", 10)  # 10.00
    book.talks("C1", "2026-04-14", 5)  # 5.00: 14 April is the last day before the quarter
    book.talks("C1", "2026-04-15", 7)  # 7.00: the next quarter's first day
    book.talks("C1", "2026-07-14", 2)  # 2.00

    assert book.preview("C1", today="2026-03-01")["period"] == {
        "start": "2026-02-10", "end": "2026-04-15",
    }  # fmt: skip
    book.close("C1", today="2026-04-14", code=1)
    rows = book.close(today="2026-07-15")
    assert ends(rows) == ["2026-04-15", "2026-07-15"]
    assert [row["gross"] for row in rows] == ["15.00", "9.00"]


def test_a_customer_is_billed_every_two_weeks(book):
    """14 January 2026 is a Wednesday, and the week before it began on Friday the 9th."""
    book.customers({"id": "C1", "cycle": "2-weekly", "billing_day": 5, "opened": "2026-01-14"})
    book.talks("C1", "2026-01-22", 1, today="2026-03-01")
    book.talks("C1", "2026-01-23", 2, today="2026-03-01")
    book.talks("C1", "2026-02-06", 4, today="2026-03-01")
    rows = book.close(today="2026-03-01")

    assert ends(rows) == ["2026-01-23", "2026-02-06", "2026-02-20"]
    assert [row["gross"] for row in rows] == ["1.00", "2.00", "4.00"]
    book.run("check", "C1")
    book.run("verify")


def test_a_fee_of_two_weeks_stands_beside_one_of_a_month_counted_from_its_own_day(book):
    book.customers({"id": "C1", "opened": "2026-01-01"})
    # 1 January 2026 is a Thursday: the first two weeks are those from Monday 29 December.
    book.run("fee", "add", "C1", "Subscriptions", "14.00", "--id", "w", "--every", "2-weeks",
             "--from", "2026-01-01", today="2026-01-01")  # fmt: skip
    book.run("fee", "add", "C1", "Subscriptions", "30.00", "--id", "m", "--own-day",
             "--from", "2026-01-20", today="2026-01-01")  # fmt: skip
    listed = book.run("fee", "list", "C1").stdout
    assert "30.00 EUR every month from its own day in advance" in listed
    assert "14.00 EUR every 2-weeks in advance" in listed
    [first, second] = book.close(today="2026-03-01")

    # 11 of 14 days, then 12 January and 26 January; the month from 20 January, whole.
    assert first["gross"] == "69.00"
    # Weeks from 9 and 23 February, the month from 20 February; all due on the day before.
    assert second["gross"] == "58.00"
    lines = [line["description"] for line in book.invoice(second["number"])["lines"]]
    assert "m, 20 February 2026 to 19 March 2026" in lines
    # 12 January's month is over; of the one from 20 February 9 of 28 days are, and of the two
    # weeks from 23 February 6 of 14.
    assert book.sums()["Liabilities:Deferred-Income"] == Decimal("-28.36")
    book.run("check", "C1", code=1)  # beyond the limit of 100.00, and nothing else
    book.run("verify")


def test_a_customer_is_billed_by_the_day_he_came(book):
    book.today = "2026-12-01"
    book.customers(
        {"id": "C1", "cycle": "monthly-anniversary", "opened": "2026-01-31"},
        {"id": "C2", "cycle": "yearly-anniversary", "opened": "2026-03-10"},
    )
    book.talks("C1", "2026-02-27", 1)
    book.talks("C1", "2026-02-28", 2)  # the day that stands for the 31st: a new period
    rows = book.close(today="2027-03-10")

    assert ends([row for row in rows if row["customer"] == "C1"])[:4] == [
        "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31",
    ]  # fmt: skip
    assert [row["gross"] for row in rows if row["customer"] == "C1"][:2] == ["1.00", "2.00"]
    assert ends([row for row in rows if row["customer"] == "C2"]) == ["2027-03-10"]
    assert book.run("customer", "show", "C1", "--json").json["billing_day"] == "31"


def test_the_first_period_of_a_cycle_is_the_one_that_holds_today(book):
    def opened(name: str, *words: str) -> str:
        book.run("customer", "add", name, *words, today="2026-05-20")
        return book.run("customer", "show", name, "--json").json["opened"]

    assert opened("C1", "--cycle", "quarterly") == "2026-04-01"
    assert opened("C2", "--cycle", "yearly", "--billing-day", "31") == "2026-01-31"
    assert opened("C3", "--cycle", "quarterly-anniversary") == "2026-05-20"


def test_a_change_of_billing_day_makes_one_short_period(book):
    book.customers({"id": "C1"})
    book.talks("C1", "2026-02-14", 4, today="2026-02-20")
    book.talks("C1", "2026-02-15", 8, today="2026-02-20")
    # 1 February to 14 February is 14 days; from then on months of their own length.
    book.run("customer", "set", "C1", "billing_day=15", "--from", "2026-02-01", today="2026-01-20")
    rows = book.close(today="2026-04-15")

    assert ends(rows) == ["2026-02-01", "2026-02-15", "2026-03-15", "2026-04-15"]
    assert [row["gross"] for row in rows] == ["0.00", "4.00", "8.00", "0.00"]


def test_a_change_of_cycle_makes_one_short_period(book):
    book.customers({"id": "C1", "opened": "2026-02-10", "billing_day": 10})
    book.run("customer", "set", "C1", "cycle=quarterly", "--from", "2026-03-10", today="2026-02-20")
    book.run("customer", "set", "C1", "cycle=monthly", "--from", "2026-07-10", today="2026-02-20")

    # 10 March is inside the quarter that began on 10 January: the rest of it, then a whole one.
    assert ends(book.close(today="2026-09-10")) == [
        "2026-03-10", "2026-04-10", "2026-07-10", "2026-08-10", "2026-09-10",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["billing_day=5", "--from", "2026-03-02"], "say --from 2026-03-01 or --from 2026-04-01"),
        (["cycle=yearly", "--from", "2026-06-30"], "say --from 2026-06-01 or --from 2026-07-01"),
        (["billing_day=5", "--from", "2026-01-31"], "2026-01-31 lies in a closed period"),
        (["cycle=fortnightly"], "'fortnightly' is none of weekly, monthly, quarterly, half-yearly"),
        (
            ["cycle=weekly", "billing_day=8", "--from", "2026-03-01"],
            "say billing_day=1 for Monday, up to 7 for Sunday",
        ),
        (["cycle=monthly-anniversary", "--from", "2026-03-01"], "say billing_day=15"),
    ],
)
def test_a_change_that_cannot_be_says_what_can(book, words, said):
    book.customers({"id": "C1", "opened": "2026-01-15"})
    book.close(today="2026-02-02")
    before = book.digests()

    done = book.run("customer", "set", "C1", *words, today="2026-02-10", code=1)
    assert said in done.stderr
    assert book.digests() == before


def test_a_list_of_customers_changes_the_cycle_where_the_next_period_starts(book):
    row = {"id": "C1", "name": "C1", "credit_limit": "100.00", "tariff": "standard"}
    book.imported("customers", [{**row, "opened": "2026-01-01"}])
    book.imported("customers", [{**row, "cycle": "quarterly"}], today="2026-02-10")

    shown = book.run("customer", "show", "C1", "--json").json
    assert shown["history"]["cycle"] == [{"from": "2026-03-01", "value": "quarterly"}]
    assert ends(book.close(today="2026-07-01")) == [
        "2026-02-01", "2026-03-01", "2026-04-01", "2026-07-01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "calls"),
    [
        # Clocks go forward on the 29th of March and the 8th, back on 25 October and 1 November.
        ("Europe/Brussels", {
            "2026-03-28T22:59:59Z": 1, "2026-03-28T23:00:00Z": 2, "2026-03-29T21:59:59Z": 4,
            "2026-03-29T22:00:00Z": 8, "2026-10-24T21:59:59Z": 16, "2026-10-24T22:00:00Z": 32,
            "2026-10-25T22:59:59Z": 64, "2026-10-25T23:00:00Z": 128,
        }),
        ("America/New_York", {
            "2026-03-08T04:59:59Z": 1, "2026-03-08T05:00:00Z": 2, "2026-03-09T03:59:59Z": 4,
            "2026-03-09T04:00:00Z": 8, "2026-11-01T03:59:59Z": 16, "2026-11-01T04:00:00Z": 32,
            "2026-11-02T04:59:59Z": 64, "2026-11-02T05:00:00Z": 128,
        }),
    ],
)  # fmt: skip
def test_days_on_which_clocks_change_are_days_like_any_other(book, tmp_path, zone, calls):
    root = tmp_path / "zoned"
    assert a2ledger("--today", "2026-01-01", "init", root, "--timezone", zone).code == 0
    shutil.copy(book.root / "tariffs/standard.csv", root / "tariffs/standard.csv")
    book = Book(root, tmp_path / "files")
    spring, autumn = ("29", "25") if zone.startswith("Europe") else ("8", "1")
    # Periods that begin on the day itself, so that its edges are the edges of a bill.
    book.customers({"id": "C1", "billing_day": spring, "opened": "2026-01-01"})
    rows = [
        {**call(str(minutes), "C1", "", minutes * 60), "start": when}
        for when, minutes in calls.items()
    ]  # fmt: skip
    book.imported("calls", rows, today="2026-12-01")
    book.run("customer", "set", "C1", f"billing_day={autumn}", "--from", f"2026-09-{spring:0>2}")
    bills = {row["period"]["start"][5:]: row["gross"] for row in book.close(today="2026-12-02")}

    month = ("03", "10") if zone.startswith("Europe") else ("03", "11")
    assert bills[f"{month[0]}-{spring:0>2}"] == "14.00"  # 2 + 4 that day, 8 the next
    assert bills[f"{month[1]}-{autumn:0>2}"] == "224.00"  # 32 + 64 that day, 128 the next
    assert sum(float(gross) for gross in bills.values()) == 255
    errors = book.run("check", "C1", "--json", code=1).json["errors"]
    assert [error["check"] for error in errors] == ["credit-limit"]
