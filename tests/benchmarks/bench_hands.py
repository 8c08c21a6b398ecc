"""What looking for hands costs an hourly import.

    python tests/benchmarks/bench_hands.py --customers 1000 --months 12

Times an import of an hour's calls, and in it what comparing the book with what was published and
writing down what is published take.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent / "helpers"))

from harness import STANDARD, Book, a2ledger, call, csv_text

from a2ledger.book.published import Published

TOLD: dict[str, float] = {}


def timed(name: str) -> None:
    """Have calls of a method be timed."""
    plain = getattr(Published, name)

    def call(self: Published, *words: object) -> object:
        start = time.perf_counter()
        try:
            return plain(self, *words)
        finally:
            TOLD[name] = TOLD.get(name, 0.0) + time.perf_counter() - start

    setattr(Published, name, call)


def main() -> None:
    """Make a book, import some hours and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--months", type=int, default=12)
    parser.add_argument("--calls", type=int, default=2000, help="of an hour")
    parser.add_argument("--hours", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hands-") as directory:
        root = Path(directory) / "book"
        a2ledger("--today", "2025-01-01", "init", root, "--company", "X")
        (root / "tariffs/standard.csv").write_text(STANDARD)
        book = Book(root, Path(directory) / "files", "2025-01-01")
        names = [f"C{number:05d}" for number in range(asked.customers)]
        book.customers(*({"id": name, "opened": "2025-01-01", "credit_limit": "9999"}
                         for name in names))  # fmt: skip
        for month in range(1, asked.months + 1):
            day = f"{2025 + (month - 1) // 12}-{(month - 1) % 12 + 1:02d}-05"
            book.imported("calls", [call(f"{month}-{name}", name, day, 60) for name in names],
                          today=day)  # fmt: skip
            after = f"{2025 + month // 12}-{month % 12 + 1:02d}-02"
            book.run("close", "--json", today=after)
        for name in ("_read", "changed", "record"):
            timed(name)
        whole, looked = [], []
        today = f"{2025 + asked.months // 12}-{asked.months % 12 + 1:02d}-03"
        for hour in range(asked.hours):
            rows = [
                call(f"h{hour}-{number}", names[number % len(names)], today, 60)
                for number in range(asked.calls)
            ]
            path = book.file(f"hour-{hour}.csv", csv_text(rows))
            TOLD.clear()
            start = time.perf_counter()
            book.run("import", "calls", path, today=today)
            whole.append(time.perf_counter() - start)
            looked.append(dict(TOLD))
        files = len(Published(root).files)
        share = median(sum(one.values()) / total for one, total in zip(looked, whole, strict=True))
        parts = {name: median(one[name] for one in looked) for name in looked[0]}
        shown = ", ".join(
            f"{name.strip('_')} {1000 * value:.0f} ms" for name, value in parts.items()
        )
        print(f"{files} files; an hour of {asked.calls} calls: {median(whole):.2f} s; {shown}; "
              f"{100 * share:.1f} %")  # fmt: skip


if __name__ == "__main__":
    main()
