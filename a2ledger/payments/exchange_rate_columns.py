"""Prices of foreign currencies: a CSV of date, currency and price in the book's currency."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from a2ledger.journal import exchange_rates
from a2ledger.journal.exchange_rates import Price
from a2ledger.sources import text
from a2ledger.sources.batch import RAW_SHOWN, Refused

if TYPE_CHECKING:
    from pathlib import Path

HEADER = text.Header(("date", "currency", "price"), ("date", "currency", "price"))


def read(path: Path) -> tuple[list[tuple[int, Price]], list[Refused]]:
    """Read a file of prices.

    Returns:
        Prices with their lines; and the rows refused: those that could not be read (see
        :mod:`a2ledger.sources.text.rows`), ``bad-date``, ``bad-currency`` and ``bad-price``.

    Raises:
        UnusableInput: if the file cannot be read or a column is not there.
    """
    found = text.records(path, HEADER)
    good: list[tuple[int, Price]] = []
    refused = list(found.refused)
    for line, row in found.rows:
        try:
            good.append((line, _price(row)))
        except _BadRowError as error:
            raw = found.raw(line)[:RAW_SHOWN]
            name = f"price-{row['currency']}-{row['date']}"
            refused.append(Refused(str(path), line, error.reason, str(error), raw, name))
    return good, sorted(refused)


class _BadRowError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _price(row: dict[str, str]) -> Price:
    if not re.fullmatch("[A-Z]{3}", row["currency"]):
        raise _BadRowError("bad-currency", f"{row['currency']!r} is no code such as USD")
    try:
        day = dt.date.fromisoformat(row["date"])
    except ValueError:
        raise _BadRowError("bad-date", f"{row['date']!r} is no day such as 2026-01-31") from None
    try:
        return Price(day, row["currency"], exchange_rates.number(row["price"]))
    except ValueError as error:
        raise _BadRowError("bad-price", str(error)) from None
