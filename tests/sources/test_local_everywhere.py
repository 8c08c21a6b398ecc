"""Every CSV that is read, in the forms of a European spreadsheet: read in one way, or refused."""

from __future__ import annotations

import shutil
from typing import NamedTuple

import pytest
from harness import Book


class Table(NamedTuple):
    """What a command reads from a CSV, and what the book then says."""

    words: tuple[str, ...]
    header: str
    row: str
    """A row whose day is ``{day}`` and whose amount is ``{amount}``, with a letter beyond ASCII."""
    shown: tuple[str, ...]
    """The question whose answer has them."""


def moved(kind):
    """A table of money: a payment, a refill …"""
    more = "One-off;" if kind == "charges" else ""
    return Table(
        ("import", kind),
        f"id;customer;date;amount;{'service;' if more else ''}description",
        f"m1;C1;{{day}};{{amount}};{more}Zo\u00eb",
        ("statement", "C1"),
    )


TABLES = {
    "payments": moved("payments"),
    "refills": moved("refills"),
    "charges": moved("charges"),
    "openings": Table(
        ("import", "openings"), "id;customer;date;amount", "Zo\u00eb;C1;{day};{amount}",
        ("statement", "C1"),
    ),
    "customers": Table(
        ("import", "customers"), "id;name;credit_limit;tariff;opened",
        "C2;Zo\u00eb;{amount};standard;{day}", ("customer", "show", "C2"),
    ),
    "fees": Table(
        ("import", "fees"), "customer;service;amount;from;description",
        "C1;Subscriptions;{amount};{day};Zo\u00eb", ("fee", "list", "C1"),
    ),
    "prices": Table(
        ("import", "prices"), "date;currency;price;\u00eb", "{day};USD;{amount};\u00eb", (),
    ),
    "calls": Table(
        ("import", "calls"), "id;customer;start;called;seconds;cost;remark",
        "k;C1;{day} 10:00:00;3225550199;60;{amount};\u00eb",
        ("calls", "C1", "--date", "2026-03-13"),
    ),
    "rate sheets": Table(
        ("tariff", "import", "--yes", "--deck", "new"), "Prefix;Destination;Rate;Effective Date",
        "32;Zo\u00eb;{amount};{day}", (),
    ),
    "carrier": Table(
        ("reconcile", "carrier", "Nordic"), "start;called;seconds;amount;\u00eb",
        "{day} 10:00:00;3225550199;60;{amount};\u00eb", (),
    ),
}  # fmt: skip


@pytest.fixture
def book(empty_book, tmp_path) -> Book:
    shutil.copytree(empty_book, tmp_path / "book")
    made = Book(tmp_path / "book", tmp_path / "files", "2026-03-20")
    made.customers({"id": "C1", "opened": "2026-01-01"})
    return made


@pytest.fixture
def bought(book) -> Book:
    """The book with a call that a carrier takes 0.50 for."""
    deck = "dialprefix,rateinitial,carrier,buyrate\n32,1,Nordic,0.50\n"
    (book.root / "tariffs/standard.csv").write_text(deck)
    book.talks("C1", "2026-03-13", 1)
    return book


def read(book, table, *rows, code=0):
    """Have the command read a file as a spreadsheet of Windows writes it."""
    cells = [table.row.format(day=day, amount=amount) for day, amount in rows]
    cells = [row.replace("m1;", f"m{place};").replace("k;", f"k{place};", 1)
             for place, row in enumerate(cells)]  # fmt: skip
    path = book.file("table.csv", "\r\n".join([table.header, *cells, ""]).encode("latin-1"))
    return book.run(*table.words, path, code=code)


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"carrier"}))
def test_semicolons_decimal_commas_days_first_and_latin_1_are_read(book, name):
    table = TABLES[name]
    read(book, table, ("13/03/2026", "1.234,56"))
    told = book.run(*table.shown).stdout if table.shown else book_text(book)
    assert "2026-03-13" in told
    assert "1234.56" in told.replace(",", "")


def test_a_carrier_s_bill_is_read_in_these_forms_too(bought):
    done = read(bought, TABLES["carrier"], ("13/03/2026", "1.234,56"), code=1)
    assert "1234.56" in done.stdout.replace(",", "")
    done = read(bought, TABLES["carrier"], ("02/03/2026", "0,5"), code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0]


def book_text(book):
    """What the book's tables of prices say by now."""
    files = [*book.root.glob("tariffs/*.csv"), *book.root.glob("journals/*prices*"),
             *book.root.glob("journals/*.beancount")]  # fmt: skip
    return "".join(path.read_text() for path in files)


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"carrier"}))
def test_what_may_be_read_in_two_ways_is_refused_with_both(book, name):
    table = TABLES[name]
    done = read(book, table, ("02/03/2026", "0,5"), code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0] or (
        "may begin with the day or with the month" in done.errors[0]
    )
