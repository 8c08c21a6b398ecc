from __future__ import annotations

import itertools

import pyarrow as pa
import pytest
from harness import cdr

from a2ledger.calls import detail
from a2ledger.calls.duplicates import COLUMNS, once

DAY = 86_400


def row(uid="u", seq="1", start=1000, seconds=30, **more):
    usual = {
        "switch": "pbx", "called": "32", "caller": "33", "customer": "C1", "service": "Calls",
        "given": "", "direction": "", "leg": "", "sealed": False, "halves": "", "rank": 0,
    }  # fmt: skip
    return usual | {"uid": uid, "seq": seq, "start": start, "seconds": seconds} | more


def table(rows):
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    numbers = ("start", "seconds", "rank")
    for name, kind in (*((name, pa.int64()) for name in numbers), ("sealed", pa.bool_())):
        schema = schema.set(schema.get_field_index(name), pa.field(name, kind))
    return pa.Table.from_pylist(rows, schema)


def settled(old, new):
    return {
        name: numbers.tolist()
        for name, numbers in once(table(old), table(new))._asdict().items()
        if len(numbers)
    }


def test_what_is_new_is_kept():
    assert settled([], []) == {}
    later = row(seq="2", start=2000)
    assert settled([], [row(), later, row(uid="v")]) == {}
    assert settled([row()], [later, row(switch="other"), row(uid="v")]) == {}


def test_the_same_again_is_a_duplicate():
    assert settled([], [row(), row(), row()]) == {"duplicates": [1, 2]}
    assert settled([row()], [row(seq="2", start=2000), row()]) == {"duplicates": [1]}
    assert settled([row(sealed=True)], [row()]) == {"duplicates": [0]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"start": 1000}, {"start": 1001}),
        ({"seconds": 31}, {"seconds": 30}),
        ({"called": "31"}, {"called": "32"}),
        ({"caller": "31"}, {"caller": "32"}),
        ({"customer": "C1"}, {"customer": "C2"}),
        ({"service": "Calls"}, {"service": "Directory"}),
        ({"given": "1"}, {"given": "2"}),
        ({"given": ""}, {"given": "0"}),
    ],
)
def test_of_a_conflict_the_earliest_the_longer_the_smaller_text_stays(one, other):
    winner, loser = row(**one), row(**other)

    assert settled([], [winner, loser]) == {"conflicts": [1]}
    assert settled([], [loser, winner]) == {"conflicts": [0]}
    assert settled([winner], [loser]) == {"conflicts": [0]}
    assert settled([loser], [winner]) == {"displaced": [0]}


def test_a_sealed_call_always_wins():
    assert settled([row(start=1020, sealed=True)], [row(start=1000)]) == {"conflicts": [0]}
    assert settled([row(seq="", start=1020, sealed=True)], [row(seq="")]) == {"conflicts": [0]}


def test_rows_of_one_id_whose_times_do_not_overlap_are_two_calls():
    """A channel was transferred, or dialled twice: both are billed, whichever comes first."""
    first, second = row(seq=""), row(seq="", start=1030, called="44")
    assert settled([], [first, second]) == settled([second], [first]) == {}
    assert settled([first, second], [second, first]) == {"duplicates": [0, 1]}
    # However late and whosever, where a log gives the parts of a call one id.
    late = row(seq="", start=1030 + 7201, called="44", caller="99", customer="C2")
    assert settled([], [first, late]) == settled([late], [first, second]) == {}
    assert settled([], [late, first]) == settled([first, second], [late]) == {}
    # A sequence is of one row alone.
    assert settled([row()], [row(start=1030)]) == {"conflicts": [0]}


def test_an_id_of_a_channel_is_not_of_calls_hours_apart_nor_of_two_callers_and_customers():
    """A channel is not up for hours without a row: an id was written twice."""
    first = row(seq="", uid="fs1-1767607200.1")
    for other in ({"start": 5000}, {"caller": "99", "start": 5000}, {"customer": "C2"}):
        soon = first | {"start": 1030, "called": "44"} | other
        assert settled([], [first, soon]) == settled([soon], [first]) == {}, other
    for other in ({"start": 1030 + 7201}, {"caller": "99", "customer": "C2", "start": 5000}):
        alien = first | {"called": "44"} | other
        assert settled([first], [alien]) == settled([], [alien, first]) == {"conflicts": [0]}


def test_the_same_call_read_in_another_zone_is_the_call_it_was():
    for hours in (-9, -1, 1, 5.75):
        moved = row(start=1000 + int(hours * 3600))
        assert settled([row()], [moved]) == {"duplicates": [0]}
        assert settled([row(sealed=True)], [moved | {"seq": "1"}]) == {"duplicates": [0]}
    # Days, minutes and other lengths are no zones.
    for other in (row(start=1000 + 61), row(start=1000 + 3600, seconds=31)):
        assert "duplicates" not in settled([row()], [other])
    # Of rows that are both new nobody knows which was read wrongly.
    assert settled([], [row(seq=""), row(seq="", start=1000 + 3600)]) == {"conflicts": [1]}


