"""The accounts that are nobody's own: where people close them, and from which day on."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable
from typing import NamedTuple

from a2ledger.book.book import Book

CHART = "journals/chart.beancount"
MANUAL = "journals/manual.beancount"
_CLOSE = re.compile(r"^(\d{4}-\d\d-\d\d) close (\S+)", re.MULTILINE)


class Closed(NamedTuple):
    """A line by which somebody closed an account: nothing may be posted to it after that day."""

    account: str
    day: dt.date
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.account} is closed since {self.day} ({self.file}:{self.line})"


def closed(book: Book, accounts: Iterable[str], day: dt.date) -> Closed | None:
    """Return the line that forbids entries of a day on one of some accounts, if there is one."""
    known = book.once(_read)
    lines = (known[account] for account in accounts if account in known)
    return next((line for line in lines if line.day < day), None)


def _read(book: Book) -> dict[str, Closed]:
    """Return the lines that close accounts, by account."""
    lines = {}
    for path in (CHART, MANUAL):
        text = book.text(path)
        for match in _CLOSE.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            with contextlib.suppress(ValueError):  # a day that is none is named by Beancount
                day = dt.date.fromisoformat(match[1])
                lines[match[2]] = Closed(match[2], day, path, number)
    return lines
