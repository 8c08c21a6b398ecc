"""Calls without a rate that are halves of calls with one.

A switch may put a technical prefix before a number on one half of a ``Local`` channel alone. That
half has no rate, and needs none: the call is billed by the other, see
:mod:`a2ledger.calls.local_halves`.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from a2ledger import times
from a2ledger.calls import detail, local_halves
from a2ledger.period import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a2ledger.book.book import Draft

_COMPARED = [
    *("switch", "customer", "direction", "called", "start", "halves", "uid", "seq", "seconds"),
]
_SCHEMA = pa.schema([detail.SCHEMA.field(name) for name in _COMPARED])


def of_priced(draft: Draft, unpriced: pa.Table) -> npt.NDArray[np.bool_]:
    """Return a mask of the calls without a rate that are halves of calls in the draft.

    Args:
        draft: with all calls that have a rate.
        unpriced: the others, in columns of the call detail.
    """
    mask = np.zeros(len(unpriced), np.bool_)
    if not len(unpriced):
        return mask
    own = unpriced.select(_COMPARED)
    days = np.unique(np.asarray(own["start"].cast(pa.int64())) // times.DAY)
    near = sorted({int(day) + by for day in days for by in (-1, 0, 1)})
    priced = pa.concat_tables(
        table for day in near for table in _halves(draft, EPOCH + dt.timedelta(days=day))
    )
    both = pa.concat_tables([priced, own.cast(_SCHEMA)])
    start = both["start"].cast(pa.int64())
    both = both.set_column(both.column_names.index("start"), "start", start)
    both = both.append_column("sealed", pa.array(np.zeros(len(both), np.bool_)))
    for pair in local_halves.lesser(both):
        first, last = sorted(pair)
        if first < len(priced) <= last:
            mask[last - len(priced)] = True
    return mask


def _halves(draft: Draft, day: dt.date) -> Iterator[pa.Table]:
    """Yield the halves among a day's calls, and those that are billed by another."""
    if detail.path(day) in draft.put_files:
        calls = _parsed(draft, detail.path(day))
    else:
        calls = detail.read(draft.root, day, detail.digests(draft))
    if detail.path_beside(day) in draft.put_files:
        beside = _parsed(draft, detail.path_beside(day))
    else:
        beside = detail.beside(draft.root, day)
    for table in (calls, beside):
        rows = table.select(_COMPARED).cast(_SCHEMA)
        yield rows.filter(pc.not_equal(rows["halves"], ""))


def _parsed(draft: Draft, path: str) -> pa.Table:
    content = draft.put_files[path]
    return pq.read_table(io.BytesIO(content)) if content else detail.empty()