def test_rows_of_one_channel_that_overlap_are_billed_once():
    """As ``ForkCDR`` makes them, or a conference of three: the first stays, whatever the order."""
    fork, inner = row(seq="2"), row(seq="3", start=1010, seconds=15, called="44")
    assert settled([], [row(), fork, inner]) == {"halves": [1, 2]}
    assert settled([fork], [row()]) == {"outdone": [0], "outdoing": [0]}
    assert settled([row(sealed=True)], [fork]) == {"halves": [0]}
    assert settled([fork | {"sealed": True}], [row()]) == {"halves": [0]}
    # A call that came in, and the one it was forwarded by.
    assert settled([row(direction="incoming")], [fork]) == {}
    assert settled([row(leg="a: u/1 u/3")], [row(seq="2", leg="b: u/2 u/4")]) == {}


def test_a_call_that_was_accepted_stays_beside_the_one_that_was_kept():
    kept, other = row(), row(start=1001, called="44")
    accepted = other | {"uid": "u#0123abcd"}
    assert settled([kept], [accepted]) == {}
    assert settled([kept, accepted], [other, kept]) == {"duplicates": [0, 1]}
    assert settled([kept, accepted], [row(start=1002)]) == {"conflicts": [0]}


def test_a_call_that_was_accepted_is_posted_though_it_differs_by_an_hour_alone():
    """It is not taken for the call of the book in another time zone, as a new row would be."""
    later = row(start=4600)
    assert settled([row()], [later]) == {"duplicates": [0]}
    assert settled([row()], [later | {"uid": "u#0123abcd"}]) == {}


def test_a_row_without_sequence_is_the_one_with_its_id_start_and_seconds():
    bare = row(seq="", called="written otherwise")

    assert settled([], [row(), bare]) == {"duplicates": [1]}
    assert settled([], [bare, row()]) == {"duplicates": [0]}
    assert settled([row()], [bare]) == {"duplicates": [0]}
    assert settled([bare], [row()]) == {"replaced": [0]}
    assert settled([bare | {"sealed": True}], [row()]) == {"duplicates": [0]}


def test_a_row_without_sequence_that_is_none_of_those_with_one_gives_way():
    bare = row(seq="", start=1001)

    assert settled([], [row(), bare]) == {"conflicts": [1]}
    assert settled([row()], [bare]) == {"conflicts": [0]}
    assert settled([bare], [row()]) == {"displaced": [0]}
    assert settled([bare | {"sealed": True}], [row()]) == {}


def test_an_id_may_be_used_again_another_day():
    assert settled([row()], [row(start=1000 + DAY)]) == {"conflicts": [0]}
    assert settled([row()], [row(start=1001 + DAY)]) == {}
    assert settled([row(seq="")], [row(start=1001 + DAY)]) == {}


def test_a_call_that_lost_a_conflict_leaves_its_place_to_nobody():
    rows = [row(start=1000), row(start=1001), row(seq="", start=1001)]

    for order in itertools.permutations(range(3)):
        kept = []
        for index in order:
            outcome = once(table(kept), table([rows[index]]))
            gone = {*outcome.replaced.tolist(), *outcome.displaced.tolist()}
            kept = [one for number, one in enumerate(kept) if number not in gone]
            if not len(outcome.duplicates) and not len(outcome.conflicts):
                kept.append(rows[index])
        assert kept == [rows[0]], order


def test_a_row_without_sequence_is_not_the_same_as_a_call_that_loses_its_conflict_beside_it():
    held, without, earlier = row(start=1020), row(seq="", start=1020), row(start=1000)
    assert settled([held], [without, earlier]) == {"conflicts": [0], "displaced": [0]}
    # And so it is when the same comes again.
    assert settled([earlier], [without, earlier]) == {"conflicts": [0], "duplicates": [1]}


def test_what_a_person_has_decided_goes_before_all_but_a_sealed_call():
    late = row(start=1020, rank=-1)
    assert settled([row()], [late]) == {"displaced": [0]}
    assert settled([row(sealed=True)], [late]) == {"conflicts": [0]}
    assert settled([late | {"rank": 0}], [row(rank=1)]) == {"conflicts": [0]}
    assert settled([row()], [row(seq="", start=1020, rank=-1)]) == {"displaced": [0]}
    assert settled([row(seq="", start=1020)], [row(rank=1)]) == {"conflicts": [0]}


def test_what_calls_are_compared_by_is_in_the_call_detail():
    assert set(COLUMNS) - {"sealed", "rank"} <= set(detail.SCHEMA.names)


def test_two_switches_that_number_alike_stay_apart(book):
    book.customers({"id": "C1"})
    for name in ("pbx1", "pbx2"):
        book.append("a2ledger.toml", f'\n[sources.{name}]\ndialect = "asterisk"\n')
    master = book.file("Master.csv", cdr(billsec=60) + "\n")
    for name in ("pbx1", "pbx2", "pbx1"):
        book.run("import", name, master, today="2026-01-31")
    assert book.balance("C1")["unbilled"] == "2.00"  # a minute of each, once
