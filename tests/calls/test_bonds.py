"""Rows of a switch that are legs of one call."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import bonds


def leg(uuid, seconds, names=None, *, start=0, src="101", made=False):
    """A row: an a-leg that names another leg, or a b-leg."""
    return {
        "uniqueid": uuid, "seconds": str(seconds), "src": src, "start_at": start,
        "end_at": start + seconds, "never": "b-leg" if made else "",
        "lastdata": "" if names is None else bonds.MARK + names,
    }  # fmt: skip


def tied(*rows):
    found = bonds.tied(pa.Table.from_pylist(list(rows)))
    return found.owner.tolist(), found.untold, found.repeated


def test_a_plain_call_says_the_same_in_both_rows_and_is_not_tied():
    assert tied(leg("a", 60, "b"), leg("b", 59, "", made=True)) == ([-1, -1], [], [1])


def test_a_call_that_went_on_without_the_leg_that_made_it_is_of_its_b_leg():
    assert tied(leg("a", 30, "b"), leg("b", 90, "", made=True)) == ([0, 0], [], [])


def test_earlier_legs_of_a_transferred_call_are_known_by_caller_and_time():
    rows = [leg("a", 90, "c"), leg("b", 30, "", made=True), leg("c", 60, "", start=30, made=True)]
    assert tied(*rows) == ([0, 0, 0], [], [])
    rows[1] = leg("b", 30, "", src="102", made=True)
    assert tied(*rows) == ([-1, -1, -1], [0], [])
    rows[1] = leg("b", 30, "", start=100, made=True)
    assert tied(*rows) == ([-1, -1, -1], [0], [])


def test_rows_that_name_no_leg_are_not_looked_at():
    assert tied(leg("a", 60), leg("b", 30)) == ([-1, -1], [], [])
    assert tied(leg("a", 60, "gone")) == ([-1], [], [])
    assert tied(leg("a", 0, "b"), leg("b", 90, "", made=True)) == ([-1, -1], [], [])


LEGS = st.lists(st.integers(1, 100), min_size=1, max_size=4)


@given(LEGS, st.randoms())
def test_a_transferred_call_is_of_all_its_legs_in_whatever_order_rows_stand(lengths, random):
    """Of two legs and more each but the last was left for the next one."""
    starts = [sum(lengths[:place]) for place in range(len(lengths))]
    rows = [leg("a", sum(lengths), f"b{len(lengths) - 1}")]
    rows += [
        leg(f"b{place}", seconds, "", start=start, made=True)
        for place, (seconds, start) in enumerate(zip(lengths, starts, strict=True))
    ]
    order = random.sample(range(len(rows)), len(rows))
    owner, untold, repeated = tied(*(rows[place] for place in order))
    assert untold == []
    if sum(lengths[:-1]) <= bonds.NEAR:
        assert repeated == [order.index(len(lengths))]
    else:
        head = order.index(0)
        assert (owner[head], owner[order.index(len(lengths))]) == (head, head)
        talked = sum(
            lengths[order[place] - 1]
            for place, of in enumerate(owner)
            if of == head and order[place]
        )
        assert abs(talked - sum(lengths)) <= bonds.NEAR * (len(lengths) + 1)
