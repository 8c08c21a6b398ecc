"""Rows that a person has dropped from the quarantine for good, with day and reason.

``dropped.csv`` is in git. Of a row's text it has no more than a digest, by which the same row is
known when its file is imported again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from a2ledger.book.book import Book, BrokenBookError, Draft, RefusedError, restore
from a2ledger.csvfile import csv_text
from a2ledger.records import Problem
from a2ledger.sources import quarantine
from a2ledger.sources.batch import RAW_SHOWN, Refused, digest

PATH = "dropped.csv"
NAME = "dropped"
"""The name under which dropped rows are counted."""

_HEADER = ("time", "source", "identity", "file", "line", "reason", "why", "digest")


class Dropped(NamedTuple):
    """The dropped rows: source, identity and digest of the text of each."""

    rows: frozenset[tuple[str, str, str]]

    def has(self, source: str, row: Refused) -> bool:
        """Return whether a row was dropped."""
        return bool(self.rows) and (source, row.identity, digest(row.raw)) in self.rows

    def has_text(self, source: str, text: str) -> bool:
        """Return whether a row of a source with this text was dropped."""
        mark = digest(text[:RAW_SHOWN])
        return any(owner == source and known == mark for owner, _, known in self.rows)

    def identities(self, source: str) -> set[str]:
        """Return the identities of a source's dropped rows."""
        return {identity for owner, identity, _ in self.rows if owner == source}


NONE = Dropped(frozenset())


def read(book: Book) -> Dropped:
    """Return the dropped rows of a book.

    Raises:
        BrokenBookError: if a line is not as the program wrote it.
    """
    rows = set()
    for line, row in book.rows(PATH):
        values = tuple(row.get(name) or "" for name in ("source", "identity", "digest"))
        if not all(values):
            message = f"is no row that was dropped; {restore(PATH)}"
            raise BrokenBookError([Problem(PATH, line, "dropped", message)])
        rows.add((values[0], values[1], values[2]))
    return Dropped(frozenset(rows)) if rows else NONE


def drop(draft: Draft, identities: Collection[str], why: str, now: dt.datetime) -> int:
    """Drop rows from the quarantine for good, and return how many.

    Args:
        draft: of the book.
        identities: of the rows.
        why: what a person says of it.
        now: an aware time.

    Raises:
        RefusedError: if one is not in the quarantine, or no reason is given.
    """
    if not why.strip():
        raise RefusedError("--reason is empty", undone="nothing was dropped", todo="say why")
    held = quarantine.read(draft.root)
    wanted = set(identities)
    gone = {key: row for key, row in held.rows.items() if key[1] in wanted}
    if missing := sorted(wanted - {identity for _, identity in gone}):
        raise RefusedError(
            f"{missing[0]}: not in the quarantine",
            undone="nothing was dropped",
            todo="see `a2ledger quarantine list`",
        )
    when = now.isoformat(timespec="seconds")
    lines = [
        (when, source, identity, row.file, row.line, row.reason, why, digest(row.raw))
        for (source, identity), row in gone.items()
    ]
    earlier = draft.text(PATH) or csv_text([_HEADER])
    draft.put(PATH, earlier + csv_text(lines))
    kept = quarantine.Quarantine({k: row for k, row in held.rows.items() if k not in gone})
    draft.put(quarantine.PATH, quarantine.written(kept))
    return len(gone)
