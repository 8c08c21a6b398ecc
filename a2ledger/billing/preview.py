"""Draw up a bill: what a customer's open period starts with and holds, and his calls."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.billing import bill as billing
from a2ledger.billing import closing_entries, guards
from a2ledger.billing.bill import Bill, Brought, DetailDiffersError, Row, Used
from a2ledger.book.book import Book, BrokenBookError, Draft
from a2ledger.calls import detail
from a2ledger.calls.detail import Told
from a2ledger.documents.document import as_json
from a2ledger.fees import charge
from a2ledger.journal import customer_file, ledger
from a2ledger.period import Period
from a2ledger.progress import SILENT, Progress
from a2ledger.records import Customer, Problem

_CHUNK = 500
"""Customers whose open periods Beancount loads at once."""


def open_period(customer: Customer) -> Period:
    """A customer's open period, to its natural end."""
    return customer.period_from(customer.open_since)


def states(
    book: Book,
    customers: Sequence[Customer],
    progress: Progress = SILENT,
    draft: Draft | None = None,
) -> dict[str, tuple[Brought, list[Row]]]:
    """What open periods start with and hold, by customer id; as a draft has them, if one is given.

    Raises:
        BrokenBookError: if Beancount finds errors in them.
    """
    found: dict[str, tuple[Brought, list[Row]]] = {}
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
            {customer.id: book.currency(customer.id) for customer in chunk},
            {name for name, path in paths.items() if draft and path in draft.put_files},
        )
        if problems:
            raise BrokenBookError(problems)
        found |= states_of
        progress.add(len(chunk))
    return found


class Day(NamedTuple):
    """A day's calls added up: customer and day posted for each sum, and what seals vouch for."""

    day: dt.date
    used: list[tuple[str, dt.date, Used]]
    told: list[Told]


def day_of(calls: pa.Table, day: dt.date) -> Day:
    """A day's calls, added up."""
    names = ("service", "destination", "vat", "late_in", "calls", "seconds", "cost_micro")
    found = detail.lines(calls)
    used = [
        (
            customer,
            late or day,
            Used(service, place, vat, day if late else None, count, seconds, micro, day, day),
        )
        for customer, service, place, vat, late, count, seconds, micro in zip(
            *(found[name].to_pylist() for name in ("customer", *names)), strict=True
        )
    ]
    return Day(day, used, detail.told(calls))


class Calls:
    """Calls of some customers, added up for bills."""

    def __init__(self) -> None:
        self._posted: dict[str, list[tuple[dt.date, Used]]] = {}
        self._told: dict[str, list[tuple[dt.date, Told]]] = {}

    @classmethod
    def read(
        cls,
        book: Book,
        customers: Mapping[str, Customer],
        states_of: Mapping[str, tuple[Brought, list[Row]]],
        end: dt.date,
    ) -> Calls:
        """Those of customers' open periods until a day: one pass over the days in question."""
        start = min(customer.open_since for customer in customers.values())
        late = {row.late_from for _, rows in states_of.values() for row in rows if row.late_from}
        days = sorted({*late, *(day for day in book.digests if start <= day < end)})
        names = pa.array(sorted(customers), pa.string())
        found = cls()
        for day in days:
            calls = detail.verified(book.root, day, book.digests)
            found.add(day_of(calls.filter(pc.is_in(calls["customer"], names)), day))
        return found

    def only(self, customers: Iterable[str]) -> Calls:
        """Those of some customers, to be handed to another process."""
        found = Calls()
        for name in customers:
            found._posted[name] = self._posted.get(name, [])
            found._told[name] = self._told.get(name, [])
        return found

    def add(self, one: Day) -> None:
        """Take in the calls of a day."""
        for customer, posted, used in one.used:
            self._posted.setdefault(customer, []).append((posted, used))
        for told in one.told:
            self._told.setdefault(told.customer, []).append((one.day, told))

    def told(self, customer: str, one: Period) -> tuple[int, str]:
        """How many calls were posted in a customer's period, and what vouches for their text."""
        inside = [
            (day, told)
            for day, told in self._told.get(customer, ())
            if one.start <= (told.late_in or day) < one.end
        ]
        text = "".join(
            sorted(
                f"{day} {told.late_in or '-'} {told.calls} {told.sha256}\n" for day, told in inside
            )
        )
        return sum(told.calls for _, told in inside), text

    def of(self, customer: str, one: Period) -> list[Used]:
        """Calls posted in a customer's period."""
        found: dict[tuple[Any, ...], Used] = {}
        for posted, used in self._posted.get(customer, ()):
            if one.start <= posted < one.end:
                key = (used.service, used.destination, used.vat, used.late_from)
                old = found.get(key)
                found[key] = _sum(old, used) if old else used
        return list(found.values())


def _sum(one: Used, other: Used) -> Used:
    return one._replace(
        calls=one.calls + other.calls,
        seconds=one.seconds + other.seconds,
        micro=one.micro + other.micro,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
    )


def draw_up(
    book: Book,
    customer: Customer,
    one: Period,
    brought: Brought,
    rows: list[Row],
    calls: Calls,
    *,
    final: bool = False,
) -> Bill:
    """The bill of a customer's period.

    Raises:
        BrokenBookError: if calls and postings differ, or a VAT code is not in ``a2ledger.toml``.
    """
    path = customer_file.period_path(customer.id, customer.open_since)
    config = book.config
    used = {row.vat for row in rows if not row.billed} | brought.cumulative_micro.keys()
    unknown = sorted(used - config.codes.keys())
    if unknown:
        raise BrokenBookError(
            [Problem(path, 0, "vat", f"VAT code {unknown[0]!r} is not under [vat.codes]")]
        )
    try:
        return billing.draw_up(
            one,
            brought,
            rows,
            calls.of(customer.id, one),
            config.codes,
            money.decimals(book.currency(customer.id)),
            treatment=customer.text("vat", one.start) or config.treatment,
            final=final,
        )
    except DetailDiffersError as error:
        message = f"{customer.id}, {one}: {error}; nothing was billed"
        raise BrokenBookError([Problem(path, 0, "detail", message)]) from None


def preview(book: Book, name: str, today: dt.date) -> dict[str, Any]:
    """The document that closing a customer's open period would make now.

    Raises:
        BrokenBookError: as for a close.
        MissingDetailError: if the calls of a day are missing.
    """

    def ask() -> dict[str, Any]:
        customer = book.customers[name]
        one = open_period(customer)
        brought, posted = states(book, [customer])[name]
        rows = charge.with_unposted(book, customer, posted, today)
        calls = Calls.read(book, {name: customer}, {name: (brought, rows)}, one.end)
        bill = draw_up(book, customer, one, brought, rows, calls)
        document = closing_entries.document(
            bill,
            customer,
            book.config,
            currency=book.currency(name),
            kind="preview",
            number=None,
            issue_date=today,
        )
        with contextlib.suppress(ValueError):  # its price may come until the close
            document = guards.translated(book, document)
        shown: dict[str, Any] = as_json(document)
        return shown

    found: dict[str, Any] = book.reading(ask)
    return found
