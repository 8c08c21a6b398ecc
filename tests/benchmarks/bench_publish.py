"""Measure ways to publish many files: making them durable, and committing them.

python tests/benchmarks/bench_publish.py --customers 10000
python tests/benchmarks/bench_publish.py --customers 1000 --hours 24

Every way writes the same texts: a period's file for each customer, of which each hour rewrites
one entry. Nothing is asserted; look at the ratios, and at the size of ``.git``.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Files = dict[str, bytes]

DURABLE = ["-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync"]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def entry(day: int, customer: str, chance: random.Random) -> str:
    """A day's usage as a journal says it."""
    calls, seconds = chance.randrange(1, 40), chance.randrange(60, 9000)
    amount = f"{chance.randrange(1, 10_000_000) / 1_000_000:.6f}"
    return (
        f'2026-01-{day:02d} * "Calls" "{calls} calls"\n  calls: {calls}\n  seconds: {seconds}\n'
        f"  Assets:Receivable:{customer}:Unbilled   {amount} EUR\n"
        f'    vat: "S21"\n  Income:Calls   -{amount} EUR\n\n'
    )


def texts(customers: int, hour: int) -> Files:
    """The files of all customers after an hour: it changed the last day's entry."""
    files = {}
    for number in range(customers):
        name = f"C{number:05d}"
        before, now = random.Random(number), random.Random(number * 1000 + hour)  # noqa: S311
        text = "".join(entry(day, name, before) for day in range(1, 31)) + entry(31, name, now)
        files[f"journals/2026-01/{name}.01.beancount"] = text.encode()
    return files


def git(root: Path, *words: str, stdin: bytes = b"", more: tuple[str, ...] = ()) -> bytes:
    """Run git, durably."""
    done = subprocess.run(
        ["git", *DURABLE, "-c", "gc.auto=0", *more, *words],
        cwd=root, env=ENVIRONMENT, input=stdin, capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout


# Making files durable


def write(root: Path, files: Files, *, each: bool) -> None:
    """Write files beside those they replace, make them durable, and rename them."""
    stage = root / "stage"
    stage.mkdir(exist_ok=True)
    for number, content in enumerate(files.values()):
        descriptor = os.open(stage / str(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660)
        os.write(descriptor, content)
        if each:
            os.fsync(descriptor)
        os.close(descriptor)
    if not each:
        sync(stage)
    for number, path in enumerate(files):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (stage / str(number)).replace(root / path)


def sync(directory: Path) -> None:
    """One sync of the whole file system."""
    descriptor = os.open(directory, os.O_RDONLY)
    ctypes.CDLL(None).syncfs(descriptor)
    os.close(descriptor)


# Committing them


def loose(root: Path, files: Files, more: tuple[str, ...] = ()) -> None:
    """``git add`` and ``git commit``: an object file for each text."""
    listed = ("--pathspec-from-file=-", "--pathspec-file-nul")
    git(root, "add", *listed, stdin="\0".join(files).encode(), more=more)
    git(root, "commit", "--quiet", "-m", "hour")


def batched(root: Path, files: Files) -> None:
    """The same with git's batched syncing."""
    loose(root, files, ("-c", "core.fsyncMethod=batch"))


def packed(root: Path, files: Files) -> None:
    """``git update-index`` that puts all texts into one pack, then plumbing."""
    more = ("-c", "core.bigFileThreshold=1")
    stdin = "\0".join(files).encode() + b"\0"
    git(root, "update-index", "--add", "--remove", "-z", "--stdin", stdin=stdin, more=more)
    tree = git(root, "write-tree").decode().strip()
    head = git(root, "for-each-ref", "--format=%(objectname)", "refs/heads/main").decode().strip()
    parent = ["-p", head] if head else []
    commit = git(root, "commit-tree", *parent, "-m", "hour", tree).decode().strip()
    git(root, "update-ref", "refs/heads/main", commit)


def repacked(root: Path, files: Files) -> None:
    """The same, and packs are put together where there are many."""
    packed(root, files)
    if len(list((root / ".git/objects/pack").glob("*.pack"))) >= MANY:
        git(root, "repack", "--geometric=2", "-d", "-q")


MANY = 10


def streamed(root: Path, files: Files) -> None:
    """``git fast-import``, then the index is told."""
    head = git(root, "for-each-ref", "--format=%(objectname)", "refs/heads/main").decode().strip()
    out = [b"commit refs/heads/main\ncommitter a <a@b> 1700000000 +0000\ndata 5\nhour\n"]
    out += [f"from {head}\n".encode()] if head else []
    for path, content in files.items():
        out += [f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n"]
    more = ("-c", "fastimport.unpackLimit=1")
    git(root, "fast-import", "--quiet", stdin=b"".join(out), more=more)
    stdin = "\0".join(files).encode() + b"\0"
    git(root, "update-index", "--add", "--remove", "-z", "--stdin", stdin=stdin)


def streamed_and_repacked(root: Path, files: Files) -> None:
    """The same, and packs are put together where there are many."""
    streamed(root, files)
    if len(list((root / ".git/objects/pack").glob("*.pack"))) >= MANY:
        git(root, "repack", "--geometric=2", "-d", "-q")


WAYS = (batched, loose, packed, repacked, streamed, streamed_and_repacked)


def timed(function: Callable[[], object]) -> float:
    """Seconds a function takes."""
    before = time.perf_counter()
    function()
    return time.perf_counter() - before


def size(directory: Path) -> float:
    """What a directory's files take, in MB."""
    out = subprocess.run(["du", "-sk", directory], capture_output=True, check=True).stdout
    return int(out.split()[0]) / 1024


def main() -> None:
    """Measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=10_000)
    arguments.add_argument("--hours", type=int, default=2)
    arguments.add_argument("--directory", help="where to measure: on the disk in question")
    given = arguments.parse_args()
    hours = [texts(given.customers, hour) for hour in range(given.hours)]
    with tempfile.TemporaryDirectory(dir=given.directory) as name:
        for what, each in (("a sync of each file", True), ("one sync of the file system", False)):
            seconds = timed(lambda each=each: write(Path(name), hours[0], each=each))
            print(f"{what:<44}{seconds:9.2f} s")
            shutil.rmtree(Path(name, "journals"))
        for way in WAYS:
            root = Path(name, way.__name__)
            root.mkdir()
            git(root, "init", "--quiet", "--initial-branch=main")
            took = []
            for files in hours:
                write(root, files, each=False)
                took.append(timed(lambda way=way, root=root, files=files: way(root, files)))
            mean = sum(took[1:]) / max(1, len(took) - 1)
            print(
                f"{way.__name__:<24} first {took[0]:6.2f} s, then {mean:6.2f} s, at most "
                f"{max(took):6.2f} s; .git {size(root / '.git'):7.1f} MB"
            )
            shutil.rmtree(root)


if __name__ == "__main__":
    main()
