"""Every dialect, fed what no switch would write: no traceback, no lost row, bounded memory."""

from __future__ import annotations

import gzip
import subprocess
import sys

import pytest
from examples import cases, tried
from fuzz_sources import LAYOUTS, NAMES, SEEDS, TABLES, TOKENS, check, check_table, table_of
from hypothesis import given
from hypothesis import strategies as st

FUZZ = tried(60)


@st.composite
def damaged(draw: st.DrawFn, dialect: str) -> bytes:
    """A file a switch wrote, or several in one, with pieces moved, lost, and put in."""
    text = "".join(draw(st.lists(st.sampled_from(SEEDS[dialect]), min_size=1, max_size=3)))
    data = text.encode()
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        end = place + draw(st.sampled_from([0, 0, 1, 2, 10, 100]))
        piece = draw(
            st.sampled_from(TOKENS).map(lambda token: token.encode("utf-8", "surrogatepass"))
            | st.binary(max_size=4)
            | st.just(data[end : end + 50])
        )
        data = data[:place] + piece + data[end:]
    if draw(st.integers(0, 9)) == 0:
        data = gzip.compress(data)[: draw(st.sampled_from([None, -1, -20]))]
    return data


@pytest.mark.parametrize("dialect", SEEDS)
def test_a_damaged_file_loses_no_row(dialect, tmp_path):
    @FUZZ
    @given(data=damaged(dialect), name=st.sampled_from(NAMES[dialect]))
    def run(data, name):
        check(dialect, name, data, tmp_path)

    run()


@pytest.mark.parametrize("dialect", SEEDS)
def test_any_bytes_are_read_or_refused(dialect, tmp_path):
    @FUZZ
    @given(data=st.binary(max_size=2000), name=st.sampled_from(NAMES[dialect]))
    def run(data, name):
        check(dialect, name, data, tmp_path)

    run()


@pytest.mark.parametrize("dialect", SEEDS)
def test_what_switches_write_is_read(dialect, tmp_path):
    for seed in SEEDS[dialect]:
        for name in NAMES[dialect]:
            check(dialect, name, seed.encode(), tmp_path)


USUAL = {
    "calldate": "2026-01-05 10:00:00", "dst": "3225550199", "lastapp": "Dial", "duration": 65,
    "billsec": 60, "disposition": "ANSWERED", "accountcode": "C1", "uniqueid": "1767607200.1",
}  # fmt: skip
ODD = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.binary(max_size=20),
    st.sampled_from(["0000-00-00 00:00:00", "1000-01-01", "", "60", "60.0", "-1", "1e3", "h"]),
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(LAYOUTS[0]), ODD, max_size=4).map(lambda odd: USUAL | odd),
    max_size=6,
)


@FUZZ
@given(rows=ROWS)
def test_whatever_a_table_holds_no_row_is_lost(rows, tmp_path):
    names = LAYOUTS[0]
    check_table(names, [[row.get(name) for name in names] for row in rows], tmp_path)


@pytest.mark.parametrize("seed", TABLES)
def test_tables_that_switches_write_are_read(seed, tmp_path):
    names, rows = table_of(seed.encode())
    assert {len(row) for row in rows} == {len(names)}
    check_table(names, rows, tmp_path)


READ = """
import resource, sys
from pathlib import Path
from a2ledger import sources
from a2ledger.book.source_config import Source
dialect, path = sys.argv[1:]
source = Source(name="x", dialect=dialect, switch="x", timezone="UTC")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
batches = list(sources.dialect(dialect)(Path(path), source))
print(sum(len(batch.rows) for batch in batches))
print(*[row.reason for batch in batches for row in batch.refused])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@cases("dialect", SEEDS, 1)
@pytest.mark.parametrize("begin", ["", '{"a": "'])
def test_a_line_of_three_hundred_megabytes_does_not_fill_memory(dialect, begin, tmp_path):
    path = tmp_path / NAMES[dialect][0]
    header, _, row = SEEDS["calls"][1].partition("\n")
    with path.open("w") as file:
        file.write((f"{header}\n" if dialect == "calls" else "") + begin)
        for _ in range(300):
            file.write("x" * 1_000_000)
        file.write("\n" + (row if dialect == "calls" else SEEDS[dialect][0]))
    done = subprocess.run(
        [sys.executable, "-c", READ, dialect, path], capture_output=True, text=True, check=True
    )
    rows, reasons, megabytes = done.stdout.splitlines()
    whole = dialect == "freeswitch" and begin  # a document is a whole file
    expected = "0" if whole else "2" if dialect == "freeswitch" else "1"
    assert (rows, reasons) == (expected, "too-long")
    assert int(megabytes) < 250
