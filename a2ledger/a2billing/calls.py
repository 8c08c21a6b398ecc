"""Read A2Billing's calls: the tables ``cc_call`` and ``cc_call_archive``, or exports of them.

A row is priced already. ``sessionbill`` (single precision) and ``buycost`` are taken as they are,
with the five decimals of A2Billing's own balance. ``card_id`` names the customer, who has it as
the identifier ``SWITCH:ID``. A row stays the same call when A2Billing archives it: it is known by
its ``uniqueid``, and by card, kind and start where several rows share one.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.a2billing import access as tables
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.tables import Tables
from a2ledger.book.source_config import Rule, Source
from a2ledger.sources import database, text
from a2ledger.sources.address import Address
from a2ledger.sources.asterisk_db import as_csv, readable
from a2ledger.sources.batch import ALWAYS, FIELDS, Batch, Span, constant

_RATED = ("standard", "callback", "predict", "campaign")
RULES = (
    Rule(contexts=_RATED, identify=("accountcode",)),
    Rule(identify=("accountcode",), free=True),
)
"""Calls under the first rule are priced by a ratecard, so that a deck can say what they should
cost; on-net and DID calls are priced in other ways. Both keep the cost their row gives.
"""
CHECKED = True
"""Calls come with a price; it is compared with the book's own tariffs, and differences reported."""

TABLES = ("cc_call", "cc_call_archive")
"""Tables in the order in which A2Billing moves rows, so that none is missed in between."""

_NEEDED = ("uniqueid", "card_id", "starttime", "sessiontime", "calledstation", "sessionbill")
_MORE = (
    *("stoptime", "sipiax", "src", "dnid", "terminatecauseid", "buycost", "id_trunk"),
    *("destination", "carrier"),
)
_COLUMNS = (*_NEEDED, *_MORE)
_KINDS = ("standard", "on-net", "did", "did-voip", "callback", "predict", "campaign", "did-a-leg")
"""Meanings of ``sipiax`` by value, which rules see as a context."""
_LONGEST = 30
"""Longest number the archive stores, in characters."""
_ANSWERED = "1"


def files(directory: Path) -> list[Path]:
    """Return the paths of the call exports in a directory."""
    exports = (tables.path(directory, table) for table in TABLES)
    return [path for path in exports if path is not None]


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a CSV export of calls; an export of ``cc_trunk`` beside it names the carriers."""
    names = a2billing.carriers(tables.Files(path.parent, source.encoding))
    for piece in text.read(path, text.Header(_NEEDED, _COLUMNS), encoding=source.encoding):
        table = piece.table
        for name in _COLUMNS:
            if name not in table.column_names:
                table = table.append_column(name, constant("", len(table)))
        rows = _rows(table, source, names)
        yield Batch(str(path), rows, piece.refused, piece.raw, piece.notes[:0], piece.place)


def query(address: Address, source: Source, span: Span = ALWAYS) -> Iterator[Batch]:
    """Read calls that start within a span, in one or more batches.

    Raises:
        UnusableInput: if the database cannot be read or ``cc_call`` lacks a column.
    """
    with database.reading(address, source.timezone) as base:
        yield from _query(tables.Server(address, base), source, span)


def calls(opened: Tables, source: Source, span: Span = ALWAYS) -> Iterator[Batch]:
    """Read calls within a span, or all exported ones, from tables that are already open.

    Of a database that keeps to one view of itself within a transaction, that view.

    Raises:
        UnusableInput: as :func:`query` and :func:`read`.
    """
    if isinstance(opened, tables.Server):
        yield from _query(opened, source, span)
    elif isinstance(opened, tables.Files):
        for path in files(opened.directory):
            yield from read(path, source)


def _query(server: tables.Server, source: Source, span: Span) -> Iterator[Batch]:
    address, base = server.address, server.base
    zone = zoneinfo.ZoneInfo(source.timezone)
    since, until = (moment and moment.astimezone(zone).replace(tzinfo=None) for moment in span)
    line = 1
    names = a2billing.carriers(server)
    for table in TABLES:
        if table != TABLES[0] and not base.has(table):
            continue
        present = {name.lower() for name in base.columns(table)}
        columns = [name for name in _COLUMNS if name in present]
        if missing := [name for name in _NEEDED if name not in present]:
            raise address.unusable(
                f"{table} has no column {', '.join(missing)}", "name A2Billing's database"
            )
        batches = base.rows(table, columns, "starttime", since, until, singles=("sessionbill",))
        for rows in batches:
            yield _batch(address, source, columns, rows, line, names)
            line += len(rows)
    if line == 1:
        yield _batch(address, source, list(_NEEDED), [], line, names)


def _batch(
    address: Address,
    source: Source,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    first: int,
    names: Mapping[str, str],
) -> Batch:
    parts = list(zip(*rows, strict=True)) or [()] * len(columns)
    given = {
        name: pc.fill_null(pa.array(map(readable, part), pa.string()), "")
        for name, part in zip(columns, parts, strict=True)
    }
    table = pa.table({name: given.get(name, constant("", len(rows))) for name in _COLUMNS})
    table = table.append_column("line", pa.array(range(first, first + len(rows)), pa.int64()))
    carriers = _carriers(table, names)

    def raw(line: int) -> str:
        # A quarantined row is tried again without the trunks, so it keeps the carrier's name.
        values = [value or "" for value in rows[line - first]]
        return as_csv([*values, str(carriers[line - first].as_py())])

    head = as_csv([*columns, "carrier"])
    return Batch(str(address), _rows(table, source, names), [], raw, head=head)


def _rows(table: pa.Table, source: Source, names: Mapping[str, str]) -> pa.Table:
    """Convert a batch's columns, given as text, to the fields of a call."""
    count = len(table)
    known = {name: _plain(table[name].combine_chunks()) for name in _COLUMNS}
    known["sipiax"] = pc.if_else(pc.equal(known["sipiax"], ""), "0", known["sipiax"])
    card = known["card_id"]
    bill, buy = amounts(known["sessionbill"]), amounts(known["buycost"])
    start = known["starttime"]
    start = pc.if_else(pc.starts_with(start, "0000-00-00"), known["stoptime"], start)
    seconds = pc.if_else(pc.equal(known["sessiontime"], ""), "0", known["sessiontime"])
    # A row with time or money is a call, whatever its cause says.
    answered = pc.or_(
        pc.equal(known["terminatecauseid"], _ANSWERED),
        pc.or_(pc.not_equal(seconds, "0"), pc.invert(pc.is_in(bill, value_set=_NOTHING))),
    )
    nobody = pc.or_(pc.is_in(card, value_set=pa.array(["", "0"])), pc.starts_with(card, "-"))
    compact = pc.replace_substring_regex(start, "[^0-9]", "")
    fields = {
        "accountcode": pc.binary_join_element_wise(source.switch, card, ":"),
        "src": known["src"],
        "dst": pc.utf8_slice_codeunits(_called(known), 0, _LONGEST),
        "context": _kind(known["sipiax"]),
        "start": start,
        "seconds": seconds,
        "uniqueid": known["uniqueid"],
        "sequence": pc.binary_join_element_wise(card, known["sipiax"], compact, "-"),
        "cost": bill,
        "userfield": known["sessionbill"],
    }
    return pa.table(
        {name: fields.get(name, constant("", count)) for name in FIELDS}
        | {
            "line": table["line"],
            "answered": answered,
            "never": pc.if_else(nobody, "no-card", ""),
            "buy": buy,
            "carrier": _carriers(table, names),
        }
    )


