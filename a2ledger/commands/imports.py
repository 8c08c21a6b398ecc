"""The import command: new records of a source, read, priced and posted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from a2ledger import sources
from a2ledger.book.book import Book, Draft
from a2ledger.book.config import Config
from a2ledger.book.source_config import TABLES, Source, UnknownSourceError
from a2ledger.calls import imports as call_imports
from a2ledger.calls import rebuild as rebuilding
from a2ledger.calls.explain import Explanation
from a2ledger.calls.inputs import Asked, Reading
from a2ledger.calls.normalise import Wanted
from a2ledger.commands import table_help
from a2ledger.commands.importers import IMPORTERS
from a2ledger.commands.inputs import INPUT, configured, is_blank, located
from a2ledger.commands.quarantine import say
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    dry_run_option,
    pass_settings,
    print_json,
)
from a2ledger.errors import QUARANTINED
from a2ledger.sources import mapping
from a2ledger.sources import report as reporting

if TYPE_CHECKING:
    from a2ledger.a2billing.migrate import Moved


class ImportCommand(click.Command):
    """`import`, whose help shows the columns of the tables it reads."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep which table is asked about, for the help."""
        ctx.meta["a2ledger.table"] = next((word for word in args if word in table_help.TABLES), "")
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the columns of one table, or of all."""
        asked = ctx.meta.get("a2ledger.table", "")
        names = [asked] if asked else list(table_help.TABLES)
        for name in names:
            formatter.write(f"\n{table_help.text(name)}")


@click.command("import", cls=ImportCommand)
@click.argument("source")
@click.argument("paths", nargs=-1, type=INPUT, metavar="PATH...")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=NAME,...",
    help="What the columns of a CSV are: id=Call ID,start=Date+Time; remembered.",
)
@click.option("--like", default="", metavar="NAME", help="A preset of `sources`; remembered.")
@click.option("--empty", is_flag=True, help="A file without calls is a report: there were none.")
@click.option("--from", "since", type=DAY, metavar="DATE", help="Take no call before this day.")
@click.option("--through", type=DAY, metavar="DATE", help="Take no call after this day, for now.")
@click.option(
    "--opening",
    type=DAY,
    metavar="DATE",
    help="Of A2Billing: take what is before this day as a balance.",
)
@click.option(
    "--fees-from",
    type=DAY,
    metavar="DATE",
    help="Of A2Billing: from this day on charge for what recurs by fees of the book.",
)
@click.option("--all", "everything", is_flag=True, help="Read what was read before, too.")
@click.option(
    "--rebuild",
    type=DAY,
    help="Make a day of calls whose file was lost anew, from the files it was imported from.",
)
@click.option("--explain", is_flag=True, help="Say row by row what would happen; write nothing.")
@as_json_option
@dry_run_option
@pass_settings
def import_(
    settings: Settings,
    /,
    source: str,
    paths: tuple[Path | str, ...],
    maps: tuple[str, ...],
    *,
    explain: bool,
    as_json_: bool,
    dry_run: bool,
    **limits: Any,
) -> None:
    """Read, price and post new records of a source.

    SOURCE is one configured in a2ledger.toml, a dialect (asterisk, asterisk-db, freeswitch,
    a2billing, calls), or a table: customers, payments, refills, charges, fees, openings, prices;
    `a2ledger import payments --help` shows the columns of one. PATH is
    a file; a directory, of which the dialect's files are read, oldest first; or a database such
    as mysql://user@host/asteriskcdrdb, with its password in A2LEDGER_DB_PASSWORD. Importing
    twice changes nothing.

    Example: a2ledger import asterisk /var/log/asterisk/cdr-csv/Master.csv
    """
    like = limits.pop("like")
    columns, reading = _columns(source, maps, like), None
    remembered = mapping.Remembered()
    parts: list[reporting.Report] = []
    taking = {name: limits.pop(name) for name in ("opening", "fees_from")}
    limits["as_json"], limits["dry_run"] = as_json_, dry_run
    if limits["rebuild"] or explain:
        _other(settings, source, paths, (columns, like), limits)
        return
    _check_usage(settings.book(), source, paths, limits)
    with settings.drafting(dry_run=dry_run) as draft:
        if columns or like:
            remembered = mapping.remember(draft, source, columns, like)
        if migrated := _moved(settings, draft, source, paths, taking, limits):
            parts, reading = list(migrated.parts), migrated.reading
            report = reporting.together(source, parts, parts[1].files)
        elif source in IMPORTERS.lists:
            files = _files(source, paths, limits)
            report = IMPORTERS.lists[source](draft, source, files, ())
        else:
            report, reading = _of_calls(settings, draft, source, paths, limits)
        news = mapping.kept(draft, source, remembered, posted=report.has_calls)
        _record(settings, draft, report, reading, empty=limits["empty"])
        settings.publish(draft, reporting.message("import", parts or [report]), dry_run)
        if not dry_run:
            _finish(settings, reading, news)
    if as_json_:
        print_json(report.as_json() | _parts(parts))
    for part in parts:
        settings.talk(str(part))
    say(settings, report)
    if report.new_in_quarantine:
        sys.exit(QUARANTINED)


def _finish(settings: Settings, reading: Reading | None, news: str) -> None:
    """Say and remember what holds once an import is published."""
    if news:
        settings.talk(news)
    if reading:
        reading.remember()


def _check_usage(
    book: Book, source: str, paths: Sequence[Path | str], limits: Mapping[str, Any]
) -> None:
    """Make sure that the words are right before anything is written, hand edits included.

    Raises:
        UsageError: if they are not.
        UnknownSourceError: if there is no such source.
    """
    if source in IMPORTERS.lists:
        _files(source, paths, limits)
    elif not paths:
        configured(book.config.source(source, sources.dialects))
    first, last = limits["since"], limits["through"]
    if first and last and first > last:
        raise click.UsageError(f"no day is from {first} and through {last}")


def _other(
    settings: Settings,
    source: str,
    paths: tuple[Path | str, ...],
    mapped: tuple[dict[str, str], str],
    limits: Mapping[str, Any],
) -> None:
    """Do what posts no row: make a day of calls anew, or explain every row."""
    if day := limits["rebuild"]:
        _rebuild(settings, source, paths, day, limits["dry_run"])
    else:
        _explain(settings, source, paths, mapped, limits, limits["as_json"])


def _rebuild(
    settings: Settings, source: str, paths: Sequence[Path | str], day: dt.date, dry_run: bool
) -> None:
    """Bring the calls of a day back, if a source's files still hold exactly those."""
    with settings.drafting(dry_run=dry_run) as draft:
        feed = draft.config.source(source, sources.dialects)
        inputs = [located(settings, feed, path) for path in paths or configured(feed)]
        rows = rebuilding.rebuild(draft, feed, inputs, settings.now(draft), day)
        is_new = bool(draft.put_files)
        settings.publish(draft, f"calls of {day} rebuilt: {rows}\n", dry_run)
    done = "are there again" if is_new else "are there as they were"
    settings.talk(f"{rows} calls of {day} {done}, as calls/DIGESTS has them")


