"""Customers added and changed: what holds from when, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book, RefusedError
from a2ledger.customers import register
from a2ledger.journal import subledgers

OPENED = "2026-01-01"
FEBRUARY, MARCH = dt.date(2026, 2, 1), dt.date(2026, 3, 1)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("register") / "book", "C1")


@pytest.fixture
def draft(root):
    return shelf.draft(root)


def add(draft, identity="N", **facts):
    return register.add(draft, identity, {"opened": OPENED, **facts})


def test_what_is_not_said_is_as_usual(draft):
    customer = add(draft, name="Ada")
    assert customer.text("name", FEBRUARY) == "Ada"
    assert (customer.text("tariff", FEBRUARY), customer.text("currency", FEBRUARY)) == (
        "standard",
        "EUR",
    )
    assert customer.fact("credit_limit", FEBRUARY) == 0
    assert add(draft, "M").text("name", FEBRUARY) == "M"


def test_without_a_first_day_it_is_that_of_the_period_it_is(draft):
    assert register.add(draft, "N", {}).opened == FEBRUARY
    assert register.add(draft, "Q", {"cycle": "quarterly"}).opened == dt.date(2026, 1, 1)
    assert register.add(draft, "A", {"cycle": "monthly-anniversary"}).opened == shelf.TODAY


@pytest.mark.parametrize(
    ("identity", "facts", "says"),
    [
        ("a b", {}, "'a b' is no customer id"),
        ("suspense", {}, "reserved for unmatched money"),
        ("C1", {}, "C1: this customer already exists; .*customer set"),
        ("N", {"credit_limit": "much"}, "credit_limit"),
        ("N", {"opened": "2026-02-30"}, "opened: "),
        ("N", {"opened": "1990-01-01"}, "--long-ago"),
        ("N", {"country": "Belgium"}, "country: 'Belgium' is not two letters"),
        ("N", {"vat_id": "BE123"}, "vat_id: 'BE123' is no VAT number"),
        (
            "N",
            {"cycle": "weekly", "billing_day": "15"},
            "billing_day: 15, but weekly begins on a day",
        ),
        ("N", {"cycle": "monthly-anniversary", "billing_day": "7"}, "is counted from the day"),
        ("N", {"currency": "USD"}, "tariff: standard is in EUR, the account in USD"),
        ("N", {"vat": "sometimes"}, "vat"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_put(draft, identity, facts, says):
    with pytest.raises(RefusedError, match=says):
        add(draft, identity, **facts)
    assert "N" not in subledgers.customers(draft)


def test_an_account_opened_long_ago_has_to_be_meant(draft):
    assert register.add(draft, "N", {"opened": "1990-01-01"}, long_ago=True).opened.year == 1990


def test_a_fact_changes_from_its_day_and_what_holds_already_is_no_change(draft):
    assert register.change(draft, "C1", {"email": "ada@maes.example"}, FEBRUARY)
    assert not register.change(draft, "C1", {"email": "ada@maes.example"}, MARCH)
    customer = subledgers.customer(draft, "C1")
    january = dt.date(2026, 1, 31)
    assert [customer.text("email", day) for day in (january, FEBRUARY)] == ["", "ada@maes.example"]
    assert "email" not in subledgers.customer(Book(draft.root), "C1").facts


@pytest.mark.parametrize(
    ("facts", "day", "says"),
    [
        ({"currency": "USD"}, MARCH, "kept in EUR for good"),
        ({"email": "x@y.z"}, dt.date(2025, 12, 31), "the account opens on 2026-01-01"),
        ({"billing_day": "15"}, dt.date(2026, 2, 10), "can change only at the start of a period"),
        ({"tariff": "gone"}, MARCH, "there is no tariffs/gone.csv"),
    ],
)
def test_a_change_that_cannot_be_says_why_and_when_it_may(draft, facts, day, says):
    with pytest.raises(RefusedError, match=says):
        register.change(draft, "C1", facts, day)


def test_nothing_of_a_closed_period_is_changed(root):
    with shelf.copied(root) as copy:
        shelf.close(copy, FEBRUARY)
        with pytest.raises(RefusedError, match=r"2026-01-31 lies in a closed period"):
            register.change(shelf.draft(copy), "C1", {"email": "x@y.z"}, dt.date(2026, 1, 31))


def test_whether_prices_contain_vat_changes_only_where_nothing_is_posted(root):
    with shelf.copied(root) as copy:
        shelf.take(copy, "charges", "id,customer,date,amount,service\n1,C1,2026-02-10,5,Calls\n")
        draft = shelf.draft(copy)
        # The period is open since January: the change may hold from the next one on.
        with pytest.raises(
            RefusedError, match=r"something is posted already as .*--from 2026-03-01"
        ):
            register.change(draft, "C1", {"vat": "included"}, FEBRUARY)
        assert register.change(draft, "C1", {"vat": "included"}, MARCH)


def test_a_row_adds_a_customer_or_changes_what_differs(draft):
    row = {"opened": OPENED, "name": "Ada", "email": ""}
    assert register.put(draft, "N", row)
    assert not register.put(draft, "N", row)
    assert register.put(draft, "N", row | {"name": "Ada Maes", "billing_day": "5"})
    customer = subledgers.customer(draft, "N")
    assert customer.text("name", shelf.TODAY) == "Ada Maes"
    assert customer.facts["billing_day"][-1] == (MARCH, 5)


def test_two_who_hold_one_number_on_one_day_are_refused(draft):
    add(draft, "N", identifiers="3031")
    register.check_clashes(draft)
    add(draft, "M", identifiers="3031")
    with pytest.raises(RefusedError, match="3031"):
        register.check_clashes(draft)
    with pytest.raises(RefusedError, match="X: no such customer"):
        register.known(draft, "X")


def test_the_only_price_list_is_taken_where_none_is_called_standard(draft):
    assert add(draft, "A").text("tariff", FEBRUARY) == "standard"
    text = draft.text("tariffs/standard.csv")
    draft.put("tariffs/standard.csv", None)
    draft.put("tariffs/retail.csv", text)
    assert add(draft, "B").text("tariff", FEBRUARY) == "retail"
    draft.put("tariffs/other.csv", text)
    assert add(draft, "C").text("tariff", FEBRUARY) == "standard"
