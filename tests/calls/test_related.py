"""Calls that may be the same as others."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import related


def table(rows):
    return pa.table(
        {
            name: pa.array([row[place] for row in rows], pa.string())
            for place, name in enumerate(("uid", "halves"))
        }
    )


def linked(pools, others):
    return [
        mask.tolist() for mask in related.linked([table(pool) for pool in pools], table(others))
    ]


FIRST, SECOND = "Local/1@f-1;1", "Local/1@f-1;2"


def test_calls_are_found_by_id_and_by_the_other_half():
    pool = [("u1", ""), ("u2", FIRST), ("u3", "Local/9@f-9;1")]
    assert linked([pool], [("u1", "")]) == [[True, False, False]]
    assert linked([pool], [("x", SECOND)]) == [[False, True, False]]
    assert linked([pool, pool[1:]], [("x", SECOND)]) == [[False, True, False], [True, False]]
    assert linked([[]], [("u1", "")]) == [[]]


def test_what_is_found_leads_to_more():
    pool = [("u1", SECOND), ("u2", FIRST), ("u2", ""), ("u3", "")]
    assert linked([pool], [("u1", "")]) == [[True, True, True, False]]


IDS = st.sampled_from(["u1", "u2", "u3", "u4"])
HALVES = st.sampled_from(["", FIRST, SECOND, "Local/2@f-2;1", "Local/2@f-2;2"])
CALLS = st.lists(st.tuples(IDS, HALVES), max_size=6)


@given(CALLS, CALLS, CALLS)
def test_whoever_is_found_finds_nobody_else(one, other, asked):
    first, second = linked([one, other], asked)
    found = [row for row, is_in in zip(one + other, first + second, strict=True) if is_in]
    assert linked([one, other], asked + found) == [first, second]
    ids = {row[0] for row in asked}
    assert all(
        is_in for row, is_in in zip(one + other, first + second, strict=True) if row[0] in ids
    )
