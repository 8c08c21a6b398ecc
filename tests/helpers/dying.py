"""A program that dies in the middle: at a call of its own choosing, and nothing is tidied up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


class Killed(BaseException):
    """Not an error a program can handle."""


def deadly(monkeypatch, at):
    """Have the program die at the call of this number of all that touch the disk or run git."""
    count = 0

    def dying(function):
        def call(*words, **options):
            nonlocal count
            count += 1
            if count == at:
                raise Killed
            return function(*words, **options)

        return call

    for name in ("open", "write", "fsync", "replace", "unlink", "mkdir"):
        monkeypatch.setattr(os, name, dying(getattr(os, name)))
    monkeypatch.setattr(subprocess, "run", dying(subprocess.run))
    return lambda: count


PROGRAM = """
import json, os, signal, subprocess, sys
import compiled
from a2ledger.cli import main

compiled.load()

def dying(function):
    def call(*words, **options):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*words, **options)
    return call

names, runs = json.loads(sys.stdin.read())
codes = []
for at, words in runs:
    left, pid = at, os.fork()
    if not pid:
        os.dup2(2, 1)
        for name in names:
            setattr(os, name, dying(getattr(os, name)))
        subprocess.run = dying(subprocess.run)
        code = 70
        try:
            main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os._exit(code)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(json.dumps(codes))
"""


def killed(
    books: Mapping[int, Path], words: Iterable[object], calls: Iterable[str]
) -> dict[int, int]:
    """Kill the program on each book at the call of its number; how each of them ended.

    Calls are those of ``os`` that are named, and runs of git. The program is loaded once and
    forked.
    """
    runs = [(at, ["--quiet", "-C", str(root), *map(str, words)]) for at, root in books.items()]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps((list(calls), runs)),
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(books, json.loads(done.stdout), strict=True))
