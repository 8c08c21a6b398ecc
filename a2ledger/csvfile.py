"""Read and write CSV: columns by name, rows with their lines, cells safe for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from a2ledger.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


FORMULA = r"^[=+\-@\t\r\x00]"
"""Beginnings of cells that a spreadsheet may run as a formula."""

NUMBER = r"^[+-]?[0-9]+([.][0-9]+)?$"
"""Cells that a spreadsheet reads as a number, so that a leading + or - is harmless."""


def cell(text: str) -> str:
    """Return a text as a CSV cell that no spreadsheet takes for a formula.

    >>> cell("=1+1"), cell("+32255501"), cell("Anna")
    ("'=1+1", '+32255501', 'Anna')
    """
    return f"'{text}" if re.match(FORMULA, text) and not re.match(NUMBER, text) else text


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns of equal length, with stripped cells. Cells missing at a row's end are empty."""

    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    """Line of the file on which each row ends."""
    separator: str = ","
    ignored: tuple[str, ...] = ()
    """Columns of the header that are not read."""


def read(
    text: str,
    *,
    file: str,
    known: Sequence[str],
    required: Sequence[str],
    aliases: Mapping[str, str] | None = None,
    rename: Callable[[Sequence[str]], Sequence[str]] | None = None,
    separators: str = ";",
) -> tuple[Table, list[Problem]]:
    """Read the known columns of a CSV text with a header.

    The header's order is free and decides the separator. A byte order mark,
    empty lines and lines that begin with ``#`` are skipped.

    Args:
        text: the whole file.
        file: its name in problems.
        known: columns to take.
        required: those that must be in the header.
        aliases: other names of columns.
        rename: what the names of a header mean, if aliases do not say it.
        separators: what may stand between columns in place of ``,``.

    Returns:
        The table of the rows that could be read, and a problem for each other row.
    """
    reader = csv.reader(
        _without_comments(text), delimiter=_separator(text, separators), strict=True
    )
    table = Table(columns={}, lines=(), separator=reader.dialect.delimiter)
    problems: list[Problem] = []
    rows = _rows(reader, file, problems)
    header = next(rows, None)
    if header is None:
        if not problems:
            problems.append(
                Problem(file, 0, "empty", "is empty", todo="its first line names columns")
            )
        return table, problems
    line, cells = header
    names = [(aliases or {}).get(name, name) for name in map(str.lower, cells)]
    if rename is not None:
        names = list(rename(cells))
    if wrong := _wrong_header(names, known, required):
        message, todo = wrong
        problems.append(Problem(file, line, "bad-header", message, todo=todo))
        return table, problems
    kept = []
    for line, row in rows:
        if any(row[len(names) :]):
            problems.append(_too_wide(file, line, row, names, table.separator))
        else:
            kept.append((line, row))
    places = {name: names.index(name) for name in known if name in names}
    columns = {
        name: [row[place] if place < len(row) else "" for _, row in kept]
        for name, place in places.items()
    }
    return Table(
        columns=columns,
        lines=[line for line, _ in kept],
        separator=table.separator,
        ignored=tuple(name for name in names if name and name not in places),
    ), problems


def _without_comments(text: str) -> Iterator[str]:
    for line in io.StringIO(text.removeprefix("\ufeff"), newline=""):
        yield "\n" if line.lstrip().startswith("#") else line


def _separator(text: str, others: str) -> str:
    header = next((line for line in _without_comments(text) if line.strip()), "")
    return max(("," + others), key=header.count)


def _rows(
    reader: Iterator[list[str]], file: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield line and stripped cells of each row that is not empty, up to the first bad quote."""
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells  # type: ignore[attr-defined]
    except csv.Error as error:
        problems.append(
            Problem(
                file,
                reader.line_num,  # type: ignore[attr-defined]
                "bad-csv",
                f"cannot be read as CSV ({error})",
                todo="look for a stray or missing quote",
            )
        )


def _wrong_header(
    names: Sequence[str], known: Sequence[str], required: Sequence[str]
) -> tuple[str, str] | None:
    """Return what is wrong with a header, and the remedy, or None if nothing is."""
    twice = next((name for name in known if names.count(name) > 1), None)
    if twice:
        return f"names the column {twice} twice", "keep one"
    if missing := [name for name in required if name not in names]:
        return f"has no column {', '.join(missing)}", "the first line must name the columns"
    return None


def _too_wide(
    file: str, line: int, row: Sequence[str], names: Sequence[str], separator: str
) -> Problem:
    hint = "with decimal commas put ; between columns" if separator == "," else "put it in quotes"
    return Problem(
        file,
        line,
        "bad-row",
        f"has {len(row)} cells under {len(names)} columns",
        todo=f"if one contains {separator!r}, {hint}",
    )


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Format rows as CSV text with plain line ends."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
