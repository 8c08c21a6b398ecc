"""Find the uses of decks: which customers and sources, and from when."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from a2ledger.book.book import Book
from a2ledger.journal import subledgers
from a2ledger.records import split_list


class Use(NamedTuple):
    """The use of a deck in the tariff of a customer, or of a source's rule, from a day on."""

    deck: str
    user: str
    """A customer's id, or a source as ``sources.NAME``."""
    since: dt.date
    until: dt.date
    tariff: str


def uses(book: Book) -> Iterator[Use]:
    """Yield every use of a deck, past, present and future."""
    for customer in subledgers.customers(book).values():
        history = customer.facts.get("tariff", ())
        ends = [since for since, _ in history[1:]] + [dt.date.max]
        for (since, tariff), until in zip(history, ends, strict=True):
            for deck in split_list(str(tariff)):
                yield Use(deck, customer.id, since, until, str(tariff))
    for source in book.config.sources.values():
        for tariff in dict.fromkeys(rule.tariff for rule in source.rules if rule.tariff):
            for deck in split_list(tariff):
                yield Use(deck, f"sources.{source.name}", dt.date.min, dt.date.max, tariff)


def customers_of(book: Book, deck: str, day: dt.date) -> list[str]:
    """Return the customers whose calls a deck prices on a day or later."""
    known = subledgers.customers(book)
    names = {use.user for use in uses(book) if use.deck == deck and use.until > day}
    return sorted(name for name in names & known.keys() if not known[name].settled)


def numbers_of_customers(book: Book, day: dt.date) -> Counter[str]:
    """Return by how many customers' calls each deck is used on a day or later."""
    known = subledgers.customers(book)
    pairs = {(use.deck, use.user) for use in uses(book) if use.until > day}
    return Counter(deck for deck, name in pairs if name in known and not known[name].settled)


def names(book: Book) -> list[str]:
    """Return the names of the decks that a book has or mentions."""
    existing = {
        path.removeprefix("tariffs/").removesuffix(".csv")
        for path in book.files("tariffs", "*.csv")
    }
    tariffs = {
        str(tariff)
        for customer in subledgers.customers(book).values()
        for _, tariff in customer.facts.get("tariff", ())
    }
    tariffs |= {rule.tariff for source in book.config.sources.values() for rule in source.rules}
    return sorted(existing.union(*map(split_list, tariffs)))
