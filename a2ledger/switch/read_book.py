"""Read the book for the switchboard, and keep it fresh: only what changed is read again.

The book is only read. A run that publishes counts its generation up; then files whose size or
time differ are read once more: settings, decks, customers, their open periods.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164, facts
from a2ledger.balances import balances
from a2ledger.book.book import CONFIG, Book, BrokenBookError
from a2ledger.book.config import Config
from a2ledger.book.source_config import Source
from a2ledger.calls import detail
from a2ledger.calls.detail import Digest
from a2ledger.journal import customer_file
from a2ledger.rating import decks
from a2ledger.rating.deck import Deck
from a2ledger.records import Customer, split_list
from a2ledger.switch.reservations import Reservation
from a2ledger.switch.settlement import Record
from a2ledger.switch.terms import Account, Snapshot

_DAY = dt.timedelta(days=1)
_LEDGERS = "journals/customers"
_COLUMNS = ["uid", "switch", "start", "seconds", "cost_micro"]

Signature = tuple[int, int, int] | None
"""Time, size and inode of a file, or None if it does not exist."""


class BookReader:
    """Reads a book repeatedly, each time only what changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.zone = Book(root).config.zone
        self._generation: int | None = None
        self._config: tuple[Signature, Config] | None = None
        self._decks: dict[str, tuple[object, Deck]] = {}
        self._customers: dict[str, tuple[Signature, Customer]] = {}
        self._owed: dict[str, tuple[object, Account]] = {}
        self._seen: dict[dt.date, Digest] = {}
        """Digests of the days searched for records, as of the search."""
        self.unsound: dict[str, str] = {}
        """Problems of customers' ledgers that cannot be read, by customer."""

    def is_behind(self) -> bool:
        """Return True if the book was published or its settings changed since it was read."""
        if self._generation is None or self._config is None:
            return True
        book = Book(self.root)
        now = book.vault.generation()
        return now != self._generation or _signature(f"{self.root}/{CONFIG}") != self._config[0]

    def read(self) -> Snapshot:
        """Read what changed, and return a snapshot.

        Raises:
            BrokenBookError: if settings or decks cannot be read.
            ConfigError: if the settings are none.
            LockedError: if runs publish without end.
            InterruptedRunError: if one was killed and nobody has finished it.
        """
        book = Book(self.root)
        snapshot: Snapshot = book.reading(lambda: self._read(book))
        self._generation = snapshot.generation
        return snapshot

    def _read(self, book: Book) -> Snapshot:
        generation = book.vault.generation()
        config = self._settings(book)
        accounts = dict(self._accounts(book))
        names = {
            name
            for account in accounts.values()
            for text in account.customer.values("tariff")
            for name in split_list(str(text))
        }
        return Snapshot(
            generation=generation,
            accounts=accounts,
            holders=_holders(account.customer for account in accounts.values()),
            decks=dict(self._read_decks(book, names)),
            currency=config.currency,
            deck_currencies={name: config.deck(name).currency for name in names},
            settings=config.authorize,
            normalised=_normaliser(_source(config)),
        )

    def _settings(self, book: Book) -> Config:
        signature = _signature(f"{self.root}/{CONFIG}")
        if self._config is None or self._config[0] != signature:
            book.__dict__.pop("config", None)
            self._config = signature, book.config
        return self._config[1]

    def _accounts(self, book: Book) -> Iterator[tuple[str, Account]]:
        self.unsound = {}
        customers, owed = {}, {}
        for path in self._ledgers():
            try:
                signature, customer = self._customer(book, path)
            except (ValueError, BrokenBookError) as error:
                self.unsound[path] = str(error)
                if path not in self._customers:
                    continue  # nobody knows who it is
                signature, customer = None, self._customers[path][1]
            customers[path] = signature, customer
            key, account = self._account(book, customer, is_read=signature is not None)
            owed[customer.id] = key, account
            yield customer.id, account
        self._customers, self._owed = customers, owed

    def _ledgers(self) -> list[str]:
        """Return the paths of customers' ledgers, as :meth:`Book.files` does, only sooner."""
        try:
            names = os.listdir(self.root / _LEDGERS)  # noqa: PTH208 - the same
        except FileNotFoundError:
            return []
        return sorted(f"{_LEDGERS}/{name}" for name in names if name.endswith(".beancount"))

    def _customer(self, book: Book, path: str) -> tuple[Signature, Customer]:
        signature = _signature(f"{self.root}/{path}")
        known = self._customers.get(path)
        if known is not None and known[0] == signature:
            return known
        customer = customer_file.parse(book.text(path))
        facts.check(customer)
        return signature, customer

    def _account(self, book: Book, customer: Customer, *, is_read: bool) -> tuple[object, Account]:
        path = balances.period_file(customer, dt.date.max)
        key = path, _signature(f"{self.root}/{path}")
        known = self._owed.get(customer.id)
        if known is not None and known[0] == key:
            owed_micro, is_sound = known[1].owed_micro, known[1].is_sound
        else:
            owed_micro, is_sound = (known[1].owed_micro if known else 0), False
            try:
                published = book.vault.published_if_known()
                if key[1] is None:
                    self.unsound[path] = f"{path}: is gone"
                elif published is not None and published.differs([path]):
                    self.unsound[path] = f"{path}: was changed by hand, and is not posted yet"
                else:
                    owed_micro, is_sound = sum(balances.sums(book, customer, dt.date.max)), True
            except BrokenBookError as error:
                self.unsound[path] = str(error)
        account = Account(customer=customer, owed_micro=owed_micro, is_sound=is_sound and is_read)
        return key, account

    def _read_decks(self, book: Book, names: Iterable[str]) -> Iterator[tuple[str, Deck]]:
        for name in sorted(names):
            key = _signature(f"{self.root}/tariffs/{name}.csv"), book.config.deck(name)
            known = self._decks.get(name)
            if known is None or known[0] != key:
                try:
                    known = key, decks.deck(book, name)
                    assert known[1].index  # noqa: S101 - made now, not by the first call
                except BrokenBookError as error:
                    self.unsound[f"tariffs/{name}.csv"] = str(error)
                    self._decks.pop(name, None)
                    continue
                self._decks[name] = known
            yield name, known[1]

    def records(self, waiting: Iterable[Reservation], generation: int) -> list[Record] | None:
        """Return the records of allowed calls, from days that changed since last time.

        Returns:
            None where the book is of another generation by now: it is to be read anew.

        Raises:
            BrokenBookError: if the list of days cannot be read.
            MissingDetailError: if the calls of a day cannot.
        """
        calls: dict[dt.date, set[str]] = {}
        for reservation in waiting:
            day = dt.datetime.fromtimestamp(reservation.started, self.zone).date()
            for near in (day - _DAY, day, day + _DAY):
                calls.setdefault(near, set()).add(reservation.call)
        if not calls:
            return []
        book = Book(self.root)
        digests: dict[dt.date, Digest] = detail.digests(book)
        days = sorted(calls.keys() & digests.keys())
        records: list[Record] = []
        for day in days:
            if self._seen.get(day) != digests[day]:
                records += _records(self.root, day, digests, calls[day])
        # A record of a later generation is not part of what is owed at this one.
        if book.vault.whole() != generation:
            return None
        self._seen |= {day: digests[day] for day in days}
        return records

    def look_again(self) -> None:
        """Search every day for records next time, even if it did not change."""
        self._seen.clear()


