"""Values computed from files of a book, each good as long as the disk says the same of its file.

They are kept as Arrow in ``.a2ledger/``, by size, modification time and inode of the files, and may
be deleted at any time: what is not there, or cannot be read, is computed again. Small books keep
none: to compute all takes no time to speak of.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a2ledger.book import disk
from a2ledger.book.transaction import STATE

if TYPE_CHECKING:
    import pyarrow as pa

LEAST = 500
"""Files from which on values are kept."""
_SPARE = 32
"""Share of the files, as a divisor, whose values may be computed again before all are written."""
_SEEN = ("size", "mtime_ns", "inode")


class Rows(Mapping[str, "tuple[Any, ...]"]):
    """Values by the key of the file they were computed from; read where they are asked for."""

    def __init__(
        self, columns: Sequence[str], places: Mapping[str, int], read: Sequence[pa.ChunkedArray]
    ) -> None:
        """Take what was read: the place of each key in every column."""
        self._columns, self._places, self._read = columns, places, read
        self._put: dict[str, tuple[Any, ...]] = {}

    def __getitem__(self, key: str) -> tuple[Any, ...]:
        if key in self._put:
            return self._put[key]
        place = self._places[key]
        return tuple(column[place].as_py() for column in self._read)

    def __iter__(self) -> Iterator[str]:
        yield from self._places
        yield from self._put.keys() - self._places.keys()

    def __len__(self) -> int:
        return len(self._places.keys() | self._put.keys())

    def __contains__(self, key: object) -> bool:
        return key in self._places or key in self._put

    def value(self, key: str, column: str) -> Any:
        """Return one value of a row; None if there is no such row."""
        number = self._columns.index(column)
        if key in self._put:
            return self._put[key][number]
        return self._read[number][self._places[key]].as_py() if key in self._places else None

    def put(self, rows: Mapping[str, tuple[Any, ...]]) -> None:
        """Take rows in place of those that were read."""
        self._put |= rows

    def of(self, columns: Sequence[str]) -> dict[str, tuple[Any, ...]]:
        """Return some values of every row by key, read at once."""
        numbers = [self._columns.index(name) for name in columns]
        read = [self._read[number].to_pylist() for number in numbers] if self._places else []
        whole = list(zip(*read, strict=True))
        values = {key: whole[place] for key, place in self._places.items()}
        return values | {
            key: tuple(row[number] for number in numbers) for key, row in self._put.items()
        }


class Kept:
    """The values of a book's files of one kind.

    Attributes:
        rows: values in the order of ``columns``, by the key of the file they were computed from.
    """

    def __init__(
        self, root: Path, name: str, known_by: str, columns: Sequence[str], files: Mapping[str, str]
    ) -> None:
        """Read what is kept.

        Args:
            root: of the book.
            name: of the kind of values.
            known_by: what else the values depend on; others are not used.
            columns: names of the values of a file.
            files: paths of the files in the book, by key.
        """
        self._file = root / STATE / f"{name}.arrow"
        self._known_by, self._columns = known_by, tuple(columns)
        self.is_small = len(files) < LEAST
        self._seen = {} if self.is_small else _seen(root, files)
        self.rows = Rows(self._columns, {}, []) if self.is_small else self._read()

    def missing(self) -> list[str]:
        """Return the keys of files whose values are to be computed."""
        return sorted(self._seen.keys() - self.rows.keys())

    def _read(self) -> Rows:
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        try:
            with pa.memory_map(str(self._file)) as source, pa.ipc.open_file(source) as reader:
                if reader.schema.metadata[b"known-by"].decode() != self._known_by:
                    return Rows(self._columns, {}, [])
                table = reader.read_all()
            seen = zip(*(table[name].to_pylist() for name in _SEEN), strict=True)
            known = zip(table["key"].to_pylist(), seen, strict=True)
            places = {
                key: place for place, (key, was) in enumerate(known) if self._seen.get(key) == was
            }
            return Rows(self._columns, places, [table[name] for name in self._columns])
        except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
            return Rows(self._columns, {}, [])

    def keep(self, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
        """Take values that were computed, and write all if enough of them are new."""
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        new = {key: row for key, row in rows if key in self._seen}
        self.rows.put(new)
        if self.is_small or len(new) * _SPARE < len(self._seen):
            return
        every = self.rows.of(self._columns)
        keys = sorted(every)
        whole = [(key, *self._seen[key], *every[key]) for key in keys]
        names = ("key", *_SEEN, *self._columns)
        columns = dict(zip(names, map(list, zip(*whole, strict=True)), strict=True))
        table = pa.table(columns).replace_schema_metadata({"known-by": self._known_by})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        # What a killed run leaves in the spool goes with the next one that writes.
        temporary = self._file.parent / "spool" / f"{self._file.stem}.{os.getpid()}"
        try:
            temporary.parent.mkdir(exist_ok=True)
            disk.write(temporary, bytes(sink.getvalue()))
            temporary.replace(self._file)
        except OSError:  # a full or read-only disk: the next run computes them again
            with contextlib.suppress(OSError):
                temporary.unlink()


def _seen(root: Path, files: Mapping[str, str]) -> dict[str, tuple[int, int, int]]:
    """Return size, modification time and inode of each file that is there, by key."""
    seen, top = {}, str(root)
    for key, path in files.items():
        try:
            about = os.stat(f"{top}/{path}")  # noqa: PTH116 - of thousands of files
        except OSError:
            continue
        seen[key] = about.st_size, about.st_mtime_ns, about.st_ino
    return seen
