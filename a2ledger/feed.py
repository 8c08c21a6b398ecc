"""What a source hands on: batches of rows as they were read, and rows that were refused.

A batch's ``rows`` has the string columns :data:`FIELDS` (empty where a dialect has no such
column), ``line`` (int64, the physical line a row starts on, from 1) and ``answered`` (bool).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

FIELDS = (
    "accountcode",
    "peeraccount",
    "channel",
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
)
"""The columns every dialect's rows have."""

RAW_SHOWN = 4096
"""Characters of a refused row that are kept."""


class UnusableInput(Exception):  # noqa: N818 - it is the input that is at fault
    """A whole file cannot be used: ``FILE:LINE: what; what was not done; what to do``."""


class Refused(NamedTuple):
    """A row that cannot be posted now.

    ``line`` is the physical line the row starts on, ``reason`` the short name it is counted
    under, ``message`` is for a person, ``raw`` the row's own text. ``identity`` is the call's
    id if it has one, else a digest of the raw text.
    """

    file: str
    line: int
    reason: str
    message: str
    raw: str
    identity: str


class Place(NamedTuple):
    """How far a file has been read: bytes of the file as it lies there, and the next line.

    ``line`` is 0 where reading cannot go on from there, as in what is compressed.
    """

    offset: int = 0
    line: int = 0


START = Place(0, 1)


class Batch(NamedTuple):
    """Some consecutive rows of one file.

    ``refused`` are the rows that could not even be read; they are not in ``rows``. ``raw``
    gives the text of the row that starts on a line. ``notes`` say what a person may want to
    know though no row was refused, such as a last line that is still being written. ``place``
    is how far the file has been read, if the dialect knows.
    """

    file: str
    rows: pa.Table
    refused: list[Refused]
    raw: Callable[[int], str]
    notes: tuple[str, ...] = ()
    place: Place = Place()


def digest(text: str) -> str:
    """A short identity of a text that has none of its own."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def refuse(batch: Batch, line: int, reason: str, message: str, identity: str = "") -> Refused:
    """The row on a line of a batch, refused."""
    raw = batch.raw(line)
    return Refused(
        batch.file, line, reason, message, raw[:RAW_SHOWN], identity or f"raw-{digest(raw)}"
    )


def constant(value: str, count: int) -> pa.StringArray:
    """``count`` times one text; nothing is stored per row for the empty one."""
    if value:
        return pa.array([value]).take(pa.array(np.zeros(count, np.int32)))
    offsets = pa.py_buffer(np.zeros(count + 1, np.int32))
    return pa.StringArray.from_buffers(count, offsets, pa.py_buffer(b""))
