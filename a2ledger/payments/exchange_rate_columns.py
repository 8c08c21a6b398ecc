"""Read exchange rates: a CSV of date, currency and price in the book's currency."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from a2ledger.journal import exchange_rates
from a2ledger.journal.exchange_rates import Price
from a2ledger.local_forms import Locale
from a2ledger.period import read_day
from a2ledger.sources import local, text
from a2ledger.sources.batch import Refused

if TYPE_CHECKING:
    from pathlib import Path

AMOUNTS, DAYS = ("price",), ("date",)

HEADER = text.Header(("date", "currency", "price"), ("date", "currency", "price"))


def read(path: Path, locale: Locale) -> tuple[list[tuple[int, Price]], list[Refused]]:
    """Read a file of prices.

    Returns:
        Prices with their lines; and the rows refused: those that could not be read (see
        :mod:`a2ledger.sources.text.rows`), ``bad-date``, ``bad-currency`` and ``bad-price``.

    Raises:
        UnusableInput: if the file cannot be read or a column is not there.
    """
    parsed = local.records(path, HEADER, locale, amounts=AMOUNTS, days=DAYS)
    good: list[tuple[int, Price]] = []
    refused = list(parsed.refused)
    for line, row in parsed.rows:
        try:
            good.append((line, _price(row)))
        except _BadRowError as error:
            name = f"price-{row['currency']}-{row['date']}"
            refused.append(parsed.refuse(line, error.reason, str(error), name))
    return good, sorted(refused)


class _BadRowError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _price(row: dict[str, str]) -> Price:
    if not re.fullmatch("[A-Z]{3}", row["currency"]):
        raise _BadRowError("bad-currency", f"{row['currency']!r} is no code such as USD")
    try:
        day = read_day(row["date"])
    except ValueError as error:
        raise _BadRowError("bad-date", str(error)) from None
    try:
        return Price(day, row["currency"], exchange_rates.number(row["price"]))
    except ValueError as error:
        raise _BadRowError("bad-price", str(error)) from None
