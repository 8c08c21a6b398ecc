"""Customers, fees and movements of money: plain frozen values."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from a2ledger import errors, period
from a2ledger.period import Cycle, Period

Fact = str | Decimal
"""The value of a customer's fact: a number where :data:`NUMBERS` says so, else text."""

NUMBERS = ("credit_limit", "billing_day", "discount_percent")
"""Facts that are plain numbers in a journal. The others are text."""

KEYS = (
    "name",
    "credit_limit",
    "tariff",
    "billing_day",
    "cycle",
    "currency",
    "vat",
    "vat_id",
    "email",
    "address",
    "street",
    "street2",
    "postcode",
    "city",
    "region",
    "country",
    "registration",
    "peppol",
    "contact",
    "phone",
    "iban",
    "bic",
    "buyer_reference",
    "order_reference",
    "mandate",
    "language",
    "delivery",
    "documents",
    "minimum",
    "itemised",
    "masked",
    "dunning",
    "terms",
    "identifiers",
    "discount_percent",
    "dial_plan",
    "group",
    "status",
    "blocked",
    "guards",
)
"""All facts that people set, in the order in which they are written."""

SETTLED = "settled"
FACTS = (*KEYS, SETTLED)
"""All facts a customer can have. ``settled`` is ``yes`` from the day the account was settled, and
``no`` again from the day it was reopened.
"""


class Problem(NamedTuple):
    """A problem with data, not with the program.

    ``file`` and ``line`` say where (line 0: the file as a whole), ``reason`` is the short name
    it is counted under. ``what`` is wrong, ``undone`` what was not done because of it, and
    ``todo`` what to do, are for a person; the last two are empty where they go without saying.
    """

    file: str
    line: int
    reason: str
    what: str
    undone: str = ""
    todo: str = ""

    @property
    def message(self) -> str:
        """Return what is wrong, and the remedy."""
        return "; ".join(filter(None, (self.what, self.undone, self.todo)))

    @property
    def line_of_error(self) -> str:
        """Return the full problem, with its place."""
        undone, todo = self.undone or errors.NOTHING, self.todo or errors.CORRECT
        return errors.told(f"{self._place}: {self.what}", undone, todo)

    @property
    def _place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self._place}: {self.message}"


EVERY = {"week": "weekly", "month": "monthly", "quarter": "quarterly", "half-year": "half-yearly",
         "year": "yearly"}  # fmt: skip
"""What one amount of a fee is for, and the cycle that is as long."""

_EVERY = re.compile(r"([1-9][0-9]?)-(week|month)s")


class Span(NamedTuple):
    """What one amount of a fee is for: so many months or weeks, one of them 0."""

    months: int
    weeks: int
    is_own: bool
    """Whether they are counted from the fee's own first day, not the customer's billing day."""

    @property
    def is_long(self) -> bool:
        """Return whether it is more than a month."""
        return self.months > 1 or self.weeks > _MONTH_OF_WEEKS


_MONTH_OF_WEEKS = 4


