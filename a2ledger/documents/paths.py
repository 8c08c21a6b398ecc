"""Paths of documents in a book: ``invoices/YEAR/NAME.json``, by the year of issue.

A document's name is its number; that of a statement, which has none, is made of its customer and
its period.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from a2ledger.book.book import Book
from a2ledger.documents.document import statement_name

DIRECTORY = "invoices"
_NAME = re.compile(r"[^/*?\[\]\x00-\x1f]+")


def path(year: int, name: str) -> str:
    """Return the path of a document issued in a year."""
    return f"{DIRECTORY}/{year}/{name}.json"


def of_statement(customer: str, start: dt.date) -> str:
    """Return the document name of a period's statement."""
    return statement_name(customer, str(start))


def every(book: Book) -> dict[str, str]:
    """Return the paths of all documents, by name."""
    return by_name(book.files(DIRECTORY, "*/*.json"))


def named(book: Book, name: str) -> str:
    """Return the path of the document with a name, empty if there is none.

    Nothing but directories of years is looked through, however many documents there are.
    """
    if not _NAME.fullmatch(name):
        return ""
    return next(iter(book.files(DIRECTORY, f"*/{name}.json")), "")


def by_name(paths: Iterable[str]) -> dict[str, str]:
    """Return the paths of those among some that are documents, by name."""
    return {
        file.rpartition("/")[2].removesuffix(".json"): file
        for file in paths
        if file.startswith(f"{DIRECTORY}/")
    }


def find(book: Book, name: str, year: int) -> str:
    """Return the path of a document of the book, or the path it should have.

    Args:
        book: whose.
        name: the document's.
        year: the one it was most likely issued in: that of its entry or its period's end.
    """
    likely = [path(issued, name) for issued in (year, year + 1)]
    existing = (file for file in likely if book.has(file))
    return next(existing, "") or next(iter(book.files(DIRECTORY, f"*/{name}.json")), likely[0])
