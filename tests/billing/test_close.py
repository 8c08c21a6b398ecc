"""What closing does, refuses, and never does. One started minute costs 1.00."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from beancount.core import data
from harness import PBX, Book, amounts, bean_check, call, cdr, made_once, slim, total

MARKER = "; ---- usage below this line is written by a2ledger ----\n"

GOODWILL = """\
2026-02-05 * "Goodwill" "for the outage" ^goodwill-1
  Equity:Opening-Balances             3.00 EUR
  Assets:Receivable:C1:Billed        -3.00 EUR

"""


@pytest.fixture
@made_once
def talked(book: Book) -> Book:
    """A book whose customer C1 has talked ten minutes in January."""
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    return book


def numbers(closed: list[dict]) -> list[tuple[str, str, str | None]]:
    return [(row["customer"], row["period"]["end"], row["number"]) for row in closed]


# When a period can be closed


def test_a_period_cannot_be_closed_before_it_has_ended(talked):
    before = talked.digests()
    assert talked.close(today="2026-01-31") == []
    (row,) = talked.close("C1", today="2026-01-31", code=1)
    assert row["number"] is None
    assert [warning["code"] for warning in row["warnings"]] == ["not-ended"]
    assert "2026-02-01" in row["warnings"][0]["message"]
    assert talked.digests() == before

    assert numbers(talked.close(today="2026-02-01")) == [("C1", "2026-02-01", "INV-2026-000001")]


def test_a_source_that_has_not_reported_holds_the_period_open_and_is_named(talked):
    talked.append("a2ledger.toml", PBX)
    (row,) = talked.close(today="2026-02-05", code=1)
    assert row["number"] is None
    assert [warning["code"] for warning in row["warnings"]] == ["source-behind"]
    assert "pbx1" in row["warnings"][0]["message"]
    assert "pbx1" in talked.run("close", today="2026-02-05", code=1).stderr
    assert talked.documents() == {}


def test_an_import_run_without_rows_covers_its_source(talked):
    talked.append("a2ledger.toml", PBX)
    talked.run("import", "pbx1", talked.file("Master.csv", ""), "--empty", today="2026-01-30")
    talked.close(today="2026-02-05", code=1)  # too early: before the period's end and a day
    talked.run("import", "pbx1", talked.file("Master.csv", ""), "--empty", today="2026-02-01")
    assert len(talked.close(today="2026-02-05")) == 1


def test_a_source_asked_through_an_earlier_day_only_still_holds_the_period_open(talked):
    talked.append("a2ledger.toml", PBX)
    empty = talked.file("Master.csv", "")
    talked.run("import", "pbx1", "--through", "2026-01-30", empty, "--empty", today="2026-02-03")
    (row,) = talked.close(today="2026-02-05", code=1)
    assert [warning["code"] for warning in row["warnings"]] == ["source-behind"]

    talked.run("import", "pbx1", "--through", "2026-01-31", empty, "--empty", today="2026-02-04")
    assert len(talked.close(today="2026-02-05")) == 1


def test_the_close_delay_is_counted_from_the_period_s_end(talked):
    talked.append("a2ledger.toml", PBX)
    talked.edit("a2ledger.toml", 'close_delay = "24h"', 'close_delay = "3d"')
    talked.run("import", "pbx1", talked.file("Master.csv", ""), "--empty", today="2026-02-02")
    talked.close(today="2026-02-05", code=1)
    talked.run("import", "pbx1", talked.file("Master.csv", ""), "--empty", today="2026-02-03")
    assert len(talked.close(today="2026-02-05")) == 1


def test_the_operator_may_waive_a_source(talked):
    talked.append("a2ledger.toml", PBX)
    assert len(talked.close("--without", "pbx1", today="2026-02-05")) == 1


def test_waiving_a_source_that_is_not_configured_is_told(talked):
    talked.append("a2ledger.toml", PBX)
    done = talked.run("close", "--without", "pxb1", today="2026-02-05", code=1)
    assert "pxb1" in done.stderr


def test_a_period_whose_source_has_reported_closes_though_another_s_has_not(book):
    # The same source: reported after C1's January, not yet after C2's mid-January period.
    book.append("a2ledger.toml", PBX)
    book.customers(
        {"id": "C1", "billing_day": 15, "opened": "2026-01-01"},
        {"id": "C2", "billing_day": 1, "opened": "2026-01-01"},
    )
    book.run("import", "pbx1", book.file("Master.csv", ""), "--empty", today="2026-01-20")
    closed = book.close(today="2026-02-10", code=1)
    assert [(row["customer"], row["closed"]) for row in closed] == [("C1", True), ("C2", False)]
    assert numbers(book.close("C2", today="2026-02-10", code=1)) == [("C2", "2026-02-01", None)]


def test_a_named_customer_that_can_be_closed_leaves_the_others_open(book):
    book.customers({"id": "C1"}, {"id": "C2"})
    book.talks("C1", "2026-01-10", 1, today="2026-01-11")
    book.talks("C2", "2026-01-10", 1, today="2026-01-11")
    assert numbers(book.close("C2", today="2026-02-01")) == [
        ("C2", "2026-02-01", "INV-2026-000001")
    ]
    assert numbers(book.close(today="2026-02-01")) == [("C1", "2026-02-01", "INV-2026-000002")]


def test_through_closes_no_period_that_ends_after_that_day(talked):
    talked.talks("C1", "2026-02-10", 5, today="2026-02-11")
    closed = talked.close("--through", "2026-01-31", today="2026-03-20")
    assert numbers(closed) == [("C1", "2026-02-01", "INV-2026-000001")]
    closed = talked.close("--through", "2026-02-28", today="2026-03-20")
    assert numbers(closed) == [("C1", "2026-03-01", "INV-2026-000002")]


def test_broken_books_are_not_closed(talked):
    talked.append("journals/manual.beancount", "2026-01-20 balance Assets:Bank  5.00 EUR\n")
    done = talked.run("close", today="2026-02-01", code=1)
    assert "journals/manual.beancount:2: Balance failed" in done.errors[0]
    assert talked.documents() == {}
    assert "manual edit" not in talked.log()[0]


def test_a_close_needs_every_day_of_call_detail_as_it_was_posted(talked):
    path = talked.root / "calls/2026-01/2026-01-10.parquet"
    path.unlink()
    done = talked.run("close", today="2026-02-01", code=1)
    assert "2026-01-10.parquet" in done.errors[0]
    assert talked.documents() == {}


def test_a_dry_run_of_a_close_says_what_it_would_bill_and_writes_nothing(talked):
    before, log = talked.digests(), talked.log()
    assert numbers(talked.close("--dry-run", today="2026-02-01")) == [
        ("C1", "2026-02-01", "INV-2026-000001")
    ]
    assert (talked.digests(), talked.log()) == (before, log)


# Order, numbers and kinds of document


def test_numbers_go_by_period_end_then_customer_without_gaps(book):
    book.customers(
        {"id": "C2"}, {"id": "C10"}, {"id": "C1", "billing_day": 15}, {"id": "C3"},
    )  # fmt: skip
    for name in ("C1", "C10", "C2"):
        for day in ("2026-01-02", "2026-02-02", "2026-03-02"):
            book.talks(name, day, 1, today=day)
    closed = book.close(today="2026-03-16")
    assert numbers([row for row in closed if row["number"]]) == [
        ("C1", "2026-01-15", "INV-2026-000001"),
        ("C10", "2026-02-01", "INV-2026-000002"),
        ("C2", "2026-02-01", "INV-2026-000003"),
        ("C1", "2026-02-15", "INV-2026-000004"),
        ("C10", "2026-03-01", "INV-2026-000005"),
        ("C2", "2026-03-01", "INV-2026-000006"),
        ("C1", "2026-03-15", "INV-2026-000007"),
    ]
    # C3 moved nothing: his periods are statements, and took no number.
    assert [row["customer"] for row in closed if not row["number"]] == ["C3", "C3"]
    assert {row["kind"] for row in book.documents().values()} == {"invoice", "statement"}


def test_periods_closed_at_once_follow_one_another_as_if_closed_in_time(talked, tmp_path):
    talked.moves("payments", "C1", "2026-02-05", "4.00", today="2026-02-05")
    talked.talks("C1", "2026-02-10", 5, today="2026-02-11")
    shutil.copytree(talked.root, tmp_path / "other")
    other = Book(tmp_path / "other", tmp_path / "others")

    talked.close("--through", "2026-01-31", today="2026-03-02")
    talked.close(today="2026-03-02")
    other.close(today="2026-03-02")
    assert {path: d for path, d in talked.digests().items() if "quarantine" not in path} == {
        path: d for path, d in other.digests().items() if "quarantine" not in path
    }
    assert talked.documents()["INV-2026-000002"]["statement"]["opening"] == "10.00"


def test_the_year_of_a_number_is_that_of_the_day_of_closing_and_begins_at_one(book):
    book.customers({"id": "C1", "opened": "2025-11-01"})
    book.talks("C1", "2025-11-10", 1, today="2025-11-11")
    book.talks("C1", "2025-12-10", 1, today="2025-12-11")
    assert numbers(book.close(today="2025-12-01")) == [("C1", "2025-12-01", "INV-2025-000001")]
    assert numbers(book.close(today="2026-01-02")) == [("C1", "2026-01-01", "INV-2026-000001")]
    assert (book.root / "invoices/2025/INV-2025-000001.json").is_file()
    document = book.documents()["INV-2026-000001"]
    assert (document["issue_date"], document["due_date"]) == ("2026-01-02", "2026-01-16")


def test_the_due_date_follows_the_customer_s_own_terms(book):
    book.customers({"id": "C1", "terms": "30"})
    book.talks("C1", "2026-01-10", 1, today="2026-01-11")
    book.close(today="2026-02-01")
    assert book.documents()["INV-2026-000001"]["due_date"] == "2026-03-03"


def test_where_nothing_moves_the_close_gives_an_unnumbered_statement_and_no_entry(talked):
    talked.close(today="2026-02-01")
    talked.moves("payments", "C1", "2026-02-05", "4.00", today="2026-02-05")
    (row,) = talked.close(today="2026-03-01")
    assert (row["number"], row["gross"], row["to_pay"]) == (None, "0.00", "6.00")
    statement = talked.documents()["statement-C1-2026-02-01"]
    assert (statement["kind"], statement["number"]) == ("statement", None)
    assert amounts(statement["statement"]) == ["-4.00"]
    assert "#invoice" not in talked.text("journals/2026-02/C1.01.beancount")
    # The number it did not take is the next one's.
    talked.talks("C1", "2026-03-10", 1, today="2026-03-11")
    assert numbers(talked.close(today="2026-04-01"))[0][2] == "INV-2026-000002"


def test_a_call_that_costs_nothing_takes_no_number(book):
    book.customers({"id": "C1"})
    book.imported("calls", [call("c1", "C1", "2026-01-10", 0)], today="2026-01-11")
    (row,) = book.close(today="2026-02-01")
    assert (row["number"], row["gross"]) == (None, "0.00")


def test_a_negative_total_is_a_credit_note_in_its_own_series_with_positive_amounts(book):
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2", "vat": "on-invoice"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    book.close(today="2026-02-01")
    book.moves(
        "charges", "C1", "2026-02-05", "-4.00", description="Overcharged", today="2026-02-05"
    )
    book.talks("C2", "2026-02-10", 1, today="2026-02-11")
    closed = book.close(today="2026-03-01")
    assert [row["number"] for row in closed] == ["CN-2026-000001", "INV-2026-000002"]

    note = book.invoice("CN-2026-000001")
    assert note["kind"] == "credit-note"
    assert (note["net"], note["vat_total"], note["gross"]) == ("4.00", "0.84", "4.84")
    assert [line["net"] for line in note["lines"]] == ["4.00"]
    assert [(row["net"], row["vat"]) for row in note["vat"]] == [("4.00", "0.84")]
    # The account goes the other way.
    assert amounts(note["statement"]) == ["-4.00", "-0.84"]
    assert total(note["statement"]) == Decimal("7.26")
    assert "#credit-note" in book.text("journals/2026-02/C1.01.beancount")
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-1.47")


# Periods


@pytest.mark.parametrize(
    ("billing_day", "opened", "ends"),
    [
        (31, "2026-01-10", ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]),
        (31, "2028-01-31", ["2028-02-29", "2028-03-31"]),
        (30, "2026-01-30", ["2026-02-28", "2026-03-30"]),
        (15, "2026-01-10", ["2026-01-15", "2026-02-15", "2026-03-15"]),
        (15, "2026-01-15", ["2026-02-15", "2026-03-15"]),
        (1, "2026-01-31", ["2026-02-01", "2026-03-01"]),
    ],
)
def test_periods_run_from_billing_day_to_billing_day_and_the_first_may_be_short(
    book, billing_day, opened, ends
):
    book.customers({"id": "C1", "billing_day": billing_day, "opened": opened}, today=opened)
    closed = book.close(today=ends[-1])
    starts = [opened, *ends[:-1]]
    assert [(row["period"]["start"], row["period"]["end"]) for row in closed] == list(
        zip(starts, ends, strict=True)
    )


def test_a_changed_billing_day_makes_one_shorter_period(talked):
    talked.run(
        "customer", "set", "C1", "billing_day=15", "--from", "2026-02-01", today="2026-01-20"
    )
    closed = talked.close(today="2026-03-20")
    assert [row["period"]["end"] for row in closed] == ["2026-02-01", "2026-02-15", "2026-03-15"]


def test_a_call_over_midnight_is_on_the_bill_of_the_day_it_started(book):
    book.customers({"id": "C1"})
    row = call("c1", "C1", "2026-01-31", 7200) | {"start": "2026-01-31 23:30:00"}
    book.imported("calls", [row], today="2026-02-01")
    closed = book.close(today="2026-03-01")
    assert [row["gross"] for row in closed] == ["120.00", "0.00"]


# What comes late


def test_a_late_call_is_posted_on_the_first_day_of_the_open_period_and_marked(talked):
    talked.close(today="2026-02-01")
    frozen = talked.text("journals/2026-01/C1.01.beancount")
    done = talked.imported(
        "calls", [call("late", "C1", "2026-01-20", 120)], today="2026-02-03"
    )  # fmt: skip
    assert "1 late" in done.stderr
    assert talked.text("journals/2026-01/C1.01.beancount") == frozen
    text = talked.text("journals/2026-02/C1.01.beancount")
    assert re.search(r'2026-02-01 \* "Calls".*\n.*\n.*\n  late_from: 2026-01-20\n', text)
    assert text.index("late_from") > text.index(MARKER)

    (february,) = talked.close(today="2026-03-01")
    (line,) = talked.invoice(february["number"])["lines"]
    assert (line["kind"], line["late_from"], line["net"]) == ("late", "2026-01-20", "2.00")
    assert "late" in talked.documents()[february["number"]]["statement"]["lines"][0]["description"]


def test_a_late_payment_and_a_late_charge_keep_their_own_day_as_metadata(talked):
    talked.close(today="2026-02-01")
    frozen = talked.text("journals/2026-01/C1.01.beancount")
    talked.moves("payments", "C1", "2026-01-20", "4.00", id="p1", today="2026-02-03")
    done = talked.moves("charges", "C1", "2026-01-25", "2.00", id="c1", today="2026-02-03")
    assert "1 late" in done.stderr
    assert talked.text("journals/2026-01/C1.01.beancount") == frozen
    text = talked.text("journals/2026-02/C1.01.beancount")
    for link, day in (("payment-payments-p1", "2026-01-20"), ("charge-charges-c1", "2026-01-25")):
        assert re.search(rf"2026-02-01 \* .*\^{link}\n(  .*\n)*?  late_from: {day}\n", text)

    before = talked.digests()
    done = talked.moves("payments", "C1", "2026-01-20", "4.00", id="p1", today="2026-02-03")
    assert "1 duplicate" in done.stderr
    assert talked.digests() == before
    (february,) = talked.close(today="2026-03-01")
    lines = talked.invoice(february["number"])["lines"]
    assert [(line["kind"], line["late_from"]) for line in lines] == [("late", "2026-01-25")]
    assert february["to_pay"] == "8.00"


def test_a_call_of_a_closed_period_that_comes_again_is_a_duplicate(talked):
    row = call("c1", "C1", "2026-01-12", 60)
    talked.imported("calls", [row], today="2026-01-13")
    talked.close(today="2026-02-01")
    before = talked.digests()
    done = talked.imported("calls", [row], today="2026-02-02")
    assert "1 duplicate" in done.stderr
    assert talked.digests() == before


def test_a_sealed_call_wins_a_conflict_though_the_other_started_earlier(talked):
    talked.imported("calls", [call("c1", "C1", "2026-01-12", 60)], today="2026-01-13")
    talked.close(today="2026-02-01")
    frozen = talked.digests()
    # apart they would be two calls of one channel
    other = call("c1", "C1", "2026-01-12", 600) | {"start": "2026-01-12 11:59:59"}
    done = talked.imported("calls", [other], today="2026-02-02", code=3)
    assert "conflict" in done.stderr
    after = talked.digests()
    assert {path: after[path] for path in frozen if "quarantine" not in path} == {
        path: digest for path, digest in frozen.items() if "quarantine" not in path
    }


# What a close leaves


def test_no_later_command_changes_a_frozen_file_or_document(talked):
    talked.close(today="2026-02-01")
    frozen = {
        path: (talked.root / path).read_bytes()
        for path in ("journals/2026-01/C1.01.beancount", "invoices/2026/INV-2026-000001.json")
    }
    talked.talks("C1", "2026-01-20", 2, today="2026-02-03")
    talked.talks("C1", "2026-02-10", 2, today="2026-02-11")
    talked.moves("refills", "C1", "2026-01-20", "5.00", today="2026-02-12")
    talked.run("customer", "set", "C1", "credit_limit=7", "name=Ada", today="2026-02-12")
    talked.customers({"id": "C1", "name": "Ada"}, {"id": "C2"}, today="2026-02-12")
    talked.run("invoice", "--all", "--format", "html,text,json", today="2026-02-12")
    talked.close(today="2026-03-01")
    talked.close(today="2026-04-01")
    assert {path: (talked.root / path).read_bytes() for path in frozen} == frozen


def test_the_balances_of_a_close_stand_first_in_the_next_file_and_are_checked(talked):
    talked.talks("C1", "2026-01-11", 3, today="2026-01-12")
    talked.close(today="2026-02-01")
    text = talked.text("journals/2026-02/C1.01.beancount")
    assert text.startswith(
        "2026-02-01 balance Assets:Receivable:C1:Billed  13.00 ~ 0 EUR\n"
        "2026-02-01 balance Assets:Receivable:C1:Unbilled  0.000000 ~ 0 EUR\n"
    )
    assert "balance" not in talked.text("journals/2026-01/C1.01.beancount")
    own = talked.root / "journals/customers/C1.beancount"
    assert bean_check(own) == ""
    talked.edit("journals/2026-02/C1.01.beancount", "13.00 ~ 0", "13.01 ~ 0")
    assert "Balance failed" in bean_check(own)


def test_the_entry_of_a_close_is_dated_the_last_day_and_moves_unbilled_to_billed(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    book.close(today="2026-02-03")
    assert book.text("journals/2026-01/C1.01.beancount").endswith(
        '2026-01-31 * "Invoice INV-2026-000001" "1 January 2026 to 31 January 2026"'
        " ^INV-2026-000001 #invoice\n"
        "  Assets:Receivable:C1:Billed     12.10 EUR\n"
        "  Assets:Receivable:C1:Unbilled  -10.00 EUR\n"
        '    vat: "S21"\n'
        "  Liabilities:VAT:S21             -2.10 EUR\n\n"
    )


def test_fractions_of_a_cent_stay_unbilled_and_are_billed_when_they_add_up(book):
    book.edit("tariffs/standard.csv", "1.00,60,60", "0.004,60,60")
    book.customers({"id": "C1"})
    billed = []
    for month in range(1, 6):
        day = f"2026-{month:02d}-10"
        book.talks("C1", day, 1, today=day)
        (row,) = book.close(today=f"2026-{month + 1:02d}-01")
        billed.append(row["gross"])
    # round(0.004), round(0.008), 0.012, 0.016, 0.020: each less what was billed before.
    assert billed == ["0.00", "0.01", "0.00", "0.01", "0.00"]
    assert book.balance("C1")["owed"] == "0.02"


def test_a_fraction_whose_code_goes_unused_leaves_as_a_visible_line(book):
    book.edit("tariffs/standard.csv", "1.00,60,60", "0.004,60,60")
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", 1, today="2026-01-11")
    book.close(today="2026-02-01")
    assert book.balance("C1")["unbilled"] == "0.004"
    book.close(today="2026-03-01")
    assert book.balance("C1")["unbilled"] == "0.00"
    assert "Income:Rounding" in book.text("journals/2026-02/C1.01.beancount")
    assert book.sums()["Income:Rounding"] == Decimal("0.004")


@pytest.mark.parametrize("vat", ["none", "on-invoice"])
def test_the_preview_is_the_bill_but_for_kind_number_and_dates(book, vat):
    book.edit("tariffs/standard.csv", "1.00,60,60", "0.0333,7,6")
    book.customers({"id": "C1", "vat": vat}, {"id": "C2", "vat": vat})
    for day, minutes in (("2026-01-03", 7), ("2026-01-04", 11), ("2026-01-31", 2)):
        book.talks("C1", day, minutes, today="2026-02-01")
    book.moves("charges", "C1", "2026-01-05", "2.34", today="2026-02-01")
    book.moves("refills", "C1", "2026-01-06", "3.33", today="2026-02-01")
    book.talks("C1", "2026-02-01", 5, today="2026-02-01")
    for today, number in (("2026-02-01", 1), ("2026-03-01", 2)):
        preview = book.preview("C1", today)
        book.close(today=today)
        bill = book.documents()[f"INV-2026-{number:06d}"]
        for key in ("kind", "number", "issue_date", "due_date", "seal"):
            preview.pop(key, None)
            bill.pop(key, None)
        assert preview == bill


def test_a_preview_of_a_period_that_is_not_over_writes_nothing(talked):
    before, log = talked.digests(), talked.log()
    assert talked.preview("C1", "2026-01-15")["gross"] == "10.00"
    assert (talked.digests(), talked.log()) == (before, log)


# Hand edits


def test_a_hand_edit_is_committed_first_and_apart_and_is_on_the_bill(talked):
    talked.close(today="2026-02-01")
    talked.edit("journals/2026-02/C1.01.beancount", MARKER, GOODWILL + MARKER)
    talked.talks("C1", "2026-02-10", 5, today="2026-02-11")
    latest, edit = talked.log()[:2]
    assert latest.startswith("import: calls: 1 rows read, 1 posted")
    assert edit == "manual edit"
    changed = talked.git("show", "--format=", "--name-only", "HEAD~1").split()
    assert "journals/2026-02/C1.01.beancount" in changed
    assert "calls/DIGESTS" not in changed
    assert talked.balance("C1")["owed"] == "12.00"
    (february,) = talked.close(today="2026-03-01")
    assert february["to_pay"] == "12.00"
    assert talked.run("check", "C1").stdout == ""


def without_rows(book: Book, source: str) -> Path:
    """A file of calls or payments without any: an import does what every command does."""
    header = {"calls": "id,customer,start,called,seconds", "payments": "id,customer,date,amount"}
    return book.file(f"no-{source}.csv", f"{header[source]}\n")


@pytest.mark.parametrize(
    "words",
    [["close"], ["import", "calls"], ["customer", "set", "C2", "name=Bob"], ["import", "payments"]],
    ids=" ".join,
)
def test_after_a_hand_edit_any_writing_command_brings_the_general_ledger_into_line(talked, words):
    talked.customers({"id": "C2"})
    talked.close(today="2026-02-01")
    talked.edit("journals/2026-02/C1.01.beancount", MARKER, GOODWILL + MARKER)
    if words[0] == "import":
        words = [*words, without_rows(talked, words[1])]
    talked.run(*words, today="2026-02-06")
    assert talked.run("check", "C1").stdout == ""
    assert talked.balance("C1")["owed"] == "7.00"
    assert talked.git("status", "--porcelain") == ""


def test_what_a_person_committed_himself_is_adopted_like_any_other_hand_edit(talked):
    talked.customers({"id": "C2"})
    talked.close(today="2026-02-01")
    talked.edit("journals/2026-02/C1.01.beancount", MARKER, GOODWILL + MARKER)
    by_hand(talked, "goodwill, as agreed")
    talked.run("customer", "set", "C2", "name=Bob", today="2026-02-06")
    assert talked.run("check", "C1").stdout == ""
    assert talked.balance("C1")["owed"] == "7.00"
    assert "goodwill, as agreed" in talked.log()

    talked.edit("journals/2026-01/C1.01.beancount", "10.00 EUR", "11.00 EUR")
    by_hand(talked, "nobody will notice")
    assert "closed period" in talked.run("close", today="2026-03-01", code=1).errors[0]


def by_hand(book: Book, message: str) -> None:
    book.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org",
             "commit", "--quiet", "--all", "-m", message)  # fmt: skip


def test_what_is_derived_is_made_anew_whatever_somebody_wrote_there(talked):
    talked.close(today="2026-02-01")
    derived = ["main", "history", "general/2026-01", "general/opens", "general/carried"]
    paths = [f"journals/{name}.beancount" for name in derived]
    before = {path: talked.text(path) for path in paths}
    talked.edit("journals/general/2026-01.beancount", "10.00 EUR", "11.00 EUR")
    talked.edit("journals/main.beancount", 'include "general/2026-01.beancount"\n', "")
    talked.append("journals/general/carried.beancount", "nonsense\n")
    (talked.root / "journals/history.beancount").unlink()
    talked.run("check", code=1)
    talked.run("customer", "set", "C1", "credit_limit=100.00", today="2026-02-06")
    assert {path: talked.text(path) for path in paths} == before
    assert talked.run("check", "C1").stdout == ""


def test_a_close_right_after_a_hand_edit_bills_it(talked):
    talked.edit("journals/2026-01/C1.01.beancount", MARKER,
             GOODWILL.replace("2026-02", "2026-01") + MARKER)  # fmt: skip
    (row,) = talked.close(today="2026-02-01")
    assert (row["gross"], row["to_pay"]) == ("10.00", "7.00")


def test_a_hand_edit_that_a_failing_command_met_first_is_not_lost(talked):
    talked.customers({"id": "C2"})
    talked.close(today="2026-02-01")
    talked.edit("journals/2026-02/C1.01.beancount", MARKER, GOODWILL + MARKER)
    talked.run(
        "import", "payments", talked.file("p.csv", "nonsense\n1\n"), today="2026-02-06", code=65
    )
    talked.run("customer", "set", "C2", "name=Bob", today="2026-02-06")
    assert talked.run("check", "C1").stdout == ""
    assert talked.balance("C1")["owed"] == "7.00"


def test_other_bytes_of_an_open_file_survive_an_import(talked):
    talked.close(today="2026-02-01")
    note = GOODWILL.replace("\n\n", "\n; agreed on the phone,  see mail\n\n\n")
    talked.edit("journals/2026-02/C1.01.beancount", MARKER, note + MARKER)
    talked.moves("payments", "C1", "2026-02-04", "1.00", today="2026-02-06")
    talked.moves("payments", "C1", "2026-02-07", "2.00", today="2026-02-08")
    text = talked.text("journals/2026-02/C1.01.beancount")
    assert note in text
    dates = re.findall(r"^(2026-02-\d\d) \*", text.partition(MARKER)[0], re.MULTILINE)
    assert dates == ["2026-02-04", "2026-02-05", "2026-02-07"]


# The audit trail


def test_every_command_that_writes_makes_one_commit_with_its_counts(book):
    def commits(*expected: str) -> None:
        log = book.log()
        assert len(log) - commits.before == len(expected), log
        for message, wanted in zip(log, reversed(expected), strict=False):
            assert re.fullmatch(wanted, message), message
        commits.before = len(log)
        assert book.git("status", "--porcelain") == ""

    commits.before = len(book.log())
    book.customers({"id": "C1"}, {"id": "C2"})
    commits("manual edit", r"import: customers: 2 rows read, 2 posted.*")
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    commits(r"import: calls: 1 rows read, 1 posted; 10\.00")
    book.moves("refills", "C1", "2026-01-10", "3.00", today="2026-01-11")
    commits(r"import: refills: 1 rows read, 1 posted; 3\.00")
    book.run("customer", "add", "C3", today="2026-01-11")
    commits("customer add: C3")
    book.run("customer", "set", "C1", "name=Ada", today="2026-01-12")
    commits("customer set: C1 name")
    book.close(today="2026-02-01")
    commits(r"close: 3 period\(s\), 1 number\(s\), INV-2026-000001 to INV-2026-000001")
    book.run("invoice", "--all", today="2026-02-01")
    for words in (["check"], ["balances"], ["preview", "C1"], ["statement", "C1"]):
        book.run(*words, today="2026-02-01")
    commits()


def test_call_detail_quarantine_and_renderings_stay_out_of_git(talked):
    talked.talks("C9", "2026-01-10", 1, today="2026-01-11", code=3)
    talked.close(today="2026-02-01")
    talked.run("invoice", "--all", today="2026-02-01")
    tracked = talked.git("ls-files").splitlines()
    assert "invoices/2026/INV-2026-000001.json" in tracked
    assert "calls/DIGESTS" in tracked
    assert not [path for path in tracked if path.endswith((".parquet", ".html"))]
    assert not [path for path in tracked if path.startswith(("quarantine", ".a2ledger"))]
    assert (talked.root / "invoices/2026/INV-2026-000001.html").is_file()


# The operator's ledger


@pytest.fixture(scope="module")
def busy_books(empty_book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Four months of two customers, three of them closed; main shows three months, or one."""
    roots = {}
    for months in (3, 1):
        root = tmp_path_factory.mktemp("busy") / "book"
        shutil.copytree(empty_book, root)
        book = Book(root, root.parent / "files")
        book.edit("a2ledger.toml", "main_months = 3", f"main_months = {months}")
        fill(book)
        roots[months] = slim(root)
    return roots


