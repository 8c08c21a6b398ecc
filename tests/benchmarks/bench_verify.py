"""Measure `verify` over a year of closed periods, with `check` of the same book beside it.

python tests/benchmarks/bench_verify.py --rows 500000 --customers 1000

Everything runs on one machine, one after the other; the figures to look at are the time for one
sealed period, and how many times a `check` it is. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from pathlib import Path

import calls
from bench_close import book, filled

MONTHS = 12
NEW_YEAR = "2027-01-02"


def main() -> None:
    """Measure, and print a line for each number of customers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--customers", type=int, nargs="+", default=[100, 1000])
    given = parser.parse_args()
    print(f"{given.rows:,} rows over {MONTHS} months, {os.cpu_count()} cores")
    for customers in given.customers:
        with tempfile.TemporaryDirectory() as place:
            root = Path(place) / "book"
            (root.parent / "standard.csv").write_text(calls.deck())
            filled(root, given.rows, customers, days=365, today=NEW_YEAR)
            close = book(root, "close", today=NEW_YEAR)
            check = book(root, "check", today=NEW_YEAR)
            verify = book(root, "verify", today=NEW_YEAR)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        each = 1000 * verify / customers / MONTHS
        print(
            f"{customers:>7,} customers: verify {verify:5.1f} s, "
            f"{each:4.2f} ms a period, {verify / check:4.1f} x check; "
            f"close {close:5.1f} s; peak {peak:,.0f} MB"
        )


if __name__ == "__main__":
    main()
