"""The calls behind a bill as a CSV file, to attach to e-invoices and mail."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import csvfile, money
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.corrections.rate_rows import RateRows
from a2ledger.documents import filters, language, pdf, render
from a2ledger.documents.document import Document, Line, as_json
from a2ledger.documents.einvoice import Attachment
from a2ledger.documents.language import Language
from a2ledger.documents.phrases import N_
from a2ledger.journal import subledgers
from a2ledger.progress import SILENT, Progress

ENDINGS = {"calls": "calls.csv", "calls-html": "calls.html", "calls-pdf": "calls.pdf"}
"""File name ending of each format of a list of calls."""
_SHORTEST = 7
"""Fewest digits of a subscriber's number; shorter ones are service numbers, shown in full."""
_HEADER = ("start", "service", "destination", "called", "seconds", "price", "tariff", "prefix")
_READ = ["customer", "start", "called", "service", "destination", "seconds", "cost_micro",
         "late_in", "void", "deck", "prefix", "extension"]  # fmt: skip


def attached(book: Book, document: Document) -> tuple[Attachment, ...]:
    """Return the CSV file of a document's calls, as ``[einvoice] calls`` asks for it.

    Args:
        book: whose.
        document: a bill of a period; one without calls has no such file.
    """
    wanted = book.config.einvoice.calls
    if wanted == "none":
        return ()
    return listed(book, document, "none" if wanted == "full" else "")


def listed(book: Book, document: Document, mask: str = "") -> tuple[Attachment, ...]:
    """Return the CSV file of a document's calls, or nothing if it has no calls.

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
    """Return the mask for called numbers on a document."""
    customer = subledgers.customers(book).get(document.customer["id"])
    day = dt.date.fromisoformat(document.issue_date)
    return (customer.text("masked", day) if customer else "") or book.config.bill.masked


def masked(number: str, hidden: str = "3") -> str:
    """Mask a called number's last digits, except short service numbers.

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
    """Yield the days whose calls a bill contains, with True for late calls."""
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


def rendered(
    book: Book,
    documents: Mapping[str, Document],
    formats: Sequence[str],
    bar: Progress = SILENT,
) -> dict[str, bytes]:
    """Return lists of the calls of closed documents; a document without calls has none.

    On paper, calls stand in blocks of text: a table of thousands of rows would take a minute.

    Args:
        book: whose.
        documents: by the name of their file.
        formats: some of :data:`ENDINGS`.
        bar: told of every list.

    Returns:
        lists by path below ``invoices/``.

    Raises:
        pdf.PdfError: if PDF is asked for and cannot be made here.
    """
    files: dict[str, bytes] = {}
    sheets: dict[str, tuple[str, str]] = {}
    for name, document in documents.items():
        calls = _of(book, document) if formats else None
        for form in formats:
            bar.add(1)
            if calls is None:
                continue
            path = f"{document.issue_date[:4]}/{name}.{ENDINGS[form]}"
            mask = mask_of(book, document)
            if form == "calls":
                shown = partial(masked, hidden=mask)
                files[path] = _csv(calls, book, shown, RateRows(book)).encode()
                continue
            page = _page(book, document, calls, mask, paper=form == "calls-pdf")
            if form == "calls-pdf":
                sheets[path] = page, document.issue_date
            else:
                files[path] = page.encode()
    made = pdf.written(list(sheets.values()), book.workers())
    return files | dict(zip(sheets, made, strict=True))


def _of(book: Book, document: Document) -> pa.Table | None:
    usage = [line for line in document.lines if line.calls and line.kind in {"usage", "late"}]
    return _calls(book, document, usage) if usage else None


def appendices(book: Book, documents: Mapping[str, Document]) -> dict[str, dict[str, Any]]:
    """Return the calls that stand at the end of bills, by the bills' names, for templates.

    Bills without calls, and those of customers who want them apart, have none.
    """
    lists = {}
    for name, document in documents.items():
        customer = subledgers.customers(book).get(document.customer["id"])
        day = dt.date.fromisoformat(document.issue_date)
        wanted = (customer.text("itemised", day) if customer else "") or book.config.bill.itemised
        calls = _of(book, document) if wanted == "appendix" else None
        if calls is not None:
            spoken = language.of_document(as_json(document))
            lists[name] = _listing(book, document, calls, mask_of(book, document), spoken)
    return lists