@pytest.fixture(params=[3])
def busy(busy_books: dict[int, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Book:
    """A copy of such a book."""
    shutil.copytree(busy_books[request.param], tmp_path / "busy")
    return Book(tmp_path / "busy", tmp_path / "files", "2026-04-16")


one_month = pytest.mark.parametrize("busy", [1], indirect=True, ids=["main_months 1"])


def fill(book: Book) -> None:
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "cust.2", "billing_day": 15})
    for month in range(1, 5):
        day = f"2026-{month:02d}-10"
        for name in ("C1", "cust.2"):
            book.talks(name, day, 3 + month, today=day)
            book.moves("payments", name, day, f"{month}.50", today=day)
        book.moves("charges", "C1", day, "2.00", today=day)
        if month > 1:
            book.close(today=f"2026-{month:02d}-16")


def test_main_history_and_every_customer_s_own_file_pass_bean_check_alone(busy):
    assert len(busy.tops()) == 4
    assert {top: bean_check(busy.root / top) for top in busy.tops()} == dict.fromkeys(
        busy.tops(), ""
    )


def test_every_balance_of_the_general_ledger_is_that_of_the_customers_own(busy):
    general = busy.sums("journals/history.beancount")
    own: dict[str, Decimal] = {}
    for top in busy.tops()[2:]:
        for account, number in busy.sums(top).items():
            own[account] = own.get(account, Decimal(0)) + number
    assert general == {account: number for account, number in own.items() if number}


