"""Closed documents as they stand in the book: the JSON is the document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from a2ledger.book.book import Book, BrokenBookError, RefusedError, restore
from a2ledger.documents import document, paths
from a2ledger.documents.document import Document
from a2ledger.records import Problem


def chosen(book: Book, numbers: Sequence[str], month: str) -> dict[str, Document]:
    """Return closed documents by name, chosen by number or by the month their period ends in.

    Args:
        book: whose documents.
        numbers: document numbers; a statement's is the name of its file.
        month: ``2026-01``; with neither numbers nor a month, all documents.

    Raises:
        RefusedError: if there is none of that number.
    """
    if numbers:
        known = {number: paths.named(book, number) for number in numbers}
    else:
        known = dict(sorted(paths.every(book).items()))
    for number, path in known.items():
        if not path:
            raise RefusedError(
                f"{number}: no such document", todo="`a2ledger invoices` lists those there are"
            )
    documents = {name: read(book, path) for name, path in known.items()}
    if month:
        documents = {
            name: document
            for name, document in documents.items()
            if str(document.last_day).startswith(month)
        }
    return documents


def read(book: Book, path: str) -> Document:
    """Return the document in a file of the book.

    Raises:
        BrokenBookError: if it is not there, or not a document.
    """
    try:
        parsed = document.read(book.text(path))
        for day in (parsed.issue_date, parsed.period["end"]):
            dt.date.fromisoformat(day)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"is not a document: {_reason(error)}"
        problem = Problem(path, 0, "document", message, "nothing was read", restore(path))
        raise BrokenBookError([problem]) from None
    return parsed


def _reason(error: Exception) -> str:
    """Say what a text lacks that is no document."""
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    return str(error) if isinstance(error, ValueError) else "its parts are of another kind"
