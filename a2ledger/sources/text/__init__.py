"""Read files of CSV text in pieces of consecutive rows.

Blank lines are no rows. The last line of a file is read without its line end only if it is
complete; what is not is left for the next run, and noted.
"""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources import usual_names
from a2ledger.sources.batch import RAW_SHOWN, START, Place, Refused, UnusableInput, named_by_text
from a2ledger.sources.text import rows
from a2ledger.sources.text.lines import BLOCK, BOM, LONGEST, Block, Lines
from a2ledger.sources.text.rows import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

SEPARATORS = ",;\t"
"""Possible separators of a file with a header. The header shows which is used."""

HEADER_ROW = "it is a line of column names"

_TITLES = 50
"""Most lines of a file searched for its header. Reports have titles above it."""


class Piece(NamedTuple):
    """Consecutive rows: the layout's columns and ``line``, and the rows refused.

    ``place`` is where what follows them begins, ``head`` the line that names the columns,
    ``separator`` what stands between them.
    """

    table: pa.Table
    refused: list[Refused]
    raw: Callable[[int], str]
    notes: tuple[str, ...]
    place: Place = Place()
    head: str = ""
    separator: str = ","


@dataclass(frozen=True, slots=True)
class Header:
    """Columns that a file's first line must or may name, in any order and case.

    ``loose`` are those whose values may run over several lines. Where ``usual`` is not None,
    columns are recognised by :mod:`usual words <a2ledger.sources.usual_names>` for them, too; it
    says which of ours has another name here.
    """

    required: tuple[str, ...]
    known: tuple[str, ...]
    loose: tuple[str, ...] = ()
    usual: Mapping[str, str] | None = None

    def fits(self, line: str) -> bool:
        """Return whether a line may be the header, which lines of titles may precede.

        Without further knowledge the first line is.
        """
        return bool(line.strip())

    def layout(self, line: str, lines: Lines) -> tuple[Layout, tuple[str, ...]]:
        """Return the layout a header line describes, and a note on unknown columns.

        Raises:
            UnusableInput: naming what it lacks or names twice.
        """
        separator = max(SEPARATORS, key=line.count)
        try:
            names = [name.strip().lower() for name in rows.strict(line, separator)]
        except csv.Error:
            names = []
        needed = f"the first line must name {','.join(self.required)}"
        notes: tuple[str, ...] = ()
        if self.usual is not None:
            needed += "; `a2ledger import --help` shows every table with an example"
            if others := usual_names.recognised(self.known, names, self.usual):
                taken = ", ".join(f"{theirs} as {ours}" for theirs, ours in others.items())
                notes = (f"note: {lines.path}:1: read {taken}",)
            names = [others.get(name, name) for name in names]
        if missing := [name for name in self.required if name not in names]:
            raise lines.unusable(f"there is no column {', '.join(missing)}", needed)
        if twice := sorted({name for name in names if name and names.count(name) > 1}):
            raise lines.unusable(f"the column {', '.join(twice)} is there twice", "name it once")
        ignored = [name for name in names if name and name not in self.known]
        if ignored:
            notes += (f"{lines.path}:1: columns ignored: {', '.join(ignored)}",)
        columns = tuple(name if name in self.known else "" for name in names)
        return (
            Layout(
                widths={len(columns): columns},
                heading=self.required,
                separator=separator,
                loose=frozenset(self.loose),
            ),
            notes,
        )


