"""Read customers' master data from CSV, with a column for each fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from a2ledger import accounts, records
from a2ledger.local_forms import Locale
from a2ledger.period import read_day
from a2ledger.sources import local, text
from a2ledger.sources.batch import Refused

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = ("id", "name", "credit_limit")

AMOUNTS, DAYS = ("credit_limit", "discount_percent"), ("opened",)

HEADER = text.Header(
    REQUIRED,
    (
        *REQUIRED,
        "tariff",
        "opened",
        *(key for key in records.KEYS if key not in {*REQUIRED, "tariff"}),
    ),
    loose=("name", "address", "street", "street2"),
    usual={"customer": "id"},
)


def read(
    path: Path, locale: Locale
) -> tuple[list[tuple[int, dict[str, str]]], list[Refused], tuple[str, ...]]:
    """Read a file of customers.

    Returns:
        Rows as (line, values): ``id``, ``opened`` and keys of :data:`a2ledger.records.KEYS` the
        file has a column for; the rows refused: those that could not be read (see
        :mod:`a2ledger.sources.text.rows`), ``missing-id``, ``bad-id``, ``missing-name``,
        ``bad-date`` and ``twice`` for a second row of one customer; and notes on the file. What
        the other values may be is for whoever sets them to say.

    Raises:
        UnusableInput: if the file cannot be read or a required column is not there.
    """
    records_read = local.records(path, HEADER, locale, amounts=AMOUNTS, days=DAYS)
    good: list[tuple[int, dict[str, str]]] = []
    refused = list(records_read.refused)
    seen: dict[str, int] = {}
    for line, row in records_read.rows:
        try:
            _check(row, seen)
        except _BadRowError as error:
            name = f"customer-{row['id']}"
            refused.append(records_read.refuse(line, error.reason, str(error), name))
        else:
            seen[row["id"]] = line
            good.append((line, row))
    return good, sorted(refused), records_read.notes


class _BadRowError(Exception):
    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def _check(row: dict[str, str], seen: dict[str, int]) -> None:
    name = row["id"]
    if not name:
        raise _BadRowError("missing-id", "there is no id")
    if not accounts.is_customer_id(name):
        raise _BadRowError("bad-id", f"{name!r} cannot be an id: letters, digits, _ . @ + and -")
    if name in seen:
        raise _BadRowError("twice", f"{name} is on line {seen[name]} already")
    if not row["name"]:
        raise _BadRowError("missing-name", f"{name} has no name")
    if row.get("opened"):
        try:
            read_day(row["opened"])
        except ValueError as error:
            raise _BadRowError("bad-date", f"opened: {error}") from None
