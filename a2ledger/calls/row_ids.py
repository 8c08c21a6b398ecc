"""The ids of rows: a switch's own, or a digest of the contents of a row that has none."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from a2ledger.calls.fates import Integers, Mask

_CANONICAL = (
    "seconds",
    "accountcode",
    "src",
    "dst",
    "channel",
    "context",
    "application",
)
"""Columns that are the same in any dialect and time zone."""


class Columns(Protocol):
    """Columns of texts by name."""

    def __getitem__(self, name: str, /) -> pa.StringArray | pa.ChunkedArray:
        """Return a column, without nulls."""


def identity(rows: Columns, starts: Integers, wanted: Mask) -> dict[str, pa.Array]:
    """Return the ids and sequences of rows as columns ``uid`` and ``seq``.

    Args:
        rows: with :data:`a2ledger.sources.batch.FIELDS`.
        starts: of the rows, in seconds since 1970, shape (n,).
        wanted: rows that need an id, shape (n,).
    """
    return {"uid": filled(rows, starts, wanted), "seq": rows["sequence"]}


def filled(rows: Columns, starts: Integers, wanted: Mask) -> pa.StringArray | pa.ChunkedArray:
    """Return the uniqueids of rows, with a digest where a wanted row has none.

    The digest is of the start and of what any dialect would say of the row.
    """
    uid = rows["uniqueid"]
    nameless = np.flatnonzero(wanted & np.asarray(pc.equal(uid, "")))
    if not len(nameless):
        return uid
    uids = np.array(uid.to_pylist(), object)
    uids[nameless] = _digests(rows, starts, nameless)
    return pa.array(uids, pa.string())


def _digests(rows: Columns, starts: Integers, places: Integers) -> list[str]:
    index = pa.array(places)
    columns = [list(map(str, starts[places].tolist()))]
    columns += [rows[name].take(index).to_pylist() for name in _CANONICAL]
    return [
        f"h-{hashlib.sha256(chr(31).join(values).encode()).hexdigest()[:24]}"
        for values in zip(*columns, strict=True)
    ]
