"""Asterisk's call records: what ``cdr_csv`` and ``cdr_custom`` write, and exports of its table.

``Master.csv`` and the files of accounts have no header. ``cdr.conf`` decides how many columns
there are, and may change in the middle of a file: 16, then ``uniqueid`` and ``userfield`` if
they are logged, then ``peeraccount``, ``linkedid`` and ``sequence`` with ``newcdrcolumns``.
(Source: Asterisk, ``cdr/cdr_csv.c``, ``build_csv_record``.) The columns of ``cdr_custom`` are
those its configuration lists; a source repeats them. Exports of the ``cdr`` table, FreePBX's
reports among them, name theirs in their first line.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.source_config import Rule
from a2ledger.book.toml_table import ConfigError
from a2ledger.sources import text
from a2ledger.sources.batch import FIELDS, START, Batch, Place, constant
from a2ledger.sources.text.rows import Layout, strict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.book.source_config import Source

_EXTENSIONS = ("??", "???", "????", "?????", "??????")

RULES = (
    Rule(applications=("Dial",), called=_EXTENSIONS, to="customer", free=True),
    Rule(
        applications=("Dial",),
        without=("accountcode", "peeraccount"),
        to="did",
        identify=("did", "dst"),
        service="DIDs",
        tariff="inbound",
    ),
    Rule(applications=("Dial",)),
)
"""What is dialled is a call; one to a customer's extension, of up to six characters, is free.

A call of nobody's to a number that a customer holds is his: priced by the deck ``inbound``, as
toll-free numbers are, or free where there is none."""

COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel"),
    *("lastapp", "lastdata", "start", "answer", "end", "duration", "billsec"),
    *("disposition", "amaflags", "uniqueid", "userfield"),
    *("peeraccount", "linkedid", "sequence"),
)
"""Asterisk's own names of what it logs, in the order of ``cdr_csv``."""

_READ = {
    "dcontext": "context",
    "lastapp": "application",
    "billsec": "seconds",
    "calldate": "start",
    **{name: name for name in ("accountcode", "src", "dst", "did", "channel", "dstchannel")},
    **{name: name for name in ("start", "duration", "disposition", "uniqueid", "userfield")},
    **{name: name for name in ("peeraccount", "sequence")},
}
"""What is read of it, and as which of :data:`a2ledger.sources.batch.FIELDS`."""

_LOGGED = tuple(_READ.get(name, "") for name in COLUMNS)
_BASE, _NEW = _LOGGED[:16], _LOGGED[18:]

LAYOUT = Layout(
    widths={
        16: _BASE,
        17: (*_BASE, "either"),
        18: _LOGGED[:18],
        19: (*_BASE, *_NEW),
        20: (*_BASE, "either", *_NEW),
        21: _LOGGED,
    },
    heading=("accountcode", "start"),
    loose=frozenset({"userfield", "either"}),
)
"""``either`` is the uniqueid or the userfield, whichever of the two is logged."""

_UNIQUEID = r"^([^\s]+-)?[0-9]{9,11}\.[0-9]+$"
_NEEDED = ("dst", "start", "seconds", "disposition")
"""Columns without which nothing can be said of a row."""
_EPOCH = r"^[0-9]{9,10}(\.[0-9]{1,9})?$"

_CALLER_ID = re.compile(rb'^([^",\n]*),"(.*?)" (<[^>"\n]*>),', re.MULTILINE)

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
    """Read a file of call records; see :data:`a2ledger.sources.Dialect`.

    Raises:
        ConfigError: if the source's ``columns`` cannot be.
    """
    yield from resume(path, source, START)


def resume(path: Path, source: Source, place: Place) -> Iterator[Batch]:
    """Read a file from where an earlier reading ended; see :func:`read`."""
    exported = None if source.columns else _exported(text.first_line(path, source.encoding))
    layout = exported or (_declared(source) if source.columns else LAYOUT)
    log = exported is None
    for piece in text.read(path, layout, grows=log, encoding=source.encoding, begin=place):
        table = _resolve(piece.table) if layout is LAYOUT else plain(piece.table)
        rows = pa.table(
            {name: _column(table, name) for name in FIELDS}
            | {"line": table["line"]}
            | judged(table)
        )
        # An export is written anew, not added to.
        reached = piece.place if log else piece.place._replace(line=0)
        yield Batch(str(path), rows, piece.refused, piece.raw, piece.notes, reached)