@cache
def span(every: str) -> Span:
    """Return what one amount of a fee is for.

    >>> span("quarter"), span("2-weeks-anniversary")
    (Span(months=3, weeks=0, is_own=False), Span(months=0, weeks=2, is_own=True))

    Raises:
        ValueError: if it is nothing that recurs.
    """
    name = every.removesuffix(period.ANNIVERSARY)
    match = _EVERY.fullmatch(name)
    kind = f"{match[1]}-{match[2]}ly" if match else EVERY.get(name)
    if kind is None:
        raise ValueError(
            f"{every!r} is none of {', '.join(EVERY)}, 2-weeks, 2-months and so on, "
            f"each also with {period.ANNIVERSARY}"
        )
    return Span(*period.counted(kind), every.endswith(period.ANNIVERSARY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fee:
    """A recurring fee: what a service costs every so many weeks or months, and for which days."""

    id: str
    service: str
    every: str
    """As :func:`span` reads it."""
    arrears: bool
    """True if due at the end of the days it is for, false if before them."""
    description: str
    currency: str
    prices: tuple[tuple[dt.date, int], ...]
    """Amounts in micro-units, with their first days. The first of these is the fee's own."""
    until: dt.date | None = None
    """The first day on which it is no longer due."""
    quantities: tuple[tuple[dt.date, int], ...] = ()
    """Numbers of items that the amounts are the price of, by the same days. Left out if one."""

    def quantity(self, day: dt.date) -> int:
        """Return the number of items the fee is for on a day."""
        since = self.prices[max(bisect_right([one for one, _ in self.prices], day) - 1, 0)][0]
        return dict(self.quantities).get(since, 1)

    @property
    def span(self) -> Span:
        """Return the weeks or months that its amount is for."""
        return span(self.every)

    @property
    def start(self) -> dt.date:
        """Return the first day it is due for."""
        return self.prices[0][0]

    def price_micro(self, day: dt.date) -> int:
        """Return its price on a day, in micro-units."""
        index = bisect_right([since for since, _ in self.prices], day)
        return self.prices[max(index - 1, 0)][1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer: an id, the day the account was opened, and dated facts.

    ``facts`` maps a key of :data:`FACTS` to its values in order of their dates, each holding
    from the start of its day until the next. ``periods`` are the start days of the customer's
    periods, oldest first; the last one is open, the others are closed. ``fees`` recur.
    """

    id: str
    opened: dt.date
    facts: Mapping[str, tuple[tuple[dt.date, Fact], ...]] = field(default_factory=dict)
    periods: tuple[dt.date, ...] = ()
    has_deposit: bool = False
    """True if the customer ever gave a deposit, which has an account of its own."""
    fees: tuple[Fee, ...] = ()

    def fact(self, key: str, day: dt.date) -> Fact | None:
        """Return a fact's value on a day, or before the opening its first value."""
        history = self.facts.get(key, ())
        index = bisect_right([since for since, _ in history], day)
        if not index and history and history[0][0] <= self.opened:
            index = 1
        return history[index - 1][1] if index else None

    def values(self, key: str) -> list[Fact]:
        """Return every value a fact ever had."""
        return [value for _, value in self.facts.get(key, ())]

    def text(self, key: str, day: dt.date) -> str:
        """Return a textual fact on a day, or empty."""
        value = self.fact(key, day)
        return "" if value is None else str(value)

    def listed(self, key: str, day: dt.date) -> tuple[str, ...]:
        """Return a list fact (``tariff``, ``identifiers``) on a day, in order."""
        return split_list(self.text(key, day))

    def cycle(self, day: dt.date) -> Cycle:
        """Return how often the customer is billed, by the facts of a day."""
        kind, billing_day = self.text("cycle", day), int(self.fact("billing_day", day) or 1)
        return period.cycle_of(kind or "monthly", billing_day, self.opened)

    def period_from(self, start: dt.date) -> Period:
        """Return the customer's period that starts on a day."""
        return period.starting(start, self.cycle(start))

    def period_holding(self, day: dt.date) -> Period:
        """Return the open or coming period that includes a day."""
        candidate = self.period_from(self.open_since)
        while candidate.end <= day:
            candidate = self.period_from(candidate.end)
        return candidate

    @property
    def settled(self) -> bool:
        """Return whether the account was settled for good: no call, charge or fee may enter it."""
        history = self.facts.get(SETTLED, ())
        return bool(history) and history[-1][1] == "yes"

    @property
    def open_since(self) -> dt.date:
        """Return the start of the open period."""
        return self.periods[-1] if self.periods else self.opened


def split_list(text: str) -> tuple[str, ...]:
    """Return the items of a comma-separated list.

    >>> split_list("acme, standard")
    ('acme', 'standard')
    """
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A refill, payment, charge or opening, as given by a row of an input file.

    The amount is positive in the word's own sense; a negative one reverses.
    """

    kind: str
    """``refill``, ``payment``, ``charge`` or ``opening``."""
    source: str
    id: str
    customer: str
    """Empty for a payment not yet matched to a customer."""
    date: dt.date
    amount_micro: int
    method: str = ""
    reference: str = ""
    description: str = ""
    service: str = ""
    due: dt.date | None = None
    """Due date of an opening, which is an invoice of another system."""
    currency: str = ""
    """Currency of a payment, if the row has one."""
    file: str = ""
    line: int = 0


class Warned(NamedTuple):
    """The reason why a period was left open, or a warning."""

    code: str
    message: str
