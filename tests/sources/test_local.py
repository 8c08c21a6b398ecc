"""Spreadsheets of any country: a file is read in one way from top to bottom, or refused."""

from __future__ import annotations

import shutil

import pytest
from harness import Book


@pytest.fixture
def book(empty_book, tmp_path) -> Book:
    shutil.copytree(empty_book, tmp_path / "book")
    made = Book(tmp_path / "book", tmp_path / "files", "2026-03-20")
    made.customers({"id": "C1", "opened": "2026-01-01"})
    return made


def payments(book: Book, *rows: str, code: int = 0):
    text = "\n".join(["id;customer;date;amount", *rows, ""])
    return book.run("import", "payments", book.file("p.csv", text), code=code)


def amounts(book: Book) -> list[tuple[str, str]]:
    return [(row["date"], row["amount"]) for row in book.run("payments", "--json").json]


def test_semicolons_decimal_commas_and_days_first_are_read_where_the_file_shows_them(book):
    payments(book, "p1;C1;01/03/2026;28,18", "p2;C1;13/03/2026;1.000,50")
    assert amounts(book) == [("2026-03-01", "28.18"), ("2026-03-13", "1000.50")]
    payments(book, "p1;C1;01/03/2026;28,18", "p2;C1;13/03/2026;1.000,50")
    assert len(amounts(book)) == 2


def test_a_file_that_may_be_read_in_two_ways_is_refused_with_both(book):
    done = payments(book, "p1;C1;01/03/2026;28,18", code=65)
    assert "2026-03-01 or 2026-01-03" in done.errors[0]
    done = payments(book, "p1;C1;2026-03-01;1,234", code=65)
    assert "1.234 or 1234" in done.errors[0]
    done = payments(book, "p1;C1;2026-03-01;28,18", "p2;C1;2026-03-01;1.00", code=65)
    assert "decimal comma" in done.errors[0]
    assert amounts(book) == []


def test_the_book_says_how_people_write_where_a_file_does_not(book):
    book.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    payments(book, "p1;C1;01/03/2026;1.250")
    assert amounts(book) == [("2026-03-01", "1250.00")]
    book.run("payment", "C1", "20,50", "--date", "02/03/2026")
    assert amounts(book)[-1] == ("2026-03-02", "20.50")
    book.edit("a2ledger.toml", 'name = "nl_BE"', 'name = "en_US"')
    assert book.run("payment", "C1", "1,250", "--date", "03/04/2026").code == 0
    assert amounts(book)[-1] == ("2026-03-04", "1250.00")


def test_a_locale_that_is_none_is_refused_by_its_key(book):
    book.append("a2ledger.toml", '\n[locale]\ndecimal = ";"\n')
    assert "locale.decimal" in book.run("payment", "C1", "1", code=1).errors[0]


def test_latin_1_is_read_and_said(book):
    text = "id;name;credit_limit;tariff\nC2;Zo\u00eb M\u00fcller;250,00;standard\n"
    done = book.run("import", "customers", book.file("c.csv", text.encode("latin-1")))
    assert "Windows-1252: Zo\u00eb M\u00fcller" in done.stderr
    assert book.balance("C2")["name"] == "Zo\u00eb M\u00fcller"
    assert book.balance("C2")["credit_limit"] == "250.00"


def test_a_row_that_is_refused_is_read_again_as_it_was_meant(book):
    payments(book, "p1;C9;01/03/2026;28,18", "p2;C1;13/03/2026;1,00", code=3)
    book.customers({"id": "C9", "opened": "2026-01-01"})
    book.run("quarantine", "retry")
    assert ("2026-03-01", "28.18") in amounts(book)


def test_costs_and_starts_of_calls_follow_the_locale(book):
    rows = "id;customer;start;called;seconds;cost\nk1;C1;02/03/2026 10:00:00;3225550199;60;0,125\n"
    path = book.file("calls.csv", rows)
    done = book.run("import", "calls", path, code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0]
    book.append("a2ledger.toml", '\n[locale]\ndates = "day"\ndecimal = ","\n')
    book.run("import", "calls", path)
    (call,) = book.run("calls", "C1", "--date", "2026-03-02", "--json").json
    assert (call["start"], call["cost"]) == ("2026-03-02 10:00:00", "0.125")
