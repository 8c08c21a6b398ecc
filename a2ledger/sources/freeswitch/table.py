"""Read rows of ``mod_cdr_csv``, in any of the templates FreeSWITCH comes with.

A template is text with variables in it, and nothing in them is escaped: a caller may have quotes
in their name. (Source: FreeSWITCH, ``autoload_configs/cdr_csv.conf.xml``; the built-in template
in ``mod_cdr_csv.c`` is ``sql`` without the SQL.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources import text
from a2ledger.sources.batch import BOND, FIELDS, Batch, constant
from a2ledger.sources.text.rows import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.book.source_config import Source
    from a2ledger.sources.batch import Place

_INSERT = re.compile(rb'^INSERT INTO \S+ VALUES ?\((".*")\);?[ \t]*(\r?)$', re.MULTILINE)


def _tidy(lines: bytes) -> bytes:
    """Strip what two templates put around and between the fields."""
    if b"INSERT INTO " in lines:
        lines = _INSERT.sub(rb"\1\2", lines)
    return lines.replace(b'", "', b'","')


_LEG = (
    *("caller_id_name", "caller_id_number", "destination_number", "context"),
    *("start_stamp", "answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause"),
    *("uuid", "bleg_uuid", "accountcode"),
)
_EXAMPLE = (*_LEG, "read_codec", "write_codec")
_LINKSYS = (*_EXAMPLE, "sip_user_agent", "sip_p_rtp_stat")
_SNOM = (
    *(*_EXAMPLE, "sip_user_agent", "call_clientcode"),
    *("sip_rtp_rxstat", "sip_rtp_txstat", "sofia_record_file"),
)
_ASTERISK = (
    *("accountcode", "caller_id_number", "destination_number", "context", "caller_id"),
    *("channel_name", "bridge_channel", "last_app", "last_arg"),
    *("start_stamp", "answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause"),
    *("amaflags", "uuid", "userfield"),
)
_OPENCDRRATE = (
    *("uuid", "signal_bond", "direction", "ani", "destination_number"),
    *("answer_stamp", "end_stamp", "billsec", "accountcode", "userfield"),
    *("network_addr", "privacy", "gateway"),
)
LAYOUT = Layout(
    widths={len(names): names for names in (_LEG, _EXAMPLE, _LINKSYS, _SNOM, _ASTERISK)},
    heading=("uuid", "start_stamp"),
    mend=_tidy,
)
"""The known layouts. ``opencdrrate`` is as wide as ``sql`` and told apart by its values."""

_FIELDS = {
    "accountcode": "accountcode",
    "channel": "channel_name",
    "src": "caller_id_number",
    "dst": "destination_number",
    "userfield": "userfield",
    "context": "context",
    "start": "start_stamp",
    "seconds": "billsec",
    "duration": "duration",
    "uniqueid": "uuid",
}
_UUID = r"^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$"
_STAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_NO_STAMP = r"^$|^(0000|1969|1970)-"
_MORE_THAN_ZERO = "^[0-9]*[1-9][0-9]*$"

Columns = dict[str, pa.StringArray]


def read(path: Path, source: Source, place: Place) -> Iterator[Batch]:
    """Read a file of rows from a place on."""
    for piece in text.read(path, LAYOUT, grows=True, encoding=source.encoding, begin=place):
        table = piece.table.combine_chunks()
        columns = {name: _one(table[name]) for name in table.column_names}
        columns = _mended(_of_opencdrrate(columns), piece)
        mended = set(columns["line"].to_pylist()) if piece.refused else set()
        refused = [row for row in piece.refused if row.line not in mended]
        yield Batch(str(path), _rows(columns), refused, piece.raw, piece.notes, piece.place)


def _rows(columns: Columns) -> pa.Table:
    size = len(columns["line"])
    known = {field: columns[name] for field, name in _FIELDS.items()}
    talked = pc.match_substring_regex(columns["billsec"], _MORE_THAN_ZERO)
    answered = pc.invert(pc.match_substring_regex(columns["answer_stamp"], _NO_STAMP))
    known["application"] = _application(columns)
    made = pc.equal(columns["direction"], "outbound")
    bond = columns["bleg_uuid"]
    bond = pc.if_else(pc.equal(bond, ""), columns["signal_bond"], bond)
    return pa.table(
        {name: known.get(name, constant("", size)) for name in FIELDS}
        | {"line": columns["line"], "answered": pc.or_(talked, answered)}
        | {"never": pc.if_else(made, "b-leg", ""), BOND: bond}
    )


def _application(columns: Columns) -> pa.StringArray:
    """Return the application of each leg, as :mod:`a2ledger.sources.freeswitch` defines it."""
    ran = pc.not_equal(columns["last_app"], "")
    # Both legs have the other's channel, but a leg that was made for another runs nothing.
    bridged = pc.and_(ran, pc.not_equal(columns["bridge_channel"], ""))
    for name in ("bleg_uuid", "signal_bond"):
        bridged = pc.or_(bridged, pc.not_equal(columns[name], ""))
    return pc.if_else(bridged, "bridge", pc.if_else(ran, columns["last_app"], "none"))


def _of_opencdrrate(columns: Columns) -> Columns:
    """Return the columns with rows of template ``opencdrrate`` read as such.

    It has no start: an answered leg starts when it was answered, another one when it ended.
    """
    size = len(columns["line"])
    columns = columns | {name: constant("", size) for name in ("signal_bond", "direction")}
    first = pc.match_substring_regex(columns["caller_id_name"], _UUID)
    such = pc.and_(first, pc.is_in(columns["destination_number"], pa.array(_DIRECTIONS)))
    if not pc.any(such).as_py():
        return columns
    own = {name: columns[place] for name, place in zip(_OPENCDRRATE, _LEG, strict=True)}
    stamped = pc.invert(pc.match_substring_regex(own["answer_stamp"], _NO_STAMP))
    own["start_stamp"] = pc.if_else(stamped, own["answer_stamp"], own["end_stamp"])
    own["caller_id_number"] = own["ani"]
    empty = constant("", size)
    return {
        name: column if name == "line" else pc.if_else(such, own.get(name, empty), column)
        for name, column in columns.items()
    }


_DIRECTIONS = ["inbound", "outbound", ""]


def _mended(columns: Columns, piece: text.Piece) -> Columns:
    """Return the columns with rows repaired that quotes in a name have damaged or shifted."""
    lines = [row.line for row in piece.refused if row.reason in {"quotes", "columns"}]
    shifted = columns["line"].filter(pc.invert(_in_place(columns))).to_pylist()
    repaired = {line: fields for line in (*lines, *shifted) if (fields := _fields(piece.raw(line)))}
    if not repaired:
        return columns
    names = [name for name in columns if name != "line"]
    rest = pc.invert(pc.is_in(columns["line"], pa.array(list(repaired), pa.int64())))
    lines_left = columns["line"].filter(rest)
    return {
        name: pa.concat_arrays(
            [
                columns[name].filter(rest),
                pa.array([fields.get(name, "") for fields in repaired.values()], pa.string()),
            ]
        )
        for name in names
    } | {"line": pa.concat_arrays([lines_left, pa.array(list(repaired), pa.int64())])}


def _in_place(columns: Columns) -> pa.BooleanArray:
    """Return which rows have the right values in their columns.

    A name with ``","`` in it moves all that follows; it could make a row look like another
    template's, with a customer of the caller's choice.
    """
    start = pc.match_substring_regex(columns["start_stamp"], _STAMP)
    flags = pc.match_substring_regex(columns["amaflags"], _UUID)
    return pc.and_(start, pc.invert(flags))


def _fields(raw: str) -> dict[str, str] | None:
    """Return a row's fields by name despite misleading quotes, or None if ambiguous.

    Only the caller's name can hold anything, and in most templates it stands first: so fields are
    counted from the end. None where that gives no row in one way and one way only.
    """
    if not (raw.startswith('"') and raw.endswith('"') and len(raw) > 1):
        return None
    parts = raw[1:-1].split('","')
    candidates = []
    for names in LAYOUT.widths.values():
        more = len(parts) - len(names)
        place = names.index("caller_id" if "caller_id" in names else "caller_id_name")
        if more < 0:
            continue
        name = '","'.join(parts[place : place + more + 1])
        values = [*parts[:place], name, *parts[place + more + 1 :]]
        fields = dict(zip(names, values, strict=True))
        if _is_believable(fields):
            candidates.append(fields)
    return candidates[0] if len(candidates) == 1 else None


def _is_believable(fields: dict[str, str]) -> bool:
    return bool(
        re.match(_UUID, fields["uuid"])
        and re.match(_STAMP, fields["start_stamp"])
        and re.fullmatch("[0-9]{1,9}", fields["billsec"])
        and not re.match(_UUID, fields.get("amaflags", ""))
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