def shown(book: Book) -> list[str]:
    """The months of the general ledger that main includes."""
    return re.findall(r"general/(2\S+)\.beancount", book.text("journals/main.beancount"))


@pytest.mark.parametrize("busy", [1, 3], indirect=True)
def test_main_carries_forward_what_it_leaves_out(busy, request):
    months = request.node.callspec.params["busy"]
    assert shown(busy) == [f"2026-{month:02d}" for month in range(5 - months, 5)]
    assert busy.sums() == busy.sums("journals/history.beancount")
    assert bean_check(busy.root / "journals/main.beancount") == ""


@one_month
def test_how_many_months_main_shows_may_be_changed_at_any_time(busy):
    one, sums = busy.text("journals/main.beancount"), busy.sums()
    before = 1
    for months in (2, 12, 1):
        busy.edit("a2ledger.toml", f"main_months = {before}", f"main_months = {months}")
        busy.run("import", "payments", without_rows(busy, "payments"))
        assert shown(busy) == [f"2026-{month:02d}" for month in range(max(1, 5 - months), 5)]
        assert busy.sums() == sums
        before = months
    assert busy.text("journals/main.beancount") == one


@one_month
def test_main_still_shows_revenue_by_month(busy):
    def revenue(top: str) -> dict[tuple[int, str], Decimal]:
        found: dict[tuple[int, str], Decimal] = {}
        for entry in busy.entries(top):
            for leg in entry.postings if isinstance(entry, data.Transaction) else ():
                if leg.account.startswith("Income:"):
                    key = (entry.date.month, leg.account)
                    found[key] = found.get(key, Decimal(0)) + leg.units.number
        return found

    assert revenue("journals/main.beancount") == revenue("journals/history.beancount")
    assert revenue("journals/main.beancount")[1, "Income:Calls"] == Decimal("-8.00")


