"""Read rows of the quarantine again from the text that was kept."""

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

from a2ledger import sources, times
from a2ledger.book.source_config import Source
from a2ledger.sources.batch import CALL, FIELDS, Batch, Origin, Refused, UnusableInput, constant

_TEXTS = ("called", "caller", "switch", "uid", "seq", "service", "identifier", "tariff", "halves")
_LATER = ("direction", "leg", "extension")
"""Keys of calls that only newer versions have written."""


def batches(rows: Sequence[Refused], source: Source) -> Iterator[Batch]:
    """Yield the rows of files and tables as their dialect reads them, with their old places.

    Rows of one file are read together, where that gives every one of them; else each by itself.
    What cannot be read again stays refused as it was.
    """
    groups: dict[tuple[str, str], list[Refused]] = {}
    for row in rows:
        groups.setdefault((row.file, row.head), []).append(row)
    with tempfile.TemporaryDirectory(prefix="a2ledger-") as directory:
        for (file, _), group in groups.items():
            path = Path(directory) / (Path(file).name or "row")
            together = _read(group, path, source)
            if together is not None:
                yield together
                continue
            for row in group:
                yield _read([row], path, source) or Batch(file, _NONE, [row], lambda _: "")


def _read(group: Sequence[Refused], path: Path, source: Source) -> Batch | None:
    """Read rows of one file into a batch, or None unless exactly these rows were read."""
    text = f"{group[0].head}\n" if group[0].head else ""
    places: dict[int, int] = {}
    count = text.count("\n")
    for place, row in enumerate(group, start=1):
        places[count + 1] = place
        count += row.raw.count("\n") + 1
    text += "".join(f"{row.raw}\n" for row in group)
    path.write_bytes(text.encode(source.encoding, "surrogateescape"))
    first = pa.scalar(min(places))
    try:
        read = list(sources.dialect(source.dialect)(path, source))
    except UnusableInput:
        return None
    tables = [part.rows.filter(pc.greater_equal(part.rows["line"], first)) for part in read]
    table = pa.concat_tables(tables).combine_chunks()
    lines = table["line"].to_pylist()
    refused = [part for batch in read for part in batch.refused if part.line >= first.as_py()]
    if sorted([*lines, *(part.line for part in refused)]) != sorted(places):
        return None
    numbers = pa.array([places[line] for line in lines], pa.int64())
    still = [
        group[places[part.line] - 1]._replace(reason=part.reason, message=part.message)
        for part in refused
    ]
    return Batch(
        group[0].file,
        table.set_column(table.column_names.index("line"), "line", numbers),
        still,
        lambda number: group[number - 1].raw,
        origin=_origin(group),
        head=group[0].head,
    )


def _origin(rows: Sequence[Refused]) -> Origin:
    return Origin(
        pa.array([row.file for row in rows], pa.string()),
        pa.array([row.line for row in rows], pa.int64()),
    )


_NONE = pa.table(
    {name: constant("", 0) for name in FIELDS}
    | {"line": pa.array([], pa.int64()), "answered": pa.array([], pa.bool_())}
)


def calls(
    rows: Sequence[Refused], customers: Sequence[str], zone: str
) -> tuple[pa.Table, list[Refused]]:
    """Parse refused calls, in the form of :class:`a2ledger.calls.normalise.Normalised`.

    Args:
        rows: whose text is a call in JSON; ``line`` is then a row's place among them, from 1.
        customers: ids, by their places in the directory.
        zone: the book's.

    Returns:
        The calls, and the rows that are none, or whose customer there is not.
    """
    places = {name: place for place, name in enumerate(customers)}
    parsed: list[dict[str, Any]] = []
    unusable = []
    for number, row in enumerate(rows, start=1):
        try:
            call = json.loads(row.raw)
            start = int(dt.datetime.fromisoformat(call["start"]).timestamp())
            parsed.append(
                {name: str(call[name]) for name in _TEXTS}
                | {name: str(call.get(name, "")) for name in _LATER}
                | {"customer": places[call["customer"]], "seconds": int(call["seconds"])}
                | {"given_micro": call.get("given_micro"), "start": start, "line": number}
            )
        except (KeyError, TypeError, ValueError):
            unusable.append(row)
    starts = np.array([call["start"] for call in parsed], np.int64)
    naive = times.to_naive(starts, zone)
    columns = {
        name: pa.array([call[name] for call in parsed], pa.string()) for name in (*_TEXTS, *_LATER)
    }
    table = pa.table(
        columns
        | {
            name: pa.array([call[name] for call in parsed], pa.int64())
            for name in ("seconds", "given_micro", "line")
        }
        | {
            "customer": pa.array([call["customer"] for call in parsed], pa.int32()),
            "free": pa.array([False] * len(parsed), pa.bool_()),
            "start": pa.array(starts).cast(pa.timestamp("s", "UTC")),
            "local": pa.array(naive).cast(pa.timestamp("s")),
            "day": pa.array((naive // times.DAY).astype(np.int32)).cast(pa.date32()),
        }
    )
    return table, unusable


def batch_of_calls(rows: Sequence[Refused], table: pa.Table) -> Batch:
    """Wrap :func:`calls` in a batch, so that errors cite the original file, line and text."""
    return Batch("", table, [], lambda n: rows[n - 1].raw, origin=_origin(rows), head=CALL)
