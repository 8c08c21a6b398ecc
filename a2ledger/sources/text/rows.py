"""Parse the rows of a block of CSV text: most at once, the odd ones one by one.

Lines that are plain (:mod:`a2ledger.sources.text.quotes`) and have a known number of columns are
read by Arrow; every other line is read alone by Python's strict reader, and refused alone.
Both ways give the same row for the same text, so that it does not matter which one it took.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from a2ledger.sources.batch import constant
from a2ledger.sources.text import quotes
from a2ledger.sources.text.lines import BOM, LONGEST, Block

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOINED = 16
"""Most lines of a row with line breaks inside quotes."""

_STRETCH = 1 << 19
"""Bytes examined at once."""

Indexes = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The layout of a dialect's rows.

    ``widths`` gives, for each number of columns a row may have, the names of the columns; a
    column named ``""`` is not read. A row whose columns ``heading`` hold their own names is a
    header. ``loose`` names the columns that may hold line breaks; those not read always may.
    ``mend`` makes CSV of lines that are not quite; it leaves alone what it made.
    """

    widths: Mapping[int, tuple[str, ...]]
    heading: tuple[str, ...]
    separator: str = ","
    loose: frozenset[str] = frozenset()
    mend: Callable[[bytes], bytes] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns read, in rows of any width."""
        return tuple(dict.fromkeys(name for row in self.widths.values() for name in row if name))


class Damage(NamedTuple):
    """A line that holds no readable row, and why."""

    line: int
    reason: str
    message: str


class Reading(NamedTuple):
    """The result of reading a block. ``table`` has the layout's names and ``line``, by line.

    ``rest`` is where in the text begins what could not be decided without what follows it, and
    ``lines`` the number of lines before it, if it was counted.
    """

    table: pa.Table
    damages: list[Damage]
    raw: Callable[[int], str]
    rest: int
    lines: int | None = None


@dataclass(slots=True)
class _Text:
    """A block's text with the places of its lines."""

    text: bytes
    first: int
    array: quotes.Bytes
    ends: Indexes
    starts: Indexes
    spans: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, block: Block) -> _Text:
        array = np.frombuffer(block.text, np.uint8)
        ends = np.flatnonzero(array == ord("\n"))
        starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1] + 1])
        return cls(block.text, block.line, array, ends, starts)

    def line(self, index: int, count: int = 1) -> str:
        """Return the text of lines, with bytes that are not UTF-8 as lone surrogates."""
        text = self.text[self.starts[index] : self.ends[index + count - 1]]
        return text.removeprefix(BOM).removesuffix(b"\r").decode("utf-8", "surrogateescape")

    def raw(self, number: int) -> str:
        """Return the text of the row on a physical line, for display."""
        index = number - self.first
        text = self.line(index, self.spans.get(index, 1))
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

    def is_utf8(self, index: int) -> bool:
        """Return whether a line is UTF-8."""
        try:
            self.text[self.starts[index] : self.ends[index]].decode()
        except UnicodeDecodeError:
            return False
        return True

    def gather(self, indexes: Indexes) -> bytes:
        """Return the text of some lines, in order."""
        breaks = np.flatnonzero(np.diff(indexes) != 1) + 1
        heads = indexes[np.concatenate([[0], breaks])]
        lasts = indexes[np.concatenate([breaks - 1, [len(indexes) - 1]])]
        starts, ends = self.starts[heads].tolist(), (self.ends[lasts] + 1).tolist()
        view = memoryview(self.text)
        return b"".join(view[start:end] for start, end in zip(starts, ends, strict=True))


def read(block: Block, layout: Layout, *, fast: bool = True) -> Reading:
    """Read the rows of a block.

    Args:
        block: whole lines. Where it is not the last of its file, or the file goes on without a
            line end, a row that is still open at its end is left as ``rest``.
        layout: how the rows are laid out.
        fast: whether Arrow may be used at all; the answer is the same.
    """
    if fast and (table := _clean(block, layout)) is not None:
        lazily = functools.cache(lambda: _Text.of(block))
        return Reading(table, [], lambda line: lazily().raw(line), len(block.text), len(table))
    text = _Text.of(block)
    plain, widths = _plain(text, layout)
    if not fast:
        plain[:] = False
    slow = _Slow(text, layout, goes_on=not block.last or bool(block.tail))
    rest = slow.read(plain)
    pieces = []
    for width in np.unique(widths[plain]).tolist():
        indexes = np.flatnonzero(plain & (widths == width))
        table = _gathered(text, indexes, width, layout)
        if table is None:
            indexes = slow.sift(indexes)
            table = _gathered(text, indexes, width, layout)
        if table is None:
            slow.take(indexes)
        else:
            pieces.append(table)
    pieces.append(slow.table())
    table = pa.concat_tables(pieces).combine_chunks().sort_by("line")
    return Reading(table, sorted(slow.damages), text.raw, rest)


