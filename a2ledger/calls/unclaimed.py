"""Answered calls that nobody pays for, stored by day for ``check`` and ``close`` to report.

They are calls on which people talked and that no rule takes or no customer is known of. Each is
known by the id of its row: read again it is the same call, and it is gone once it is billed, free,
part of a leg or in quarantine. Their files lie beside the call detail and are made anew by reading
the records again.
"""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from a2ledger.calls.detail import kept
from a2ledger.calls.trunk_legs import keys_of
from a2ledger.sources.batch import constant

if TYPE_CHECKING:
    from pathlib import Path

    from a2ledger.book.book import Book, Draft
    from a2ledger.book.source_config import Source
    from a2ledger.calls.normalise import Normalised

SCHEMA = pa.schema(
    [
        ("switch", pa.string()),
        ("uid", pa.string()),
        ("seq", pa.string()),
        ("start", pa.timestamp("s", "UTC")),
        ("seconds", pa.int64()),
        ("reason", pa.string()),
        ("word", pa.string()),
    ]
)
"""``reason`` is why the row was left out, ``word`` the device, context or application that explains
it best.
"""

_FILES = "*/*.unclaimed.parquet"
_ORDER = [(name, "ascending") for name in ("start", "switch", "uid", "seq", "seconds")]
_NOT_ASKED = ("before-from", "after-through")
_NAMED = 5
"""Number of words named in a message."""


class Summary(NamedTuple):
    """Totals of unclaimed calls: counts by reason and word, and seconds in all."""

    calls: Counter[tuple[str, str]]
    seconds: int

    @property
    def reasons(self) -> Counter[str]:
        """Return the number of calls by reason."""
        counts: Counter[str] = Counter()
        for (reason, _), count in self.calls.items():
            counts[reason] += count
        return counts

    def as_json(self) -> dict[str, object]:
        """Return the totals for ``--json``."""
        reasons = self.reasons
        return {
            "calls": reasons.total(),
            "seconds": self.seconds,
            "reasons": dict(sorted(reasons.items())),
        }

    def text(self, where: str = "") -> str:
        """Format calls, seconds, reasons and the most frequent words for a message.

        Args:
            where: which calls they are, such as ``of these periods``.
        """
        reasons = self.reasons
        count = reasons.total()
        which = f" {where}" if where else ""
        calls = f"{count} answered call{'s' if count > 1 else ''}{which}, {self.seconds} s,"
        named = "; ".join(f"{name} {reasons[name]} ({self._words(name)})" for name in self._names())
        return f"{calls} {'are' if count > 1 else 'is'} nobody's: {named}"

    def _names(self) -> list[str]:
        return [name for name, _ in self.reasons.most_common()]

    def _words(self, reason: str) -> str:
        words: Counter[str] = Counter()
        for (name, word), count in self.calls.items():
            if name == reason:
                words[word or "no name"] += count
        first = ", ".join(word for word, _ in words.most_common(_NAMED))
        more = len(words) - _NAMED
        return first + (f" and {more} more" if more > 0 else "")


def path(day: dt.date) -> str:
    """Return the path of a day's unclaimed calls, relative to the book."""
    return f"calls/{day:%Y-%m}/{day:%Y-%m-%d}.unclaimed.parquet"


def days(book: Book) -> list[dt.date]:
    """Return the days that have unclaimed calls."""
    names = (file.rpartition("/")[2].partition(".")[0] for file in book.files("calls", _FILES))
    return [dt.date.fromisoformat(name) for name in names]


def between(book: Book, first: dt.date, end: dt.date = dt.date.max) -> Summary:
    """Add up the unclaimed calls of some days.

    Args:
        book: whose.
        first: the first day.
        end: the day after the last one.

    Raises:
        MissingDetailError: if a file of them cannot be read.
    """
    calls: Counter[tuple[str, str]] = Counter()
    seconds = 0
    for day in days(book):
        if first <= day < end:
            rows = _read(book.root, day)
            calls.update(zip(rows["reason"].to_pylist(), rows["word"].to_pylist(), strict=True))
            seconds += pc.sum(rows["seconds"]).as_py() or 0
    return Summary(calls, seconds)


