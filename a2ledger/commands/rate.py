"""Price calls without a book: CSV in, CSV out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from a2ledger.commands.settings import FILE, ZONE, listed
from a2ledger.errors import UNUSABLE
from a2ledger.rating import deck as tariff
from a2ledger.rating import offline
from a2ledger.records import Problem
from a2ledger.sources.batch import UnusableInput


@click.command()
@click.argument("calls", type=FILE, metavar="CALLS.csv")
@click.option("--tariff", "deck", type=FILE, required=True, metavar="T.csv", help="The rate deck.")
@click.option(
    "--timezone",
    "zone",
    type=ZONE,
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="Of starts without an offset, and of the deck's times of day.",
)
@click.option(
    "--time-format",
    default="",
    metavar="FORMAT",
    help='Of starts that are not recognised: "%d/%m/%Y %H:%M".',
)
def rate(calls: Path, deck: Path, zone: str, time_format: str) -> None:
    """Price calls without a book: CSV in, CSV out.

    CALLS.csv has the columns id, called, start, seconds. Start and seconds may have any form that
    `import calls` reads.

    Example: a2ledger rate calls.csv --tariff standard.csv
    """
    rates, problems = tariff.parse(_text(deck), name=deck.stem, file=str(deck))
    if problems:
        _fail(problems, "nothing was priced")
    for note in rates.notes:
        click.echo(f"note: {note}", err=True)
    priced, problems = offline.price(
        _text(calls), file=str(calls), deck=rates, zone=zone, time_format=time_format
    )
    click.echo(priced, nl=False)
    if problems:
        _fail(problems, "the row was not priced")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableInput(
            f"{path}: not UTF-8 at byte {error.start}",
            undone="nothing was read",
            todo="convert it to UTF-8",
        ) from None


def _fail(problems: Sequence[Problem], undone: str) -> NoReturn:
    for line in listed(row._replace(undone=undone).line_of_error for row in problems):
        click.echo(f"a2ledger: {line}", err=True)
    sys.exit(UNUSABLE)
