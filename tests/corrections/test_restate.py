"""What calls of closed periods come to by now, and the entries that post the difference."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
import shelf
from hypothesis import given
from hypothesis import strategies as st
from posted import total

from a2ledger.corrections.restate import Correction, Key, Restating
from a2ledger.journal import syntax

DAY = dt.date(2026, 1, 5)
MICRO = st.integers(-(10**9), 10**9)


def correction(before=100, after=150, **more):
    key = Key("C1", "2026-01", "Calls", "S21")
    facts = {"key": key, "currency": "EUR", "first": DAY, "last": DAY, "calls": 1}
    return Correction(**facts | {"before_micro": before, "after_micro": after} | more)


@given(MICRO, MICRO, MICRO)
def test_the_entry_moves_the_difference_whatever_vat_is_inside_it(before, after, pending):
    made = correction(before, after).entry(dt.date(2026, 2, 3), pending)
    assert total(made) == 0
    legs = syntax.legs(syntax.formatted(made))
    assert legs[0] == ("Assets:Receivable:C1:Unbilled", after - before, "EUR")


def test_the_entry_says_which_calls_it_is_of_and_what_they_were_and_are():
    made = correction(calls=2, last=dt.date(2026, 1, 9), lines={"x": 50}).entry(DAY, 0)
    assert made.narration == "Re-rated: 2 calls of 5 January 2026 to 9 January 2026"
    assert (str(made.meta["before"]), str(made.meta["after"])) == ("0.000100 EUR", "0.000150 EUR")
    assert "credited" not in made.meta
    assert "moved" not in correction(tells_lines=False).entry(DAY, 0).meta
    first, second = (min(correction(serial=serial).entry(DAY, 0).links) for serial in (1, 2))
    assert first != second


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return shelf.started(tmp_path_factory.mktemp("restate") / "book", "C1", "C2")


def calls(*rows):
    names = ("customer", "service", "vat", "destination", "cost_micro")
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    count = len(rows)
    late = pa.array([None] * count, pa.date32())
    return pa.table(columns | {"late_in": late, "uid": [str(number) for number in range(count)]})


def test_only_what_costs_something_else_by_now_is_corrected(root):
    restating = Restating(shelf.draft(root), dt.date(2026, 1, 3))
    for day in (DAY, dt.date(2026, 1, 9), dt.date(2026, 2, 2)):
        restating.add(
            day,
            calls(
                ("C1", "Calls", "S21", "Belgium", 100),
                ("C1", "Calls", "S21", "France", 100),
                ("C2", "Calls", "S21", "Belgium", 100),
            ),
            pa.array([150, 90, 100]),
        )
    found = restating.corrections()
    assert [
        (row.key.customer, row.key.month, row.first, row.last, row.calls, row.micro)
        for row in found
    ] == [
        ("C1", "2026-01", dt.date(2026, 1, 3), dt.date(2026, 1, 9), 4, 80),
        ("C1", "2026-02", dt.date(2026, 2, 1), dt.date(2026, 2, 2), 2, 40),
    ]
    assert sum(found[0].lines.values()) == found[0].micro
    assert sorted(found[0].lines.values()) == [-20, 100]


def test_differences_that_make_up_for_each_other_post_nothing(root):
    restating = Restating(shelf.draft(root), DAY)
    rows = [("C1", "Calls", "S21", name, 100) for name in ("Belgium", "France")]
    restating.add(DAY, calls(*rows), pa.array([150, 50]))
    assert restating.corrections() == []


def test_what_is_posted_is_dated_today_in_the_open_period(root):
    draft = shelf.draft(root)
    restating = Restating(draft, DAY)
    restating.add(DAY, calls(("C1", "Calls", "S21", "Belgium", 100)), pa.array([150]))
    restating.post(restating.corrections())
    (text,) = (draft.text(path) for path in draft.put_files if path.endswith("C1.01.beancount"))
    (block,) = [block for block in syntax.blocks(text) if block.kind == "*"]
    assert (block.date, block.payee) == (str(shelf.TODAY), "Calls")
    assert block.legs[0].micro == 50
