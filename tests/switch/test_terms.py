"""Terms of calls, from the book at one of its generations."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from boards import OPENED, account, snapshot

from a2ledger import records
from a2ledger.book.authorize import Authorize, Group
from a2ledger.callguards import CallGuards
from a2ledger.switch.terms import Account

DAY = dt.date(2026, 3, 2)
LATER = dt.date(2026, 4, 1)


def test_limit_balance_and_discount_are_those_of_the_day():
    facts = {
        "credit_limit": ((OPENED, "10"), (LATER, "50")),
        "discount_percent": ((LATER, Decimal("2.5")),),
        "tariff": ((OPENED, "standard"),),
    }
    own = Account(customer=records.Customer(id="ada", opened=OPENED, facts=facts), owed_micro=3)
    book = snapshot(own)
    assert (book.terms("ada", DAY).balance_micro, book.terms("ada", DAY).discount) == (9_999_997, 0)
    assert (book.terms("ada", LATER).limit_micro, book.terms("ada", LATER).discount) == (
        50_000_000,
        250,
    )
    assert book.terms("bob", DAY) is None


def test_an_identifier_is_its_holder_s_on_the_day_and_of_two_nobody_s():
    facts = {"identifiers": ((OPENED, "3031, 3032"), (LATER, "3032"))}
    ada = Account(customer=records.Customer(id="ada", opened=OPENED, facts=facts), owed_micro=0)
    book = snapshot(ada, account("bob", identifiers="3032"))
    assert book.customer_of("3031", DAY) == "ada"
    assert book.customer_of("3031", LATER) is None
    assert book.customer_of("3032", DAY) is None
    assert book.customer_of("ada", DAY) == "ada"
    assert book.customer_of("3033", DAY) is None


@pytest.mark.parametrize(
    ("facts", "blocked"),
    [
        ({}, ""),
        ({"blocked": "no"}, ""),
        ({"blocked": "card stolen"}, "card stolen"),
        ({"status": "expired"}, "status: expired"),
        ({"status": "active"}, ""),
    ],
)
def test_who_may_not_call_has_the_reason(facts, blocked):
    assert snapshot(account(**facts)).terms("ada", DAY).blocked == blocked


def test_a_tariff_with_a_deck_missing_or_of_another_currency_prices_nothing():
    assert snapshot(account()).terms("ada", DAY).tariff.name == "standard"
    assert snapshot(account(tariff="standard, gone")).terms("ada", DAY).tariff is None
    assert snapshot(account(currency="USD")).terms("ada", DAY).tariff is None


def test_a_customer_s_guards_complete_the_group_s_and_its_policy_goes_before_that_of_all():
    settings = Authorize(
        guards=CallGuards(calls=9, longest=60),
        groups={"gold": Group(guards=CallGuards(longest=120), on_failure="allow")},
    )
    book = snapshot(account(group="gold", guards="calls=1"), account("bob"), settings=settings)
    ada, bob = book.terms("ada", DAY), book.terms("bob", DAY)
    assert (ada.guards.calls, ada.guards.longest, ada.allowed_on_failure) == (1, 120, True)
    assert (bob.guards.calls, bob.guards.longest, bob.allowed_on_failure) == (9, 60, False)
