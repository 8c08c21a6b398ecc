"""The command line: parse options, call a step, print, exit. Only this module reads the clock.

Data goes to stdout, talk and progress to stderr. Exit codes: 0 fine, 1 the answer is no,
2 usage, 3 new rows in quarantine, 65 unusable input, 73/74 cannot write, 75 locked.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from a2ledger import __version__, config, detail, ledger, quarantine, render, sources, tariff
from a2ledger.book import Book, BrokenBookError, Draft, NoBookError, RefusedError
from a2ledger.config import ConfigError
from a2ledger.document import as_json
from a2ledger.feed import UnusableInput
from a2ledger.records import KEYS, Problem
from a2ledger.steps import (
    asking,
    closing,
    demonstrating,
    editing,
    importing,
    moving,
    pricing,
    registering,
    rendering,
    reporting,
    starting,
    summarising,
)
from a2ledger.vault import CannotWriteError, GitError, LockedError

NO, USAGE, QUARANTINED, UNUSABLE, CANNOT_CREATE, LOCKED = 1, 2, 3, 65, 74, 75

CODES: dict[type[Exception], int] = {
    config.UnknownSourceError: USAGE,
    NoBookError: NO,
    BrokenBookError: NO,
    ConfigError: NO,
    RefusedError: NO,
    detail.MissingDetailError: NO,
    ledger.ForbiddenLineError: NO,
    quarantine.BrokenQuarantineError: NO,
    reporting.UncountedRowsError: NO,
    GitError: CANNOT_CREATE,
    UnusableInput: UNUSABLE,
    CannotWriteError: 73,
    LockedError: LOCKED,
    OSError: CANNOT_CREATE,
}
"""Exit code of each error a person can do something about."""


class Group(click.Group):
    """Commands in the order of a month, and one line for every error."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands as they were added."""
        del ctx
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an expected error is one line and an exit code."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click's business: the reader of our output has gone
        except tuple(CODES) as error:
            for line in _explained(error):
                click.echo(f"a2ledger: {line}", err=True)
            sys.exit(next(code for kind, code in CODES.items() if isinstance(error, kind)))


def _explained(error: Exception) -> list[str]:
    """Lines that say ``FILE:LINE: what; what was not done; what to do``."""
    text = str(error)
    if isinstance(error, OSError):
        text = f"{error.filename or 'input'}: {error.strerror or type(error).__name__}"
    return [_in_full(line) for line in text.splitlines()]


def _in_full(line: str) -> str:
    """A message with what it left to be understood: that nothing was done, and what to do."""
    what, _, rest = line.partition("; ")
    undone, _, todo = rest.partition("; ")
    if not re.match(r"(nothing|not|the rest|the row)\b", undone):
        undone, todo = "nothing was done", rest
    return f"{what}; {undone}; {todo or 'correct it and run again'}"


class Settings:
    """What the options before the command say."""

    def __init__(self, book: Path, today: dt.date | None, timeout: float, quiet: bool) -> None:
        self.root, self._today, self.timeout, self.quiet = book, today, timeout, quiet

    def book(self) -> Book:
        """The book commands work on."""
        return Book(self.root)

    def now(self, book: Book) -> dt.datetime:
        """The time, in the book's zone; under ``--today`` the end of that day."""
        zone = book.config.zone
        if self._today is None:
            return dt.datetime.now(zone)  # noqa: TID251 - the one place that reads the clock
        return dt.datetime.combine(self._today + dt.timedelta(days=1), dt.time(), zone)

    def today(self, book: Book) -> dt.date:
        """The day, in the book's zone."""
        return self._today or self.now(book).date()

    def talk(self, message: str) -> None:
        """Say something to the person, not to the program that reads the output."""
        if not self.quiet:
            click.echo(message, err=True)

    @contextlib.contextmanager
    def drafting(self) -> Iterator[Draft]:
        """A draft of the book under the writer's lock, hand edits committed first."""
        book = self.book()
        with book.writing(self.today(book), self.talk, self.timeout) as draft:
            editing.adopt(draft)
            yield draft

    def publish(self, draft: Draft, message: str, dry_run: bool) -> None:
        """Bring what is derived into line, and publish; a dry run only says so."""
        summarising.summarise(draft)
        if dry_run:
            self.talk(f"dry run: {len(draft.put_files)} file(s) would change")
        else:
            draft.publish(message)


