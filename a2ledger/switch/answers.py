"""Format decisions and calls as JSON, and parse questions."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

from a2ledger import money
from a2ledger.book.authorize import LONGEST
from a2ledger.switch.decide import Decision
from a2ledger.switch.questions import Settled
from a2ledger.switch.reservations import Reservation

LONGEST_TEXT = 256
"""Longest id, identifier or number accepted, in characters."""

_WHOLE = re.compile(r"[0-9]{1,9}(\.[0-9]+)?", re.ASCII)


class QuestionError(ValueError):
    """A switch asked something that cannot be answered; the message says why."""


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return a decision as JSON, with amounts as strings."""
    return {
        "allowed": decision.allowed,
        "max_seconds": decision.max_seconds,
        "reason": decision.reason,
        "customer": decision.customer,
        "destination": decision.destination,
        "per_minute": money.text(decision.per_minute_micro, 2),
        "reserved": money.text(decision.reserved_micro, 2),
        "available": money.text(decision.available_micro, 2),
        "message": decision.words,
        "more_seconds": decision.more_seconds,
    }


def settled_json(settled: Settled) -> dict[str, Any]:
    """Return the result of a call that was hung up as JSON."""
    return {
        "call": settled.call,
        "ended": settled.is_known,
        "customer": settled.customer,
        "seconds": settled.seconds,
        "cost": money.text(settled.cost_micro, 2),
        "available": money.text(settled.available_micro, 2),
    }


def call_json(call: Reservation, now: int, generation: int, zone: ZoneInfo) -> dict[str, Any]:
    """Return a call that reserves money as JSON."""
    return {
        "call": call.call,
        "switch": call.switch,
        "customer": call.customer,
        "called": call.called,
        "destination": call.destination,
        "started": dt.datetime.fromtimestamp(call.started, zone).isoformat(),
        "state": call.state if call.is_on(now, generation) or call.state == "ended" else "lost",
        "seconds": call.seconds or max(0, min(now, call.expires) - call.started),
        "max_seconds": call.max_seconds,
        "reserved": money.text(call.holds(now, generation), 2),
    }


def text_of(given: dict[str, Any], name: str, *, required: bool = False) -> str:
    """Return a text field of a question, converting a number to text.

    Raises:
        QuestionError: if it is missing though it is required, no text, or too long.
    """
    value = given.get(name)
    if value is None or value == "":
        if required:
            raise QuestionError(f"{name}: is missing")
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise QuestionError(f"{name}: must be a text")
    text = str(value)
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise QuestionError(f"{name}: is too long, or contains invalid characters")
    return text


def seconds_of(value: object, name: str = "seconds") -> int:
    """Parse a length in whole seconds, rounded up, or 0 if there is none.

    Raises:
        QuestionError: if it is no length.
    """
    if value is None or value == "":
        return 0
    if isinstance(value, bool) or not _WHOLE.fullmatch(str(value)):
        raise QuestionError(f"{name}: {str(value)[:40]!r} is no number of seconds")
    whole, _, fraction = str(value).partition(".")
    return int(whole) + bool(fraction.strip("0"))


def wanted_seconds(value: object, name: str = "seconds") -> int:
    """Parse the seconds a call is to be allowed for, capped at the longest call.

    Raises:
        QuestionError: if it is no length above nothing.
    """
    seconds = seconds_of(value, name)
    if not seconds and value not in {None, ""}:
        raise QuestionError(f"{name}: a call is allowed for at least a second")
    return min(seconds, LONGEST)


def is_true(value: object, name: str) -> bool:
    """Return True if a value of a question means yes.

    Raises:
        QuestionError: if it says neither yes nor no.
    """
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in words:
        raise QuestionError(f"{name}: must be true or false")
    return words[str(value).lower()]
