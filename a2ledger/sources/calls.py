"""Read calls from CSV: the neutral shape, or any other whose columns a source names.

The neutral header is ``id,customer,start,called,seconds``, in any order; ``caller``, ``cost``
and ``answered`` may be there too, ``id`` need not. Other columns are ignored, and noted. Where
nothing says which rows were answered, all were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import errors, local_forms
from a2ledger.book.source_config import Rule, Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.errors import BadValueError
from a2ledger.local_forms import Cell
from a2ledger.sources import answered, columns, directions, footers, forms, text, uris
from a2ledger.sources.batch import (
    FIELDS,
    INCOMING,
    INTERNAL,
    NO_CALL,
    Batch,
    UnusableInput,
    constant,
)
from a2ledger.sources.text.lines import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = (
    Rule(direction=INTERNAL, identify=("accountcode", "dst"), free=True),
    Rule(
        direction=INCOMING,
        identify=("accountcode", "dst"),
        service="DIDs",
        tariff="inbound",
    ),
    Rule(identify=("accountcode",)),
)


_SHORT = "^[0-9*#]{1,6}$"
"""Pattern of an extension."""


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a file of calls; see :data:`a2ledger.sources.Dialect`.

    Raises:
        ConfigError: if the source's ``columns`` name what is no column of a call.
    """
    if unknown := sorted(set(dict(source.mapping)) - set(columns.COLUMNS)):
        raise ConfigError(
            (
                f"a2ledger.toml: sources.{source.name}.columns: {', '.join(unknown)}: no "
                "column of a call"
            ),
            undone="nothing was imported",
            todo=f"there is {', '.join(columns.COLUMNS)}",
        )
    shape = columns.layout_of(path, source)

    def pieces(size: int) -> Iterator[text.Piece]:
        return text.read(path, shape, encoding=source.encoding, size=size)

    setting = f"sources.{source.name}.time_format"
    form = source.time_format or forms.recognised(
        path, setting, _starts(pieces), source.locale.dates
    )
    mark = _decimal_mark(path, pieces, source)
    payers = _payers(pieces) if "parent" in dict(source.mapping) else {}
    for piece in pieces(BLOCK):
        sound, never = footers.marked(piece)
        given = columns.joined(sound.table)
        if mark and "cost" in given:
            encoded = given["cost"].dictionary_encode()
            costs = local_forms.plain(encoded.dictionary.to_pylist(), mark)
            given["cost"] = pa.array(costs, pa.string()).take(encoded.indices)
        said = given.get("direction")
        if payers and "parent" in given:
            given |= _made(given, payers)
        rows = _rows(given, sound.table["line"], form, source)
        if (never := _without_start(rows, never)) is not None:
            rows = rows.append_column("never", never)
        refused = [row._replace(head=piece.head) for row in sound.refused]
        notes, place = (*piece.notes, *_odd_directions(said, rows, source)), piece.place
        yield Batch(str(path), rows, refused, piece.raw, notes, place, head=piece.head)


def _without_start(rows: pa.Table, never: pa.StringArray | None) -> pa.StringArray | None:
    """Return marks of rows that are no calls, those that never began among them.

    A call that was given up before it was dialled has no start, and was not answered.
    """
    blank = pc.and_(pc.equal(rows["start"], ""), pc.invert(rows["answered"]))
    if not pc.any(blank).as_py():
        return never
    marks = constant("", len(rows)) if never is None else never
    return pc.if_else(blank.combine_chunks(), NO_CALL, marks)


def _starts(pieces: Callable[[int], Iterator[text.Piece]]) -> Iterator[pa.StringArray]:
    for piece in pieces(1 << 18):
        yield columns.joined(piece.table)["start"]


def _payers(pieces: Callable[[int], Iterator[text.Piece]]) -> dict[str, str]:
    """Return who pays for the calls that another one made, by that one's id.

    A call that came in is paid by the holder of the number that was called, another one by its
    caller; a call that was made itself, by who pays for the one that made it. The file may list
    what was made before what made it.
    """

    def every() -> Iterator[dict[str, pa.StringArray]]:
        given = (columns.joined(piece.table) for piece in pieces(1 << 18))
        return (each for each in given if {"id", "parent"} <= each.keys())

    makers: set[str] = set()
    for given in every():
        makers.update(pc.unique(given["parent"]).to_pylist())
    makers -= {""}
    own: dict[str, str] = {}
    made_by: dict[str, str] = {}
    for given in every() if makers else ():
        some = pc.is_in(given["id"], pa.array(sorted(makers), pa.string()))
        rows = {name: column.filter(some) for name, column in given.items()}
        blank = pa.array([""] * len(rows["id"]), pa.string())
        ways = directions.read(rows["direction"]) if "direction" in rows else blank
        caller, called = (uris.bare(rows.get(name, blank)) for name in ("caller", "called"))
        payers = pc.if_else(pc.equal(ways, INCOMING), called, caller)
        own |= zip(rows["id"].to_pylist(), payers.to_pylist(), strict=True)
        made_by |= zip(rows["id"].to_pylist(), rows["parent"].to_pylist(), strict=True)
    return {maker: own.get(_first(maker, made_by), "") for maker in makers}


def _first(call: str, made_by: dict[str, str]) -> str:
    """Return the call at the beginning of those that made one another."""
    seen = {call}
    while (maker := made_by.get(call, "")) and maker not in seen:
        seen.add(maker)
        call = maker
    return call


