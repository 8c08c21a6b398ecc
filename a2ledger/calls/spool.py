"""Store rows by day while a large input is read, in memory and then on disk."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Spool:
    """Tables of one schema by day. Rows beyond ``limit`` are written to files.

    The directory's files are the spool's alone; they are gone when it is closed, and a run
    that was killed leaves them to the next writer to remove.
    """

    def __init__(self, directory: Path, schema: pa.Schema, limit: int = 1_000_000) -> None:
        self._directory, self._schema, self._limit = directory, schema, limit
        self._memory: dict[dt.date, list[pa.Table]] = {}
        self._rows = 0
        self._writers: dict[dt.date, tuple[Any, Any]] = {}
        self._taken: dict[dt.date, pa.Table] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writer, file in self._writers.values():
            writer.close()
            file.close()
        for path in self._directory.glob("*.arrow"):
            path.unlink()

    def add(self, rows: pa.Table, day: pa.ChunkedArray) -> None:
        """Store rows, each under its day (date32)."""
        for date in pc.unique(day).to_pylist():
            places = np.flatnonzero(pc.equal(day, pa.scalar(date, pa.date32())))
            span = rows.slice(places[0], places[-1] + 1 - places[0])
            # Mostly the calls of a day follow one another: then nothing need be copied.
            part = span if len(span) == len(places) else rows.take(pa.array(places))
            self._memory.setdefault(date, []).append(part)
        self._rows += len(rows)
        if self._rows > self._limit:
            self._spill()

    def _spill(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        for day, tables in self._memory.items():
            if day not in self._writers:
                file = pa.OSFile(str(self._path(day)), "wb")
                self._writers[day] = (pa.ipc.new_stream(file, self._schema), file)
            self._writers[day][0].write_table(pa.concat_tables(tables))
        self._memory, self._rows = {}, 0

    def _path(self, day: dt.date) -> Path:
        return self._directory / f"{day}.arrow"

    def days(self) -> list[dt.date]:
        """Return the days that have rows, sorted."""
        return sorted({*self._memory, *self._writers})

    def look(self, day: dt.date) -> pa.Table:
        """Return the rows of a day, and keep them."""
        if day not in self._taken:
            self._taken[day] = self._read(day)
        return self._taken[day]

    def take(self, day: dt.date) -> pa.Table:
        """Return the rows of a day, and remove them."""
        rows = self.look(day)
        del self._taken[day]
        self._memory.pop(day, None)
        return rows

    def _read(self, day: dt.date) -> pa.Table:
        tables = list(self._memory.get(day, ()))
        if day in self._writers:
            writer, file = self._writers.pop(day)
            writer.close()
            file.close()
            with pa.OSFile(str(self._path(day))) as source:
                tables.append(pa.ipc.open_stream(source).read_all())
        if not tables:
            return self._schema.empty_table()
        return pa.concat_tables(tables).combine_chunks()  # taking from chunks joins them each time
