"""What a rate sheet changes in a deck."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.rating import deck as tariff
from a2ledger.rating import deck_changes, deck_text
from a2ledger.rating.deck_changes import Terms
from a2ledger.rating.markup import Markup
from a2ledger.rating.sheet import SheetRate

PREFIXES = ["3", "32", "33", "324", "44", "447", "1"]


PRICES = st.sampled_from([0, 1_000_000, 2_000_000, 5_000_001])


@st.composite
def sheets(draw):
    """Some sheets in the order of their days: price by prefix, and which prefixes are named."""
    return [draw(st.dictionaries(st.sampled_from(PREFIXES), PRICES, min_size=1)) for _ in range(3)]


@tried(60)
@given(sheets(), st.booleans())
def test_after_a_sheet_a_deck_prices_as_the_sheet_and_before_it_as_before(made, whole):
    text = ""
    known: list[tuple[dt.datetime, dict[str, int]]] = []
    for number, prices in enumerate(made):
        since = dt.datetime(2026, 1 + number, 1)  # noqa: DTZ001 - the book's own clock
        rates = [
            SheetRate(line=line, prefix=prefix, price=price)
            for line, (prefix, price) in enumerate(prices.items())
        ]
        terms = Terms(since=since, whole=whole)
        old = tariff.read(text, name="d", file="d.csv") if text else None
        changes = deck_changes.compare(old, rates, terms)
        if changes.added or changes.ended:
            text = deck_text.changed(text, old, changes.ended, changes.added)
        new = tariff.read(text, name="d", file="d.csv")
        again = deck_changes.compare(new, rates, terms)
        assert not again.added
        assert not again.ended
        before = known[-1][1] if known and not whole else {}
        known.append((since, {**before, **prices}))
    deck, problems = tariff.parse(text, name="d", file="d.csv")
    assert problems == []
    for since, prices in known:
        held = deck.at(since)
        scale = 100 // held.scale
        amounts = held.values.get("rateinitial", np.zeros(len(held), np.int64)) * scale
        found: dict[str, int] = {}
        for prefix, amount in zip(held.prefixes.to_pylist(), amounts.tolist(), strict=True):
            found.setdefault(prefix, amount)  # the first of a prefix is the one that began last
        assert found == prices


DECK = (
    "dialprefix,destination,rateinitial,initblock,billingblock,buyrate,carrier,startdate\n"
    "32,Belgium,0.05,60,60,0.02,acme,\n"
    "3247,Mobile,0.30,60,60,0.20,acme,\n"
    "33,France,0.04,60,60,0.01,other,\n"
)
MARCH = dt.datetime(2026, 3, 1)  # noqa: DTZ001 - the book's own clock
CENT = 1_000_000


def changes(*rates, deck=DECK, **terms):
    old = tariff.read(deck, name="d", file="d.csv") if deck else None
    return deck_changes.compare(old, rates, Terms(**{"since": MARCH, **terms}))


def rate(prefix, price=0, **more):
    return SheetRate(line=1, prefix=prefix, price=price, **more)


def test_each_change_has_its_kind():
    found = changes(
        rate("32", 6 * CENT),
        rate("3247", 30 * CENT, destination="Mobile networks"),
        rate("44", 5 * CENT, destination="UK"),
    )
    assert [
        (change.kind, change.prefix, change.before, change.after) for change in found.changes
    ] == [
        ("dearer", "32", 5 * CENT, 6 * CENT),
        ("gone", "33", 4 * CENT, None),
        ("new", "44", None, 5 * CENT),
        ("renamed", "3247", 30 * CENT, 30 * CENT),
    ]
    assert found.counts() == {"dearer": 1, "gone": 1, "new": 1, "renamed": 1, "same": 0}
    assert found.ended == {2: "2026-03-01"}


def test_a_partial_sheet_ends_nothing_it_does_not_name():
    found = changes(rate("32", 5 * CENT), whole=False)
    assert (found.changes, found.added, found.ended, found.same) == ([], [], {}, 1)


def test_a_price_that_doubles_or_halves_is_doubtful():
    prices = {"32": 10 * CENT, "3247": 16 * CENT, "33": 2 * CENT}
    found = changes(*(rate(prefix, price) for prefix, price in prices.items()))
    assert found.doubtful() == 2
    assert [change.prefix for change in found.largest(2)] == ["32", "33"]
    assert [change.ratio for change in found.largest(3)] == [1, Decimal("-0.5"), Decimal(-14) / 30]


def test_a_new_prefix_of_a_price_list_has_the_carrier_of_the_shorter_one():
    (row,) = changes(rate("322", 7 * CENT), whole=False).added
    assert (row["rateinitial"], row["buyrate"], row["carrier"]) == ("0.07", "0.02", "acme")
    assert row["startdate"] == "2026-03-01"


def test_a_carrier_s_price_leaves_the_selling_price_or_marks_it_up():
    buying = {"side": deck_changes.BUY, "carrier": "acme", "whole": False}
    (row,) = changes(rate("32", 3 * CENT), **buying).added
    assert (row["rateinitial"], row["buyrate"]) == ("0.05", "0.03")
    (row,) = changes(rate("32", 3 * CENT), markup=Markup(percent=Decimal(50)), **buying).added
    assert (row["rateinitial"], row["buyrate"]) == ("0.045", "0.03")
    assert changes(rate("32", 6 * CENT), **buying).below_cost == 1
    assert changes(rate("49", 6 * CENT), **buying).unpriced == ["49"]


def test_a_carrier_ends_only_rates_of_its_own():
    found = changes(rate("32", 2 * CENT), side=deck_changes.BUY, carrier="acme")
    gone = [change.prefix for change in found.changes if change.kind == "gone"]
    assert gone == ["3247"]


def test_a_blocked_prefix_keeps_its_old_price_in_the_deck_and_has_none():
    found = changes(rate("32", status="blocked"), whole=False)
    assert [(change.kind, change.after) for change in found.changes] == [("blocked", None)]
    assert (found.added[0]["blocked"], found.added[0]["rateinitial"]) == ("yes", "0.05")


def test_only_one_prefix_of_a_row_of_several_changes():
    found = changes(
        rate("32", 6 * CENT, since=MARCH), deck="prefix,rate\n32-34,0.05\n", whole=False
    )
    assert [(row["dialprefix"], row["rateinitial"]) for row in found.added] == [("32", "0.06")]
    found = changes(rate("32", status="gone"), deck="prefix,rate\n32-34,0.05\n", whole=False)
    assert [row["dialprefix"] for row in found.added] == ["33", "34"]


@given(st.integers(0, 10**14))
def test_a_price_is_written_so_that_it_reads_as_itself(price):
    text = deck_changes.written(price)
    assert Decimal(text) * 10**8 == price
    assert not text.endswith(".")
    assert not ("." in text and text.endswith("0"))
