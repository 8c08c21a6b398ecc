"""Decide what an import reads of its files and tables, and from which place."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from a2ledger import __version__, sources
from a2ledger.book.book import IMPORTS, Book, Draft
from a2ledger.book.source_config import Source
from a2ledger.book.transaction import STATE
from a2ledger.calls.explain import Explanation
from a2ledger.calls.normalise import EVERY_DAY, Wanted
from a2ledger.journal import subledgers
from a2ledger.period import DAY
from a2ledger.progress import Progress
from a2ledger.sources import bookmarks, dropped, quarantine
from a2ledger.sources import runs as import_runs
from a2ledger.sources.address import Address
from a2ledger.sources.batch import START, Batch, Place, Span
from a2ledger.sources.report import Report
from a2ledger.sources.text.lines import BLOCK

LOOK_BACK = dt.timedelta(hours=48)
"""How far before its latest call a table is read again: rows appear at hang-up."""

_NAMED = 5
"""Number of files left out of a directory that a message names."""


class Asked(NamedTuple):
    """The request for an import: the days, and whether rows read before are read again.

    An ``explanation`` is told of every row; each file is read once for it.
    """

    days: Wanted = EVERY_DAY
    everything: bool = False
    explanation: Explanation | None = None


ALL_NEW = Asked()


class Reading:
    """The inputs of an import; a directory stands for the dialect's files in it."""

    def __init__(
        self, draft: Draft, source: Source, paths: Sequence[Path | Address], asked: Asked
    ) -> None:
        self._draft, self._source, self._asked = draft, source, asked
        self._inputs = list(_inputs(draft, source, paths))
        if asked.explanation is not None:
            self._inputs = list(dict.fromkeys(self._inputs))
        self._reached: dict[Path, Place] = {}
        self._known: dict[str, Place] = {}
        if not asked.everything and asked.days == EVERY_DAY:
            self._known = bookmarks.load(_file(draft, source), _bound(draft, source))
        self._begin: dict[Path | Address, Place] = {}
        for item in self._inputs:
            if isinstance(item, Path) and (place := bookmarks.find(item, self._known)):
                self._begin[item] = place

    def size(self) -> int:
        """Return the number of bytes to read."""
        return sum(_size(item) - self._begin.get(item, START).offset for item in self._inputs)

    @property
    def is_bare(self) -> bool:
        """Return True if all inputs are files that are read from their beginning."""
        return not self._begin and all(isinstance(item, Path) for item in self._inputs)

    def batches(self, report: Report, progress: Progress) -> Iterator[Batch]:
        """Yield batches, counting their rows and reporting progress."""
        began = time.monotonic()
        for item in self._inputs:
            before = self._begin.get(item, START).offset
            for batch in _ahead(self._read(item)) if _size(item) > BLOCK else self._read(item):
                report.read += batch.rows.num_rows + len(batch.refused)
                yield batch
                rate = report.read / max(time.monotonic() - began, 0.001)
                done = f"{report.read:,} rows, {rate:,.0f} rows/s"
                progress.add(batch.place.offset - before, done)
                before = batch.place.offset
                if isinstance(item, Path):
                    self._reached[item] = batch.place

    def _read(self, item: Path | Address) -> Iterator[Batch]:
        """Read the rows of a file or table that are wanted."""
        if isinstance(item, Address):
            return self._table(item)
        if item in self._begin:
            resume = sources.beside(self._source.dialect, "resume")
            assert resume is not None  # noqa: S101 - what has no resume reaches no line
            place = self._begin[item]
            self._draft.talk(
                f"{item}: read on from line {place.line}, where the last import ended; "
                "--all reads everything"
            )
            batches: Iterator[Batch] = resume(item, self._source, place)
            return batches
        return sources.dialect(self._source.dialect)(item, self._source)

    def _table(self, address: Address) -> Iterator[Batch]:
        query = sources.beside(self._source.dialect, "query")
        if query is None:
            raise address.unusable(
                f"{self._source.dialect} reads files", "use a dialect of tables such as asterisk-db"
            )
        batches: Iterator[Batch] = query(address, self._source, self._span(address))
        return batches

    def _span(self, address: Address) -> Span:
        """Return the time span to read of a table: all at first, later what may be new."""
        first, last = self._asked.days
        zone = self._draft.config.zone
        until = dt.datetime.combine(last + DAY, dt.time(), zone) if last else None
        if first:
            return Span(dt.datetime.combine(first, dt.time(), zone), until)
        latest = import_runs.latest(self._draft, self._source.name, str(address))
        if latest is None or self._asked.everything:
            return Span(None, until)
        since = latest - LOOK_BACK
        self._draft.talk(
            f"{address}: read from {since.astimezone(zone):%Y-%m-%d %H:%M} on, 48 hours before "
            "the latest call known; --all reads everything"
        )
        return Span(since, until)

    def remember(self) -> None:
        """Store how far logs were read, once what was read is published."""
        if self._asked.days != EVERY_DAY:
            return  # what was left out is to be read later
        new = {}
        for path, place in self._reached.items():
            if place.line and place.offset >= bookmarks.WORTH:
                with contextlib.suppress(OSError):  # rotated away meanwhile
                    new[bookmarks.mark(path, place)] = place
        owners = {bookmarks.owner(mark) for mark in new}
        known = {
            mark: at for mark, at in self._known.items() if bookmarks.owner(mark) not in owners
        }
        file = _file(self._draft, self._source)
        if known or new or file.exists():
            bookmarks.keep(file, _bound(self._draft, self._source), known | new)


def _file(book: Book, source: Source) -> Path:
    return book.root / STATE / "bookmarks" / f"{source.name}.json"


def _bound(book: Book, source: Source) -> bookmarks.Bound:
    """Return what decides how rows are classified: configuration and customers' identifiers."""
    customers = [
        (
            customer.id,
            customer.opened,
            customer.facts.get("identifiers"),
            customer.facts.get("dial_plan"),
        )
        for customer in sorted(
            subledgers.customers(book).values(), key=lambda customer: customer.id
        )
    ]
    return bookmarks.Bound(
        repr((__version__, source, book.config.timezone, customers)),
        (book.text(IMPORTS) + book.text(dropped.PATH)).encode(),
        (book.root / quarantine.PATH).exists(),
    )


def _size(item: Path | Address) -> int:
    try:
        return item.stat().st_size if isinstance(item, Path) else 0
    except OSError:
        return 0  # reading it will say what is the matter


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches of a file, reading the next one while one is processed."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def _inputs(
    draft: Draft, source: Source, paths: Sequence[Path | Address]
) -> Iterator[Path | Address]:
    """Yield the inputs to read, with directories replaced by the dialect's files in them."""
    for path in paths:
        if isinstance(path, Path) and path.is_file() and _is_skipped(path, source):
            draft.talk(f"{path}: passed over, {source.name} skips such files")
            continue
        if not isinstance(path, Path) or not path.is_dir():
            yield path
            continue
        found = sources.files(source.dialect, path)
        taken = [file for file in found if not _is_skipped(file, source)]
        skipped = sorted(
            {other.name for other in sources.present(path)}.difference(file.name for file in taken)
        )
        named = f", and not {', '.join(skipped[:_NAMED])}" if skipped else ""
        more = f" and {len(skipped) - _NAMED} more" if len(skipped) > _NAMED else ""
        draft.talk(f"{path}: {len(taken)} of {len(taken) + len(skipped)} files read{named}{more}")
        yield from taken


def _is_skipped(path: Path, source: Source) -> bool:
    return any(fnmatch(path.name, pattern) for pattern in source.skip)
