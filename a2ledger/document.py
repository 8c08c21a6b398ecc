"""The document: one value that text, HTML, JSON and every later format are made from.

Amounts are strings of the document's currency, with its decimals; days are ISO dates. The
field names are the keys of the published JSON, which may gain keys but never renames one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement. ``amount`` > 0: owes more; ``balance`` is what is owed after it."""

    date: str
    description: str
    amount: str
    balance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The account like a bank statement: what was owed, every movement, what is owed."""

    opening: str
    lines: tuple[StatementLine, ...]
    closing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the invoice proper; ``from_`` and ``to`` are the first and last day in it."""

    line: int
    kind: str
    """``usage``, ``fee``, ``charge``, ``late`` or ``correction``."""
    service: str
    destination: str
    description: str
    from_: str
    to: str
    calls: int
    seconds: int
    net: str
    vat_code: str
    late_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VatLine:
    """VAT of one code: computed on the code's net, never summed from lines."""

    code: str
    category: str
    rate: str
    net: str
    vat: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A preview, invoice, statement or credit note."""

    kind: str
    number: str | None
    original: dict[str, str] | None = None
    supplier: dict[str, str]
    customer: dict[str, str]
    currency: str
    issue_date: str
    due_date: str
    period: dict[str, str]
    """``start`` (inclusive) and ``end`` (exclusive)."""
    statement: Statement
    lines: tuple[Line, ...]
    vat: tuple[VatLine, ...]
    net: str
    vat_total: str
    gross: str
    to_pay: str
    credit: str
    notes: tuple[str, ...] = field(default=())


def as_json(value: Any) -> Any:
    """A document, or a part of one, as plain values ready for ``json.dumps``."""
    if is_dataclass(value):
        return {one.name.rstrip("_"): as_json(getattr(value, one.name)) for one in fields(value)}
    return [as_json(item) for item in value] if isinstance(value, tuple) else value
