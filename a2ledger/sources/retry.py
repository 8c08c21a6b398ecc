"""Bring rows back from the quarantine, once what kept them there is mended."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from a2ledger import sources
from a2ledger.a2billing.tables import TABLE
from a2ledger.book.book import Book, Draft
from a2ledger.calls import imports as call_imports
from a2ledger.customers import register
from a2ledger.payments import import_exchange_rates
from a2ledger.payments import imports as money_imports
from a2ledger.sources import quarantine
from a2ledger.sources.batch import ENTRY, Refused
from a2ledger.sources.report import Report

CONFLICT = "conflict"


class Chosen(NamedTuple):
    """Rows to be tried again, by source; and what is to be said of those that are not."""

    rows: dict[str, list[Refused]]
    notes: list[str]


def choose(book: Book, reason: str, identities: Collection[str], accept: bool) -> Chosen:
    """Rows of the quarantine to try again.

    Args:
        book: whose quarantine it is.
        reason: only those refused for it; any, if empty.
        identities: only these; any, if there are none.
        accept: whether conflicts are among them.
    """
    chosen = Chosen({}, [])
    conflicts = 0
    there = quarantine.read(book.root).rows
    for (source, identity), row in there.items():
        if (reason and row.reason != reason) or (identities and identity not in identities):
            continue
        if row.reason == CONFLICT and not accept:
            conflicts += 1
        elif row.head == TABLE:
            chosen.notes.append(f"{source} {identity}: the next `import {source}` reads it again")
        elif row.head == ENTRY or not quarantine.is_whole(row) or _is_made_up(source, row):
            chosen.notes.append(
                f"{source} {identity}: its text was not kept; not tried again; "
                f"import {row.file} with --all"
            )
        else:
            chosen.rows.setdefault(source, []).append(row)
    if conflicts:
        chosen.notes.append(f"{conflicts} conflict(s) not tried again; --accept takes them")
    known = {identity for _, identity in there}
    missing = [name for name in identities if name not in known]
    chosen.notes.extend(
        f"{name}: not in the quarantine; nothing was tried; see `a2ledger quarantine list`"
        for name in missing
    )
    return chosen


def _is_made_up(source: str, row: Refused) -> bool:
    """Whether an older program kept something else in place of a row's text."""
    return not row.head and (row.reason in {CONFLICT, "settled"} or source in _tables())


def _tables() -> set[str]:
    return {"customers", "prices", *money_imports.KINDS}


def retry(
    draft: Draft, source: str, rows: Sequence[Refused], now: dt.datetime, accept: bool
) -> Report:
    """Import rows of a source from the quarantine into the draft.

    Raises:
        UnknownSourceError: if the book has no such source any more.
    """
    accepted = {row.identity for row in rows if row.reason == CONFLICT} if accept else set()
    if source in _tables():
        report = _table(draft, source, rows, accepted)
    else:
        feed = draft.config.source(source, sources.dialects)
        report = call_imports.import_again(draft, feed, rows, now, accepted)
        report.refused = list(_with_ids(report.refused, rows))
    left = {row.identity for row in report.refused}
    report.known |= {row.identity for row in rows} - left
    return report


def _with_ids(refused: Sequence[Refused], rows: Sequence[Refused]) -> Iterator[Refused]:
    """Rows that are still refused for the same reason, under the id they had."""
    had = {(row.file, row.line, row.raw, row.reason): row.identity for row in rows}
    for row in refused:
        same = had.get((row.file, row.line, row.raw, row.reason))
        yield row._replace(identity=same) if same else row


def _table(draft: Draft, source: str, rows: Sequence[Refused], accepted: Collection[str]) -> Report:
    """Import rows of money, customers or prices: a file for each header, as they came."""
    with tempfile.TemporaryDirectory(prefix="a2ledger-") as directory:
        origin: dict[tuple[str, int], Refused] = {}
        paths = []
        for number, head in enumerate(dict.fromkeys(row.head for row in rows)):
            path, text = Path(directory) / f"{number}.csv", f"{head}\n"
            for row in (one for one in rows if one.head == head):
                origin[str(path), text.count("\n") + 1] = row
                text += f"{row.raw}\n"
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
            paths.append(path)
        report = _imported(draft, source, paths, accepted)
        report.files = []
        report.refused = [_where_it_was(row, origin) for row in report.refused]
        return report


def _imported(draft: Draft, source: str, paths: list[Path], accepted: Collection[str]) -> Report:
    if source == "customers":
        return register.import_customers(draft, paths)
    if source == "prices":
        return import_exchange_rates.import_prices(draft, paths)
    return money_imports.import_movements(draft, source, paths, accepted)


def _where_it_was(row: Refused, origin: dict[tuple[str, int], Refused]) -> Refused:
    was = origin.get((row.file, row.line))
    if was is None:
        return row
    identity = row.identity if row.reason == CONFLICT else was.identity
    return was._replace(reason=row.reason, message=row.message, identity=identity)
