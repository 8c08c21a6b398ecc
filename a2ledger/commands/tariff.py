"""Commands on price lists: import, list, show, export, diff, notice."""

from __future__ import annotations

import re
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from a2ledger.commands import tariff_notices, tariff_views
from a2ledger.commands.settings import (
    DAY,
    FILE,
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.errors import NO
from a2ledger.rating import deck_changes, sheet_import
from a2ledger.rating.cells import amount
from a2ledger.rating.deck_changes import Change, written
from a2ledger.rating.markup import Markup
from a2ledger.rating.sheet_import import LARGEST, Asked, Proposal


class Price(click.ParamType[int]):
    """A price per minute, in hundred-millionths of a unit."""

    name = "price"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse a price per minute."""
        if isinstance(value, int):
            return value
        try:
            return amount(str(value), comma=True)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Percent(click.ParamType[Decimal]):
    """A percentage, with or without the percent sign."""

    name = "percent"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Decimal:
        """Parse a percentage."""
        if isinstance(value, Decimal):
            return value
        try:
            percent = Decimal(str(value).rstrip("% ").replace(",", "."))
        except InvalidOperation:
            percent = Decimal("NaN")
        if not percent.is_finite() or not -100 <= percent <= 10_000:  # noqa: PLR2004
            self.fail(f"{value!r} is not a percentage such as 20%", param, ctx)
        return percent


@click.group()
def tariff() -> None:
    """Price lists: import, list, show, export, compare, announce."""


for _view in (
    tariff_views.tariff_list,
    tariff_views.tariff_show,
    tariff_views.tariff_export,
    tariff_views.tariff_diff,
    tariff_notices.tariff_notice,
):
    tariff.add_command(_view)


@tariff.command("import")
@click.argument("path", type=FILE, metavar="FILE")
@click.option("--deck", required=True, metavar="NAME", help="The deck it is for.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="FIELD=COLUMN,...",
    help="Which column is which: prefix=Dial Code,rate=New Price; remembered.",
)
@click.option(
    "--as",
    "side",
    type=click.Choice([deck_changes.SELL, deck_changes.BUY]),
    default=deck_changes.SELL,
    show_default=True,
    help="Whether customers pay these prices, or we do.",
)
@click.option("--carrier", default="", metavar="NAME", help="Who sells at these prices.")
@click.option("--effective", type=DAY, metavar="DATE", help="First day of rows without a date.")
@click.option(
    "--dates", type=click.Choice(["day", "month"]), help="What 01/02/2026 begins with; remembered."
)
@click.option("--markup", type=Percent(), metavar="PERCENT", help="Sell at the price and this.")
@click.option("--add", type=Price(), metavar="PRICE", help="And this much a minute.")
@click.option(
    "--decimals", type=click.IntRange(0, 8), help="Round selling prices to so many decimals."
)
@click.option("--floor", type=Price(), metavar="PRICE", help="And sell no minute for less.")
@click.option("--partial", is_flag=True, help="What the sheet does not name stays as it is.")
@click.option("--sheet", default="", metavar="NAME", help="Of a workbook, where several fit.")
@click.option("--encoding", default="", metavar="NAME", help="Of a CSV, if it is read wrong.")
@click.option("--short-notice", is_flag=True, help="Raise prices without the days of notice.")
@click.option("--yes", is_flag=True, help="Write it in spite of warnings.")
@as_json_option
@dry_run_option
@pass_settings
def tariff_import(
    settings: Settings,
    /,
    path: Path,
    maps: tuple[str, ...],
    *,
    yes: bool,
    as_json_: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Import a carrier's rate sheet into a deck.

    FILE is a CSV of any kind or a workbook (.xlsx). What changes is shown first: prices that are
    new, dearer, cheaper, gone, blocked. Where there is something to hesitate over, nothing is
    written without --yes, and the exit code is 1. Importing a sheet twice changes nothing.

    Example: a2ledger tariff import Rates_A-Z.xlsx --deck nordic --as buy --carrier Nordic
    --markup 20% --effective 2026-04-01
    """
    try:
        columns = sheet_import.parse_map(maps)
    except ValueError as error:
        raise click.UsageError(f"--map: {error}") from None
    deck = options["deck"]
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", deck):
        raise click.UsageError(f"--deck: {deck!r} is not a plain name such as nordic")
    options["dates"] = options["dates"] or ""
    asked = Asked(columns=columns, markup=_markup(options), **options)
    with settings.drafting(dry_run=dry_run) as draft:
        proposal = sheet_import.propose(draft, path, asked, draft.today)
        _show(settings, path, proposal, as_json_)
        hesitates = bool(proposal.refusals or (proposal.doubts and not yes))
        if not hesitates:
            sheet_import.write(draft, proposal)
            counts = ", ".join(
                f"{count} {kind}" for kind, count in sorted(proposal.changes.counts().items())
            )
            settings.publish(draft, f"tariff import: {deck}, {path.name}: {counts}\n", dry_run)
    if hesitates:
        done = "" if proposal.refusals else "; look at it, then run again with --yes"
        click.echo(f"a2ledger: {path}: nothing was written{done}", err=True)
        sys.exit(NO)


def _markup(options: dict[str, Any]) -> Markup | None:
    percent, minute, decimals, floor = (
        options.pop(name) for name in ("markup", "add", "decimals", "floor")
    )
    if (percent, minute, decimals, floor) == (None,) * 4:
        return None
    return Markup(
        percent=percent or Decimal(0),
        minute=minute or 0,
        decimals=6 if decimals is None else decimals,
        floor=floor or 0,
    )


def _show(settings: Settings, path: Path, proposal: Proposal, as_json_: bool) -> None:
    """Print what a rate sheet would change, and the warnings about it."""
    sheet, changes = proposal.sheet, proposal.changes
    if as_json_:
        print_json(proposal.as_json())
    else:
        counts = changes.counts()
        for kind in sorted(counts, key=_KINDS.index):
            click.echo(f"{counts[kind]:>9,} {kind}")
        if largest := changes.largest(LARGEST):
            click.echo("")
            for line in _table(largest):
                click.echo(line)
    for note in sheet.notes:
        settings.talk(f"note: {path.name}: {note}")
    prices = sheet.rows - sheet.texts
    settings.talk(
        f"{path.name}: {sheet.rows:,} rows: {prices:,} of prices, {sheet.texts:,} of titles, "
        f"headers and footers; {len(sheet.rates):,} prefixes"
        + f", {sheet.twice:,} named twice"
        * bool(sheet.twice)
    )
    for doubt in proposal.doubts:
        settings.talk(f"look: {doubt}")
    for refusal in proposal.refusals:
        click.echo(f"a2ledger: {refusal}", err=True)


_KINDS = ["new", "dearer", "cheaper", "other terms", "renamed", "gone", "blocked", "same"]


def _table(changes: list[Change]) -> list[str]:
    rows = [("prefix", "destination", "from", "before", "after", "%")]
    rows += [
        (
            change.prefix,
            change.destination[:32],
            f"{change.since:%Y-%m-%d}" if change.since else "",
            written(change.before or 0),
            written(change.after or 0),
            f"{change.ratio * 100:+.1f}",
        )
        for change in changes
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 3 else cell.rjust(width)  # noqa: PLR2004 - texts are first
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
