"""Values of A2Billing's tables: rows, amounts, days, and the meanings of codes.

Amounts are in A2Billing's base currency and net of VAT, but for payments. Times are of its
server's clock. (Source: schema and code of A2Billing 2.2.)
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple, Protocol

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.book.source_config import Source
from a2ledger.sources.batch import RAW_SHOWN, TABLE, Refused

PLACES = 5
"""Decimals of balances in A2Billing."""

_UNIT = Decimal(1).scaleb(-PLACES)
_MOST = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its place, values by column, and text."""

    table: str
    file: str
    line: int
    values: dict[str, str]
    raw: str

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    @property
    def name(self) -> str:
        """Return the row's name for people."""
        return f"{self.table} {self.values['id']}"

    def refused(self, reason: str, message: str, identity: str) -> Refused:
        """Return the row as a refusal."""
        return Refused(self.file, self.line, reason, message, self.raw[:RAW_SHOWN], identity, TABLE)


class Found(NamedTuple):
    """The rows of a table, and those that could not be read."""

    rows: list[Row]
    refused: list[Refused]


class Tables(Protocol):
    """Access to A2Billing's tables."""

    def rows(self, table: str, columns: Iterable[str]) -> Found:
        """Read all rows of a table with some columns, none if there is no such table.

        A column that is not there is empty, and so is what is NULL or a date of zeros.
        """


class Clock(NamedTuple):
    """The time zones of A2Billing's server and of the book."""

    server: zoneinfo.ZoneInfo
    book: zoneinfo.ZoneInfo

    def day(self, written: str) -> dt.date:
        """Return the book's day of a time on A2Billing's server.

        Raises:
            ValueError: if it is not a time.
        """
        moment = dt.datetime.fromisoformat(written)
        if len(written) == len("2026-01-31"):
            return moment.date()
        return moment.replace(tzinfo=self.server).astimezone(self.book).date()


def five(written: str) -> str:
    """Format an amount with five decimals, rounded half away from zero, without negative zero.

    >>> five("123.45677947998047"), five("-0"), five(""), five("1e-05")
    ('123.45678', '0.00000', '0.00000', '0.00001')

    Raises:
        ValueError: if it is not an amount.
    """
    return f"{_decimal(written):f}"


def micro(written: str) -> int:
    """Parse an amount, rounded to five decimals, into micro-units.

    Raises:
        ValueError: if it is not an amount.
    """
    return money.micro(_decimal(written))


def _decimal(written: str) -> Decimal:
    try:
        number = Decimal(written or "0")
    except InvalidOperation:
        raise ValueError(f"{written!r} is not an amount") from None
    if not number.is_finite() or abs(number) >= _MOST:
        raise ValueError(f"{written!r} is not an amount")
    return number.quantize(_UNIT, ROUND_HALF_UP) + Decimal(0).scaleb(-PLACES)


def text(amount_micro: int) -> str:
    """Format an amount as A2Billing shows balances."""
    return money.text(amount_micro, PLACES)


def whole(written: str, default: int = 0) -> int:
    """Parse a whole number, or return the default."""
    try:
        return int(Decimal(written))
    except (InvalidOperation, ValueError, OverflowError):
        return default


def identifier(switch: str, card: str) -> str:
    """Return the identifier that links calls of a card to its customer."""
    return f"{switch}:{card}"


def carriers(tables: Tables) -> dict[str, str]:
    """Return carriers' names by trunk number."""
    names = {
        row["id"]: row["provider_name"]
        for row in tables.rows("cc_provider", ("id", "provider_name")).rows
    }
    trunks = tables.rows("cc_trunk", ("id_trunk", "trunkcode", "id_provider")).rows
    return {
        row["id_trunk"]: names.get(row["id_provider"]) or row["trunkcode"] or "" for row in trunks
    }


def base_currency(tables: Tables) -> str:
    """Return the currency of all amounts, empty if the configuration does not name it."""
    return setting(tables, "base_currency").upper()


def setting(tables: Tables, key: str) -> str:
    """Return a value of A2Billing's own configuration."""
    columns = ("id", "config_key", "config_value")
    values = (
        row["config_value"]
        for row in tables.rows("cc_config", columns).rows
        if row["config_key"] == key
    )
    return next(values, "")


def rates_of_exchange(tables: Tables) -> Mapping[str, Decimal]:
    """Return exchange rates: units of the base currency for one of another."""
    rates = {}
    for row in tables.rows("cc_currencies", ("id", "currency", "value")).rows:
        try:
            value = Decimal(row["value"])
        except InvalidOperation:
            continue
        if value.is_finite() and value > 0:
            rates[row["currency"].upper()] = value
    return rates


def clock_of(book: Book, source: Source) -> Clock:
    """Return the time zones of A2Billing's server and of the book."""
    return Clock(zoneinfo.ZoneInfo(source.timezone), book.config.zone)
