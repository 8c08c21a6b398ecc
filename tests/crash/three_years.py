"""A random company for 36 months: killed, edited by hand and mended on the way, never wrong.

    python tests/crash/three_years.py --seeds 1,2,3

Every week calls, payments and charges come in; runs are killed at random moments and run again;
hands delete, move, link, double, edit and roll back files between commands. After each month what
each customer owes must be what a model of a few lines says, and at the end `verify` must find
nothing. Prints a line a year, and exits with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))

from deeds import deed
from harness import STANDARD, Book, a2ledger, call, csv_text, slim

CUSTOMERS = ("C1", "C2", "C3", "C4")
DAY = dt.timedelta(days=1)


class Company:
    """A book, and what its customers owe."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - to be repeated
        self.directory, self.count = directory, Counter[str]()
        self.owed = dict.fromkeys(CUSTOMERS, Decimal(0))
        self.serial = 0
        self.today = dt.date(2024, 1, 1)
        root = directory / "book"
        a2ledger("--today", self.today, "init", root, "--company", "Example Telecom")
        (root / "tariffs/standard.csv").write_text(STANDARD)
        self.book = Book(root, directory / "files", str(self.today))
        rows = [
            {"id": name, "credit_limit": "999999", "opened": "2024-01-01"} for name in CUSTOMERS
        ]
        self.book.customers(*rows)

    def month(self) -> None:
        """Live through a month, and close the one before."""
        start = self.today
        while self.today.month == start.month:
            self.book.today = str(self.today)
            self.week()
            self.today += 7 * DAY if (self.today + 7 * DAY).month == start.month else DAY
        self.book.today = str(self.today)
        self.run("close", code={0, 1})
        self.compare()

    def week(self) -> None:
        """Take in what a week brings, with hands and deaths between."""
        chance = self.chance
        calls = []
        for _ in range(chance.randrange(1, 6)):
            name, minutes = chance.choice(CUSTOMERS), chance.randrange(1, 9)
            day = max(self.today - chance.randrange(0, 9) * DAY, dt.date(2024, 1, 1))
            self.serial += 1
            calls.append(call(f"u{self.serial}", name, str(day), 60 * minutes))
            self.owed[name] += minutes
        self.take("calls", calls)
        for source, sign in (("payments", -1), ("charges", 1), ("refills", -1)):
            if chance.random() < 0.4:
                name, amount = chance.choice(CUSTOMERS), Decimal(chance.randrange(1, 900)) / 100
                self.serial += 1
                row = {"id": f"m{self.serial}", "customer": name, "date": self.today,
                       "amount": amount}  # fmt: skip
                if source == "charges":
                    row["service"] = "Subscriptions"
                self.owed[name] += sign * amount
                self.take(source, [row])
        if chance.random() < 0.25:
            self.hands()

    def take(self, source: str, rows: list[dict[str, object]]) -> None:
        """Import rows; sometimes the program is killed first, and sometimes it is done twice."""
        path = self.book.file(f"{source}-{self.serial}.csv", csv_text(rows))
        words = ("import", source, path)
        if self.chance.random() < 0.08:
            self.killed(*words)
        self.run(*words)
        if self.chance.random() < 0.1:
            self.run(*words)

    def killed(self, *words: object) -> None:
        """Run a command in a process of its own, and kill it at a random moment."""
        options = ("-C", self.book.root, "--today", self.today)
        with subprocess.Popen(
            [sys.executable, "-m", "a2ledger", *map(str, [*options, *words])],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            time.sleep(self.chance.uniform(0.2, 1.2))
            process.send_signal(signal.SIGKILL)
        self.count["kills"] += 1

    def run(self, *words: object, code: set[int] | None = None) -> None:
        """Run a command that must answer as expected."""
        done = a2ledger("-C", self.book.root, "--today", self.today, *words)
        self.count["commands"] += 1
        if done.code not in (code or {0}):
            self.wrong(f"{words}: exit {done.code}: {done.stderr}")

    def hands(self) -> None:
        """Have somebody's hands in the book, then do what the next command says."""
        saved, old = self.directory / "saved", self.directory / "old"
        shutil.rmtree(saved, ignore_errors=True)
        shutil.copytree(self.book.root, saved, symlinks=True)
        done_by_hand, _ = deed(self.book.root, old if old.exists() else saved, self.chance)
        self.serial += 1
        words = ("customer", "set", "C2", f"terms={self.serial % 99}")
        done = a2ledger("-C", self.book.root, "--today", self.today, *words)
        self.count["hands"] += 1
        if done.code:
            self.count["refused"] += 1
            if not done.errors:
                self.wrong(f"{done_by_hand}: refused without a word")
            for top in ("journals", "invoices", "tariffs", "calls"):
                if (self.book.root / top).is_symlink():
                    (self.book.root / top).unlink()
            self.book.git("checkout", "HEAD", "--", ".")
            self.book.git("clean", "--quiet", "-fd")
        if "calls" in done_by_hand:
            shutil.rmtree(self.book.root / "calls", ignore_errors=True)
            shutil.copytree(saved / "calls", self.book.root / "calls")
        if done.code:
            self.run(*words)
        shutil.rmtree(old, ignore_errors=True)
        saved.rename(old)

    def compare(self) -> None:
        """Compare what customers owe with the model, and the book with itself."""
        done = a2ledger("-C", self.book.root, "--today", self.today, "balances", "--json")
        if done.code:
            self.wrong(f"balances: {done.stderr}")
            return
        owed = {row["customer"]: Decimal(row["owed"]) for row in done.json}
        if owed != self.owed:
            self.wrong(f"{self.today}: {owed} owed, {self.owed} expected")
        self.run("check")

    def wrong(self, what: str) -> None:
        """Note what must not be."""
        self.count["wrong"] += 1
        print(f"WRONG {self.today}: {what}", flush=True)


def main() -> int:
    """Run each seed, and return how many were wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--months", type=int, default=36)
    asked = parser.parse_args()
    wrong = 0
    for seed in map(int, asked.seeds.split(",")):
        with tempfile.TemporaryDirectory(prefix="three-years-") as directory:
            company = Company(Path(directory), seed)
            for number in range(1, asked.months + 1):
                company.month()
                if number % 12 == 0 or number == asked.months:
                    counts = ", ".join(f"{n} {what}" for what, n in company.count.items())
                    print(f"seed {seed}, month {number}: {counts}", flush=True)
                    slim(company.book.root)
            company.run("verify")
            wrong += company.count["wrong"]
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