def _made(given: dict[str, pa.StringArray], payers: dict[str, str]) -> dict[str, pa.StringArray]:
    """Return what calls say that others made: the number whose holder pays, and which way they go.

    One that goes on to a phone of the house is internal: the call that came in is a call already.
    """
    encoded = given["parent"].dictionary_encode()
    names = [payers.get(parent, "") for parent in encoded.dictionary.to_pylist()]
    paying = pa.array(names, pa.string()).take(encoded.indices)
    blank = pa.array([""] * len(paying), pa.string())
    to_phone = pc.match_substring_regex(uris.bare(given.get("called", blank)), f"{_SHORT}|[A-Za-z]")
    inside = pc.and_(pc.not_equal(paying, ""), to_phone)
    own = given.get("did", blank)
    return {
        "did": pc.if_else(pc.equal(own, ""), paying, own),
        "direction": pc.if_else(inside, INTERNAL, given.get("direction", blank)),
    }


def _decimal_mark(path: Path, pieces: Callable[[int], Iterator[text.Piece]], source: Source) -> str:
    """Return the decimal mark of a file's costs, or empty where all have points.

    Raises:
        UnusableInput: if they are not written alike, or may be read in two ways.
    """
    line_of: dict[str, int] = {}
    for piece in pieces(1 << 18):
        costs = columns.joined(piece.table).get("cost")
        if costs is None:
            return ""
        if not line_of and not pc.any(pc.match_substring(costs, ",")).as_py():
            return ""  # what follows is written as the beginning is, or refused row by row
        for line, cost in zip(piece.table["line"].to_pylist(), costs.to_pylist(), strict=True):
            line_of.setdefault(cost, line)
    try:
        cells = [Cell(line, cost) for cost, line in line_of.items()]
        return local_forms.decimal_mark(cells, source.locale)
    except BadValueError as error:
        what, todo = errors.parts(error)
        raise UnusableInput(
            f"{path}: {what}", undone="nothing was read from it", todo=todo
        ) from None


def _rows(
    given: dict[str, pa.StringArray], lines: pa.ChunkedArray, form: str, source: Source
) -> pa.Table:
    """Return rows of a batch from a file's columns by our names."""
    size = len(lines)
    given["start"] = forms.times(given["start"], form)
    unit = next(unit for unit in columns.LENGTHS if unit in given)
    given["seconds"] = forms.seconds(given[unit], unit)
    judged = {"answered": pa.array(np.ones(size, np.bool_))}
    if "answered" in given:
        given["answered"] = _dated(given["answered"], form)
        verdict = answered.judge(given["answered"], given["seconds"], source.answered)
        judged = {"answered": verdict.answered}
        if pc.any(pc.not_equal(verdict.unknown, "")).as_py():
            judged["unknown"] = verdict.unknown
        # Calls that were not answered have no length, or a negative one.
        no_length = pc.match_substring_regex(given["seconds"], r"^(-[0-9.]+)?$")
        unanswered = pc.and_(pc.invert(verdict.answered), no_length)
        given["seconds"] = pc.if_else(unanswered, "0", given["seconds"])
    if "direction" in given:
        given["direction"] = directions.read(given["direction"])
    for name in {"caller", "called", "did", "connected"} & given.keys():
        given[name] = uris.bare(given[name])
    known = {columns.FIELDS[name]: column for name, column in given.items()}
    known["seconds"] = given["seconds"]
    if source.id_prefix and "uniqueid" in known:
        known["uniqueid"] = _prefixed(known["uniqueid"], source.id_prefix)
    if "connected" in known:  # who is called pays for where the call is sent
        judged["connected"] = known["connected"]
        judged["payer"] = pc.if_else(pc.equal(known["connected"], ""), "", known["dst"])
    if "did" in known:  # so does whose phone sends it elsewhere
        other = judged.get("payer", constant("", size))
        judged["payer"] = pc.if_else(pc.equal(known["did"], ""), other, known["did"])
        forwards = pc.and_not(
            pc.match_substring_regex(known["did"], _SHORT),
            pc.match_substring_regex(known.get("src", constant("", size)), _SHORT),
        )
        judged["extension"] = pc.if_else(forwards, known["did"], "")
    if "side" in known:
        judged["side"] = pc.utf8_lower(known["side"])
    return pa.table(
        {name: known.get(name, constant("", size)) for name in FIELDS} | {"line": lines} | judged
    )


def _odd_directions(said: pa.StringArray | None, rows: pa.Table, source: Source) -> Iterator[str]:
    """Yield a note of the words in the column of directions that name none."""
    if said is None:
        return
    words = list(directions.unknown(said, rows["direction"].combine_chunks()))
    if words:
        first = ", ".join(repr(word) for word in words[:_SHOWN])
        more = f" and {len(words) - _SHOWN} more words" if len(words) > _SHOWN else ""
        yield (
            f"{source.name}: {first}{more} in the column of directions name none; which way those "
            "calls went is inferred"
        )


_SHOWN = 3
"""Most unknown words to name."""


def _dated(words: pa.StringArray, form: str) -> pa.StringArray:
    """Return words, converting those that are times of answer to the common form of times."""
    encoded = words.dictionary_encode()
    return forms.times(encoded.dictionary, form or "written").take(encoded.indices)


def _prefixed(ids: pa.StringArray, prefix: str) -> pa.StringArray:
    return pc.if_else(pc.equal(ids, ""), "", pc.binary_join_element_wise(prefix, ids, ""))
