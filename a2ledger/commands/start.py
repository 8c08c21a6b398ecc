"""Commands to start a book: init and demo."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import click

from a2ledger import demo as demonstrating
from a2ledger.book import config_parse
from a2ledger.book import start as starting
from a2ledger.book.book import Book
from a2ledger.commands.settings import Settings, pass_settings


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--company",
    default="My Phone Company",
    show_default=True,
    metavar="NAME",
    help="Who sends the bills.",
)
@click.option("--currency", default="EUR", show_default=True, metavar="CODE", help="ISO 4217 code.")
@click.option(
    "--timezone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Days are days in this zone.",
)
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
    """Create a book in a directory."""
    config_parse.parse(starting.config_text(**facts))
    starting.prepare(directory, **facts)
    book = Book(directory)
    with book.writing(settings.today(book), settings.talk, settings.timeout) as draft:
        starting.furnish(draft)
        settings.publish(draft, f"init: {facts['company']}\n", dry_run=False)


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@pass_settings
def demo(settings: Settings, directory: Path) -> None:
    """Make a small complete book: generated calls, two closed months and an open one.

    Example: a2ledger demo demo-book
    """
    demonstrating.demonstrate(directory, lambda *words: run(settings, directory, *words))
    click.echo(demonstrating.NEXT.format(book=directory))


def run(settings: Settings, directory: Path, *words: str) -> None:
    """Run a command of this program in this process, and exit if it fails."""
    options = ["--lock-timeout", str(settings.timeout), "--quiet"]
    program = click.get_current_context().find_root().command
    stderr = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(stderr):
            program.main(["-C", str(directory), *options, *words], standalone_mode=False)
    except SystemExit:
        click.echo(stderr.getvalue(), err=True, nl=False)
        raise
