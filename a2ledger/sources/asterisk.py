"""Read Asterisk's call records: ``cdr_csv``, ``cdr_custom``, and exports of the table.

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
from a2ledger.sources.batch import (
    FIELDS,
    INCOMING,
    INTERNAL,
    OUTGOING,
    START,
    Batch,
    Place,
    constant,
)
from a2ledger.sources.text.rows import Layout, strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from a2ledger.book.source_config import Source

RULES = (
    Rule(direction=INTERNAL, free=True),
    Rule(
        direction=INCOMING,
        identify=("did", "dst", "dstchannel", "peeraccount", "accountcode"),
        service="DIDs",
        tariff="inbound",
    ),
    Rule(direction=OUTGOING, applications=("Dial",)),
)
"""What is dialled is a call; from one extension to another it is free.

An incoming call is of the customer who holds the number, or else the device that rang: it is priced
by the deck ``inbound``, as toll-free numbers are, and free where that has no rate for it."""

COLUMNS = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel"),
    *("lastapp", "lastdata", "start", "answer", "end", "duration", "billsec"),
    *("disposition", "amaflags", "uniqueid", "userfield"),
    *("peeraccount", "linkedid", "sequence"),
)
"""Asterisk's column names, in the order of ``cdr_csv``."""

_READ = {
    "dcontext": "context",
    "lastapp": "application",
    "billsec": "seconds",
    "calldate": "start",
    **{name: name for name in ("accountcode", "src", "dst", "did", "channel", "dstchannel")},
    **{name: name for name in ("start", "duration", "disposition", "uniqueid", "userfield")},
    **{name: name for name in ("peeraccount", "sequence", "lastdata")},
    **{name: name for name in ("answer", "end", "linkedid")},
}
"""The columns that are read, each with its field of :data:`a2ledger.sources.batch.FIELDS`."""

_OF_LEGS = frozenset({"answer", "end", "linkedid"})
"""Fields that only legs of trunks need. They are read only for sources with trunks."""


def _layout(read: Mapping[str, str]) -> Layout:
    logged = tuple(read.get(name, "") for name in COLUMNS)
    base, new = logged[:16], logged[18:]
    return Layout(
        widths={
            16: base,
            17: (*base, "either"),
            18: logged[:18],
            19: (*base, *new),
            20: (*base, "either", *new),
            21: logged,
        },
        heading=("accountcode", "start"),
        loose=frozenset({"userfield", "either", "lastdata"}),
    )


LAYOUT = _layout({name: field for name, field in _READ.items() if field not in _OF_LEGS})
"""The layout of a log. ``either`` is uniqueid or userfield, whichever of the two is logged."""

WHOLE = _layout(_READ)
"""The layout with the fields that legs of trunks need."""

_UNIQUEID = r"^([^\s]+-)?[0-9]{9,11}\.[0-9]+$"
DISPOSITIONS = (
    *("ANSWERED", "NO ANSWER", "NOANSWER", "BUSY", "FAILED", "CONGESTION", "CANCEL"),
    *("VOICEMAIL", "UNKNOWN", "DOCUMENTATION", "NULL"),
)
"""Dispositions of Asterisk and its relatives. Any other word is unknown."""
_NEEDED = ("dst", "start", "seconds", "disposition")
"""Columns that every row needs."""
_EPOCH = r"^[0-9]{9,10}(\.[0-9]{1,9})?$"

_CALLER_ID = re.compile(rb'^([^",\n]*),"(.*?)" (<[^>"\n]*>),', re.MULTILINE)

_NAME = re.compile(r"(.+?)((?:[-._][0-9]+)*)\.csv((?:[-._][0-9]+)*)(\.(gz|bz2|xz|zst))?", re.ASCII)
_DATE_DIGITS = 6
"""Least number of digits in a file name that make a date rather than a rotation number."""


def files(directory: Path) -> list[Path]:
    """Return the call records of a directory such as ``cdr-csv/``, oldest first.

    ``Master.csv`` and what was rotated from it are there, and where they are, nothing else is
    taken: the files of accounts repeat rows of theirs.
    """
    dated = [
        (match[1] == "Master", _age(match), path)
        for path in directory.iterdir()
        if (match := _NAME.fullmatch(path.name)) and path.name[0] != "." and path.is_file()
    ]
    has_master = any(master for master, *_ in dated)
    return [path for master, _, path in sorted(dated) if master == has_master]


def _age(match: re.Match[str]) -> tuple[int, tuple[int, ...]]:
    """Return a sort key: dated files first, then ``.2`` before ``.1``, and ``.csv`` last."""
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
    """Read a file from where an earlier reading ended, as :func:`read` does."""
    exported = None if source.columns else _exported(text.first_line(path, source.encoding))
    logged = WHOLE if source.trunks else LAYOUT
    layout = exported or (_declared(source) if source.columns else logged)
    log = exported is None
    for piece in text.read(path, layout, grows=log, encoding=source.encoding, begin=place):
        table = _resolve(piece.table) if layout is logged else plain(piece.table)
        rows = pa.table(
            {name: _column(table, name) for name in FIELDS}
            | {"line": table["line"]}
            | judged(table, source.answered)
        )
        # An export is written anew, not added to.
        reached = piece.place if log else piece.place._replace(line=0)
        yield Batch(str(path), rows, piece.refused, piece.raw, piece.notes, reached)


