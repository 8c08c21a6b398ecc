"""The customers' own ledgers in a book: read, and written in a draft.

A customer's facts stand in ``journals/customers/ID.beancount``, each period in a file of its own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from a2ledger import facts
from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.journal import customer_file
from a2ledger.journal import period_file as period_files
from a2ledger.journal.period_file import PeriodFile
from a2ledger.records import Customer, Problem


def customers(book: Book) -> dict[str, Customer]:
    """Return every customer by id; of a draft, as they will be.

    Raises:
        BrokenBookError: where a customer's own ledger cannot be read.
    """
    return book.once(_read_whole)


def _read_whole(book: Book) -> dict[str, Customer]:
    return book.reading(lambda: _read_customers(book))


def _read_customers(book: Book) -> dict[str, Customer]:
    read: dict[str, Customer] = {}
    problems = []
    for path in book.files("journals/customers"):
        try:
            customer = customer_file.parse(book.text(path))
            facts.check(customer)
            own = customer.text("currency", customer.opened) or book.config.currency
            facts.check_fees(customer, own, book.config.services)
        except ValueError as error:
            line = error.line if isinstance(error, customer_file.BadLineError) else 0
            problems.append(Problem(path, line, "customer", str(error)))
            continue
        if customer_file.path(customer.id) != path:
            problems.append(Problem(path, 0, "customer", f"is the ledger of {customer.id}"))
        read[customer.id] = customer
    if problems:
        raise BrokenBookError(problems)
    return read


def customer(book: Book, identity: str) -> Customer:
    """Return a customer by id."""
    return customers(book)[identity]


def put_customer(draft: Draft, customer: Customer) -> None:
    """Write a customer's own ledger, and the first period's file if there is none."""
    path = customer_file.path(customer.id)
    known = customers(draft)
    known[customer.id] = customer
    own = currency(draft, customer.id)
    if not customer.periods:
        customer = with_period(customer, customer.opened)
    text = draft.text(path)
    if text:
        text = customer_file.updated(text, customer, own, draft.today)
    else:
        text = customer_file.new(customer, own, draft.today)
    draft.put(path, text)
    first = customer_file.period_path(customer.id, customer.periods[0])
    if not draft.text(first):
        put_period_file(draft, first, PeriodFile((), ()), customer.id)
    known[customer.id] = customer
    draft.touch(customer.id, customer.open_since)


def currency(book: Book, identity: str) -> str:
    """Return the currency a customer's account is kept in, from its opening on.

    Money that is nobody's yet, whose customer is the empty text, is in the book's.
    """
    if not identity:
        return book.config.currency
    owner = customer(book, identity)
    return owner.text("currency", owner.opened) or book.config.currency


def foreign_accounts(book: Book) -> dict[str, str]:
    """Return the currencies of the customers whose account is not kept in the book's."""
    currencies = {identity: currency(book, identity) for identity in customers(book)}
    base = book.config.currency
    return {identity: own for identity, own in currencies.items() if own != base}


def period_file(book: Book, path: str) -> PeriodFile:
    """Parse a period's file.

    Raises:
        BrokenBookError: if it is not as the program wrote it.
    """
    known: PeriodFile | None = book.parsed(path)
    if known is not None:
        return known
    try:
        return period_files.parse(book.text(path))
    except ValueError as error:
        raise BrokenBookError([Problem(path, 0, "usage", str(error))]) from None


def open_file(book: Book, identity: str) -> PeriodFile:
    """Parse the file of a customer's open period.

    Raises:
        BrokenBookError: if it is not as the program wrote it.
    """
    since = customer(book, identity).open_since
    return period_file(book, customer_file.period_path(identity, since))


def put_period_file(draft: Draft, path: str, file: PeriodFile, identity: str) -> None:
    """Write the file of a period of a customer."""
    file = period_files.settled(file, identity, currency(draft, identity))
    draft.put(path, period_files.text_of(file), parsed=file)


def put_open_file(draft: Draft, identity: str, file: PeriodFile) -> None:
    """Write the file of a customer's open period."""
    since = customer(draft, identity).open_since
    put_period_file(draft, customer_file.period_path(identity, since), file, identity)
    draft.touch(identity, since)


def with_period(customer: Customer, start: dt.date) -> Customer:
    """Return the customer with one more period, which is then the open one."""
    return replace(customer, periods=(*customer.periods, start))
