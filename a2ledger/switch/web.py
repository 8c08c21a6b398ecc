"""HTTP with JSON for any switch, and JSON-RPC on the same port.

``POST /authorize``, ``/extend``, ``/end`` and ``/hangup``, ``GET /calls``, ``/metrics`` and
``/health``, ``POST /jsonrpc``. A connection that begins with ``{`` or ``[`` speaks JSON-RPC
without HTTP, as OpenSIPS does; one that begins with a digit speaks it in netstrings, as Kamailio
does.
"""

from __future__ import annotations

import asyncio
import codecs
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from a2ledger.switch import json_rpc
from a2ledger.switch.answers import (
    QuestionError,
    call_json,
    decision_json,
    is_true,
    seconds_of,
    settled_json,
    text_of,
    wanted_seconds,
)
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.questions import Begin, End, Extend

IDLE_SECONDS = 75.0
PATIENCE_SECONDS = 10.0
_LARGEST_HEAD = 16 * 1024
_DIGITS_OF_LENGTH = 6
_FORM = "application/x-www-form-urlencoded"
_PROTOCOL = "http"


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, reduced to the parts in use."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_kept_alive(self) -> bool:
        """Return True if the peer keeps the connection open for more requests."""
        return self.headers.get("connection", "").lower() != "close"

    def given(self) -> dict[str, Any]:
        """Parse the body: a JSON object, or a form.

        Raises:
            QuestionError: if it is neither.
        """
        is_form = self.headers.get("content-type", "").startswith(_FORM)
        # What sends JSON without saying so says that it sends a form: curl is one.
        if is_form and not self.body.lstrip().startswith(b"{"):
            return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        try:
            given = json.loads(self.body)
        except (ValueError, RecursionError):
            given = None
        if not isinstance(given, dict):
            raise QuestionError("the body is not an object of JSON")
        return given


class HttpError(Exception):
    """A request that is answered with an error status and a message."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


Reply = tuple[HTTPStatus, Any]
Handler = Callable[[Exchange, Request], Awaitable[Reply]]


async def converse(
    exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve a connection until it is closed, in the protocol it begins with.

    Raises:
        asyncio.IncompleteReadError, OSError, TimeoutError: if it goes away.
    """
    async with asyncio.timeout(IDLE_SECONDS):
        first = await reader.readexactly(1)
    if first in b"{[":
        await _stream(exchange, first, reader, writer)
    elif first.isdigit():
        await _netstrings(exchange, first, reader, writer)
    else:
        while await _http(exchange, first, reader, writer):
            async with asyncio.timeout(IDLE_SECONDS):
                first = await reader.readexactly(1)


