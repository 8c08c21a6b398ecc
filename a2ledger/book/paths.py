"""Every path of a book: who may write it, what it is derived from, what brings it back.

One table that hand edits, `check`, `verify`, `doctor` and docs/book.md go by.
"""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NamedTuple


class Writer(StrEnum):
    """Who may write a file of a book."""

    YOU = "you"
    PROGRAM = "the program"
    BOTH = "the program and you"
    DERIVED = "derived"


class Kind(NamedTuple):
    """Files of one kind."""

    pattern: str
    """Their paths: ``<month>`` and the like stand for what differs."""
    writer: Writer
    source: str
    """What they are derived from; empty if they are the only home of what they say."""
    back: str
    """What brings one back that is lost; ``{path}`` stands for it."""
    in_git: bool = True

    @property
    def is_frozen(self) -> bool:
        """Whether nobody may change such a file once it was published."""
        return self.pattern.startswith("invoices/") and self.in_git


_CHECKOUT = "git checkout HEAD -- {path}"
_MEND = "a2ledger doctor --mend"
_IN_TURN = {
    "<customer>": r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}",
    "<carrier>": r"[^/]+",
    "<month>": r"\d{4}-\d\d",
    "<day>": r"\d\d",
    "<shard>": r"[0-9a-f]{2}",
    "<date>": r"\d{4}-\d\d-\d\d",
    "<year>": r"\d{4}",
    "<name>": r"[^/]+",
    "<anything>": r".+",
}

TABLE = (
    Kind("a2ledger.toml", Writer.YOU, "", _CHECKOUT),
    Kind(".gitignore", Writer.BOTH, "", _CHECKOUT),
    Kind(".gitattributes", Writer.BOTH, "", _CHECKOUT),
    Kind("imports.csv", Writer.PROGRAM, "", _CHECKOUT),
    Kind("dropped.csv", Writer.PROGRAM, "", _CHECKOUT),
    Kind("delivery/<month>.jsonl", Writer.PROGRAM, "", _CHECKOUT),
    Kind("tariffs/<anything>", Writer.BOTH, "", _CHECKOUT),
    Kind("templates/<anything>", Writer.YOU, "", _CHECKOUT),
    Kind("journals/chart.beancount", Writer.BOTH, "", _CHECKOUT),
    Kind("journals/manual.beancount", Writer.YOU, "", _CHECKOUT),
    Kind("journals/prices.beancount", Writer.BOTH, "", _CHECKOUT),
    Kind("journals/customers/<customer>.beancount", Writer.BOTH, "", _CHECKOUT),
    Kind("journals/<month>/<customer>.<day>.beancount", Writer.BOTH, "", _CHECKOUT),
    Kind("journals/suspense/<month>.beancount", Writer.BOTH, "", _CHECKOUT),
    Kind("journals/main.beancount", Writer.DERIVED, "the files of journals/", _MEND),
    Kind("journals/history.beancount", Writer.DERIVED, "the files of journals/", _MEND),
    Kind("journals/staff.beancount", Writer.DERIVED, "the files of journals/", _MEND),
    Kind("journals/general/opens.beancount", Writer.DERIVED, "journals/customers/", _MEND),
    Kind("journals/general/opens/<shard>.beancount", Writer.DERIVED, "journals/customers/", _MEND),
    Kind("journals/general/<month>.beancount", Writer.DERIVED, "customers' periods", _MEND),
    Kind("journals/general/<month>/<shard>.beancount", Writer.DERIVED, "customers' periods", _MEND),
    Kind("journals/general/carried.beancount", Writer.DERIVED, "the months before", _MEND),
    Kind("journals/general/carried/<month>.beancount", Writer.DERIVED, "that month", _MEND),
    Kind("journals/general/<anything>", Writer.DERIVED, "customers' periods", _MEND),
    Kind("journals/carriers/<carrier>/<name>.beancount", Writer.PROGRAM, "calls/", _CHECKOUT),
    Kind("journals/<anything>", Writer.YOU, "", _CHECKOUT),
    Kind("calls/DIGESTS", Writer.PROGRAM, "the days of calls/", _MEND),
    Kind(
        "calls/<month>/<date>.halves.parquet",
        Writer.PROGRAM,
        "the switch's file",
        "a backup, or `rm` it: only rows that are billed with another were in it",
        in_git=False,
    ),
    Kind(
        "calls/<month>/<date>.unclaimed.parquet",
        Writer.PROGRAM,
        "the switch's file",
        "a backup, or importing the files again",
        in_git=False,
    ),
    Kind(
        "calls/<month>/<date>.parquet",
        Writer.PROGRAM,
        "the switch's file",
        "a backup, or a2ledger import SOURCE FILE --rebuild DAY",
        in_git=False,
    ),
    Kind(
        "quarantine/rows.csv",
        Writer.PROGRAM,
        "the switch's file",
        "a backup, or importing the files again",
        in_git=False,
    ),
    Kind("invoices/<year>/<name>.json", Writer.PROGRAM, "", _CHECKOUT),
    Kind("invoices/<year>/<name>.ubl.xml", Writer.PROGRAM, "", _CHECKOUT),
    Kind("invoices/<year>/<name>.cii.xml", Writer.PROGRAM, "", _CHECKOUT),
    Kind("invoices/<year>/<name>.report.txt", Writer.PROGRAM, "", _CHECKOUT),
    Kind(
        "invoices/<anything>",
        Writer.DERIVED,
        "the document's .json",
        "a2ledger invoice --all",
        in_git=False,
    ),
    Kind(
        ".a2ledger/<anything>",
        Writer.PROGRAM,
        "the book itself",
        "the next command that writes",
        in_git=False,
    ),
)
"""The first kind whose pattern fits a path is the path's."""

TOPS = tuple(dict.fromkeys(kind.pattern.split("/")[0] for kind in TABLE))
"""Names at the top of a book; what else lies there is not the program's business."""


def _matcher(pattern: str) -> str:
    text = re.escape(pattern)
    for word, expression in _IN_TURN.items():
        text = text.replace(re.escape(word), expression)
    return text


_ANY = re.compile("|".join(f"(?P<k{i}>{_matcher(kind.pattern)})" for i, kind in enumerate(TABLE)))


@functools.lru_cache(maxsize=65536)
def kind(path: str) -> Kind | None:
    """Return what a path of a book is; None if it is nothing of a book's."""
    if path.endswith(".picklecache") or path.partition("/")[0] not in TOPS:
        return None
    match = _ANY.fullmatch(path)
    return TABLE[int(match.lastgroup[1:])] if match and match.lastgroup else None


def is_committed(path: str) -> bool:
    """Return whether git holds a file of the book; documents for people can be made again."""
    found = kind(path)
    return found is not None and found.in_git


def is_kept(path: str) -> bool:
    """Return whether it is remembered how a file was published: git's, calls, quarantine."""
    found = kind(path)
    return (
        found is not None
        and (found.in_git or found.writer is Writer.PROGRAM)
        and not (path.startswith(".a2ledger/"))
    )


def is_derived(path: str) -> bool:
    """Return whether a journal is made from others, and made anew where it is edited."""
    found = kind(path)
    return found is not None and found.writer is Writer.DERIVED and found.in_git


def back(path: str) -> str:
    """Return how a file that is lost or damaged comes back, as the end of a sentence."""
    found = kind(path)
    if found is None:
        return f"bring {path} back from a backup"
    text = found.back.format(path=path)
    if text.startswith(("git ", "a2ledger ")):
        return f"bring it back with `{text}`"
    return f"bring it back from {text}" if text.startswith("a ") else f"it comes back by {text}"