def _read(root: Path, day: dt.date) -> pa.Table:
    todo = "delete it, and import the day's records again with --all"
    return kept(root / path(day), SCHEMA, todo)


class Unclaimed:
    """Collects the unclaimed calls of an import, and which of the stored ones it has read again."""

    def __init__(self, draft: Draft, source: Source) -> None:
        self._draft, self._switch = draft, source.switch
        self._known = set(days(draft))
        self._days = pa.array(sorted(self._known), pa.date32())
        self._lost: list[pa.Table] = []
        self._read: dict[dt.date, list[pa.Array]] = {}
        self.summary = Summary(Counter(), 0)

    def take(self, normal: Normalised) -> None:
        """Add the unclaimed calls of a batch."""
        lost = normal.unclaimed
        if len(lost):
            words = zip(lost["reason"].to_pylist(), lost["word"].to_pylist(), strict=True)
            self.summary.calls.update(words)
            seconds = self.summary.seconds + (pc.sum(lost["seconds"]).as_py() or 0)
            self.summary = self.summary._replace(seconds=seconds)
            self._lost.append(lost)
        if self._known:
            self._note_read(normal)

    def _note_read(self, normal: Normalised) -> None:
        judged = normal.judged()
        judged = judged.filter(pc.is_in(judged["day"], value_set=self._days))
        unasked = pc.is_in(judged["left_out"], value_set=pa.array(_NOT_ASKED))
        judged = judged.filter(pc.invert(unasked))
        for day in pc.unique(judged["day"]).to_pylist():
            rows = judged.filter(pc.equal(judged["day"], pa.scalar(day, pa.date32())))
            self._read.setdefault(day, []).append(keys_of(rows))

    def write(self, remade: pa.StringArray | None = None) -> None:
        """Write the day files that change.

        Args:
            remade: keys of rows that are legs, or parts of some, see
                :func:`a2ledger.calls.trunk_legs.keys_of`.
        """
        lost = pa.concat_tables(self._lost) if self._lost else None
        touched = set(self._read) | set(pc.unique(lost["day"]).to_pylist() if lost else ())
        if remade is not None and len(remade):
            touched |= self._known
        remade = self._of_held(remade, touched)
        for day in sorted(touched):
            held = _read(self._draft.root, day)
            replaced = [*self._read.get(day, ()), remade]
            ours = pc.equal(held["switch"], self._switch)
            stays = held.filter(pc.invert(pc.and_(ours, _among(keys_of(held), replaced))))
            rows = pa.concat_tables([stays, self._of(lost, day)]).sort_by(_ORDER)
            if not rows.equals(held):
                self._draft.put(path(day), _written(rows) if len(rows) else None)

    def _of_held(self, remade: pa.StringArray | None, days: set[dt.date]) -> pa.StringArray:
        """Return those keys that unclaimed calls of some days have; of many, few do."""
        held = [keys_of(_read(self._draft.root, day)) for day in days & self._known]
        if remade is None or not held:
            return pa.array([], pa.string())
        return remade.filter(pc.is_in(remade, value_set=pa.concat_arrays(held)))

    def _of(self, lost: pa.Table | None, day: dt.date) -> pa.Table:
        """Return the unclaimed calls of a day, each once."""
        if lost is None:
            return SCHEMA.empty_table()
        rows = lost.filter(pc.equal(lost["day"], pa.scalar(day, pa.date32())))
        rows = rows.append_column("switch", constant(self._switch, len(rows)))
        rows = rows.select(SCHEMA.names).cast(SCHEMA)
        codes = np.asarray(keys_of(rows).dictionary_encode().indices)
        _, first = np.unique(codes, return_index=True)
        return rows.take(pa.array(np.sort(first)))


def _among(keys: pa.StringArray, several: list[pa.StringArray]) -> pa.BooleanArray:
    return pc.is_in(keys, value_set=pa.concat_arrays(several))


def _written(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, compression="zstd")
    return sink.getvalue()
