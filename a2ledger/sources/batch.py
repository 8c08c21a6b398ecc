"""The data that a source yields: batches of rows as read, and rows refused.

A batch's ``rows`` has the string columns :data:`FIELDS` (empty where a dialect has no such
column), ``line`` (int64, the physical line a row starts on, from 1) and ``answered`` (bool). It
may have ``never`` (string): the name a row is left out under whatever the rules say, empty where
they decide; ``buy`` and ``carrier`` (strings): what a call cost to buy, and of whom; and
``unknown`` (string): the word for "answered" of a row of which it is not known what it means,
empty elsewhere. Such a row is refused where people talked. ``payer`` (string) identifies who pays
where nothing that a rule asks for does; ``side`` is ``b`` for a leg that the switch made for
another one, in logs that hold both; ``connected`` is the number that took the call, where a log
names it beside the one that was called.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.errors import UNUSABLE, ExpectedError
from a2ledger.records import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

FIELDS = (
    "accountcode",
    "peeraccount",
    "channel",
    "dstchannel",
    "src",
    "dst",
    "did",
    "userfield",
    "context",
    "application",
    "start",
    "seconds",
    "duration",
    "uniqueid",
    "sequence",
    "cost",
    "lastdata",
    "linkedid",
    "answer",
    "end",
    "direction",
)
"""The columns every dialect's rows have. ``lastdata`` holds the arguments of the application,
``linkedid`` what the rows of one call have in common, and ``direction`` one of :data:`DIRECTIONS`,
or empty if the row does not say.
"""

OUTGOING, INCOMING, INTERNAL = DIRECTIONS = ("outgoing", "incoming", "internal")
"""Directions of a call: out by a trunk, in by one, or between the customer's own phones."""

RAW_SHOWN = 1 << 16
"""Most characters kept of a refused row: as many as the longest line that is read."""

NO_CALL = "no-call"
"""Reason for leaving out a line that is no call: a total, a remark, or types of columns."""

CALL = "call"
"""Head of a row whose text is a call as stored in the book, in JSON."""

ENTRY = "entry"
"""Head of a row whose text is a journal entry."""

TABLE = "table"
"""Head of a refused row that every import reads again anyway."""

_GATHERED, _GATHERED_ROWS = 1024, 1 << 16
"""Most batches, and rows, that are merged into one batch: it is held in memory as a whole."""

BOND = "bond"
"""Column of the leg that a leg was last connected with, in rows of FreeSWITCH's files."""


class UnusableInput(ExpectedError):  # noqa: N818 - it is the input that is at fault
    """A whole file cannot be used: ``FILE:LINE: problem; what was not done; what to do``."""

    exit_code = UNUSABLE


class BadFileError(UnusableInput):
    """A file of which nothing is taken because some rows are wrong. Each problem has its line."""

    def __init__(self, problems: Sequence[Problem], undone: str, todo: str) -> None:
        super().__init__("\n".join(map(str, problems)), undone, todo)
        self.problems = list(problems)

    def lines(self) -> list[str]:
        """Return a line for each problem."""
        whole = ((row, row.undone or self.undone, row.todo or self.todo) for row in self.problems)
        return [row._replace(undone=undone, todo=todo).line_of_error for row, undone, todo in whole]


class Refused(NamedTuple):
    """A row that cannot be posted now.

    ``line`` is the physical line the row starts on, ``reason`` the short name it is counted
    under, ``message`` is for a person, ``raw`` the row's own text. ``identity`` is the call's
    id if it has one, else a digest of the raw text. ``head`` is what must stand before the text for
    it to be read again, mostly the file's first line; or :data:`CALL` or :data:`ENTRY`. ``day``
    and ``customer`` are the call's, as far as the row tells: an ISO date, an id.
    """

    file: str
    line: int
    reason: str
    message: str
    raw: str
    identity: str
    head: str = ""
    day: str = ""
    customer: str = ""

    @property
    def where(self) -> str:
        """Return where to find the row: file and line, or for a table the row's id."""
        return f"{self.file} {self.identity}" if "://" in self.file else f"{self.file}:{self.line}"


class Place(NamedTuple):
    """How far a file has been read: bytes of the file as stored, and the next line.

    ``line`` is 0 where reading cannot go on from there, as in what is compressed.
    """

    offset: int = 0
    line: int = 0


