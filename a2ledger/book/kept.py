"""Values computed from files of a book, each good as long as the disk says the same of its file.

They are kept as Arrow in ``.a2ledger/``, by size, modification time and inode of the files, and may
be deleted at any time: what is not there, or cannot be read, is computed again. Small books keep
none: to compute all takes no time to speak of.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from a2ledger.book import disk
from a2ledger.book.transaction import STATE

LEAST = 500
"""Files from which on values are kept."""
_SPARE = 32
"""Share of the files, as a divisor, whose values may be computed again before all are written."""
_SEEN = ("size", "mtime_ns", "inode")


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
        self.rows: dict[str, tuple[Any, ...]] = {} if self.is_small else self._read()

    def missing(self) -> list[str]:
        """Return the keys of files whose values are to be computed."""
        return sorted(self._seen.keys() - self.rows.keys())

    def _read(self) -> dict[str, tuple[Any, ...]]:
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        try:
            with pa.memory_map(str(self._file)) as source, pa.ipc.open_file(source) as reader:
                if reader.schema.metadata[b"known-by"].decode() != self._known_by:
                    return {}
                columns = reader.read_all().to_pydict()
            seen = zip(*(columns[name] for name in _SEEN), strict=True)
            rows = zip(*(columns[name] for name in self._columns), strict=True)
            kept = zip(columns["key"], seen, rows, strict=True)
            return {key: row for key, was, row in kept if self._seen.get(key) == was}
        except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
            return {}

    def keep(self, rows: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
        """Take values that were computed, and write all if enough of them are new."""
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        new = {key: row for key, row in rows if key in self._seen}
        self.rows |= new
        if self.is_small or len(new) * _SPARE < len(self._seen):
            return
        keys = sorted(self.rows)
        whole = [(key, *self._seen[key], *self.rows[key]) for key in keys]
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
