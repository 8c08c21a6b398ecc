"""Anchors: a line a day, kept where nobody who writes the book can write.

    2026-11-30 documents=86 customers=41 tags=7 root=HEX

It speaks of all documents issued before that day: how many there are, of how many customers, how
many tags were signed before it, and the root of a Merkle tree (as in RFC 6962) over them in order
of issue. A later book holds all of them unchanged, or the line no longer does.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from a2ledger.book.book import Book
from a2ledger.journal import seal
from a2ledger.records import Problem

_LINE = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d) documents=(?P<documents>\d+) customers=(?P<customers>\d+) "
    r"tags=(?P<tags>\d+) root=(?P<root>[0-9a-f]{64})"
)


def line(book: Book, day: dt.date) -> str:
    """Return the anchor of a day: of everything that was issued before it."""
    return _Issued(book).line(day)


def problems(book: Book, text: str) -> Iterator[Problem]:
    """Yield the anchors of a file that the book no longer holds."""
    issued = _Issued(book)
    for number, kept in enumerate(text.splitlines(), start=1):
        if not kept.strip() or kept.startswith("#"):
            continue
        match = _LINE.fullmatch(kept.strip())
        try:
            day = dt.date.fromisoformat(match["day"]) if match else None
        except ValueError:
            day = None
        if match is None or day is None:
            what, todo = "is no anchor: DAY documents=N customers=N tags=N root=HASH", "correct it"
            yield Problem("anchor", number, "anchor", what, todo=todo)
            continue
        now = _LINE.fullmatch(issued.line(day))
        wrong = [
            f"{key} was {match[key]}, and is {now[key]}"
            for key in ("documents", "customers", "tags", "root")
            if now and match[key] != now[key]
        ]
        if wrong:
            what = f"the book is no more what it was on {day}: {'; '.join(wrong)}"
            todo = "compare with a copy of the book from that day"
            yield Problem("anchor", number, "anchor", what.replace("; ", ", "), todo=todo)


class _Issued:
    """Documents in order of issue, and tags by the day they were signed."""

    def __init__(self, book: Book) -> None:
        rows = []
        for path in book.files("invoices", "*/*.json"):
            text = book.text(path)
            day, customer = _facts(text)
            name = path.rpartition("/")[2].removesuffix(".json")
            rows.append((day, name, customer, seal.digest(text.encode())))
        self.rows = sorted(rows)
        words = ("for-each-ref", "--format=%(taggerdate:format:%Y-%m-%d)", "refs/tags/closed/")
        self.tags = book.repository.run(*words, check=False).stdout.split()

    def line(self, day: dt.date) -> str:
        """Return the anchor of a day."""
        until = str(day)
        rows = [row for row in self.rows if row[0] < until]
        leaves = {f"{place:09d} {issued} {name}": sha for place, (issued, name, _, sha) in
                  enumerate(rows)}  # fmt: skip
        root = seal.root(leaves) if leaves else seal.digest(b"")
        tags = sum(signed < until for signed in self.tags)
        customers = len({customer for _, _, customer, _ in rows})
        return f"{day} documents={len(rows)} customers={customers} tags={tags} root={root}"


def _facts(text: str) -> tuple[str, str]:
    """Return the day a document was issued on, and whose it is; empty where it does not say."""
    try:
        content: Any = json.loads(text)
        return str(content["issue_date"]), str(content["customer"]["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", ""
