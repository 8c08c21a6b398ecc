"""Rows of ``mod_cdr_csv`` that are legs of one call: which leg each b-leg was made for.

A row of an a-leg names the last leg it was connected with, and that one may stand in a row, too,
where FreeSWITCH logs both (``legs`` is ``ab``): in the same file or, since a row is written when
its leg ends, in a later or an earlier one. Of a plain call both say the same, and nothing is tied.
Where their seconds differ, the call was transferred, or went on without the leg that made it: then
the b-legs are billed, as in documents. Earlier b-legs of a transferred call name no other leg; they
are known by the caller and the time, and only if together they are as long as the a-leg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

NEAR = 2
"""Seconds by which two legs of one plain call may differ."""

MARK = "bond:"
"""Stands before the uuid of the other leg in ``lastdata`` of kept rows; it may be none."""


class Tied(NamedTuple):
    """The rows that are legs of one call."""

    owner: Integers
    """The place of the leg that each row belongs to, of an a-leg its own; -1 for others."""
    untold: list[int]
    """Places of a-legs that lasted longer than all rows that could be legs of theirs."""
    repeated: list[int]
    """Places of b-legs that say the same as the leg which names them."""


def tied(rows: pa.Table) -> Tied:
    """Tie the rows that belong to a leg whose seconds its own row does not tell.

    Args:
        rows: as :mod:`a2ledger.calls.kept_rows` keeps them, of files or of documents.
    """
    nothing = Tied(np.full(len(rows), -1, np.int64), [], [])
    is_row = np.asarray(pc.starts_with(rows["lastdata"], MARK))
    if not is_row.any():
        return nothing
    bond = pc.if_else(pa.array(is_row), pc.utf8_slice_codeunits(rows["lastdata"], len(MARK)), "")
    other = pc.index_in(bond, value_set=rows["uniqueid"].combine_chunks())
    seconds = _seconds(rows["seconds"])
    is_made = is_row & np.asarray(pc.or_(pc.equal(rows["never"], "b-leg"), pc.equal(bond, "")))
    heads = np.flatnonzero(np.asarray(other.is_valid()) & ~is_made)
    made = np.asarray(pc.fill_null(other, 0))[heads].astype(np.int64)
    good = is_made[made] & (seconds[heads] > 0) & (seconds[made] > 0)
    heads, made = heads[good], made[good]
    differ = np.abs(seconds[heads] - seconds[made]) > NEAR
    differ &= ~np.isin(made, made[~differ])  # it is of the leg that says the same
    repeated = np.unique(made[~differ]).tolist()
    heads, made = heads[differ], made[differ]
    if not len(heads):
        return nothing._replace(repeated=repeated)
    owner, untold, _ = nothing
    free = is_made & (seconds > 0)
    free[made] = False
    earlier = _Earlier(rows, seconds)
    for head, leg in zip(heads.tolist(), made.tolist(), strict=True):
        own = [leg]
        if seconds[head] > seconds[leg] + NEAR:
            more = earlier.of(head, free)
            talked = seconds[leg] + seconds[more].sum()
            if abs(talked - seconds[head]) > NEAR * (len(more) + 1):
                untold.append(head)
                continue
            own += more.tolist()
        owner[[head, *own]] = head
        free[own] = False
    return Tied(owner, untold, repeated)


class _Earlier:
    """Finds rows that may be earlier b-legs of an a-leg: of its caller, and of its time."""

    def __init__(self, rows: pa.Table, seconds: Integers) -> None:
        self.begins, self.seconds = rows["start_at"].to_numpy(), seconds
        self.lasts = np.maximum(rows["end_at"].to_numpy() - self.begins, seconds)
        self.order = np.argsort(self.begins, kind="stable")
        self.sorted = self.begins[self.order]
        self.caller = np.asarray(rows["src"].combine_chunks().dictionary_encode().indices)

    def of(self, head: int, free: Mask) -> Integers:
        """Return the places of those that are free."""
        first = self.begins[head] - NEAR
        last = self.begins[head] + self.lasts[head] + NEAR
        bounds = np.searchsorted(self.sorted, [first, last + 1])
        near = self.order[bounds[0] : bounds[1]]
        fits = free[near] & (self.caller[near] == self.caller[head])
        fits &= self.begins[near] + self.seconds[near] <= last
        return np.sort(near[fits])


def _seconds(texts: pa.ChunkedArray) -> Integers:
    good = pc.match_substring_regex(texts, "^[0-9]{1,9}$")
    return np.asarray(pc.cast(pc.if_else(good, texts, "0"), pa.int64()))