def _clean(block: Block, layout: Layout) -> pa.Table | None:
    """Parse the whole block at once, or None if anything in it is odd.

    It is looked at in stretches that stay in a processor's cache.
    """
    text, done, count = block.text, 0, 0
    array = np.frombuffer(text, np.uint8)
    separator = ord(layout.separator)
    tame = b"\r" not in text and b"\0" not in text
    # One byte is looked for many times as fast as several.
    if not text or (BOM[:1] in text and (text.startswith(BOM) or b"\n" + BOM in text)):
        return None
    while done < len(text):
        end = text.rfind(b"\n", done, done + _STRETCH) + 1
        marks = quotes.marks(array[done:end], separator, tame=tame)
        # A line that is too long has no line end in some half of what is allowed.
        if not end or marks.bad.any() or quotes.has_gap(marks.feeds, LONGEST // 2):
            return None
        count += quotes.total(marks.feeds)
        done = end
    first = text[: text.index(b"\n")].removesuffix(b"\r").decode("utf-8", "surrogateescape")
    width = len(strict(first, layout.separator))
    if width not in layout.widths:
        return None
    table = _parse(text, width, layout)
    if table is None or len(table) != count:
        return None
    return _complete(table, np.arange(count) + block.line, layout)


def _gathered(text: _Text, indexes: Indexes, width: int, layout: Layout) -> pa.Table | None:
    """Parse plain lines of one width at once, or None if Arrow reads another number of rows."""
    if not len(indexes):
        return None
    table = _parse(text.gather(indexes), width, layout)
    if table is None or len(table) != len(indexes):
        return None
    return _complete(table, indexes + text.first, layout)


def _plain(text: _Text, layout: Layout) -> tuple[Mask, Indexes]:
    """Return which lines Arrow may read, and every line's number of columns."""
    array, starts, ends = text.array, text.starts, text.ends
    if not len(ends):
        return np.empty(0, np.bool_), np.empty(0, np.int64)
    unpaired = quotes.unpaired(array, ends)
    if unpaired.any():
        array = array.copy()
        for start, end in zip(starts[unpaired].tolist(), ends[unpaired].tolist(), strict=True):
            array[start:end] = ord("x")
    marks = quotes.marks(array, ord(layout.separator))
    widths = quotes.counts(marks.separators, ends) + 1
    plain = ~unpaired & np.isin(widths, list(layout.widths)) & (ends - starts <= LONGEST)
    plain[np.searchsorted(ends, quotes.positions(marks.bad))] = False
    plain &= (ends > starts) & (array[starts] != BOM[0]) & (array[starts] != ord("\r"))
    return plain, widths


def _parse(text: bytes, width: int, layout: Layout) -> pa.Table | None:
    """Parse the named columns of plain text, or None if Arrow refuses it."""
    names = [name or f"-{index}" for index, name in enumerate(layout.widths[width])]
    wanted = [name for name in layout.widths[width] if name]
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(column_names=names),
            pyarrow.csv.ParseOptions(delimiter=layout.separator),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()),
                include_columns=wanted,
                strings_can_be_null=False,
            ),
        ).combine_chunks()
    except pa.ArrowInvalid:
        return None


def _complete(table: pa.Table, lines: Indexes, layout: Layout) -> pa.Table:
    """Return the table with all names of the layout, and line numbers."""
    present = set(table.column_names)
    columns = {
        name: table[name] if name in present else constant("", len(table)) for name in layout.names
    }
    return pa.table({**columns, "line": pa.array(lines, pa.int64())})


def strict(text: str, separator: str) -> list[str]:
    """Parse the fields of one row strictly (RFC 4180), unlike Python's reader.

    Raises:
        csv.Error: for quotes that are not paired or stand where none may stand.
    """
    fields = next(csv.reader([text], strict=True, delimiter=separator), [])
    if '"' in text and not _grammar(separator).fullmatch(text):
        raise csv.Error("a quote in a field that does not begin with one")
    return fields


@functools.cache
def _grammar(separator: str) -> re.Pattern[str]:
    between = re.escape(separator)
    field = f'(?:"(?:[^"]++|"")*+"|[^"{between}]*+)'
    return re.compile(f"{field}(?:{between}{field})*+")


