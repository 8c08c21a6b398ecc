"""Settings shared by all commands: global options, today's date, and how to print.

Only this module reads the clock.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import itertools
import json
import sys
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import click
from click.shell_completion import CompletionItem

from a2ledger import errors, local_forms, money
from a2ledger.book import trust
from a2ledger.book.book import CONFIG, Book, Draft, RefusedError
from a2ledger.errors import ExpectedError
from a2ledger.journal import subledgers
from a2ledger.local_forms import Locale
from a2ledger.period import DayError, check_day
from a2ledger.progress import SILENT, Bar, Progress
from a2ledger.records import Customer
from a2ledger.workers import Workers


class Settings:
    """The global options, given before the command."""

    def __init__(
        self,
        book: Path,
        today: dt.date | None,
        timeout: float,
        quiet: bool,
        *,
        trusted: bool = False,
        workers: str = "",
    ) -> None:
        self.root, self._today, self.timeout, self.quiet = book, today, timeout, quiet
        self.trusted = trusted
        """Whether the book may be another user's."""
        self.workers = workers
        """Who shares the work: a number of processes, or the address of a cluster."""
        self._bar: Bar | None = None

    def book(self) -> Book:
        """Open the book that commands work on."""
        trust.check(self.root, trusted=self.trusted)
        book = Book(self.root)
        book.talk = self.talk
        marks = [file.resolve() for file in (book.root / CONFIG, book.vault.state / "published")]
        book.workers = partial(Workers, self.workers, self.talk, marks)
        return book

    @property
    def options(self) -> tuple[str, ...]:
        """Return global options that also hold for a command run on behalf of this one."""
        shared: tuple[str, ...] = ("--trust-book",) if self.trusted else ()
        shared += ("--workers", self.workers) if self.workers else ()
        return (*shared, "--today", str(self._today)) if self._today else shared

    def now(self, book: Book) -> dt.datetime:
        """Return the time in the book's zone, or with ``--today`` the end of that day."""
        zone = book.config.zone
        if self._today is None:
            return dt.datetime.now(zone)  # noqa: TID251 - the one place that reads the clock
        return dt.datetime.combine(self._today + dt.timedelta(days=1), dt.time(), zone)

    @staticmethod
    def clock() -> dt.datetime:
        """Return the machine's time, regardless of ``--today``."""
        return dt.datetime.now().astimezone()  # noqa: TID251 - the one place that reads it

    def today(self, book: Book) -> dt.date:
        """Return today's date in the book's zone."""
        return self._today or self.now(book).date()

    @property
    def locale(self) -> Locale:
        """Return the locale in which people type amounts and days, the default without a book."""
        try:
            return self.book().config.locale
        except ExpectedError:
            return Locale()

    def day(self, text: str) -> str:
        """Return a day as ``2026-01-31``, from how people of the book write it."""
        try:
            return local_forms.day(text, self.locale)
        except errors.BadValueError as error:
            raise click.BadParameter(_said(error)) from None

    def talk(self, message: str) -> None:
        """Print a message to stderr, for people rather than programs.

        What begins with :data:`WARNINGS` is said however quiet it is to be.
        """
        if not self.quiet or message.startswith(WARNINGS):
            if self._bar:
                self._bar.clear()
            click.echo(message, err=True)

    def ask(self, question: str) -> str:
        """Prompt for a secret on the terminal."""
        if self._bar:
            self._bar.clear()
        return str(click.prompt(question, hide_input=True, err=True))

    @contextlib.contextmanager
    def progress(self, label: str, total: int = 0) -> Iterator[Progress]:
        """Show a progress bar on stderr, if that is a terminal and ``--quiet`` is not set.

        Args:
            label: what is being done.
            total: how much there is to do, 0 if that is not known.
        """
        if self.quiet or not sys.stderr.isatty():
            yield SILENT
            return
        self._bar = Bar(label, total, lambda text: click.echo(text, err=True, nl=False, color=True))
        try:
            yield self._bar
        finally:
            self._bar.clear()
            self._bar = None

    @contextlib.contextmanager
    def drafting(self, *, dry_run: bool, adopting: bool = True) -> Iterator[Draft]:
        """Open a draft of the book under the writer's lock.

        Hand edits are committed first, and due fees are posted, unless it does not want them; a
        dry run takes them into the draft alone.
        """
        book = self.book()
        with book.writing(self.today(book), self.talk, self.timeout) as draft:
            draft.progress = self.progress
            if adopting:
                _session().begin(draft, dry_run=dry_run)
            yield draft

    def publish(self, draft: Draft, message: str, dry_run: bool) -> None:
        """Update derived files and publish, or only report in a dry run."""
        _session().finish(draft, message, dry_run=dry_run)


def _session() -> Any:
    # It needs half of the program, and commands that only read start sooner without.
    return importlib.import_module("a2ledger.commands.session")