def _parts(parts: Sequence[reporting.Report]) -> dict[str, Any]:
    """Return the JSON of an import's parts."""
    if not parts:
        return {}
    rated = next(part.rated for part in parts if part.source == "calls")
    return {"parts": {part.source: part.as_json() for part in parts}, "rating": rated.as_json()}


_A2BILLING = "a2billing"
"""The dialect that brings a whole installation."""


def _moved(
    settings: Settings,
    draft: Draft,
    source: str,
    paths: Sequence[Path | str],
    taking: Mapping[str, dt.date | None],
    limits: Mapping[str, Any],
) -> Moved | None:
    """Import a whole A2Billing, from a database or exports of its tables, if it is one."""
    if source in TABLES:
        if any(taking.values()):
            raise click.UsageError("--opening and --fees-from are for a2billing")
        return None
    feed = draft.config.source(source, sources.dialects)
    inputs = [located(settings, feed, path) for path in paths or configured(feed)]
    is_file = any(isinstance(location, Path) and location.is_file() for location in inputs)
    if feed.dialect != _A2BILLING or is_file:
        if any(taking.values()):
            raise click.UsageError(
                "--opening and --fees-from are for a2billing, its database or all its tables"
            )
        return None
    if len(inputs) != 1:
        raise click.UsageError("name one database of A2Billing, or one directory of its tables")
    feed = dataclasses.replace(feed, opening=taking["opening"] or feed.opening)
    asked = Asked(Wanted(limits["since"], limits["through"]), limits["everything"])
    from a2ledger.a2billing import migrate  # noqa: PLC0415 - nobody else waits for it

    location = migrate.place(inputs[0])
    migrated = migrate.import_all(
        draft, feed, location, settings.now(draft), asked, taking["fees_from"]
    )
    for note in migrated.notes:
        settings.talk(note)
    rated = migrated.parts[1].rated
    if rated.different or rated.without_rate:
        settings.talk(f"note: {rated}")
        for example in rated.examples:
            settings.talk(f"  {example}")
    return migrated


