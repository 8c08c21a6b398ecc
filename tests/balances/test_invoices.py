"""What is open of each document, and what each payment settled."""

from __future__ import annotations

import shutil
from decimal import Decimal

import pytest
from harness import Book

from a2ledger.balances import invoices
from a2ledger.book.book import Book as Ledger
from a2ledger.journal import subledgers


@pytest.fixture(scope="module")
def made(empty_book, tmp_path_factory):
    root = tmp_path_factory.mktemp("made") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-20")
    book.customers(*({"id": f"C{n}", "identifiers": f"+32 3 555 00 0{n}"} for n in range(1, 6)))
    for n in range(1, 6):
        book.moves("charges", f"C{n}", "2026-01-05", "100.00")
    book.close(today="2026-02-02")
    return root


@pytest.fixture
def book(made, tmp_path) -> Book:
    shutil.copytree(made, tmp_path / "book")
    return Book(tmp_path / "book", tmp_path / "files", "2026-02-10")


def status(book: Book, customer: str, **options) -> tuple[str, str]:
    (row,) = (
        row
        for row in book.run("invoices", customer, "--json", **options).json
        if row["kind"] == "invoice"
    )
    return row["status"], row["open"]


def test_every_state_an_invoice_can_be_in(book):
    assert status(book, "C1") == ("open", "100.00")
    book.run("payment", "C1", "40.00")
    assert status(book, "C1") == ("partly", "60.00")
    assert status(book, "C1", today="2026-03-01") == ("overdue", "60.00")
    book.run("payment", "C1", "60.00")
    assert status(book, "C1") == ("paid", "0.00")
    book.run("credit-note", "INV-2026-000002", "--reason", "billed twice")
    assert status(book, "C2") == ("credited", "0.00")
    book.run("write-off", "C3", "--description", "insolvent")
    assert status(book, "C3") == ("written-off", "0.00")
    loaded = Ledger(book.root)
    found = {}
    for customer in subledgers.customers(loaded).values():
        found |= invoices.settled_as(loaded, customer)
    rows = [row for row in book.run("invoices", "--json").json if row["kind"] == "invoice"]
    assert found == {row["number"]: row["status"] for row in rows if row["open"] == "0.00"}
    assert set(found.values()) == {"paid", "credited", "written-off"}
    assert len(found) == len(rows) - 2


def test_open_amounts_are_those_of_ageing(book):
    book.run("payment", "C1", "130.00")
    book.run("payment", "C4", "33.00")
    rows = book.run("invoices", "--open", "--json").json
    open_sum = sum(Decimal(row["open"]) for row in rows)
    ages = book.run("ageing", "--json").json
    buckets = ("current", "d1_30", "d31_60", "d61_90", "over_90")
    assert open_sum == sum(Decimal(row[name]) for row in ages for name in buckets)
    assert {row["customer"] for row in rows} == {"C2", "C3", "C4", "C5"}
    assert book.run("invoices", "--overdue", "--json").json == []
    assert len(book.run("invoices", "--overdue", "--json", today="2026-03-01").json) == 4


def test_a_payment_that_came_back_settles_nothing_and_one_from_suspense_is_its_owner_s(book):
    paid = book.run("payment", "C1", "100.00", "--json").json
    book.run("returned", "C1", paid["id"])
    (row,) = book.run("payments", "C1", "--json").json
    assert (row["returned"], row["invoices"]) == (True, [])
    rows = [{"id": "b17", "customer": "", "date": "2026-02-09", "amount": "100.00"}]
    book.imported("payments", rows)
    book.run("transfer", "suspense", "C2", "b17")
    (row,) = book.run("payments", "C2", "--json").json
    assert (row["id"], row["amount"], row["invoices"]) == ("b17", "100.00", ["INV-2026-000002"])


def test_payments_name_how_they_came(book):
    book.run("payment", "C1", "1.00", "--method", "cash", "--reference", "till 4")
    book.run("refill", "C1", "2.00", "--method", "voucher")
    book.run("payment", "C1", "3.00", "--method", "stripe")
    rows = book.run("payments", "C1", "--json").json
    assert {(row["method"], row["reference"]) for row in rows} >= {
        ("cash", "till 4"),
        ("voucher", ""),
    }
    assert {row["amount"] for row in rows} == {"1.00", "2.00", "3.00"}


def test_anything_is_found_by_a_part_of_it(book):
    book.run("customer", "set", "C1", "email=ada@example.be", "name=Ada & Co")
    paid = book.run("payment", "C1", "33.33", "--reference", "BANK-77", "--json").json
    book.talks("C4", "2026-02-09", 2)

    def find(text: str) -> list[tuple[str, str, str]]:
        hits = book.run("find", text, "--json").json
        assert all(set(hit) == {"kind", "id", "customer", "text"} for hit in hits)
        return [(hit["kind"], hit["id"], hit["customer"]) for hit in hits]

    assert find("C2")[0] == ("customer", "C2", "C2")
    assert find("ada &")[0] == ("customer", "C1", "C1")
    assert find("ADA@example")[0] == ("customer", "C1", "C1")
    number = ("number", "+32 3 555 00 03", "C3")
    assert [find(text)[0] for text in ("3235550003", "003235550003", "+32 3 555 00 03")] == [
        number
    ] * 3
    assert find("INV-2026-000004")[0] == ("invoice", "INV-2026-000004", "C4")
    assert find("bank-77") == [("payment", paid["id"], "C1")]
    assert ("payment", paid["id"], "C1") in find("33,33")
    assert find("3225550199")[0][::2] == ("call", "C4")
    assert find("nobody at all") == []


def test_calls_of_a_customer_are_listed_by_day(book):
    book.talks("C4", "2026-02-08", 2)
    book.talks("C4", "2026-02-09", 3)
    rows = book.run("calls", "C4", "--json").json
    assert [row["seconds"] for row in rows] == [120, 180]
    (row,) = book.run("calls", "C4", "--date", "2026-02-09", "--json").json
    assert (row["start"], row["direction"], row["called"], row["cost"]) == (
        *("2026-02-09 12:00:00", "outgoing", "3225550199", "3.00"),
    )
    assert {"extension", "caller", "destination", "id"} < row.keys()


def test_balances_are_of_those_named_and_added_up(book):
    done = book.run("balances", "C1", "C2")
    assert "C3" not in done.stdout
    assert "200.00" in done.stdout.splitlines()[-1]
    assert [row["customer"] for row in book.run("balances", "C3", "--json").json] == ["C3"]
    assert "no such customer" in book.run("balances", "C9", code=1).errors[0]
    assert "500.00" in book.run("ageing").stdout.splitlines()[-1]