def _records(
    root: Path, day: dt.date, digests: dict[dt.date, Digest], calls: set[str]
) -> Iterator[Record]:
    table = detail.read(root, day, digests, _COLUMNS)
    table = table.filter(pc.is_in(table["uid"], pa.array(sorted(calls), pa.string())))
    for row in table.to_pylist():
        yield Record(
            call=row["uid"],
            switch=row["switch"],
            start=int(row["start"].timestamp()),
            seconds=row["seconds"],
            cost_micro=row["cost_micro"],
        )


def _signature(file: str) -> Signature:
    try:
        status = os.stat(file)  # noqa: PTH116 - of tens of thousands of files, at each import
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _holders(customers: Iterable[Customer]) -> dict[str, tuple[str, ...]]:
    """Return the customers who ever held each identifier."""
    holders: dict[str, tuple[str, ...]] = {}
    for customer in customers:
        for text in customer.values("identifiers"):
            for identifier in split_list(str(text)):
                names = holders.get(identifier, ())
                if customer.id not in names:
                    holders[identifier] = (*names, customer.id)
    return holders


def _source(config: Config) -> Source:
    """Return the source whose number rules apply to dialled numbers."""
    name = config.authorize.source
    if name:
        return config.source(name, list)
    if len(config.sources) == 1:
        return next(iter(config.sources.values()))
    return Source(name="authorize", dialect="calls", switch="", timezone=config.timezone)


def _normaliser(source: Source) -> Callable[[str, str], str]:
    """Return a function that normalises a dialled number by a customer's dial plan."""
    prefixes = tuple(filter(None, (*source.international, source.national)))

    @lru_cache(maxsize=10_000)
    def normalised(dialled: str, plan: str) -> str:
        if (
            dialled.isascii()
            and dialled.isdigit()
            and not plan
            and not dialled.startswith(prefixes)
        ):
            return dialled
        number = pa.array([dialled], pa.string())
        digits = e164.planned(number, source, [plan], np.zeros(1, np.int64))
        return str(digits[0].as_py())

    return normalised