def judged(table: pa.Table, more: Iterable[str] = ()) -> dict[str, pa.Array]:
    """Return which rows were answered, and why some are never calls.

    Args:
        table: with the columns ``disposition`` and ``dst``.
        more: words beside ``ANSWERED`` for calls that were.
    """
    disposition = table["disposition"]
    own = {word.upper() for word in more}
    answered = pc.equal(disposition, "ANSWERED")
    if own:
        words = pa.array(["ANSWERED", *sorted(own)])
        answered = pc.is_in(pc.utf8_upper(disposition), value_set=words)
    verdicts = {
        "answered": answered,
        # The hang-up handler's row repeats the seconds of the call it ends.
        "never": pc.if_else(pc.equal(table["dst"], "h"), "hangup", ""),
    }
    known = pa.array([*DISPOSITIONS, *sorted(own)])
    if odd := [word for word in _words(disposition) if word.upper() not in known.to_pylist()]:
        unknown = pc.is_in(disposition, value_set=pa.array(odd))
        verdicts["unknown"] = pc.if_else(unknown, disposition, "")
    return verdicts


def _words(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return the distinct non-empty texts of a column."""
    return [text for text in pc.unique(column).to_pylist() if text]


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name] if name in table.column_names else constant("", len(table))


def _resolve(table: pa.Table) -> pa.Table:
    """Move the column that is either uniqueid or userfield to where it belongs."""
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
    """Return the layout of ``cdr_custom`` that a source's ``columns`` declare."""
    key = f"sources.{source.name}.columns"
    unread = {*COLUMNS, "", "-"} - _READ.keys()
    for name in source.columns:
        if name not in _READ.keys() | unread:
            near = difflib.get_close_matches(name, [*_READ, *COLUMNS], 1)
            hint = f"did you mean {near[0]!r}" if near else 'write "" for what is not to be read'
            raise ConfigError(f"{key}: {name!r} is no column of Asterisk's", todo=hint)
    columns = tuple(_READ.get(name, "") for name in source.columns)
    if twice := [name for name, count in Counter(columns).items() if name and count > 1]:
        raise ConfigError(f"{key}: {twice[0]} is there twice", todo="name it once")
    if missing := [name for name in _NEEDED if name not in columns]:
        column = {"seconds": "billsec"}.get(missing[0], missing[0])
        raise ConfigError(f"{key}: there is no {column}", todo="have cdr_custom.conf log it")
    return Layout(widths={len(columns): columns}, heading=("dst", "disposition"))


def _exported(line: str) -> Layout | None:
    """Return the layout named in an export's first line, or None for a log without such a line.

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
        loose=frozenset({"userfield", "lastdata"}),
        mend=_with_quoted_names,
    )


def _with_quoted_names(lines: bytes) -> bytes:
    """Quote names in lines of FreePBX's report, where ``"Ann" <101>`` is unquoted."""

    def quoted(match: re.Match[bytes]) -> bytes:
        name = match[2].replace(b'"', b'""')
        return b'%b,"""%b"" %b",' % (match[1], name, match[3])

    return _CALLER_ID.sub(quoted, lines)


def plain(table: pa.Table) -> pa.Table:
    """Return the values of an export or ``cdr_custom`` in the form of ``cdr_csv``.

    ``NULL`` is nothing; seconds lose their fraction, as Asterisk cuts them; a time may be
    seconds since 1970, with microseconds, in UTC.
    """
    columns = {name: table[name].combine_chunks() for name in table.column_names if name != "line"}
    for name, column in columns.items():
        nothing = pc.is_in(column, value_set=pa.array(["NULL", "\\N"]))
        columns[name] = pc.if_else(nothing, "", column)
    for name in {"seconds", "duration"} & columns.keys():
        columns[name] = pc.replace_substring_regex(columns[name], r"^([0-9]+)\.[0-9]{1,9}$", r"\1")
    for name in {"start", "answer", "end"} & columns.keys():
        columns[name] = _with_written_epochs(columns[name])
    return pa.table({**columns, "line": table["line"]})


def _with_written_epochs(times: pa.StringArray) -> pa.StringArray:
    """Return times, writing out those in seconds since 1970."""
    epoch = pc.match_substring_regex(times, _EPOCH)
    if not pc.any(epoch).as_py():
        return times
    whole = pc.if_else(epoch, pc.replace_substring_regex(times, r"\..*$", ""), "0")
    instants = pc.cast(pc.cast(whole, pa.int64()), pa.timestamp("s"))
    written = pc.strftime(instants, format="%Y-%m-%d %H:%M:%SZ")
    return pc.if_else(epoch, written, times)
