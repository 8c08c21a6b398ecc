"""The outbox: one line for each message, in ``delivery/YEAR-MONTH.jsonl`` of the book.

A line says what goes to whom, how often that was tried and how it ended. While messages are handed
over, results are first noted in a log of the machine's own, which is synced after each; the lines
in the book follow from it, also after a crash.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from a2ledger.book.book import Book, BrokenBookError, Draft, RefusedError, restore
from a2ledger.book.disk import fsync, refusing
from a2ledger.book.transaction import STATE
from a2ledger.records import Problem

DIRECTORY = "delivery"
QUEUED, SENT, FAILED, SKIPPED = "queued", "sent", "failed", "skipped"
STATES = (QUEUED, SENT, FAILED, SKIPPED)
_HANDING_OVER = "handing-over"
_LOG, _LOCK = "sending.jsonl", "sending.lock"

IN_DOUBT = "was interrupted after it was handed over, so that it may have arrived"
"""Why a message is neither sent nor sent again by itself."""

Key = tuple[str, str]
"""Document and channel: what makes a message that message."""


class Message(NamedTuple):
    """A message to a customer."""

    document: str
    """Name of the document, or of the reminder or notice."""
    customer: str
    channel: str
    """``mail``, ``peppol`` or ``print``."""
    to: str
    """Address; empty where none is known, or the channel has none."""
    kind: str
    """The document's, or ``reminder``, ``notice``, ``low-balance``, ``over-limit``."""
    state: str = QUEUED
    message_id: str = ""
    queued: str = ""
    """The day it was queued (ISO)."""
    time: str = ""
    """When it was last tried."""
    tries: int = 0
    not_before: str = ""
    """When it is tried again."""
    error: str = ""
    answer: str = ""
    """What took it said: a server's reply, an identifier, a file."""
    copy: int = 1
    """How often it was wanted."""
    about: Mapping[str, Any] = {}
    """What a letter without a document says."""
    overtaken: bool = False
    """True if it was skipped because what it says is not so any more."""

    @property
    def key(self) -> Key:
        """Return the document and the channel, which make it that message."""
        return self.document, self.channel

    def as_json(self) -> dict[str, Any]:
        """Return the row of the command's ``--json``."""
        return {
            "document": self.document,
            "customer": self.customer,
            "channel": self.channel,
            "to": self.to,
            "state": self.state,
            "message_id": self.message_id or None,
            "error": self.error or None,
        }


def read(book: Book) -> dict[Key, Message]:
    """Return every message of a book's outbox, oldest first.

    Raises:
        BrokenBookError: if a line is not as the program wrote it.
    """
    return book.once(_read)


def _read(book: Book) -> dict[Key, Message]:
    return {message.key: message for _, _, message in _lines(book)}


def _lines(book: Book) -> Iterator[tuple[str, int, Message]]:
    for path in book.files(DIRECTORY, "*.jsonl"):
        for number, line in enumerate(io.StringIO(book.text(path)), 1):
            try:
                yield path, number, Message(**json.loads(line))
            except (TypeError, ValueError):
                problem = Problem(
                    path, number, "delivery", "is no line of a message", todo=restore(path)
                )
                raise BrokenBookError([problem]) from None


def put(draft: Draft, messages: Iterable[Message]) -> None:
    """Put new and changed messages into a draft of the book."""
    changed = {message.key: message for message in messages}
    if not changed:
        return
    whole = read(draft) | changed
    months = {_path(message) for message in changed.values()}
    for path in sorted(months):
        lines = [_line(message) for message in whole.values() if _path(message) == path]
        draft.put(path, "".join(lines))
    draft.once(_read).update(changed)


def _path(message: Message) -> str:
    return f"{DIRECTORY}/{message.queued[:7]}.jsonl"


def _line(message: Message) -> str:
    default = Message("", "", "", "", "")._asdict()
    said = {
        key: value
        for key, value in message._asdict().items()
        if key in {"document", "customer", "channel", "to", "kind", "state"}
        or value != default[key]
    }
    return json.dumps(said, ensure_ascii=False) + "\n"


def problems(book: Book) -> Iterator[tuple[Message, Problem]]:
    """Yield each message that did not get to its customer, and what to do."""
    for path, number, message in _lines(book):
        if message.state == FAILED:
            where = f" to {message.to}" if message.to else ""
            what = f"{message.document} by {message.channel}{where}: {message.error}"
            todo = f"see to it, then say `a2ledger send --resend {message.document}`"
            yield message, Problem(path, number, "delivery", what, "it did not arrive", todo)


# What happens while messages are handed over


@contextlib.contextmanager
def sending(book: Book) -> Iterator[Log]:
    """Hold the right to send, which one run at a time has.

    Raises:
        RefusedError: if another run has it.
        CannotWriteError: if the disk refuses.
    """
    state = book.root / STATE
    with refusing("nothing was sent"):
        state.mkdir(exist_ok=True)
        descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT, 0o660)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(
                "another run is sending this book's messages", "nothing was sent", "wait for it"
            ) from None
        log = Log(book)
        try:
            yield log
        finally:
            log.close()
    finally:
        os.close(descriptor)


class Log:
    """What became of messages since the outbox was last published, synced line by line."""

    def __init__(self, book: Book) -> None:
        self.path = book.root / STATE / _LOG
        self._descriptor = -1

    def hand_over(self, message: Message) -> None:
        """Note that a message is being handed over: without a result it may have arrived."""
        self._add({"key": message.key, "state": _HANDING_OVER})

    def result(self, message: Message) -> None:
        """Note what became of a message."""
        self._add({"key": message.key, **message._asdict()})

    def _add(self, line: Mapping[str, Any]) -> None:
        with refusing("it is not known what became of the message"):
            if self._descriptor < 0:
                self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o660)
                fsync(self.path.parent)
            os.write(self._descriptor, (json.dumps(line, ensure_ascii=False) + "\n").encode())
            os.fsync(self._descriptor)

    def results(self, messages: Mapping[Key, Message]) -> list[Message]:
        """Return the messages that are not as the outbox has them any more.

        One that was being handed over when a run was killed may have arrived: it counts as failed,
        and a person decides.

        Args:
            messages: the outbox.
        """
        if not self.path.exists():
            return []
        latest: dict[Key, dict[str, Any]] = {}
        for line in io.StringIO(self.path.read_text(encoding="utf-8")):
            with contextlib.suppress(ValueError):  # the last may be half a line
                row = json.loads(line)
                latest[tuple(row.pop("key"))] = row
        changed = []
        for key, row in latest.items():
            if row["state"] != _HANDING_OVER:
                changed.append(Message(**row))
            elif key in messages:
                changed.append(messages[key]._replace(state=FAILED, error=IN_DOUBT))
        return changed

    def clear(self) -> None:
        """Delete the log: the outbox has its results by now."""
        self.close()
        with refusing("the next run takes the results over again"):
            self.path.unlink(missing_ok=True)
            fsync(self.path.parent)

    def close(self) -> None:
        """Close the log's file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
