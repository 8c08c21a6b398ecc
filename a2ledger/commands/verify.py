"""Whether closed periods are as they were when they were closed: verify."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path

import click

from a2ledger.audit import anchor as anchors
from a2ledger.audit import verify as verifying
from a2ledger.audit.chain import Verified
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import detail
from a2ledger.commands.check import show
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    known,
    pass_settings,
)
from a2ledger.errors import NO
from a2ledger.journal import subledgers

_SEAL = re.compile("[0-9a-fA-F]{16,64}")
"""Matches a seal: at least the digits that are printed on a bill."""


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option(
    "--expect", "expected", multiple=True, metavar="SEAL", help="A seal that must be there."
)
@click.option(
    "--anchor",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A file kept elsewhere: each of its lines must still hold; one of today is added.",
)
@as_json_option
@pass_settings
def verify(
    settings: Settings,
    customers: tuple[str, ...],
    expected: tuple[str, ...],
    anchor: Path | None,
    as_json_: bool,
) -> None:
    """Verify closed periods: every sealed byte, the chain of seals, and every document anew.

    Exit 1 if anything is not as it was when it was closed. A seal printed on a bill and given with
    --expect proves that its period was not closed anew since.

    Example: a2ledger verify --expect 1f3a-99d0-04bc-7e21
    """
    book = settings.book()
    for printed in expected:
        if not _SEAL.fullmatch(printed.replace("-", "")):
            raise click.BadParameter(f"{printed!r} is no seal", param_hint="--expect")
    kept = _anchors(book, anchor) if anchor else None
    try:
        for name in customers:
            known(book, name)
        with settings.progress(
            "verifying", len(subledgers.customers(book)) + len(detail.digests(book))
        ) as bar:
            result = verifying.verify(book, customers, expected, bar, kept)
    except BrokenBookError as error:
        if not as_json_:
            raise
        result = Verified(problems=error.problems)
    show(result.problems, as_json_, {})
    for note in result.notes:
        settings.talk(f"note: {note}")
    settings.talk(
        f"{result.sealed} sealed period(s) of {result.customers} customer(s) looked at, "
        f"{len(result.problems)} problem(s)"
    )
    if result.problems:
        sys.exit(NO)
    if anchor and kept is not None:
        _add_anchor(book, anchor, kept, settings.today(book))


def _anchors(book: Book, file: Path) -> str:
    """Return the text of a file of anchors, which is of use only outside the book."""
    if file.resolve().is_relative_to(book.root.resolve()):
        raise click.BadParameter(
            "lies in the book itself; keep it elsewhere", param_hint="--anchor"
        )
    return file.read_text("utf-8", "replace") if file.exists() else ""


def _add_anchor(book: Book, file: Path, kept: str, day: dt.date) -> None:
    """Add the anchor of today to a file of them, once a day."""
    if not any(line.startswith(f"{day} ") for line in kept.splitlines()):
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{anchors.line(book, day)}\n")
