"""The calls behind a bill, one by one, for e-invoices and mail to carry."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import csvfile, money
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.documents.document import Document, Line
from a2ledger.documents.einvoice import Attachment
from a2ledger.journal import subledgers

_SHORTEST = 7
"""Digits that a number has to have to be somebody's: service numbers are shown."""
_HEADER = ("start", "service", "destination", "called", "seconds", "price")
_READ = ["customer", "start", "called", "service", "destination", "seconds", "cost_micro",
         "late_in", "void"]  # fmt: skip


def attached(book: Book, document: Document) -> tuple[Attachment, ...]:
    """Return the file of a document's calls, as far as ``[einvoice] calls`` wants it.

    Args:
        book: whose.
        document: a bill of a period; one without calls has no such file.
    """
    wanted = book.config.einvoice.calls
    if wanted == "none":
        return ()
    return listed(book, document, "none" if wanted == "full" else "")


def listed(book: Book, document: Document, mask: str = "") -> tuple[Attachment, ...]:
    """Return the file of a document's calls; one without calls has none.

    Args:
        book: whose.
        document: a bill of a period.
        mask: how called numbers are hidden, one of :data:`a2ledger.facts.MASKS`; the customer's
            choice if empty.
    """
    usage = [line for line in document.lines if line.calls and line.kind in {"usage", "late"}]
    if not usage:
        return ()
    hidden = mask or mask_of(book, document)
    content = _csv(_calls(book, document, usage), book, lambda number: masked(number, hidden))
    name = f"{document.number}.calls.csv"
    return (Attachment(name, "Itemised calls", "text/csv", content.encode()),)


def mask_of(book: Book, document: Document) -> str:
    """Return how called numbers are hidden from whoever opens a document."""
    customer = subledgers.customers(book).get(document.customer["id"])
    day = dt.date.fromisoformat(document.issue_date)
    return (customer.text("masked", day) if customer else "") or book.config.bill.masked


def masked(number: str, hidden: str = "3") -> str:
    """Return a called number without its last digits; short numbers are nobody's own.

    Args:
        number: as it was called.
        hidden: one of :data:`a2ledger.facts.MASKS`.

    >>> masked("3225550199"), masked("112"), masked("3225550199", "all")
    ('3225550xxx', '112', 'xxxxxxxxxx')
    """
    if hidden == "none" or len(re.sub(r"\D", "", number)) < _SHORTEST:
        return number
    count = len(number) if hidden == "all" else int(hidden)
    return number[:-count] + "x" * count


def _days(usage: list[Line]) -> Iterator[tuple[dt.date, bool]]:
    """Yield the days whose calls a bill holds, and whether they came late."""
    for line in usage:
        late = line.late_from is not None
        day, last = dt.date.fromisoformat(line.from_), dt.date.fromisoformat(line.to)
        while day <= last:
            yield day, late
            day += dt.timedelta(days=1)


def _calls(book: Book, document: Document, usage: list[Line]) -> pa.Table:
    start, end = (dt.date.fromisoformat(document.period[key]) for key in ("start", "end"))
    parts = [detail.empty().select(_READ)]
    for day, late in sorted(set(_days(usage))):
        calls = detail.read(book.root, day, detail.digests(book), _READ)
        wanted = pc.and_(
            pc.equal(calls["customer"], document.customer["id"]), pc.equal(calls["void"], "")
        )
        if late:
            since, until = (pa.scalar(bound, pa.date32()) for bound in (start, end))
            posted = pc.and_(
                pc.greater_equal(calls["late_in"], since), pc.less(calls["late_in"], until)
            )
            wanted = pc.and_(wanted, pc.fill_null(posted, fill_value=False))
        else:
            wanted = pc.and_(wanted, pc.is_null(calls["late_in"]))
        parts.append(calls.filter(wanted))
    return pa.concat_tables(parts).sort_by([("start", "ascending"), ("called", "ascending")])


def _csv(calls: pa.Table, book: Book, shown: Callable[[str], str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for row in calls.to_pylist():
        moment = row["start"].astimezone(book.config.zone)
        writer.writerow(
            (
                f"{moment:%Y-%m-%d %H:%M:%S}",
                csvfile.cell(row["service"]),
                csvfile.cell(row["destination"]),
                csvfile.cell(shown(row["called"])),
                row["seconds"],
                money.text(row["cost_micro"]),
            )
        )
    return out.getvalue()
