"""What a switchboard answers, by customers and decks given as values."""

from __future__ import annotations

import datetime as dt

import pytest
from boards import NOON, TIMED, Clock, account, begin, board, deck

from a2ledger import callguards
from a2ledger.book.authorize import Authorize, Group
from a2ledger.callguards import CallGuards
from a2ledger.switch.questions import Begin

GUARDED = {
    "barred": ("88216", CallGuards(barred=("satellite",)), "barred"),
    "dearest": ("3225", CallGuards(dearest=500_000), "barred"),
    "no calls": ("3312", CallGuards(calls=0), "too-many-calls"),
    "hour": ("3225", CallGuards(per_hour=500_000), "spend-limit"),
    "day": ("3225", CallGuards(per_day=500_000), "spend-limit"),
    "longest": ("3312", CallGuards(longest=0), "barred"),
}


@pytest.mark.parametrize("guard", GUARDED)
def test_guards_refuse_what_credit_would_pay(path, guard):
    called, guards, reason = GUARDED[guard]
    told = begin(board(path, account(), settings=Authorize(guards=guards)), called=called)
    assert (told.allowed, told.reason) == (False, reason)
    unguarded = begin(board(path, account()), called=called)
    assert unguarded.allowed


def test_a_customer_s_guard_is_narrower_than_the_group_s_and_the_group_s_than_all_s(path):
    settings = Authorize(
        guards=CallGuards(barred=("satellite", "premium"), longest=60),
        groups={"gold": Group(guards=CallGuards(longest=120))},
    )
    own = account(group="gold", guards="allowed=satellite, calls=1")
    told = begin(board(path, own, settings=settings), called="88216")
    assert (told.allowed, told.max_seconds) == (True, 120)


def test_nights(path):
    clock = Clock()
    settings = Authorize(
        guards=CallGuards(barred_at_night=("international",)),
        home=("32",),
        night=callguards.parse_night("22:00-06:00"),
    )
    guarded = board(path, account(), settings=settings, clock=clock)
    assert begin(guarded, "1", seconds=1).allowed
    clock.now = NOON.replace(hour=23)
    guarded.checked = clock()
    assert begin(guarded, "2", seconds=1).reason == "barred"
    assert begin(guarded, "3", "3225", seconds=1).allowed


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"blocked": "card stolen"}, "blocked"),
        ({"blocked": "no"}, "ok"),
        ({"status": "expired"}, "blocked"),
        ({"status": "active"}, "ok"),
        ({"tariff": "gone"}, "no-rate"),
        ({"currency": "USD"}, "no-rate"),
        ({"credit_limit": "0"}, "no-credit"),
    ],
    ids=str,
)
def test_facts_decide(path, facts, reason):
    assert begin(board(path, account(**facts))).reason == reason


def test_emergency_calls_are_always_allowed(path):
    blocked = board(path, account(blocked="yes"))
    told = begin(blocked, called="112")
    assert (told.allowed, told.reserved_micro) == (True, 0)
    (unknown,) = blocked.answer([Begin(call="2", called="112", identifiers=("nobody",))])
    assert unknown.allowed


def test_a_book_that_is_not_fresh_is_said(path):
    clock = Clock()
    stale = board(path, account(), clock=clock)
    clock.forward(seconds=61)
    assert (begin(stale).allowed, begin(stale).reason) == (False, "stale")
    lenient = board(path, account(), settings=Authorize(on_failure="allow"), clock=clock)
    clock.forward(seconds=61)
    told = begin(lenient)
    assert (told.allowed, told.reason, told.max_seconds) == (True, "stale", 600)


def test_the_dearest_rate_counts_where_clocks_may_differ(path):
    clock = Clock()
    clock.now = NOON.replace(hour=11, minute=59, second=59) + dt.timedelta(days=1)
    timed = board(
        path,
        account(tariff="timed"),
        clock=clock,
        decks={"timed": deck(TIMED, "timed")},
    )
    assert begin(timed, called="44207", seconds=60).reserved_micro == 1_200_000
    clock.forward(seconds=5)
    timed.checked = clock()
    assert begin(timed, "2", called="44207", seconds=60).reserved_micro == 120_000
