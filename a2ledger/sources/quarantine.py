"""The quarantine: refused rows with file, line, reason and text, one per identity.

``quarantine/rows.csv`` is not in git: it holds what callers' switches wrote. A row leaves it
when the same row is posted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from a2ledger.errors import ExpectedError
from a2ledger.sources.batch import CALL, RAW_SHOWN, Refused

PATH = "quarantine/rows.csv"
_HEADER = (
    "source",
    "identity",
    "file",
    "line",
    "reason",
    "message",
    "raw",
    "head",
    "day",
    "customer",
)
_CUT = 4096
"""Characters that an older version kept of a row."""


class BrokenQuarantineError(ExpectedError):
    """The quarantine's file cannot be read."""


class Quarantine(NamedTuple):
    """Refused rows by (source, identity)."""

    rows: dict[tuple[str, str], Refused]

    def updated(
        self, source: str, refused: Iterable[Refused], posted: Iterable[str]
    ) -> tuple[Quarantine, int]:
        """Return the quarantine after a run, and the number of new rows in it.

        A call that lost a conflict keeps the place where it was read first: it may stand in
        many files, and which of them was read last says nothing.

        Args:
            source: the run's source.
            refused: rows the run refused.
            posted: identities the run posted or knew.
        """
        rows = dict(self.rows)
        new = 0
        seen: set[tuple[str, str]] = set()
        for row in refused:
            key = (source, row.identity)
            if key in seen:
                continue
            seen.add(key)
            new += key not in rows
            if not _is_known(row, rows.get(key)):
                rows[key] = row
        kept = {row.identity for row in refused}
        for identity in posted:
            if identity not in kept:
                rows.pop((source, identity), None)
        return Quarantine(rows), new


def _is_known(row: Refused, held: Refused | None) -> bool:
    """Return whether the same call is quarantined for the same reason, wherever it was read."""
    return held is not None and held.head == CALL and held[2:7] == row[2:7]


def is_whole(row: Refused) -> bool:
    """Return whether a row's text was kept whole, so that it can be read again."""
    return bool(row.raw) and len(row.raw) < RAW_SHOWN and len(row.raw) != _CUT


def parse(text: str) -> Quarantine:
    """Parse the quarantine's file, however long the rows in it are."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        return _parsed(text)
    finally:
        csv.field_size_limit(limit)  # it holds for all that the program reads


def _parsed(text: str) -> Quarantine:
    rows = {}
    for row in csv.DictReader(io.StringIO(text, newline="")):
        rows[row["source"], row["identity"]] = Refused(
            row["file"],
            int(row["line"]),
            row["reason"],
            row["message"],
            row["raw"],
            row["identity"],
            row.get("head") or "",
            row.get("day") or "",
            row.get("customer") or "",
        )
    return Quarantine(rows)


def written(quarantine: Quarantine) -> bytes:
    """Return the content of the quarantine's file, by source, file and line."""
    content = io.BytesIO()
    line = io.StringIO(newline="")
    # csv quotes a carriage return only if the line terminator contains one.
    writer = csv.writer(line, lineterminator="\r\n")

    def write(values: Iterable[object]) -> None:
        line.seek(0)
        line.truncate()
        writer.writerow(values)
        text = line.getvalue().removesuffix("\r\n")
        content.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    write(_HEADER)
    for key in sorted(quarantine.rows, key=partial(_order, quarantine.rows)):
        row = quarantine.rows[key]
        details = (row.reason, row.message, row.raw, row.head, row.day, row.customer)
        write([*key, *row[:2], *details])
    return content.getvalue()


def _order(rows: Mapping[tuple[str, str], Refused], key: tuple[str, str]) -> tuple[object, ...]:
    source, identity = key
    return source, rows[key].file, rows[key].line, identity


def read(root: Path) -> Quarantine:
    """Read the quarantine of a book."""
    try:
        return parse((root / PATH).read_bytes().decode("utf-8", errors="surrogateescape"))
    except FileNotFoundError:
        return Quarantine({})
    except (KeyError, TypeError, ValueError):
        raise BrokenQuarantineError(
            f"{root / PATH}: is not as a2ledger wrote it",
            todo="move it away, then import what was refused again, with --all",
        ) from None
