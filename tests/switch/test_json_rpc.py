"""JSON-RPC in CGRateS' dialect, asked without a socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from boards import account, board
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.switch import json_rpc
from a2ledger.switch.answers import QuestionError
from a2ledger.switch.decisions import Decisions
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.metrics import Metrics

EVENT = {"OriginID": "1", "Account": "ada", "Destination": "3312"}


@pytest.fixture
def ask(path):
    """Ask a switchboard in messages, each after the other."""
    asked = board(path, account(identifiers="ada"))

    def ask(*messages):
        async def converse():
            exchange = Exchange(asked, Decisions(path.parent / "log", 1, 1), Metrics())
            replies = [await json_rpc.answer(exchange, text) for text in messages]
            await exchange.close()
            return [reply and json.loads(reply) for reply in replies]

        return asyncio.run(converse())

    return ask


def call(method, event=None, **more):
    about = {"jsonrpc": "2.0", "id": 7, "method": f"SessionSv1.{method}"} | more
    return json.dumps(about | {"params": [{"Event": EVENT | (event or {})}]})


def test_a_session_is_authorised_begun_prolonged_and_ended(ask):
    replies = ask(
        call("AuthorizeEvent", {"Usage": "1m"}),
        call("InitiateSessionWithDigest", {"Usage": "1m"}),
        call("UpdateSession", {"Usage": "30s"}),
        call("GetActiveSessions"),
        call("TerminateSession", {"Usage": "90s"}),
        call("GetActiveSessions"),
    )
    authorised, begun, longer, active, ended, none = (reply["result"] for reply in replies)
    assert (authorised["MaxUsage"], authorised["Reason"]) == (60_000_000_000, "ok")
    assert begun["MaxUsage"] == 60
    assert longer["MaxUsage"] == 30_000_000_000
    assert [(row["OriginID"], row["MaxUsage"]) for row in active] == [("1", 90_000_000_000)]
    assert (ended, none) == ("OK", [])


def test_a_refusal_is_a_usage_of_nothing(ask):
    (reply,) = ask(call("AuthorizeEvent", {"Account": "nobody"}))
    assert (reply["result"]["MaxUsage"], reply["result"]["Reason"]) == (0, "unknown-customer")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", json_rpc.BAD_JSON),
        ("[]", json_rpc.BAD_REQUEST),
        ('"x"', json_rpc.BAD_REQUEST),
        ('{"jsonrpc": "2.0", "id": 1}', json_rpc.BAD_REQUEST),
        (call("Sing"), json_rpc.NO_METHOD),
        (json.dumps({"jsonrpc": "2.0", "id": 1, "method": "Other.Do"}), json_rpc.NO_METHOD),
        (call("AuthorizeEvent", {"Usage": "soon"}), json_rpc.BAD_PARAMS),
        (call("AuthorizeEvent", {"Usage": float("nan")}), json_rpc.BAD_PARAMS),
        (call("AuthorizeEvent", {"Usage": float("inf")}), json_rpc.BAD_PARAMS),
        (call("AuthorizeEvent", {"Usage": "9" * 5000}), json_rpc.BAD_PARAMS),
        (call("AuthorizeEvent", {"Account": ""}), json_rpc.BAD_PARAMS),
        (call("TerminateSession", {"OriginID": "9"}), json_rpc.NO_SESSION),
    ],
)
def test_each_failure_has_its_code(ask, message, code):
    (reply,) = ask(message)
    assert reply["error"]["code"] == code


def test_older_messages_have_older_answers_and_notices_have_none(ask):
    older = json.dumps({"id": 3, "method": "SessionSv1.Ping"})
    failed = json.dumps({"id": 4, "method": "SessionSv1.Sing"})
    notice = json.dumps({"jsonrpc": "2.0", "method": "SessionSv1.Ping"})
    odd = json.dumps({"jsonrpc": "2.0", "method": "SessionSv1.Sing"})
    both = f"[{older}, {notice}]"
    assert ask(older, failed, notice, odd, both, f"[{notice}]") == [
        {"id": 3, "result": "Pong", "error": None},
        {"id": 4, "result": None, "error": "SessionSv1.Sing: there is no such method"},
        None,
        None,
        [{"id": 3, "result": "Pong", "error": None}],
        None,
    ]


def test_what_is_not_known_is_begun_where_the_event_says_enough(ask):
    begun, bare = ask(
        call("UpdateSession", {"OriginID": "8", "Usage": "30s"}),
        json.dumps({"id": 1, "method": "SessionSv1.UpdateSession", "params": {"OriginID": "9"}}),
    )
    assert begun["result"]["MaxUsage"] == 30_000_000_000
    assert (bare["result"]["MaxUsage"], bare["result"]["Reason"]) == (0, "unknown-customer")


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_length_is_read_as_go_writes_it(hours, minutes, seconds, milliseconds):
    exact = ((hours * 60 + minutes) * 60 + seconds) * 10**9 + milliseconds * 10**6
    assert json_rpc.duration(f"{hours}h{minutes}m{seconds}.{milliseconds:03d}s") == exact
    assert json_rpc.duration(f"{hours}h{minutes}m{seconds}s{milliseconds}ms") == exact
    assert json_rpc.duration(exact) == json_rpc.duration(str(exact)) == exact


@pytest.mark.parametrize(
    "value",
    [
        -1,
        "-1s",
        "1.5",
        "1d",
        "s",
        True,
        [],
        0.5,
        float("nan"),
        float("-inf"),
        "1" * 5000,
        "1" * 5000 + "s",
    ],
)
def test_what_is_no_length_is_refused(value):
    with pytest.raises(QuestionError, match="is no length such as 90s"):
        json_rpc.duration(value)


VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers()
NAMES = st.sampled_from(["Event", "CGREvent", "OriginID", "Destination", "Usage"])
PARAMS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner), max_leaves=5
)


@given(PARAMS)
def test_whatever_does_not_name_an_account_is_refused_before_a_switchboard_is_asked(params):
    message = json.dumps({"id": 1, "method": "SessionSv1.AuthorizeEvent", "params": params})
    assert json.loads(asyncio.run(json_rpc.answer(None, message)))["error"]
