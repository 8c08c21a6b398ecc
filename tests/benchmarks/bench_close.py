"""Measure a close: so many calls spread over ever more customers, and what each one costs.

python tests/benchmarks/bench_close.py --rows 1000000 --customers 100 1000 10000

Everything runs on one machine, one after the other; the figure to look at is how the time for one
customer changes with their number. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import calls

PROGRAM = [sys.executable, "-m", "a2ledger"]


def book(directory: Path, *words: str, today: str) -> float:
    """Seconds a command takes on the book in a directory."""
    before = time.perf_counter()
    command = [*PROGRAM, "-C", str(directory), "--quiet", "--today", today, *words]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - before


def filled(
    directory: Path, rows: int, customers: int, days: int = 31, today: str = "2026-01-31"
) -> None:
    """A book with a month of calls in it, or with more."""
    words = ["--company", "Example", "--currency", "EUR", "--timezone", "UTC"]
    subprocess.run([*PROGRAM, "init", str(directory), *words], check=True, capture_output=True)
    shutil.copy(directory.parent / "standard.csv", directory / "tariffs/standard.csv")
    (directory.parent / "customers.csv").write_text(calls.customers(customers))
    calls.write_calls(directory.parent / "Master.csv", rows=rows, customers=customers, days=days)
    book(
        directory,
        "import",
        "customers",
        str(directory.parent / "customers.csv"),
        today="2026-01-01",
    )
    book(directory, "import", "asterisk", str(directory.parent / "Master.csv"), today=today)


def main() -> None:
    """Measure, and print a line for each number of customers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, nargs="+", default=[100, 1000, 10_000])
    given = parser.parse_args()
    print(f"{given.rows:,} rows each")
    for customers in given.customers:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place) / "book"
            (root.parent / "standard.csv").write_text(calls.deck())
            filled(root, given.rows, customers)
            dry = book(root, "close", "--dry-run", today="2026-02-02")
            close = book(root, "close", today="2026-02-02")
            check = book(root, "check", today="2026-02-02")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(
            f"{customers:>7,} customers: close {close:6.1f} s, {1000 * close / customers:5.1f} ms "
            f"each (dry run {dry:5.1f} s), check {check:4.1f} s, peak {peak:,.0f} MB"
        )


if __name__ == "__main__":
    main()
