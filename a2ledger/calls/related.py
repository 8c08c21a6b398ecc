"""Find calls that may be the same as others: by id, and by the halves of ``Local`` channels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.calls import duplicates, local_halves


def among(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Return a mask of the texts that are among some values."""
    if not len(column):  # the values would be hashed for nothing
        return pa.chunked_array([], pa.bool_())
    return pc.is_in(column, value_set=values)


def linked(pools: Sequence[pa.Table], others: pa.Table) -> list[npt.NDArray[np.bool_]]:
    """Return masks of the calls in each pool that may equal one of others, halves included.

    What may be one of those found is found, too: whoever decides about a call sees all that it was
    decided with before.
    """
    if not any(map(len, pools)):
        return [np.zeros(0, np.bool_) for _ in pools]
    ids = [duplicates.bare(pool["uid"]) for pool in pools]
    uids = duplicates.bare(others["uid"]).combine_chunks()
    while True:
        masks = _by_halves(pools, others, [np.asarray(among(column, uids)) for column in ids])
        uids_found = [
            column.filter(pa.array(mask))
            for column, mask in zip(ids, masks, strict=True)
            if mask.any()
        ]
        chunks = [chunk for column in uids_found for chunk in column.chunks]
        more = pa.chunked_array(chunks, pa.string()).unique()
        fresh = more.filter(pc.invert(pc.is_in(more, value_set=uids)))
        if not len(fresh):
            return masks
        uids = pa.concat_arrays([uids, fresh])


def _by_halves(
    pools: Sequence[pa.Table], others: pa.Table, masks: list[npt.NDArray[np.bool_]]
) -> list[npt.NDArray[np.bool_]]:
    """Return masks of the calls in each pool that are found, or linked by halves to one that is."""
    parts = [others["halves"], *(pool["halves"] for pool in pools)]
    seeds = np.concatenate([np.ones(len(others), np.bool_), *masks])
    every = pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())
    if not pc.any(pc.not_equal(every.filter(pa.array(seeds)), "")).as_py():
        return masks
    linked = local_halves.linked(every.combine_chunks(), seeds)
    ends = np.cumsum([len(others), *map(len, pools)])
    return [linked[begin:end] for begin, end in itertools.pairwise(ends.tolist())]
