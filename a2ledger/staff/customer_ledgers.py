"""The ledgers Fava shows: the operator's, and customers' own ones on demand.

They stand in for Fava's own list of ledgers. A ledger is never changed once it is loaded: when
the book has been published to, or a file was edited, it is loaded anew beside the old one and
then takes its place, so that nobody waits for it and nobody sees half of it. What is looked at is
the book's generation number and the time stamps of the files; that costs nothing however many
ledgers are open. No program that a journal names is run: no plugin, and no extension but ours.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path

from fava.core import FavaLedger
from fava.core.extensions import ExtensionDetails, ExtensionModule
from fava.core.ingest import IngestModule
from fava.core.watcher import WatcherBase
from fava.ext import FavaExtensionBase, FavaExtensionError
from fava.util import slugify

from a2ledger.balances.balances import MAIN
from a2ledger.book.book import Book
from a2ledger.book.transaction import InterruptedRunError, LockedError
from a2ledger.journal import customer_file
from a2ledger.journal.ledger import ForbiddenLineError, admit, quickly
from a2ledger.staff.customer_pages import Customers
from a2ledger.staff.pages import (
    A2Ledger,
    Ageing,
    Calls,
    Close,
    Home,
    Imports,
    Invoices,
    Payments,
    Revenue,
    Tariffs,
)
from a2ledger.staff.phone import Phone
from a2ledger.staff.price_changes import PriceChanges

PREFIX = "customer-"
"""Prefix of the URL part that names a customer's own ledger; the customer's id follows."""
KEPT = 8
"""Number of customers' ledgers kept loaded."""
EVERY_SECONDS = 1.0
_PATIENCE_SECONDS = 3.0
PAGES: tuple[type[FavaExtensionBase], ...] = (
    *(Home, Customers, Invoices, Payments, Calls, Phone),
    *(Tariffs, PriceChanges, Close, Ageing, Revenue, Imports, A2Ledger),
)
"""Pages in the order of the sidebar."""

_HOME = "extension/Home/"
_UNREADABLE = (OSError, LockedError, InterruptedRunError, ForbiddenLineError)


class _Still(WatcherBase):
    """A watcher that never reports a change: ledgers do not reload themselves."""

    def __init__(self, version: int) -> None:
        self.last_checked = self.last_notified = version

    def update(self, files: Iterable[Path], folders: Iterable[Path]) -> None:
        """Watch nothing."""

    def check(self) -> bool:
        """Return False: nothing has changed."""
        return False

    def _get_latest_mtime(self) -> int:
        return self.last_checked


class _Extensions(ExtensionModule):
    """Loads our pages, whatever extensions the journal names."""

    def __init__(self, ledger: FavaLedger, pages: Sequence[type[FavaExtensionBase]]) -> None:
        super().__init__(ledger)
        self._pages = pages

    def load_file(self) -> None:
        """Load our pages, and report every extension that is not run."""
        for page in self._pages:
            instance = page(self.ledger)
            self._instances[instance.name] = instance
        self.errors = [
            FavaExtensionError(
                entry.meta,
                f"the extension {entry.values[0].value!r} is not run here; remove the line",
                entry,
            )
            for entry in self.ledger.all_entries_by_type.Custom
            if entry.type == "fava-extension"
            and (not entry.values or entry.values[0].value != "a2ledger.staff")
        ]

    @property
    def extension_details(self) -> Sequence[ExtensionDetails]:
        """Return the pages for the browser, in order."""
        return [
            ExtensionDetails(page.name, page.report_title, page.has_js_module)
            for page in self._instances.values()
        ]


class _NoIngest(IngestModule):
    """Replaces Fava's importers, which are programs that a journal names: none is run."""

    def load_file(self) -> None:
        """Load nothing."""