def _record(
    settings: Settings,
    draft: Draft,
    report: reporting.Report,
    reading: Reading | None,
    *,
    empty: bool,
) -> None:
    """Record the run, unless its files have no calls and ``--empty`` was not given."""
    if reading is not None and not report.read and reading.is_bare:
        names = ", ".join(report.files)
        if not empty:
            settings.talk(
                f"note: {names}: no calls; {report.source} is not taken to have reported; "
                "say --empty if there were none"
            )
            return
        settings.talk(f"{names}: no calls; taken for a report that there were none")
    reporting.record(draft, report, settings.now(draft))


def _columns(source: str, maps: tuple[str, ...], like: str) -> dict[str, str]:
    if (maps or like) and source in TABLES:
        raise click.UsageError(f"--map and --like are for calls; {source} has columns of its own")
    try:
        return mapping.parse(maps)
    except mapping.BadMapError as error:
        raise click.UsageError(f"--map: {error}") from None


def _of_calls(
    settings: Settings,
    draft: Draft,
    source: str,
    paths: Sequence[Path | str],
    limits: Mapping[str, Any],
    explanation: Explanation | None = None,
) -> tuple[reporting.Report, Reading]:
    """Import calls, with an explanation also those read before."""
    feed = draft.config.source(source, sources.dialects)
    _warn_of_twins(settings, draft, feed)
    inputs = [located(settings, feed, path) for path in paths or configured(feed)]
    if limits["empty"]:
        inputs = [path for path in inputs if not (isinstance(path, Path) and is_blank(path))]
    days = Wanted(limits["since"], limits["through"])
    if days.first and days.last and days.first > days.last:
        raise click.UsageError(f"no day is from {days.first} and through {days.last}")
    everything = limits["everything"] or explanation is not None
    asked = Asked(days, everything, explanation)
    report, reading = call_imports.import_calls(draft, feed, inputs, settings.now(draft), asked)
    report.files = [str(located(settings, feed, path)) for path in paths] or report.files
    return report, reading


def _explain(
    settings: Settings,
    source: str,
    paths: tuple[Path | str, ...],
    mapped: tuple[dict[str, str], str],
    limits: Mapping[str, Any],
    as_json_: bool,
) -> None:
    """Print what would become of every row, as decided by the import itself."""
    explanation = Explanation()
    with settings.drafting(dry_run=True, adopting=False) as draft:
        known = [*draft.config.sources, *sources.dialects(), *TABLES]
        if not paths and source not in known:
            source, paths = _only_source(draft.config, source)
        if source in TABLES:
            raise UnknownSourceError(
                f"{source}: are no calls",
                undone="nothing was explained",
                todo=f"try `import {source} --dry-run`",
            )
        if any(mapped):
            mapping.remember(draft, source, *mapped)
        report, _ = _of_calls(settings, draft, source, paths, limits, explanation)
        report.check()
    for row in explanation.rows(report.refused):
        click.echo(json.dumps(row.as_json(), ensure_ascii=False) if as_json_ else str(row))
    click.echo(f"{report}; nothing was written", err=True)


def _only_source(settled: Config, path: str) -> tuple[str, tuple[Path, ...]]:
    """Return the only source, for a file named without one."""
    if not Path(path).exists():
        raise UnknownSourceError(
            f"{path}: is no file",
            undone="nothing was explained",
            todo="name a source and its files",
        )
    if len(settled.sources) != 1:
        names = ", ".join(settled.sources or sources.dialects())
        raise UnknownSourceError(
            f"{path}: may be of any source",
            undone="nothing was explained",
            todo=f"name one before it: {names}",
        )
    return next(iter(settled.sources)), (Path(path),)


def _files(source: str, paths: Sequence[Path | str], limits: Mapping[str, Any]) -> list[Path]:
    """Return the files of an import that is not calls."""
    if limits["since"] or limits["through"]:
        raise click.UsageError("--from and --through are for calls")
    if not paths:
        raise click.UsageError(f"name the file the {source} are in")
    files = [path for path in paths if isinstance(path, Path)]
    if len(files) < len(paths):
        raise click.UsageError(f"{source} are read from files")
    return files


def _warn_of_twins(settings: Settings, book: Book, feed: Source) -> None:
    """Warn if rows may be read under two source names: they would count as different calls."""
    twins = [
        source.name for source in book.config.sources.values() if source.dialect == feed.dialect
    ]
    if not feed.configured and twins:
        settings.talk(
            f"note: {feed.name} is not {twins[0]}: a file imported as both is billed twice; "
            f"give [sources.{twins[0]}] the switch {feed.switch!r} if they are one"
        )
