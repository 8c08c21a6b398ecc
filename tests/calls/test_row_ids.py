"""Rows without an id have one of their contents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import row_ids

FIELDS = ("seconds", "accountcode", "src", "dst", "channel", "context", "application")
SAYS = dict.fromkeys(FIELDS, st.sampled_from(["", "1", "11"]))
ROW = st.fixed_dictionaries(SAYS | {"uniqueid": st.sampled_from(["", "u"])})
TEXTS = st.lists(ROW, min_size=1, max_size=5)


def filled(rows, starts=None, wanted=None):
    columns = {name: pa.array([row[name] for row in rows]) for name in (*FIELDS, "uniqueid")}
    times = np.array([0] * len(rows) if starts is None else starts)
    which = np.ones(len(rows), np.bool_) if wanted is None else np.array(wanted)
    return row_ids.filled(columns, times, which).to_pylist()


@given(TEXTS)
def test_rows_have_one_id_if_they_say_the_same_and_their_own_if_they_have_it(rows):
    ids = filled(rows)
    for row, identity in zip(rows, ids, strict=True):
        assert identity == "u" if row["uniqueid"] else identity.startswith("h-")
    nameless = [tuple(row.values()) for row in rows if not row["uniqueid"]]
    assert len({identity for identity in ids if identity != "u"}) == len(set(nameless))
    assert ids == [filled([row])[0] for row in rows]


def test_another_start_is_another_row_and_what_is_not_wanted_has_no_id():
    row = dict.fromkeys((*FIELDS, "uniqueid"), "")
    first, second, unwanted = filled([row] * 3, [0, 1, 0], [True, True, False])
    assert first != second
    assert unwanted == ""
