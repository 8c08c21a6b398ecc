"""Imports at once of files that overlap, with readers beside them: every call counts once.

A2LEDGER_ROUNDS=50 pytest tests/stories/test_race.py has them race as often.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading

import pytest
import shelf
from examples import sampled
from harness import Done, a2ledger

ROUNDS = int(os.environ.get("A2LEDGER_ROUNDS", "1"))
WRITERS = sampled(6, 3)
CALLS = 60
TODAY = "2026-02-20"


def program(root, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "a2ledger", "-C", root, "--today", TODAY, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process) -> Done:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err
    return Done(process.returncode, out, err)


def rows():
    """Calls of a minute each, of three customers, over a month: 1.00 each."""
    return [
        f"call-{number},C{number % 3 + 1},2026-01-{number % 28 + 1:02d} 12:00:00,3225550199,60\n"
        for number in range(CALLS)
    ]


def watch(root, stop, sums):
    """What a reader sees again and again: what all owe in all."""
    while not stop.is_set():
        done = ended(program(root, "balances", "--json"))
        assert done.code == 0, done
        sums.append(sum(round(float(row["owed"]) * 100) for row in done.json))


@pytest.mark.long
@pytest.mark.parametrize("number", range(ROUNDS))
def test_imports_at_once_count_every_call_once(empty_book, tmp_path, number):
    chance = random.Random(number)  # noqa: S311
    root = shutil.copytree(empty_book, tmp_path / "book")
    for name in ("C1", "C2", "C3"):
        words = ["customer", "add", name, "--opened", "2026-01-01", "--credit-limit", "1000"]
        shelf.program("-C", root, "-q", "--today", TODAY, *words)
    every = rows()
    files = []
    for writer in range(WRITERS):
        mine = every if writer == 0 else chance.sample(every, CALLS // 2)
        files.append(tmp_path / f"calls-{writer}.csv")
        files[-1].write_text("id,customer,start,called,seconds\n" + "".join(mine))
    chance.shuffle(files)
    stop, sums = threading.Event(), []
    reader = threading.Thread(target=watch, args=(root, stop, sums))
    reader.start()

    writers = [program(root, "import", "calls", "--json", file) for file in files]
    reports = [ended(writer) for writer in writers]
    stop.set()
    reader.join()

    assert [done.code for done in reports] == [0] * WRITERS, reports
    counts = [json.loads(done.stdout) for done in reports]
    assert sum(one["posted"] for one in counts) == CALLS
    assert sum(one["duplicate"] for one in counts) == sum(one["read"] for one in counts) - CALLS
    assert sums == sorted(sums)
    assert len((root / "imports.csv").read_text().splitlines()) == 1 + WRITERS
    found = a2ledger("-C", root, "--today", TODAY, "balances", "--json").json
    assert {row["customer"]: row["owed"] for row in found} == dict.fromkeys(
        ("C1", "C2", "C3"), "20.00"
    )
    assert a2ledger("-C", root, "check", "C1", "C2", "C3").stdout == ""
    assert "waiting for it" in "".join(done.stderr for done in reports)
    log = ["git", "-c", "safe.directory=*", "-C", str(root), "log", "--format=%s"]
    subjects = subprocess.run(log, capture_output=True, text=True, check=True).stdout.splitlines()
    assert sum(subject.startswith("import: calls") for subject in subjects) == WRITERS
