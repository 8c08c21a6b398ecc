"""Commands on A2Billing beside the book: reconcile, export."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from a2ledger import sources
from a2ledger.a2billing import migrate, tables
from a2ledger.a2billing import reconcile as reconciling
from a2ledger.a2billing.reconcile import Compared
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.book.source_config import Source
from a2ledger.commands import carrier_bill
from a2ledger.commands.inputs import INPUT
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.errors import NO
from a2ledger.sources import address
from a2ledger.sources.address import Address

_place_argument = click.argument("place", required=False, type=INPUT, metavar="[PLACE]")
_source_option = click.option(
    "--source", "name", default="", metavar="SOURCE", help="Which source, if there are several."
)


class _Reconciling(click.Group):
    """Comparisons by name; A2Billing's is the default."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Treat arguments that do not start with a comparison's name as A2Billing's."""
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["a2billing", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Reconciling)
def reconcile() -> None:
    """Compare the book with A2Billing, or with a carrier's bill.

    Without a name, or with the place of its tables, it is A2Billing that is meant.

    Example: a2ledger reconcile
    """


reconcile.add_command(carrier_bill.reconcile_carrier)


@reconcile.command("a2billing")
@_place_argument
@_source_option
@click.option(
    "--adopt",
    is_flag=True,
    help="Post what nothing explains, one line a customer.",
)
@as_json_option
@dry_run_option
@pass_settings
def reconcile_a2billing(
    settings: Settings,
    /,
    place: Path | str | None,
    name: str,
    *,
    adopt: bool,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Compare every customer's balance in A2Billing with the book.

    PLACE is A2Billing's database or a directory of its tables; without it, the one that was
    imported last. Every difference is listed with its causes and the rows that show them; exit
    1 while any of it is unexplained. --adopt posts that to Equity:A2Billing-Unexplained.

    Example: a2ledger reconcile a2billing
    """
    book = settings.book()
    feed, location = _place(settings, book, place, name)
    if adopt:
        with settings.drafting(dry_run=dry_run) as draft:
            _adopt(
                settings, draft, reconciling.reconcile(draft, feed, location, draft.today), dry_run
            )
        book = settings.book()
    compared = reconciling.reconcile(book, feed, location, settings.today(book))
    if as_json_:
        print_json(compared.as_json())
    else:
        _show(compared)
    _sum_up(compared)
    if compared.unexplained:
        sys.exit(NO)


def _adopt(settings: Settings, draft: Draft, compared: Compared, dry_run: bool) -> None:
    posted = reconciling.adopt(draft, compared)
    for customer, micro in posted:
        settings.talk(f"{customer}: {tables.text(micro)} adopted")
    if posted:
        settings.publish(draft, f"reconcile: {len(posted)} difference(s) adopted\n", dry_run)


def _place(
    settings: Settings, book: Book, place: Path | str | None, name: str
) -> tuple[Source, Path | Address]:
    """Return the chosen source, and where to read it."""
    feed = book.config.source(name or _only(book), sources.dialects)
    if feed.dialect != migrate.DIALECT:
        raise click.UsageError(f"{feed.name} is no A2Billing")
    where = place or feed.url or reconciling.last_place(book, feed.name)
    if not where:
        raise RefusedError(
            f"{feed.name}: it is not known where it is",
            undone="nothing was compared",
            todo="name its database or the directory of its tables",
        )
    if isinstance(where, str) and not address.is_address(where):
        where = Path(where)
    if isinstance(where, Path):
        return feed, where
    try:
        parsed = address.parse(where, feed.table)
    except ValueError as error:
        raise click.UsageError(f"the address of {feed.name} {error}") from None
    ask = settings.ask if sys.stdin.isatty() else None
    with_secret = address.with_password(parsed, feed.name, os.environ, ask)
    return feed, migrate.place(with_secret)


def _only(book: Book) -> str:
    """Return the only source of this dialect, configured or not."""
    names = [
        source.name for source in book.config.sources.values() if source.dialect == migrate.DIALECT
    ]
    if len(names) > 1:
        raise click.UsageError(f"say which with --source: {', '.join(names)}")
    return names[0] if names else migrate.DIALECT


def _show(compared: Compared) -> None:
    """Print a table of customers with a difference or a cause."""
    lines = [line for line in compared.lines if not line.agrees]
    if not lines:
        return
    rows: list[tuple[str, ...]] = [("customer", "A2Billing", "book", "difference", "unexplained")]
    rows += [
        (
            line.customer,
            *(
                tables.text(micro)
                for micro in (
                    line.credit_micro,
                    line.book_micro,
                    line.difference_micro,
                    line.unexplained_micro,
                )
            ),
        )
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, line in zip(rows, [None, *lines], strict=True):
        first, *amounts = (
            text.ljust(width) if not place else text.rjust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join([first, *amounts]))
        for cause in line.causes if line else ():
            click.echo(f"    {tables.text(cause.micro):>12}  {cause.code}: {cause.message}")
        for hint in line.hints if line else ():
            click.echo(f"    {'':>12}  {hint}")


def _sum_up(compared: Compared) -> None:
    differing = [line for line in compared.lines if line.difference_micro]
    click.echo(
        f"{len(compared.lines)} customers compared: {len(compared.lines) - len(differing)} agree, "
        f"{len(differing) - len(compared.unexplained)} differ for reasons that are shown, "
        f"{len(compared.unexplained)} differ and are not explained",
        err=True,
    )


@click.group()
def export() -> None:
    """Export figures of the book to other systems."""


@export.command("a2billing-credit")
@_place_argument
@_source_option
@pass_settings
def export_credit(settings: Settings, /, place: Path | str | None, name: str) -> None:
    """Print SQL that sets balances in A2Billing to the book's; nothing is written there.

    Each line changes one card, and only if its balance still is what was compared.

    Example: a2ledger export a2billing-credit > credit.sql
    """
    book = settings.book()
    feed, location = _place(settings, book, place, name)
    compared = reconciling.reconcile(book, feed, location, settings.today(book))
    lines = list(reconciling.statements(compared))
    for line in lines:
        click.echo(line)
    settings.talk(f"{len(lines)} of {len(compared.lines)} balances differ")
