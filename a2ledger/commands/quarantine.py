"""The quarantine's commands: list refused rows, take them back in, drop them."""

from __future__ import annotations

import sys
from collections import Counter

import click

from a2ledger.book.source_config import UnknownSourceError
from a2ledger.commands.importers import IMPORTERS
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    dry_run_option,
    listed,
    pass_settings,
    print_json,
)
from a2ledger.errors import NO
from a2ledger.sources import dropped, quarantine, retry
from a2ledger.sources import report as reporting


def say(settings: Settings, report: reporting.Report) -> None:
    """Report refused rows, and how many rows went where."""
    rows = [*report.refused, *report.displaced]
    lines = (f"{row.where}: {row.message}; not posted ({row.reason})" for row in rows)
    for line in listed(lines, (row.reason for row in rows)):
        settings.talk(line if line[0] != "…" else f"{line}: see {quarantine.PATH}")
    click.echo(str(report), err=True)


@click.group("quarantine")
def quarantine_() -> None:
    """List, retry and drop refused rows."""


@quarantine_.command("list")
@click.option("--reason", default="", metavar="REASON", help="Only rows refused for it.")
@as_json_option
@pass_settings
def quarantine_list(settings: Settings, reason: str, as_json_: bool) -> None:
    """List refused rows: source, identity, file and line, reason and message.

    Once the cause is mended, `a2ledger quarantine retry` takes them back in.

    Example: a2ledger quarantine list --reason no-rate
    """
    held = quarantine.read(settings.book().root).rows
    rows = [(source, row) for (source, _), row in held.items() if reason in {"", row.reason}]
    if as_json_:
        print_json([{"source": source, **row._asdict()} for source, row in rows])
        return
    for source, row in rows:
        place = f"{row.file}:{row.line}"
        click.echo(f"{source}  {row.identity}  {place}  {row.reason}  {row.message}")
    counts = Counter((source, row.reason) for source, row in rows)
    for (source, why), count in sorted(counts.items()):
        settings.talk(f"{source}: {count} {why}")


@quarantine_.command("retry")
@click.argument("identities", nargs=-1, metavar="[IDENTITY]...")
@click.option("--reason", default="", metavar="REASON", help="Only rows refused for it.")
@click.option("--accept", is_flag=True, help="Conflicts, too: each beside the call that stayed.")
@as_json_option
@dry_run_option
@pass_settings
def quarantine_retry(
    settings: Settings,
    /,
    identities: tuple[str, ...],
    reason: str,
    accept: bool,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Import refused rows again, from their stored text.

    IDENTITY is as `a2ledger quarantine list` shows it. What is posted leaves the quarantine; exit
    1 if something is still refused.

    Example: a2ledger quarantine retry --reason no-rate
    """
    chosen = retry.choose(settings.book(), reason, identities, accept, IMPORTERS)
    notes, reports = list(chosen.notes), []
    for source, rows in chosen.rows.items():
        # One after the other: each sees the book as the one before has left it.
        with settings.drafting(dry_run=dry_run) as draft:
            try:
                now = settings.now(draft)
                report = retry.retry(draft, source, rows, now, accept, IMPORTERS)
            except UnknownSourceError:
                notes.append(
                    f"{source}: no such source in a2ledger.toml; not tried again; "
                    "import its file again, with --map or --like if it is new"
                )
                continue
            reporting.put_aside(draft, report)
            settings.publish(draft, reporting.message("quarantine retry", [report]), dry_run)
        reports.append(report)
        say(settings, report)
    for note in notes:
        click.echo(f"a2ledger: {note}", err=True)
    if as_json_:
        print_json([{"source": report.source, **report.as_json()} for report in reports])
    if notes or any(report.refused for report in reports):
        sys.exit(NO)


@quarantine_.command("drop")
@click.argument("identities", nargs=-1, required=True, metavar="IDENTITY...")
@click.option("--reason", required=True, metavar="TEXT", help="Why they are dropped.")
@dry_run_option
@pass_settings
def quarantine_drop(
    settings: Settings, identities: tuple[str, ...], reason: str, *, dry_run: bool
) -> None:
    """Drop refused rows for good, recorded in dropped.csv with time and reason.

    IDENTITY is as `a2ledger quarantine list` shows it. The same row, imported again, is counted
    as dropped, and billed to nobody.

    Example: a2ledger quarantine drop pbx1/1767607200.1 --reason "test calls of our own"
    """
    with settings.drafting(dry_run=dry_run) as draft:
        count = dropped.drop(draft, identities, reason, settings.now(draft))
        settings.publish(draft, f"quarantine drop: {count} row(s): {reason}\n", dry_run)
    settings.talk(f"{count} row(s) dropped" if not dry_run else f"{count} row(s) would be dropped")
