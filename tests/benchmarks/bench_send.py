"""How long a queue of mail takes to a server that takes it: processor, memory, messages a second.

python tests/benchmarks/bench_send.py --customers 10000

Mail has its document as a page: a PDF takes what `bench_documents.py` says besides.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "helpers")]

from mail_server import mailbox  # noqa: E402

SETTINGS = """
[mail]
host = "127.0.0.1"
port = {port}
starttls = false
from = "billing@sun.example"
attach = ["html"]
"""
DECK = "dialprefix,destination,rateinitial,initblock,billingblock\ndefault,Anywhere,1.00,60,60\n"


def run(root: Path, today: str, *words: str) -> None:
    """Run a command in a process of its own; what it says is shown."""
    words = (sys.executable, "-m", "a2ledger", "-C", str(root), "--today", today, *words)
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def billed(root: Path, count: int, port: int) -> None:
    """Make a book with an invoice of each customer."""
    run(root.parent, "2026-01-01", "init", str(root), "--timezone", "UTC")
    (root / "tariffs/standard.csv").write_text(DECK)
    rows = "".join(f"C{n},C{n},1000,standard,2026-01-01,c{n}@maes.example\n" for n in range(count))
    customers, calls = root.parent / "customers.csv", root.parent / "calls.csv"
    customers.write_text("id,name,credit_limit,tariff,opened,email\n" + rows)
    rows = "".join(f"c{n},C{n},2026-01-05 12:00:00,3225550199,61\n" for n in range(count))
    calls.write_text("id,customer,start,called,seconds\n" + rows)
    run(root, "2026-01-02", "import", "customers", str(customers))
    run(root, "2026-01-06", "import", "calls", str(calls))
    run(root, "2026-02-02", "close")
    with (root / "a2ledger.toml").open("a") as settings:
        settings.write(SETTINGS.format(port=port))


def measured(root: Path, title: str, *words: str) -> None:
    """Run a command and say what it took."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "a2ledger", "-C", str(root), "--today", "2026-02-03", *words],
        stdout=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    wall, cpu = time.perf_counter() - began, used.ru_utime + used.ru_stime
    megabytes = used.ru_maxrss / 1024
    code = os.waitstatus_to_exitcode(status)
    print(f"{title:<20}{wall:>8.1f} s {cpu:>8.1f} s of processor {megabytes:>6.0f} MB, exit {code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1000)
    count = parser.parse_args().customers
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - as the tests do
    with tempfile.TemporaryDirectory(dir=place) as directory, mailbox() as box:
        root = Path(directory) / "book"
        billed(root, count, box.port)
        measured(root, "dry run", "send", "--dry-run")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        measured(root, f"send {count}", "send")
        server = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        print(f"the server took {len(box.messages)} in {server:.1f} s of its own processor")
        measured(root, "send again", "send")
        assert len(box.messages) == count


if __name__ == "__main__":
    main()
