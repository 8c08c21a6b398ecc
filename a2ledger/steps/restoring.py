"""Rows from the quarantine, read again from the text that was kept of them."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import clock, sources
from a2ledger.config import Source
from a2ledger.feed import CALL, FIELDS, Batch, Origin, Refused, UnusableInput, constant

_TEXTS = ("called", "caller", "switch", "uid", "seq", "service", "identifier", "tariff", "halves")


def batches(rows: Sequence[Refused], source: Source) -> Iterator[Batch]:
    """Rows of files and tables as their dialect reads them; each stands where it stood.

    What cannot be read again stays refused as it was.
    """
    with tempfile.TemporaryDirectory(prefix="a2ledger-") as directory:
        for row in rows:
            yield _batch(row, Path(directory) / (Path(row.file).name or "row"), source)


def _batch(row: Refused, path: Path, source: Source) -> Batch:
    """A row as a batch of its own: of what its dialect reads, what begins after its head."""
    before = f"{row.head}\n" if row.head else ""
    text = f"{before}{row.raw}\n".encode(source.encoding, "surrogateescape")
    path.write_bytes(text)
    own = pa.scalar(before.count("\n") + 1)
    try:
        read = list(sources.dialect(source.dialect)(path, source))
    except UnusableInput:
        read = []
    found = [batch.rows.filter(pc.greater_equal(batch.rows["line"], own)) for batch in read]
    refused = [one for batch in read for one in batch.refused if one.line >= own.as_py()]
    table = pa.concat_tables(found).combine_chunks() if found else _NONE
    lines = pa.array(np.full(len(table), row.line))
    table = table.set_column(table.column_names.index("line"), "line", lines)
    if not len(table):
        refused = [row._replace(reason=one.reason, message=one.message) for one in refused[:1]] or [
            row
        ]
    return Batch(row.file, table, refused, lambda _: row.raw, head=row.head)


_NONE = pa.table(
    {name: constant("", 0) for name in FIELDS}
    | {"line": pa.array([], pa.int64()), "answered": pa.array([], pa.bool_())}
)


def calls(
    rows: Sequence[Refused], customers: Sequence[str], zone: str
) -> tuple[pa.Table, list[Refused]]:
    """Rows that were calls already, as :class:`a2ledger.cdr.Normalised` has them.

    Args:
        rows: whose text is a call in JSON; ``line`` is then a row's place among them, from 1.
        customers: ids, by their places in the directory.
        zone: the book's.

    Returns:
        The calls, and the rows that are none, or whose customer there is not.
    """
    places = {name: place for place, name in enumerate(customers)}
    found: list[dict[str, Any]] = []
    left = []
    for number, row in enumerate(rows, start=1):
        try:
            call = json.loads(row.raw)
            start = int(dt.datetime.fromisoformat(call["start"]).timestamp())
            found.append(
                {name: str(call[name]) for name in _TEXTS}
                | {"customer": places[call["customer"]], "seconds": int(call["seconds"])}
                | {"given_micro": call.get("given_micro"), "start": start, "line": number}
            )
        except (KeyError, TypeError, ValueError):
            left.append(row)
    starts = np.array([call["start"] for call in found], np.int64)
    naive = clock.to_naive(starts, zone)
    columns = {name: pa.array([call[name] for call in found], pa.string()) for name in _TEXTS}
    table = pa.table(
        columns
        | {
            name: pa.array([call[name] for call in found], pa.int64())
            for name in ("seconds", "given_micro", "line")
        }
        | {
            "customer": pa.array([call["customer"] for call in found], pa.int32()),
            "free": pa.array([False] * len(found), pa.bool_()),
            "start": pa.array(starts).cast(pa.timestamp("s", "UTC")),
            "local": pa.array(naive).cast(pa.timestamp("s")),
            "day": pa.array((naive // clock.DAY).astype(np.int32)).cast(pa.date32()),
        }
    )
    return table, left


def batch_of_calls(rows: Sequence[Refused], found: pa.Table) -> Batch:
    """What says of :func:`calls` where they stood, and what their text was."""
    origin = Origin(
        pa.array([row.file for row in rows], pa.string()),
        pa.array([row.line for row in rows], pa.int64()),
    )
    return Batch("", found, [], lambda line: rows[line - 1].raw, origin=origin, head=CALL)
