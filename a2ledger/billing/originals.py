"""The invoices that a credit note corrects, found by what its lines give back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from a2ledger.billing.bill import Bill
from a2ledger.book.book import Book
from a2ledger.documents import paths
from a2ledger.documents.document import Document, read
from a2ledger.fees import due
from a2ledger.journal import customer_file, seal
from a2ledger.journal.rows import Row
from a2ledger.period import Period
from a2ledger.records import Customer


class Invoices:
    """The invoices of a customer's closed periods, newest first, read lazily."""

    def __init__(self, book: Book, customer: Customer, closed: Mapping[Period, str]) -> None:
        self.book = book
        self._names = dict(_sealed(book, customer)) | dict(closed)

    def __iter__(self) -> Iterator[tuple[Period, Document]]:
        for period in sorted(self._names, reverse=True):
            name = self._names[period]
            path = paths.find(self.book, name, period.end.year)
            document = read(self.book.text(path)) if self.book.has(path) else None
            if document and document.bills:
                yield period, document


def _sealed(book: Book, customer: Customer) -> Iterator[tuple[Period, str]]:
    for start, end in pairwise(customer.periods):
        mark = seal.read(book.text(customer_file.period_path(customer.id, end)), end)
        if mark:
            yield Period(start, end), mark.document


def corrected(bill: Bill, invoices: Invoices) -> tuple[dict[str, str], ...]:
    """Return number and date of every invoice that a negative bill corrects, newest first.

    A fee's line, a re-rating's and whatever is of a day in a closed period correct that period's
    invoice. A negative charge names no day: it corrects the latest invoice that bills its service,
    or else the latest.
    """
    originals: dict[str, dict[str, str]] = {}
    for item in bill.items:
        if item.micro >= 0 or not isinstance(item.source, Row):
            continue
        day = _corrected(item.source)
        document = _holding(invoices, day) if day else _selling(invoices, item.source.payee)
        if document:
            originals[document.name] = document.named
    return tuple(
        sorted(
            originals.values(),
            key=lambda original: (original["date"], original["number"]),
            reverse=True,
        )
    )


def named(document: Document, invoices: tuple[dict[str, str], ...]) -> Document:
    """Return a credit note that names the invoices it corrects, newest first."""
    more = invoices if len(invoices) > 1 else ()
    return replace(document, original=next(iter(invoices), None), originals=more)


def _corrected(row: Row) -> dt.date | None:
    """Return a day of the closed period that a row corrects, if it names one."""
    if row.link.startswith("rerate-"):
        return row.first
    if row.late_from:
        return row.late_from
    return row.first if due.id_of(row.link) else None


def _holding(invoices: Invoices, day: dt.date) -> Document | None:
    return next(
        (document for period, document in invoices if period.start <= day < period.end), None
    )


def _selling(invoices: Invoices, service: str) -> Document | None:
    every = [document for _, document in invoices]
    like = (
        document for document in every if any(line.service == service for line in document.lines)
    )
    return next(like, every[0] if every else None)
