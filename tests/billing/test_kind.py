"""Which document a period becomes, and what waits for the next. A started minute costs 1.00."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
import shelf
from beancount import loader
from beanquery import query
from examples import tried
from harness import Book, made_once
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.audit import verify
from a2ledger.book import book as books
from a2ledger.journal import summary

BUSINESS = {"vat": "on-invoice", "country": "BE", "vat_id": "BE0428759497"}
PRIVATE = {"vat": "on-invoice", "country": "BE"}
MINIMUM = '\n[bill]\nminimum = "5.00"\n'


@pytest.fixture
@made_once
def least(book: Book) -> Book:
    """A book that bills 5.00 or more, with a business that talked two minutes in January."""
    book.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    book.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.append("a2ledger.toml", MINIMUM)
    book.customers({"id": "C1", **BUSINESS})
    book.talks("C1", "2026-01-10", 2, today="2026-01-11")
    return book


def periods(closed: list[dict]) -> list[tuple[str, str, str | None]]:
    return [
        (row["period"]["start"], row["period"]["end"], row["number"])
        for row in closed
        if row["closed"]
    ]


# A minimum


def test_a_bill_below_the_minimum_waits_and_the_next_one_holds_it(least):
    (row,) = least.close(today="2026-02-05")
    assert (row["closed"], row["waits"], row["gross"]) == (False, True, "2.42")
    assert [warned["code"] for warned in row["warnings"]] == ["below-minimum"]
    done = least.run("close", today="2026-02-06")
    assert "1 bill(s) below the minimum wait for the next, 2.42 EUR" in done.stderr
    assert least.documents() == {}

    least.talks("C1", "2026-02-10", 3, today="2026-02-11")
    assert periods(least.close(today="2026-03-05")) == [
        ("2026-01-01", "2026-03-01", "INV-2026-000001")
    ]
    bill = least.documents()["INV-2026-000001"]
    assert (bill["net"], bill["vat_total"]) == ("5.00", "1.05")
    assert [line["calls"] for line in bill["lines"]] == [2]
    assert least.run("verify", today="2026-03-05").code == 0


def test_late_or_in_time_the_same_is_billed(least):
    least.talks("C1", "2026-02-10", 3, today="2026-02-11")
    least.talks("C1", "2026-03-10", 1, today="2026-03-11")
    assert periods(least.close(today="2026-04-05")) == [
        ("2026-01-01", "2026-03-01", "INV-2026-000001")
    ]


def test_what_asks_for_nothing_is_stated_at_once(least):
    least.customers({"id": "C2", **BUSINESS}, today="2026-01-02")
    assert [row["kind"] for row in least.close(today="2026-02-05") if row["closed"]] == [
        "statement"
    ]


def test_a_preview_says_that_the_bill_would_wait_and_goes_on_from_what_waits(least):
    shown = least.run("preview", "C1", today="2026-01-20").stdout
    assert "Less than EUR 5.00 is not billed by itself: it stands on the next bill." in shown

    least.talks("C1", "2026-02-10", 3, today="2026-02-11")
    preview = least.run("preview", "C1", "--json", today="2026-02-12").json
    assert preview["period"] == {"start": "2026-01-01", "end": "2026-03-01"}
    assert preview["gross"] == "6.05"
    assert "minimum" not in preview
    assert "2 calls" in least.run("explain", "C1", "1", today="2026-02-12").stdout


def test_a_customer_who_is_named_is_billed_whatever_it_comes_to(least):
    least.talks("C1", "2026-02-10", 1, today="2026-02-11")
    assert periods(least.close("C1", today="2026-03-05")) == [
        ("2026-01-01", "2026-03-01", "INV-2026-000001")
    ]


def test_settling_an_account_bills_what_waits(least):
    least.talks("C1", "2026-02-02", 1, today="2026-02-03")
    (row,) = least.close("C1", "--final", today="2026-02-10")
    assert (row["period"]["start"], row["period"]["end"], row["gross"]) == (
        *("2026-01-01", "2026-02-10"),
        "3.63",
    )


def test_a_bill_waits_no_longer_than_configured(least):
    least.append("a2ledger.toml", "wait_months = 2\n")
    assert least.close(today="2026-02-05")[0]["waits"]
    assert periods(least.close(today="2026-03-05")) == [
        ("2026-01-01", "2026-03-01", "INV-2026-000001")
    ]


def test_a_change_of_the_vat_treatment_ends_the_wait(least):
    least.run("customer", "set", "C1", "vat=reverse-charge", "--from", "2026-02-01")
    assert periods(least.close(today="2026-02-05")) == [
        ("2026-01-01", "2026-02-01", "INV-2026-000001")
    ]


def test_credit_below_the_minimum_waits_too(least):
    least.moves("charges", "C1", "2026-01-12", "-4.00", service="Calls")
    (row,) = least.close(today="2026-02-05")
    assert (row["waits"], row["gross"]) == (True, "-2.42")


def test_a_customer_may_have_a_minimum_of_their_own(least):
    least.run("customer", "set", "C1", "minimum=2", today="2026-01-12")
    least.customers({"id": "C2", **BUSINESS, "minimum": "20"}, today="2026-01-02")
    least.talks("C2", "2026-01-10", 10, today="2026-01-11")
    closed = {row["customer"]: row for row in least.close(today="2026-02-05")}
    assert (closed["C1"]["closed"], closed["C2"]["waits"]) == (True, True)
    assert "12.10 EUR is below the minimum of 20.00" in closed["C2"]["warnings"][0]["message"]
    assert least.run("preview", "C2", "--json", today="2026-02-05").json["minimum"] == "20.00"
    refused = least.run("customer", "set", "C1", "minimum=-1", today="2026-02-05", code=1)
    assert "minimum: '-1' is less than nothing" in refused.errors[0]


@pytest.mark.parametrize("text", ["wait_months = 13", 'minimum = "-1"', 'prepaid = "nothing"'])
def test_settings_that_cannot_be_are_named(least, text):
    key = text.partition(" ")[0]
    least.edit("a2ledger.toml", MINIMUM, f"\n[bill]\n{text}\n")
    assert f"bill.{key}" in least.run("close", today="2026-02-05", code=1).errors[0]


# Statements in place of invoices


def test_a_private_customer_may_get_a_statement_with_its_vat_and_no_number(least):
    least.customers({"id": "P1", **PRIVATE, "documents": "statement"}, today="2026-01-02")
    least.talks("P1", "2026-01-10", 1, today="2026-01-11")
    rows = {row["customer"]: row for row in least.close(today="2026-02-05")}
    assert (rows["P1"]["kind"], rows["P1"]["number"], rows["P1"]["gross"]) == (
        *("statement", None),
        "1.21",
    )
    name = "statement-P1-2026-01-01"
    assert least.documents()[name]["vat_total"] == "0.21"
    text = least.run("invoice", name, "--format", "text", "-o", "-", today="2026-02-05").stdout
    assert "Please pay EUR 1.21 by 19 February 2026." in text
    assert "INVOICE" not in text

    assert least.run("verify", today="2026-02-05").code == 0
    assert "Total of this statement" in text
    account = least.run("statement", "P1", "--json", today="2026-02-05").json
    assert account["closing"] == "1.21"
    assert [line["amount"] for line in account["lines"]] == ["1.00", "0.21"]
    vat = least.run("report", "vat", "--from", "2026-01-01", "--to", "2026-01-31", "--json").json
    assert [(row["code"], row["base"], row["vat"]) for row in vat["rows"]] == [
        ("S21", "1.00", "0.21")
    ]
    assert vat["other"] == []
    (open_,) = least.run("ageing", "P1", "--documents", "--json", today="2026-02-25").json
    assert (open_["number"], open_["due_date"], open_["open"]) == (name, "2026-02-19", "1.21")


def test_prepaid_customers_may_get_statements_unless_they_want_invoices(book):
    book.append("a2ledger.toml", '\n[bill]\nprepaid = "statement"\n')
    common = {**PRIVATE, "credit_limit": "0"}
    book.customers(
        {"id": "P1", **common},
        {"id": "P2", **common, "documents": "invoice"},
        {"id": "P3", **common, "vat_id": "BE0428759497"},
        {"id": "P4", **common, "credit_limit": "10"},
    )
    for name in ("P1", "P2", "P3", "P4"):
        book.talks(name, "2026-01-10", 1, today="2026-01-11")
    kinds = {row["customer"]: row["kind"] for row in book.close(today="2026-02-05")}
    assert kinds == {"P1": "statement", "P2": "invoice", "P3": "invoice", "P4": "invoice"}


def test_who_owes_the_vat_gets_an_invoice_whatever_they_want(least):
    done = least.run("customer", "set", "C1", "documents=statement", today="2026-01-12")
    assert "businesses are owed invoices" in done.stderr
    least.talks("C1", "2026-01-20", 10, today="2026-01-21")
    assert [row["kind"] for row in least.close(today="2026-02-05")] == ["invoice"]


def test_vat_of_a_statement_waits_for_the_payment_where_that_is_the_tax_point(least):
    least.edit("a2ledger.toml", "[vat]\n", '[vat]\ntax_point = "payment"\n')
    least.customers({"id": "P_1", **PRIVATE, "documents": "statement"}, today="2026-01-02")
    least.talks("P_1", "2026-01-10", 10, today="2026-01-11")
    least.close(today="2026-02-05")
    span = ("--from", "2026-01-01", "--to", "2026-03-31")

    def due() -> list[str]:
        return [row["vat"] for row in least.run("report", "vat", *span, "--json").json["rows"]]

    assert [micro for micro in due() if Decimal(micro)] == []
    least.moves("payments", "P_1", "2026-02-10", "12.10", method="bank")
    least.close(today="2026-03-05")
    assert [micro for micro in due() if Decimal(micro)] == ["2.10"]
    assert least.run("verify", today="2026-03-05").code == 0


def test_a_statement_that_bills_is_credited_as_an_invoice_is(least):
    least.customers({"id": "P_1", **PRIVATE, "documents": "statement"}, today="2026-01-02")
    least.talks("P_1", "2026-01-10", 10, today="2026-01-11")
    least.close("P_1", today="2026-02-05")
    name = "statement-P_1-2026-01-01"
    words = ("credit-note", name, "--line", "1", "--reason", "billed twice")
    done = least.run(*words, "--amount", "4.00", "--json", today="2026-02-06").json
    assert (done["number"], done["original"], done["amount"]) == ("CN-2026-000001", name, "4.84")
    note = least.documents()["CN-2026-000001"]
    assert note["original"] == {"number": name, "date": "2026-02-05", "kind": "statement"}
    paper = least.run("invoice", note["number"], "--format", "text", "-o", "-").stdout
    assert "Corrects the account statement of 5 February 2026" in paper

    (row,) = least.run("invoices", "P_1", "--json", today="2026-02-06").json[:1]
    assert (row["number"], row["gross"], row["open"]) == (name, "12.10", "7.26")
    least.run("credit-note", name, "--reason", "rest", today="2026-02-07")
    again = least.run("credit-note", name, "--reason", "more", today="2026-02-07", code=1)
    assert f"{name}: nothing is left of it to credit" in again.errors[0]
    vat = least.run("report", "vat", "--from", "2026-01-01", "--to", "2026-02-28", "--json").json
    assert sum(Decimal(row["vat"]) for row in vat["rows"]) == 0
    assert least.run("verify", today="2026-02-07").code == 0


def test_a_statement_written_off_in_parts_gives_back_its_vat_once(least):
    least.customers({"id": "P_1", **PRIVATE, "documents": "statement"}, today="2026-01-02")
    least.talks("P_1", "2026-01-10", 10, today="2026-01-11")
    least.close("P_1", today="2026-02-05")
    least.run("write-off", "P_1", "6.05", "--vat-relief", today="2026-02-06")
    least.run("write-off", "P_1", "--vat-relief", today="2026-02-07")
    vat = least.run("report", "vat", "--from", "2026-01-01", "--to", "2026-02-28", "--json").json
    (row,) = vat["rows"]
    assert (row["invoiced_vat"], row["other_vat"], row["vat"]) == ("2.10", "-2.10", "0.00")
    name = "statement-P_1-2026-01-01"
    refused = least.run("credit-note", name, "--reason", "late", today="2026-02-08", code=1)
    assert f"{name}: nothing is left of it to credit" in refused.errors[0]


def test_the_query_of_vat_bases_knows_statements_that_bill(least):
    least.customers({"id": "P1", **PRIVATE, "documents": "statement"}, today="2026-01-02")
    least.talks("P1", "2026-01-10", 10, today="2026-01-11")
    least.close(today="2026-02-05")
    entries, errors, options = loader.load_file(str(least.root / "journals/main.beancount"))
    columns, rows = query.run_query(entries, options, summary.QUERIES["vat-bases"])
    assert errors == []
    names = [column.name for column in columns]
    asked = [dict(zip(names, row, strict=True)) for row in rows]
    assert [(row["code"], row["base"]) for row in asked] == [("S21", Decimal(10))]


# Whatever is used


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    return shelf.started(
        tmp_path_factory.mktemp("shelf") / "book", "C1", vat="on-invoice", country="BE"
    )


charged = st.tuples(
    st.dates(dt.date(2026, 1, 1), dt.date(2026, 6, 30)), st.integers(-300, 900).filter(bool)
)


@tried(4)
@given(st.lists(charged, min_size=1, max_size=12), st.integers(1, 3000), st.booleans())
def test_each_line_is_on_one_bill_and_all_are_what_they_are_without_a_minimum(
    shop, charges, minimum_cents, monthly
):
    rows = [f"c{place},C1,{day},{cents / 100:.2f},Calls,item {place}\n"
            for place, (day, cents) in enumerate(charges)]  # fmt: skip
    text = "id,customer,date,amount,service,description\n" + "".join(rows)
    settings = f'\n[bill]\nminimum = "{Decimal(minimum_cents) / 100}"\n'
    with shelf.copied(shop) as plain, shelf.copied(shop) as waiting:
        (waiting / "a2ledger.toml").write_text((waiting / "a2ledger.toml").read_text() + settings)
        made = [_billed(root, text, monthly=monthly) for root in (plain, waiting)]
        assert verify.verify(books.Book(waiting), ["C1"]).problems == []

    for documents in made:
        lines = Counter(line["description"] for document in documents for line in document["lines"])
        assert lines == Counter(f"item {place}" for place in range(len(charges)))
    assert len({_net(documents) for documents in made}) == 1
    halves = sum(len(documents) for documents in made)
    assert abs(_gross(made[0]) - _gross(made[1])) * 200 <= halves
    spans = [(one["period"]["start"], one["period"]["end"]) for one in made[1]]
    assert [end for _, end in spans[:-1]] == [start for start, _ in spans[1:]]


def _billed(root: Path, text: str, *, monthly: bool) -> list[dict]:
    """Post charges, close month by month or at once, and settle the account."""
    end = dt.date(2026, 7, 10)
    shelf.take(root, "charges", text, today=dt.date(2026, 6, 30))
    for month in range(2, 7) if monthly else ():
        shelf.close(root, dt.date(2026, month, 3))
    shelf.close(root, end)
    shelf.settle(root, "C1", end)
    documents = [json.loads(path.read_text()) for path in root.glob("invoices/*/*.json")]
    return sorted(documents, key=lambda one: one["period"]["start"])


def _sign(document: dict) -> int:
    return -1 if document["kind"] == "credit-note" else 1


def _net(documents: list[dict]) -> Decimal:
    return sum((_sign(one) * Decimal(one["net"]) for one in documents), Decimal(0))


def _gross(documents: list[dict]) -> Decimal:
    return sum((_sign(one) * Decimal(one["gross"]) for one in documents), Decimal(0))
