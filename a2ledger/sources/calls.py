"""The neutral shape of calls: a CSV with the header ``id,customer,start,called,seconds``.

``caller`` and ``cost`` may be there too. Columns may stand in any order; others are ignored,
and noted. Every row is a call that was answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from a2ledger.config import Rule
from a2ledger.feed import FIELDS, Batch, constant
from a2ledger.sources import text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from a2ledger.config import Source

RULES = (Rule(identify=("accountcode",)),)

_COLUMNS = {
    "id": "uniqueid",
    "customer": "accountcode",
    "start": "start",
    "called": "dst",
    "seconds": "seconds",
    "caller": "src",
    "cost": "cost",
}
_REQUIRED = ("id", "customer", "start", "called", "seconds")


def read(path: Path, source: Source) -> Iterator[Batch]:
    """Read a file of calls; see :data:`a2ledger.sources.Dialect`."""
    del source  # the header says all
    header = text.Header(_REQUIRED, tuple(_COLUMNS))
    for piece in text.read(path, header):
        table, size = piece.table, len(piece.table)
        columns = {_COLUMNS[name]: table[name] for name in table.column_names if name in _COLUMNS}
        rows = pa.table(
            {name: columns.get(name, constant("", size)) for name in FIELDS}
            | {"line": table["line"], "answered": pa.array(np.ones(size, np.bool_))}
        )
        yield Batch(str(path), rows, piece.refused, piece.raw, piece.notes, piece.place)
