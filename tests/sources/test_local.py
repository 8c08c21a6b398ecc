"""Spreadsheets of any country: a file is read in one way from top to bottom, or refused."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from harness import Book, made_once


@pytest.fixture
@made_once
def shop(book: Book) -> Book:
    """A customer's book, on a day in March."""
    book.today = "2026-03-20"
    book.customers({"id": "C1", "opened": "2026-01-01"})
    return book


def payments(shop: Book, *rows: str, code: int = 0):
    text = "\n".join(["id;customer;date;amount", *rows, ""])
    return shop.run("import", "payments", shop.file("p.csv", text), code=code)


def amounts(shop: Book) -> list[tuple[str, str]]:
    return [(row["date"], row["amount"]) for row in shop.run("payments", "--json").json]


def test_semicolons_decimal_commas_and_days_first_are_read_where_the_file_shows_them(shop):
    payments(shop, "p1;C1;01/03/2026;28,18", "p2;C1;13/03/2026;1.000,50")
    assert amounts(shop) == [("2026-03-01", "28.18"), ("2026-03-13", "1000.50")]
    payments(shop, "p1;C1;01/03/2026;28,18", "p2;C1;13/03/2026;1.000,50")
    assert len(amounts(shop)) == 2


def test_a_file_that_may_be_read_in_two_ways_is_refused_with_both(shop):
    done = payments(shop, "p1;C1;01/03/2026;28,18", code=65)
    assert "2026-03-01 or 2026-01-03" in done.errors[0]
    done = payments(shop, "p1;C1;2026-03-01;1,234", code=65)
    assert "1.234 or 1234" in done.errors[0]
    done = payments(shop, "p1;C1;2026-03-01;28,18", "p2;C1;2026-03-01;1.00", code=65)
    assert "decimal comma" in done.errors[0]
    assert amounts(shop) == []


def test_the_book_says_how_people_write_where_a_file_does_not(shop):
    shop.append("a2ledger.toml", '\n[locale]\nname = "nl_BE"\n')
    payments(shop, "p1;C1;01/03/2026;1.250")
    assert amounts(shop) == [("2026-03-01", "1250.00")]
    shop.run("payment", "C1", "20,50", "--date", "02/03/2026")
    assert amounts(shop)[-1] == ("2026-03-02", "20.50")
    shop.edit("a2ledger.toml", 'name = "nl_BE"', 'name = "en_US"')
    assert shop.run("payment", "C1", "1,250", "--date", "03/04/2026").code == 0
    assert amounts(shop)[-1] == ("2026-03-04", "1250.00")


def test_a_locale_that_is_none_is_refused_by_its_key(shop):
    shop.append("a2ledger.toml", '\n[locale]\ndecimal = ";"\n')
    assert "locale.decimal" in shop.run("payment", "C1", "1", code=1).errors[0]


def test_latin_1_is_read_and_said(shop):
    text = "id;name;credit_limit;tariff\nC2;Zo\u00eb M\u00fcller;250,00;standard\n"
    done = shop.run("import", "customers", shop.file("c.csv", text.encode("latin-1")))
    assert "Windows-1252: Zo\u00eb M\u00fcller" in done.stderr
    assert shop.balance("C2")["name"] == "Zo\u00eb M\u00fcller"
    assert shop.balance("C2")["credit_limit"] == "250.00"


def test_a_row_that_is_refused_is_read_again_as_it_was_meant(shop):
    payments(shop, "p1;C9;01/03/2026;28,18", "p2;C1;13/03/2026;1,00", code=3)
    shop.customers({"id": "C9", "opened": "2026-01-01"})
    shop.run("quarantine", "retry")
    assert ("2026-03-01", "28.18") in amounts(shop)


def test_costs_and_starts_of_calls_follow_the_locale(shop):
    rows = "id;customer;start;called;seconds;cost\nk1;C1;02/03/2026 10:00:00;3225550199;60;0,125\n"
    path = shop.file("calls.csv", rows)
    done = shop.run("import", "calls", path, code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0]
    shop.append("a2ledger.toml", '\n[locale]\ndates = "day"\ndecimal = ","\n')
    shop.run("import", "calls", path)
    (call,) = shop.run("calls", "C1", "--date", "2026-03-02", "--json").json
    assert (call["start"], call["cost"]) == ("2026-03-02 10:00:00", "0.125")


# Every CSV that is read, in the forms of a European spreadsheet


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
def bought(shop) -> Book:
    """The book with a call that a carrier takes 0.50 for."""
    deck = "dialprefix,rateinitial,carrier,buyrate\n32,1,Nordic,0.50\n"
    (shop.root / "tariffs/standard.csv").write_text(deck)
    shop.talks("C1", "2026-03-13", 1)
    return shop


def read(shop, table, *rows, code=0):
    """Have the command read a file as a spreadsheet of Windows writes it."""
    cells = [table.row.format(day=day, amount=amount) for day, amount in rows]
    cells = [row.replace("m1;", f"m{place};").replace("k;", f"k{place};", 1)
             for place, row in enumerate(cells)]  # fmt: skip
    path = shop.file("table.csv", "\r\n".join([table.header, *cells, ""]).encode("latin-1"))
    return shop.run(*table.words, path, code=code)


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"carrier"}))
def test_semicolons_decimal_commas_days_first_and_latin_1_are_read(shop, name):
    table = TABLES[name]
    read(shop, table, ("13/03/2026", "1.234,56"))
    told = shop.run(*table.shown).stdout if table.shown else book_text(shop)
    assert "2026-03-13" in told
    assert "1234.56" in told.replace(",", "")


def test_a_carrier_s_bill_is_read_in_these_forms_too(bought):
    done = read(bought, TABLES["carrier"], ("13/03/2026", "1.234,56"), code=1)
    assert "1234.56" in done.stdout.replace(",", "")
    done = read(bought, TABLES["carrier"], ("02/03/2026", "0,5"), code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0]


def book_text(shop):
    """What the book's tables of prices say by now."""
    files = [*shop.root.glob("tariffs/*.csv"), *shop.root.glob("journals/*prices*"),
             *shop.root.glob("journals/*.beancount")]  # fmt: skip
    return "".join(path.read_text() for path in files)


@pytest.mark.parametrize("name", sorted(TABLES.keys() - {"carrier"}))
def test_what_may_be_read_in_two_ways_is_refused_with_both(shop, name):
    table = TABLES[name]
    done = read(shop, table, ("02/03/2026", "0,5"), code=65)
    assert "2026-03-02 or 2026-02-03" in done.errors[0] or (
        "may begin with the day or with the month" in done.errors[0]
    )
