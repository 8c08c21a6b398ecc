"""A book is a directory: where its files stand, and a draft of what a command will publish."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from a2ledger import facts
from a2ledger.book import config as configuration
from a2ledger.book.config import Config
from a2ledger.book.git import Tag
from a2ledger.book.toml_table import ConfigError
from a2ledger.book.transaction import STATE, Talk, Vault
from a2ledger.calls import detail
from a2ledger.calls.detail import Digest
from a2ledger.fees import due
from a2ledger.journal import customer_file, exchange_rates, syntax
from a2ledger.journal import period_file as periodfile
from a2ledger.journal.exchange_rates import Prices
from a2ledger.journal.seal import Seal
from a2ledger.progress import Progress, silent
from a2ledger.rating import deck as tariff
from a2ledger.rating import decks
from a2ledger.rating.deck import Deck
from a2ledger.records import Customer, Problem

CONFIG = "a2ledger.toml"
IMPORTS = "imports.csv"
DIGESTS = "calls/DIGESTS"
GENERAL = "journals/general"
SUSPENSE = "journals/suspense"
_MEND = "nothing was done; correct it, or bring it back from git"
_PERIOD = re.compile(r"journals/\d{4}-\d\d/")


class NoBookError(Exception):
    """There is no book here."""


class RefusedError(Exception):
    """What was asked for cannot be; the message says why and what to do."""


class BrokenBookError(Exception):
    """The book holds what cannot be: the problems say what and where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def restore(path: str) -> str:
    """How to bring back what only the program writes."""
    return f"bring it back with `git checkout -- {path}`"


class Run(NamedTuple):
    """An import: of what, when, and through which day if it was not to take all there was."""

    source: str
    time: dt.datetime
    through: dt.date | None


