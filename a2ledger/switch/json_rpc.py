"""JSON-RPC in the dialect of CGRateS, as modules of OpenSIPS and Kamailio speak it.

``SessionSv1.AuthorizeEvent`` asks before the call rings and holds its money for as long as it may
ring; ``InitiateSession`` says that it was answered, ``UpdateSession`` that it wants to go on,
``TerminateSession`` that it was hung up. Lengths are nanoseconds, in the methods ``WithDigest``
seconds. A refusal is a ``MaxUsage`` of 0.
"""

from __future__ import annotations

import json
import re
from typing import Any

from a2ledger.book.authorize import LONGEST
from a2ledger.rating.columns import MAX_SECONDS
from a2ledger.switch.answers import QuestionError, call_json, text_of
from a2ledger.switch.decide import Decision
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.questions import Begin, End, Extend

LARGEST = 64 * 1024
"""Size of the largest message, in bytes."""

_SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_PART = re.compile(r"([0-9]+)(?:\.([0-9]{1,9}))?(ns|us|µs|ms|s|m|h)", re.ASCII)
_PROTOCOL = "json-rpc"
_LONGEST_TEXT = 40
"""Most characters of a length."""

BAD_JSON, BAD_REQUEST, NO_METHOD, BAD_PARAMS, NO_SESSION = -32700, -32600, -32601, -32602, -32000


class RpcError(Exception):
    """A method call that failed, with its error code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


async def answer(exchange: Exchange, text: str | bytes) -> str | None:
    """Return the answer to a message or a list of them, or None if none is wanted."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(_failure({"jsonrpc": "2.0"}, RpcError(BAD_JSON, "not JSON")))
    if not isinstance(message, list):
        reply = await _answer(exchange, message)
        return None if reply is None else json.dumps(reply)
    if not message:
        return json.dumps(_failure({"jsonrpc": "2.0"}, RpcError(BAD_REQUEST, "an empty list")))
    replies = [await _answer(exchange, part) for part in message]
    wanted = [reply for reply in replies if reply is not None]
    return json.dumps(wanted) if wanted else None


async def _answer(exchange: Exchange, message: Any) -> dict[str, Any] | None:
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        about = message if isinstance(message, dict) else {"jsonrpc": "2.0"}
        return _failure(about, RpcError(BAD_REQUEST, "not a request"))
    try:
        result = await _call(exchange, message["method"], message.get("params"))
    except RpcError as error:
        return _failure(message, error) if "id" in message else None
    except QuestionError as error:
        return _failure(message, RpcError(BAD_PARAMS, str(error))) if "id" in message else None
    if "id" not in message:
        return None
    if message.get("jsonrpc") == "2.0":
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}
    return {"id": message["id"], "result": result, "error": None}


def _failure(message: dict[str, Any], error: RpcError) -> dict[str, Any]:
    number = message.get("id")
    if message.get("jsonrpc") == "2.0":
        about = {"code": error.code, "message": str(error)}
        return {"jsonrpc": "2.0", "id": number, "error": about}
    return {"id": number, "result": None, "error": str(error)}


async def _call(exchange: Exchange, method: str, params: Any) -> Any:
    service, _, name = method.partition(".")
    if name == "Ping":
        return "Pong"
    if service != "SessionSv1":
        raise RpcError(NO_METHOD, f"{method}: there is SessionSv1")
    event = _event(params)
    in_seconds = name.endswith("WithDigest")
    plain = name.removesuffix("WithDigest")
    if plain == "AuthorizeEvent":
        begin = _begin(event, is_setup=True)
        decision = await exchange.decide(begin)
        return _usage(decision, decision.max_seconds, in_seconds=in_seconds)
    if plain == "InitiateSession":
        decision = await exchange.decide(_begin(event, is_answered=True))
        return _usage(decision, decision.max_seconds, in_seconds=in_seconds)
    if plain == "UpdateSession":
        return await _update(exchange, event)
    if plain in {"TerminateSession", "ProcessCDR"}:
        return await _terminate(exchange, event, is_known=plain == "ProcessCDR")
    if plain == "GetActiveSessions":
        return await _active(exchange)
    raise RpcError(NO_METHOD, f"{method}: there is no such method")