@one_month
def test_what_is_carried_is_one_entry_a_day_and_one_a_customer_at_the_month_s_end(busy):
    text = busy.text("journals/general/carried/2026-03.beancount")
    found = re.findall(r'^(\S+) \* "[^"]*" "([^"]*)"', text, re.MULTILINE)
    assert found[-2:] == [("2026-03-31", "C1"), ("2026-03-31", "X-cust-2e2")]
    days = [day for day, what in found if what == "the day's movements"]
    assert days == sorted(set(days))
    busy.edit("a2ledger.toml", "main_months = 1", "main_months = 1\nmonth_ends = 2")
    busy.run("import", "payments", without_rows(busy, "payments"))
    assert "each customer's" in busy.text("journals/general/carried.beancount").partition("\n")[0]
    assert '"C1"' not in busy.text("journals/general/carried/2026-02.beancount")
    assert busy.sums() == busy.sums("journals/history.beancount")


def test_the_months_main_shows_are_counted_from_the_books_never_from_the_clock(book):
    book.edit("a2ledger.toml", "main_months = 3", "main_months = 1")
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", 3, today="2026-01-11")
    before = book.text("journals/main.beancount")
    book.run("customer", "set", "C1", "name=Ada", today="2026-12-01")
    assert book.text("journals/main.beancount") == before


