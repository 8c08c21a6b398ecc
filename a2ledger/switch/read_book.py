"""Read the book for the switchboard, and keep it fresh: only what changed is read again.

The book is only read. A run that publishes counts its generation up; then files whose size or
time differ are read once more: settings, decks, customers, their open periods.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
        self._owed: dict[str, tuple[tuple[str, Signature], Account]] = {}
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
        customers: dict[str, tuple[Signature, Customer]] = {}
        for path in self._ledgers():
            try:
                customers[path] = self._customer(book, path)
            except (ValueError, BrokenBookError) as error:
                self.unsound[path] = str(error)
                if path in self._customers:  # else nobody knows who it is
                    customers[path] = None, self._customers[path][1]
        keys = {customer.id: self._key(customer) for _, customer in customers.values()}
        edited = self._edited(book, keys)
        owed = {}
        for signature, customer in customers.values():
            key = keys[customer.id]
            account = self._account(book, customer, key, edited, is_read=signature is not None)
            owed[customer.id] = key, account
            yield customer.id, account
        self._customers, self._owed = customers, owed

    def _key(self, customer: Customer) -> tuple[str, Signature]:
        """Return the path of a customer's open period, and the signature of that file."""
        path = balances.period_file(customer, dt.date.max)
        return path, _signature(f"{self.root}/{path}")

    def _is_known(self, name: str, key: tuple[str, Signature]) -> bool:
        """Return True if what a customer owes was read from the file as it is, and is sound."""
        known = self._owed.get(name)
        return known is not None and known[0] == key and known[1].is_sound

    def _edited(self, book: Book, keys: Mapping[str, tuple[str, Signature]]) -> set[str]:
        """Return those of the files to be read that hands have changed: no command took that yet.

        Thousands of files are asked about at once: each by itself would search all that is known.
        """
        unread = [key[0] for name, key in keys.items() if not self._is_known(name, key)]
        published = book.vault.published_if_known() if unread else None
        return set(published.differs(unread)) if published else set()

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

    def _account(
        self,
        book: Book,
        customer: Customer,
        key: tuple[str, Signature],
        edited: Collection[str],
        *,
        is_read: bool,
    ) -> Account:
        known, (path, signature) = self._owed.get(customer.id), key
        owed_micro, is_sound = (
            (known[1].owed_micro if known else 0),
            self._is_known(customer.id, key),
        )
        if not is_sound:
            try:
                if signature is None:
                    self.unsound[path] = f"{path}: is gone"
                elif path in edited:
                    self.unsound[path] = f"{path}: was changed by hand, and is not posted yet"
                else:
                    owed_micro, is_sound = sum(balances.sums(book, customer, dt.date.max)), True
            except BrokenBookError as error:
                self.unsound[path] = str(error)
        return Account(customer=customer, owed_micro=owed_micro, is_sound=is_sound and is_read)

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
