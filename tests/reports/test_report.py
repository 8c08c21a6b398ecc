"""What an accountant asks for, and that each total is the journals' own."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from beancount.core import data
from harness import Book, bean_check, made_once

AE = '\n[[vat.rules]]\ncode = "AE"\ncountries = ["eu"]\nbusiness = true\n'
QUARTER = ("--from", "2026-01-01", "--to", "2026-03-31")


def moved(book: Book, account: str, since: str, until: str) -> Decimal:
    """What the journals add to accounts in some days, by Beancount alone."""
    return sum(
        (
            leg.units.number
            for entry in book.entries("journals/history.beancount")
            if isinstance(entry, data.Transaction) and since <= str(entry.date) <= until
            for leg in entry.postings
            if f"{leg.account}:".startswith(f"{account}:")
        ),
        Decimal(0),
    )


@pytest.fixture
@made_once
def company(book: Book) -> Book:
    """A Belgian company with customers of every treatment, and a credit note."""
    book.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    book.append("a2ledger.toml", AE)
    usual = {"credit_limit": "1000", "country": "BE", "vat": "on-invoice"}
    book.customers(
        {"id": "A", **usual},
        {"id": "G", **usual, "country": "DE", "vat_id": "DE136695976"},
        {"id": "I", **usual, "vat": "included"},
        {"id": "P", **usual, "vat": "on-refill"},
    )
    for name, amount in (("A", "100.00"), ("G", "70.00"), ("I", "12.10")):
        book.moves("charges", name, "2026-01-05", amount, today="2026-01-05")
    book.moves("refills", "P", "2026-01-07", "24.20", today="2026-01-07")
    book.close(today="2026-02-01")
    book.run("credit-note", "INV-2026-000003", "--reason", "wrong", today="2026-02-02")
    return book


def test_vat_by_code_credit_notes_apart_is_what_the_journals_have(company):
    report = company.run("report", "vat", *QUARTER, "--json").json

    rows = {row["code"]: row for row in report["rows"]}
    # 100.00 + 10.00 (12.10 less 2.10) + 20.00 (24.20 less 4.20)
    assert (rows["S21"]["base"], rows["S21"]["vat"]) == ("130.00", "27.30")
    assert rows["AE"]["invoiced_base"] == "70.00"
    assert rows["AE"]["credited_base"] == "-70.00"
    assert report["other"] == []
    owed = -moved(company, "Liabilities:VAT:S21", "2026-01-01", "2026-03-31")
    assert Decimal(report["totals"][0]["vat"]) == owed == Decimal("27.30")


def test_the_base_of_vat_is_one_question_to_the_journals(company):
    bases: dict[str, Decimal] = {}
    for entry in company.entries("journals/history.beancount"):
        if isinstance(entry, data.Transaction) and {"invoice", "credit-note"} & entry.tags:
            for leg in entry.postings:
                if leg.account.endswith(":Unbilled") and "vat" in (leg.meta or {}):
                    code = leg.meta["vat"]
                    bases[code] = bases.get(code, Decimal(0)) - leg.units.number
    assert bases == {"S21": Decimal(130), "AE": Decimal(0)}
    assert bean_check(company.root / "journals/history.beancount") == ""


def test_vat_that_no_document_is_for_is_told_apart(company):
    company.append(
        "journals/manual.beancount",
        '2026-02-10 * "Tax office" "correction of January"\n'
        "  Liabilities:VAT:S21   1.00 EUR\n  Assets:Bank          -1.00 EUR\n",
    )
    report = company.run("report", "vat", *QUARTER, "--json", today="2026-02-11").json
    assert report["totals"][0]["vat"] == "26.30"
    assert [(row["vat"], row["description"]) for row in report["other"]] == [
        ("-1.00", "Tax office, correction of January")
    ]
    assert "other VAT: 2026-02-10  S21  -1.00" in company.run("report", "vat", *QUARTER).stdout


def test_the_sales_journal_adds_up_to_what_documents_moved(company):
    text = company.run("report", "sales", *QUARTER, "--csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["number"], row["customer"], row["code"], row["gross"]) for row in rows] == [
        ("INV-2026-000001", "P", "S21", "24.20"),
        ("INV-2026-000002", "A", "S21", "121.00"),
        ("INV-2026-000003", "G", "AE", "70.00"),
        ("INV-2026-000004", "I", "S21", "12.10"),
        ("CN-2026-000001", "G", "AE", "-70.00"),
    ]
    assert rows[-1]["original"] == "INV-2026-000003"
    total = company.run("report", "sales", *QUARTER, "--json").json["totals"][0]
    assert Decimal(total["vat"]) == -moved(company, "Liabilities:VAT", "2026-01-01", "2026-03-31")


def test_services_to_businesses_in_the_union_are_listed_by_their_number(company):
    january = ("--from", "2026-01-01", "--to", "2026-01-31")
    rows = company.run("report", "ec-services", *january, "--json").json["rows"]
    assert [(row["country"], row["vat_id"], row["base"]) for row in rows] == [
        ("DE", "DE136695976", "70.00")
    ]
    assert company.run("report", "ec-services", *QUARTER, "--json").json["rows"] == []


def test_receivables_are_those_of_the_balance_sheet_of_that_day(company):
    for day in ("2026-01-31", "2026-02-28"):
        totals = company.run("report", "receivables", "--to", day, "--json").json["totals"]
        assert Decimal(totals[0]["owed"]) == moved(company, "Assets:Receivable", "2026-01-01", day)


def test_a_report_backwards_is_a_mistake(company):
    done = company.run("report", "vat", "--from", "2026-02-01", "--to", "2026-01-01", code=2)
    assert "after --to" in done.stderr


def test_vat_due_on_the_day_of_issue_is_of_the_next_year(book):
    book.edit("a2ledger.toml", "[vat]\n", '[vat]\ntax_point = "issue-date"\n')
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    book.moves("charges", "A", "2026-12-31", "100.00", today="2026-12-31")
    book.close(today="2027-01-01")
    old = book.run("report", "vat", "--from", "2026-01-01", "--to", "2026-12-31", "--json").json
    new = book.run("report", "vat", "--from", "2027-01-01", "--to", "2027-01-31", "--json").json
    assert old["rows"] == []
    assert [(row["base"], row["vat"]) for row in new["rows"]] == [("100.00", "21.00")]
    assert moved(book, "Liabilities:VAT:S21", "2026-01-01", "2026-12-31") == 0
    assert moved(book, "Liabilities:VAT:S21", "2027-01-01", "2027-01-31") == Decimal("-21.00")
    assert moved(book, "Liabilities:VAT-Not-Due", "2026-01-01", "2027-01-31") == 0
    assert book.run("verify").stdout == ""


def test_vat_due_when_it_is_paid_follows_the_payments(book):
    book.edit("a2ledger.toml", "[vat]\n", '[vat]\ntax_point = "payment"\n')
    book.customers({"id": "A", "credit_limit": "1000", "vat": "on-invoice"})
    book.moves("charges", "A", "2026-01-05", "100.00", today="2026-01-06")
    book.close(today="2026-02-01")
    assert book.sums()["Liabilities:VAT-Not-Due:S21"] == Decimal("-21.00")
    assert "Liabilities:VAT:S21" not in book.sums()
    book.moves("payments", "A", "2026-02-10", "60.50", today="2026-02-11")
    book.close(today="2026-03-01")
    report = book.run("report", "vat", "--from", "2026-02-01", "--to", "2026-02-28", "--json").json
    assert [(row["base"], row["vat"]) for row in report["rows"]] == [("50.00", "10.50")]
    book.run("credit-note", "INV-2026-000001", "--reason", "x", "--amount", "50.00",
             "--line", "1", today="2026-03-02")  # fmt: skip
    book.close(today="2026-04-01")
    sums = book.sums("journals/history.beancount")
    assert sums["Liabilities:VAT:S21"] == Decimal("-10.50")
    assert "Liabilities:VAT-Not-Due:S21" not in sums
    assert book.run("verify").stdout == ""
    assert bean_check(book.root / "journals/main.beancount") == ""
