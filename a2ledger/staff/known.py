"""What the pages keep of a book: a card for each customer, and all that can be searched."""

from __future__ import annotations

import contextlib
import datetime as dt

from a2ledger import accounts
from a2ledger.balances import find
from a2ledger.balances.ageing import Aged
from a2ledger.balances.find import Entry
from a2ledger.book.book import Book
from a2ledger.errors import ExpectedError
from a2ledger.staff.cards import Cards, Deck, Stamp, stamp_of
from a2ledger.staff.due import Drawn
from a2ledger.staff.kept import PATIENCE_SECONDS, Kept
from a2ledger.staff.suspense import Suggestions

State = tuple[Book, dt.date]

_LONG_SECONDS = 600.0
"""How long one thing that is kept waits for another."""


class Known:
    """What takes long to add up, of the newest state of a book for which it is there."""

    def __init__(self) -> None:
        self._cards = Cards()
        self.due = Drawn()
        self._suggestions = Suggestions(Deck())
        self._months: dict[str, tuple[Stamp, list[Entry]]] = {}
        self._deck: Kept[State, Deck] = Kept(lambda state: self._cards.of(*state))
        self._entries: Kept[State, list[Entry]] = Kept(self._read_entries)
        self._aged: Kept[tuple[Book, dt.date, dt.date], list[Aged]] = Kept(self._read_aged)

    def deck(
        self, book: Book, today: dt.date, patience: float = PATIENCE_SECONDS
    ) -> tuple[Deck, bool]:
        """Return the cards of all customers, and whether they are of this state of the book."""
        deck, is_fresh = self._deck.get((book, today), patience)
        if deck and deck.problems:
            self._deck.forget()  # it may be mended by hand at any time
        return deck or Deck(), is_fresh

    def entries(self, book: Book, today: dt.date) -> tuple[list[Entry], bool]:
        """Return all that can be searched, and whether it is of this state of the book."""
        entries, is_fresh = self._entries.get((book, today))
        return entries or [], is_fresh

    def renew(self, book: Book, today: dt.date) -> None:
        """Begin to add up what is of an older state of the book."""
        with contextlib.suppress(ExpectedError):
            self._entries.get((book, today), 0)

    def aged(self, book: Book, today: dt.date, day: dt.date) -> tuple[list[Aged], bool]:
        """Return open documents at the end of a day, and whether they are of this state."""
        rows, is_fresh = self._aged.get((book, today, day))
        return rows or [], is_fresh

    def suggestions(self, book: Book, today: dt.date) -> Suggestions:
        """Return what tells whose money may be."""
        deck, _ = self.deck(book, today)
        if self._suggestions.deck is not deck:
            self._suggestions = Suggestions(deck)
        return self._suggestions

    def _read_entries(self, state: State) -> list[Entry]:
        book, _ = state
        deck = self._deck.get(state, _LONG_SECONDS)[0] or Deck()
        found = [entry for card in deck.cards.values() for entry in card.entries]
        names = {accounts.component(name): name for name in deck.cards}
        paths = find.ledger_paths(book)
        for path in paths:
            stamp = stamp_of(book, path)
            kept = self._months.get(path)
            if kept is None or kept[0] != stamp:
                kept = self._months[path] = (stamp, list(find.of_month(book.text(path), names.get)))
            found += kept[1]
        for gone in self._months.keys() - set(paths):
            del self._months[gone]
        return found

    def _read_aged(self, state: tuple[Book, dt.date, dt.date]) -> list[Aged]:
        book, today, day = state
        deck, _ = self._deck.get((book, today), _LONG_SECONDS)
        rows: list[Aged] = book.reading(lambda: (deck or Deck()).aged(book, day))
        return rows
