"""What Asterisk's channels ask over AGI, asked without a socket."""

from __future__ import annotations

import asyncio

import pytest
from boards import account, board

from a2ledger.switch import agi
from a2ledger.switch.answers import QuestionError
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.metrics import Metrics

CHANNEL = {
    "agi_network_script": "authorize",
    "agi_channel": "PJSIP/3031-0000002a",
    "agi_uniqueid": "1772449200.42",
    "agi_extension": "3312",
    "agi_accountcode": "",
}


class Asterisk(asyncio.StreamReader):
    """A channel that says what it is, and answers each command; it is its own writer."""

    def __init__(self, head, variables):
        super().__init__()
        self.variables, self.commands = variables, []
        self.feed_data(head)

    def write(self, line):
        command = line.decode().rstrip("\n")
        self.commands.append(command)
        value = self.variables.get(command.removeprefix("GET VARIABLE "))
        reply = f"200 result=1 ({value})" if value is not None else "200 result=0"
        self.feed_data(b"HANGUP\n" + reply.encode() + b"\n")

    async def drain(self):
        """Have everything already."""


@pytest.fixture
def converse(path):
    asked = board(path, account(identifiers="3031"))

    def converse(variables=None, head=None, **channel):
        text = "".join(f"{name}: {value}\n" for name, value in (CHANNEL | channel).items()) + "\n"
        asterisk = None

        async def run():
            nonlocal asterisk
            asterisk = Asterisk(head or text.encode(), variables or {})
            exchange = Exchange(asked, Decisions(path.parent / "log", 1, 1), Metrics())
            try:
                await agi.converse(exchange, asterisk, asterisk)
            finally:
                await exchange.close()

        asyncio.run(run())
        sets = [command.split(" ", 3) for command in asterisk.commands if command[:3] == "SET"]
        return {name: text.strip('"') for _, _, name, text in sets}

    converse.board = asked
    return converse


def test_the_channel_says_who_calls_whom(converse):
    variables = converse()
    assert (variables["A2L_ALLOWED"], variables["A2L_CUSTOMER"]) == ("1", "ada")
    assert variables["A2L_REASON"] == "ok"
    assert int(variables["A2L_MAX_SECONDS"]) == 10_000
    assert "A2L_MESSAGE" not in variables


def test_the_address_goes_before_the_channel(converse):
    script = "authorize?identifier=nobody&called=3312&call=x"
    refused = converse(agi_network_script=script)
    assert (refused["A2L_ALLOWED"], refused["A2L_REASON"]) == ("0", "unknown-customer")
    assert refused["A2L_MAX_SECONDS"] == "0"
    assert (
        converse(agi_network_script=script + "&customer=ada&seconds=60")["A2L_MAX_SECONDS"] == "60"
    )
    old = {"agi_network_script": "", "agi_request": "agi://127.0.0.1:4573/authorize?seconds=30"}
    assert converse(**old)["A2L_MAX_SECONDS"] == "30"


def test_a_hang_up_is_settled_by_the_seconds_of_the_channel(converse):
    converse(agi_network_script="authorize?seconds=600")
    converse({"ANSWEREDTIME": "60"}, agi_network_script="end")
    with converse.board.state.transaction():
        call = converse.board.state.find("1772449200.42")
    assert (call.state, call.seconds, call.cost_micro) == ("ended", 60, 60_000)


def test_a_call_that_was_not_answered_costs_nothing(converse):
    converse()
    converse(agi_network_script="end")
    assert converse.board.holding() == []


def test_a_question_that_is_none_is_refused_in_the_channel(converse):
    variables = converse(agi_network_script="authorize?seconds=soon")
    assert variables["A2L_ALLOWED"] == "0"
    assert variables["A2L_REASON"] == "bad-request"
    assert "'soon' is no number of seconds" in variables["A2L_MESSAGE"]
    assert "called: is missing" in converse(agi_extension="")["A2L_MESSAGE"]


@pytest.mark.parametrize(
    ("channel", "says"),
    [
        ({"agi_network_script": "sing"}, "there is /authorize and /end"),
        ({"agi_network_script": f"end?call={'x' * 300}"}, "a parameter is longer"),
        ({"agi_network_script": "end", "agi_uniqueid": ""}, "agi_uniqueid: is missing"),
        ({"head": b"GET / HTTP/1.1\n\n"}, "not AGI"),
    ],
)
def test_what_cannot_be_answered_is_said(converse, channel, says):
    with pytest.raises(QuestionError, match=says):
        converse(**channel)
