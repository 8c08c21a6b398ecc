"""The customers' own ledgers in a book: read, and written to a draft.

A customer's facts stand in ``journals/customers/ID.beancount``, each period in a file of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from dataclasses import replace
from pathlib import Path

from a2ledger import accounts, facts, money
from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.journal import customer_file
from a2ledger.journal import period_file as period_files
from a2ledger.journal.period_file import PeriodFile
from a2ledger.journal.roster import NEVER, Entry, Roster
from a2ledger.records import Customer, Problem


class Customers(MutableMapping[str, Customer]):
    """The customers of a book by id, each read on demand, and all when they are listed.

    So a command about one customer reads one file, however many there are. Like a dictionary, it
    lists customers in the order of their files, then those that were put into it.

    Raises:
        BrokenBookError: wherever a customer's own ledger is read and is not as it must be.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._known: dict[str, Customer] = {}
        self._is_whole = False
        self._roster: Roster | None = None
        self._entries: dict[str, tuple[Customer, Entry]] = {}
        self._put: set[str] = set()

    def __copy__(self) -> Customers:
        other = Customers(self._book)
        other._known, other._is_whole = dict(self._known), self._is_whole
        other._roster, other._entries = self._roster, dict(self._entries)
        other._put = set(self._put)
        return other

    def __getitem__(self, identity: str) -> Customer:
        if identity not in self._known:
            if identity not in self:
                raise KeyError(identity)
            path = customer_file.path(identity)
            kept = self._roster.customer(identity) if self._roster else None
            self._known[identity] = kept or self._book.reading(lambda: _read(self._book, path))
        return self._known[identity]

    def __setitem__(self, identity: str, customer: Customer) -> None:
        self._known[identity] = customer
        self._put.add(identity)

    def __delitem__(self, identity: str) -> None:
        del self._known[identity]
        self._put.discard(identity)

    def __contains__(self, identity: object) -> bool:
        if identity in self._known or self._is_whole:
            return identity in self._known
        is_fit = isinstance(identity, str) and accounts.is_customer_id(identity)
        return is_fit and self._book.has(customer_file.path(str(identity)))

    def __len__(self) -> int:
        if self._is_whole:
            return len(self._known)
        paths = {customer_file.path(identity) for identity in self._known}
        return len(paths.union(self._book.files(_DIRECTORY)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._whole())

    def keys(self) -> KeysView[str]:
        """Return the ids, without reading all customers of a large book."""
        return self.entries().keys()

    def values(self) -> ValuesView[Customer]:
        """Return the customers."""
        return self._whole().values()

    def items(self) -> ItemsView[str, Customer]:
        """Return the customers with their ids."""
        return self._whole().items()

    def _whole(self) -> dict[str, Customer]:
        """Return all customers, read once."""
        if not self._is_whole:
            every = self._book.reading(self._read_all)
            self._known, self._is_whole = every, True
        return self._known

    def read_files(self) -> None:
        """Parse every file now, whatever is kept of it, for whoever proves what they say.

        Raises:
            BrokenBookError: as for the class.
        """
        self._known, self._is_whole = {}, False
        every = self._book.reading(lambda: self._read_all(is_kept_believed=False))
        self._known, self._is_whole = every, True

    def _read_all(self, *, is_kept_believed: bool = True) -> dict[str, Customer]:
        known = {customer_file.path(name): customer for name, customer in self._known.items()}
        roster = self._read_roster() if is_kept_believed else None
        every: dict[str, Customer] = {}
        problems: list[Problem] = []
        for path in self._book.files(_DIRECTORY):
            try:
                customer = (
                    known.pop(path, None)
                    or (roster and roster.customer(Path(path).stem))
                    or _read(self._book, path)
                )
            except BrokenBookError as error:
                problems += error.problems
            else:
                every[customer.id] = customer
        if problems:
            raise BrokenBookError(problems)
        return every | {customer.id: customer for customer in known.values()}

    def entries(self) -> dict[str, Entry]:
        """Return what lists ask of every customer, by id, without reading all of them."""
        roster = self._read_roster()
        if roster.is_small:
            return {name: self._entry(customer) for name, customer in self._whole().items()}
        return roster.entries | {name: self._entry(self._known[name]) for name in self._put}

    def currencies(self) -> dict[str, str]:
        """Return the currency of every customer's account, by id, without reading all of them."""
        roster = self._read_roster()
        names = self._whole() if roster.is_small else self._put
        of_roster = {} if roster.is_small else roster.entries
        return {name: entry.currency for name, entry in of_roster.items()} | {
            name: _currency(self._book, self._known[name]) for name in names
        }

    def _entry(self, customer: Customer) -> Entry:
        """Return what lists ask of a customer that was read or put."""
        before, entry = self._entries.get(customer.id, (None, None))
        if before is not customer or entry is None:
            entry = _entry(self._book, customer)
            self._entries[customer.id] = customer, entry
        return entry

    def _read_roster(self) -> Roster:
        """Read the roster, and parse the files that it does not know."""
        if self._roster is None:
            config = self._book.config
            self._roster = Roster(self._book, f"{config.currency} {sorted(config.services)}")
            if not self._roster.is_small:
                parsed = {
                    name: self._known.get(name) or _read(self._book, customer_file.path(name))
                    for name in self._roster.missing()
                }
                self._roster.keep(parsed, self._entry)
                self._known = parsed | self._known
        return self._roster


def _entry(book: Book, customer: Customer) -> Entry:
    """Return what lists ask of a customer."""
    own = _currency(book, customer)
    days = {since for history in customer.facts.values() for since, _ in history}
    latest, stable_from = max(days, default=customer.opened), 0
    path = customer_file.path(customer.id)
    text = book.text(path) if book.has(path) else ""
    if latest > customer.opened:
        is_shown = customer_file.updated(text, customer, own, latest) == text
        stable_from = latest.toordinal() if is_shown else NEVER
    name, limit = customer_file.shown(text, customer, "name", "credit_limit")
    return Entry(
        own,
        customer.open_since.toordinal(),
        bool(customer.fees),
        stable_from,
        name,
        money.parse(limit or "0"),
    )


_DIRECTORY = "journals/customers"


def customers(book: Book) -> Customers:
    """Return the customers by id, as they are or, in a draft, will be."""
    return book.once(Customers)


def _read(book: Book, path: str) -> Customer:
    """Parse the customer's own ledger in a file.

    Raises:
        BrokenBookError: if it is not the ledger of a customer, or not of the one it is named after.
    """
    line, todo = 0, ""
    try:
        customer = customer_file.parse(book.text(path))
        facts.check(customer)
        own = customer.text("currency", customer.opened) or book.config.currency
        facts.check_fees(customer, own, book.config.services)
        reason = f"is the ledger of {customer.id}"
    except ValueError as error:
        if isinstance(error, customer_file.BadLineError):
            line, todo = error.line, error.todo
        if isinstance(error, facts.BadFactError):
            line = customer_file.line_of_fact(book.text(path), error.key, error.since)
        reason = str(error)
    else:
        if customer_file.path(customer.id) == path:
            return customer
    raise BrokenBookError([Problem(path, line, "customer", reason, todo=todo)])


def customer(book: Book, identity: str) -> Customer:
    """Return a customer by id."""
    return customers(book)[identity]


def put_customer(draft: Draft, customer: Customer) -> None:
    """Write a customer's own ledger, and the first period's file if there is none."""
    path = customer_file.path(customer.id)
    known = customers(draft)
    known[customer.id] = customer
    own = currency(draft, customer.id)
    if not customer.periods:
        customer = with_period(customer, customer.opened)
    text = draft.text(path)
    if text:
        text = customer_file.updated(text, customer, own, draft.today)
    else:
        text = customer_file.new(customer, own, draft.today)
    draft.put(path, text)
    first = customer_file.period_path(customer.id, customer.periods[0])
    if not draft.text(first):
        put_period_file(draft, first, PeriodFile((), ()), customer.id)
    known[customer.id] = customer
    draft.touch(customer.id, customer.open_since)


def currency(book: Book, identity: str) -> str:
    """Return the currency a customer's account is kept in, from its opening on.

    Money that is nobody's yet, whose customer is the empty text, is in the book's.
    """
    if not identity:
        return book.config.currency
    return _currency(book, customer(book, identity))


def _currency(book: Book, customer: Customer) -> str:
    return customer.text("currency", customer.opened) or book.config.currency


def currencies(book: Book) -> set[str]:
    """Return the currencies that customers' accounts are kept in."""
    return set(customers(book).currencies().values())


def foreign_accounts(book: Book) -> dict[str, str]:
    """Return the currency of each customer whose account is not kept in the book's."""
    base = book.config.currency
    own = customers(book).currencies()
    return {name: currency for name, currency in own.items() if currency != base}


def period_file(book: Book, path: str) -> PeriodFile:
    """Parse a period's file.

    Raises:
        BrokenBookError: if it is not as the program wrote it.
    """
    known: PeriodFile | None = book.parsed(path)
    if known is not None:
        return known
    try:
        return period_files.parse(book.text(path))
    except ValueError as error:
        raise BrokenBookError([Problem(path, 0, "usage", str(error))]) from None


def open_file(book: Book, identity: str) -> PeriodFile:
    """Parse the file of a customer's open period.

    Raises:
        BrokenBookError: if it is not as the program wrote it.
    """
    since = customer(book, identity).open_since
    return period_file(book, customer_file.period_path(identity, since))


def put_period_file(draft: Draft, path: str, file: PeriodFile, identity: str) -> None:
    """Write the file of a customer's period."""
    file = period_files.settled(file, identity, currency(draft, identity))
    draft.put(path, period_files.text_of(file), parsed=file)


def put_open_file(draft: Draft, identity: str, file: PeriodFile) -> None:
    """Write the file of a customer's open period."""
    since = customer(draft, identity).open_since
    put_period_file(draft, customer_file.period_path(identity, since), file, identity)
    draft.touch(identity, since, opens=False)


def with_period(customer: Customer, start: dt.date) -> Customer:
    """Return the customer with one more period, which is then the open one."""
    return replace(customer, periods=(*customer.periods, start))
