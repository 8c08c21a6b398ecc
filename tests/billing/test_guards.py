"""Bills that are unlike a customer's others wait until a person names him."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from examples import cases

from a2ledger.book import book as program
from a2ledger.journal import summary


def usual(book, guards):
    """A customer with two closed months of 10 calls and 10.00 each, before a third."""
    toml = book.root / "a2ledger.toml"
    toml.write_text(f"{toml.read_text()}\n[guards]\n{guards}\n")
    book.today = "2026-04-02"
    book.customers({"id": "C1", "opened": "2026-01-01"}, {"id": "C2", "opened": "2026-01-01"})
    for month in (1, 2):
        spend(book, "C1", month, calls=10, each="1.00")
        spend(book, "C2", month, calls=1, each="0.10")
    book.run("close", "--through", "2026-02-28")


def spend(book, customer, month, *, calls, each):
    name = f"{customer}-{month}"
    rows = "".join(
        f"{name}-{number},{customer},2026-{month:02d}-05 10:00:00,3021,60,{each}\n"
        for number in range(calls)
    )
    book.run(
        "import",
        "calls",
        book.file(f"{name}.csv", f"id,customer,start,called,seconds,cost\n{rows}"),
    )


def codes(book, *names, code=0):
    rows = json.loads(book.run("close", *names, "--json", code=code).stdout)
    return {
        row["customer"]: [warned["code"] for warned in row["warnings"]]
        if not row["closed"]
        else None
        for row in rows
    }


@cases(
    ("calls", "each", "expected"),
    [
        (51, "0.01", ["many-calls"]),
        (50, "1.00", None),
        (1, "50.01", ["large-total"]),
        (60, "9.00", ["many-calls", "large-total"]),
    ],
    2,
)
def test_more_than_a_multiple_of_what_is_usual_waits_for_the_customers_name(
    book, calls, each, expected
):
    usual(book, 'multiple = 5\nminimum = "20"')
    spend(book, "C1", 3, calls=calls, each=each)
    spend(book, "C2", 3, calls=1, each="19.00")

    assert codes(book, code=1 if expected else 0) == {"C1": expected, "C2": None}
    if expected:
        assert codes(book, "C1") == {"C1": None}
    rows = json.loads(book.run("invoice", "--json").stdout)
    numbers = sorted(row["number"] for row in rows if row["number"])
    assert numbers == [f"INV-2026-{n:06d}" for n in range(1, len(numbers) + 1)]


def test_without_a_guard_nothing_is_too_much(book):
    usual(book, "multiple = 0")
    spend(book, "C1", 3, calls=1, each="5000.00")
    assert codes(book)["C1"] is None


def test_months_after_the_one_that_waits_are_not_closed_either(book):
    usual(book, "multiple = 5")
    spend(book, "C1", 3, calls=1, each="5000.00")
    book.today = "2026-05-02"
    spend(book, "C1", 4, calls=1, each="1.00")

    assert codes(book, code=1) == {"C1": ["large-total"], "C2": None}
    assert len(json.loads(book.run("close", "C1", "--json").stdout)) == 2


@pytest.mark.parametrize("description", ["", "Line 1"])
def test_two_like_fees_are_two(book, description):
    book.today = "2026-02-02"
    book.customers({"id": "C1", "opened": "2026-01-01"})
    add = ("fee", "add", "C1", "Subscriptions", "10.00", "--from", "2026-01-01")
    assert "note:" not in book.run(*add, "--description", description).stderr
    said = book.run(*add, "--description", description).stderr
    assert "note: C1 has fee1 for the same already; this one is charged beside it" in said

    assert codes(book) == {"C1": None}
    nets = [line["net"] for line in book.invoice("INV-2026-000001")["lines"]]
    assert nets == ["10.00"] * 4  # January and February of both


def publish(book, path, text):
    """Have the program publish what it would refuse of a hand, as an earlier one may have."""
    today = dt.date.fromisoformat(book.today)
    with program.Book(book.root).writing(today, lambda _line: None, 5) as draft:
        draft.put(path, text)
        draft.touch("C1", dt.date(2026, 1, 1))
        summary.summarise(draft)
        draft.publish("an earlier version\n")


def with_a_fee(book):
    """Return the path of a period with a fee, what stands before the fee, it, and what follows."""
    book.today = "2026-02-02"
    book.customers({"id": "C1", "opened": "2026-01-01"})
    book.run("fee", "add", "C1", "Subscriptions", "9.90", "--from", "2026-01-01")
    path = "journals/2026-01/C1.01.beancount"
    head, start, rest = book.text(path).partition('2026-01-01 * "Subscriptions"')
    fee, gap, after = rest.partition("\n\n")
    return path, head, start + fee + gap, after


def test_one_fee_that_stands_twice_for_the_same_days_is_charged_once(book):
    path, head, fee, after = with_a_fee(book)
    again = fee.replace("^fee-C1-fee1-2026-01-01", "^fee-C1-fee1-2026-01-01.2026-01-01")
    publish(book, path, head + fee + again + after)

    assert codes(book) == {"C1": None}
    assert [line["net"] for line in book.invoice("INV-2026-000001")["lines"]] == ["9.90"] * 2


def test_a_fee_that_stands_in_the_book_twice_waits(book):
    path, head, fee, after = with_a_fee(book)
    publish(book, path, head + fee + fee + after)

    (row,) = book.close(today="2026-02-02", code=1)
    (warned,) = row["warnings"]
    assert warned["code"] == "fee-twice"
    assert "is billed twice" in warned["message"]


def test_a_fee_that_was_copied_by_hand_is_refused_where_it_stands(book):
    path, _, fee, _ = with_a_fee(book)
    book.edit(path, fee, fee + fee)

    refused = book.run("close", code=1)
    assert f"{path}:" in refused.stderr
    assert "fee-C1-fee1-2026-01-01" in refused.stderr
