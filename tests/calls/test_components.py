"""Which rows are of one call."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import components

EPOCH = 1_768_000_000


def row(uniqueid="", linkedid="", channel="", dstchannel="", start=0, seconds=10):
    names = {"uniqueid": uniqueid, "linkedid": linkedid, "channel": channel}
    names |= {"dstchannel": dstchannel}
    return names | {"start": EPOCH + start, "end": EPOCH + start + seconds}


def calls(*rows):
    table = pa.Table.from_pylist(
        list(rows), pa.schema([(name, pa.string()) for name in list(row())[:4]])
    )
    start, end = (np.array([each[name] for each in rows], np.int64) for name in ("start", "end"))
    return components.components(table, start, end).tolist()


def test_rows_of_an_id_or_a_linked_id_are_of_one_call():
    assert calls(row("a"), row("b"), row("c", "a"), row("c"), row()) == [0, 1, 0, 0, 4]


def test_a_transfer_joins_the_calls_of_both_ends():
    first, second = row("a", channel="SIP/x-1"), row("b", channel="SIP/y-1", dstchannel="SIP/x-1")
    assert calls(first, second) == [0, 0]
    assert calls(
        first, row("c", dstchannel="Local/9@f-1;1"), row("d", channel="Local/9@f-1;2")
    ) == [*(0, 1, 1)]


def test_a_name_of_a_channel_is_another_channel_once_the_first_one_is_long_over():
    again = row("b", channel="SIP/x-1", start=components.GAP + 11)
    assert calls(row("a", channel="SIP/x-1"), again) == [0, 1]
    again = row("b", channel="SIP/x-1", start=components.GAP + 10)
    assert calls(row("a", channel="SIP/x-1"), again) == [0, 0]
    made_since = row(f"{EPOCH + 20}.7", channel="SIP/x-1", start=30)
    assert calls(row(f"{EPOCH}.6", channel="SIP/x-1"), made_since) == [0, 1]


NAMES = st.sampled_from(["", "a", "b", "c", "d"])
ROWS = st.lists(
    st.builds(row, NAMES, NAMES, NAMES.map("SIP/{}-1".format), NAMES.map("SIP/{}-1".format)),
    max_size=8,
)


@given(ROWS, st.randoms())
def test_calls_are_the_groups_that_chains_of_shared_names_make(rows, random):
    groups = [{place} for place in range(len(rows))]
    for one, other in ((a, b) for a in range(len(rows)) for b in range(a)):
        ids, channels = ("uniqueid", "linkedid"), ("channel", "dstchannel")
        shared = any(
            {rows[one][name] for name in names} & {rows[other][name] for name in names} - {""}
            for names in (ids, channels)
        )
        if shared:
            both = next(g for g in groups if one in g) | next(g for g in groups if other in g)
            groups = [group for group in groups if not group & both] + [both]
    assert calls(*rows) == [
        min(next(g for g in groups if place in g)) for place in range(len(rows))
    ]
    order = random.sample(range(len(rows)), len(rows))
    mixed = calls(*(rows[place] for place in order))
    assert {
        frozenset(order[p] for p, label in enumerate(mixed) if label == one) for one in mixed
    } == {frozenset(group) for group in groups}
