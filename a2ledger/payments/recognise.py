"""Find the customer of a payment that names none, by the invoice it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from a2ledger.book.book import Book
from a2ledger.documents import files, paths
from a2ledger.documents.references import Invoices
from a2ledger.payments import posting
from a2ledger.records import Movement


def recognised(
    book: Book, given: Iterable[Movement], suspended: Collection[str]
) -> Iterator[Movement]:
    """Yield movements, with customers found by the invoice that payments name.

    Where invoices of several customers are named, nobody's it stays.

    Args:
        book: whose invoices.
        given: movements of any kind.
        suspended: links of payments that are in suspense already: their rows stay as they were.
    """
    invoices: Invoices | None = None
    known: dict[str, str] = {}
    for movement in given:
        nobody = movement.kind == "payment" and not movement.customer
        if not nobody or movement.amount_micro <= 0 or posting.link(movement) in suspended:
            yield movement
            continue
        if invoices is None:
            known = paths.every(book)
            invoices = Invoices(name for name in known if not name.startswith("statement-"))
        named = invoices.named(movement.reference, movement.description)
        owners = {files.read(book, known[name]).customer["id"] for name in named}
        yield replace(movement, customer=owners.pop()) if len(owners) == 1 else movement
