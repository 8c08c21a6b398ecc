"""A card for each customer: what lists of all of them show, kept by the state of their files.

When the book changes, the cards of customers whose own ledger or open period has changed are made
anew, and the others stay: a book of ten thousand customers is read once. A closed period's file is
sealed; what somebody edits in one is seen with the customer's next change.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from a2ledger import money
from a2ledger.balances import ageing, balances, find
from a2ledger.balances.ageing import Aged
from a2ledger.balances.find import Entry
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.journal import customer_file, subledgers
from a2ledger.journal.ledger import Standing
from a2ledger.records import Customer, Problem

Stamp = tuple[int, int, int]
"""Time of change, size and inode of a file; noughts if there is none."""

DIRECTORY = "journals/customers"
_ENDING = ".beancount"
_DATED = re.compile(r"^\d{4}-\d\d-\d\d", re.MULTILINE)
_CALLS = re.compile(r"^(\d{4}-\d\d-\d\d) [^\n]*\n  calls: ", re.MULTILINE)
_LOW_SHARE = 10
"""Divisor of the credit limit below which available credit is low."""


class Row(NamedTuple):
    """What the list of customers shows of one of them."""

    standing: Standing
    is_settled: bool = False
    last_call: str = ""
    phone: str = ""

    @property
    def status(self) -> str:
        """Return ``over limit``, ``low``, ``ok`` or ``settled``."""
        if self.is_settled:
            return "settled"
        own = self.standing
        if own.over_limit:
            return "over limit"
        is_low = own.available_micro * _LOW_SHARE < own.credit_limit_micro
        return "low" if is_low or not own.available_micro else "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A customer with their standing and open documents."""

    customer: Customer
    aged: Aged
    """Open documents, whatever the dates of entries."""
    row: Row
    last_entry: str
    """Date of the last entry, on which and after which nothing changes."""
    entries: tuple[Entry, ...]
    """What the search finds of the customer."""


@dataclass(frozen=True, slots=True)
class Deck:
    """The cards of all customers, and what is wrong with those that have none."""

    cards: Mapping[str, Card] = field(default_factory=dict)
    problems: Sequence[Problem] = ()

    def aged(self, book: Book, day: dt.date) -> list[Aged]:
        """Return the open documents of all who were customers on a day.

        Raises:
            BrokenBookError: if a file is gone, or does not say what the next one brings forward.
        """
        rows = []
        for card in self.cards.values():
            if card.last_entry <= str(day):
                rows.append(replace(card.aged, day=day))
            elif card.customer.opened <= day:
                standing = balances.standing_on(book, card.customer, day)
                rows.append(ageing.of_customer(book, standing, day))
        return rows

    def names(self) -> dict[str, str]:
        """Return the customers' names by id."""
        return {identity: card.row.standing.name for identity, card in self.cards.items()}


class Cards:
    """Makes the cards of a book, those alone that have changed."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dt.date, Stamp, str, Stamp, Card]] = {}
        self._lock = threading.Lock()

    def of(self, book: Book, today: dt.date) -> Deck:
        """Return the cards of all customers, by id.

        Args:
            book: whose.
            today: the day whose credit limits and names are shown.
        """
        with self._lock:
            deck: Deck = book.reading(lambda: self._of(book, today))
        known = subledgers.customers(book)
        for identity, card in deck.cards.items():
            known[identity] = card.customer
        return deck

    def _of(self, book: Book, today: dt.date) -> Deck:
        cards: dict[str, Card] = {}
        problems: list[Problem] = []
        for path in book.files(DIRECTORY):
            identity = path.rpartition("/")[2].removesuffix(_ENDING)
            stamp = stamp_of(book, path)
            kept = self._kept.get(identity)
            if kept and kept[:2] == (today, stamp) and kept[3] == stamp_of(book, kept[2]):
                cards[identity] = kept[4]
                continue
            try:
                customer = subledgers.customer(book, identity)
                own = customer_file.period_path(identity, customer.open_since)
                of_period = stamp_of(book, own)
                cards[identity] = _card(book, customer, today)
            except BrokenBookError as error:
                problems += error.problems
                continue
            self._kept[identity] = (today, stamp, own, of_period, cards[identity])
        for gone in self._kept.keys() - cards.keys():
            del self._kept[gone]
        return Deck(cards, problems)


def stamp_of(book: Book, path: str) -> Stamp:
    """Return what tells whether a file of the book has changed."""
    try:
        found = os.stat(book.root / path)  # noqa: PTH116 - of ten thousand files
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_size, found.st_ino


def _card(book: Book, customer: Customer, today: dt.date) -> Card:
    standing = balances.standing_on(book, customer, dt.date.max)
    limit = money.parse(customer.text("credit_limit", today) or "0")
    shown = standing._replace(credit_limit_micro=limit, name=customer.text("name", today))
    text = book.text(customer_file.period_path(customer.id, customer.open_since))
    dates = _DATED.findall(text)
    row = Row(shown, customer.settled, _last_call(book, customer, text), phone(customer))
    return Card(
        customer=customer,
        aged=ageing.of_customer(book, standing, dt.date.max),
        row=row,
        last_entry=max([*dates, str(customer.open_since)]),
        entries=tuple(find.of_customer(customer)),
    )


def _last_call(book: Book, customer: Customer, text: str) -> str:
    """Return the last day with calls, in the open period or the one before it."""
    days = _CALLS.findall(text)
    if not days and len(customer.periods) > 1:
        days = _CALLS.findall(
            book.text(customer_file.period_path(customer.id, customer.periods[-2]))
        )
    return max(days, default="")


def phone(customer: Customer) -> str:
    """Return a customer's number: the contact's, else the first identifier that is one."""
    numbers = customer.listed("identifiers", dt.date.max)
    first = next((number for number in numbers if number.lstrip("+").isdigit()), "")
    return customer.text("phone", dt.date.max) or first


def of_ledger(standings: Iterable[Standing]) -> list[Row]:
    """Return rows of journals that have no book around them."""
    return [Row(standing) for standing in standings]
