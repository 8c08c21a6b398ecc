"""Measure an import end to end, against merely parsing its file and against a plain loop.

python tests/benchmarks/bench_import.py --rows 1000000 --customers 1000

Everything runs on one machine, one after the other; the figures to look at are the ratios.
Nothing is asserted.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import functools
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from a2ledger.calls import detail
from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating

READ = (0, 1, 2, 3, 5, 6, 7, 9, 12, 13, 14, 16, 17)
"""Places of the columns an import reads of Asterisk's 18."""
HERE = Path(__file__).parent
PROGRAM = [sys.executable, "-m", "a2ledger"]
TODAY = "2026-01-31"


def timed(function: Callable[[], object]) -> float:
    """Seconds a function takes."""
    before = time.perf_counter()
    function()
    return time.perf_counter() - before


def book(directory: Path, *words: str, today: str = TODAY) -> float:
    """Seconds a command takes on the book in a directory; its answer may be no."""
    command = [*PROGRAM, "-C", str(directory), "--quiet", "--today", today, *words]
    return timed(lambda: subprocess.run(command, check=False, capture_output=True))


def parse(file: Path, columns: list[str]) -> float:
    """Parse some columns of the file, or with none named all, in the way that is the faster.

    Which one that is depends on how much memory the whole file takes.
    """
    read = pyarrow.csv.ReadOptions(autogenerate_column_names=True, block_size=16 << 20)
    convert = pyarrow.csv.ConvertOptions(include_columns=columns)

    def by_block() -> None:
        for _ in pyarrow.csv.open_csv(file, read, convert_options=convert):
            pass

    whole = timed(lambda: pyarrow.csv.read_csv(file, read, convert_options=convert))
    return min(whole, timed(by_block))


def floor(file: Path, root: Path, output: Path) -> tuple[float, float]:
    """The least an import can do: parse the columns it reads; write what it wrote of each day.

    The days are those in the book, shuffled, and are sorted again; nothing else is done to them.
    """
    paths = sorted(root.glob("calls/*/*-??.parquet"))
    parsing = parse(file, [f"f{place}" for place in READ])
    writing = 0.0
    for path in paths:
        calls = pyarrow.parquet.read_table(path)
        order = np.random.default_rng(1).permutation(len(calls))
        calls = calls.take(pa.array(order)).select(detail.SCHEMA.names).cast(detail.SCHEMA)
        writing += timed(functools.partial(_write, calls, output / path.name))
    return parsing, writing


def _write(calls: pa.Table, path: Path) -> None:
    path.write_bytes(detail.encoded(calls))


def kernel(root: Path, deck: Path) -> float:
    """Calls a second that the kernel alone rates: those of the book, in batches of an import."""
    plan, problems = tariff.parse(deck.read_text(), name="standard", file=deck.name)
    assert not problems
    tariffs = [tariff.Tariff(name="standard", decks=(plan,))]
    names = ["called", "start", "seconds"]
    paths = root.glob("calls/*/*-??.parquet")
    calls = pa.concat_tables([pyarrow.parquet.read_table(path, columns=names) for path in paths])
    asked = {
        "called": calls["called"],
        "local": calls["start"].cast(pa.timestamp("s")),
        "seconds": calls["seconds"],
        "tariff": pa.nulls(len(calls), pa.int32()).fill_null(0),
    }
    batches = pa.table(asked).combine_chunks().to_batches(max_chunksize=1 << 16)
    return len(calls) / timed(lambda: [rating.rate(batch, tariffs) for batch in batches])


def loop(file: Path, deck: Path, rows: int) -> float:
    """Price some rows the plain way: csv, a dictionary of prefixes, Decimal, local days."""
    with deck.open(newline="") as lines:
        rates = {row["dialprefix"]: row for row in csv.DictReader(lines)}
    zone = ZoneInfo("Europe/Brussels")

    def run() -> None:
        seen: set[str] = set()
        owed: dict[tuple[str, dt.date], Decimal] = {}
        with file.open(newline="") as lines:
            for number, row in enumerate(csv.reader(lines)):
                if number == rows:
                    return
                if row[14] != "ANSWERED" or row[16] in seen:
                    continue
                seen.add(row[16])
                start = dt.datetime.fromisoformat(row[9]).replace(tzinfo=dt.UTC)
                sizes = (row[2][:size] for size in range(15, 0, -1))
                rate = rates[next(prefix for prefix in sizes if prefix in rates)]
                block = int(rate["billingblock"])
                billed = -(-int(row[13]) // block) * block
                cost = (Decimal(billed) * Decimal(rate["rateinitial"]) / 60).quantize(
                    Decimal("0.000001"), ROUND_HALF_UP
                )
                key = (row[0], start.astimezone(zone).date())
                owed[key] = owed.get(key, Decimal(0)) + cost

    return timed(run)


def prepare(directory: Path, rows: int, customers: int, days: int) -> int:
    """Make a book and its input: a month but for its last hour, and that hour; rows in it."""
    sizes = ["--rows", rows, "--customers", customers, "--days", days]
    subprocess.run([sys.executable, HERE / "calls.py", directory, *map(str, sizes)], check=True)
    made = directory / "book"
    subprocess.run([*PROGRAM, "--quiet", "--today", "2026-01-01", "init", made], check=True)
    (made / "tariffs/standard.csv").write_bytes((directory / "standard.csv").read_bytes())
    hour = rows // (days * 24)
    with (directory / "Master.csv").open("rb") as lines:
        with (directory / "month.csv").open("wb") as month:
            month.writelines(next(lines) for _ in range(rows - hour))
        (directory / "hour.csv").write_bytes(lines.read())
    return hour


def main() -> None:
    """Make the input, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--customers", type=int, default=1000)
    arguments.add_argument("--days", type=int, default=31)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        hour = prepare(directory, given.rows, given.customers, given.days)
        one = directory / "book"
        customers = str(directory / "customers.csv")
        month = ("import", "asterisk", str(directory / "month.csv"))
        following = ("import", "asterisk", str(directory / "hour.csv"))
        report = [
            (f"import {given.customers:,} customers", book(one, "import", "customers", customers)),
            (f"import {given.rows - hour:,} rows", book(one, *month)),
        ]
        end = report[-1][1]
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        report += [
            (f"import one more hour, {hour:,} rows", book(one, *following)),
            ("the same hour again", book(one, *following)),
            ("balances", book(one, "balances")),
            ("check", book(one, "check")),
            ("close", book(one, "close", today="2026-02-02")),
        ]
        file = directory / "Master.csv"
        sample = min(given.rows, 200_000)
        plain = loop(file, directory / "standard.csv", sample) * given.rows / sample
        rated = kernel(one, directory / "standard.csv")
        every = parse(file, [])
        parsing, writing = floor(file, one, directory)
        ratios = [
            ("parse every column with Arrow", every),
            ("parse the columns read", parsing),
            ("sort and write days of rated calls", writing),
            ("the floor: these two", parsing + writing),
            ("plain loop with Decimal, by sample", plain),
        ]
    for what, seconds in report:
        print(f"{what:<44}{seconds:9.2f} s")
    print(f"{'rows a second, end to end':<44}{given.rows / end:9,.0f}")
    print(f"{'calls a second, the kernel alone':<44}{rated:9,.0f}")
    print(f"{'peak memory of the import':<44}{peak:9,} MB")
    for what, seconds in ratios:
        print(f"{what:<44}{seconds:9.2f} s; the import takes {end / seconds:.2f} times that")


if __name__ == "__main__":
    main()