START = Place(0, 1)


class Span(NamedTuple):
    """The span of starts that is wanted: aware times, ``until`` excluded, or None."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None


ALWAYS = Span()


class Origin(NamedTuple):
    """Files and lines of a batch's rows that come from several files, in order."""

    files: pa.StringArray
    lines: pa.Int64Array

    def at(self, index: int) -> tuple[str, int]:
        """Return the file and line of a row."""
        return self.files[index].as_py(), self.lines[index].as_py()


class Batch(NamedTuple):
    """Consecutive rows of one file, or rows of several files with their ``origin``.

    With an origin, ``line`` numbers the batch's rows from 1. ``refused`` are the rows that could
    not even be read; they are not in ``rows``. ``raw`` gives the text of the row that bears a
    number in ``line``. ``notes`` say what a person may want to know though no row was refused,
    such as a last line that is still being written. ``place`` is how far the file has been read,
    if the dialect knows; ``head`` is what must stand before a row's text for it to be read alone,
    such as the names of its columns.
    """

    file: str
    rows: pa.Table
    refused: list[Refused]
    raw: Callable[[int], str]
    notes: tuple[str, ...] = ()
    place: Place = Place()
    origin: Origin | None = None
    head: str = ""

    def origins(self, lines: pa.Int64Array) -> Origin:
        """Return the files and physical lines of rows by their numbers in ``line``."""
        if self.origin is None:
            return Origin(constant(self.file, len(lines)), lines)
        index = pc.subtract(lines, 1)
        return Origin(self.origin.files.take(index), self.origin.lines.take(index))


def digest(text: str) -> str:
    """Return a short identity for a text that has none of its own."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]


BY_TEXT = "raw-"
"""With what the identity of a row begins that nothing but its text names."""


def named_by_text(raw: str) -> str:
    """Return the identity of a refused row that has none of its own."""
    return f"{BY_TEXT}{digest(raw)}"


def refuse(batch: Batch, line: int, reason: str, message: str, identity: str = "") -> Refused:
    """Return the row on a line of a batch as refused."""
    raw = batch.raw(line)
    file, place = batch.origin.at(line - 1) if batch.origin else (batch.file, line)
    # A million rows may be refused for the same reason: each holds that text once.
    return Refused(
        _once(file),
        place,
        reason,
        _once(message),
        raw[:RAW_SHOWN],
        identity or named_by_text(raw),
        batch.head,
    )


@functools.lru_cache(maxsize=10_000)
def _once(text: str) -> str:
    """Return a text as the object that it was before, if it was not long ago."""
    return text


def gathered(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield batches in order, merging small ones: a switch may write a file per call."""
    waiting: list[Batch] = []
    rows = 0
    for batch in batches:
        if waiting and (
            rows + len(batch.rows) > _GATHERED_ROWS
            or len(waiting) == _GATHERED
            or batch.rows.schema != waiting[0].rows.schema
            or batch.head != waiting[0].head
        ):
            yield _joined(waiting)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += len(batch.rows)
    if waiting:
        yield _joined(waiting)


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    rows = pa.concat_tables([batch.rows for batch in batches]).combine_chunks()
    ends = np.cumsum([len(batch.rows) for batch in batches])
    origins = [batch.origins(batch.rows["line"].combine_chunks()) for batch in batches]
    origin = Origin(
        pa.concat_arrays([part.files for part in origins]),
        pa.concat_arrays([part.lines for part in origins]),
    )
    own = rows["line"].to_pylist()
    numbers = pa.array(np.arange(1, len(rows) + 1))

    def raw(line: int) -> str:
        part = batches[int(np.searchsorted(ends, line))]
        return part.raw(own[line - 1])

    return Batch(
        batches[0].file,
        rows.set_column(rows.column_names.index("line"), "line", numbers),
        [row for batch in batches for row in batch.refused],
        raw,
        tuple(note for batch in batches for note in batch.notes),
        origin=origin,
        head=batches[0].head,
    )


def constant(value: str, count: int) -> pa.StringArray:
    """Return an array of one repeated text, which takes no space per row if it is empty."""
    if value:
        return pa.array([value]).take(pa.array(np.zeros(count, np.int32)))
    offsets = pa.py_buffer(np.zeros(count + 1, np.int32))
    return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(b""))
