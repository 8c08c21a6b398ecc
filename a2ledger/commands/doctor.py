"""The doctor command: checks a book's surroundings."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from a2ledger.audit import backup as backups
from a2ledger.audit import doctor as examining
from a2ledger.audit import mend as mending
from a2ledger.book.book import Book, NoBookError
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    listed,
    pass_settings,
    print_json,
)
from a2ledger.errors import NO


@click.command()
@click.option(
    "--mend",
    is_flag=True,
    help="Finish or drop what an interrupted run left, and close files to others.",
)
@click.option(
    "--backup",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[DIR]",
    help="Say what no copy covers: of what was pushed, or in a backup's directory.",
)
@as_json_option
@pass_settings
def doctor(settings: Settings, mend: bool, backup: str | None, as_json_: bool) -> None:
    """Check the book's surroundings: programs, permissions, git, clock, disk, leftovers.

    Says what to do where there is something, and then exits with 1. With --mend it first does
    what can be done without asking. With --backup it looks at copies instead: what would not
    come back if this disk were lost.

    Example: a2ledger doctor
    """
    try:
        book = settings.book()
    except NoBookError:
        book = None
    if mend and book is not None:
        _mend(settings, book)
    if backup is not None and book is not None:
        copy = Path(backup) if backup else None
        findings = [examining.Finding(*part) for part in backups.look(book, copy)]
    else:
        findings = examining.examine(settings.root, book, settings.clock())
    if as_json_:
        print_json(examining.as_json(findings))
    else:
        for finding in findings:
            if finding.todo or not settings.quiet:
                click.echo(str(finding))
    if any(finding.todo for finding in findings):
        sys.exit(NO)


def _mend(settings: Settings, book: Book) -> None:
    """Take the lock, which recovers an interrupted run, and fix permissions."""
    with settings.drafting(dry_run=False, adopting=False) as draft:
        changed = examining.mended(book.vault)
        brought = mending.mend(draft)
    if changed:
        settings.talk(f"permissions of {len(changed)} file(s) and directories changed")
    for line in listed(f"{path}: brought back" for path in brought):
        settings.talk(line)
