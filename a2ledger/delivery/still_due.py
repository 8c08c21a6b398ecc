"""Whether what a message asks for is still to be paid on the day it goes out.

Mail may leave long after it was written: the server was away, or somebody sends it again. The
document that goes with it stays as it was issued; the letter says what is open by then.
"""

from __future__ import annotations

import datetime as dt

from a2ledger import money
from a2ledger.balances import ageing, balances
from a2ledger.balances.ageing import Aged
from a2ledger.book.book import Book
from a2ledger.documents.document import Document
from a2ledger.journal import subledgers


def aged(book: Book, customer: str, day: dt.date) -> Aged:
    """Return the open documents of a customer at the end of a day."""
    standing = balances.standing_on(book, subledgers.customers(book)[customer], day)
    return ageing.of_customer(book, standing, day)


def of_document(book: Book, document: Document, day: dt.date) -> str:
    """Return the amount of what a document asks for that is still to pay on a day.

    A bill asks for all that the account owes when it is issued, so whatever settles part of that
    counts, and no document of a later day does.

    Args:
        book: whose.
        document: an invoice, a statement or a credit note.
        day: when it goes out.
    """
    asked = money.parse(document.to_pay or "0")
    if asked <= 0 or str(day) < document.issue_date:
        return document.to_pay
    account = aged(book, document.customer["id"], day)
    rows = [row for row in account.documents if str(row.date) <= document.issue_date]
    owed = max(0, sum(row.open_micro for row in rows) - account.unapplied_micro)
    tax = money.parse(document.tax_on_payment or "0")
    if owed >= asked - tax:
        return document.to_pay
    # VAT that falls due by paying is due on what is paid.
    still = money.divide(owed * asked, asked - tax)
    places = money.decimals(document.currency)
    return money.text(money.rounded(still, places), places)
