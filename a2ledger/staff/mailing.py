"""What the pages show of messages: what went to whom, which way, and how it ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from a2ledger.book.book import Book, RefusedError
from a2ledger.delivery import dispatch, letters, outbox, send
from a2ledger.delivery.outbox import FAILED, QUEUED, SENT, SKIPPED, Message
from a2ledger.documents import files, paths
from a2ledger.documents.document import Document
from a2ledger.journal import subledgers

Values = dict[str, Any]

_WHEN = len("2026-01-31 10:00")


def by_document(book: Book) -> dict[str, list[Values]]:
    """Return every message of the outbox, by the name of what it carries."""
    return book.once(_by_document)


def _by_document(book: Book) -> dict[str, list[Values]]:
    found: dict[str, list[Values]] = {}
    for message in outbox.read(book).values():
        found.setdefault(message.document, []).append(shown(message))
    return found


def shown(message: Message) -> Values:
    """Return a message as the pages show it."""
    when = (message.time or message.queued).replace("T", " ")[:_WHEN]
    return {
        "document": message.document,
        "customer": message.customer,
        "kind": message.kind,
        "has_document": letters.is_document(message),
        "channel": message.channel,
        "to": message.to,
        "state": message.state,
        "when": when,
        "tries": message.tries,
        "copies": message.copy,
        "about": _about(message),
    }


def _about(message: Message) -> str:
    """Return how a message ended, or why it has not yet."""
    if message.state == SENT:
        return message.answer
    if message.state == QUEUED and message.not_before:
        later = message.not_before.replace("T", " ")[:_WHEN]
        return f"{message.error}; it is tried again after {later}"
    return message.error


def latest(messages: Iterable[Values]) -> list[Values]:
    """Return messages, the latest first."""
    return sorted(messages, key=lambda row: (row["when"], row["document"]), reverse=True)


def of_customer(book: Book, customer: str) -> list[Values]:
    """Return a customer's messages, the latest first."""
    every = (row for rows in by_document(book).values() for row in rows)
    return latest(row for row in every if row["customer"] == customer)


def waiting(book: Book) -> list[Values]:
    """Return all messages, the latest first: those that did not arrive before the others."""
    rows = latest(row for rows in by_document(book).values() for row in rows)
    order = {FAILED: 0, SKIPPED: 1, QUEUED: 2}
    return sorted(rows, key=lambda row: order.get(row["state"], 3))


def letter(book: Book, name: str, today: dt.date) -> Values:
    """Return the mail that a document or a message is sent with, as it would go now.

    Args:
        book: whose.
        name: of the document, or of the reminder or notice.
        today: the day whose facts say where it goes.

    Raises:
        RefusedError: if nothing is called so.
        RenderError: if a template is wrong.
    """
    document = _document(book, name)
    message = _message(book, name, document, today)
    made = send.letter(book, message, document, today)
    return {
        "name": name,
        "customer": message.customer,
        "from": dispatch.sender(book),
        "to": message.to,
        "problem": message.error if message.state in {SKIPPED, FAILED} else "",
        "subject": made.subject,
        "text": made.text,
        "html": made.html,
        "files": send.enclosed(book, name, document) if document else [],
        "messages": by_document(book).get(name, []),
    }


def _document(book: Book, name: str) -> Document | None:
    path = paths.every(book).get(name)
    return files.read(book, path) if path else None


def _message(book: Book, name: str, document: Document | None, today: dt.date) -> Message:
    """Return a document's mail as the outbox has it, or as it would be queued."""
    kept = [one for (known, _), one in outbox.read(book).items() if known == name]
    for message in sorted(kept, key=lambda one: one.channel != "mail"):
        return message._replace(channel="mail")
    if document is None:
        raise RefusedError(f"{name}: no such document", todo="`a2ledger invoices` lists them")
    customer = subledgers.customers(book)[document.customer["id"]]
    bare = Message(name, customer.id, "mail", "", document.kind, queued=str(today))
    return dispatch.addressed(book, bare, customer, today)
