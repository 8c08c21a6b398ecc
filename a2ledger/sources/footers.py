"""Recognise lines of a report that are no calls: totals, remarks, types of columns."""

from __future__ import annotations

import csv
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources.batch import NO_CALL, Refused
from a2ledger.sources.text import Piece, rows

_TOTAL = (
    r"(?i)^\W*(?:grand[ -]?|sub[ -]?|over ?all )?"
    r"(?:totals?|totaux|totale?s?|totaal|sum|sums|summary|summe|gesamt(?:summe)?|suma|summa)\b"
)
_REMARK = (
    r"(?i)^\W*(?:(?:report|generated|created|exported|printed|downloaded|filters?)\b"
    r"|page \d|end of |(?:number|count) of |\d+ (?:rows?|records?|calls?|entries)\W*$"
    r"|(?:rows?|records?|calls?|entries)\W* \d+\W*$)"
)
_TYPE = re.compile(
    r"(?:(?:big|small|tiny)?int(?:eger)?|(?:n?var)?char|text|uniqueidentifier|uuid|date(?:time)?"
    r"|timestamp|time|double|float|decimal|numeric|bool(?:ean)?|bit)(?: ?\(\d+(?:, ?\d+)?\))?",
    re.IGNORECASE,
)


def marked(piece: Piece) -> tuple[Piece, pa.StringArray | None]:
    """Return a piece whose rows include the lines that are no calls, and a mark on those.

    Args:
        piece: with a column ``start`` in its table, or ``start+0``.

    Returns:
        the piece, less what was refused only because it is no row; and for each of its rows
        :data:`NO_CALL` or an empty text, or None where all are rows.
    """
    table, lines, separator = piece.table, set[int](), piece.separator
    for line in _odd(table):
        cells = _cells(piece.raw(line), separator)
        if _is_total(cells) or _are_types(cells) or not any(cells):
            lines.add(line)
    remarks = [row for row in piece.refused if _is_remark(row, separator)]
    if not lines and not remarks:
        return piece, None
    texts = {name: [""] * len(remarks) for name in table.column_names if name != "line"}
    added = pa.table(
        {name: pa.array(values, pa.string()) for name, values in texts.items()}
        | {"line": pa.array([row.line for row in remarks], pa.int64())}
    )
    if remarks:
        every = pa.concat_tables([table, added.select(table.column_names)])
        table = every.combine_chunks().sort_by("line")
    lines.update(row.line for row in remarks)
    no_call = np.isin(table["line"].to_numpy(), list(lines))
    refused = [row for row in piece.refused if row not in remarks]
    never = pc.if_else(pa.array(no_call), NO_CALL, "")
    return piece._replace(table=table, refused=refused), never


def _odd(table: pa.Table) -> list[int]:
    """Return the lines of rows whose start has no digit, or is a word for a total."""
    name = next(name for name in table.column_names if re.search(r"\bstart(\+0)?\b", name))
    start = table[name]
    odd = pc.invert(pc.match_substring_regex(start, "[0-9]"))
    odd = pc.or_(odd, pc.match_substring_regex(start, _TOTAL))
    return list(table["line"].filter(odd).to_pylist()) if pc.any(odd).as_py() else []


def _is_total(cells: list[str]) -> bool:
    first = next(filter(None, cells), "")
    return re.match(_TOTAL, first) is not None


def _are_types(cells: list[str]) -> bool:
    return any(cells) and all(not cell or _TYPE.fullmatch(cell) for cell in cells)


def _is_remark(row: Refused, separator: str) -> bool:
    """Return whether a line with a wrong number of columns is a remark or a total."""
    if row.reason != "columns":
        return False
    cells = _cells(row.raw, separator)
    first = next(filter(None, cells), "")
    return not first or _is_total(cells) or re.match(_REMARK, first) is not None


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in rows.strict(line, separator)]
    except csv.Error:
        return []
