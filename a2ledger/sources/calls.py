"""Calls as a CSV: the neutral shape, or any other whose columns a source names.

The neutral header is ``id,customer,start,called,seconds``, in any order; ``caller``, ``cost``
and ``answered`` may be there too, ``id`` need not. Other columns are ignored, and noted. Where
nothing says which rows were answered, all were.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.source_config import Rule, Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.sources import answered, directions, forms, text
from a2ledger.sources.batch import FIELDS, INCOMING, INTERNAL, Batch, constant
from a2ledger.sources.text import rows
from a2ledger.sources.text.lines import BLOCK, Lines
from a2ledger.sources.text.rows import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = (
    Rule(direction=INTERNAL, identify=("accountcode",), free=True),
    Rule(
        direction=INCOMING,
        identify=("accountcode", "dst"),
        service="DIDs",
        tariff="inbound",
    ),
    Rule(identify=("accountcode",)),
)

_COLUMNS = {
    "id": "uniqueid",
    "customer": "accountcode",
    "start": "start",
    "called": "dst",
    "seconds": "seconds",
    "caller": "src",
    "cost": "cost",
    "answered": "answered",
    "direction": "direction",
}
COLUMNS = tuple(_COLUMNS)
"""What a column may be."""

_REQUIRED = ("customer", "start", "called", "seconds")
_SEPARATORS = f"{text.SEPARATORS}|"
_NO_ID = "there is no column id: a call is known by what it says, and two that are alike are one"


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a file of calls; see :data:`a2ledger.sources.Dialect`.

    Raises:
        ConfigError: if the source's ``columns`` name what is no column of a call.
    """
    if unknown := sorted(set(dict(source.mapping)) - set(COLUMNS)):
        raise ConfigError(
            f"a2ledger.toml: sources.{source.name}.columns: {', '.join(unknown)}: no column of a "
            f"call; nothing was imported; there is {', '.join(COLUMNS)}"
        )
    shape = _shape(path, source)

    def pieces(size: int) -> Iterator[text.Piece]:
        return text.read(path, shape, encoding=source.encoding, size=size)

    form = source.time_format or forms.recognised(path, source.name, _starts(pieces))
    for piece in pieces(BLOCK):
        yield Batch(
            str(path),
            _rows(piece.table, form, source),
            piece.refused,
            piece.raw,
            piece.notes,
            piece.place,
        )


def _starts(pieces: Callable[[int], Iterator[text.Piece]]) -> Iterator[pa.StringArray]:
    for piece in pieces(1 << 18):
        yield piece.table["start"].combine_chunks()


def _rows(table: pa.Table, form: str, source: Source) -> pa.Table:
    size = len(table)
    known = {
        field: pc.utf8_trim_whitespace(table[name].combine_chunks())
        for name, field in _COLUMNS.items()
        if name in table.column_names
    }
    known["start"] = forms.times(known["start"], form)
    known["seconds"] = forms.seconds(known["seconds"])
    judged = {"answered": pa.array(np.ones(size, np.bool_))}
    if "answered" in known:
        found = answered.judge(known["answered"], known["seconds"], source.answered)
        judged = {"answered": found.answered}
        if pc.any(pc.not_equal(found.unknown, "")).as_py():
            judged["unknown"] = found.unknown
    if "direction" in known:
        known["direction"] = directions.read(known["direction"])
    return pa.table(
        {name: known.get(name, constant("", size)) for name in FIELDS}
        | {"line": table["line"]}
        | judged
    )


def _shape(path: Path, source: Source) -> Layout | text.Header:
    names = dict(source.mapping)
    if names and all(name.isascii() and name.isdigit() for name in names.values()):
        return _numbered(path, source)
    return _Header(_REQUIRED, COLUMNS, theirs=names)


def _numbered(path: Path, source: Source) -> Layout:
    """The layout of a file without a header, whose columns are numbered from 1."""
    first = text.first_line(path, source.encoding)
    first, mend = _unwrapped(first)
    separator = max(_SEPARATORS, key=first.count)
    try:
        width = len(rows.strict(first, separator))
    except csv.Error:
        width = 0
    names = [""] * width
    for ours, number in source.mapping:
        if not 0 < int(number) <= width:
            what = f"there is no column {number} ({ours}): the first line has {width}"
            raise Lines(path).unusable(what, f"correct sources.{source.name}.columns")
        names[int(number) - 1] = ours
    if missing := [name for name in _REQUIRED if name not in names]:
        what = f"no column is {', '.join(missing)}"
        raise Lines(path).unusable(what, f"name it in sources.{source.name}.columns")
    heading = ("start", "seconds")
    return Layout(widths={width: tuple(names)}, heading=heading, separator=separator, mend=mend)


@dataclass(frozen=True, slots=True)
class _Header(text.Header):
    """A header whose names may be others' than ours."""

    theirs: Mapping[str, str] | None = None

    def layout(self, line: str, lines: Lines) -> tuple[Layout, tuple[str, ...]]:
        line, mend = _unwrapped(line)
        separator = max(_SEPARATORS, key=line.count)
        ours = {(theirs or name).strip().lower(): name for name, theirs in self._names()}
        try:
            written = [name.strip().lower() for name in rows.strict(line, separator)]
        except csv.Error:
            written = []
        needed = [
            theirs
            for name, theirs in self._names()
            if name in self.required or name in (self.theirs or {})
        ]
        if missing := [name for name in needed if name.strip().lower() not in written]:
            raise lines.unusable(
                f"there is no column {', '.join(missing)}",
                f"the first line must name {','.join(needed)}, or --map say what it names",
            )
        columns = tuple(ours.get(name, "") for name in written)
        if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
            raise lines.unusable(f"the column {', '.join(twice)} is there twice", "name it once")
        ignored = [name for name in written if name and name not in ours]
        notes = (f"{lines.path}:1: columns ignored: {', '.join(ignored)}",) if ignored else ()
        if "id" not in columns:
            notes = (*notes, f"{lines.path}:1: {_NO_ID}")
        heading = () if self.theirs else self.required
        widths = {len(columns): columns}
        return Layout(widths=widths, heading=heading, separator=separator, mend=mend), notes

    def _names(self) -> list[tuple[str, str]]:
        theirs = self.theirs or {}
        return [(name, theirs.get(name, name)) for name in self.known]


def _unwrapped(line: str) -> tuple[str, Callable[[bytes], bytes] | None]:
    """A line less the quotes around the whole of it, and what takes them off all others."""
    try:
        fields = rows.strict(line, ",")
    except csv.Error:
        return line, None
    if len(fields) == 1 and line.startswith('"') and any(mark in fields[0] for mark in _SEPARATORS):
        return fields[0], _without_quotes
    return line, None


def _without_quotes(lines: bytes) -> bytes:
    found = []
    for line in lines.split(b"\n"):
        bare = line.rstrip(b"\r")
        wrapped = len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"')
        found.append(bare[1:-1].replace(b'""', b'"') if wrapped else line)
    return b"\n".join(found)
