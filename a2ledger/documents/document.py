"""The model of a document, from which text, HTML, JSON and every other format are made.

Amounts are strings of the document's currency, with its decimals; days are ISO dates. The
field names are the keys of the published JSON, which may gain keys but never renames one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, cast

from a2ledger import money
from a2ledger.period import DAY

_ABSENT = {"absent": True}
"""Field metadata: omit this key from the JSON when the value is empty."""


ROUNDING = "Rounding of fractions brought over"
ROUNDED = "Rounding of what is to pay"
"""The name, on a statement, of the last decimal by which a balance brought from A2Billing with more
decimals than its currency has moves when it changes its sign.
"""


def statement_name(customer: str, start: str) -> str:
    """Return the name of a statement, which has no number: of its customer and first day."""
    return f"statement-{customer}-{start}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement. A positive ``amount`` is owed. ``balance`` is what is owed after it."""

    date: str
    description: str
    amount: str
    balance: str
    service: str = field(default="", metadata=_ABSENT)
    """Of calls, where it is a day's usage."""
    calls: int = field(default=0, metadata=_ABSENT)
    seconds: int = field(default=0, metadata=_ABSENT)
    late_from: str = field(default="", metadata=_ABSENT)
    """The day it is of, where it was posted late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The account as on a bank statement: opening balance, every movement, closing balance."""

    opening: str
    lines: tuple[StatementLine, ...]
    closing: str


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """A row of a price list that held for calls of a line: its list, its prefix and its start."""

    tariff: str
    prefix: str
    since: str
    """Empty for a row without a start."""
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the invoice proper. ``from_`` and ``to`` are its first and last day."""

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
    extensions: dict[str, int] = field(default_factory=dict, metadata=_ABSENT)
    """Calls that no price list priced (incoming and internal ones), by the customer's extension
    that called or was called.
    """
    rates: tuple[Rate, ...] = field(default=(), metadata=_ABSENT)
    """Rows of price lists that held for its calls. Documents of earlier versions name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VatLine:
    """The VAT of one code: computed on the code's net, never summed from lines."""

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
    originals: tuple[dict[str, str], ...] = field(default=(), metadata=_ABSENT)
    """Number and date of every invoice that a credit note corrects, if there is more than one. The
    newest is ``original``.
    """
    vat_translated: dict[str, str] | None = field(default=None, metadata=_ABSENT)
    """VAT in the book's currency, if the account's is another: ``currency``, ``price``, the price's
    ``date``, ``vat_total``.
    """
    treatment: str = field(default="", metadata=_ABSENT)
    """Treatment of VAT, where it is not simply added: ``included``, ``on-refill``,
    ``reverse-charge``.
    """
    files: dict[str, str] | None = field(default=None, metadata=_ABSENT)
    """Digests (SHA-256) of the files issued with it, by name: e-invoices and reports."""
    since: tuple[StatementLine, ...] = field(default=(), metadata=_ABSENT)
    """Movements after the period, up to the day of issue: ``to_pay`` and ``credit`` are as of that
    day.
    """
    tax_on_payment: str = field(default="", metadata=_ABSENT)
    """VAT in ``to_pay`` that falls due with the payment, where refills are taxed."""
    rounding: dict[str, str] | None = field(default=None, metadata=_ABSENT)
    """Where what is asked is rounded to coins: the ``amount`` in ``to_pay``, and what it is rounded
    ``to``."""
    tax_point: str = field(default="", metadata=_ABSENT)
    """The day its VAT falls due, if that is not the last day of its period."""
    usage: str = field(default="", metadata=_ABSENT)
    """How its statement folds usage, where not every day is shown: ``week`` or ``service``."""
    reference: str = field(default="", metadata=_ABSENT)
    """The payment reference, if the document asks for a payment."""
    minimum: str = field(default="", metadata=_ABSENT)
    """The least that is billed, on a preview that is below it and would wait for the next bill."""
    seal: str = field(default="", metadata=_ABSENT)
    """The beginning of the period's seal, which covers every field but this."""

    @property
    def last_day(self) -> dt.date:
        """Return the last day of its period."""
        return dt.date.fromisoformat(self.period["end"]) - DAY

    @property
    def name(self) -> str:
        """Return its number, or the name of its file if it has none."""
        return self.number or statement_name(self.customer["id"], self.period["start"])

    @property
    def named(self) -> dict[str, str]:
        """Return how another document names it: its number and date; its kind if it has none."""
        named = {"number": self.name, "date": self.issue_date}
        return named if self.number else {**named, "kind": self.kind}

    @property
    def bills(self) -> bool:
        """Return True if money is owed by it: an invoice, or a statement in place of one."""
        return self.kind == "invoice" or (self.kind == "statement" and bool(self.vat))

    @property
    def sign(self) -> int:
        """Return 1, or -1 for a credit note: its amounts are positive and lower what is owed."""
        return -1 if self.kind == "credit-note" else 1

    @property
    def net_by_line(self) -> dict[int, int]:
        """Return the net of each line in micro-units, by the line's number."""
        return {line.line: money.parse(line.net) for line in self.lines}


