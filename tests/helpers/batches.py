"""Batches of rows, as dialects make them."""

from __future__ import annotations

import pyarrow as pa

from a2ledger.book.source_config import Source
from a2ledger.calls.fates import Rows
from a2ledger.sources.batch import FIELDS, Batch

SOURCE = Source(name="pbx1", dialect="asterisk", switch="sw1", timezone="UTC")


def rows_of(*rows, **columns):
    table = pa.table(
        {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in FIELDS}
        | {
            "line": pa.array(range(1, len(rows) + 1), pa.int64()),
            "answered": pa.array([row.get("answered", True) for row in rows], pa.bool_()),
        }
        | columns
    )
    batch = Batch("f.csv", table, [], "row {}".format)
    return batch, Rows(batch, SOURCE)