def _event(params: Any) -> dict[str, Any]:
    """Return the event from the parameters, wherever a version puts it."""
    if isinstance(params, list):
        params = params[0] if params else {}
    if params is None:
        params = {}
    for name in ("CGREvent", "Event"):
        if isinstance(params, dict) and isinstance(params.get(name), dict):
            params = params[name]
    if not isinstance(params, dict):
        raise QuestionError("params: must be an object, or a list of one")
    return params


def _begin(event: dict[str, Any], *, is_setup: bool = False, is_answered: bool = False) -> Begin:
    usage = duration(event.get("Usage"))
    return Begin(
        call=text_of(event, "OriginID", required=True),
        called=text_of(event, "Destination", required=True),
        identifiers=(text_of(event, "Account", required=True),),
        switch=text_of(event, "Switch"),
        seconds=min(usage // _SECOND, LONGEST),
        is_setup=is_setup,
        is_answered=is_answered,
        ends=is_answered,  # a session that is initiated is terminated
        protocol=_PROTOCOL,
    )


async def _update(exchange: Exchange, event: dict[str, Any]) -> dict[str, Any]:
    is_whole = bool(event.get("Account") and event.get("Destination"))
    decision = await exchange.decide(
        Extend(
            call=text_of(event, "OriginID", required=True),
            switch=text_of(event, "Switch"),
            seconds=min(duration(event.get("Usage")) // _SECOND, LONGEST),
            otherwise=_begin(event, is_answered=True) if is_whole else None,
            protocol=_PROTOCOL,
        )
    )
    return _usage(decision, decision.more_seconds)


async def _terminate(exchange: Exchange, event: dict[str, Any], *, is_known: bool) -> str:
    usage = duration(event.get("Usage"))
    seconds = min(-(-usage // _SECOND), MAX_SECONDS)
    settled = await exchange.settle(
        End(
            call=text_of(event, "OriginID", required=True),
            switch=text_of(event, "Switch"),
            seconds=seconds,
            is_answered=seconds > 0,
            protocol=_PROTOCOL,
        )
    )
    if not settled.is_known and not is_known:
        raise RpcError(NO_SESSION, "SESSION_NOT_FOUND")
    return "OK"


async def _active(exchange: Exchange) -> list[dict[str, Any]]:
    board = exchange.board
    now = int(board.clock().timestamp())
    generation = board.snapshot.generation if board.snapshot else 0
    return [
        {
            "OriginID": call.call,
            "Account": call.customer,
            "Destination": call.called,
            "SetupTime": call_json(call, now, generation, board.zone)["started"],
            "MaxUsage": call.max_seconds * _SECOND,
        }
        for call in await exchange.holding()
        if call.is_on(now, generation)
    ]


def _usage(decision: Decision, seconds: int, *, in_seconds: bool = False) -> dict[str, Any]:
    allowed = seconds if decision.allowed else 0
    return {
        "MaxUsage": allowed if in_seconds else allowed * _SECOND,
        "Reason": decision.reason,
        "Message": decision.words,
        "Customer": decision.customer,
    }


def duration(value: Any) -> int:
    """Parse a duration as Go formats it, into nanoseconds, which a bare number is already.

    >>> duration("1m30s"), duration("33s"), duration(5), duration(None)
    (90000000000, 33000000000, 5, 0)

    Raises:
        QuestionError: if it is no length.
    """
    if value is None or value == "":
        return 0
    whole = isinstance(value, float) and value.is_integer()
    text = str(int(value)) if whole else str(value)
    if isinstance(value, bool) or len(text) > _LONGEST_TEXT:
        raise _no_length(text)
    if text.isascii() and text.isdigit():
        return int(text)
    if not isinstance(value, str) or not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise _no_length(text)
    total = 0
    for number, fraction, unit in _PART.findall(text):
        total += int(number) * _UNITS[unit]
        if fraction:
            total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    return total


def _no_length(text: str) -> QuestionError:
    return QuestionError(f"Usage: {text[:40]!r} is no length such as 90s")
