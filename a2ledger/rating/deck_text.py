"""Edit the text of a deck: end and add rates, and keep everything else as it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from a2ledger.rating import columns
from a2ledger.rating.deck import Read

_MOST_LINES = 50
"""Most lines that one row may span."""

_FIRST = ("dialprefix", "destination", "rateinitial")
"""Columns every new deck has."""


def changed(
    text: str,
    old: Read | None,
    ended: Mapping[int, str],
    added: Sequence[Mapping[str, str]],
    *,
    wanted: str = ",",
) -> str:
    """Return the text of a deck with some rows ended and others added.

    Args:
        text: of the deck.
        old: the deck as it was read; None if it is new.
        ended: ``stopdate`` of rows, by their place among the rows that name a prefix.
        added: rows to come, by column.
        wanted: the separator of a new deck.
    """
    if old is None:
        return _new(added, wanted)
    table, names = old.table, list(old.names)
    lines = list(io.StringIO(text, newline=""))  # as a CSV has them: a form feed ends none
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    separator = table.separator
    head = _header_line(lines)
    used = {column for row in added for column, cell in row.items() if cell}
    used |= {"stopdate"} if ended else set()
    missing = [column for column in columns.COLUMNS if column in used and column not in names]
    if missing:
        bare = lines[head].rstrip("\r\n")
        lines[head] = bare + "".join(separator + column for column in missing) + end
        names += missing
    for place, stop in ended.items():
        _end(lines, table.lines[place], separator, names.index("stopdate"), stop)
    body = "".join(lines)
    if body and not body.endswith("\n"):
        body += end
    return body + _written(([row.get(name, "") for name in names] for row in added), separator, end)


def _new(added: Sequence[Mapping[str, str]], separator: str) -> str:
    used = {column for row in added for column, cell in row.items() if cell} | {*_FIRST}
    names = [column for column in _FIRST if column in used]
    names += [column for column in columns.COLUMNS if column in used and column not in names]
    rows = [names, *([row.get(name, "") for name in names] for row in added)]
    return _written(rows, separator, "\n")


def _written(rows: Iterable[Sequence[str]], separator: str, end: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator=end).writerows(rows)
    return out.getvalue()


def _header_line(lines: Sequence[str]) -> int:
    return next(
        place
        for place, line in enumerate(lines)
        if line.strip("\ufeff \t\r\n") and not line.lstrip("\ufeff ").startswith("#")
    )


def _end(lines: list[str], last: int, separator: str, place: int, stop: str) -> None:
    """Set the ``stopdate`` of the row that ends on a line, rewriting the row on one line."""
    for count in range(1, _MOST_LINES):
        chunk = "".join(lines[last - count : last])
        rows = [
            row for row in csv.reader(io.StringIO(chunk, newline=""), delimiter=separator) if row
        ]
        if len(rows) == 1 and chunk.count('"') % 2 == 0:
            break
    cells = rows[-1] + [""] * (place + 1 - len(rows[-1]))
    cells[place] = stop
    end = "\r\n" if chunk.endswith("\r\n") else "\n"
    # The lines of the text keep their numbers: those a row no longer needs are left empty.
    lines[last - count : last] = [""] * (count - 1) + [_written([cells], separator, end)]
