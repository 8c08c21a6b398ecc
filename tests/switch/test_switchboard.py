"""A switchboard over a call's life: asked, extended, hung up, imported."""

from __future__ import annotations

from boards import EUR, Clock, account, begin, board

from a2ledger.switch.questions import Begin, End, Extend
from a2ledger.switch.settlement import Record


def test_money_of_an_hour_is_free_again_after_the_hour(path):
    clock = Clock()
    guarded = board(path, account(guards="per_hour=0.60"), clock=clock)
    assert begin(guarded, "1", "3225").max_seconds == 60
    guarded.answer([End(call="1", seconds=60)])
    assert begin(guarded, "2", "3225").reason == "spend-limit"
    clock.forward(minutes=61)
    guarded.checked = clock()
    assert begin(guarded, "3", "3225").allowed


def test_calls_at_once_are_counted_until_they_end(path):
    guarded = board(path, account(guards="calls=2"))
    assert [begin(guarded, str(n), seconds=1).reason for n in range(3)] == [
        "ok",
        "ok",
        "too-many-calls",
    ]
    guarded.answer([End(call="0", seconds=1)])
    assert begin(guarded, "4", seconds=1).allowed


def test_a_setup_nobody_answered_is_free_after_it_rang_long_enough(path):
    clock = Clock()
    asked = board(path, account(), clock=clock)
    assert begin(asked, "1", is_setup=True).available_micro == 0
    assert begin(asked, "2").reason == "no-credit"
    clock.forward(seconds=181)
    asked.checked = clock()
    assert begin(asked, "2").allowed
    assert begin(asked, "1", is_answered=True).reason == "no-credit"


def test_a_forgotten_call_holds_its_money_for_a_while_and_not_for_ever(path):
    clock = Clock()
    asked = board(path, account(), clock=clock)
    begin(asked, "1", seconds=60)
    clock.forward(seconds=180 + 60 + 7199)
    assert [call.call for call in asked.holding()] == ["1"]
    clock.forward(seconds=1)
    assert asked.holding() == []
    with asked.state.transaction():
        assert [call.call for call in asked.state.lost(int(clock().timestamp()))] == ["1"]


def test_a_channel_that_dials_twice_has_two_calls_and_each_its_record(path):
    asked = board(path, account())
    begin(asked, "1", seconds=60)
    asked.answer([End(call="1", seconds=60)])
    begin(asked, "1", "3225", seconds=60)
    assert sum(call.held_micro for call in asked.holding()) == 660_000
    first = Record(call="1", switch="pbx", start=1, seconds=60, cost_micro=60_000)
    newer = board(path, account(), generation=2).snapshot
    asked.adopt(newer, [first])
    assert [call.called for call in asked.holding()] == ["3225"]
    second = Record(call="1", switch="pbx", start=2, seconds=60, cost_micro=600_000)
    asked.adopt(board(path, account(), generation=3).snapshot, [first, second])
    assert asked.holding() == []


def test_a_record_of_a_part_leaves_the_rest_held_until_the_call_is_hung_up(path):
    asked = board(path, account())
    begin(asked, "1", seconds=600, ends=True)
    first = Record(call="1", switch="pbx", start=1, seconds=60, cost_micro=60_000)
    asked.adopt(board(path, account(owed=0.06), generation=2).snapshot, [first])
    assert [(call.state, call.held_micro) for call in asked.holding()] == [("running", 540_000)]
    asked.adopt(board(path, account(owed=0.06), generation=3).snapshot, [first])
    assert [call.held_micro for call in asked.holding()] == [540_000]
    (longer,) = asked.answer([Extend(call="1", seconds=60)])
    assert (longer.max_seconds, longer.reserved_micro) == (660, 600_000)
    (ended,) = asked.answer([End(call="1", seconds=100)])
    assert ended.available_micro == 9_900_000
    second = Record(call="1", switch="pbx", start=61, seconds=40, cost_micro=40_000)
    asked.adopt(board(path, account(owed=0.10), generation=4).snapshot, [first, second])
    assert asked.holding() == []


def test_parts_that_are_imported_together_are_counted_once_each(path):
    asked = board(path, account())
    begin(asked, "1", seconds=600, ends=True)
    parts = [
        Record(call="1", switch="pbx", start=at, seconds=60, cost_micro=60_000) for at in (1, 61)
    ]
    for generation in (2, 3):
        asked.adopt(board(path, account(), generation=generation).snapshot, parts)
        assert [call.held_micro for call in asked.holding()] == [480_000]


def test_a_switch_that_promises_nothing_has_its_call_ended_by_the_record(path):
    asked = board(path, account())
    begin(asked, "1", seconds=600)
    record = Record(call="1", switch="pbx", start=1, seconds=60, cost_micro=60_000)
    asked.adopt(board(path, account(), generation=2).snapshot, [record])
    assert asked.holding() == []


def test_a_server_with_an_older_book_still_counts_what_a_newer_one_released(path):
    older, newer = board(path, account()), board(path, account())
    begin(older, "1", seconds=1000)
    newer.adopt(
        board(path, account(owed=1), generation=2).snapshot,
        [Record(call="1", switch="pbx", start=1, seconds=1000, cost_micro=EUR)],
    )
    assert newer.holding() == []
    assert [call.held_micro for call in older.holding()] == [EUR]


def test_a_call_that_is_unknown_is_not_extended_but_may_begin(path):
    asked = board(path, account())
    (told,) = asked.answer([Extend(call="9", seconds=60)])
    assert (told.allowed, told.reason) == (False, "unknown-customer")
    otherwise = Begin(call="9", called="3312", customer="ada", seconds=60)
    (told,) = asked.answer([Extend(call="9", seconds=60, otherwise=otherwise)])
    assert (told.allowed, told.max_seconds) == (True, 60)
