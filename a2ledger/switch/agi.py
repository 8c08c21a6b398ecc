"""FastAGI: the line protocol by which Asterisk asks, over TCP.

``agi://HOST/authorize?identifier=…&called=…`` sets the channel variables ``A2L_ALLOWED`` (1 or
0), ``A2L_MAX_SECONDS``, ``A2L_REASON`` and ``A2L_CUSTOMER``; ``agi://HOST/end`` settles the call
with ``ANSWEREDTIME``. What the address does not say is taken from the channel.
"""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qsl

from a2ledger.switch.answers import LONGEST_TEXT, QuestionError, is_true, seconds_of, wanted_seconds
from a2ledger.switch.decide import Decision
from a2ledger.switch.exchange import Exchange
from a2ledger.switch.questions import Begin, End

PATIENCE_SECONDS = 5.0
_PEER = re.compile(r"^[^/]+/(.+?)(-[0-9a-f]+)?(;[0-9])?$")
_REPLY = re.compile(r"200 result=(-?[0-9]+)(?: \((.*)\))?")
_PROTOCOL = "agi"


async def converse(
    exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one connection of Asterisk, which asks for one channel.

    Raises:
        QuestionError: if what it says is not AGI.
        asyncio.IncompleteReadError, OSError, TimeoutError: if it goes away.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        environment = await _environment(reader)
    script, given = _request(environment)
    if script == "authorize":
        try:
            decision = await exchange.decide(_begin(environment, given))
        except QuestionError as error:
            await _set(reader, writer, {"A2L_ALLOWED": "0", "A2L_REASON": "bad-request"})
            await _set(reader, writer, {"A2L_MESSAGE": str(error)})
            return
        await _set(reader, writer, _variables(decision))
    elif script == "end":
        given_seconds = given.get("seconds") or environment.get("agi_arg_1")
        if not given_seconds:
            given_seconds = await _variable(reader, writer, "ANSWEREDTIME")
        seconds = seconds_of(given_seconds)
        await exchange.settle(
            End(
                call=_call(environment, given),
                switch=given.get("switch", ""),
                seconds=seconds,
                is_answered=seconds > 0,
                protocol=_PROTOCOL,
            )
        )
    else:
        raise QuestionError(f"agi://HOST/{script}: there is /authorize and /end")


async def _environment(reader: asyncio.StreamReader) -> dict[str, str]:
    """Read the variables that describe the channel, up to an empty line."""
    head = await reader.readuntil(b"\n\n")
    variables: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\n")[:-2]:
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise QuestionError("not AGI: a line is not agi_NAME: VALUE")
        variables[name] = value.strip()
    return variables


def _request(environment: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Return the name of the script, and the parameters in its URL."""
    script = environment.get("agi_network_script", "")
    if not script:  # an old Asterisk says the whole address only
        script = environment.get("agi_request", "").partition("://")[2].partition("/")[2]
    name, _, query = script.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    for text in given.values():
        if len(text) > LONGEST_TEXT:
            raise QuestionError("a parameter is longer than any")
    return name.strip("/"), given


def _call(environment: dict[str, str], given: dict[str, str]) -> str:
    call = given.get("call") or environment.get("agi_uniqueid", "")
    if not call or len(call) > LONGEST_TEXT:
        raise QuestionError("agi_uniqueid: is missing")
    return call


def _begin(environment: dict[str, str], given: dict[str, str]) -> Begin:
    identifiers = given.get("identifier", "")
    peer = _PEER.fullmatch(environment.get("agi_channel", ""))
    channel = (environment.get("agi_accountcode", ""), peer[1] if peer else "")
    called = given.get("called") or environment.get("agi_extension", "")
    if not called:
        raise QuestionError("called: is missing")
    return Begin(
        call=_call(environment, given),
        called=called,
        identifiers=(identifiers,) if identifiers else tuple(filter(None, channel)),
        customer=given.get("customer", ""),
        switch=given.get("switch", ""),
        seconds=wanted_seconds(given.get("seconds")),
        ends=is_true(given.get("ends", False), "ends"),
        protocol=_PROTOCOL,
    )


def _variables(decision: Decision) -> dict[str, str]:
    variables = {
        "A2L_ALLOWED": "1" if decision.allowed else "0",
        "A2L_MAX_SECONDS": str(decision.max_seconds if decision.allowed else 0),
        "A2L_REASON": decision.reason,
        "A2L_CUSTOMER": decision.customer,
    }
    return variables if decision.allowed else variables | {"A2L_MESSAGE": decision.words}


async def _set(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, variables: dict[str, str]
) -> None:
    """Set variables of the channel, one after the other."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        for name, text in variables.items():
            writer.write(f"SET VARIABLE {name} {_quoted(text)}\n".encode())
            await _reply(reader)


async def _variable(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> str:
    """Return a variable of the channel, or an empty text."""
    writer.write(f"GET VARIABLE {name}\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await writer.drain()
        reply = _REPLY.fullmatch(await _reply(reader))
    return reply[2] or "" if reply and reply[1] == "1" else ""


async def _reply(reader: asyncio.StreamReader) -> str:
    """Return Asterisk's reply, skipping ``HANGUP``, which may come at any time."""
    while True:
        line = (await reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip("\r\n")
        if line.strip() != "HANGUP":
            return line


def _quoted(text: str) -> str:
    """Quote a text for AGI's command line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
