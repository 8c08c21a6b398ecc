"""Batches: what a source hands on."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources.batch import Batch, Refused, gathered, refuse


def batch(file, lines, **more):
    rows = pa.table(
        {"uniqueid": pa.array([f"{file}-{line}" for line in lines], pa.string())}
        | {"line": pa.array(lines, pa.int64())}
        | more
    )
    refused = [Refused(file, 99, "quotes", "", "", f"raw-{file}")]
    return Batch(file, rows, refused, lambda line: f"text of {file}:{line}", (f"note on {file}",))


def test_many_small_batches_are_one_whose_rows_still_know_their_file_and_line():
    (one,) = gathered([batch("a", [1, 7]), batch("b", []), batch("c", [3])])
    lines = one.rows["line"].combine_chunks()
    assert one.rows["uniqueid"].to_pylist() == ["a-1", "a-7", "c-3"]
    assert one.origins(lines).files.to_pylist() == ["a", "a", "c"]
    assert one.origins(lines).lines.to_pylist() == [1, 7, 3]
    assert [one.raw(line) for line in lines.to_pylist()] == [
        "text of a:1",
        "text of a:7",
        "text of c:3",
    ]
    assert [row.file for row in one.refused] == ["a", "b", "c"]
    assert one.notes == ("note on a", "note on b", "note on c")
    refused = refuse(one, 3, "no-rate", "no rate")
    assert (refused.file, refused.line, refused.raw) == ("c", 3, "text of c:3")


def test_a_batch_alone_and_batches_of_other_columns_stay_as_they_are():
    alone, other = batch("a", [1]), batch("b", [2], never=pa.array([""]))
    assert list(gathered([alone, other])) == [alone, other]


@given(st.lists(st.integers(0, 40_000), max_size=8))
def test_no_row_is_lost_between_batches(sizes):
    batches = [batch(str(number), []) for number in range(len(sizes))]
    for number, size in enumerate(sizes):
        lines = pa.array(range(1, size + 1), pa.int64())
        rows = pa.table({"uniqueid": pa.array(["x"] * size, pa.string()), "line": lines})
        batches[number] = batches[number]._replace(rows=rows)
    done = list(gathered(batches))
    assert sum(len(one.rows) for one in done) == sum(sizes)
    assert sum(len(one.refused) for one in done) == len(sizes)
    found = [
        place
        for one in done
        for place in one.origins(one.rows["line"].combine_chunks()).files.to_pylist()
    ]
    assert found == [str(number) for number, size in enumerate(sizes) for _ in range(size)]