class Book:
    """A book on disk, read on demand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.vault = Vault(root)
        self.repository = self.vault.repository
        self._generation = self.vault.generation()
        self.drafted_decks: dict[str, str] = {}
        """Texts of decks that are still to be published."""
        if not (root / CONFIG).is_file():
            raise NoBookError(
                f"{root / CONFIG}: not there; nothing was done; "
                "name a book with -C, or start one with `a2ledger init DIR`"
            )

    @cached_property
    def config(self) -> Config:
        """What ``a2ledger.toml`` says.

        Raises:
            ConfigError: naming the file and the key.
        """
        try:
            return configuration.parse(self.text(CONFIG))
        except ConfigError as error:
            line = re.search(r" \(at line (\d+), ", str(error))
            place = f"{CONFIG}:{line[1]}" if line else CONFIG
            raise ConfigError(f"{place}: {error}; nothing was done; correct it") from None

    def text(self, path: str) -> str:
        """A file of the book as text; empty if it is not there.

        Raises:
            BrokenBookError: if it is not UTF-8, or a journal whose amounts cannot be added up.
        """
        try:
            text = (self.root / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            raise BrokenBookError(
                [Problem(path, 0, "encoding", f"not UTF-8 at byte {error.start}; {_MEND}")]
            ) from None
        if _PERIOD.match(path) and (found := syntax.damage(text)):
            line, what = found
            raise BrokenBookError([Problem(path, line, "damaged", f"{what}; {_MEND}")])
        return text

    def period_file(self, path: str) -> periodfile.PeriodFile:
        """A period's file, taken apart.

        Raises:
            BrokenBookError: if it is not as the program wrote it.
        """
        return taken_apart(path, self.text(path))

    def files(self, directory: str, pattern: str = "*.beancount") -> list[str]:
        """Paths in the book that match a pattern, sorted."""
        found = (self.root / directory).glob(pattern)
        return sorted(str(path.relative_to(self.root)) for path in found)

    @cached_property
    def customers(self) -> dict[str, Customer]:
        """Every customer, by id.

        Raises:
            BrokenBookError: where a customer's own ledger cannot be read.
        """
        found: dict[str, Customer] = self.reading(self._customers)
        return found

    def _customers(self) -> dict[str, Customer]:
        found: dict[str, Customer] = {}
        problems = []
        for path in self.files("journals/customers"):
            try:
                customer = customer_file.parse(self.text(path))
                facts.check(customer)
                currency = customer.text("currency", customer.opened) or self.config.currency
                due.check(customer, currency, self.config.services)
            except ValueError as error:
                line = error.line if isinstance(error, customer_file.BadLineError) else 0
                problems.append(Problem(path, line, "customer", str(error)))
                continue
            if customer_file.path(customer.id) != path:
                problems.append(Problem(path, 0, "customer", f"is the ledger of {customer.id}"))
            found[customer.id] = customer
        if problems:
            raise BrokenBookError(problems)
        return found

    def currency(self, identity: str) -> str:
        """The currency a customer's account is kept in, from its opening on.

        Money that is nobody's yet, whose customer is the empty text, is in the book's.
        """
        if not identity:
            return self.config.currency
        customer = self.customers[identity]
        return customer.text("currency", customer.opened) or self.config.currency

    def foreign_accounts(self) -> dict[str, str]:
        """Currencies of the customers whose account is not kept in the book's."""
        currencies = {identity: self.currency(identity) for identity in self.customers}
        base = self.config.currency
        return {identity: own for identity, own in currencies.items() if own != base}

    @cached_property
    def prices(self) -> Prices:
        """What foreign currencies are worth."""
        base = self.config.currency
        return Prices(exchange_rates.parse(self.text(exchange_rates.PATH), base), base)

    @cached_property
    def digests(self) -> dict[dt.date, Digest]:
        """The days of call detail the book knows of."""
        try:
            return detail.parse_digests(self.text(DIGESTS))
        except ValueError as error:
            message = f"{error}; {restore(DIGESTS)}"
            raise BrokenBookError([Problem(DIGESTS, 0, "digests", message)]) from None

    def deck(self, name: str) -> Deck:
        """A tariff's deck, from ``tariffs/NAME.csv``.

        Raises:
            BrokenBookError: if it is missing or has bad rows.
        """
        path = f"tariffs/{name}.csv"
        drafted = self.drafted_decks.get(name)
        if drafted is None and not (self.root / path).is_file():
            raise BrokenBookError(
                [Problem(path, 0, "tariff", "not there, but a customer or a rule names it")]
            )
        text = self.text(path) if drafted is None else drafted
        kept = decks.path(self.root / STATE / "decks", text, name)
        deck = decks.load(kept)
        if deck is None:
            deck, problems = tariff.parse(text, name=name, file=path)
            if problems:
                raise BrokenBookError(problems)
            decks.keep(kept, deck)
        return deck.starting(self.config.deck(name).valid_from)

    def runs(self) -> list[Run]:
        """Every run, from ``imports.csv``.

        Raises:
            BrokenBookError: if a line is not as the program wrote it.
        """
        found = []
        for row in (reader := csv.DictReader(io.StringIO(self.text(IMPORTS)))):
            try:
                when = dt.datetime.fromisoformat(row["time"])
                last = row.get("through") or ""
                through = dt.date.fromisoformat(last) if last else None
                found.append(Run(row["source"], when.astimezone(self.config.zone), through))
            except (KeyError, TypeError, ValueError):
                message = f"is no line of an import; {restore(IMPORTS)}"
                raise BrokenBookError(
                    [Problem(IMPORTS, reader.line_num, "imports", message)]
                ) from None
        return found

    def latest(self, source: str, file: str) -> dt.datetime | None:
        """The latest start that runs of a source have seen in a file they read alone."""
        found = [
            dt.datetime.fromisoformat(row["latest"])
            for row in csv.DictReader(io.StringIO(self.text(IMPORTS)))
            if row["source"] == source and row["files"] == file and row["latest"]
        ]
        return max(found, default=None)

    @contextlib.contextmanager
    def writing(self, today: dt.date, talk: Talk, timeout_seconds: float = 600) -> Iterator[Draft]:
        """Hold the book for writing, as a draft that may be published."""
        with self.vault.writing(talk, timeout_seconds):
            self._forget()  # another writer may have changed it meanwhile
            yield Draft(self, today, talk)

    def reading(self, read: Callable[[], Any]) -> Any:
        """What ``read`` returns of one whole generation of the book.

        Raises:
            LockedError: if the book is never at rest.
            InterruptedRunError: if a killed run has left it in between.
        """

        def read_now() -> Any:
            if not self.vault.is_writing and self.vault.generation() != self._generation:
                self._generation = self.vault.generation()
                self._forget()
            return read()

        return self.vault.reading(read_now)

    def _forget(self) -> None:
        """Have what is read once be read again."""
        for name in ("config", "customers", "digests", "prices"):
            self.__dict__.pop(name, None)


