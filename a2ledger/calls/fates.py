"""The rows of a batch while they are classified, and the outcome of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164
from a2ledger.calls.devices import endpoints
from a2ledger.customers.directory import NOBODY, Indexes
from a2ledger.sources.batch import Batch, Refused, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from a2ledger.book.source_config import Source

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

CONTROLS = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+"
EPOCH_OF_ID = re.compile(r"(?:.*-)?([0-9]{10})\.[0-9]+", re.DOTALL)
"""Matches an id that contains its channel's creation time."""


class Rows:
    """A batch's columns, without control characters and surrounding white space."""

    def __init__(self, batch: Batch, source: Source) -> None:
        self.source = source
        self._table = batch.rows
        self._cleaned: dict[str, pa.StringArray] = {}
        self._devices: dict[str, pa.StringArray] = {}
        self.line = batch.rows["line"]
        self.answered: Mask = np.asarray(batch.rows["answered"]).astype(np.bool_)
        self._among_answered: Integers = np.cumsum(self.answered) - 1
        """Each row's number among those that were answered, of which it is one."""

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> pa.StringArray:
        if name not in self._cleaned:
            self._cleaned[name] = clean(self._table[name].combine_chunks())
        return self._cleaned[name]

    def devices(self, name: str, index: pa.Array) -> pa.StringArray:
        """Return the devices behind the channels of rows, empty for one that was not answered.

        Args:
            name: the column of the channels.
            index: places of rows, int64.
        """
        if name not in self._devices:  # those of all are found once
            self._devices[name] = endpoints(self[name].filter(pa.array(self.answered)))
        places = np.asarray(index)
        answered, number = self.answered[places], self._among_answered[places]
        if answered.all():
            return self._devices[name].take(pa.array(number))
        return self._devices[name].take(pa.array(number, mask=~answered)).fill_null("")

    def never_names(self) -> list[str]:
        """Return the reasons why some rows are no calls; see :mod:`a2ledger.sources.batch`."""
        if "never" not in self._table.column_names:
            return []
        return sorted(set(pc.unique(self._table["never"]).to_pylist()) - {"", None})

    def never(self, name: str) -> Mask:
        """Return a mask of the rows that are no calls for one reason."""
        return np.asarray(pc.is_in(self._table["never"], value_set=pa.array([name])))

    def has(self, name: str) -> bool:
        """Return True if the batch has an optional column."""
        return name in self._table.column_names

    @property
    def is_of_switch(self) -> bool:
        """Return True if some row names both channels of a call, as a switch's own rows do."""
        return bool(pc.any(pc.not_equal(self["dstchannel"], "")).as_py())

    @property
    def are_bought(self) -> bool:
        """Return True if rows give buying prices; see :mod:`a2ledger.sources.batch`."""
        return "buy" in self._table.column_names

    def text(self, name: str, row: int) -> str:
        """Return one value as text."""
        return str(self[name][row].as_py())

    def start(self, row: int) -> str:
        """Return the start time as the row has it."""
        return self.text("start", row)

    def created(self, row: int) -> int | None:
        """Return when a row's channel was created according to its id, in seconds since 1970."""
        match = EPOCH_OF_ID.fullmatch(self.text("uniqueid", row))
        return int(match[1]) if match else None

    def identity(self, row: int) -> str:
        """Return the call's id with the switch's name, or an empty text."""
        uid, sequence = self.text("uniqueid", row), self.text("sequence", row)
        return "/".join(filter(None, (self.source.switch, uid, sequence))) if uid else ""


class Fates:
    """The outcome of each row, rows without one are still open."""

    def __init__(self, batch: Batch, rows: Rows) -> None:
        self._batch, self._rows = batch, rows
        self.open: Mask = np.ones(len(rows), np.bool_)
        self.sound: Mask = np.ones(len(rows), np.bool_)
        """Mask of rows with a valid start."""
        self.timed: Mask = np.ones(len(rows), np.bool_)
        """Mask of rows with valid seconds."""
        self.doubtful = 0
        """Number of rows in an hour that occurs twice, when it is unknown which of them is meant.
        """
        self.not_billable: dict[str, int] = {}
        self.left_out: Indexes = np.full(len(rows), NOBODY, np.int32)
        """Index of each row's reason in ``not_billable``, or -1."""
        self.refused: list[Refused] = []
        self.places: list[int] = []
        """Row numbers of the refused rows."""

    def leave_out(self, mask: Mask, name: str) -> None:
        """Leave out the open rows of a mask, as not billable."""
        if count := int(np.count_nonzero(mask & self.open)):
            self.not_billable[name] = self.not_billable.get(name, 0) + count
            self.left_out[mask & self.open] = list(self.not_billable).index(name)
            self.open &= ~mask

    def refuse(self, mask: Mask, reason: str, message: Callable[[int], str]) -> None:
        """Refuse the open rows of a mask."""
        for row in np.flatnonzero(mask & self.open).tolist():
            line = self._rows.line[row].as_py()
            identity = self._rows.identity(row)
            self.refused.append(refuse(self._batch, line, reason, message(row), identity))
            self.places.append(row)
        self.open &= ~mask


def clean(column: pa.StringArray) -> pa.StringArray:
    """Return texts without control characters, and without white space around them."""
    if column.null_count:
        column = pc.fill_null(column, "")
    least, most = e164.bounds(column)
    if least > ord(" ") and most <= ord("~"):
        return column
    if least < ord(" ") or most > ord("~"):
        column = pc.replace_substring_regex(column, CONTROLS, "")
        return pc.utf8_trim_whitespace(column)
    return pc.ascii_trim_whitespace(column)
