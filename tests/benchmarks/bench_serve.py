"""Measure the staff's pages: start, the pages, and how soon an import is seen.

python tests/benchmarks/bench_serve.py --rows 300000 --customers 100 1000 10000

Three months of calls, two of them closed. Everything runs on one machine, one after the other;
the figures to look at are how they change with the number of customers. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import http.client
import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import calls

PROGRAM = [sys.executable, "-m", "a2ledger"]
HOME = "/example/extension/"


def run(directory: Path, *words: str, today: str) -> float:
    """Seconds a command takes on the book in a directory."""
    before = time.perf_counter()
    command = [*PROGRAM, "-C", str(directory), "--quiet", "--today", today, *words]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - before


def filled(directory: Path, rows: int, customers: int) -> None:
    """A book with three months of calls, two of them closed."""
    words = ["--company", "Example", "--currency", "EUR", "--timezone", "UTC"]
    subprocess.run([*PROGRAM, "init", str(directory), *words], check=True, capture_output=True)
    beside = directory.parent
    (directory / "tariffs/standard.csv").write_text(calls.deck())
    (beside / "customers.csv").write_text(calls.customers(customers))
    calls.write_calls(beside / "Master.csv", rows=rows, customers=customers, days=88)
    run(directory, "import", "customers", str(beside / "customers.csv"), today="2026-01-01")
    run(directory, "import", "asterisk", str(beside / "Master.csv"), today="2026-03-30")
    run(directory, "close", "--through", "2026-02-28", today="2026-03-30")


@contextlib.contextmanager
def serving(directory: Path) -> Iterator[tuple[str, float]]:
    """A server's address, and the seconds until it answers."""
    before = time.perf_counter()
    words = [*PROGRAM, "-C", str(directory), "--today", "2026-03-30", "serve", "-p", "0"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = re.search(r"http://([0-9.:]+)/", process.stderr.readline())
        assert found
        yield found[1], time.perf_counter() - before
        process.terminate()


def get(host: str, path: str) -> tuple[str, float]:
    """A page, and the seconds it takes."""
    before = time.perf_counter()
    connection = http.client.HTTPConnection(host)
    connection.request("GET", HOME + path)
    response = connection.getresponse()
    text = response.read().decode()
    assert response.status == 200, text
    return text, time.perf_counter() - before


def owed_by(table: str) -> dict[str, str]:
    """What each customer owes, in the order of the table."""
    return {row["customer"]: row["owed"] for row in csv.DictReader(io.StringIO(table))}


def seen(host: str, directory: Path, customer: str) -> float:
    """Seconds from the end of an import until the pages show it."""
    payment = directory.parent / "payment.csv"
    payment.write_text(f"id,customer,date,amount\np1,{customer},2026-03-30,1.23\n")

    def owed() -> str:
        return owed_by(get(host, "Customers/table")[0])[customer]

    old = owed()
    run(directory, "import", "payments", str(payment), today="2026-03-30")
    before = time.perf_counter()
    while owed() == old:
        time.sleep(0.05)
    return time.perf_counter() - before


def main() -> None:
    """Measure, and print a line for each number of customers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--customers", type=int, nargs="+", default=[100, 1000, 10_000])
    given = parser.parse_args()
    print(f"{given.rows:,} rows each; seconds")
    for customers in given.customers:
        with tempfile.TemporaryDirectory() as place:
            book = Path(place) / "book"
            filled(book, given.rows, customers)
            with serving(book) as (host, start):
                get(host, "Customers/?partial=true")
                page = get(host, "Customers/")[1]
                text, rows = get(host, "Customers/table")
                customer = next(iter(owed_by(text)))
                first = get(host, f"Customers/?customer={customer}")[1]
                again = get(host, f"Customers/?customer={customer}")[1]
                others = {
                    name: get(host, path)[1]
                    for name, path in {
                        "ageing": "Ageing/",
                        "revenue": "Revenue/",
                        "close": "Close/due",
                    }.items()
                }
                after = seen(host, book, customer)
        print(
            f"{customers:>7,} customers: start {start:5.2f}, page {page:5.2f} and CSV {rows:5.2f} "
            f"({len(text):,} bytes), a customer {first:5.2f} then {again:5.2f}, "
            + ", ".join(f"{name} {seconds:5.2f}" for name, seconds in others.items())
            + f", an import is seen after {after:5.2f}"
        )


if __name__ == "__main__":
    main()
