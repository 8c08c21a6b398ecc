"""Files of CSV text, read as batches of rows.

Blank lines are no rows. The last line of a file is read without its line end only if it is
complete; what is not is left for the next run, and noted.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from a2ledger.feed import RAW_SHOWN, Refused, digest
from a2ledger.sources import rows
from a2ledger.sources.lines import BLOCK, LONGEST, Block, Lines
from a2ledger.sources.rows import Layout

SEPARATORS = ",;\t"


class Piece(NamedTuple):
    """Some consecutive rows: the layout's columns and ``line``, and the rows refused."""

    table: pa.Table
    refused: list[Refused]
    raw: Callable[[int], str]
    notes: tuple[str, ...]


def read(
    path: Path,
    layout: Layout | Callable[[str, Lines], Layout],
    *,
    grows: bool = False,
    fast: bool = True,
    size: int = BLOCK,
) -> Iterator[Piece]:
    """Read a file piece by piece; there is at least one.

    Args:
        path: a file of UTF-8 text, or one compressed with gzip.
        layout: the layout, or what makes it from the file's first line, which is then a header.
        grows: whether the file is a log that a switch may be writing to. Of a log, the last
            line counts as complete only if nothing can be missing from it.
        fast: whether lines may be read many at a time; the answer is the same.
        size: bytes of text in a piece.

    Raises:
        UnusableInput: if the file cannot be read, is no text or has no header.
    """
    lines = Lines(path, size)
    width, started = 0, False
    for block in lines:
        if not isinstance(layout, Layout):
            block, layout = _headed(block, layout, lines)  # noqa: PLW2901
        if block.last:
            block = _with_tail(block, layout, width if grows else None)  # noqa: PLW2901
        reading = rows.read(block, layout, fast=fast)
        rest, notes = block.text[reading.rest :], ()
        if not block.last:
            lines.push(rest)
        elif rest or block.tail:
            number = block.line + block.text.count(b"\n", 0, reading.rest)
            notes = (f"{path}:{number}: the last row is not complete yet and was left unread",)
        width = _last_width(block.text, layout) or width
        refused = [_refused(path, damage, reading.raw) for damage in reading.damages]
        if len(reading.table) or refused or notes or (block.last and not started):
            yield Piece(reading.table, refused, reading.raw, notes)
            started = True


def header(text: str, lines: Lines, required: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Names of columns and the separator, from a header line.

    Raises:
        UnusableInput: naming the required columns it lacks.
    """
    separator = max(SEPARATORS, key=text.count)
    try:
        names = tuple(name.strip().lower() for name in rows.strict(text, separator))
    except csv.Error:
        names = ()
    needed = f"the first line must name {','.join(required)}"
    if missing := [name for name in required if name not in names]:
        raise lines.unusable(f"there is no column {', '.join(missing)}", needed)
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise lines.unusable(f"the column {', '.join(twice)} is there twice", "name it once")
    return names, separator


def _headed(
    block: Block, make: Callable[[str, Lines], Layout], lines: Lines
) -> tuple[Block, Layout]:
    """Take the header, the first line that is not blank, from the first block."""
    text, number = block.text or block.tail, block.line
    while text:
        line, _, text = text.partition(b"\n")
        number += 1
        if line.strip():
            break
    else:
        raise lines.unusable("is empty", "the first line must name the columns")
    try:
        layout = make(line.decode().strip("\r"), lines)
    except UnicodeDecodeError:
        raise lines.unusable("has a header that is not UTF-8", "convert it to UTF-8") from None
    tail = block.tail if block.text else b""
    return Block(text, number, block.last, tail), layout


def _with_tail(block: Block, layout: Layout, width: int | None) -> Block:
    """The last block with what follows its last line end, if that is a complete row."""
    if len(block.tail) <= LONGEST and not _is_complete(block, layout, width):
        return block
    return Block(block.text + block.tail + b"\n" * bool(block.tail), block.line, last=True)


def _is_complete(block: Block, layout: Layout, width: int | None) -> bool:
    """Whether the text after the last line end is a whole row.

    A log must prove it: as many columns as the row before, and the last one closed by a quote,
    for of a number that is cut short one cannot tell.
    """
    fields = _fields(block.tail, layout)
    if width is None:
        return len(fields) in layout.widths
    before = _last_width(block.text, layout) or width
    return len(fields) == before and block.tail.rstrip(b"\r").endswith(b'"')


def _last_width(text: bytes, layout: Layout) -> int:
    """Number of columns of the last line, 0 if it is no row by itself."""
    width = len(_fields(text[text.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\r\n"), layout))
    return width if width in layout.widths else 0


def _fields(line: bytes, layout: Layout) -> list[str]:
    try:
        return rows.strict(line.decode("utf-8", "surrogateescape"), layout.separator)
    except csv.Error:
        return []


def _refused(path: Path, damage: rows.Damage, raw: Callable[[int], str]) -> Refused:
    text = raw(damage.line)
    return Refused(
        str(path),
        damage.line,
        damage.reason,
        f"{damage.message}; it was set aside",
        text[:RAW_SHOWN],
        f"raw-{digest(text)}",
    )
