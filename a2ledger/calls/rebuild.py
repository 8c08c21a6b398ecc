"""A day of calls whose file was lost, made anew from the files it was imported from.

What such a file does not say is said elsewhere: what was struck out by the history of the book,
what was posted late by the journals. Only calls that have the digest which the book was posted
from are taken; so nothing that is guessed here can be wrong.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from a2ledger.book.book import Book, Draft
from a2ledger.book.source_config import Source
from a2ledger.calls import detail, identity
from a2ledger.calls.imports import import_calls
from a2ledger.calls.inputs import Asked
from a2ledger.calls.normalise import Wanted
from a2ledger.journal import customer_file, subledgers, syntax
from a2ledger.sources.address import Address

_STRUCK = re.compile(r"void: (?P<call>\S+) is (?:void(?:: (?P<reason>.*))?|not void any more)")


def rebuild(
    draft: Draft, source: Source, paths: Sequence[Path | Address], now: dt.datetime, day: dt.date
) -> int:
    """Put the calls of a day whose file was lost into the draft, from a source's files.

    They are imported once more into a draft that is thrown away, on the day's own terms: as if
    it were still open, and nothing of it known. Then what was struck out and posted late since is
    marked as it was.

    Returns:
        how many calls there are.

    Raises:
        MissingDetailError: if the files do not hold what the book was posted from.
    """
    wanted = detail.digests(draft).get(day)
    if wanted is None:
        raise detail.MissingDetailError(
            f"calls/DIGESTS has no calls of {day}", todo="import the file without --rebuild"
        )
    scratch = Draft(draft.base, draft.today, draft.talk)
    scratch.rebuilding = day
    detail.digests(scratch).pop(day)
    known = subledgers.customers(scratch)
    for name, customer in list(known.items()):
        since = tuple(start for start in customer.periods if start <= day)
        known[name] = replace(customer, periods=since or customer.periods[:1])
    report, _ = import_calls(scratch, source, paths, now, Asked(Wanted(day, day), everything=True))
    if detail.digests(scratch).get(day) == wanted and detail.path(day) not in scratch.put_files:
        return wanted.rows  # the file is there as it was
    content = scratch.put_files.get(detail.path(day))
    made = pq.read_table(BytesIO(content)).cast(detail.SCHEMA) if content else None
    for calls in _candidates(draft, day, made) if made else ():
        if detail.digest(calls) == wanted:
            draft.put(detail.path(day), detail.encoded(calls))
            break
    else:
        raise detail.MissingDetailError(
            f"{', '.join(report.files)}: {len(made) if made else 0} calls of {day}, which are not "
            f"the {wanted.rows} that the book was posted from",
            todo=(
                f"bring calls/{day:%Y-%m} back from a backup, or name all files that the day was "
                "imported from; calls priced by a deck that is another now need that deck"
            ),
        )
    if beside := scratch.put_files.get(detail.path_beside(day)):
        draft.put(detail.path_beside(day), beside)
    return wanted.rows


def _candidates(book: Book, day: dt.date, calls: pa.Table) -> Iterator[pa.Table]:
    """Yield what a day may have been: as it was imported, and as it was changed since."""
    yield calls
    late = _late(book, day, calls)
    yield late
    for table in (calls, late):
        yield _struck(book, table)


def _late(book: Book, day: dt.date, calls: pa.Table) -> pa.Table:
    """Mark the calls of customers of whose day all was posted late, and in which period.

    Of whom some were late and some were not, no journal says which; they stay as they are.
    """
    periods = {name: _posted(book, name, day) for name in set(calls["customer"].to_pylist())}
    column = [periods[name] for name in calls["customer"].to_pylist()]
    place = calls.schema.get_field_index("late_in")
    return calls.set_column(place, calls.schema.field(place), pa.array(column, pa.date32()))


def _posted(book: Book, name: str, day: dt.date) -> dt.date | None:
    """Return the one later period in which a customer's whole day was posted, if it is one."""
    found = set()
    for start in subledgers.customer(book, name).periods:
        text = book.text(customer_file.period_path(name, start))
        for block in syntax.blocks(text):
            if "calls" in block.meta and block.meta.get("late_from", block.date) == str(day):
                found.add(start if "late_from" in block.meta else None)
    return found.pop() if len(found) == 1 else None


def _struck(book: Book, calls: pa.Table) -> pa.Table:
    """Strike out the calls that the book's history says were void, with the reason it has."""
    history = book.repository.run("log", "--format=%B", "--grep=^void: ", check=False).stdout
    reasons: dict[str, str] = {}
    for line in history.splitlines():
        if match := _STRUCK.fullmatch(line):
            reasons.setdefault(match["call"], syntax.plain(match["reason"] or ""))
    columns = (calls[name].to_pylist() for name in ("switch", "uid", "seq"))
    names = [identity.identity(*parts) for parts in zip(*columns, strict=True)]
    return detail.voided(calls, pa.array([reasons.get(name, "") for name in names], pa.string()))
