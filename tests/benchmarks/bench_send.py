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
from queued import SENT, billed  # noqa: E402


def program(root: Path, *words: str, today: str) -> None:
    """Run a command in a process of its own; what it says is shown."""
    command = (sys.executable, "-m", "a2ledger", "--today", today, *words)
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)


def measured(root: Path, title: str, *words: str) -> None:
    """Run a command and say what it took."""
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "a2ledger", "-C", str(root), "--today", SENT, *words],
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
        billed(root, count, box.port, program)
        measured(root, "dry run", "send", "--dry-run")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        measured(root, f"send {count}", "send")
        server = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        print(f"the server took {len(box.messages)} in {server:.1f} s of its own processor")
        measured(root, "send again", "send")
        assert set(box.counts.values()) == {1}
        assert len(box.messages) == count


if __name__ == "__main__":
    main()
