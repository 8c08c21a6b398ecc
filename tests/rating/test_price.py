"""What a call costs by the book: the customer's tariff, discount and VAT of the call's day."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from a2ledger.book.book import Book, BrokenBookError
from a2ledger.period import EPOCH
from a2ledger.rating import price

CODES = """
[vat.codes.S6]
rate = 6

[tariffs.dollars]
currency = "USD"
"""
HEADER = "dialprefix,destination,rateinitial,initblock,billingblock,blocked\n"


@pytest.fixture
def priced(book):
    """A book with two customers, one of whom changes tariff, and the prices of calls in it."""
    book.append("a2ledger.toml", CODES)
    for name, rows in {
        "dear": "32,Belgium,2.00,60,60,\n",
        "dollars": "32,Belgium,3.00,60,60,\n",
        "barred": "32,Belgium,1.00,60,60,yes\n",
    }.items():
        (book.root / f"tariffs/{name}.csv").write_text(HEADER + rows)
    book.customers({"id": "C1"}, {"id": "C2", "tariff": "dear", "discount_percent": "10"})
    book.run("customer", "set", "C1", "tariff=dear", "--from", "2026-01-10", today="2026-01-10")
    return Book(book.root)


def calls(*rows):
    """Calls as columns: outgoing ones of the first customer, a minute on 5 January, unless said."""
    usual = {
        "customer": 0, "day": "2026-01-05", "called": "3225550199", "seconds": 60,
        "service": "Calls", "tariff": "", "free": False, "direction": "", "given_micro": None,
    }  # fmt: skip
    every = [{**usual, **row} for row in rows]
    days = [(dt.date.fromisoformat(row["day"]) - EPOCH).days for row in every]
    types = {"customer": pa.int32(), "seconds": pa.int64(), "given_micro": pa.int64()}
    columns = {
        name: pa.array([row[name] for row in every], types.get(name))
        for name in usual
        if name != "day"
    }
    columns["day"] = pa.array(np.array(days, np.int32)).cast(pa.date32())
    columns["local"] = pa.array([day * 86_400 + 43_200 for day in days], pa.int64())
    return pa.table(columns)


def cost(book, *rows):
    """What calls cost, in millionths; None where they have no price."""
    columns, unpriced = price.valued(calls(*rows), price.pricing(book))
    return [
        None if no_price else micro
        for micro, no_price in zip(columns["cost_micro"].to_pylist(), unpriced, strict=True)
    ]


def test_the_tariff_and_the_discount_are_those_of_the_customer_on_the_day(priced):
    assert cost(priced, {}, {"day": "2026-01-09"}, {"day": "2026-01-10"}, {"customer": 1}) == [
        1_000_000, 1_000_000, 2_000_000, 1_800_000,
    ]  # fmt: skip


def test_a_price_that_the_row_has_or_a_rule_that_makes_it_free_comes_before_the_tariff(priced):
    rows = [{"given_micro": 250_000}, {"free": True}, {"free": True, "given_micro": 7}]

    assert cost(priced, *rows) == [250_000, 0, 7]
    columns, _ = price.valued(calls(*rows, {}), price.pricing(priced))
    assert columns["given"].to_pylist() == [True, True, True, False]
    own, unpriced = price.own_price(calls(*rows), price.pricing(priced))
    assert (own.to_pylist(), unpriced.any()) == ([1_000_000, 0, 0], False)


def test_the_tariff_of_a_rule_comes_before_the_customer_s(priced):
    assert cost(priced, {"tariff": "dear"}, {"tariff": "dear, standard", "called": "33"}) == [
        2_000_000, 1_000_000,
    ]  # fmt: skip


def test_internal_and_incoming_calls_meet_no_outgoing_tariff(priced):
    rows = [
        {"direction": "internal"},
        {"direction": "incoming", "tariff": "dear"},
        {"direction": "incoming", "tariff": "dear", "called": "33"},
    ]

    columns, unpriced = price.valued(calls(*rows), price.pricing(priced))

    assert columns["cost_micro"].to_pylist() == [0, 2_000_000, 0]
    assert columns["destination"].to_pylist() == ["Internal calls", "Belgium", "Incoming calls"]
    assert columns["deck"].to_pylist() == ["", "dear", ""]
    assert not unpriced.any()


def test_why_a_call_has_no_price_is_said(priced):
    rows = [
        {"tariff": "dollars"},
        {"tariff": "barred"},
        {"tariff": "dear", "called": "33"},
    ]

    assert cost(priced, *rows) == [None, None, None]
    assert price.refusals(calls(*rows), price.pricing(priced)) == [
        "wrong-currency", "blocked", "no-rate",
    ]  # fmt: skip


def test_a_bad_deck_has_no_rate_and_no_other_deck_prices_in_its_stead(priced):
    (priced.root / "tariffs/bad.csv").write_text(HEADER + "32,Belgium,many,60,60,\n")
    rows = [{"tariff": "bad, standard"}, {}]

    with pytest.raises(BrokenBookError, match=r"tariffs/bad\.csv"):
        price.valued(calls(*rows), price.pricing(priced))

    pricing = price.pricing(priced, strict=False)
    _, unpriced = price.valued(calls(*rows), pricing)
    assert unpriced.tolist() == [True, False]
    bad, fine = price.by_bad_tariff(calls(*rows), pricing)
    assert bad.startswith("tariff 'bad, standard': tariffs/bad.csv:2")
    assert not fine
