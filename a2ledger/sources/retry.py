"""Retry rows of the quarantine, once the cause of their refusal is removed."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from a2ledger import sources
from a2ledger.book.book import Book, Draft
from a2ledger.book.source_config import Source
from a2ledger.sources import quarantine
from a2ledger.sources.batch import ENTRY, TABLE, Refused
from a2ledger.sources.report import Report

CONFLICT = "conflict"


class Importers(NamedTuple):
    """The importers of the rows of each source."""

    lists: Mapping[str, Callable[[Draft, str, list[Path], Collection[str]], Report]]
    """Importers of files of a list (customers, payments …), by its name. The identities are of
    conflicts in which the row replaces what the book has.
    """
    calls: Callable[[Draft, Source, Sequence[Refused], dt.datetime, Collection[str]], Report]
    """The importer of rows of calls, with the same identities."""


class Chosen(NamedTuple):
    """The rows to retry, by source, and notes on those that are not retried."""

    rows: dict[str, list[Refused]]
    notes: list[str]


def choose(
    book: Book, reason: str, identities: Collection[str], accept: bool, importers: Importers
) -> Chosen:
    """Choose the rows of the quarantine to retry.

    Args:
        book: whose quarantine it is.
        reason: only those refused for it; any, if empty.
        identities: only these; any, if there are none.
        accept: whether conflicts are among them.
        importers: of all kinds of rows.
    """
    chosen = Chosen({}, [])
    conflicts = 0
    held = quarantine.read(book.root).rows
    for (source, identity), row in held.items():
        if (reason and row.reason != reason) or (identities and identity not in identities):
            continue
        if row.reason == CONFLICT and not accept:
            conflicts += 1
        elif row.head == TABLE:
            chosen.notes.append(f"{source} {identity}: the next `import {source}` reads it again")
        elif (
            row.head == ENTRY or not quarantine.is_whole(row) or _is_made_up(source, row, importers)
        ):
            chosen.notes.append(
                f"{source} {identity}: its text was not kept; not tried again; "
                f"import {row.file} with --all"
            )
        else:
            chosen.rows.setdefault(source, []).append(row)
    if conflicts:
        chosen.notes.append(f"{conflicts} conflict(s) not tried again; --accept takes them")
    known = {identity for _, identity in held}
    missing = [name for name in identities if name not in known]
    chosen.notes.extend(
        f"{name}: not in the quarantine; nothing was tried; see `a2ledger quarantine list`"
        for name in missing
    )
    return chosen


def _is_made_up(source: str, row: Refused, importers: Importers) -> bool:
    """Return whether a row is from before version 0.1, whose ``raw`` is not the original text."""
    return not row.head and (row.reason in {CONFLICT, "settled"} or source in importers.lists)


def retry(
    draft: Draft,
    source: str,
    rows: Sequence[Refused],
    now: dt.datetime,
    accept: bool,
    importers: Importers,
) -> Report:
    """Import rows of a source from the quarantine into the draft.

    Raises:
        UnknownSourceError: if the book has no such source any more.
    """
    accepted = {row.identity for row in rows if row.reason == CONFLICT} if accept else set()
    if source in importers.lists:
        report = _table(draft, source, rows, accepted, importers)
    else:
        feed = draft.config.source(source, sources.dialects)
        report = importers.calls(draft, feed, rows, now, accepted)
        report.refused = list(_with_ids(report.refused, rows))
    still_refused = {row.identity for row in report.refused}
    report.known |= {row.identity for row in rows} - still_refused
    return report


def _with_ids(refused: Sequence[Refused], rows: Sequence[Refused]) -> Iterator[Refused]:
    """Yield the refused rows, under their old id if refused again for the same reason."""
    had = {(row.file, row.line, row.raw, row.reason): row.identity for row in rows}
    for row in refused:
        same = had.get((row.file, row.line, row.raw, row.reason))
        yield row._replace(identity=same) if same else row


def _table(
    draft: Draft,
    source: str,
    rows: Sequence[Refused],
    accepted: Collection[str],
    importers: Importers,
) -> Report:
    """Import rows of money, customers or prices from a file per header."""
    with tempfile.TemporaryDirectory(prefix="a2ledger-") as directory:
        origin: dict[tuple[str, int], Refused] = {}
        paths = []
        for number, head in enumerate(dict.fromkeys(row.head for row in rows)):
            path, text = Path(directory) / f"{number}.csv", f"{head}\n"
            for row in (each for each in rows if each.head == head):
                origin[str(path), text.count("\n") + 1] = row
                text += f"{row.raw}\n"
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
            paths.append(path)
        report = importers.lists[source](draft, source, paths, accepted)
        report.files = []
        report.refused = [_where_it_was(row, origin) for row in report.refused]
        return report


def _where_it_was(row: Refused, origin: dict[tuple[str, int], Refused]) -> Refused:
    was = origin.get((row.file, row.line))
    if was is None:
        return row
    identity = row.identity if row.reason == CONFLICT else was.identity
    return was._replace(reason=row.reason, message=row.message, identity=identity)