async def _stream(
    exchange: Exchange,
    first: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Answer JSON-RPC messages sent one after the other without separators."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    parser = json.JSONDecoder()
    text = decoder.decode(first)
    while data := await reader.read(json_rpc.LARGEST):
        text += decoder.decode(data)
        while text := text.lstrip():
            try:
                _, end = parser.raw_decode(text)
            except (ValueError, RecursionError):
                if len(text) > json_rpc.LARGEST or text[0] not in "{[":
                    return
                break
            reply = await json_rpc.answer(exchange, text[:end])
            text = text[end:]
            if reply is not None:
                writer.write(reply.encode())
                await writer.drain()


async def _netstrings(
    exchange: Exchange,
    first: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Answer JSON-RPC messages sent as netstrings: ``LENGTH:MESSAGE,``."""
    while True:
        head = first + await reader.readuntil(b":")
        digits = head[:-1]
        if not digits.isdigit() or len(digits) > _DIGITS_OF_LENGTH:
            return
        if int(digits) > json_rpc.LARGEST:
            return
        message = await reader.readexactly(int(digits) + 1)
        if not message.endswith(b","):
            return
        reply = await json_rpc.answer(exchange, message[:-1])
        if reply is not None:
            payload = reply.encode()
            writer.write(b"%d:%s," % (len(payload), payload))
            await writer.drain()
        first = await reader.readexactly(1)


async def _http(
    exchange: Exchange,
    first: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Answer a request, and return True if another may follow."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            request = await _read(first, reader)
        status, reply = await _answer(exchange, request)
        keep = request.is_kept_alive
    except HttpError as error:
        status, reply, keep = error.status, {"error": str(error)}, False
    except QuestionError as error:
        status, reply, keep = HTTPStatus.BAD_REQUEST, {"error": str(error)}, False
    kind = "text/plain; version=0.0.4" if isinstance(reply, str) else "application/json"
    text = reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False) + "\n"
    body = text.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return keep


async def _read(first: bytes, reader: asyncio.StreamReader) -> Request:
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        head = b""
    if not head or len(head) > _LARGEST_HEAD:
        raise HttpError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large")
    line, *rest = head.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != len(("METHOD", "PATH", "VERSION")) or not words[2].startswith("HTTP/1."):
        raise HttpError(HTTPStatus.BAD_REQUEST, "not HTTP/1.1")
    headers = {}
    for row in filter(None, rest):
        name, colon, value = row.partition(":")
        if not colon:
            raise HttpError(HTTPStatus.BAD_REQUEST, "a header without a colon")
        headers[name.strip().lower()] = value.strip()
    if words[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    return Request(words[0], words[1].partition("?")[0], headers, await _body(headers, reader))


async def _body(headers: dict[str, str], reader: asyncio.StreamReader) -> bytes:
    if "transfer-encoding" in headers:
        raise HttpError(HTTPStatus.NOT_IMPLEMENTED, "send Content-Length, not pieces")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise HttpError(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
    if len(length) > _DIGITS_OF_LENGTH or int(length) > json_rpc.LARGEST:
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
    return await reader.readexactly(int(length))


async def _answer(exchange: Exchange, request: Request) -> Reply:
    headers = request.headers
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        raise HttpError(HTTPStatus.FORBIDDEN, "no page in a browser may ask here")
    routes = ROUTES.get(request.path)
    if routes is None:
        raise HttpError(HTTPStatus.NOT_FOUND, f"there is {', '.join(ROUTES)}")
    method, handler = routes
    if request.method != method:
        raise HttpError(HTTPStatus.METHOD_NOT_ALLOWED, f"{request.path} is for {method}")
    return await handler(exchange, request)


async def _authorize(exchange: Exchange, request: Request) -> Reply:
    decision = await exchange.decide(_begin(request.given()))
    return HTTPStatus.OK, decision_json(decision)


def _begin(given: dict[str, Any]) -> Begin:
    customer, identifier = text_of(given, "customer"), text_of(given, "identifier")
    if not customer and not identifier:
        raise QuestionError("identifier: is missing, and so is customer")
    return Begin(
        call=text_of(given, "call", required=True),
        called=text_of(given, "called", required=True),
        identifiers=(identifier,),
        customer=customer,
        switch=text_of(given, "switch"),
        seconds=wanted_seconds(given.get("seconds")),
        ends=is_true(given.get("ends", False), "ends"),
        protocol=_PROTOCOL,
    )


async def _extend(exchange: Exchange, request: Request) -> Reply:
    given = request.given()
    is_whole = given.get("called") and (given.get("customer") or given.get("identifier"))
    decision = await exchange.decide(
        Extend(
            call=text_of(given, "call", required=True),
            switch=text_of(given, "switch"),
            seconds=wanted_seconds(given.get("seconds")),
            otherwise=_begin(given) if is_whole else None,
            protocol=_PROTOCOL,
        )
    )
    return HTTPStatus.OK, decision_json(decision)


async def _end(exchange: Exchange, request: Request) -> Reply:
    given = request.given()
    seconds = seconds_of(given.get("seconds"))
    settled = await exchange.settle(
        End(
            call=text_of(given, "call", required=True),
            switch=text_of(given, "switch"),
            seconds=seconds,
            is_answered=is_true(given.get("answered", seconds > 0), "answered"),
            protocol=_PROTOCOL,
        )
    )
    status = HTTPStatus.OK if settled.is_known else HTTPStatus.NOT_FOUND
    return status, settled_json(settled)


async def _hang_up(exchange: Exchange, request: Request) -> Reply:
    """Hang up a call with the program named in the settings."""
    call = text_of(request.given(), "call", required=True)
    snapshot = exchange.board.snapshot
    program = snapshot.settings.hangup if snapshot else ()
    if not program:
        raise HttpError(HTTPStatus.CONFLICT, "authorize.hangup names no program that hangs up")
    if call not in {holding.call for holding in await exchange.holding()} or call.startswith("-"):
        raise HttpError(HTTPStatus.NOT_FOUND, "no such call is going on")
    words = [word.replace("{call}", call) for word in program]
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await process.wait()
    except (OSError, TimeoutError) as error:
        raise HttpError(HTTPStatus.BAD_GATEWAY, f"{words[0]}: {error or 'no answer'}") from None
    return HTTPStatus.OK if not code else HTTPStatus.BAD_GATEWAY, {"call": call, "exit": code}


async def _calls(exchange: Exchange, request: Request) -> Reply:
    del request
    board = exchange.board
    now = int(board.clock().timestamp())
    generation = board.snapshot.generation if board.snapshot else 0
    calls = await exchange.holding()
    return HTTPStatus.OK, [call_json(call, now, generation, board.zone) for call in calls]


async def _metrics(exchange: Exchange, request: Request) -> Reply:
    del request
    board = exchange.board
    calls = await exchange.holding()
    text = exchange.metrics.text(board.snapshot, board.checked, board.clock(), calls)
    return HTTPStatus.OK, text


async def _health(exchange: Exchange, request: Request) -> Reply:
    del request
    board, now = exchange.board, exchange.board.clock()
    fresh = board.is_fresh(now)
    status = HTTPStatus.OK if fresh else HTTPStatus.SERVICE_UNAVAILABLE
    return status, {
        "ok": fresh,
        "generation": board.snapshot.generation if board.snapshot else None,
        "age_seconds": (now - board.checked).total_seconds() if board.checked else None,
        "customers": len(board.snapshot.accounts) if board.snapshot else 0,
        "unsound": sorted(
            name
            for name, account in (board.snapshot.accounts if board.snapshot else {}).items()
            if not account.is_sound
        ),
        "error": exchange.error,
    }


async def _json_rpc(exchange: Exchange, request: Request) -> Reply:
    reply = await json_rpc.answer(exchange, request.body)
    if reply is None:
        return HTTPStatus.OK, {}
    return HTTPStatus.OK, json.loads(reply)


ROUTES: dict[str, tuple[str, Handler]] = {
    "/authorize": ("POST", _authorize),
    "/extend": ("POST", _extend),
    "/end": ("POST", _end),
    "/hangup": ("POST", _hang_up),
    "/calls": ("GET", _calls),
    "/metrics": ("GET", _metrics),
    "/health": ("GET", _health),
    "/jsonrpc": ("POST", _json_rpc),
}
