"""Measure how a book grows: ``python tests/benchmarks/scale.py --customers 100 1000 10000 100000``.

For each number of customers a book is made (a million calls of a month, spread evenly), and the
commands of a day are run on it, each in a process of its own: CPU seconds of it and its children,
and its peak memory. Beside them stand floors: parsing the same records, reading and writing all
journals, `bean-check` of the same journals, and `hledger` and `ledger` adding up their entries,
where these are installed. Nothing is asserted; figures belong to one machine. ``--picture FILE``
draws the curves.

``--keep DIR`` leaves the books there (and takes up what is there already), so that a command can be
profiled by hand.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import http.client
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import calls
import curves

PROGRAM = [sys.executable, "-m", "a2ledger"]
BIN = Path(sys.executable).parent


class Cost(NamedTuple):
    """What a process took: CPU seconds with its children, seconds, and peak memory in MB."""

    cpu: float
    wall: float
    peak: float


def run(*words: str, book: Path | None = None, today: str = "", ok: tuple[int, ...] = (0,)) -> Cost:
    """Run a command of the program, on a book where one is named."""
    place = ["-C", str(book), "--quiet"] if book else []
    day = ["--today", today] if today else []
    return process([*PROGRAM, *place, *day, *words], ok)


def process(words: list[str], ok: tuple[int, ...] = (0,)) -> Cost:
    """Run a process to its end; what it printed is shown only where it failed."""
    with tempfile.TemporaryFile() as out:
        before = time.perf_counter()
        started = subprocess.Popen(words, stdout=out, stderr=out)
        _, status, used = os.wait4(started.pid, 0)
        wall = time.perf_counter() - before
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode not in ok:
            out.seek(0)
            raise SystemExit(f"{words}: {started.returncode}\n{out.read().decode()[-2000:]}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def write(file: Path, plan: calls.Plan) -> None:
    """Write calls by a process that ends: what it took must not count for those that follow."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(calls.write, file, plan).result()


def git_size(book: Path) -> int:
    """Bytes below ``.git``."""
    return sum(file.stat().st_size for file in (book / ".git").rglob("*") if file.is_file())


def made(root: Path, customers: int, rows: int) -> Iterator[tuple[str, Cost]]:
    """A book with a million calls of January, and what it took to make it."""
    book = root / "book"
    (root / "customers.csv").write_text(calls.customers(customers))
    write(root / "Master.csv", calls.Plan(rows, customers, seconds=30 * 86400, even=True))
    run("init", str(book), "--company", "Example", "--currency", "EUR", "--timezone", "UTC")
    (book / "tariffs/standard.csv").write_text(calls.deck())
    words = ("import", "customers", str(root / "customers.csv"))
    yield "import customers", run(*words, book=book, today="2026-01-01")
    parse = "import sys, pyarrow.csv as c; c.read_csv(sys.argv[1]).num_rows"
    yield (
        f"  floor: parse {rows:,} rows",
        process([sys.executable, "-c", parse, str(root / "Master.csv")]),
    )
    words = ("import", "asterisk", str(root / "Master.csv"))
    yield f"import {rows:,} calls", run(*words, book=book, today="2026-01-31")


def day(root: Path, customers: int, hour: int) -> Iterator[tuple[str, Cost | str]]:
    """The commands of a day in that book."""
    book, some = root / "book", f"C{customers // 3:06d}"
    yield "preview of one", run("preview", some, book=book, today="2026-01-31")
    yield "statement of one", run("statement", some, book=book, today="2026-01-31")
    before = git_size(book)
    words = ("customer", "set", some, f"credit_limit={1001 + before % 100}")
    yield "customer set", run(*words, book=book, today="2026-01-31")
    yield "  .git grows by", f"{(git_size(book) - before) / 1000:,.0f} kB"
    before = git_size(book)
    yield "payment", run("payment", some, "1.00", book=book, today="2026-01-31")
    yield "  .git grows by", f"{(git_size(book) - before) / 1000:,.0f} kB"
    yield "balances", run("balances", book=book, today="2026-01-31")
    yield "check", run("check", book=book, today="2026-01-31", ok=(0, 1))
    file, seed = root / "hour.csv", time.time_ns() % 10**6 + 2
    hours = calls.START + 30 * 86400 + 36_000
    write(file, calls.Plan(hour, customers, hours, 3600, seed=seed, even=True))
    before = git_size(book)
    yield (
        f"import an hour, {hour:,} calls",
        run("import", "asterisk", str(file), book=book, today="2026-01-31"),
    )
    yield "  .git grows by", f"{(git_size(book) - before) / 1000:,.0f} kB"


