"""Rows of ``mod_cdr_csv`` that are legs of one call: which leg each b-leg was made for.

A row of an a-leg names the last leg it was connected with, and that one may stand in the file, too,
where FreeSWITCH logs both (``legs`` is ``ab``). Of a plain call both say the same, and nothing need
be tied. Where their seconds differ, the call was transferred, or went on without the leg that
made it: then the b-legs are billed, as in documents. Earlier b-legs of a transferred call name no
other leg; they are known by the caller and the time, and only if together they are as long as the
a-leg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import times

if TYPE_CHECKING:
    import numpy.typing as npt

NEAR = 2
"""Seconds by which two legs of one plain call may differ."""

Columns = dict[str, pa.StringArray]


def made_for(columns: Columns) -> tuple[pa.StringArray | None, int]:
    """Return the uuid of the leg that each row belongs to; none where no rows need be tied.

    Args:
        columns: of a piece of a file, see :mod:`a2ledger.sources.freeswitch.table`.

    Returns:
        The uuids, of an a-leg its own, empty for rows by themselves; and how many a-legs lasted
        longer than all rows that could be legs of theirs.
    """
    uuid, bond = columns["uuid"], columns["bleg_uuid"]
    bond = pc.if_else(pc.equal(bond, ""), columns["signal_bond"], bond)
    other = pc.index_in(bond, value_set=uuid)
    seconds = _seconds(columns["billsec"])
    is_made = np.asarray(pc.equal(columns["direction"], "outbound"))
    is_made |= np.asarray(pc.equal(bond, ""))
    heads = np.flatnonzero(np.asarray(other.is_valid()) & ~is_made)
    made = np.asarray(pc.fill_null(other, 0))[heads]
    good = is_made[made] & (seconds[heads] > 0) & (seconds[made] > 0)
    heads, made = heads[good], made[good]
    differ = np.abs(seconds[heads] - seconds[made]) > NEAR
    differ &= ~np.isin(made, made[~differ])  # it is of the leg that says the same
    heads, made = heads[differ], made[differ]
    if not len(heads):
        return None, 0
    owner = np.full(len(uuid), -1, np.int64)
    free = is_made & (seconds > 0)
    free[made] = False
    begins = times.parse(columns["start_stamp"]).naive
    untold = 0
    for head, leg in zip(heads.tolist(), made.tolist(), strict=True):
        own = [leg]
        if seconds[head] > seconds[leg] + NEAR:
            more = _earlier(head, columns, begins, seconds, free)
            talked = seconds[leg] + seconds[more].sum()
            if abs(talked - seconds[head]) > NEAR * (len(more) + 1):
                untold += 1
                continue
            own += more.tolist()
        owner[[head, *own]] = head
        free[own] = False
    names = uuid.take(pa.array(np.maximum(owner, 0)))
    return pc.if_else(pa.array(owner >= 0), names, ""), untold


def _earlier(
    head: int,
    columns: Columns,
    begins: npt.NDArray[np.int64],
    seconds: npt.NDArray[np.int64],
    free: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int64]:
    """Return the rows that may be earlier b-legs of an a-leg: of its caller, and of its time."""
    caller = columns["caller_id_number"]
    same = np.asarray(pc.equal(caller, caller[head]))
    last = begins[head] + max(_seconds(columns["duration"])[head], seconds[head])
    inside = (begins >= begins[head] - NEAR) & (begins + seconds <= last + NEAR)
    found: npt.NDArray[np.int64] = np.flatnonzero(free & same & inside)
    return found


def _seconds(texts: pa.StringArray) -> npt.NDArray[np.int64]:
    good = pc.match_substring_regex(texts, "^[0-9]{1,9}$")
    return np.asarray(pc.cast(pc.if_else(good, texts, "0"), pa.int64()))
