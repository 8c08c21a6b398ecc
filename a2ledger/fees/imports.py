"""Import recurring fees from CSV files: each row adds one, unless the book has it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a2ledger import errors, money
from a2ledger.book.book import Draft, RefusedError
from a2ledger.fees import charge
from a2ledger.journal import subledgers, syntax
from a2ledger.records import Fee, span
from a2ledger.sources import local, text
from a2ledger.sources.batch import digest
from a2ledger.sources.report import Report

HEADER = text.Header(
    ("customer", "service", "amount"),
    (
        *("customer", "service", "amount", "quantity", "id", "every", "due", "from", "until"),
        "description",
    ),
    loose=("description",),
    usual={},
)
AMOUNTS, DAYS = ("amount",), ("from", "until")
_MOST = 999_999


class _BadRowError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def import_fees(draft: Draft, paths: list[Path]) -> Report:
    """Add fees; one that the book has with the same terms is a duplicate, with others a conflict.

    ``amount`` is the price of each of ``quantity`` things, ``due`` is advance or arrears. A row
    without an id gets one of what it says.
    """
    report = Report(source="fees", files=[str(path) for path in paths])
    for path in paths:
        found = local.records(path, HEADER, draft.config.locale, amounts=AMOUNTS, days=DAYS)
        for note in found.notes:
            draft.talk(note)
        report.read += len(found.rows) + len(found.refused)
        report.refused += found.refused
        for line, row in found.rows:
            name = row.get("id") or _name(row)
            identity = f"fee-{row['customer']}-{name}"
            try:
                _take(draft, name, row, report)
            except _BadRowError as error:
                report.refused.append(found.refuse(line, error.reason, str(error), identity))
            else:
                report.known.add(identity)
    report.refused = local.in_full(
        report.refused, HEADER, draft.config.locale, amounts=AMOUNTS, days=DAYS
    )
    charge.charge(draft, report.customers)
    return report


def _name(row: Mapping[str, str]) -> str:
    """Return the id of a fee that has none, made of what it says."""
    parts = (row.get(key, "") for key in ("service", "description", "from"))
    service = re.sub("[^A-Za-z0-9]", "", row["service"]) or "fee"
    return f"{service}_{digest(chr(0).join(parts))[:4]}"


def _take(draft: Draft, name: str, row: Mapping[str, str], report: Report) -> None:
    terms = _terms(draft, name, row)
    known = subledgers.customers(draft).get(row["customer"])
    if known is None:
        message = f"no customer {row['customer']}; add them, then run `quarantine retry`"
        raise _BadRowError("unknown-customer", message)
    held = next((fee for fee in known.fees if fee.id == name), None)
    if held is None:
        try:
            fee = charge.add(draft, row["customer"], row["service"], row["amount"], **terms)
        except RefusedError as error:
            raise _BadRowError("fee", str(error)) from None
        report.posted += 1
        report.customers.add(row["customer"])
        report.amount_micro += fee.prices[0][1]
    elif _is_same(held, row, terms):
        report.duplicate += 1
    else:
        message = f"{row['customer']} has a fee {name} with other terms; see `a2ledger fee change`"
        raise _BadRowError("conflict", message)


def _terms(draft: Draft, name: str, row: Mapping[str, str]) -> dict[str, Any]:
    """Return what a row says of a fee, beside customer, service and amount."""
    every, due = row.get("every") or "month", row.get("due") or "advance"
    try:
        span(every)
    except ValueError as error:
        raise _BadRowError("bad-term", f"every {error}") from None
    if due not in {"advance", "arrears"}:
        raise _BadRowError("bad-term", f"due {due!r} is neither advance nor arrears")
    if row["service"] not in draft.config.services:
        raise _BadRowError("unknown-service", draft.config.unknown_service(row["service"]))
    quantity = row.get("quantity") or "1"
    if not (quantity.isascii() and quantity.isdecimal() and 1 <= int(quantity) <= _MOST):
        raise _BadRowError("bad-quantity", f"quantity {quantity!r} is not a number from 1 on")
    try:
        money.parse(row["amount"])
    except ValueError as error:
        raise _BadRowError("bad-amount", errors.parts(error)[0]) from None
    return {
        "name": name,
        "every": every,
        "arrears": due == "arrears",
        "since": _day("from", row.get("from", "")),
        "until": _day("until", row.get("until", "")),
        "description": row.get("description", ""),
        "quantity": int(quantity),
    }


def _day(name: str, written: str) -> dt.date | None:
    if not written:
        return None
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        message = f"{name} {written!r} is no day such as 2026-01-31"
        raise _BadRowError("bad-date", message) from None


def _is_same(held: Fee, row: Mapping[str, str], terms: Mapping[str, Any]) -> bool:
    whole = terms["quantity"] * money.parse(row["amount"])
    return (held.service, held.every, held.arrears, held.description) == (
        *(row["service"], terms["every"], terms["arrears"]),
        syntax.plain(terms["description"]),
    ) and whole in {held.prices[0][1], held.prices[-1][1]}