def pages(book: Path) -> Iterator[tuple[str, Cost | str]]:
    """The staff's pages: from start to the first answer, and the list of customers."""
    words = [*PROGRAM, "-C", str(book), "--today", "2026-01-31", "serve", "-p", "0"]
    before = time.perf_counter()
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        match = re.search(r"http://([0-9.:]+)/", server.stderr.readline())
        assert match
        seconds = time.perf_counter() - before
        yield "serve: seconds to start", f"{seconds:.2f}"
        for name in ("Home", "Customers", "Customers"):
            before = time.perf_counter()
            connection = http.client.HTTPConnection(match[1])
            connection.request("GET", f"/example/extension/{name}/")
            size = len(connection.getresponse().read())
            yield f"  {name} page", f"{time.perf_counter() - before:.2f} s, {size / 1000:,.0f} kB"
        server.terminate()


def month_end(root: Path) -> Iterator[tuple[str, Cost | str]]:
    """Close all, and prove it."""
    book = root / "book"
    yield "close, all", run("close", book=book, today="2026-02-02", ok=(0, 1))
    yield "verify", run("verify", book=book, today="2026-02-02")
    yield "balances after it", run("balances", book=book, today="2026-02-02")


def floors(root: Path) -> Iterator[tuple[str, Cost]]:
    """What others take for the same: the bytes alone, and programs that add up a ledger."""
    book, copies = root / "book", root / "copies"
    main, every = book / "journals/main.beancount", book / "journals/history.beancount"
    shutil.rmtree(copies, ignore_errors=True)
    copy = "import shutil, sys; shutil.copytree(*sys.argv[1:])"
    words = [sys.executable, "-c", copy, str(book / "journals"), str(copies)]
    yield "  floor: read and write all journals", process(words)
    shutil.rmtree(copies)
    yield "  floor: bean-check main", process([str(BIN / "bean-check"), str(main)])
    yield "  floor: bean-check history", process([str(BIN / "bean-check"), str(every)])
    ledger = root / "main.ledger"
    ledger.write_text("".join(plain(every)))
    for program in ("hledger", "ledger"):
        if there := shutil.which(program):
            yield f"  floor: {program} balance", process([there, "-f", str(ledger), "balance"])


_INCLUDE = re.compile(r'include "(.+)"')
_ENTRY = re.compile(r"(\d{4}-\d\d-\d\d) [*!] (.*)")
_POSTING = re.compile(r"  [A-Z]\w*(:[^\s:]+)+  ")


def plain(file: Path) -> Iterator[str]:
    """Yield the transactions of a Beancount file in the form that other ledgers read."""
    is_entry = False
    for line in file.read_text("utf-8").splitlines():
        if include := _INCLUDE.match(line):
            yield from plain(file.parent / include[1])
        elif entry := _ENTRY.match(line):
            is_entry = True
            text = re.sub(r"[#^;|]", " ", entry[2])
            yield f"\n{entry[1]} * {text}\n"
        elif is_entry and _POSTING.match(line):
            yield f"{line.partition(';')[0].rstrip()}\n"
        elif not line.startswith(" "):
            is_entry = False


def main() -> None:
    """Measure, and print a line for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, nargs="+", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="leave the books below this directory")
    parser.add_argument("--only", nargs="+", default=["day", "pages", "close", "floors"])
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--picture", type=Path, help="draw the curves as SVG")
    given = parser.parse_args()
    figures: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as place:
        for customers in given.customers:
            root = (given.keep or Path(place)) / str(customers)
            root.mkdir(parents=True, exist_ok=True)
            print(f"{customers:,} customers", flush=True)
            lines = figures.setdefault(str(customers), {})
            for name, cost in _all(root, customers, given.rows, given.only):
                lines[name] = cost
                words = (
                    cost
                    if isinstance(cost, str)
                    else (f"{cost.cpu:8.2f} s CPU {cost.wall:8.2f} s {cost.peak:8,.0f} MB")
                )
                print(f"  {name:34}{words}", flush=True)
            if not given.keep:
                shutil.rmtree(root)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n")
    if given.picture:
        given.picture.write_text(curves.svg(figures))


def _all(
    root: Path, customers: int, rows: int, only: list[str]
) -> Iterator[tuple[str, Cost | str]]:
    if not (root / "book").exists():
        yield from made(root, customers, rows)
    if "day" in only:
        yield from day(root, customers, 4_200 if customers < 100_000 else 42_000)
    if "pages" in only:
        yield from pages(root / "book")
    if "close" in only:
        yield from month_end(root)
    if "floors" in only:
        yield from floors(root)


if __name__ == "__main__":
    main()
