"""What the book knows of customers and of money that moves: plain frozen values."""

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
"""Facts that are plain numbers in a journal; the rest are text."""

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
    "language",
    "delivery",
    "documents",
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
"""Every fact that people set, in the order in which they are written."""

SETTLED = "settled"
FACTS = (*KEYS, SETTLED)
"""Every fact a customer can have; ``settled`` is ``yes`` from the day his account was settled on,
and ``no`` again from the day it was reopened."""


class Problem(NamedTuple):
    """Something wrong with data, not with the program.

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
        """What is wrong and what to do about it."""
        return "; ".join(filter(None, (self.what, self.undone, self.todo)))

    @property
    def line_of_error(self) -> str:
        """The problem with its place, in full."""
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
        """Whether it is more than a month."""
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
    """Due at the end of the days it is for; else before them."""
    description: str
    currency: str
    prices: tuple[tuple[dt.date, int], ...]
    """Amounts in micro-units with the days from which they hold; the first day is the fee's."""
    until: dt.date | None = None
    """The first day it is not due for any more."""
    quantities: tuple[tuple[dt.date, int], ...] = ()
    """Of how many things the amounts are the price, by the same days; where it is not one."""

    def quantity(self, day: dt.date) -> int:
        """How many things the fee is for on a day."""
        since = self.prices[max(bisect_right([one for one, _ in self.prices], day) - 1, 0)][0]
        return dict(self.quantities).get(since, 1)

    @property
    def span(self) -> Span:
        """What its amount is for."""
        return span(self.every)

    @property
    def start(self) -> dt.date:
        """The first day it is due for."""
        return self.prices[0][0]

    def price_micro(self, day: dt.date) -> int:
        """What it costs on a day, in micro-units."""
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
    """Whether he ever gave a deposit: it has an account of its own."""
    fees: tuple[Fee, ...] = ()

    def fact(self, key: str, day: dt.date) -> Fact | None:
        """The value that held on a day; before the opening, the first there was at the opening."""
        history = self.facts.get(key, ())
        index = bisect_right([since for since, _ in history], day)
        if not index and history and history[0][0] <= self.opened:
            index = 1
        return history[index - 1][1] if index else None

    def values(self, key: str) -> list[Fact]:
        """Every value a fact ever had."""
        return [value for _, value in self.facts.get(key, ())]

    def text(self, key: str, day: dt.date) -> str:
        """A textual fact on a day, or the empty string."""
        value = self.fact(key, day)
        return "" if value is None else str(value)

    def listed(self, key: str, day: dt.date) -> tuple[str, ...]:
        """A fact that is a list (``tariff``, ``identifiers``), in its order."""
        return split_list(self.text(key, day))

    def cycle(self, day: dt.date) -> Cycle:
        """How often he is billed, by the facts of a day."""
        kind, billing_day = self.text("cycle", day), int(self.fact("billing_day", day) or 1)
        return period.cycle_of(kind or "monthly", billing_day, self.opened)

    def period_from(self, start: dt.date) -> Period:
        """His period that starts on a day."""
        return period.starting(start, self.cycle(start))

    def period_holding(self, day: dt.date) -> Period:
        """The open period, or the one to come, that holds a day."""
        one = self.period_from(self.open_since)
        while one.end <= day:
            one = self.period_from(one.end)
        return one

    @property
    def settled(self) -> bool:
        """Whether his account was settled for good: no call, charge or fee enters it."""
        history = self.facts.get(SETTLED, ())
        return bool(history) and history[-1][1] == "yes"

    @property
    def open_since(self) -> dt.date:
        """Start of the open period."""
        return self.periods[-1] if self.periods else self.opened


def split_list(text: str) -> tuple[str, ...]:
    """Items of a list written with commas.

    >>> split_list("acme, standard")
    ('acme', 'standard')
    """
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One refill, payment, charge or opening, as a row of an input file gave it.

    The amount is positive in the word's own sense; a negative one reverses.
    """

    kind: str
    """``refill``, ``payment``, ``charge`` or ``opening``."""
    source: str
    id: str
    customer: str
    """Empty for a payment that is no customer's yet."""
    date: dt.date
    amount_micro: int
    method: str = ""
    reference: str = ""
    description: str = ""
    service: str = ""
    due: dt.date | None = None
    """When an opening, an invoice of another system's, falls due."""
    currency: str = ""
    """What a payment was made in, where the row says so."""
    file: str = ""
    line: int = 0


class Warned(NamedTuple):
    """A reason for which a period was left open, or something to look at."""

    code: str
    message: str
