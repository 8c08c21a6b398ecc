"""What one call costs, and by which row of which version of its deck."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.audit import call_price
from a2ledger.book.book import Book

RATES = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,0.60,60,60
33,France,1.20,1,1
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("price") / "book", "C1")
    (root / "tariffs/standard.csv").write_text(RATES)
    return Book(root)


def call(cost, seconds=61, called="32111", prefix="32", **more):
    day = dt.date(2026, 1, 5)
    return {
        "customer": "C1", "start": dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC), "day": day,
        "called": called, "prefix": prefix, "destination": "Belgium", "deck": "standard",
        "seconds": seconds, "cost_micro": cost, "voided_micro": 0, "given": False, "void": "",
        "tariff": "",
    } | more  # fmt: skip


@given(st.integers(1, 10_000), st.booleans())
def test_a_price_is_told_step_by_step_and_comes_to_what_was_charged(own, seconds, is_french):
    cost = seconds * 20_000 if is_french else -(-seconds // 60) * 600_000
    about = {"called": "33222", "prefix": "33"} if is_french else {}
    found = call_price.priced(own, call(cost, seconds, **about))
    assert (found.file, found.line, found.commit) == ("tariffs/standard.csv", 2 + is_french, "")
    assert found.told.cost_micro == cost


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (call(5, given=True), "its row said what it costs, or its rule that it is free"),
        (call(0, 0), "an answered call of no seconds is free"),
        (
            call(0, given=True, void="a test", voided_micro=5),
            "it is void: a test; it would cost 0.000005",
        ),
    ],
)
def test_a_call_that_no_deck_prices_says_why(own, row, note):
    found = call_price.priced(own, row)
    assert (found.told, found.line) == (None, 0)
    assert note in found.note


def test_a_void_call_has_its_price_and_the_reason(own):
    found = call_price.priced(own, call(0, void="a test", voided_micro=1_200_000))
    assert found.told.cost_micro == 1_200_000
    assert found.note == "it is void: a test; it would cost 1.200000"


def test_a_price_that_no_version_gives_says_what_it_would_be(own):
    found = call_price.priced(own, call(7))
    assert found.told is None
    assert "it would be 1.200000, tariffs/standard.csv, prefix 32" in found.note
    assert (
        "nothing: there is no rate" in call_price.priced(own, call(7, called="99", prefix="9")).note
    )


def test_what_the_carrier_takes_is_told_where_it_is_asked_for(own):
    assert call_price.priced(own, call(1_200_000)).bought is None
    assert call_price.priced(own, call(1_200_000), buy=True).bought.cost_micro == 0