WARNINGS = ("note: ", "look: ")
"""How a message begins that a person should see even in the mail of a cron job."""


def locale_of(ctx: click.Context | None) -> Locale:
    """Return the locale of the book that a command line is about."""
    if settings := ctx.find_object(Settings) if ctx else None:
        return settings.locale
    root = ctx.find_root().params.get("book") if ctx else None
    try:
        return Book(Path(str(root))).config.locale if root else Locale()
    except ExpectedError:
        return Locale()


def _said(error: ValueError) -> str:
    return "; ".join(filter(None, errors.parts(error)))


class Day(click.ParamType[dt.date]):
    """A day such as 2026-01-31, or as the book's ``[locale]`` writes it."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """Parse a day."""
        try:
            return check_day(dt.date.fromisoformat(str(value)))
        except DayError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            pass
        try:
            text = local_forms.day(str(value), locale_of(ctx))
            return check_day(dt.date.fromisoformat(text))
        except errors.BadValueError as error:
            self.fail(_said(error), param, ctx)
        except DayError as error:
            self.fail(str(error), param, ctx)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-31", param, ctx)


class Number(click.ParamType[str]):
    """A number as the program writes it, ``1234.56``, from how people write it."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the number; what is none is left to whoever needs one."""
        text = str(value)
        if not set(text) & set(",'\u2019\u00a0\u202f .") or text.count(".") > 1:
            return text
        try:
            return local_forms.amount(text, locale_of(ctx))
        except errors.BadValueError as error:
            self.fail(_said(error), param, ctx)


class CustomerId(click.ParamType[str]):
    """The id of a customer, which a shell can complete."""

    name = "customer"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Customers whose id begins so, each with their name."""
        del param
        root = ctx.find_root().params.get("book") or "."
        try:
            book = Book(Path(str(root)))
            known = subledgers.customers(book)
        except ExpectedError:
            return []
        return [
            CompletionItem(name, help=str(customer.values("name")[-1]))
            for name, customer in known.items()
            if name.lower().startswith(incomplete.lower())
        ]


class Amount(click.ParamType[int]):
    """A positive amount of money such as 12.34, in micro-units."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse a positive amount."""
        if isinstance(value, int):
            return value
        try:
            micro = money.parse(NUMBER.convert(value, param, ctx))
        except ValueError as error:
            self.fail(_said(error), param, ctx)
        if micro <= 0:
            self.fail(f"{value!r} is not an amount above zero", param, ctx)
        return micro


class Zone(click.ParamType[str]):
    """A time zone's name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Parse a time zone's name."""
        try:
            return zoneinfo.ZoneInfo(str(value)).key
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r} is not a time zone such as Europe/Athens", param, ctx)


class WorkersParam(click.ParamType[str]):
    """A number of processes, or the address of a cluster."""

    name = "workers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return what is valid as it is."""
        try:
            Workers(str(value))
        except errors.BadValueError as error:
            self.fail(_said(error), param, ctx)
        return str(value)


DAY = Day()
WORKERS = WorkersParam()
NUMBER = Number()
CUSTOMER = CustomerId()
AMOUNT = Amount()
ZONE = Zone()
FILE = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)


as_json_option = click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen; write nothing."
)


LISTED = 20
"""Number of lines of a kind that are shown; the rest is counted."""


def listed(lines: Iterable[str], kinds: Iterable[str] | None = None) -> Iterator[str]:
    """Yield the first lines of each kind, then how many more there are.

    Args:
        lines: in order.
        kinds: what each line is one of; without it, all are of one kind.
    """
    pairs = list(zip(lines, kinds or itertools.repeat(""), strict=False))
    total = Counter(kind for _, kind in pairs)
    shown: Counter[str] = Counter()
    for line, kind in pairs:
        shown[kind] += 1
        # A line that says that there is one more could as well be that line.
        if shown[kind] <= LISTED or total[kind] == LISTED + 1:
            yield line
    for kind, count in total.items():
        if (more := count - LISTED) > 1:
            yield f"… and {more} more" + (f" ({kind})" if kind else "")


pass_settings = click.make_pass_decorator(Settings)


def known(book: Book, identity: str) -> Customer:
    """Return a customer by id.

    Raises:
        RefusedError: if there is none.
    """
    if identity not in subledgers.customers(book):
        raise RefusedError(f"{identity}: no such customer", todo="see `a2ledger customer list`")
    return subledgers.customers(book)[identity]


def print_json(value: object) -> None:
    """Print a value as JSON, for programs."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def with_options(
    command: Callable[..., None], *options: Callable[[Any], Any]
) -> Callable[..., None]:
    """Add arguments and options to a command, in the order in which its help shows them."""
    wrapped: Any = command
    for option in reversed(options):
        wrapped = option(wrapped)
    return cast("Callable[..., None]", wrapped)