def test_the_order_of_imports_between_two_closes_leaves_no_trace(book, tmp_path):
    book.customers({"id": "C1"}, {"id": "C2"})
    shutil.copytree(book.root, tmp_path / "other")
    other = Book(tmp_path / "other", tmp_path / "others", "2026-01-31")
    book.today = other.today
    days = [f"2026-01-{day:02d}" for day in range(1, 11)]
    rows = [call(f"c{i}", f"C{i % 2 + 1}", day, 60 * i) for i, day in enumerate(days)]
    money = [
        {"id": f"m{i}", "customer": "C1", "date": day, "amount": "1.00"}
        for i, day in enumerate(days)
    ]
    book.imported("calls", rows)
    book.imported("payments", money)
    other.imported("payments", money[5:])
    other.imported("calls", rows[7:])
    other.imported("payments", list(reversed(money)))
    other.imported("calls", list(reversed(rows)))
    assert journals(book) == journals(other)
    assert book.text("calls/DIGESTS") == other.text("calls/DIGESTS")


def journals(book: Book) -> dict[str, str]:
    return {path: d for path, d in book.digests().items() if path.startswith("journals/")}


def test_a_clone_without_call_detail_still_loads_balances_and_shows_closed_invoices(
    talked, tmp_path
):
    talked.close(today="2026-02-01")
    talked.talks("C1", "2026-02-10", 5, today="2026-02-11")
    talked.git("clone", "--quiet", str(talked.root), str(tmp_path / "clone"))
    clone = Book(tmp_path / "clone", tmp_path / "files2", "2026-02-12")
    assert bean_check(clone.root / "journals/main.beancount") == ""
    assert clone.balance("C1") == talked.balance("C1")
    assert clone.invoice("INV-2026-000001") == talked.invoice("INV-2026-000001")
    clone.run("check")
    assert "2026-02-10.parquet" in clone.run("preview", "C1", code=1).errors[0]
    assert clone.run("close", today="2026-03-01", code=1).errors
    assert clone.talks("C1", "2026-02-10", 1, code=1).errors
    assert clone.talks("C1", "2026-02-09", 1, code=1).errors  # ids are looked for a day around


