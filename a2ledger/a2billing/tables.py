"""A2Billing's tables as values: rows, amounts and days, and what their codes mean.

Amounts are in A2Billing's base currency and net of VAT, but for payments. Times are of its
server's clock. (Source: A2Billing 2.2, its schema and the code that writes it.)
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
"""Decimals of a balance in A2Billing."""

_UNIT = Decimal(1).scaleb(-PLACES)
_MOST = Decimal(10**12)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: where it stands, its values by column, and its text."""

    table: str
    file: str
    line: int
    values: dict[str, str]
    raw: str

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    @property
    def name(self) -> str:
        """What a person finds it by."""
        return f"{self.table} {self.values['id']}"

    def refused(self, reason: str, message: str, identity: str) -> Refused:
        """The row, refused."""
        return Refused(self.file, self.line, reason, message, self.raw[:RAW_SHOWN], identity, TABLE)


class Found(NamedTuple):
    """The rows of a table, and those that could not be read."""

    rows: list[Row]
    refused: list[Refused]


class Tables(Protocol):
    """Where A2Billing's tables are."""

    def rows(self, table: str, columns: Iterable[str]) -> Found:
        """All rows of a table with some columns; none if there is no such table.

        A column that is not there is empty, and so is what is NULL or a date of zeros.
        """


class Clock(NamedTuple):
    """Whose clock times are of, and in which zone days are wanted."""

    server: zoneinfo.ZoneInfo
    book: zoneinfo.ZoneInfo

    def day(self, written: str) -> dt.date:
        """The book's day of a time.

        Raises:
            ValueError: if it is none.
        """
        moment = dt.datetime.fromisoformat(written)
        if len(written) == len("2026-01-31"):
            return moment.date()
        return moment.replace(tzinfo=self.server).astimezone(self.book).date()


def five(written: str) -> str:
    """An amount with five decimals, rounded half away from zero; 0 is never negative.

    >>> five("123.45677947998047"), five("-0"), five(""), five("1e-05")
    ('123.45678', '0.00000', '0.00000', '0.00001')

    Raises:
        ValueError: if it is no amount.
    """
    return f"{_decimal(written):f}"


def micro(written: str) -> int:
    """An amount with five decimals, in micro-units.

    Raises:
        ValueError: if it is no amount.
    """
    return money.micro(_decimal(written))


def _decimal(written: str) -> Decimal:
    try:
        number = Decimal(written or "0")
    except InvalidOperation:
        raise ValueError(f"{written!r} is no amount") from None
    if not number.is_finite() or abs(number) >= _MOST:
        raise ValueError(f"{written!r} is no amount")
    return number.quantize(_UNIT, ROUND_HALF_UP) + Decimal(0).scaleb(-PLACES)


def text(amount_micro: int) -> str:
    """An amount as A2Billing shows its balances."""
    return money.text(amount_micro, PLACES)


def whole(written: str, default: int = 0) -> int:
    """A whole number; the default where there is none."""
    try:
        return int(Decimal(written))
    except (InvalidOperation, ValueError, OverflowError):
        return default


def identifier(switch: str, card: str) -> str:
    """What a customer holds that calls of a card bear."""
    return f"{switch}:{card}"


def carriers(tables: Tables) -> dict[str, str]:
    """Names of those who carry calls, by the number of the trunk."""
    names = {
        row["id"]: row["provider_name"]
        for row in tables.rows("cc_provider", ("id", "provider_name")).rows
    }
    trunks = tables.rows("cc_trunk", ("id_trunk", "trunkcode", "id_provider")).rows
    return {
        row["id_trunk"]: names.get(row["id_provider"]) or row["trunkcode"] or "" for row in trunks
    }


def base_currency(tables: Tables) -> str:
    """The currency all amounts are in; empty where the configuration does not say."""
    return setting(tables, "base_currency").upper()


def setting(tables: Tables, key: str) -> str:
    """A value of A2Billing's own configuration."""
    columns = ("id", "config_key", "config_value")
    found = (
        row["config_value"]
        for row in tables.rows("cc_config", columns).rows
        if row["config_key"] == key
    )
    return next(found, "")


def rates_of_exchange(tables: Tables) -> Mapping[str, Decimal]:
    """Units of the base currency for one of another."""
    found = {}
    for row in tables.rows("cc_currencies", ("id", "currency", "value")).rows:
        try:
            value = Decimal(row["value"])
        except InvalidOperation:
            continue
        if value.is_finite() and value > 0:
            found[row["currency"].upper()] = value
    return found


def clock_of(book: Book, source: Source) -> Clock:
    """The clock of A2Billing's server, and that of the book."""
    return Clock(zoneinfo.ZoneInfo(source.timezone), book.config.zone)
