"""Read Asterisk's ``cdr`` table, of any width: MariaDB, MySQL, PostgreSQL, SQLite.

Columns are found by name: the 16 of ``cdr_odbc`` and its kin, FreePBX's 26, the 21 of Asterisk's
own schema; one that is not there is empty. (Source: Asterisk,
``contrib/ast-db-manage/cdr``; FreePBX, ``asteriskcdrdb.cdr``.)
"""

from __future__ import annotations

import csv
import io
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.source_config import Source
from a2ledger.sources import asterisk, database, directions, text
from a2ledger.sources.address import Address
from a2ledger.sources.batch import ALWAYS, FIELDS, Batch, Span, constant

RULES = asterisk.RULES

_NAMES = {
    "start": ("calldate", "start", "starttime", "datetime"),
    "seconds": ("billsec", "billable"),
    "context": ("dcontext",),
    "application": ("lastapp",),
    "did": ("did", "didnumber"),
    "peeraccount": ("peeraccount", "payaccount"),
    "direction": ("calltype", "direction"),
    "answer": ("answer", "answertime"),
    "end": ("end", "endtime"),
}
"""Possible names of a field in a table. A field not listed has its own name."""
_COLUMNS = (*FIELDS, "disposition")
_NEEDED = ("start", "seconds", "disposition", "dst")
_SQLITE = b"SQLite format 3\0"


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a table from a file: an SQLite database, or a CSV with this module's fields."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) == _SQLITE:
            yield from query(Address("sqlite", "", f"/{path.resolve()}", "", "cdr"), source)
            return
    for piece in text.read(path, text.Header(_NEEDED, _COLUMNS, loose=("userfield",))):
        table = piece.table
        for name in _COLUMNS:
            if name not in table.column_names:
                table = table.append_column(name, constant("", len(table)))
        yield Batch(
            str(path),
            _rows(table, source.answered),
            piece.refused,
            piece.raw,
            piece.notes,
            piece.place,
        )


def query(address: Address, source: Source, span: Span = ALWAYS) -> Iterator[Batch]:
    """Yield a table's rows that start within a span, in at least one batch.

    A row's line is its turn in this reading; what finds it again is its uniqueid.

    Raises:
        UnusableInput: if the database cannot be read or the table lacks a column.
    """
    with database.reading(address, source.timezone) as base:
        column_of = _found(address, base.columns(address.table))
        zone = zoneinfo.ZoneInfo(source.timezone)
        since, until = (moment and moment.astimezone(zone).replace(tzinfo=None) for moment in span)
        line = 1
        for rows in base.rows(
            address.table, list(column_of.values()), column_of["start"], since, until
        ):
            yield _batch(address, source, tuple(column_of), rows, line)
            line += len(rows)
    if line == 1:
        yield _batch(address, source, tuple(column_of), [], line)


def _found(address: Address, columns: Sequence[str]) -> dict[str, str]:
    """Return the table's column for each field it has."""
    by_lower = {name.lower(): name for name in reversed(columns)}
    column_of = {}
    for name in _COLUMNS:
        for other in _NAMES.get(name, (name,)):
            if other in by_lower:
                column_of[name] = by_lower[other]
                break
    if missing := [_NAMES.get(name, (name,))[0] for name in _NEEDED if name not in column_of]:
        raise address.unusable(
            f"there is no column {', '.join(missing)}", "name the table of call records"
        )
    return column_of


def _batch(
    address: Address,
    source: Source,
    names: tuple[str, ...],
    rows: Sequence[Sequence[str | None]],
    first: int,
) -> Batch:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    given = {
        name: pc.fill_null(pa.array(map(readable, column), pa.string()), "")
        for name, column in zip(names, columns, strict=True)
    }
    table = pa.table({name: given.get(name, constant("", len(rows))) for name in _COLUMNS})
    lines = pa.array(range(first, first + len(rows)), pa.int64())
    table = table.append_column("line", lines)
    read = _rows(table, source.answered)
    return Batch(str(address), read, [], _raw(rows, first), head=as_csv(names))


def readable(value: str | None) -> str | None:
    """Return a value with bytes that are not UTF-8 escaped."""
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _rows(table: pa.Table, answered: Iterable[str]) -> pa.Table:
    """Return the fields of a batch from a table's columns of text."""
    table = asterisk.plain(table)
    fields = {name: table[name] for name in FIELDS}
    fields["direction"] = directions.read(fields["direction"])
    return pa.table(fields | {"line": table["line"]} | asterisk.judged(table, answered))


def _raw(rows: Sequence[Sequence[str | None]], first: int) -> Callable[[int], str]:
    return lambda line: as_csv([value or "" for value in rows[line - first]])


def as_csv(values: Sequence[str]) -> str:
    """Return a row of CSV without its line end."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(values)
    return out.getvalue()