def _page(book: Book, document: Document, calls: pa.Table, mask: str, *, paper: bool) -> str:
    """Return a list of calls as a page."""
    content = as_json(document)
    spoken = language.of_document(content)
    listing = _listing(book, document, calls, mask, spoken)
    values = {
        **listing,  # templates that operators copied name these alone
        **{key: content[key] for key in ("supplier", "customer", "issue_date", "currency")},
        "number": document.number or "",
        "language": spoken.code,
        "direction": spoken.direction,
        "itemised": listing,
        "paper": paper,
    }
    return render.page("calls.html.j2", values, book.root / "templates", spoken=spoken)


def _listing(
    book: Book, document: Document, calls: pa.Table, mask: str, spoken: Language
) -> dict[str, Any]:
    """Return a list of calls for templates: each in columns, and as a line of text for paper."""
    gettext = spoken.catalogue.gettext
    rows = [
        {
            "start": f"{row['start'].astimezone(book.config.zone):%Y-%m-%d %H:%M:%S}",
            "called": masked(row["called"], mask),
            "service": row["service"],
            "destination": _priced_as(row),
            "seconds": row["seconds"],
            "price": money.text(row["cost_micro"]),
        }
        for row in calls.to_pylist()
    ]
    for row in rows:
        row["text"] = _text(
            row["start"], row["called"], row["destination"],
            filters.duration(row["seconds"]), spoken.amount(row["price"]),
        )  # fmt: skip
    return {
        "calls": rows,
        "count": len(rows),
        "seconds": sum(row["seconds"] for row in rows),
        "total": money.text(sum(calls["cost_micro"].to_pylist())),
        "hidden": mask != "none",
        "heading": _text(
            gettext(N_("Start")),
            gettext(N_("Called")),
            gettext(N_("Destination or item")),
            gettext(N_("Duration")),
            document.currency,
        ),
    }


def _priced_as(row: Mapping[str, str]) -> str:
    """Return a call's destination, the prefix of its rate, and the extension that was on the line.

    The prefix names the rate, with the day.
    """
    name, prefix = row["destination"] or row["service"], row["prefix"]
    name = f"{name} ({prefix})" if prefix.isdecimal() else name
    return f"{name}; ext. {row['extension']}" if row["extension"] else name


def _text(start: str, called: str, destination: str, duration: str, price: str) -> str:
    """Return a call as a line of text in columns."""
    return f"{start:<20.20} {called:<18.18} {destination:<44.44} {duration:>9.9} {price:>14}"


def _csv(
    calls: pa.Table, book: Book, shown: Callable[[str], str], rates: RateRows | None = None
) -> str:
    """Return calls as CSV, with the rows of the price lists that hold for them, if given.

    What travels with a bill does not name these rows: they move as price lists are edited, and a
    bill made again stays the same byte for byte. So it stays without extensions, too.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((*_HEADER, "rate", "extension") if rates else _HEADER)
    for row in calls.to_pylist():
        moment = row["start"].astimezone(book.config.zone)
        rate = rates and rates.row(
            row["deck"],
            row["prefix"],
            row["called"],
            row["destination"],
            moment.replace(tzinfo=None),
        )
        writer.writerow(
            (
                f"{moment:%Y-%m-%d %H:%M:%S}",
                csvfile.cell(row["service"]),
                csvfile.cell(row["destination"]),
                csvfile.cell(shown(row["called"])),
                row["seconds"],
                money.text(row["cost_micro"]),
                csvfile.cell(row["deck"]),
                csvfile.cell(row["prefix"]),
                *([csvfile.cell(rate.place), csvfile.cell(row["extension"])] if rate else []),
            )
        )
    return out.getvalue()
