"""What customers owe, by how long it is overdue: for any day, from their own ledgers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from a2ledger import money
from a2ledger.balances import ageing, balances
from a2ledger.balances.ageing import BUCKETS, Open
from a2ledger.book.book import Book, BrokenBookError, restore
from a2ledger.journal import customer_file
from a2ledger.journal.ledger import Standing
from a2ledger.records import Customer, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """A customer's open documents on a day; amounts in micro-units."""

    customer: str
    currency: str
    day: dt.date
    billed_micro: int
    unapplied_micro: int
    """Money that no document is left for; not negative."""
    documents: tuple[Open, ...]

    @property
    def overdue(self) -> tuple[Open, ...]:
        """Open documents whose due date is past."""
        return tuple(one for one in self.documents if one.due < self.day)

    def as_json(self) -> dict[str, Any]:
        """The row of the command's ``--json``: buckets and unapplied add up to billed."""
        sums = dict.fromkeys(BUCKETS, 0)
        for one in self.documents:
            sums[ageing.bucket(one.due, self.day)] += one.open_micro
        return {
            "customer": self.customer,
            "currency": self.currency,
            **{name: money.text(micro, 2) for name, micro in sums.items()},
            "unapplied": money.text(-self.unapplied_micro, 2),
            "billed": money.text(self.billed_micro, 2),
        }

    def documents_json(self) -> list[dict[str, Any]]:
        """Rows of ``--documents --json``; ``days`` overdue, negative where not due yet."""
        return [
            {
                "customer": self.customer,
                "number": one.number or None,
                "description": one.title,
                "date": str(one.date),
                "due_date": str(one.due),
                "days": (self.day - one.due).days,
                "currency": self.currency,
                "amount": money.text(one.amount_micro, 2),
                "open": money.text(one.open_micro, 2),
            }
            for one in self.documents
        ]


def aged(book: Book, names: Sequence[str], day: dt.date) -> list[Aged]:
    """Customers' open documents at the end of a day.

    Args:
        book: whose.
        names: customers; all who were customers on that day if none is named.
        day: which; entries dated later do not count.

    Raises:
        BrokenBookError: if a file is gone, or does not say what the next one brings forward.
    """

    def ask() -> list[Aged]:
        wanted = set(names)
        return [
            of_customer(book, row, day)
            for row in balances.standings_on(book, day)
            if not wanted or row.customer in wanted
        ]

    found: list[Aged] = book.reading(ask)
    return found


def of_customer(book: Book, standing: Standing, day: dt.date) -> Aged:
    """One customer's open documents at the end of a day."""
    customer, billed = book.customers[standing.customer], standing.billed_micro
    # Nobody who owes nothing has an open document: his ledgers need not be read.
    documents, unapplied = _opened(book, customer, day) if billed > 0 else ([], -billed)
    if sum(one.open_micro for one in documents) - unapplied != billed:
        path = balances.period_file(customer, day)
        message = f"brings forward what the periods before do not add up to; {restore(path)}"
        raise BrokenBookError([Problem(path, 0, "brought", message)])
    return Aged(
        customer=customer.id,
        currency=standing.currency,
        day=day,
        billed_micro=billed,
        unapplied_micro=unapplied,
        documents=tuple(documents),
    )


def _opened(book: Book, customer: Customer, day: dt.date) -> tuple[list[Open], int]:
    rows = [
        row
        for start in customer.periods
        if start <= day
        for row in ageing.entries(
            book.text(customer_file.period_path(customer.id, start)), customer.id, day
        )
    ]
    documents, unapplied = ageing.opened(rows)
    return [
        one._replace(due=dt.date.fromisoformat(document(book, one)["due_date"]))
        if one.issued
        else one
        for one in documents
    ], unapplied


def document(book: Book, one: Open) -> dict[str, Any]:
    """An open invoice of the book.

    Raises:
        BrokenBookError: if it is not there, or none.
    """
    path = document_path(book, one.number, one.date.year)
    try:
        found: dict[str, Any] = json.loads(book.text(path))
    except ValueError:
        message = f"is no document; {restore(path)}"
        raise BrokenBookError([Problem(path, 0, "document", message)]) from None
    return found


def document_path(book: Book, number: str, year: int) -> str:
    """Where a document stands: in the year it was issued, at the earliest that of its period."""
    for issued in (year, year + 1):
        path = f"invoices/{issued}/{number}.json"
        if (book.root / path).is_file():
            return path
    return next(
        (path for path in book.files("invoices", "*/*.json") if path.endswith(f"/{number}.json")),
        f"invoices/{year}/{number}.json",
    )
