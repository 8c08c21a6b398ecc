"""Read A2Billing's tables, from its database or from a directory of CSV exports.

Values are normalised here: NULL and zero dates become empty text, and UTF-8 that was stored in a
Latin-1 table is repaired. A missing table or column is empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from a2ledger.a2billing.tables import Found, Row
from a2ledger.sources import text
from a2ledger.sources.address import Address
from a2ledger.sources.asterisk_db import as_csv, readable
from a2ledger.sources.database import Database

NULLS = ("NULL", "\\N")
"""Spellings of NULL in exports."""

_ZERO = "0000-00-00"
_SINGLES = {
    "cc_card": ("vat",),
    "cc_charge": ("amount",),
    "cc_did": ("fixrate",),
    "cc_ratecard": ("stepchargec", "chargec"),
    "cc_subscription_service": ("fee",),
    "cc_voucher": ("credit",),
}
"""Columns stored as single-precision floats, by table."""


class Files:
    """CSV exports in a directory, one per table, each with a header."""

    def __init__(self, directory: Path, encoding: str = "utf-8") -> None:
        self.directory, self.encoding = directory, encoding

    def rows(self, table: str, columns: Iterable[str]) -> Found:
        """Read the rows of a table; see :class:`a2ledger.a2billing.tables.Tables`.

        Raises:
            UnusableInput: if the file cannot be read, or lacks ``id`` where that is asked for.
        """
        file = path(self.directory, table)
        if file is None:
            return Found([], [])
        names = tuple(columns)
        header = text.Header(names[:1], names, loose=names[1:])
        parsed = text.records(file, header, encoding=self.encoding)
        if any(row.reason == "encoding" for row in parsed.refused):
            parsed = text.records(file, header, encoding="latin-1")
        return Found(
            [
                Row(table, str(file), line, _plain(row, names), parsed.text(line))
                for line, row in parsed.rows
            ],
            parsed.refused,
        )


class Server:
    """A2Billing's database, open for reading."""

    def __init__(self, address: Address, base: Database) -> None:
        self.address, self.base = address, base

    def rows(self, table: str, columns: Iterable[str]) -> Found:
        """Read the rows of a table; see :class:`a2ledger.a2billing.tables.Tables`.

        Raises:
            UnusableInput: if the database cannot be read.
        """
        names = tuple(columns)
        if not self.base.has(table):
            return Found([], [])
        present = {name.lower() for name in self.base.columns(table)}
        asked = [name for name in names if name in present]
        table_rows: list[Row] = []
        for rows in self.base.rows(table, asked, singles=_SINGLES.get(table, ())):
            for values in rows:
                row = dict(zip(asked, (readable(value) or "" for value in values), strict=True))
                raw = as_csv(list(row.values()))
                table_rows.append(
                    Row(table, str(self.address), len(table_rows) + 1, _plain(row, names), raw)
                )
        return Found(table_rows, [])


def path(directory: Path, table: str) -> Path | None:
    """Return the path of a table's export in a directory, if there is one."""
    file = directory / f"{table}.csv"
    return file if file.is_file() else None


def _plain(row: dict[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: _value(row.get(name, "")) for name in names}


def _value(written: str) -> str:
    value = written.strip()
    if value in NULLS or value.startswith(_ZERO):
        return ""
    return value if value.isascii() else _mended(value)


def _mended(value: str) -> str:
    """Repair UTF-8 that was stored in a Latin-1 table, or return other texts unchanged."""
    try:
        return value.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return value
