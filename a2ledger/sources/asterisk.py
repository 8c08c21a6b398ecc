"""Asterisk's ``cdr_csv``: ``Master.csv`` and the files of its accounts.

There is no header. ``cdr.conf`` decides how many columns there are, and may change in the
middle of a file: 16, then ``uniqueid`` and ``userfield`` if they are logged, then
``peeraccount``, ``linkedid`` and ``sequence`` with ``newcdrcolumns``. (Source: Asterisk,
``cdr/cdr_csv.c``, ``build_csv_record``.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.config import Rule
from a2ledger.feed import FIELDS, START, Batch, Place, constant
from a2ledger.sources import text
from a2ledger.sources.rows import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.config import Source

RULES = (Rule(applications=("Dial",)),)

_FIRST = ("accountcode", "src", "dst", "context", "", "channel", "", "application", "")
_TIMES = ("start", "", "", "duration", "seconds", "disposition", "")
_BASE = _FIRST + _TIMES
_NEW = ("peeraccount", "", "sequence")

LAYOUT = Layout(
    widths={
        16: _BASE,
        17: (*_BASE, "either"),
        18: (*_BASE, "uniqueid", "userfield"),
        19: (*_BASE, *_NEW),
        20: (*_BASE, "either", *_NEW),
        21: (*_BASE, "uniqueid", "userfield", *_NEW),
    },
    heading=("accountcode", "start"),
    loose=frozenset({"userfield", "either"}),
)
"""``either`` is the uniqueid or the userfield, whichever of the two is logged."""

_UNIQUEID = r"^([^\s]+-)?[0-9]{9,11}\.[0-9]+$"

_NAME = re.compile(r"(.+?)((?:[-._][0-9]+)*)\.csv((?:[-._][0-9]+)*)(\.(gz|bz2|xz|zst))?", re.ASCII)
_DATE_DIGITS = 6
"""Digits from which on a file is named for a day or month, and not for its turn."""


def files(directory: Path) -> list[Path]:
    """The call records in a directory such as ``cdr-csv/``, oldest first.

    ``Master.csv`` and what was rotated from it are there, and where they are, nothing else is
    taken: the files of accounts repeat rows of theirs.
    """
    found = [
        (match[1] == "Master", _age(match), path)
        for path in directory.iterdir()
        if (match := _NAME.fullmatch(path.name)) and path.name[0] != "." and path.is_file()
    ]
    has_master = any(master for master, *_ in found)
    return [path for master, _, path in sorted(found) if master == has_master]


def _age(match: re.Match[str]) -> tuple[int, tuple[int, ...]]:
    """A key that puts ``Master.csv-20260101`` and ``.2`` before ``.1``, and ``.csv`` last."""
    numbers = re.findall("[0-9]+", match[2] + match[3])
    values = tuple(map(int, numbers))
    if not numbers:
        return 2, ()
    if len("".join(numbers)) >= _DATE_DIGITS:
        return 0, values
    return 1, tuple(-value for value in values)


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a file of call records; see :data:`a2ledger.sources.Dialect`."""
    yield from resume(path, source, START)


def resume(path: Path, source: Source, place: Place) -> Iterator[Batch]:
    """Read a file from where an earlier reading ended."""
    del source  # every cdr_csv is alike
    for piece in text.read(path, LAYOUT, grows=True, begin=place):
        table = _resolve(piece.table)
        rows = pa.table(
            {name: _column(table, name) for name in FIELDS}
            | {"line": table["line"], "answered": pc.equal(table["disposition"], "ANSWERED")}
            # The hang-up handler's row repeats the seconds of the call it ends.
            | {"never": pc.if_else(pc.equal(table["dst"], "h"), "hangup", "")}
        )
        yield Batch(str(path), rows, piece.refused, piece.raw, piece.notes, piece.place)


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name] if name in LAYOUT.names else constant("", len(table))


def _resolve(table: pa.Table) -> pa.Table:
    """Put the column that is one of two things where it belongs."""
    either = table["either"]
    if not either.nbytes or pc.max(pc.binary_length(either)).as_py() in (None, 0):
        return table
    is_id = pc.match_substring_regex(either, _UNIQUEID)
    present = pc.not_equal(either, "")
    for name, mask in (
        ("uniqueid", pc.and_(present, is_id)),
        ("userfield", pc.and_(present, pc.invert(is_id))),
    ):
        index = table.column_names.index(name)
        table = table.set_column(index, name, pc.if_else(mask, either, table[name]))
    return table