def read(
    path: Path,
    shape: Layout | Header,
    *,
    grows: bool = False,
    encoding: str = "utf-8",
    fast: bool = True,
    size: int = BLOCK,
    begin: Place = START,
) -> Iterator[Piece]:
    """Read a file in at least one piece.

    Args:
        path: a file of text, or one compressed with gzip.
        shape: the layout of the rows, or the header the file must begin with.
        grows: whether the file is a log that a switch may be writing to. Of a log, the last
            line counts as complete only if nothing can be missing from it.
        encoding: of the text.
        fast: whether lines may be read many at a time; the answer is the same.
        size: bytes of text in a piece.
        begin: where an earlier reading ended.

    Raises:
        UnusableInput: if the file cannot be read, is no text or lacks its header.
    """
    lines = Lines(path, size, encoding, begin)
    layout = shape if isinstance(shape, Layout) else None
    width, empty = 0, True
    notes: tuple[str, ...] = ()
    header = ""
    for raw_block in lines:
        block = raw_block
        if layout is None:
            assert isinstance(shape, Header)  # noqa: S101 - for the type checker
            block, header = _headed(block, lines, shape.fits)
            if not header.strip():
                continue
            layout, notes = shape.layout(header, lines)
            notes += _above(raw_block, block, path)
        if layout.mend is not None:
            mended = layout.mend(block.text), layout.mend(block.tail)
            block = block._replace(text=mended[0], tail=mended[1])
        if block.last:
            block = _with_tail(block, layout, width if grows else None)
        reading = rows.read(block, layout, fast=fast)
        rest = _same_line(block.text, reading.rest, raw_block.text)
        if not block.last:
            lines.push(raw_block.text[rest:])
        piece = _piece(path, block, reading, layout, notes)
        counted = reading.lines if block is raw_block else None
        place = lines.place(raw_block, rest, counted)
        piece = piece._replace(place=place, head=header.strip(), separator=layout.separator)
        if len(piece.table) or piece.refused or piece.notes or (block.last and empty):
            yield piece
            empty, notes = False, ()
        width = _last_width(block.text, layout) if block.text else width


def first_line(path: Path, encoding: str = "utf-8") -> str:
    """Return the first line of a file that is not blank, or empty.

    Raises:
        UnusableInput: as :func:`read`.
    """
    for block in Lines(path, LONGEST, encoding):
        for line in (*block.text.split(b"\n"), block.tail):
            if text := line.removeprefix(BOM).decode("utf-8", "replace").strip():
                return text
    return ""


def with_heads(refused: Iterable[Refused], encoding: str = "utf-8") -> list[Refused]:
    """Return refused rows, each with the first line of its file as ``head``.

    Whether that is a header or a row like others does not matter: who reads a row again takes
    what begins on its own line alone.
    """
    heads: dict[str, str] = {}
    completed = []
    for row in refused:
        if row.line > 1 and not row.head:
            if row.file not in heads:
                try:
                    heads[row.file] = first_line(Path(row.file), encoding)
                except UnusableInput:  # rotated away meanwhile
                    heads[row.file] = ""
            row = row._replace(head=heads[row.file])  # noqa: PLW2901
        completed.append(row)
    return completed


def _same_line(text: bytes, place: int, other: bytes) -> int:
    """Return the place in another text of the line with as many lines after it as this one."""
    place_there = len(other)
    for _ in range(text.count(b"\n", place) + 1 if place < len(text) else 0):
        place_there = other.rfind(b"\n", 0, place_there)
    return place_there + 1 if place < len(text) else place_there


def _piece(
    path: Path, block: Block, reading: rows.Reading, layout: Layout, notes: tuple[str, ...]
) -> Piece:
    damages = list(reading.damages)
    table = reading.table
    headings = _headings(table, layout)
    if headings is not None:
        numbers = table["line"].filter(headings).to_pylist()
        damages += [rows.Damage(line, "header", HEADER_ROW) for line in numbers if line > 1]
        table = table.filter(pc.invert(headings))
    if block.last and (block.tail or reading.rest < len(block.text)):
        number = block.line + block.text.count(b"\n", 0, reading.rest)
        notes += (f"{path}:{number}: what begins here is not complete yet and was left unread",)
    refused = [_refused(path, damage, reading.raw) for damage in sorted(damages)]
    return Piece(table, refused, reading.raw, notes)


def _headings(table: pa.Table, layout: Layout) -> pa.BooleanArray | None:
    """Return which rows repeat the names of columns, or None if none does."""
    mask = None
    for name in layout.heading:
        same = pc.equal(table[name], name)
        mask = same if mask is None else pc.and_(mask, same)
        if not pc.any(mask).as_py():
            return None
    return mask


