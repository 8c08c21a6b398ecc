"""The roster: all customers' own ledgers of a large book, parsed once and kept."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from a2ledger.book.book import Book
from a2ledger.book.kept import Kept
from a2ledger.records import Customer, Fact, Fee

_VERSION = 4
"""Raise this whenever parsing a customer's own ledger, or checking it, changes its result."""
NEVER = dt.date.max.toordinal()


class Entry(NamedTuple):
    """What lists ask of every customer."""

    currency: str
    open_since: int
    """Ordinal of the first day of the open period."""
    has_fees: bool
    stable_from: int
    """Ordinal of the day from which on the `open` entries repeat the facts, whatever day it is;
    :data:`NEVER` if a day may come that changes them."""
    name: str
    """As the `open` entries repeat it, …"""
    limit_micro: int
    """… and the credit limit."""


class Roster:
    """The customers whose files are as they were when they were parsed."""

    def __init__(self, book: Book, known_by: str) -> None:
        files = {
            path.rpartition("/")[2].removesuffix(".beancount"): path
            for path in book.files("journals/customers")
        }
        columns = (*Entry._fields, "record")
        self._kept = Kept(book.root, "customers", f"{_VERSION} {known_by}", columns, files)
        every = self._kept.rows.of(Entry._fields)
        self.entries = dict(zip(every, map(Entry._make, every.values()), strict=True))
        """Entries by customer id."""

    @property
    def is_small(self) -> bool:
        """Return whether the book has too few customers to keep a roster."""
        return self._kept.is_small

    def missing(self) -> list[str]:
        """Return the ids of customers whose files must be parsed."""
        return self._kept.missing()

    def customer(self, identity: str) -> Customer | None:
        """Return a customer, or None if the file must be parsed."""
        record = self._kept.rows.value(identity, "record")
        return of_json(json.loads(record)) if record else None

    def keep(self, parsed: Mapping[str, Customer], entry: Callable[[Customer], Entry]) -> None:
        """Take customers that were parsed of files, by id, and what lists ask of each."""
        self.entries |= {name: entry(customer) for name, customer in parsed.items()}
        self._kept.keep(
            (name, (*self.entries[name], json.dumps(as_json(customer))))
            for name, customer in parsed.items()
        )


def as_json(customer: Customer) -> list[Any]:
    """Return a customer as values that JSON can hold."""
    return [
        customer.id,
        customer.opened.toordinal(),
        {
            key: [(since.toordinal(), _json(value)) for since, value in history]
            for key, history in customer.facts.items()
        },
        _days(customer.periods),
        customer.has_deposit,
        [
            {
                "id": fee.id,
                "service": fee.service,
                "every": fee.every,
                "arrears": fee.arrears,
                "description": fee.description,
                "currency": fee.currency,
                "prices": [(since.toordinal(), micro) for since, micro in fee.prices],
                "until": fee.until and fee.until.toordinal(),
                "quantities": [(since.toordinal(), count) for since, count in fee.quantities],
            }
            for fee in customer.fees
        ],
    ]


def _json(value: Fact) -> Any:
    return [str(value)] if isinstance(value, Decimal) else value


def _days(days: Iterable[dt.date]) -> list[int]:
    return [day.toordinal() for day in days]


def of_json(record: list[Any]) -> Customer:
    """Return the customer that :func:`as_json` made values of."""
    identity, opened, facts, periods, has_deposit, fees = record
    day = dt.date.fromordinal
    return Customer(
        id=identity,
        opened=day(opened),
        facts={
            key: tuple(
                (day(since), Decimal(value[0]) if isinstance(value, list) else value)
                for since, value in history
            )
            for key, history in facts.items()
        },
        periods=tuple(map(day, periods)),
        has_deposit=has_deposit,
        fees=tuple(map(_fee, fees)),
    )


def _fee(record: dict[str, Any]) -> Fee:
    day = dt.date.fromordinal
    dated = {
        name: tuple((day(since), value) for since, value in record[name])
        for name in ("prices", "quantities")
    }
    until = record["until"]
    return Fee(**record | dated | {"until": until and day(until)})