class Ledger(FavaLedger):
    """A ledger as of its loading."""

    def __init__(
        self, path: Path, version: int, pages: Sequence[type[FavaExtensionBase]], default_page: str
    ) -> None:
        self._version, self._pages, self._default_page = version, pages, default_page
        super().__init__(str(path), poll_watcher=True)

    def load_file(self) -> None:
        """Load the ledger, with our pages only.

        Raises:
            ForbiddenLineError: if a file of it holds what none of a book's may.
        """
        path = Path(self.beancount_file_path)
        admit(path, path.read_bytes())
        self.watcher = _Still(self._version)  # type: ignore[assignment]
        self.extensions = _Extensions(self, self._pages)
        self.ingest = _NoIngest(self)
        super().load_file()
        self.fava_options.auto_reload = True
        self.fava_options.default_page = self._default_page

    def changed(self) -> bool:
        """Return False: a loaded ledger never changes."""
        return False


class Ledgers:
    """The mapping in which Fava looks up ledgers by the first part of the URL."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._loading, self._looking = threading.Lock(), threading.Lock()
        self._own: OrderedDict[str, tuple[object, Ledger]] = OrderedDict()
        self._main = self._load(MAIN, PAGES, _HOME)
        self.slug = slugify(self._main[1].options["title"]) or "book"
        if self.slug.startswith(PREFIX):
            self.slug = f"book-{self.slug}"

    def _load(
        self, path: str, pages: Sequence[type[FavaExtensionBase]], default_page: str
    ) -> tuple[object, Ledger]:
        """Load a ledger from one generation of the book, and return it with its fingerprint."""
        # Browsers take a greater number for a newer ledger, also of a server started anew.
        version = time.time_ns()
        file = self._book.root.resolve() / path

        def load() -> tuple[object, Ledger]:
            generation = self._book.vault.generation()
            ledger = quickly(lambda: Ledger(file, version, pages, default_page))
            stamps = _stamps(ledger)
            # A file that was edited meanwhile may have been read before: it is read once more.
            edited = any(changed >= version for _, changed, _ in stamps)
            return (None if edited else generation, stamps), ledger

        loaded: tuple[object, Ledger] = self._book.reading(load)
        return loaded

    def _is_current(self, loaded: tuple[object, Ledger]) -> bool:
        state, ledger = loaded
        generation = self._book.vault.whole()
        if generation is None:
            return True  # somebody is publishing: what is there is half of it
        return state == (generation, _stamps(ledger))

    def refresh(self) -> None:
        """Reload the operator's ledger if it has changed, unless the book is being written."""
        with self._loading, contextlib.suppress(*_UNREADABLE):
            if not self._is_current(self._main):
                self._main = self._load(MAIN, PAGES, _HOME)

    def hurry(self) -> None:
        """Reload what has changed, waiting only briefly, as a large book takes longer."""
        refreshing = threading.Thread(target=self.refresh, daemon=True)
        refreshing.start()
        refreshing.join(_PATIENCE_SECONDS)

    def watch(self, stop: threading.Event) -> None:
        """Reload the operator's ledger whenever it changes, until stopped."""
        while not stop.wait(EVERY_SECONDS):
            self.refresh()

    def first_slug(self) -> str:
        """Return the URL part of the operator's ledger."""
        return self.slug

    def items(self) -> Iterable[tuple[str, FavaLedger]]:
        """Return the ledgers for the sidebar: the operator's."""
        return [(self.slug, self._main[1])]

    def __getitem__(self, slug: str) -> FavaLedger:
        """Return a ledger by its part of the URL.

        Raises:
            KeyError: if there is none.
        """
        if slug == self.slug:
            return self._main[1]
        identity = slug.removeprefix(PREFIX)
        path = customer_file.path(identity)
        if identity == slug or "/" in identity or not (self._book.root / path).is_file():
            raise KeyError(slug)
        with self._looking:
            kept = self._own.pop(identity, None)
            if kept is None or not self._is_current(kept):
                kept = self._load(path, (A2Ledger,), "journal/")
            self._own[identity] = kept
            while len(self._own) > KEPT:
                self._own.popitem(last=False)
            return kept[1]


def _stamps(ledger: FavaLedger) -> tuple[tuple[str, int, int], ...]:
    """Return time stamp and size of every file of a ledger."""
    stamps = []
    for path in ledger.options["include"]:
        try:
            stat = os.stat(path)  # noqa: PTH116 - a thousand of them
        except OSError:
            stamps.append((path, 0, 0))
        else:
            stamps.append((path, stat.st_mtime_ns, stat.st_size))
    return tuple(stamps)
