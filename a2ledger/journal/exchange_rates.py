"""The exchange rates of a book: the value of a foreign unit in the book's currency, by day.

Prices stand in ``journals/prices.beancount`` as Beancount's own ``price`` directives. A day's
price holds until the next one there is. Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from decimal import Decimal
from typing import NamedTuple

from a2ledger import money
from a2ledger.book.book import Book

PATH = "journals/prices.beancount"

_PRICE = re.compile(
    r"^(\d{4}-\d\d-\d\d)[ \t]+price[ \t]+([A-Z]{3})[ \t]+([0-9]+(?:\.[0-9]+)?)"
    r"[ \t]+([A-Z]{3})[ \t]*(?:;.*)?$",
    re.MULTILINE,
)
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,10})?", re.ASCII)
_EXACT: int = 10**10


class Price(NamedTuple):
    """The price of one unit of a currency, from a day on."""

    date: dt.date
    currency: str
    number: Decimal


def prices(book: Book) -> Prices:
    """Return the exchange rates of a book."""
    return book.once(_read_prices)


def _read_prices(book: Book) -> Prices:
    base = book.config.currency
    return Prices(parse(book.text(PATH), base), base)


def number(text: str) -> Decimal:
    """Parse a price.

    Raises:
        ValueError: if it is no positive number with at most ten decimals.
    """
    if not _NUMBER.fullmatch(text) or not (price := Decimal(text)):
        raise ValueError(f"{text!r} is not a price such as 0.9213")
    return price


def parse(text: str, base: str) -> list[Price]:
    """Parse the prices in a journal's text that are in the book's currency, in its order."""
    return [
        Price(dt.date.fromisoformat(day), currency, Decimal(figure))
        for day, currency, figure, other in _PRICE.findall(text)
        if other == base
    ]


def written(prices: list[Price], base: str) -> str:
    """Return the journal text of prices, by day and currency."""
    head = "; What a unit of each currency is worth; written by `a2ledger import prices`.\n"
    return head + "".join(
        f"{price.date} price {price.currency}  {price.number:f} {base}\n"
        for price in sorted(prices)
    )


def at_price(micro: int, price: Decimal, places: int) -> int:
    """Convert an amount at a price, rounded once to the decimals of the price's currency.

    >>> at_price(10_000_000, Decimal("0.8795"), 2)
    8800000
    """
    unit: int = 10 ** (money.PLACES - places)
    return money.divide(micro * int(price * _EXACT), _EXACT * unit) * unit


class Prices:
    """Exchange rates, looked up by currency and day."""

    def __init__(self, prices: list[Price], base: str) -> None:
        self.base = base
        self._by_currency: dict[str, list[Price]] = {}
        for price in sorted(prices):
            self._by_currency.setdefault(price.currency, []).append(price)

    def at(self, currency: str, day: dt.date) -> Price | None:
        """Return the price that holds on a day, 1 for the book's own currency."""
        if currency == self.base:
            return Price(day, currency, Decimal(1))
        known = self._by_currency.get(currency, [])
        index = bisect_right([price.date for price in known], day)
        return known[index - 1] if index else None

    def converted(self, amount_micro: int, currency: str, other: str, day: dt.date) -> int | None:
        """Convert an amount to another currency, rounded once to its decimals, or return None."""
        own, wanted = self.at(currency, day), self.at(other, day)
        if own is None or wanted is None:
            return None
        unit: int = 10 ** (money.PLACES - money.decimals(other))
        numerator = amount_micro * int(own.number * _EXACT)
        return money.divide(numerator, int(wanted.number * _EXACT) * unit) * unit
