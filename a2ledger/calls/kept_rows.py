"""Rows of sources whose trunks are known, as they are stored beside the call detail.

A leg is made anew when another of its rows comes, in whatever file or run; ``explain`` lists them.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from a2ledger import times
from a2ledger.calls import bonds, row_ids
from a2ledger.calls import legs as model
from a2ledger.calls.detail import kept
from a2ledger.calls.fates import clean
from a2ledger.sources.batch import BOND, FIELDS, constant

if TYPE_CHECKING:
    from pathlib import Path

    from a2ledger.book.book import Draft
    from a2ledger.book.source_config import Source

Integers = npt.NDArray[np.int64]

BRIDGED = "freeswitch"
"""The dialect whose rows are legs already, each naming the leg it was made for."""

TIMES = ("start_at", "answer_at", "end_at")
COLUMNS = tuple(name for name in FIELDS if name not in {"start", "answer", "end"})
SCHEMA = pa.schema(
    [("switch", pa.string())]
    + [(name, pa.string()) for name in COLUMNS]
    + [(name, pa.int64()) for name in TIMES]
    + [("answered", pa.bool_()), ("never", pa.string())]
)
"""Schema of rows stored beside the call detail, with times in seconds since 1970."""


def path(day: dt.date) -> str:
    """Return the path of the rows that began on a day, in UTC."""
    return f"calls/{day:%Y-%m}/{day:%Y-%m-%d}.rows.parquet"


def rows_of(root: Path, switch: str, leg: str, start: dt.datetime) -> list[dict[str, Any]]:
    """Return the rows that a leg of the call detail was made of, in order of time.

    Args:
        root: of the book.
        switch: that wrote them.
        leg: as the call detail has it: the leg's channel and the names of its rows.
        start: of the leg, an aware time.

    Raises:
        MissingDetailError: if rows that are there cannot be read.
    """
    names = set(leg.partition(": ")[2].split(" "))
    day = start.astimezone(dt.UTC).date()
    near = [read(root, day + dt.timedelta(days=by)) for by in (-1, 0, 1)]
    rows = pa.concat_tables(near).filter(pc.equal(pa.concat_tables(near)["switch"], switch))
    return [row for row in rows.sort_by("start_at").to_pylist() if model.name_of(row) in names]


def facts(rows: pa.Table, source: Source) -> pa.Table:
    """Return rows in their stored form, with a null ``start_at`` if they have no time."""
    columns = {name: clean(rows[name].combine_chunks()) for name in FIELDS}
    start, answer, end = (times.parse(columns[name]) for name in ("start", "answer", "end"))
    begins = times.to_utc(start, source.timezone)
    duration, seconds = (_numbers(columns[name]) for name in ("duration", "seconds"))
    length = _between(start, end, duration, 2)
    wait = _between(start, answer, np.maximum(length - seconds, 0), length + 1)
    never = rows["never"].combine_chunks() if "never" in rows.column_names else None
    kept_columns = {name: columns[name] for name in COLUMNS}
    if BOND in rows.column_names:
        bond = pc.binary_join_element_wise(bonds.MARK, clean(rows[BOND].combine_chunks()), "")
        of_document = pc.not_equal(columns["linkedid"], "")  # which names the leg it was made for
        kept_columns["lastdata"] = pc.if_else(of_document, columns["lastdata"], bond)
    if source.dialect != BRIDGED:  # with 16 columns a row has no id, and its legs must have one
        kept_columns["uniqueid"] = row_ids.filled(columns, begins, start.valid)
    return pa.table(
        {
            "switch": constant(source.switch, len(rows)),
            **kept_columns,
            "start_at": pa.array(begins, mask=~start.valid),
            "answer_at": pa.array(begins + wait),
            "end_at": pa.array(begins + length),
            "answered": rows["answered"],
            "never": clean(never) if never is not None else constant("", len(rows)),
        },
        schema=SCHEMA,
    )


def _between(
    first: times.Times, later: times.Times, usual: Integers, most: Integers | int
) -> Integers:
    """Return seconds between two times of a row, or ``usual`` where they cannot be right.

    Both are of one clock; where it was put back between them, the row's own figures hold.
    """
    apart = later.naive - first.naive
    fits = first.valid & later.valid & (apart >= 0) & (np.abs(apart - usual) <= most)
    return np.where(fits, apart, usual)


def _numbers(texts: pa.StringArray) -> Integers:
    good = pc.match_substring_regex(texts, "^[0-9]{1,9}$")
    return np.asarray(pc.cast(pc.if_else(good, texts, "0"), pa.int64()))


def days(rows: pa.Table) -> Integers:
    """Return the day in UTC on which each row began, counted from 1970."""
    days: Integers = rows["start_at"].to_numpy() // times.DAY
    return days


def texts_of(rows: pa.Table) -> pa.StringArray:
    """Return each row's contents as one text: rows with the same text are the same."""
    columns = [pc.cast(rows[name], pa.string()) for name in SCHEMA.names]
    texts = pc.binary_join_element_wise(*(pc.fill_null(column, "") for column in columns), "\x1f")
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def read(root: Path, day: dt.date) -> pa.Table:
    """Read the rows that began on a day, empty if there is no such file.

    Raises:
        MissingDetailError: if it cannot be read.
    """
    todo = "restore it from a backup, or delete it if there is none"
    return kept(root / path(day), SCHEMA, todo)


def keep(draft: Draft, day: dt.date, held: pa.Table, new: pa.Table, texts: pa.StringArray) -> None:
    """Write a day's file with the new rows of the day added, each once."""
    codes = texts.dictionary_encode()
    _, first = np.unique(np.asarray(codes.indices), return_index=True)
    rows = new.take(pa.array(np.sort(first)))
    if len(held):
        rows = rows.filter(pc.invert(pc.is_in(texts_of(rows), value_set=texts_of(held))))
    if not len(rows):
        return
    order = [(name, "ascending") for name in ("start_at", "uniqueid", "sequence", "channel")]
    sink = io.BytesIO()
    pq.write_table(pa.concat_tables([held, rows]).sort_by(order), sink, compression="zstd")
    draft.put(path(day), sink.getvalue())
