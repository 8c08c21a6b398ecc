"""What comes in: import, quarantine, rate."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from a2ledger import config, quarantine, sources, tariff
from a2ledger.book import Book
from a2ledger.commands.settings import (
    FILE,
    FILES,
    QUARANTINED,
    UNUSABLE,
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.feed import UnusableInput
from a2ledger.records import Problem
from a2ledger.steps import exchanging, importing, mapping, moving, pricing, registering, reporting


@click.command("import")
@click.argument("source")
@click.argument("paths", nargs=-1, type=FILES, metavar="PATH...")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=NAME,...",
    help="What the columns of a CSV are: id=Call ID,start=Date; remembered.",
)
@as_json_option
@dry_run_option
@pass_settings
def import_(
    settings: Settings,
    source: str,
    paths: tuple[Path, ...],
    maps: tuple[str, ...],
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Read, price and post new records of a source.

    SOURCE is one configured in a2ledger.toml, a dialect (asterisk, freeswitch, calls), or one of
    customers, refills, payments, charges, openings, prices. Of a directory, the dialect's files
    are read, oldest first. Importing twice changes nothing.

    Example: a2ledger import asterisk /var/log/asterisk/cdr-csv/Master.csv
    """
    columns = _columns(source, maps)
    with settings.drafting() as draft:
        now = settings.now(draft.book)
        if columns:
            mapping.remember(draft, source, columns)
        if source == "customers":
            report = registering.import_customers(draft, list(paths))
        elif source == "prices":
            report = exchanging.import_prices(draft, list(paths))
        elif source in moving.KINDS:
            report = moving.import_movements(draft, source, list(paths))
        else:
            feed = config.source_named(draft.book.config, source, sources.dialects)
            _warn_of_twins(settings, draft.book, feed)
            report = importing.import_calls(draft, feed, list(paths), now)
        reporting.record(draft, report, now)
        settings.publish(draft, reporting.message("import", [report]), dry_run)
    if as_json_:
        print_json(report.as_json())
    for row in [*report.refused, *report.displaced][:20]:
        settings.talk(f"{row.file}:{row.line}: {row.message}; not posted ({row.reason})")
    if (more := len(report.refused) - 20) > 0:
        settings.talk(f"… and {more} more: see {quarantine.PATH}")
    click.echo(str(report), err=True)
    if report.new_in_quarantine:
        sys.exit(QUARANTINED)


def _columns(source: str, maps: tuple[str, ...]) -> dict[str, str]:
    if maps and source in config.TABLES:
        raise click.UsageError(f"--map is for calls; {source} has columns of its own")
    try:
        return mapping.parse(maps)
    except mapping.BadMapError as error:
        raise click.UsageError(f"--map: {error}") from None


def _warn_of_twins(settings: Settings, book: Book, feed: config.Source) -> None:
    """Say so where rows may be read under two names: they would be two switches' calls."""
    twins = [one.name for one in book.config.sources.values() if one.dialect == feed.dialect]
    if not feed.configured and twins:
        settings.talk(
            f"note: {feed.name} is not {twins[0]}: a file imported as both is billed twice; "
            f"give [sources.{twins[0]}] the switch {feed.switch!r} if they are one"
        )


@click.group("quarantine")
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
        print_json([{"source": source, **row._asdict()} for (source, _), row in rows.items()])
        return
    for (source, _), row in rows.items():
        click.echo(f"{source}  {row.file}:{row.line}  {row.reason}  {row.message}")


@click.command()
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
