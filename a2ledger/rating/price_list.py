"""A customer's own price list on a day, and its changes on another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from a2ledger.book.book import Book
from a2ledger.rating import decks, formula, prefixes, rate
from a2ledger.rating.columns import ALWAYS
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.records import Customer, split_list

NOON = dt.time(12)
"""The time of day that stands for the whole day, where prices differ by the hour."""

_MICRO = 1_000_000
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60

COLUMNS = (
    *("prefix", "destination", "price", "connect", "minimum", "first", "following", "hours"),
    *("blocked", "deck"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The price of calls to a prefix for a customer, as texts less the discount."""

    prefix: str
    destination: str
    price: str
    """Per minute."""
    connect: str
    minimum: str
    first: int
    following: int
    hours: str
    """The hours of the week it holds, empty if always."""
    blocked: bool
    deck: str

    @property
    def terms(self) -> tuple[Any, ...]:
        """Return the terms whose change a customer is notified of."""
        return (self.price, self.connect, self.minimum, self.first, self.following, self.blocked)

    def as_json(self) -> dict[str, Any]:
        """Return the price as in the commands' ``--json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """A customer's change of price, or None where there is no rate."""

    prefix: str
    destination: str
    before: Price | None
    after: Price | None

    @property
    def kind(self) -> str:
        """Return the kind of change: dearer, cheaper, new, gone, or other terms."""
        if self.before is None or self.after is None or self.after.blocked != self.before.blocked:
            return "no longer available" if not _available(self.after) else "new"
        old, new = Decimal(self.before.price), Decimal(self.after.price)
        if new != old:
            return "dearer" if new > old else "cheaper"
        fees = (Decimal(self.before.connect), Decimal(self.after.connect))
        return "dearer" if fees[1] > fees[0] else "other terms"

    def as_json(self) -> dict[str, Any]:
        """Return the change as in the commands' ``--json``."""
        return {
            "prefix": self.prefix,
            "destination": self.destination,
            "kind": self.kind,
            "before": self.before and self.before.as_json(),
            "after": self.after and self.after.as_json(),
        }


def _available(price: Price | None) -> bool:
    return price is not None and not price.blocked


def tariff_of(book: Book, customer: Customer, day: dt.date) -> Tariff:
    """Return a customer's decks on a day."""
    text = customer.text("tariff", day)
    return Tariff(name=text, decks=tuple(decks.deck(book, name) for name in split_list(text)))


def listed(book: Book, customer: Customer, day: dt.date) -> list[Price]:
    """Return every price that holds for a customer on a day, by prefix."""
    prices: list[Price] = []
    taken: set[str] = set()
    for deck in tariff_of(book, customer, day).decks:
        held = deck.at(dt.datetime.combine(day, NOON))
        mine: set[str] = set()
        seen: set[tuple[str, str]] = set()
        for row, prefix in enumerate(held.prefixes.to_pylist()):
            # The first deck that knows a number decides, by whatever prefix.
            if any(prefix[:length] in taken for length in range(len(prefix) + 1)):
                continue
            price = _price(held, row, _discount(customer, day))
            if (prefix, price.hours) not in seen:  # the first is the one that began last
                seen.add((prefix, price.hours))
                prices.append(price)
            mine.add(prefixes.canonical(prefix))
        taken |= mine
    return sorted(prices, key=lambda price: (price.prefix, price.hours))


def changes(
    book: Book, customer: Customer, day: dt.date, numbers: Sequence[str]
) -> list[PriceChange]:
    """Return the prices of numbers that change for a customer on a day, by prefix.

    Args:
        book: whose decks.
        customer: who is to be told.
        day: the first on which the new prices hold.
        numbers: those they call, or prefixes.
    """
    before = day - dt.timedelta(days=1)
    sides = []
    for on in (before, day):
        tariff = tariff_of(book, customer, on)
        rows = rate.chosen(tariff, numbers, dt.datetime.combine(on, NOON))
        discount = _discount(customer, on)
        sides.append([_price(*row, discount) if row else None for row in rows])
    by_prefix: dict[str, PriceChange] = {}
    for old, new in zip(*sides, strict=True):
        price = new or old
        if price is None or (old and old.terms) == (new and new.terms):
            continue
        by_prefix.setdefault(
            price.prefix,
            PriceChange(prefix=price.prefix, destination=price.destination, before=old, after=new),
        )
    return [by_prefix[prefix] for prefix in sorted(by_prefix)]


def prefixes_of(book: Book, customer: Customer, day: dt.date) -> list[str]:
    """Return every prefix a customer's decks know on a day or the day before."""
    names = {
        deck.name: deck
        for on in (day - dt.timedelta(days=1), day)
        for deck in tariff_of(book, customer, on).decks
    }
    known = {
        prefixes.canonical(prefix)
        for deck in names.values()
        for prefix in deck.prefixes.to_pylist()
        if not prefix.startswith("_")
    }
    return sorted(known)


def _discount(customer: Customer, day: dt.date) -> Fraction:
    percent = customer.fact("discount_percent", day) or 0
    return 1 - Fraction(Decimal(str(percent))) / 100


def _price(deck: Deck, row: int, share: Fraction) -> Price:
    values = formula.rate(deck, row)
    return Price(
        prefix=deck.prefixes[row].as_py(),
        destination=deck.destinations[row].as_py(),
        price=_text(values.get("rateinitial", 0) * share),
        connect=_text((values.get("connectcharge", 0) + values.get("disconnectcharge", 0)) * share),
        minimum=_text(Fraction(values.get("minimal_cost", 0))),
        first=int(values.get("initblock", 0)),
        following=int(values.get("billingblock", 0)),
        hours=_hours(values),
        blocked=bool(values.get("blocked", 0)),
        deck=deck.name,
    )


def _text(micro: Fraction | int) -> str:
    """Format an amount with all its decimals, from two up to ten."""
    exact = Fraction(micro) / _MICRO
    text = f"{Decimal(exact.numerator) / Decimal(exact.denominator):.10f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def _hours(values: Mapping[str, Any]) -> str:
    first, last = (values.get(name, ALWAYS[name]) for name in ("starttime", "endtime"))
    if (first, last) == (ALWAYS["starttime"], ALWAYS["endtime"]):
        return ""
    begins, ends = (
        f"{_DAYS[minute // _DAY]} {minute % _DAY // 60:02}:{minute % 60:02}"
        for minute in (first, last)
    )
    return f"{begins}-{ends}"
