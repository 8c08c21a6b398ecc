"""Draw up a bill: what a customer's open period starts with and holds, and its calls."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from a2ledger import money
from a2ledger.billing import bill as billing
from a2ledger.billing import closing_entries, kind
from a2ledger.billing.bill import Bill, DetailDiffersError
from a2ledger.billing.used import Calls
from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.documents import issue_taxed_refill, parties
from a2ledger.documents.document import Document
from a2ledger.fees import charge
from a2ledger.journal import customer_file, ledger, subledgers, syntax
from a2ledger.journal.period_file import PeriodFile
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.progress import SILENT, Progress
from a2ledger.records import Customer, Problem
from a2ledger.vat import VatCode

_CHUNK = 500
"""Number of customers whose open periods are read at once."""
_LOADED = 100
"""Number of customers whose open periods Beancount loads; of more, as many are compared."""


def open_period(customer: Customer) -> Period:
    """Return a customer's open period, up to its natural end."""
    return customer.period_from(customer.open_since)


def states(
    book: Book,
    customers: Sequence[Customer],
    progress: Progress = SILENT,
    draft: Draft | None = None,
    files: Mapping[str, PeriodFile] = MappingProxyType({}),
) -> dict[str, tuple[Brought, list[Row]]]:
    """Read opening balances and rows of open periods, by customer id, from the draft if given.

    Beancount loads those of a hundred customers. Where there are more, all are parsed, and what it
    has loaded must be the same: else it loads them all. What was edited it has loaded before.

    Args:
        book: whose.
        customers: whose open periods.
        progress: told of every customer.
        draft: whose files are read.
        files: the open periods' files, where they are known by customer id.

    Raises:
        BrokenBookError: if Beancount finds errors in them.
    """
    if len(customers) > _LOADED and files:
        sample = customers[:: -(-len(customers) // _LOADED)]
        loaded = _loaded(book, sample, SILENT, draft)
        with contextlib.suppress(ValueError):  # the loader says where
            parsed = _parsed(customers, files, progress)
            if all(_same(parsed[name], state) for name, state in loaded.items()):
                return parsed
    return _loaded(book, customers, progress, draft)


def _same(parsed: tuple[Brought, list[Row]], loaded: tuple[Brought, list[Row]]) -> bool:
    return parsed == (loaded[0], [row._replace(file="", lineno=0) for row in loaded[1]])


def _parsed(
    customers: Sequence[Customer],
    files: Mapping[str, PeriodFile],
    progress: Progress,
) -> dict[str, tuple[Brought, list[Row]]]:
    parsed: dict[str, tuple[Brought, list[Row]]] = {}
    for start in range(0, len(customers), _CHUNK):
        chunk = customers[start : start + _CHUNK]
        rows = ledger.rows_of({customer.id: files[customer.id] for customer in chunk})
        for customer in chunk:
            head = syntax.joined(files[customer.id].above)
            brought = ledger.read_brought(head, customer.open_since)
            parsed[customer.id] = brought, rows[customer.id]
        progress.add(len(chunk))
    return parsed


def _loaded(
    book: Book, customers: Sequence[Customer], progress: Progress, draft: Draft | None
) -> dict[str, tuple[Brought, list[Row]]]:
    loaded: dict[str, tuple[Brought, list[Row]]] = {}
    for start in range(0, len(customers), _CHUNK):
        chunk = customers[start : start + _CHUNK]
        paths = {
            customer.id: customer_file.period_path(customer.id, customer.open_since)
            for customer in chunk
        }
        texts = {name: (draft or book).text(path) for name, path in paths.items()}
        states_of, problems = ledger.open_periods(
            book.root,
            chunk,
            texts,
            {customer.id: subledgers.currency(book, customer.id) for customer in chunk},
            {name for name, path in paths.items() if draft and path in draft.put_files},
        )
        if problems:
            raise BrokenBookError(problems)
        loaded |= states_of
        progress.add(len(chunk))
    return loaded


def draw_up(  # noqa: PLR0913 - everything that a bill depends on
    book: Book,
    customer: Customer,
    period: Period,
    brought: Brought,
    rows: list[Row],
    calls: Calls,
    *,
    final: bool = False,
    codes: Mapping[str, VatCode] = MappingProxyType({}),
    cash_micro: int | None = None,
) -> Bill:
    """Draw up the bill of a customer's period.

    Args:
        book: whose.
        customer: whose period.
        period: the period.
        brought: what it starts with.
        rows: what it holds.
        calls: in it.
        final: whether the account is settled with it.
        codes: VAT codes as they were, where they may have been others.
        cash_micro: the smallest coin as it was; else as configured.

    Raises:
        BrokenBookError: if calls and postings differ, or a VAT code is not in ``a2ledger.toml``.
    """
    path = customer_file.period_path(customer.id, customer.open_since)
    config, known = book.config, {**book.config.codes, **codes}
    used = {row.vat for row in rows if not row.billed} | brought.cumulative_micro.keys()
    unknown = sorted(used - known.keys())
    if unknown:
        raise BrokenBookError(
            [
                Problem(
                    path,
                    0,
                    "vat",
                    f"VAT code {unknown[0]!r} is not defined under [vat.codes] in a2ledger.toml",
                )
            ]
        )
    currency = subledgers.currency(book, customer.id)
    coin = config.cash_rounding.get(currency, 0) if cash_micro is None else cash_micro
    try:
        return billing.draw_up(
            period,
            brought,
            rows,
            calls.of(customer.id, period),
            known,
            money.decimals(currency),
            treatment=customer.text("vat", period.start) or config.treatment,
            final=final,
            cash_micro=coin,
        )
    except DetailDiffersError as error:
        message = f"{customer.id}, {period}: {error}"
        differs = Problem(path, 0, "detail", message, "nothing was billed")
        raise BrokenBookError([differs]) from None


def open_bill(
    book: Book, customer: Customer, brought: Brought, rows: list[Row], today: dt.date
) -> Bill:
    """Draw up the bill of the period that is closed next, which goes on where it waits.

    Args:
        book: whose.
        customer: whose.
        brought: what the open period starts with.
        rows: what it holds.
        today: the day: what has ended by then and waits is billed with the next period.

    Raises:
        BrokenBookError, MissingDetailError: as :func:`draw_up`, and where calls are missing.
    """
    name, period = customer.id, open_period(customer)
    end = max(period.end, customer.period_holding(today).end)
    states_of = {name: (brought, rows)}
    calls = Calls.read(book, {name: customer}, states_of, end, for_seal=False)
    bill = draw_up(book, customer, period, brought, rows, calls)
    while bill.period.end <= today and kind.waits(bill, customer, book.config):
        period = kind.extended(customer, bill.period)
        bill = draw_up(book, customer, period, brought, rows, calls)
    return bill


def document(
    book: Book, customer: Customer, bill: Bill, rows: Sequence[Row], kind: str, today: dt.date
) -> Document:
    """Make a bill's document, without a number, which asks for what is owed on the day of issue.

    Args:
        book: the customer's.
        customer: whose.
        bill: what is billed.
        rows: postings to the account, those after the period among them.
        kind: as for :func:`closing_entries.document`.
        today: the day of issue.
    """
    since = closing_entries.since_end(bill, rows, today)
    owed = money.parse(since[-1].balance if since else bill.statement.closing)
    return closing_entries.document(
        bill,
        customer,
        book.config,
        currency=subledgers.currency(book, customer.id),
        kind=kind,
        number=None,
        issue_date=today,
        since=since,
        tax_micro=issue_taxed_refill.tax_due(book, customer, bill.period.last, owed),
    )


def preview(book: Book, name: str, today: dt.date) -> Document:
    """Return the document that closing a customer's open period would make now.

    Raises:
        BrokenBookError: as for a close.
        MissingDetailError: if the calls of a day are missing.
    """

    def ask() -> Document:
        customer = subledgers.customers(book)[name]
        brought, posted = states(book, [customer])[name]
        rows = charge.with_unposted(book, customer, posted, today)
        bill = open_bill(book, customer, brought, rows, today)
        drawn = document(book, customer, bill, rows, "preview", today)
        if kind.waits(bill, customer, book.config):
            least = kind.minimum_micro(customer, bill.period.last, book.config)
            drawn = replace(drawn, minimum=money.text(least, bill.places))
        with contextlib.suppress(ValueError):  # its price may come until the close
            drawn = parties.translated(book, drawn)
        return drawn

    return book.reading(ask)
