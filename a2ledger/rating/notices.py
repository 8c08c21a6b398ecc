"""Notify customers of price changes: which customers, and which of the prices they use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from a2ledger.book.book import Book
from a2ledger.documents import parties
from a2ledger.journal import subledgers
from a2ledger.rating import price_list
from a2ledger.rating.price_list import PriceChange
from a2ledger.records import Customer

COLUMNS = (
    *("customer", "name", "email", "prefix", "destination", "change"),
    *("price_before", "price_after", "connect_before", "connect_after", "from", "currency"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The notice to one customer."""

    customer: Customer
    currency: str
    effective: dt.date
    changes: tuple[PriceChange, ...]

    @property
    def rises(self) -> bool:
        """Return whether any price rises or any destination is dropped."""
        return any(change.kind in ("dearer", "no longer available") for change in self.changes)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield the changes as rows of a CSV."""
        for change in self.changes:
            old, new = change.before, change.after
            yield (
                self.customer.id,
                self.customer.text("name", self.effective),
                self.customer.text("email", self.effective),
                change.prefix,
                change.destination,
                change.kind,
                old.price if old and not old.blocked else "",
                new.price if new and not new.blocked else "",
                old.connect if old and not old.blocked else "",
                new.connect if new and not new.blocked else "",
                str(self.effective),
                self.currency,
            )

    def values(self, book: Book, today: dt.date) -> dict[str, Any]:
        """Return the values for the letter's template."""
        day = self.effective
        return {
            "company": book.config.company_on(day),
            "customer": self.customer.id,
            "name": self.customer.text("name", day) or self.customer.id,
            "address": parties.one_line(
                {key: self.customer.text(key, day) for key in parties.ADDRESS}
            ),
            "currency": self.currency,
            "effective": str(day),
            "today": str(today),
            "changes": [change.as_json() for change in self.changes],
            "rises": self.rises,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the notice as in the command's ``--json``."""
        return {
            "customer": self.customer.id,
            "currency": self.currency,
            "from": str(self.effective),
            "rises": self.rises,
            "changes": [change.as_json() for change in self.changes],
        }


def notices(
    book: Book,
    effective: dt.date,
    *,
    numbers: dict[str, list[str]] | None,
    names: Collection[str] = (),
) -> Iterator[Notice]:
    """Yield a notice for each customer whose prices change on a day.

    Args:
        book: whose customers.
        effective: the first day of the new prices.
        numbers: what each customer called; None for every price there is.
        names: only these customers; all if none is named.
    """
    for customer in subledgers.customers(book).values():
        if customer.settled or (names and customer.id not in names):
            continue
        if numbers is None:
            wanted = price_list.prefixes_of(book, customer, effective)
        else:
            wanted = numbers.get(customer.id, [])
        if wanted and (price_changes := price_list.changes(book, customer, effective, wanted)):
            yield Notice(
                customer=customer,
                currency=subledgers.currency(book, customer.id),
                effective=effective,
                changes=tuple(price_changes),
            )


def called(days: Iterator[Any]) -> dict[str, list[str]]:
    """Return the numbers each customer called, from days of call detail."""
    numbers: dict[str, set[str]] = {}
    for table in days:
        pairs = table.select(["customer", "called"]).group_by(["customer", "called"]).aggregate([])
        for name in pc.unique(pairs["customer"]).to_pylist():
            mine = pairs.filter(pc.equal(pairs["customer"], name))["called"].to_pylist()
            numbers.setdefault(name, set()).update(mine)
    return {name: sorted(called_numbers) for name, called_numbers in numbers.items()}
