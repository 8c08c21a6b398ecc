"""The list of customers: filtered, sorted, a page of it, and the whole of it for a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from a2ledger import local_forms
from a2ledger.staff.cards import Row
from a2ledger.staff.customers import shown

PAGE = 100
"""Rows of a page."""

HEADS = (
    *("customer", "name", "currency", "owed", "to_pay", "unbilled", "credit_limit"),
    *("available", "last_call", "status", "phone"),
)
"""Columns of the list as CSV."""


class Order(NamedTuple):
    """How the list is looked at, as its address says it."""

    text: str = ""
    """Words that all must be part of id, name, status, currency or number."""
    only_over: bool = False
    key: str = ""
    """A column to sort by; those over the limit first, then by amount owed, if none."""
    is_down: bool = False

    def as_url(self) -> dict[str, str]:
        """Return the parameters of the address that shows the list like this."""
        over, down = "yes" if self.only_over else "", "yes" if self.is_down else ""
        values = {"text": self.text, "over": over, "sort": self.key, "down": down}
        return {name: value for name, value in values.items() if value}


def _natural(text: str) -> tuple[tuple[int, str], ...]:
    """Return a key by which C9 comes before C10."""
    parts = re.split(r"(\d+)", text.casefold())
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)


_KEYS: dict[str, Callable[[Row], Any]] = {
    "customer": lambda row: _natural(row.standing.customer),
    "name": lambda row: _natural(row.standing.name),
    "currency": lambda row: row.standing.currency,
    "owed": lambda row: row.standing.owed_micro,
    "to_pay": lambda row: max(0, row.standing.billed_micro),
    "unbilled": lambda row: row.standing.unbilled_micro,
    "credit_limit": lambda row: row.standing.credit_limit_micro,
    "available": lambda row: row.standing.available_micro,
    "last_call": lambda row: row.last_call,
    "status": lambda row: row.status,
    "phone": lambda row: _natural(row.phone),
}
LARGEST_FIRST = ("owed", "to_pay", "unbilled", "credit_limit", "last_call")
"""Columns that are sorted with the largest on top when they are chosen."""


def _as_usual(row: Row) -> tuple[bool, str, int, str]:
    own = row.standing
    return not own.over_limit, own.currency, -own.owed_micro, own.customer


def chosen(rows: Iterable[Row], order: Order) -> list[Row]:
    """Return the rows that are asked for, in the order that is asked for."""
    words = local_forms.folded(order.text).split()
    found = [
        row
        for row in rows
        if (not order.only_over or row.standing.over_limit)
        and all(word in _words(row) for word in words)
    ]
    found.sort(key=_as_usual)
    if order.key in _KEYS:
        found.sort(key=_KEYS[order.key], reverse=order.is_down)
    return found


def _words(row: Row) -> str:
    own = row.standing
    return local_forms.folded(f"{own.customer} {own.name} {row.status} {own.currency} {row.phone}")


def cells(row: Row) -> dict[str, str]:
    """Return what is shown of a customer, by column."""
    own = row.standing
    amounts = (
        *(own.owed_micro, max(0, own.billed_micro), own.unbilled_micro),
        *(own.credit_limit_micro, own.available_micro),
    )
    owed, to_pay, unbilled, limit, available = (shown(micro, own.currency) for micro in amounts)
    return dict(
        zip(
            HEADS,
            (
                *(own.customer, own.name, own.currency, owed, to_pay, unbilled, limit),
                *(available, row.last_call, row.status, row.phone),
            ),
            strict=True,
        )
    )


def page(rows: Sequence[Row], order: Order, first: int) -> dict[str, Any]:
    """Return a page of the list, the way to others, and what all customers owe."""
    found = chosen(rows, order)
    first = max(0, min(first, len(found) - 1))
    first -= first % PAGE
    part = found[first : first + PAGE]
    last = first + len(part)
    return {
        "rows": [cells(row) for row in part],
        "order": order,
        "more": order.as_url(),
        "count": len(found),
        "all": len(rows),
        "first": first + 1 if part else 0,
        "last": last,
        "before": max(0, first - PAGE) if first else None,
        "after": last if last < len(found) else None,
        "totals": totals(rows),
    }


def totals(rows: Iterable[Row]) -> list[dict[str, str]]:
    """Return what all customers owe, a row for each currency."""
    sums: dict[str, list[int]] = {}
    for row in rows:
        own = sums.setdefault(row.standing.currency, [0, 0, 0])
        own[0] += row.standing.owed_micro
        own[1] += max(0, row.standing.billed_micro)
        own[2] += row.standing.unbilled_micro
    return [
        {"currency": currency}
        | {
            name: shown(micro, currency)
            for name, micro in zip(("owed", "to_pay", "unbilled"), own, strict=True)
        }
        for currency, own in sorted(sums.items())
    ]
