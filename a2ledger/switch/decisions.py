"""Log decisions: one line of JSON each, with what it was based on.

Numbers are masked: the prefix that decided and the last two digits are enough to find a call.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import logging.handlers
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from a2ledger import money
from a2ledger.switch.decide import BREACHES, Decision
from a2ledger.switch.questions import Answer, Begin, End, Question

_encoded = json.JSONEncoder(ensure_ascii=False).encode
_SHOWN = 2
_HEAD = 4

Alert = Callable[[dt.datetime, Decision], None]


class Decisions:
    """A rotating log file of decisions, and a callback for breached guards."""

    def __init__(self, path: Path, megabytes: int, files: int, alert: Alert | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        mask = os.umask(0o027)
        try:
            self._handler = logging.handlers.RotatingFileHandler(
                path, maxBytes=megabytes * 1_000_000, backupCount=files, encoding="utf-8"
            )
        finally:
            os.umask(mask)
        self._record = logging.LogRecord("decisions", logging.INFO, "", 0, "", (), None)
        self._alert = alert

    def write(
        self,
        now: dt.datetime,
        generation: int,
        questions: Sequence[Question],
        answers: Sequence[Answer],
    ) -> None:
        """Log questions with their answers."""
        lines = [
            _encoded(_line(now, generation, question, answer))
            for question, answer in zip(questions, answers, strict=True)
        ]
        if lines:
            self._record.msg = "\n".join(lines)
            self._handler.emit(self._record)
        for answer in answers:
            if self._alert and isinstance(answer, Decision) and answer.reason in BREACHES:
                self._alert(now, answer)

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def _line(now: dt.datetime, generation: int, question: Question, answer: Answer) -> dict[str, Any]:
    line: dict[str, Any] = {
        "time": now.isoformat(timespec="milliseconds"),
        "asked": type(question).__name__.lower(),
        "protocol": question.protocol,
        "call": question.call,
    }
    if question.switch:
        line["switch"] = question.switch
    if isinstance(question, Begin):
        line["identifiers"] = [question.customer] if question.customer else question.identifiers
    if not isinstance(answer, Decision):
        seconds = question.seconds if isinstance(question, End) else 0
        return line | {
            "known": answer.is_known,
            "customer": answer.customer,
            "seconds": seconds,
            "cost": money.text(answer.cost_micro, 2),
        }
    return line | {
        "allowed": answer.allowed,
        "reason": answer.reason,
        "message": answer.message,
        "customer": answer.customer,
        "called": masked(answer.called, answer.prefix),
        "destination": answer.destination,
        "wanted_seconds": question.seconds,
        "max_seconds": answer.max_seconds,
        "reserved": money.text(answer.reserved_micro, 2),
        "available": money.text(answer.available_micro, 2),
        "from": {
            "generation": generation,
            "limit": money.text(answer.limit_micro, 2),
            "owed": money.text(answer.owed_micro, 2),
            "held_by_others": money.text(answer.others_micro, 2),
            "deck": answer.deck,
            "prefix": answer.prefix,
            "per_minute": money.text(answer.per_minute_micro, 2),
        },
    }


def masked(number: str, prefix: str = "") -> str:
    """Mask a number's digits, except the prefix and the last two.

    >>> masked("306912345667", "3069"), masked("112")
    ('3069******67', '112')
    """
    head = max(len(prefix), _HEAD)
    hidden = len(number) - head - _SHOWN
    return number if hidden <= 0 else number[:head] + "*" * hidden + number[-_SHOWN:]
