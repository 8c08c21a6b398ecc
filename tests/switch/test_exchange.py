"""Questions that arrive together are answered together, each once, and logged."""

from __future__ import annotations

import asyncio

import pytest
from boards import account, board

from a2ledger.switch.decisions import Decisions
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.metrics import Metrics
from a2ledger.switch.questions import Begin, End


def asked(path, work, *accounts):
    """Run something with an exchange over a switchboard."""

    async def run():
        own = Exchange(board(path, *accounts), Decisions(path.parent / "log", 1, 1), Metrics())
        try:
            return await work(own)
        finally:
            await own.close()

    return asyncio.run(run())


def begin(number):
    return Begin(call=str(number), called="3225", customer="ada", seconds=60)


def test_calls_that_ask_at_once_do_not_spend_the_same_money(path):
    async def work(exchange):
        return await asyncio.gather(*(exchange.decide(begin(number)) for number in range(30)))

    decisions = asked(path, work, account(limit="6"))
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False] * 20
    assert len((path.parent / "log").read_text().splitlines()) == 30


def test_answers_are_counted_and_an_end_is_settled(path):
    async def work(exchange):
        await exchange.decide(begin(1))
        settled = await exchange.settle(End(call="1", seconds=60))
        unknown = await exchange.settle(End(call="2", seconds=60))
        return settled, unknown, exchange.metrics, await exchange.holding()

    settled, unknown, metrics, holding = asked(path, work, account())
    assert (settled.is_known, settled.cost_micro, unknown.is_known) == (True, 600_000, False)
    assert metrics.decisions == {("", "begin", "ok"): 1}
    assert metrics.ends == {("", "yes"): 1, ("", "no"): 1}
    assert [call.held_micro for call in holding] == [600_000]


def test_whoever_waits_hears_of_an_error_and_the_next_one_is_answered(path):
    async def work(exchange):
        exchange.board.snapshot, snapshot = object(), exchange.board.snapshot
        with pytest.raises(AttributeError):
            await exchange.decide(begin(1))
        exchange.board.snapshot = snapshot
        return await exchange.decide(begin(2))

    assert asked(path, work, account()).allowed