class Day(click.ParamType[dt.date]):
    """A day such as 2026-01-31."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.date:
        """The day a text names."""
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-01-31", param, ctx)


DAY = Day()
FILE = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
as_json_option = click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would happen; write nothing."
)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "--book",
    type=click.Path(path_type=Path),
    default=".",
    envvar="A2LEDGER_BOOK",
    metavar="BOOK",
    help="Directory of the book.",
    show_default=True,
)
@click.option("--today", type=DAY, metavar="DATE", help="Stand in for the clock.")
@click.option(
    "--lock-timeout",
    default=600.0,
    metavar="SECONDS",
    show_default=True,
    help="How long to wait for another writer.",
)
@click.option("-q", "--quiet", is_flag=True, help="Leave one summary line, for cron.")
@click.version_option(__version__)
@click.pass_context
def main(
    ctx: click.Context, book: Path, today: dt.date | None, lock_timeout: float, quiet: bool
) -> None:
    """Keep VoIP customers' accounts in plain text: calls in, double entry and bills out."""
    ctx.obj = Settings(book, today, lock_timeout, quiet)


pass_settings = click.make_pass_decorator(Settings)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--company", default="My Phone Company", show_default=True, help="Who sends the bills."
)
@click.option("--currency", default="EUR", show_default=True, help="ISO 4217 code.")
@click.option("--timezone", default="UTC", show_default=True, help="Days are days in this zone.")
@pass_settings
def init(settings: Settings, directory: Path, company: str, currency: str, timezone: str) -> None:
    """Start a book, git included.

    Example: a2ledger init book --company "Example Telecom" --timezone Europe/Athens
    """
    start(settings, directory, company=company, currency=currency, timezone=timezone)
    settings.talk(
        f"{directory}: ready. Next: put rates into tariffs/standard.csv, then "
        f"`a2ledger -C {directory} import customers customers.csv`"
    )


def start(settings: Settings, directory: Path, **facts: str) -> None:
    """Make a book in a directory."""
    config.parse(starting.config_text(**facts))
    starting.prepare(directory, **facts)
    book = Book(directory)
    with book.writing(settings.today(book), settings.talk, settings.timeout) as draft:
        starting.furnish(draft)
        settings.publish(draft, f"init: {facts['company']}\n", dry_run=False)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path))
@pass_settings
def demo(settings: Settings, directory: Path) -> None:
    """Make a small complete book: generated calls, two closed months and an open one.

    Example: a2ledger demo demo-book
    """
    demonstrating.demonstrate(directory, lambda *words: run(settings, directory, *words))
    click.echo(demonstrating.NEXT.format(book=directory))


