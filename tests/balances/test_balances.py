"""Where customers stand: today from the operator's ledger, on a past day from their own."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import shelf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from a2ledger import money
from a2ledger.balances import balances
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.journal import subledgers

ROWS = "id,customer,date,amount\n"
APRIL = dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    return shelf.started(tmp_path_factory.mktemp("balances") / "book", "A", "B", vat="none")


DAYS = st.integers(0, 89).map(lambda number: dt.date(2026, 1, 1) + dt.timedelta(number))
MONEY = st.lists(st.tuples(st.sampled_from("AB"), DAYS, st.integers(-5_000, 5_000)), max_size=8)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(MONEY, st.booleans())
def test_a_balance_of_any_day_is_what_was_posted_until_then(template, rows, is_closed):
    with shelf.copied(template) as root:
        lines = [
            f"r{number},{who},{day},{money.text(cents * 10_000, 2)}\n"
            for number, (who, day, cents) in enumerate(rows)
        ]
        shelf.take(root, "refills", ROWS + "".join(lines), today=APRIL)
        if is_closed:
            shelf.close(root, APRIL)
        book = Book(root)
        for day in {day for _, day, _ in rows} | {dt.date(2026, 1, 31), dt.date(2026, 12, 31)}:
            expected = {
                who: -sum(cents for other, when, cents in rows if other == who and when <= day)
                for who in "AB"
            }
            found = balances.standings_on(book, day)
            assert {row.customer: row.owed_micro // 10_000 for row in found} == expected
        assert balances.standings(book) == balances.standings_on(book, APRIL)


def test_whoever_was_not_there_yet_has_no_balance_and_credit_is_what_is_available(template):
    with shelf.copied(template) as root:
        shelf.take(root, "refills", ROWS + "r,A,2026-01-05,10.00\n")
        book = Book(root)
        assert balances.standings_on(book, dt.date(2025, 12, 31)) == []
        row, _ = balances.balances_json(balances.standings(book))
        assert (row["owed"], row["available"], row["over_limit"]) == ("-10.00", "1010.00", False)


def test_money_that_is_nobodys_stands_beside_the_balances(template):
    with shelf.copied(template) as root:
        shelf.take(root, "payments", ROWS + "p,,2026-01-05,7.50\n")
        found, unmatched = balances.balances(Book(root))
        assert [row.owed_micro for row in found] == [0, 0]
        assert unmatched == {"EUR": 7_500_000}


def test_a_period_that_is_gone_is_asked_back(template):
    with shelf.copied(template) as root:
        book = Book(root)
        customer = subledgers.customer(book, "A")
        (root / balances.period_file(customer, APRIL)).unlink()
        with pytest.raises(BrokenBookError, match="is gone"):
            balances.standing_on(book, customer, APRIL)
        (root / balances.MAIN).unlink()
        with pytest.raises(BrokenBookError, match="is not there"):
            balances.main(Book(root))
