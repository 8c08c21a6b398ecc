"""One payment, refill or charge is one command, and by mistake never two."""

from __future__ import annotations

import shutil

import pytest
from harness import Book


@pytest.fixture(scope="module")
def made(empty_book, tmp_path_factory):
    root = tmp_path_factory.mktemp("made") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-20")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.moves("charges", "C1", "2026-01-05", "100.00")
    book.moves("charges", "C2", "2026-01-05", "7.00")
    book.close(today="2026-02-02")
    return root


@pytest.fixture
def book(made, tmp_path) -> Book:
    shutil.copytree(made, tmp_path / "book")
    return Book(tmp_path / "book", tmp_path / "files", "2026-02-10")


def test_a_payment_says_its_id_and_what_is_owed(book):
    said = book.run("payment", "C1", "20.00", "--json").json
    expected = {"customer": "C1", "amount": "20.00", "date": "2026-02-10", "owed": "101.00"}
    assert {key: said[key] for key in expected} == expected
    assert said["id"]
    assert book.balance("C1")["owed"] == "101.00"
    (row,) = book.run("payments", "C1", "--json").json
    assert (row["id"], row["invoices"]) == (said["id"], ["INV-2026-000001"])


@pytest.mark.parametrize("words", [["payment"], ["refill"], ["charge"]], ids=str)
def test_the_same_command_twice_posts_once_unless_it_is_said_that_it_is_another(book, words):
    first = book.run(*words, "C1", "5.00", "--json").json
    before = book.digests()
    again = book.run("--quiet", *words, "C1", "5.00", "--json")
    assert (again.json["id"], again.json["posted"]) == (first["id"], False)
    assert "--again" in again.stderr
    assert book.digests() == before
    other = book.run(*words, "C1", "5.00", "--again", "--json").json
    assert other["posted"]
    assert other["id"] != first["id"]
    assert book.run(*words, "C1", "5.00", "--json", today="2026-02-11").json["posted"]


def test_what_was_voided_may_be_recorded_anew(book):
    first = book.run("payment", "C1", "500.00", "--json").json
    book.run("void", first["id"], "50 was meant")
    assert book.run("payments", "C1", "--json").json == []
    assert book.run("payment", "C1", "500.00", "--json").json["posted"]


def test_a_payment_settles_the_invoice_it_names_and_no_stranger_s(book):
    done = book.run("payment", "C1", "5.00", "--invoice", "INV-2026-000002", code=1)
    assert "is no invoice of C1" in done.errors[0]
    words = ["--invoice", "INV-2026-000001", "--reference", "Bank 17", "--method", "bank"]
    book.run("payment", "C1", "121.00", *words, "--date", "2026-02-09")
    (row,) = book.run("payments", "C1", "--json").json
    assert (row["reference"], row["method"], row["date"]) == ("Bank 17", "bank", "2026-02-09")
    assert row["invoices"] == ["INV-2026-000001"]


def test_a_dry_run_says_it_and_writes_nothing(book):
    before = book.digests()
    said = book.run("payment", "C1", "20.00", "--dry-run").stdout
    assert "would be posted" in said
    assert book.digests() == before


def test_what_cannot_be_is_refused_and_not_quarantined(book):
    assert "no such customer" in book.run("payment", "C9", "1.00", code=1).errors[0]
    assert "decimals of EUR" in book.run("payment", "C1", "1.005", code=1).errors[0]
    assert "today is" in book.run("payment", "C1", "1", "--date", "2026-03-01", code=1).errors[0]
    assert "Pizza" in book.run("charge", "C1", "1.00", "Pizza", code=1).errors[0]
    assert book.run("quarantine", "list", "--json").json == []


def test_a_wrong_word_commits_no_hand_edit(book):
    book.append("journals/manual.beancount", "; a note\n")
    before = book.log()
    for words in (
        ["payment", "C1"],
        ["payment", "C1", "1,234"],
        ["payment", "C1", "1.00", "--currency", "euro"],
        ["import", "payments"],
        ["import", "asterisk"],
        ["import", "calls", "--from", "2026-02-02", "--through", "2026-02-01"],
    ):
        book.run(*words, code=2)
    assert book.log() == before
