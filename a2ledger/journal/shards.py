"""Where the general ledger of a book stands: in a file a month, or in many of a large book.

Above :attr:`~a2ledger.book.config.Config.shard_above` customers a month of the general ledger, and
the ``open`` entries, are spread over 256 files by a hash of the customer, so that one customer's
change rewrites kilobytes: ``general/2026-03/7f.beancount``, ``general/opens/7f.beancount``. Then
``main`` holds control totals (:mod:`a2ledger.journal.carried`), and ``history`` all of it. A book
stays as it began until `a2ledger upgrade`.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache

from a2ledger.book.book import GENERAL, Book, Draft
from a2ledger.journal import subledgers

OPENS = "opens"
ALL = tuple(f"{number:02x}" for number in range(256))
_PATH = re.compile(
    rf"{GENERAL}/(?P<part>{OPENS}|\d{{4}}-\d\d)(?:/(?P<shard>[0-9a-f]{{2}}))?\.beancount"
)


@cache
def of(customer: str) -> str:
    """Return the two digits of a customer's files, by the customer's part of account names."""
    return hashlib.sha256(customer.encode()).hexdigest()[:2]


def path(part: str, shard: str) -> str:
    """Return the path of a month, or of :data:`OPENS`; ``shard`` is empty in a small book."""
    return f"{GENERAL}/{part}/{shard}.beancount" if shard else f"{GENERAL}/{part}.beancount"


def month_of(path: str) -> str:
    """Return the month of a file of the general ledger; empty if it is no month's."""
    match = _PATH.fullmatch(path)
    return match["part"] if match and match["part"] != OPENS else ""


def months(book: Book) -> list[str]:
    """Return the paths of all months, oldest first."""
    return [*book.files(GENERAL, "2*.beancount"), *book.files(GENERAL, "2*/*.beancount")]


def opens(book: Book) -> list[str]:
    """Return the paths of the files with customers' ``open`` entries."""
    return [
        *book.files(GENERAL, f"{OPENS}.beancount"),
        *book.files(f"{GENERAL}/{OPENS}"),
    ]


def is_large(book: Book) -> bool:
    """Return whether a book has so many customers that its general ledger is to be spread."""
    return len(subledgers.customers(book)) > book.config.shard_above


def are_there(book: Book) -> bool:
    """Return whether the general ledger is spread, or will be as nothing of it is there yet."""
    there = [*opens(book), *months(book)]
    if any(map(_is_spread, there)):
        return True
    return is_large(book) and not any(book.text(path) for path in there)


def drop(draft: Draft, *, spread: bool) -> None:
    """Remove from a draft what stands in the one way, or in the other."""
    for name in [*opens(draft), *months(draft)]:
        if _is_spread(name) == spread:
            draft.put(name, None)


def _is_spread(path: str) -> bool:
    match = _PATH.fullmatch(path)
    return bool(match and match["shard"])