def run(settings: Settings, directory: Path, *words: str) -> None:
    """Run a command of this program in this process; an error ends it."""
    options = ["--lock-timeout", str(settings.timeout), "--quiet"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            main.main(["-C", str(directory), *options, *words], standalone_mode=False)
    except SystemExit:
        click.echo(said.getvalue(), err=True, nl=False)
        raise


@main.group()
def customer() -> None:
    """Add, change and show customers."""


def fact_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for every fact of a customer."""
    for key in reversed(KEYS):
        function = click.option(f"--{key.replace('_', '-')}", key, metavar="TEXT")(function)
    return function


def _pairs(words: Sequence[str]) -> dict[str, str]:
    """Facts written as ``KEY=VALUE`` or ``KEY VALUE``."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals:
            following = next(rest, None)
            if following is None:
                raise click.UsageError(f"{word}: say {word}=VALUE")
            value = following
        found[key.replace("-", "_")] = value
    return found


@customer.command("add")
@click.argument("identity", metavar="ID")
@click.option("--opened", metavar="DATE", help="Where the first period starts.")
@fact_options
@dry_run_option
@pass_settings
def customer_add(
    settings: Settings, /, identity: str, opened: str | None, dry_run: bool, **facts: str | None
) -> None:
    """Add a customer.

    Example: a2ledger customer add C10001 --name "Ada" --credit-limit 50 --tariff standard
    """
    given = {key: value for key, value in {**facts, "opened": opened}.items() if value is not None}
    with settings.drafting() as draft:
        added = registering.add(draft, identity, given)
        registering.check_clashes(draft)
        settings.publish(draft, f"customer add: {identity}\n", dry_run)
    settings.talk(f"{identity}: {'would be ' if dry_run else ''}added, from {added.opened} on")


@customer.command("set")
@click.argument("identity", metavar="ID")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@fact_options
@dry_run_option
@pass_settings
def customer_set(
    settings: Settings,
    /,
    identity: str,
    words: tuple[str, ...],
    since: dt.date | None,
    dry_run: bool,
    **facts: str | None,
) -> None:
    """Change what is known of a customer, from a day on.

    Example: a2ledger customer set C10001 credit_limit=100 --from 2026-03-01
    """
    given = {key: value for key, value in facts.items() if value is not None} | _pairs(words)
    if not given:
        raise click.UsageError("nothing to change: say KEY=VALUE")
    with settings.drafting() as draft:
        changed = registering.change(draft, identity, given, since or draft.today)
        registering.check_clashes(draft)
        settings.publish(draft, f"customer set: {identity} {' '.join(given)}\n", dry_run)
    done = f"{'would be ' if dry_run else ''}changed" if changed else "nothing to change"
    settings.talk(f"{identity}: {done}")


@customer.command("show")
@click.argument("identity", metavar="ID")
@as_json_option
@pass_settings
def customer_show(settings: Settings, identity: str, as_json_: bool) -> None:
    """Show a customer's facts and their history.

    Example: a2ledger customer show C10001
    """
    book = settings.book()
    found = asking.customer_json(_known(book, identity), settings.today(book))
    if as_json_:
        _print_json(found)
        return
    for key, value in found.items():
        if key not in {"history", "periods"}:
            click.echo(f"{key:<16} {value}")
    for key, changes in found["history"].items():
        for change in changes[1:]:
            click.echo(f"{key:<16} {change['value']} from {change['from']}")


@customer.command("list")
@as_json_option
@pass_settings
def customer_list(settings: Settings, as_json_: bool) -> None:
    """List customers.

    Example: a2ledger customer list
    """
    book = settings.book()
    today = settings.today(book)
    found = [asking.customer_json(one, today) for one in book.customers.values()]
    if as_json_:
        _print_json(found)
        return
    for row in found:
        click.echo(f"{row['customer']:<16} {row.get('name', ''):<32} {row.get('tariff', '')}")


def _known(book: Book, identity: str) -> Any:
    if identity not in book.customers:
        raise RefusedError(f"{identity}: no such customer; see `a2ledger customer list`")
    return book.customers[identity]


@main.command("import")
@click.argument("source")
@click.argument("paths", nargs=-1, type=FILE, metavar="PATH...")
@as_json_option
@dry_run_option
@pass_settings
def import_(
    settings: Settings, source: str, paths: tuple[Path, ...], as_json_: bool, dry_run: bool
) -> None:
    """Read, price and post new records of a source.

    SOURCE is one configured in a2ledger.toml, a dialect (asterisk, calls), or one of customers,
    refills, payments, charges, openings. Importing twice changes nothing.

    Example: a2ledger import asterisk /var/log/asterisk/cdr-csv/Master.csv
    """
    with settings.drafting() as draft:
        now = settings.now(draft.book)
        if source == "customers":
            report = registering.import_customers(draft, list(paths))
        elif source in moving.KINDS:
            report = moving.import_movements(draft, source, list(paths))
        else:
            feed = config.source_named(draft.book.config, source, sources.dialects)
            _warn_of_twins(settings, draft.book, feed)
            report = importing.import_calls(draft, feed, list(paths), now)
        reporting.record(draft, report, now)
        settings.publish(draft, reporting.message("import", [report]), dry_run)
    if as_json_:
        _print_json(report.as_json())
    for row in [*report.refused, *report.displaced][:20]:
        settings.talk(f"{row.file}:{row.line}: {row.message}; not posted ({row.reason})")
    if (more := len(report.refused) - 20) > 0:
        settings.talk(f"… and {more} more: see {quarantine.PATH}")
    click.echo(str(report), err=True)
    if report.new_in_quarantine:
        sys.exit(QUARANTINED)


def _warn_of_twins(settings: Settings, book: Book, feed: config.Source) -> None:
    """Say so where rows may be read under two names: they would be two switches' calls."""
    twins = [one.name for one in book.config.sources.values() if one.dialect == feed.dialect]
    if not feed.configured and twins:
        settings.talk(
            f"note: {feed.name} is not {twins[0]}: a file imported as both is billed twice; "
            f"give [sources.{twins[0]}] the switch {feed.switch!r} if they are one"
        )


@main.group("quarantine")
def quarantine_() -> None:
    """Rows that were refused."""


@quarantine_.command("list")
@as_json_option
@pass_settings
def quarantine_list(settings: Settings, as_json_: bool) -> None:
    """List refused rows with file, line and reason; importing again takes them back in.

    Example: a2ledger quarantine list
    """
    rows = quarantine.read(settings.book().root).rows
    if as_json_:
        _print_json([{"source": source, **row._asdict()} for (source, _), row in rows.items()])
        return
    for (source, _), row in rows.items():
        click.echo(f"{source}  {row.file}:{row.line}  {row.reason}  {row.message}")


@main.command()
@click.argument("calls", type=FILE, metavar="CALLS.csv")
@click.option("--tariff", "deck", type=FILE, required=True, metavar="T.csv", help="The rate deck.")
def rate(calls: Path, deck: Path) -> None:
    """Price calls without a book: CSV in, CSV out.

    CALLS.csv has the columns id, called, start, seconds.

    Example: a2ledger rate calls.csv --tariff standard.csv
    """
    rates, problems = tariff.parse(_text(deck), name=deck.stem, file=str(deck))
    if problems:
        _fail(problems, "nothing was priced")
    priced, problems = pricing.price(_text(calls), file=str(calls), deck=rates)
    click.echo(priced, nl=False)
    if problems:
        _fail(problems, "the row was not priced")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(
            f"{path}: not UTF-8 at byte {error.start}; nothing was read; convert it to UTF-8"
        ) from None


def _fail(problems: Sequence[Problem], undone: str) -> NoReturn:
    for problem in problems:
        click.echo(f"a2ledger: {problem}; {undone}; correct it and run again", err=True)
    sys.exit(UNUSABLE)


@main.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@as_json_option
@pass_settings
def check(settings: Settings, customers: tuple[str, ...], as_json_: bool) -> None:
    """Check that the books are sound and nobody is over the credit limit.

    Silent, and exit 0, if all is well. Customers that are named are checked with their whole
    own ledger and its call detail.

    Example: a2ledger check C10001
    """
    book = settings.book()
    for name in customers:
        _known(book, name)
    problems = asking.check(book, customers)
    if as_json_:
        _print_json(
            {
                "errors": [
                    {"check": p.reason, "message": p.message, "file": p.file, "line": p.line}
                    for p in problems
                ]
            }
        )
    else:
        for problem in problems:
            click.echo(str(problem))
    if problems:
        sys.exit(NO)


@main.command()
@click.option("--over-limit", is_flag=True, help="Only customers over their credit limit.")
@as_json_option
@pass_settings
def balances(settings: Settings, over_limit: bool, as_json_: bool) -> None:
    """Show what every customer owes, and may still use.

    With --over-limit the exit code is 1 if there is anyone.

    Example: a2ledger balances --over-limit
    """
    found = asking.standings(settings.book())
    if over_limit:
        found = [row for row in found if row.over_limit]
    rows = asking.balances_json(found)
    if as_json_:
        _print_json(rows)
    else:
        _balances_table(rows)
    if over_limit and rows:
        sys.exit(NO)


def _balances_table(rows: Sequence[dict[str, Any]]) -> None:
    columns = ("owed", "billed", "unbilled", "credit_limit", "available")
    shown = [{**row, **{name: _aligned(row[name], rows, name) for name in columns}} for row in rows]
    widths = {name: max([len(name), *(len(row[name]) for row in shown)]) for name in columns}
    wide = max([8, *(len(row["customer"]) for row in rows)])
    heads = "  ".join(f"{name.replace('_', ' '):>{widths[name]}}" for name in columns)
    click.echo(f"{'customer':<{wide}}  {heads}")
    for row in shown:
        amounts = "  ".join(f"{row[name]:>{widths[name]}}" for name in columns)
        mark = "  over the limit" if row["over_limit"] else ""
        click.echo(f"{row['customer']:<{wide}}  {amounts} {row['currency']}{mark}")


def _aligned(amount: str, rows: Sequence[dict[str, Any]], column: str) -> str:
    """An amount with as many decimals as the longest of its column."""
    decimals = max(len(row[column].partition(".")[2]) for row in rows)
    whole, point, fraction = amount.partition(".")
    return f"{whole}{point}{fraction:0<{decimals}}"


@main.command()
@click.argument("identity", metavar="CUSTOMER")
@as_json_option
@click.option("--html", "as_html", is_flag=True, help="Print HTML.")
@pass_settings
def preview(settings: Settings, identity: str, as_json_: bool, as_html: bool) -> None:
    """Show a customer's bill so far: what closing the open period would bill.

    Example: a2ledger preview C10001
    """
    book = settings.book()
    _known(book, identity)
    document = closing.preview(book, identity, settings.today(book))
    if as_json_:
        _print_json(document)
        return
    function = render.html if as_html else render.text
    click.echo(function(document, book.root / "templates"), nl=False)


@main.command()
@click.argument("identity", metavar="CUSTOMER")
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day.")
@click.option("--to", "until", type=DAY, metavar="DATE", help="Last day.")
@as_json_option
@click.option("--html", "as_html", is_flag=True, help="Print HTML.")
@pass_settings
def statement(
    settings: Settings,
    identity: str,
    since: dt.date | None,
    until: dt.date | None,
    as_json_: bool,
    as_html: bool,
) -> None:
    """Show a customer's account like a bank statement, over any days.

    Example: a2ledger statement C10001 --from 2026-01-01 --to 2026-03-31
    """
    book = settings.book()
    one = _known(book, identity)
    found = as_json(asking.statement(book, one, since, until))
    if as_json_:
        _print_json(found)
        return
    name = one.text("name", settings.today(book))
    days = [line["date"] for line in found["lines"]]
    last = until or dt.date.fromisoformat(max(days, default=str(settings.today(book))))
    function = render.statement_html if as_html else render.statement_text
    text = function(
        found,
        book.root / "templates",
        customer={"id": identity, "name": name},
        currency=book.config.currency,
        period={"start": str(since or one.opened), "end": str(last + dt.timedelta(days=1))},
    )
    click.echo(text, nl=False)


@main.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option("--through", type=DAY, metavar="DATE", help="Close periods that end by this day.")
@click.option("--without", multiple=True, metavar="SOURCE", help="Do not wait for this source.")
@as_json_option
@dry_run_option
@pass_settings
def close(
    settings: Settings,
    customers: tuple[str, ...],
    through: dt.date | None,
    without: tuple[str, ...],
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Close every period that has ended, number its document and freeze its file.

    Exit 1 if nothing could be closed, or a customer named could not.

    Example: a2ledger close --dry-run
    """
    with settings.drafting() as draft:
        for name in customers:
            _known(draft.book, name)
        results = closing.close(draft, through=through, names=customers, without=without)
        closed = [row for row in results if row.closed]
        settings.publish(draft, _close_message(closed), dry_run)
    if as_json_:
        _print_json([row.as_json() for row in results])
    elif not settings.quiet:
        for row in closed:
            click.echo(
                f"{row.customer}  {row.period}  {row.number or 'statement'}  "
                f"billed {row.gross}, to pay {row.to_pay}"
            )
    for line in closing.left_open(results):
        click.echo(f"a2ledger: {line}", err=True)
    click.echo(f"{len(closed)} period(s) {'would be ' if dry_run else ''}closed", err=True)
    refused = not closed and not (through and closing.is_closed_through(settings.book(), through))
    if refused or (customers and any(not row.closed for row in results)):
        if not results:
            click.echo("a2ledger: no period has ended since the last close", err=True)
        sys.exit(NO)


def _close_message(closed: Sequence[closing.Closed]) -> str:
    numbers = [row.number for row in closed if row.number]
    listed = "".join(f"{number}\n" for number in numbers)
    return f"close: {len(closed)} period(s), {len(numbers)} number(s)\n\n{listed}"


@main.command()
@click.argument("numbers", nargs=-1, metavar="[NUMBER]...")
@click.option(
    "--period", "month", metavar="MONTH", default="", help="Documents of a month: 2026-01."
)
@click.option(
    "--format",
    "formats",
    default="html",
    show_default=True,
    metavar="LIST",
    help=f"One or more of {', '.join(rendering.FORMATS)}.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write; beside the documents if not given, - prints.",
)
@as_json_option
@dry_run_option
@pass_settings
def invoice(
    settings: Settings,
    *,
    numbers: tuple[str, ...],
    month: str,
    formats: str,
    output: Path | None,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Render closed documents; prints the paths written, one a line.

    Example: a2ledger invoice INV-2026-000001 --format html,text
    """
    book = settings.book()
    found = rendering.chosen(book, numbers, month)
    if as_json_:
        documents = list(found.values())
        _print_json(documents[0] if len(numbers) == 1 else documents)
        return
    names = [name.strip() for name in formats.split(",") if name.strip()]
    for name in names:
        if name not in rendering.FORMATS:
            raise click.BadParameter(
                f"{name!r} is none of {', '.join(rendering.FORMATS)}", param_hint="--format"
            )
    templates = book.root / "templates"
    files: dict[str, bytes] = {}
    for identity, document in found.items():
        for name in names:
            ending, text = rendering.rendered(document, name, templates)
            if str(output) == "-":
                click.echo(text, nl=False)
            else:
                files[f"{document['issue_date'][:4]}/{identity}.{ending}"] = text.encode()
    if dry_run:
        settings.talk(f"dry run: {len(files)} file(s) would be written")
    else:
        _write_renderings(settings, book, output, files)


def _write_renderings(
    settings: Settings, book: Book, output: Path | None, files: dict[str, bytes]
) -> None:
    if output is None:
        with book.writing(settings.today(book), settings.talk, settings.timeout) as draft:
            for path, content in files.items():
                draft.put(f"invoices/{path}", content)
                click.echo(book.root / "invoices" / path)
            draft.publish("invoice: rendered\n")
        return
    if str(output) != "-":
        rendering.write(output, files)
        for path in files:
            click.echo(output / Path(path).name)


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1, default=str))


if __name__ == "__main__":
    main()