def _headed(block: Block, lines: Lines, fits: Callable[[str], bool]) -> tuple[Block, str]:
    """Split the header from a block: the first line that fits, else the first not blank.

    Returns:
        what follows it, and the header; "" where all lines are blank.
    """
    candidates = list(itertools.islice(_written(block), _TITLES))
    if not candidates and block.last:
        raise lines.unusable("is empty", "the first line must name the columns")
    if not candidates:
        return block._replace(text=b"", line=block.line + block.text.count(b"\n")), ""
    header, end = next((line for line in candidates if fits(line[0])), candidates[0])
    if not header.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in header):
        raise lines.unusable("has a header that is not UTF-8", "convert it to UTF-8")
    text = block.text or block.tail
    number = block.line + text.count(b"\n", 0, end) + (end > len(text))
    return block._replace(
        text=text[end:], line=number, tail=block.tail if block.text else b""
    ), header


def _written(block: Block) -> Iterator[tuple[str, int]]:
    """Yield the lines of a block that are not blank, each with the next line's place."""
    text, begin = block.text or block.tail, 0
    while begin < len(text):
        end = text.find(b"\n", begin) + 1 or len(text) + 1
        line = text[begin : end - 1].removeprefix(BOM).decode("utf-8", "surrogateescape")
        if line.strip():
            yield line.rstrip("\r"), end
        begin = end


def _above(block: Block, rest: Block, path: Path) -> tuple[str, ...]:
    """Return a note on lines above the header, if there is text in them."""
    _, first = next(_written(block))
    before = (block.text or block.tail).count(b"\n", 0, first)
    if block.line + max(before, 1) >= rest.line:
        return ()
    return (f"{path}:{rest.line - 1}: the columns are named here; what stands above is not read",)


def _with_tail(block: Block, layout: Layout, width: int | None) -> Block:
    """Return the last block with its unfinished last line added, if that is a complete row."""
    if not block.tail.strip():
        return block._replace(tail=b"")
    if not (len(block.tail) > LONGEST or _is_complete(block, layout, width)):
        return block
    return block._replace(text=block.text + block.tail + b"\n", tail=b"")


def _is_complete(block: Block, layout: Layout, width: int | None) -> bool:
    """Return whether the text after the last line end is a complete row.

    A log must prove it: as many columns as the row before, and the last one closed by a quote,
    for of a number that is cut short one cannot tell.
    """
    width_here = _last_width(block.tail, layout)
    if width is None:
        return width_here > 0
    before = _last_width(block.text, layout) if block.text else width
    return 0 < width_here == before and block.tail.rstrip(b"\r").endswith(b'"')


def _last_width(text: bytes, layout: Layout) -> int:
    """Return the number of columns of the last line, 0 if it is no row by itself."""
    line = text[text.rfind(b"\n", 0, -1) + 1 :].rstrip(b"\r\n")
    if len(line) > LONGEST:
        return 0
    try:
        fields = rows.strict(line.decode("utf-8", "surrogateescape"), layout.separator)
    except csv.Error:
        return 0
    return len(fields) if len(fields) in layout.widths else 0


def _refused(path: Path, damage: rows.Damage, raw: Callable[[int], str]) -> Refused:
    text = raw(damage.line)
    return Refused(
        str(path),
        damage.line,
        damage.reason,
        damage.message,
        text[:RAW_SHOWN],
        named_by_text(text),
    )


class Records(NamedTuple):
    """The rows of a small file: line number and values by column name."""

    rows: list[tuple[int, dict[str, str]]]
    refused: list[Refused]
    raw: Callable[[int], str]
    notes: tuple[str, ...]

    def text(self, line: int) -> str:
        """Return the text of the row on a line, or empty."""
        try:
            return self.raw(line)
        except KeyError:
            return ""


def records(path: Path, header: Header, encoding: str = "utf-8") -> Records:
    """Read a whole file with a header, stripping values.

    Raises:
        UnusableInput: as :func:`read`.
    """
    parsed: list[tuple[int, dict[str, str]]] = []
    refused: list[Refused] = []
    notes: tuple[str, ...] = ()
    texts: dict[int, str] = {}
    for piece in read(path, header, encoding=encoding):
        for row in piece.table.to_pylist():
            line = row.pop("line")
            texts[line] = piece.raw(line)
            parsed.append((line, {name: value.strip() for name, value in row.items()}))
        refused += piece.refused
        notes += piece.notes
    return Records(parsed, refused, texts.__getitem__, notes)
