"""Lists of the calls behind a bill: which calls, and how their numbers are shown."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess

import pytest
from harness import Book, call, slim
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.billing import itemised
from a2ledger.facts import MASKS

NUMBER = "INV-2026-000001"


@pytest.fixture(scope="module")
def made(empty_book, tmp_path_factory):
    """A book with a bill of three calls, one of them to a short number."""
    directory = tmp_path_factory.mktemp("itemised")
    shutil.copytree(empty_book, directory / "book")
    book = Book(directory / "book", directory / "files")
    book.customers({"id": "C1"})
    called = ["3225550199", "32470123456", "112"]
    rows = [
        {**call(f"c{place}", "C1", "2026-01-10", 60 + place), "called": number}
        for place, number in enumerate(called)
    ]
    book.imported("calls", rows, today="2026-01-11")
    book.close(today="2026-02-01")
    return slim(book.root)


@pytest.fixture
def book(made, tmp_path) -> Book:
    shutil.copytree(made, tmp_path / "book")
    return Book(tmp_path / "book", tmp_path / "files", today="2026-02-01")


def listed(book: Book, form: str = "calls") -> str:
    return book.run("invoice", NUMBER, "--format", form, "-o", "-").stdout


@pytest.mark.parametrize(
    ("wanted", "called"),
    [
        ("", {"3225550xxx", "32470123xxx", "112"}),
        ("none", {"3225550199", "32470123456", "112"}),
        ("4", {"322555xxxx", "3247012xxxx", "112"}),
        ("all", {"xxxxxxxxxx", "xxxxxxxxxxx", "112"}),
    ],
)
def test_numbers_are_hidden_as_the_customer_wants_it(book, wanted, called):
    if wanted:
        book.run("customer", "set", "C1", f"masked={wanted}")

    rows = list(csv.DictReader(io.StringIO(listed(book))))
    assert {row["called"] for row in rows} == called
    page = listed(book, "calls-html")
    assert all(number in page for number in called)
    assert ("3225550199" in page) == (wanted == "none")


def test_a_list_adds_up_to_its_bill(book):
    rows = list(csv.DictReader(io.StringIO(listed(book))))
    lines = book.invoice(NUMBER)["lines"]

    assert sum(int(row["seconds"]) for row in rows) == sum(line["seconds"] for line in lines)
    assert len(rows) == sum(line["calls"] for line in lines) == 3


def test_a_list_on_paper_is_the_same_whenever_it_is_made(book):
    first, second = (
        book.run("invoice", NUMBER, "--format", "calls-pdf", "-o", book.files / name)
        for name in ("one", "two")
    )
    assert first.stdout.endswith(f"{NUMBER}.calls.pdf\n")
    assert second.stdout
    one, two = ((book.files / name / f"{NUMBER}.calls.pdf").read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.startswith(b"%PDF")


def test_calls_stand_at_the_end_of_a_bill_where_its_customer_wants_that(book):
    assert 'id="itemised"' not in listed(book, "html")
    book.run("customer", "set", "C1", "itemised=appendix", "masked=4")

    page = listed(book, "html")
    assert '<h2 id="itemised">Itemised calls</h2>' in page
    assert "322555xxxx" in page
    assert "3225550199" not in page
    book.append("a2ledger.toml", '\n[bill]\nitemised = "appendix"\n')
    book.run("customer", "set", "C1", "itemised=apart")
    assert "322555xxxx" not in listed(book, "html")


def test_a_bill_with_its_calls_on_paper_goes_by_mail_as_it_is_made_by_hand(book):
    book.append(
        "a2ledger.toml",
        '\n[bill]\nitemised = "appendix"\n[delivery]\nchannels = ["print"]\nprint = "out"\n',
    )
    book.run("invoice", NUMBER, "--format", "pdf", "-o", book.files)
    book.run("send")

    (sent,) = (book.root / "out").iterdir()
    assert sent.read_bytes() == (book.files / f"{NUMBER}.pdf").read_bytes()
    words = subprocess.run(["pdftotext", "-layout", sent, "-"], capture_output=True, check=True)
    assert b"3225550xxx" in words.stdout


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.sampled_from(MASKS))
def test_what_is_hidden_is_nowhere_and_the_length_stays(number, hidden):
    shown = itemised.masked(number, hidden)

    assert len(shown) == len(number)
    if hidden == "all":
        assert set(shown) == {"x"}
    elif hidden != "none":
        assert shown == number[: -int(hidden)] + "x" * int(hidden)


def test_a_list_names_the_rate_of_each_call(book):
    """By price list and prefix; one for the whole world has none to show on paper."""
    out = book.run("invoice", NUMBER, "--format", "calls", "-o", "-").stdout
    rows = list(csv.DictReader(io.StringIO(out)))
    deck = next(csv.DictReader(io.StringIO(book.text("tariffs/standard.csv"))))
    assert {row["tariff"] for row in rows} == {"standard"}
    assert deck["dialprefix"] in {row["prefix"] for row in rows}
    page = book.run("invoice", NUMBER, "--format", "calls-html", "-o", "-").stdout
    assert "(default)" not in page


def test_a_list_names_the_row_that_held_on_the_day(changed_price):
    """Where a price changed within the month, of either price; a row that is gone has no name."""
    book = changed_price
    rows = list(csv.DictReader(io.StringIO(listed(book))))
    assert [(row["start"][:16], row["prefix"], row["rate"]) for row in rows] == [
        ("2026-01-10 12:00", "32", "tariffs/standard.csv:2"),
        ("2026-01-20 07:59", "32", "tariffs/standard.csv:2"),
        ("2026-01-20 08:00", "32", "tariffs/standard.csv:3"),
    ]
    (book.root / "tariffs" / "standard.csv").write_text("dialprefix,rateinitial\n3,0.1\n")
    assert {row["rate"] for row in csv.DictReader(io.StringIO(listed(book)))} == {""}


@pytest.fixture
def changed_price(empty_book, tmp_path) -> Book:
    """A book whose price of calls to Belgium rises within a day of the month it has billed."""
    shutil.copytree(empty_book, tmp_path / "prices")
    book = Book(tmp_path / "prices", tmp_path / "files")
    (book.root / "tariffs" / "standard.csv").write_text(
        "dialprefix,destination,rateinitial,startdate\n32,Belgium,0.06,\n"
        "32,Belgium,0.12,2026-01-20 08:00\n"
    )
    book.customers({"id": "C1"})
    starts = ["2026-01-10 12:00:00", "2026-01-20 07:59:00", "2026-01-20 08:00:00"]
    rows = [
        {**call(f"c{place}", "C1", start[:10], 60), "start": start, "called": "3225550101"}
        for place, start in enumerate(starts)
    ]
    book.imported("calls", rows, today="2026-01-21")
    book.close(today="2026-02-01")
    return Book(book.root, book.files, today="2026-02-01")
