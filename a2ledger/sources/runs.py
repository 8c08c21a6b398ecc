"""The runs of imports: the lines of ``imports.csv``."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from a2ledger.book.book import IMPORTS, Book, BrokenBookError, restore
from a2ledger.records import Problem


class Run(NamedTuple):
    """A run of an import: its source, its time, and the last day it was limited to."""

    source: str
    time: dt.datetime
    through: dt.date | None


def runs(book: Book) -> list[Run]:
    """Parse all runs in ``imports.csv``.

    Raises:
        BrokenBookError: if a line is not as the program wrote it.
    """
    parsed = []
    for line, row in book.rows(IMPORTS):
        try:
            when = dt.datetime.fromisoformat(row["time"])
            last = row.get("through") or ""
            through = dt.date.fromisoformat(last) if last else None
            parsed.append(Run(row["source"], when.astimezone(book.config.zone), through))
        except (KeyError, TypeError, ValueError):
            message = "is no line of an import"
            problem = Problem(IMPORTS, line, "imports", message, todo=restore(IMPORTS))
            raise BrokenBookError([problem]) from None
    return parsed


def latest(book: Book, source: str, file: str) -> dt.datetime | None:
    """Return the latest start in a file, from runs of a source that read that file alone."""
    starts = [
        dt.datetime.fromisoformat(row["latest"])
        for _, row in book.rows(IMPORTS)
        if row["source"] == source and row["files"] == file and row["latest"]
    ]
    return max(starts, default=None)