def test_a_book_that_names_its_switch_reads_the_rows_its_rule_says(book):
    book.append("a2ledger.toml", PBX)
    book.customers({"id": "C1"})
    rows = [
        cdr(),
        cdr(uniqueid="1767607300.2", sequence=2, dcontext="internal"),
        cdr(uniqueid="1767607300.3", sequence=3, lastapp="VoiceMail"),
        cdr(uniqueid="1767607300.4", sequence=4, disposition="NO ANSWER", billsec=0),
        cdr(uniqueid="1767607300.5", sequence=5, dst="h"),
        cdr(uniqueid="1767607300.6", sequence=6, accountcode=""),
    ]
    path = book.file("Master.csv", "".join(f"{row}\n" for row in rows))
    report = book.run("import", "pbx1", path, "--json", today="2026-02-01", code=3).json
    assert (report["read"], report["posted"], report["amount"]) == (6, 1, "1.00")
    assert report["not_billable"] == {
        "application": 1, "context": 1, "hangup": 1, "unanswered": 1,
    }  # fmt: skip
    assert report["quarantined"] == {"unclaimed": 1}  # it left by a carrier, for nobody we know


# Calls in quarantine are on no bill, and a close says so


@pytest.fixture
@made_once
def refused(book):
    """A book of January: calls of two customers in quarantine, one of nobody, one of February."""
    book.customers({"id": "C1"}, {"id": "C2"})
    (book.root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial\n32,Belgium,1\n"
    )
    rows = [
        ("a", "C1", "2026-01-05 10:00:00", "32"),
        ("b", "C1", "2026-01-31 23:59:59", "881"),
        ("c", "C2", "2026-01-06 10:00:00", "881"),
        ("d", "C2", "2026-02-01 00:00:00", "881"),
        ("e", "nobody", "2026-01-07 10:00:00", "32"),
    ]
    names = ("id", "customer", "start", "called")
    calls = [dict(zip(names, row, strict=True)) | {"seconds": 60} for row in rows]
    book.imported("calls", calls, today="2026-02-02", code=3)
    return book


