"""Read files of ``mod_json_cdr`` and ``mod_xml_cdr``: one document each, of one leg.

JSON documents may also stand one a line, as they do once such files have been put together.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import pyarrow as pa

from a2ledger.sources.batch import (
    FIELDS,
    RAW_SHOWN,
    Batch,
    Place,
    Refused,
    UnusableInput,
    constant,
    named_by_text,
)
from a2ledger.sources.freeswitch import legs as freeswitch_legs
from a2ledger.sources.freeswitch.legs import LARGEST, BadDocumentError, Leg
from a2ledger.sources.text.lines import BOM, Lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.book.source_config import Source

NAME = re.compile(r"(?:a_)?([^.]+)\.cdr\.(?:json|xml)(?:\.gz)?", re.DOTALL)
"""Names of files with a document. The group is the leg's uuid."""

_GZIP = b"\x1f\x8b"
_NOTHING, _NO, _YES = constant("", 1), pa.array([False]), pa.array([True])


def head(path: Path) -> bytes:
    """Read the beginning of a file, unpacked, up to one byte more than a document may have.

    Raises:
        UnusableInput: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise UnusableInput(
            f"{path}:1: {problem}", undone="nothing was read from it", todo="check the path"
        ) from None
    return (_unpacked(data) if data.startswith(_GZIP) else data).removeprefix(BOM)


def _unpacked(data: bytes) -> bytes:
    """Unpack gzip data, up to one byte more than a document may have."""
    unpacked = b""
    while data.startswith(_GZIP) and len(unpacked) <= LARGEST:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            unpacked += unpacker.decompress(data, LARGEST + 1 - len(unpacked))
        except zlib.error:
            break
        data = unpacker.unused_data
    return unpacked


def read(path: Path, data: bytes, source: Source, place: Place) -> Iterator[Batch]:
    """Read a file of one document, or of one document per line.

    Args:
        path: the file.
        data: its :func:`head`.
        source: whose switch stands in the identity of a document that is refused.
        place: where an earlier reading ended, where documents stand one a line.
    """
    first, _, rest = data.partition(b"\n")
    if rest.strip() and first.startswith(b"{") and first.rstrip().endswith(b"}"):
        yield from _lines(path, source, place)
        return
    reader = _Reader(path, source)
    reader.add(data, 1)
    yield reader.batch(Place(path.stat().st_size))


def _lines(path: Path, source: Source, place: Place) -> Iterator[Batch]:
    lines = Lines(path, begin=place)
    for block in lines:
        reader = _Reader(path, source)
        for number, line in enumerate(block.text.removeprefix(BOM).split(b"\n"), block.line):
            if line.strip():
                reader.add(line, number)
        notes: tuple[str, ...] = ()
        if block.tail.strip():
            number = block.line + block.text.count(b"\n")
            notes = (f"{path}:{number}: what begins here is not complete yet and was left unread",)
        yield reader.batch(lines.place(block, len(block.text)), notes)


class _Reader:
    """A collector of a file's legs. Documents without a leg are refused one by one."""

    def __init__(self, path: Path, source: Source) -> None:
        self._path, self._switch = path, source.switch
        name = NAME.fullmatch(path.name)
        self._uuid = name[1] if name else ""
        self._legs: list[Leg] = []
        self._refused: list[Refused] = []
        self._raw: dict[int, bytes] = {}
        self._lines: list[int] = []

    def add(self, data: bytes, line: int) -> None:
        """Read a document."""
        self._raw[line] = data
        try:
            leg = freeswitch_legs.read(data)
        except BadDocumentError as error:
            self._refuse(line, error)
            return
        self._legs.append(leg)
        self._lines.append(line)

    def _refuse(self, line: int, error: BadDocumentError) -> None:
        """Refuse a document under its leg's id, so that it is known again once it is complete."""
        raw = self.raw(line)
        identity = f"{self._switch}/{self._uuid}" if self._uuid else named_by_text(raw)
        self._refused.append(
            Refused(str(self._path), line, error.reason, str(error), raw[:RAW_SHOWN], identity)
        )

    def raw(self, line: int) -> str:
        """Return a document's text for display."""
        return self._raw[line].decode("utf-8", "backslashreplace")

    def batch(self, place: Place, notes: tuple[str, ...] = ()) -> Batch:
        """Return all legs read so far."""
        if len(self._legs) == 1:
            rows = _row(self._legs[0], self._lines[0])
        else:
            rows = _rows(self._legs, self._lines)
        return Batch(str(self._path), rows, self._refused, self.raw, notes, place)


def _rows(legs: list[Leg], lines: list[int]) -> pa.Table:
    columns = {
        name: pa.array([leg.fields.get(name, "") for leg in legs], pa.string()) for name in FIELDS
    }
    return pa.table(
        columns
        | {"line": pa.array(lines, pa.int64())}
        | {"answered": pa.array([leg.answered for leg in legs], pa.bool_())}
        | {"never": pa.array(["b-leg" if leg.made else "" for leg in legs], pa.string())}
    )


def _row(leg: Leg, line: int) -> pa.Table:
    """Return a table of one row, built directly because most files are one leg."""
    columns = {
        name: pa.array([value]) if (value := leg.fields.get(name)) else _NOTHING for name in FIELDS
    }
    never = pa.array(["b-leg"]) if leg.made else _NOTHING
    more = {"line": pa.array([line]), "answered": _YES if leg.answered else _NO, "never": never}
    return pa.table(columns | more)