class _Slow:
    """A reader of a block's odd lines, one by one."""

    def __init__(self, text: _Text, layout: Layout, *, goes_on: bool) -> None:
        self.text, self.layout, self.goes_on = text, layout, goes_on
        self.damages: list[Damage] = []
        self.lines: list[int] = []
        self.columns: dict[str, list[str]] = {name: [] for name in layout.names}

    def read(self, plain: Mask) -> int:
        """Read all lines that are not plain, with the lines that belong to them.

        Lines that turn out to be part of a row that begins before them, or to be left for
        later, are no longer marked plain. Returns where in the text the rest begins.
        """
        done = 0
        for index in np.flatnonzero(~plain).tolist():
            if index < done:
                continue
            if not (span := self._row(index)):
                plain[index:] = False
                return int(self.text.starts[index])
            done = index + span
            plain[index:done] = False
        return len(self.text.text)

    def sift(self, indexes: Indexes) -> Indexes:
        """Read the lines that are not UTF-8 among plain ones, and return the others."""
        good = [index for index in indexes.tolist() if self.text.is_utf8(index)]
        self.take(np.setdiff1d(indexes, good))
        return np.array(good, np.int64)

    def take(self, indexes: Indexes) -> None:
        """Read lines that are each a row."""
        for index in indexes.tolist():
            self._row(index)

    def table(self) -> pa.Table:
        """Return a table of the rows read so far."""
        columns = {name: pa.array(values, pa.string()) for name, values in self.columns.items()}
        return pa.table({**columns, "line": pa.array(self.lines, pa.int64())})

    def _row(self, index: int) -> int:
        """Read the row on a line, and return its number of lines, 0 if not yet known."""
        if self.text.ends[index] - self.text.starts[index] > LONGEST:
            return self._refuse(index, "too-long", f"the line is longer than {LONGEST} bytes")
        text = self.text.line(index)
        if not text.strip():
            return 1
        if "\0" in text:
            return self._refuse(index, "nul", "there are NUL bytes in the row")
        try:
            return self._take(index, strict(text, self.layout.separator), 1)
        except csv.Error as error:
            if _is_open(error):
                return self._join(index)
        return self._refuse(index, "quotes", "a quote stands where none may stand")

    def _join(self, index: int) -> int:
        """Read a row whose quotes are open at the end of its line, with the lines after it.

        A line that is a row by itself is never taken for a part of another.
        """
        text = self.text.line(index)
        for following in range(index + 1, index + JOINED):
            if following == len(self.text.ends):
                if self.goes_on:
                    return 0
                break
            more = self.text.line(following)
            text += "\n" + more
            if len(text) > LONGEST or self._is_row(more):
                break
            try:
                fields = strict(text, self.layout.separator)
            except csv.Error as error:
                if _is_open(error):
                    continue
                break
            if self._may_break(fields):
                return self._take(index, fields, following + 1 - index)
            break
        return self._refuse(index, "quotes", "a quote is opened and not closed")

    def _is_row(self, text: str) -> bool:
        try:
            return len(strict(text, self.layout.separator)) in self.layout.widths
        except csv.Error:
            return False

    def _may_break(self, fields: list[str]) -> bool:
        """Return whether line breaks are only where the layout allows them."""
        names = self.layout.widths.get(len(fields), ())
        return bool(names) and all(
            not name or name in self.layout.loose or "\n" not in value
            for name, value in zip(names, fields, strict=True)
        )

    def _take(self, index: int, fields: list[str], span: int) -> int:
        names = self.layout.widths.get(len(fields))
        if names is None:
            known = ", ".join(map(str, self.layout.widths))
            return self._refuse(index, "columns", f"there are {len(fields)} columns, not {known}")
        self.text.spans[index] = span
        row = dict(zip(names, fields, strict=True))
        row.pop("", None)
        for name, value in row.items():
            if not _is_encodable(value):
                return self._refuse(index, "encoding", f"{name} is not UTF-8") + span - 1
        self.lines.append(index + self.text.first)
        for name, values in self.columns.items():
            values.append(row.get(name, ""))
        return span

    def _refuse(self, index: int, reason: str, message: str) -> int:
        self.damages.append(Damage(index + self.text.first, reason, message))
        return 1


def _is_open(error: csv.Error) -> bool:
    return "unexpected end" in str(error)


def _is_encodable(text: str) -> bool:
    """Return whether a text came from UTF-8: other bytes are lone surrogates."""
    return text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text)