def test_a_close_names_the_calls_it_leaves_off_its_bills(refused):
    done = refused.run("close", "--json", today="2026-02-03")
    assert (
        "2 calls of these periods in quarantine (no-rate 2): C1 1, C2 1; they are on no bill"
        in done.stderr
    )
    assert (
        "1 call of these periods in quarantine (unknown-customer 1): no customer is known"
        in done.stderr
    )
    warnings = {row["customer"]: [one["code"] for one in row["warnings"]] for row in done.json}
    assert warnings == {"C1": ["quarantined"], "C2": ["quarantined"]}


def test_a_strict_close_leaves_open_what_they_may_belong_to(refused):
    done = refused.run("close", "--strict", today="2026-02-03", code=1)
    assert "C1, 1 January 2026 to 31 January 2026: left open: 2 calls" in done.stderr
    assert "C2, 1 January 2026 to 31 January 2026: left open: 2 calls" in done.stderr
    refused.append("tariffs/standard.csv", "881,Satellite,5\n")
    refused.run("quarantine", "retry", today="2026-02-03", code=1)
    # What is left is nobody's: it may be of either.
    refused.run("close", "--strict", today="2026-02-03", code=1)
    refused.run("customer", "set", "C2", "identifiers=nobody", "--from", "2026-01-01")
    refused.run("quarantine", "retry", today="2026-02-03")
    done = refused.run("close", "--strict", today="2026-02-03")
    assert "2 period(s) closed" in done.stderr
    assert "quarantine" not in done.stderr


def test_a_call_of_a_day_nobody_can_tell_may_be_of_any_period(book):
    book.customers({"id": "C1"})
    row = {"id": "a", "customer": "C1", "start": "yesterday", "called": "32", "seconds": 60}
    book.imported("calls", [row], today="2026-02-02", code=3)
    assert "1 of a day nobody can tell" in book.run("close", "--strict", code=1,
                                                    today="2026-02-03").stderr  # fmt: skip
    assert "of a day nobody can tell): C1 1" in book.run("close", today="2026-02-03").stderr


def test_a_conflict_is_of_the_day_and_the_customer_of_its_call(book):
    book.customers({"id": "C1"})
    row = {"id": "a", "customer": "C1", "start": "2026-01-05 10:00:00", "called": "32",
           "seconds": 60}  # fmt: skip
    book.imported("calls", [row], today="2026-02-02")
    book.imported("calls", [row | {"seconds": 90}], today="2026-02-02", code=3)
    assert "(conflict 1): C1 1" in book.run("close", today="2026-02-03").stderr


def test_a_strict_settlement_waits_for_them_too(refused):
    done = refused.run("close", "C1", "--final", "--strict", today="2026-02-03", code=1)
    assert "in quarantine" in done.stderr