_PLAIN = (str, int, type(None))


def as_json(value: Any) -> Any:
    """Return a document, or a part of one, as plain values ready for ``json.dumps``."""
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if (shape := _shape(cast("Hashable", type(value)))) is None:
        return value
    keys, values, unsaid = shape
    plain = {
        key: item if isinstance(item, _PLAIN) else as_json(item)
        for key, item in zip(keys, values(value), strict=True)
    }
    for key in unsaid:
        if not plain[key]:
            del plain[key]
    return plain


@cache
def _shape(
    kind: Any,
) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[str, ...]] | None:
    """Return a dataclass's JSON keys, a getter of its values, and the keys to omit if empty.

    Of any other type, return None.
    """
    if not is_dataclass(kind):
        return None
    names = [attribute.name for attribute in fields(kind)]
    unsaid = tuple(attribute.name for attribute in fields(kind) if attribute.metadata)
    return tuple(name.rstrip("_") for name in names), attrgetter(*names), unsaid


def read(text: str) -> Document:
    """Parse a document from its file's text, ignoring unknown keys.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: if it is not a document.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    statement = content["statement"]
    made = {
        "statement": Statement(
            opening=statement["opening"],
            lines=tuple(_made(StatementLine, line) for line in statement["lines"]),
            closing=statement["closing"],
        ),
        "lines": tuple(map(_line, content["lines"])),
        "vat": tuple(_made(VatLine, row) for row in content["vat"]),
        "notes": tuple(content["notes"]),
        "originals": tuple(content.get("originals", ())),
        "since": tuple(_made(StatementLine, line) for line in content.get("since", ())),
    }
    document: Document = _made(Document, {**content, **made})
    return document


def _line(content: Mapping[str, Any]) -> Line:
    rates = tuple(_made(Rate, rate) for rate in content.get("rates", ()))
    line: Line = _made(Line, {**content, "rates": rates})
    return line


def _made(kind: Any, content: Mapping[str, Any]) -> Any:
    names = {known.name.rstrip("_"): known.name for known in fields(kind)}
    return kind(**{names[key]: value for key, value in content.items() if key in names})


_COMPACT = json.JSONEncoder(ensure_ascii=False)
_END = "\n}\n"


def with_seal(text: str, seal: str) -> str:
    r"""Return the text of a document that bears a seal, from its text without.

    >>> with_seal('{\n "number": "INV-1"\n}\n', "1f3a-99d0")
    '{\n "number": "INV-1",\n "seal": "1f3a-99d0"\n}\n'
    """
    return f'{text.removesuffix(_END)},\n "seal": {_COMPACT.encode(seal)}{_END}'


def written(document: Mapping[str, Any]) -> str:
    """Return the text of a document's JSON file: a line for each key and each item of a list.

    So a difference between two versions is a line, and a year of bills is quickly written.
    """
    compact = _COMPACT.encode

    def line(value: object) -> str:
        if isinstance(value, list) and value:
            return "[\n  " + ",\n  ".join(map(compact, value)) + "\n ]"
        if isinstance(value, dict) and any(isinstance(item, list) for item in value.values()):
            items = (f"  {compact(key)}: {line(item)}" for key, item in value.items())
            return "{\n" + ",\n".join(items) + "\n }"
        return compact(value)

    body = ",\n".join(f" {compact(key)}: {line(value)}" for key, value in document.items())
    return "{\n" + body + "\n}\n"