_NOTHING = pa.array(["", "0", "0.00000"])


def _plain(column: pa.StringArray) -> pa.StringArray:
    """Replace the spellings of NULL in a column by empty text."""
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.is_in(column, value_set=pa.array(tables.NULLS)), "", column)


def _called(known: Mapping[str, pa.StringArray]) -> pa.StringArray:
    """Return the called numbers, found elsewhere for a DID's own leg."""
    numbers = known["calledstation"]
    for other in (known["dnid"], known["destination"], constant("unknown", len(numbers))):
        empty = pc.is_in(numbers, value_set=pa.array(["", "0"]))
        numbers = pc.if_else(empty, other, numbers)
    return numbers


def _kind(sipiax: pa.StringArray) -> pa.StringArray:
    numbers = pa.array([str(number) for number in range(len(_KINDS))])
    return pc.fill_null(pa.array(_KINDS).take(pc.index_in(sipiax, value_set=numbers)), "other")


def _carriers(table: pa.Table, names: Mapping[str, str]) -> pa.StringArray:
    """Return each call's carrier by its trunk; rows from the quarantine name it themselves."""
    trunk = _plain(table["id_trunk"].combine_chunks()).dictionary_encode()
    by_number = [
        names.get(number, "") or (f"Trunk-{number}" if number not in {"", "0", "-1"} else "")
        for number in trunk.dictionary.to_pylist()
    ]
    own = table["carrier"].combine_chunks()
    by_trunk = pa.array(by_number, pa.string()).take(trunk.indices)
    return pc.if_else(pc.equal(own, ""), by_trunk, own)


def amounts(column: pa.StringArray) -> pa.StringArray:
    """Format amounts with five decimals: empty text is 0, other text without a number stays."""
    encoded = column.dictionary_encode()
    texts = map(_amount, encoded.dictionary.to_pylist())
    return pa.array(texts, pa.string()).take(encoded.indices)


def _amount(written: str) -> str:
    try:
        return a2billing.five(written)
    except ValueError:
        return written


def spent(batches: Iterable[Batch], is_taken: Callable[[pa.Array], pa.Array]) -> dict[str, int]:
    """Sum what calls took from each card's balance, in micro-units, by identifier.

    Args:
        batches: of this dialect.
        is_taken: which of some starts (texts) count.
    """
    by_card: dict[str, int] = {}
    for batch in batches:
        rows = batch.rows
        taken = np.asarray(is_taken(rows["start"].combine_chunks()))
        rows = rows.filter(pa.array(taken))
        cost = rows["cost"].combine_chunks().dictionary_encode()
        known = [_micro(written) for written in cost.dictionary.to_pylist()]
        micro = pa.array(known, pa.int64()).take(cost.indices)
        sums = pa.table({"card": rows["accountcode"], "micro": micro}).group_by("card")
        for row in sums.aggregate([("micro", "sum")]).to_pylist():
            by_card[row["card"]] = by_card.get(row["card"], 0) + (row["micro_sum"] or 0)
    return by_card


def _micro(written: str) -> int:
    try:
        return a2billing.micro(written)
    except ValueError:
        return 0
