"""What every page has: the desk, the book, the day, and a way to say what is wrong with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cached_property, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from fava.ext import FavaExtensionBase
from flask import current_app, request

from a2ledger.book.book import Book
from a2ledger.errors import ExpectedError
from a2ledger.journal.ledger import Ledger
from a2ledger.period import read_day
from a2ledger.staff.desk import KEY, Desk, root_of

Values = dict[str, Any]


class NoDeskError(Exception):
    """The ledger is only journals, without a book around it."""


def _today(book: Book) -> dt.date:
    # A plain Fava has no --today; elsewhere it is the command line that reads the clock.
    return dt.datetime.now(book.config.zone).date()  # noqa: TID251


def safe(page: Callable[..., Values]) -> Callable[..., Values]:
    """Wrap a page so that it shows problems of the book instead of failing."""

    @wraps(page)
    def wrapper(self: Page) -> Values:
        try:
            return {"error": "", "may_write": self.may_write, **page(self)}
        except ExpectedError as error:
            return {"error": str(error)}
        except NoDeskError:
            return {
                "error": "There is no a2ledger.toml beside these journals: "
                "what needs more of the book than the ledger is not shown."
            }

    return wrapper


class Page(FavaExtensionBase):
    """Base class of all pages."""

    has_js_module = True

    @property
    def desk(self) -> Desk:
        """Return the server's desk, or under a plain Fava one of its own.

        Raises:
            NoDeskError: if there is no book around this ledger.
        """
        config = current_app.config
        if KEY in config:
            return cast("Desk", config[KEY])
        key = f"{KEY} {self.ledger.beancount_file_path}"
        if key not in config:
            root = root_of(Path(self.ledger.beancount_file_path))
            config[key] = root and Desk(root=root, today=_today)
        if config[key] is None:
            raise NoDeskError
        return cast("Desk", config[key])

    @property
    def may_write(self) -> bool:
        """Return True if forms are shown."""
        return KEY in current_app.config and self.desk.clerk is not None

    @property
    def book(self) -> Book:
        """Return the current book."""
        return self.desk.book()

    @property
    def today(self) -> dt.date:
        """Return today's date."""
        return self.desk.today(self.book)

    @property
    def formats(self) -> list[str]:
        """Return the formats documents are rendered in."""
        return ["html", *(["pdf"] if find_spec("weasyprint") else [])]

    @property
    def electronic(self) -> list[str]:
        """Return the formats of electronic invoices, none where the company is not known enough."""
        if not self.book.config.company.country:
            return []
        return ["ubl", "cii", *(["facturx"] if "pdf" in self.formats else [])]

    @property
    def customers_at(self) -> str:
        """Return the URL prefix of customers' own ledgers, empty if they are not served."""
        return self.desk.customers_at

    @cached_property
    def loaded(self) -> Ledger:
        """Return the ledger that Fava has loaded, for queries."""
        ledger = self.ledger
        return Ledger(ledger.all_entries, ledger.load_errors, ledger.options)

    def after_load_file(self) -> None:
        """Clear the cached ledger."""
        self.__dict__.pop("loaded", None)


def day_of(name: str) -> dt.date | None:
    """Return the day that a parameter of the address names, None if it is none."""
    try:
        return read_day(request.args.get(name, ""))
    except ValueError:
        return None


def number_of(name: str) -> int:
    """Return the number that a parameter of the address holds, else 0."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0  # noqa: PLR2004
