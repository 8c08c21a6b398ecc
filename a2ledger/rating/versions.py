"""Price lists as they are, as a file has them, and as they were at earlier commits."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from a2ledger.book.book import Book, RefusedError
from a2ledger.rating import deck as decks
from a2ledger.rating import decks as cache
from a2ledger.rating import usage
from a2ledger.rating.deck import Deck
from a2ledger.sources.batch import UnusableInput


class Version(NamedTuple):
    """A commit that changed a deck."""

    commit: str
    day: str
    subject: str


def side(book: Book, where: str, name: str) -> Deck:
    """Return a deck of the book, of a file, or of an earlier commit (``REV:PATH``).

    Args:
        book: whose decks.
        where: a deck's name, a file, or a commit and a path.
        name: the deck it stands for.

    Raises:
        RefusedError: if it is none of these.
        UnusableInput: if its rates cannot be read.
    """
    if Path(where).is_file():
        text = Path(where).read_text(encoding="utf-8-sig")
    elif where in usage.names(book):
        return cache.deck(book, where)
    elif ":" in where and not where.startswith("-"):
        text = book.repository.run("show", where, check=False).stdout
    else:
        text = ""
    if not text:
        raise RefusedError(f"{where}: is neither a deck, a file, nor one of an earlier commit")
    deck, problems = decks.parse(text, name=name, file=where)
    if problems:
        raise UnusableInput("\n".join(map(str, decks.first(problems))))
    return deck.starting(book.config.deck(name).valid_from)


def versions(book: Book, name: str, most: int) -> list[Version]:
    """Return the commits that changed a deck, the newest first."""
    lines = book.repository.run(
        "log", f"-{most}", "--format=%h%x09%cs%x09%s", "--", f"tariffs/{name}.csv", check=False
    ).stdout.splitlines()
    return [Version(*line.split("\t", 2)) for line in lines]
