"""How soon a switch knows what was imported: ``python tests/benchmarks/bench_snapshot.py``.

A book of 10,000 customers is read whole, as a server does when it starts, and again after an hour's
calls were imported: only what changed is read then. Nothing is asserted; figures belong to the
machine they were taken on.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from a2ledger.switch.read_book import BookReader

TODAY = "2026-03-02"
DECK = "dialprefix,destination,rateinitial,initblock,billingblock\n32,Belgium,0.06,1,1\n"


def a2ledger(root, *words):
    """Run a command of the book."""
    command = [sys.executable, "-m", "a2ledger", "--today", TODAY, "-C", root, *words]
    subprocess.run(command, check=True, capture_output=True)


def timed(work):
    """Return what some work yields, the seconds it took and those of computing."""
    begun, used = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - begun, time.process_time() - used


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--calls", type=int, default=2_000, help="of the hour")
    options = parser.parse_args()
    chance = random.Random(1)  # noqa: S311 - a benchmark's
    with tempfile.TemporaryDirectory() as directory:
        root, files = Path(directory) / "book", Path(directory)
        subprocess.run(
            [sys.executable, "-m", "a2ledger", "init", root], check=True, capture_output=True
        )
        (root / "tariffs/standard.csv").write_text(DECK)
        rows = [f"C{n},Name {n},10,standard,2026-03-01" for n in range(options.customers)]
        head = "id,name,credit_limit,tariff,opened"
        (files / "customers.csv").write_text("\n".join([head, *rows]) + "\n")
        a2ledger(root, "import", "customers", files / "customers.csv")
        reader = BookReader(root)
        _, whole, whole_cpu = timed(reader.read)
        print(f"{options.customers:,} customers read at the start: {whole:.2f} s ({whole_cpu:.2f})")
        for hour in range(3):
            calls = [
                f"{hour}-{n},C{chance.randrange(options.customers)},{TODAY} 0{hour}:10:00,32255,60"
                for n in range(options.calls)
            ]
            file = files / f"calls{hour}.csv"
            file.write_text("\n".join(["id,customer,start,called,seconds", *calls]) + "\n")
            a2ledger(root, "import", "calls", file)
            assert reader.is_behind()
            _, took, cpu = timed(reader.read)
            print(f"after an import of {options.calls:,} calls: {took:.2f} s ({cpu:.2f} computing)")
        _, took, cpu = timed(reader.read)
        print(f"where nothing changed: {took:.2f} s ({cpu:.2f})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB")


if __name__ == "__main__":
    main()
