"""Break `send` at every call that changes the disk or speaks to the mail server.

python tests/crash/crash_send.py                       every call, every way: hours
python tests/crash/crash_send.py --points 5            calls spread evenly

A real mail server takes what is sent. Ways to break are those of `crash.py`; ``network`` kills at a
call that sends to the server or reads from it. After each the next `send` must leave every message
sent and taken once, or named as one that may have arrived; never twice, never lost without a word.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "helpers")]

import compiled  # noqa: E402
import crash  # noqa: E402
from mail_server import Mailbox, mailbox  # noqa: E402
from queued import SENT, billed  # noqa: E402
from tracing import Fault, is_possible, run  # noqa: E402

from a2ledger.delivery.outbox import IN_DOUBT  # noqa: E402

NETWORK = "network"
MODES = (NETWORK, *crash.MODES)
CUSTOMERS = 3


def doomed(send: Callable[[], int], at: int, told: int) -> Callable[[], int]:
    """A run that is gone at a call of this number to the server; it says how many there were."""

    def start() -> int:
        count = 0

        def dying(function: Callable) -> Callable:
            def call(*words: object, **options: object) -> object:
                nonlocal count
                count += 1
                if count == at:
                    os._exit(9)
                return function(*words, **options)

            return call

        for name in ("connect", "sendall", "recv_into"):
            setattr(socket.socket, name, dying(getattr(socket.socket, name)))
        code = send()
        os.write(told, str(count).encode())
        return code

    return start


class Trial:
    """A book with messages to send, and a server that takes them."""

    def __init__(self, book: Path, root: Path, box: Mailbox) -> None:
        self.book, self.root, self.box = book, root, box
        self.send = crash.loaded(["send"], SENT)
        self.fresh()
        clean = run(self.send, self.root, crash.ENVIRONMENT)
        if clean.code or self.box.counts.total() != CUSTOMERS:
            raise SystemExit(f"send fails by itself: {clean.output}")
        self.calls = clean.calls
        reading, writing = os.pipe()
        self.fresh()
        run(doomed(self.send, 0, writing), self.root, crash.ENVIRONMENT)
        self.exchanges = int(os.read(reading, 20))
        self.told = writing

    def fresh(self) -> None:
        """The book as it was, and an empty mailbox."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.book, self.root, symlinks=True)
        self.box.messages.clear()

    def broken(self, fault: Fault) -> list[str]:
        """What is wrong after a fault and another run."""
        self.fresh()
        if fault.mode == NETWORK:
            broken = run(doomed(self.send, fault.at, self.told), self.root, crash.ENVIRONMENT)
        else:
            broken = run(self.send, self.root, crash.ENVIRONMENT, fault)
        wrong = crash.faults_of(broken) if fault.error else []
        done = run(self.send, self.root, crash.ENVIRONMENT)
        wrong += [f"the next run: {fault}" for fault in crash.faults_of(done)]
        lines = [
            json.loads(line)
            for path in self.root.glob("delivery/*.jsonl")
            for line in path.read_text().splitlines()
        ]
        if len({line["document"] for line in lines}) != CUSTOMERS or len(lines) != CUSTOMERS:
            wrong.append(f"{len(lines)} messages in the outbox")
        doubts = 0
        for line in lines:
            name, state = line["document"], line["state"]
            count = self.box.counts[line["message_id"]]
            doubts += state == "failed"
            known = state == "failed" and line["error"] == IN_DOUBT and count <= 1
            if not known and (state, count) != ("sent", 1):
                wrong.append(f"{name} is {state}, and came {count} times")
        if doubts > 1:
            wrong.append(f"of {doubts} messages nobody knows what became of them")
        if crash.git(self.root, "status", "--porcelain"):
            wrong.append("git does not know all of it")
        return wrong


def main() -> None:
    """Break what is asked for; exit 1 if a message was lost or came twice."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--points", type=int, default=0, help="calls of each way; 0 all")
    arguments.add_argument("--modes", default=",".join(MODES), help=f"of {','.join(MODES)}")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    if not is_possible():
        raise SystemExit("needs Linux on x86-64")
    chance, began = random.Random(given.seed), time.monotonic()  # noqa: S311 - no secret
    tried: Counter[str] = Counter()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="crash-") as place, mailbox() as box:
        compiled.load()
        directory = Path(place)
        trial = Trial(
            billed(directory / "billed", CUSTOMERS, box.port, crash.program),
            directory / "book",
            box,
        )
        print(f"send: {len(trial.calls)} calls change the disk, {trial.exchanges} ask the server")
        for mode in given.modes.split(","):
            total = trial.exchanges if mode == NETWORK else len(trial.calls)
            for at in crash._chosen(total, given.points, chance):  # noqa: SLF001
                if mode != NETWORK and not crash._matters(trial.calls[at - 1], mode):  # noqa: SLF001
                    continue
                tried[mode] += 1
                if wrong := trial.broken(Fault(at, mode)):
                    failures += 1
                    print(f"  {mode} at {at}: {'; '.join(wrong)}", flush=True)
            print(f"  {mode} done after {time.monotonic() - began:.0f} s", flush=True)
    counts = ", ".join(f"{mode} {count}" for mode, count in tried.items())
    seconds = time.monotonic() - began
    print(f"  {tried.total()} times broken ({counts}), {failures} wrong, {seconds:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