def judged(table: pa.Table) -> dict[str, pa.Array]:
    """Which rows were answered, and why some are no calls whatever the rules say."""
    return {
        "answered": pc.equal(table["disposition"], "ANSWERED"),
        # The hang-up handler's row repeats the seconds of the call it ends.
        "never": pc.if_else(pc.equal(table["dst"], "h"), "hangup", ""),
    }


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name] if name in table.column_names else constant("", len(table))


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


def _declared(source: Source) -> Layout:
    """The layout of ``cdr_custom`` that a source's ``columns`` describe."""
    key = f"sources.{source.name}.columns"
    unread = {*COLUMNS, "", "-"} - _READ.keys()
    for name in source.columns:
        if name not in _READ.keys() | unread:
            near = difflib.get_close_matches(name, [*_READ, *COLUMNS], 1)
            hint = f"did you mean {near[0]!r}" if near else 'write "" for what is not to be read'
            raise ConfigError(f"{key}: {name!r} is no column of Asterisk's; {hint}")
    columns = tuple(_READ.get(name, "") for name in source.columns)
    if twice := [name for name, count in Counter(columns).items() if name and count > 1]:
        raise ConfigError(f"{key}: {twice[0]} is there twice; name it once")
    if missing := [name for name in _NEEDED if name not in columns]:
        asked = {"seconds": "billsec"}.get(missing[0], missing[0])
        raise ConfigError(f"{key}: there is no {asked}; have cdr_custom.conf log it")
    return Layout(widths={len(columns): columns}, heading=("dst", "disposition"))


def _exported(line: str) -> Layout | None:
    """The layout a first line of column names describes; None for a log, which has no such line.

    The order of ``cdr_csv`` is that of a log that somebody put a line of names on.
    """
    separator = max(text.SEPARATORS, key=line.count)
    try:
        names = strict(line, separator)
    except csv.Error:
        return None
    columns = tuple(_READ.get(name, "") for name in names)
    if tuple(names) == COLUMNS[: len(names)] or not set(_NEEDED) <= set(columns):
        return None
    if max(Counter(filter(None, columns)).values()) > 1:
        return None
    return Layout(
        widths={len(columns): columns},
        heading=("dst", "disposition"),
        separator=separator,
        loose=frozenset({"userfield"}),
        mend=_with_quoted_names,
    )


def _with_quoted_names(lines: bytes) -> bytes:
    """FreePBX's report, whose ``"Ann" <101>`` stands bare in the line, as CSV."""

    def quoted(match: re.Match[bytes]) -> bytes:
        name = match[2].replace(b'"', b'""')
        return b'%b,"""%b"" %b",' % (match[1], name, match[3])

    return _CALLER_ID.sub(quoted, lines)


def plain(table: pa.Table) -> pa.Table:
    """An export's or ``cdr_custom``'s values as ``cdr_csv`` writes them.

    ``NULL`` is nothing; seconds lose their fraction, as Asterisk cuts them; a time may be
    seconds since 1970, with microseconds, in UTC.
    """
    columns = {name: table[name].combine_chunks() for name in table.column_names if name != "line"}
    for name, column in columns.items():
        nothing = pc.is_in(column, value_set=pa.array(["NULL", "\\N"]))
        columns[name] = pc.if_else(nothing, "", column)
    for name in {"seconds", "duration"} & columns.keys():
        columns[name] = pc.replace_substring_regex(columns[name], r"^([0-9]+)\.[0-9]{1,9}$", r"\1")
    epoch = pc.match_substring_regex(columns["start"], _EPOCH)
    if pc.any(epoch).as_py():
        whole = pc.if_else(epoch, pc.replace_substring_regex(columns["start"], r"\..*$", ""), "0")
        instants = pc.cast(pc.cast(whole, pa.int64()), pa.timestamp("s"))
        written = pc.strftime(instants, format="%Y-%m-%d %H:%M:%SZ")
        columns["start"] = pc.if_else(epoch, written, columns["start"])
    return pa.table({**columns, "line": table["line"]})
