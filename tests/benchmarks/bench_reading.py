"""Measure what looking for damage costs: rows read as they should be, against rows trusted.

python tests/benchmarks/bench_reading.py --rows 1000000

Trusted rows go through the same blocks and the same parser into the same columns, and nothing
is looked at. Each figure is processor time, of all threads, the best of several
runs; nothing is asserted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
from calls import write_calls

from a2ledger.sources import asterisk, text
from a2ledger.sources.text.lines import Lines

WIDTH = 18
DAMAGE = b'"C1","a "stray" quote",'


def trusted(file: Path) -> int:
    """Parse a file block by block without a look at it."""
    columns = asterisk.LAYOUT.widths[WIDTH]
    names = [name or f"-{index}" for index, name in enumerate(columns)]
    wanted = [name for name in columns if name]
    count = 0
    for block in Lines(file):
        if block.text:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(block.text),
                pyarrow.csv.ReadOptions(column_names=names),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(wanted, pa.string()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                ),
            ).combine_chunks()
            count += len(table)
    return count


def looked_at(file: Path) -> int:
    """Read a file as an import does."""
    return sum(
        len(piece.table) + len(piece.refused)
        for piece in text.read(file, asterisk.LAYOUT, grows=True)
    )


def best(function: Callable[[Path], int], file: Path, rows: int, repeat: int) -> float:
    """Seconds the fastest of some runs takes."""
    taken = []
    for _ in range(repeat):
        before = time.process_time()
        found = function(file)
        taken.append(time.process_time() - before)
        if found != rows:
            raise SystemExit(f"{function.__name__}: {found} rows of {rows}")
    return min(taken)


def damaged(file: Path, every: int) -> Path:
    """A copy with one row in so many damaged."""
    lines = file.read_bytes().splitlines(keepends=True)
    for number in range(0, len(lines), every):
        lines[number] = DAMAGE + lines[number]
    copy = file.with_suffix(f".{every}.csv")
    copy.write_bytes(b"".join(lines))
    return copy


def main() -> None:
    """Make the input, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--repeat", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "Master.csv"
        write_calls(file, rows=given.rows, customers=1000, days=31)
        plain = best(trusted, file, given.rows, given.repeat)
        print(f"{'clean rows, trusted':<40}{plain:8.3f} s")
        for what, path in (
            ("clean rows, looked at", file),
            ("one row in 10,000 damaged", damaged(file, 10_000)),
            ("one row in 100 damaged", damaged(file, 100)),
        ):
            seconds = best(looked_at, path, given.rows, given.repeat)
            print(f"{what:<40}{seconds:8.3f} s; {seconds / plain:.2f} times that")


if __name__ == "__main__":
    main()
