"""What was given back of billed lines, and how entries write it down."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from a2ledger.documents import given_back
from a2ledger.documents.given_back import Calls, Item, Rerated, Share

DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
CALLS = st.builds(
    Calls, DAYS, st.just("Calls"), st.text("aé ;:,-", max_size=6), st.just("S21"), st.none() | DAYS
)
MICRO = st.integers(-(10**9), 10**9)


@given(st.dictionaries(CALLS.map(given_back.line_key), MICRO, max_size=4))
def test_amounts_by_line_come_back_whatever_a_destination_is_called(lines):
    assert given_back.rerated_lines(given_back.written_lines(lines)) == lines


@given(st.lists(st.tuples(st.text("INV-0123/", min_size=1), MICRO), min_size=1, max_size=4))
def test_amounts_by_document_come_back(amounts):
    assert list(given_back.parts(given_back.written_parts(amounts, 2))) == amounts


@given(st.integers(0, 10**9), st.integers(1, 10**9), MICRO)
def test_a_share_of_the_whole_is_what_was_given_and_of_nothing_nothing(given_micro, net, other):
    share = Share(given_micro, net)
    assert share.of(net) == given_micro
    assert share.of(0) == 0
    assert abs(share.of(other) * net - other * given_micro) * 2 <= net
    assert share.of(other, 2) % 10_000 == 0


def item(link, micro, **meta):
    return Item(
        f"{given_back.RERATE}{link}", dt.date(2026, 2, 1), "Calls", "S21", micro, None, meta
    )


LINE = Calls(dt.date(2026, 1, 1), "Calls", "Belgium", "S21")
KEY = given_back.line_key(LINE)


def test_what_is_given_back_is_taken_from_the_latest_charge_first():
    moved = [("a", 5), ("b", 3), ("c", -4)]
    every = [
        item(link, micro, moved=given_back.written_lines({KEY: micro})) for link, micro in moved
    ]
    found = Rerated.of(every)
    assert found.gone("rerate-b") == 3
    assert found.gone("rerate-a") == 1
    assert found.gone(LINE) == 0
    more = Rerated.of([*every, item("d", -9, moved=given_back.written_lines({KEY: -9}))])
    assert (more.gone("rerate-a"), more.gone(LINE)) == (5, 5)


def test_entries_of_earlier_versions_name_no_lines():
    found = Rerated.of([item("a", -7), item("b", 5), item("x", 3)])
    assert found.gone(LINE) == 7
    assert found.gone(LINE._replace(destination="France")) == 7
    other = Item("charge-x", dt.date(2026, 2, 1), "Calls", "S21", -9, None, {})
    assert Rerated.of([other]).gone(LINE) == 0
