"""Text in columns: tables and paragraphs for a terminal, where a character is 0 to 2 wide."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

WIDTH = 79
"""Columns of a text document."""

_NARROWEST = 12
"""Least columns of a wrapped column of a table."""

_WIDEST = 30
"""Most columns of an ordinary left-aligned column of a table."""

_RULE = ["---"]


def cells(*values: object) -> str:
    """Return one row of a :func:`table`, where a list stands for a cell per item.

    Cells are set apart by what no value holds, as all white space in one is made plain.
    """
    lists = (value if isinstance(value, list) else [value] for value in values)
    return "\t".join(" ".join(str(value).split()) for value in itertools.chain(*lists))


def table(block: str, alignment: str) -> str:
    """Lay out rows of cells in columns as wide as they need, and rows ``---`` as rules.

    Args:
        block: one row of :func:`cells` a line; empty lines are left out.
        alignment: a character a column. ``>``: right and never broken, so that an amount
            stays whole; ``<``: left; ``*``: left, for one column, wrapped into the room
            that the others leave.
    """
    rows = [line.split("\t") for line in block.split("\n") if line]
    widths = _widths([row for row in rows if row != _RULE], alignment)
    lines: list[str] = []
    for row in rows:
        if row == _RULE:
            lines.append("-" * (sum(widths) + 2 * len(widths) - 2))
        else:
            lines += _table_row(row, widths, alignment)
    return "".join(f"{line}\n" for line in lines)


def _widths(rows: Sequence[Sequence[str]], alignment: str) -> list[int]:
    """Return the widths columns need, giving the wrapping column the room that remains."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for index, align in enumerate(alignment):
        if align == "<":
            widths[index] = min(widths[index], _WIDEST)
    if "*" in alignment:
        wrapped = alignment.index("*")
        others = sum(widths) - widths[wrapped] + 2 * len(widths) - 2
        widths[wrapped] = min(widths[wrapped], max(_NARROWEST, WIDTH - others))
    return widths


def _table_row(row: Sequence[str], widths: Sequence[int], alignment: str) -> Iterator[str]:
    """Yield the lines of one row, as many as its longest wrapped cell needs."""
    wrapped = [
        [cell] if align == ">" else fitted(cell, width)
        for cell, width, align in zip(row, widths, alignment, strict=True)
    ]
    for line in itertools.zip_longest(*wrapped, fillvalue=""):
        filled = (
            padded(cell, width, right=align == ">")
            for cell, width, align in zip(line, widths, alignment, strict=True)
        )
        yield "  ".join(filled).rstrip()


def wrapped(text: str, width: int = WIDTH, indent: str = "") -> str:
    """Wrap text to a width, keeping its own line breaks, with each line indented."""
    own_lines = text.split("\n")
    lines = (line for own in own_lines for line in fitted(own, width - len(indent)))
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def fitted(text: str, width: int) -> list[str]:
    """Split text into lines of a width, breaking words that are longer."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".lstrip()
        if columns(joined) <= width:
            lines[-1] = joined
            continue
        *full, rest = _pieces(word, width)
        lines += [*full, rest]
    return lines[1:] if lines[0] == "" and len(lines) > 1 else lines


def _pieces(word: str, width: int) -> list[str]:
    """Split a word into pieces no wider than a width."""
    pieces = [""]
    for character in word:
        if columns(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def padded(text: str, width: int, *, right: bool) -> str:
    """Return a text with spaces after it, or before it, up to a width in columns."""
    room = " " * (width - columns(text))
    return room + text if right else text + room


def columns(text: str) -> int:
    """Return the columns a text takes in a terminal: two for a wide character, none for a mark."""
    if text.isascii():
        return len(text)
    from wcwidth import wcswidth  # noqa: PLC0415 - its tables take longer to load than most tables

    width = wcswidth(text)
    return width if width >= 0 else len(text)
