"""Read refills, payments, charges and openings from the neutral CSV formats."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, NamedTuple

from a2ledger import money
from a2ledger.period import check_day
from a2ledger.records import Movement
from a2ledger.sources import local, text
from a2ledger.sources.batch import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from a2ledger.book.config import Config

_MONEY = ("id", "customer", "date", "amount")
_PAID = (*_MONEY, "method", "reference", "currency", "description")

HEADERS = {
    "refill": text.Header(_MONEY, _PAID, loose=("description",), usual={}),
    "payment": text.Header(_MONEY, _PAID, loose=("description",), usual={}),
    "charge": text.Header(
        (*_MONEY, "service"),
        (*_MONEY, "service", "currency", "description"),
        loose=("description",),
        usual={},
    ),
    "opening": text.Header(
        ("id", "customer", "amount"),
        ("id", "customer", "amount", "number", "date", "due", "currency"),
        usual={},
    ),
}

AMOUNTS, DAYS = ("amount",), ("date", "due")
"""Columns that are read as people write them where they live."""

_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})?",
    re.ASCII,
)


class Movements(NamedTuple):
    """The movements of a file. ``read`` counts its rows: ``len(movements) + len(refused)``."""

    movements: list[Movement]
    refused: list[Refused]
    read: int
    notes: tuple[str, ...]


def read(
    kind: str,
    path: Path,
    config: Config,
    *,
    source: str = "csv",
) -> Movements:
    """Read a file of movements of one kind.

    A time beside the date is put into the book's zone if it says its own. An opening without a
    date has ``dt.date.min``; its invoice's number is the ``reference``, its due date ``due`` and,
    written ``due 2026-01-31``, the ``description``. A payment may name no customer.

    Args:
        kind: ``refill``, ``payment``, ``charge`` or ``opening``, or the plural of one.
        path: the file.
        config: for the book's currency, zone, services and methods.
        source: what tells the ids of this file from those of others.

    Returns:
        Movements in order of the file, and the rows refused: those that could not be read (see
        :mod:`a2ledger.sources.text.rows`), ``missing-id``, ``missing-customer``, ``bad-date``,
        ``bad-amount``, ``bad-currency`` and ``unknown-service``.

    Raises:
        UnusableInput: if the file cannot be read or a required column is not there.
    """
    kind = kind.removesuffix("s")
    parsed = local.records(path, HEADERS[kind], config.locale, amounts=AMOUNTS, days=DAYS)
    origin = _Origin(kind, source, str(path))
    movements: list[Movement] = []
    refused = list(parsed.refused)
    for line, row in parsed.rows:
        try:
            _check(kind, row, config)
            movements.append(_movement(origin, line, row, config))
        except _BadRowError as error:
            identity = f"{kind}-{source}-{row['id'] or line}"
            refused.append(parsed.refuse(line, error.reason, str(error), identity))
    read_rows = len(movements) + len(refused)
    return Movements(movements, sorted(refused), read_rows, parsed.notes)


class _BadRowError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _check(kind: str, row: dict[str, str], config: Config) -> None:
    for name in ("id", "customer") if kind != "payment" else ("id",):
        if not row[name]:
            raise _BadRowError(f"missing-{name}", f"there is no {name}")
    if (currency := row.get("currency")) and not re.fullmatch("[A-Z]{3}", currency):
        raise _BadRowError("bad-currency", f"its currency {currency!r} is no code such as EUR")
    if "service" in row and row["service"] not in config.services:
        raise _BadRowError("unknown-service", config.unknown_service(row["service"]))


class _Origin(NamedTuple):
    kind: str
    source: str
    file: str


def _movement(origin: _Origin, line: int, row: dict[str, str], config: Config) -> Movement:
    opening = origin.kind == "opening"
    due = _date("due", row.get("due", ""), config) if row.get("due") else None
    return Movement(
        kind=origin.kind,
        source=origin.source,
        id=row["id"],
        customer=row["customer"],
        date=dt.date.min if opening and not row.get("date") else _date("date", row["date"], config),
        amount_micro=_amount(row["amount"]),
        method=row.get("method", ""),
        reference=row.get("number" if opening else "reference", ""),
        description=f"due {due}" if due else " ".join(row.get("description", "").split()),
        service=row.get("service", ""),
        due=due,
        currency=row.get("currency", ""),
        file=origin.file,
        line=line,
    )


def _amount(written: str) -> int:
    try:
        return money.parse(written)
    except ValueError as error:
        raise _BadRowError("bad-amount", str(error)) from None


def _date(name: str, written: str, config: Config) -> dt.date:
    bad = _BadRowError("bad-date", f"{name} {written!r} is no day such as 2026-01-31")
    if not _DATE.fullmatch(written):
        raise bad
    try:
        moment = dt.datetime.fromisoformat(written)
    except ValueError:
        raise bad from None
    try:
        return check_day((moment.astimezone(config.zone) if moment.tzinfo else moment).date())
    except (ValueError, OverflowError):
        raise _BadRowError("bad-date", f"{name} {written!r} is no day that a book holds") from None