class Draft:
    """What a command will publish: files that stand for those on disk until then."""

    def __init__(self, book: Book, today: dt.date, talk: Talk) -> None:
        self.book, self.today, self.talk = book, today, talk
        self.progress: Callable[[str, int], contextlib.AbstractContextManager[Progress]] = silent
        """A bar for what takes long: ``with draft.progress("closing", 3) as bar: bar.add(1)``."""
        self.put_files: dict[str, bytes | None] = {}
        self._period_files: dict[str, periodfile.PeriodFile] = {}
        """Those of them that need not be taken apart again."""
        self.touched: dict[str, dt.date] = {}
        """Customers whose ledger changes, and the first day that may be affected."""
        self.fees = 0
        """How many entries of recurring fees it posts."""
        self.unwritten: set[str] = set()
        """Customers whose general ledger on disk is behind hand edits that a dry run leaves."""
        self.sealed: list[Seal] = []
        """The seals of the periods it closes."""
        self.rebuild = False
        """Whether what is derived is to be made from nothing, not brought up to date."""

    def text(self, path: str) -> str:
        """A file as text, as it will be."""
        if path in self.put_files:
            return (self.put_files[path] or b"").decode()
        return self.book.text(path)

    def files(self, directory: str, pattern: str = "*.beancount") -> list[str]:
        """Paths of a directory that match a pattern, as they will be, sorted."""
        there = set(self.book.files(directory, pattern))
        depth = f"{directory}/{pattern}".count("/")
        for path, content in self.put_files.items():
            if fnmatch(path, f"{directory}/{pattern}") and path.count("/") == depth:
                (there.discard if content is None else there.add)(path)
        return sorted(there)

    def put(self, path: str, content: str | bytes | None) -> None:
        """Have a file with this content, or none; unchanged files are left alone."""
        self._period_files.pop(path, None)
        new = content.encode() if isinstance(content, str) else content
        file = self.book.root / path
        if new == (file.read_bytes() if file.is_file() else None):
            self.put_files.pop(path, None)
        else:
            self.put_files[path] = new

    def put_deck(self, name: str, text: str) -> None:
        """Have a rate deck, by which calls are priced from now on."""
        self.put(f"tariffs/{name}.csv", text)
        self.book.drafted_decks[name] = text

    def customer(self, identity: str) -> Customer:
        """A customer as he will be."""
        return self.book.customers[identity]

    def put_customer(self, customer: Customer) -> None:
        """Write a customer's own ledger, and his first period's file if there is none."""
        path = customer_file.path(customer.id)
        self.book.customers[customer.id] = customer
        currency = self.book.currency(customer.id)
        if not customer.periods:
            customer = with_period(customer, customer.opened)
        text = self.text(path)
        if text:
            text = customer_file.updated(text, customer, currency, self.today)
        else:
            text = customer_file.new(customer, currency, self.today)
        self.put(path, text)
        first = customer_file.period_path(customer.id, customer.periods[0])
        if not self.text(first):
            self.put_period_file(first, periodfile.PeriodFile((), ()), customer.id)
        self.book.customers[customer.id] = customer
        self.touch(customer.id, customer.open_since)

    def open_file(self, identity: str) -> periodfile.PeriodFile:
        """A customer's open period, taken apart.

        Raises:
            BrokenBookError: if it is not as the program wrote it.
        """
        path = customer_file.period_path(identity, self.customer(identity).open_since)
        return self.period_file(path)

    def period_file(self, path: str) -> periodfile.PeriodFile:
        """A period's file, taken apart.

        Raises:
            BrokenBookError: if it is not as the program wrote it.
        """
        known = self._period_files.get(path)
        return known or taken_apart(path, self.text(path))

    def put_period_file(self, path: str, file: periodfile.PeriodFile, identity: str) -> None:
        """Write a period's file of a customer."""
        file = periodfile.settled(file, identity, self.book.currency(identity))
        self.put(path, periodfile.text_of(file))
        self._period_files[path] = file

    def put_open_file(self, identity: str, file: periodfile.PeriodFile) -> None:
        """Write a customer's open period."""
        customer = self.customer(identity)
        path = customer_file.period_path(identity, customer.open_since)
        self.put_period_file(path, file, identity)
        self.touch(identity, customer.open_since)

    def touch(self, identity: str, since: dt.date) -> None:
        """Have the general ledger follow a customer's from a day on."""
        self.touched[identity] = min(since, self.touched.get(identity, since))

    def put_digests(self, changed: dict[dt.date, Digest]) -> None:
        """Have ``DIGESTS`` say what days of call detail now hold."""
        digests = {**self.book.digests, **changed}
        digests = {day: digest for day, digest in digests.items() if digest.rows}
        self.put(DIGESTS, detail.written_digests(digests))
        self.book.digests.update(changed)

    def publish(self, message: str, tag: Tag | None = None) -> bool:
        """Publish and commit what changed, under a signed tag or none; False if nothing did."""
        if not self.put_files:
            return False
        self.book.vault.publish(self.put_files, message, tag)
        self.put_files, self._period_files = {}, {}
        self.sealed = []
        return True


def taken_apart(path: str, text: str) -> periodfile.PeriodFile:
    """The text of a period's file, taken apart.

    Raises:
        BrokenBookError: if it is not as the program wrote it.
    """
    try:
        return periodfile.parse(text)
    except ValueError as error:
        raise BrokenBookError([Problem(path, 0, "usage", str(error))]) from None


def with_period(customer: Customer, start: dt.date) -> Customer:
    """The customer with one more period, which is then the open one."""
    return replace(customer, periods=(*customer.periods, start))


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV text with plain line ends."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
