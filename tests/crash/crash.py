"""Break the commands that write at every call that changes the disk.

`import-many` is an import of so many files that they are synced at once and packed by git.
`--spread` has the general ledger in 256 files.

python tests/crash/crash.py                              every call, every way: less than an hour
python tests/crash/crash.py --points 20 import close     calls spread evenly over two commands

Ways to break: the whole tree of processes is killed (``kill``), a write is torn in two (``torn``),
the power goes, so that what was not synced is lost, with its names (``powercut``) or without
(``names``), or the call and all after it that do the same fail with an error. After each the next
writer, ``a2ledger doctor --mend``, must leave the book as it was, or as an uninterrupted run does:
files, generation, git's tree, index, history and soundness; and the command, run again where it
was as before, must then end as an uninterrupted one. ``--double`` kills the recovery as well.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "helpers")]

import compiled  # noqa: E402
from tracing import Call, Fault, Outcome, is_possible, run  # noqa: E402

TODAY = "2026-02-10"
MEND = ["doctor", "--mend"]
MODES = ("kill", "torn", "powercut", "names", "ENOSPC", "EIO", "EMFILE")
DECK = "dialprefix,destination,rateinitial,initblock,billingblock\ndefault,Anywhere,1.00,60,60\n"
CALLS = "".join(
    f"c{number},C{number % 3 + 1},2026-01-{number + 5:02d} 12:00:00,3225550199,61\n"
    for number in range(6)
)
MANY = range(100, 170)
MANY_CALLS = "".join(f"m{n},M{n},2026-01-05 12:00:00,3225550199,61\n" for n in MANY)
COMMANDS = {
    "import": ["import", "calls", "../calls.csv"],
    "import-many": ["import", "calls", "../many.csv"],
    "close": ["close"],
    "invoice": ["invoice", "--period", "2026-01", "--format", "html,text"],
    "credit-note": ["credit-note", "INV-2026-000001", "--reason", "billed twice"],
    "payment": ["import", "payments", "../payments.csv"],
    "customer-set": ["customer", "set", "C1", "terms=5"],
    "void": ["void", "calls/c0", "billed twice"],
    "rerate": ["rerate"],
    "rebuild": ["import", "calls", "../calls.csv", "--rebuild", "2026-01-05"],
    "upgrade": ["upgrade"],
}
WITH_CALLS = ("payment", "customer-set", "void", "rerate", "rebuild", "upgrade")
"""Commands on a book with calls, whose period is open."""
SPREAD = "shard_above = 1\n"
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    "PYTHONDONTWRITEBYTECODE": "1",
    "A2LEDGER_AUTHOR": "Olga Operator",
    "TZ": "UTC",
}
GIT = ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false"]


def program(root: Path, *words: str, today: str = TODAY) -> None:
    """Run the program on a book, in a process of its own."""
    made = multiprocessing.get_context("fork").Process(
        target=_program, args=(root, list(words), today)
    )
    made.start()
    made.join()
    if made.exitcode:
        raise SystemExit(f"{words}: exit {made.exitcode}")


def _program(root: Path, words: list[str], today: str) -> None:
    """Run the program on a book, and leave this process to end."""
    os.chdir(root)
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    sys.exit(loaded(words, today)())


def books(directory: Path, wanted: set[str], *, spread: bool) -> dict[str, Path]:
    """The book each command is run on: a new one, one with calls, one that is closed.

    Those that no command wanted needs are not made.
    """
    for name, rows in (("calls", CALLS), ("many", MANY_CALLS)):
        (directory / f"{name}.csv").write_text(f"id,customer,start,called,seconds\n{rows}")
    (directory / "payments.csv").write_text("id,customer,date,amount\np1,C1,2026-02-09,5.00\n")
    customers = "".join(f"M{n},M{n},1000,standard,2026-01-01\n" for n in MANY)
    header = "id,name,credit_limit,tariff,opened\n"
    (directory / "customers.csv").write_text(header + customers)
    made = {name: directory / name for name in COMMANDS}
    root = made["import"]
    root.mkdir(mode=0o750)
    program(root, "init", ".", "--timezone", "UTC", today="2026-01-01")
    (root / "tariffs/standard.csv").write_text(DECK)
    if spread:
        prepend(root / "a2ledger.toml", SPREAD)
    for name in ("C1", "C2", "C3"):
        words = ["customer", "add", name, "--opened", "2026-01-01", "--credit-limit", "1000"]
        program(root, *words, today="2026-01-01")
    if "import-many" in wanted:
        shutil.copytree(root, made["import-many"])
        program(made["import-many"], "import", "customers", "../customers.csv")
        crowd(made["import-many"])
    if wanted & {"close", "invoice", "credit-note", *WITH_CALLS}:
        shutil.copytree(made["import"], made["close"])
        program(made["close"], *COMMANDS["import"])
    if wanted & {"invoice", "credit-note"}:
        shutil.copytree(made["close"], made["invoice"])
        program(made["invoice"], *COMMANDS["close"])
        shutil.copytree(made["invoice"], made["credit-note"])
    for name in WITH_CALLS if wanted & {*WITH_CALLS} else ():
        shutil.copytree(made["close"], made[name])
    if wanted & {*WITH_CALLS}:
        (made["rerate"] / "tariffs/standard.csv").write_text(DECK.replace("1.00", "0.50"))
        (made["rebuild"] / "calls/2026-01/2026-01-05.parquet").unlink()
        prepend(made["upgrade"] / "a2ledger.toml", "" if spread else SPREAD)
    return made


def prepend(path: Path, text: str) -> None:
    """Put a text at the beginning of a file."""
    path.write_text(text + path.read_text())


def crowd(root: Path) -> None:
    """Give a book so many packs that the next one has them put together."""
    for number in range(50):
        blob = git(root, "hash-object", "-w", "--stdin", stdin=f"{number}").strip()
        git(root, "pack-objects", "-q", ".git/objects/pack/pack", stdin=blob)
    git(root, "prune-packed", "-q")


def loaded(words: list[str], today: str = TODAY) -> Callable[[], int]:
    """The program as a function: all of it is loaded once, and not in each of many processes."""
    from a2ledger import cli  # noqa: PLC0415

    def start() -> int:
        code = 0
        try:
            cli.main(["--quiet", "--today", today, "-C", ".", *words])
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    return start


def git(root: Path, *words: str, stdin: str = "") -> str:
    """What git says."""
    done = subprocess.run(
        [*GIT, *words], cwd=root, input=stdin, capture_output=True, text=True, check=True
    )
    return done.stdout


def fingerprint(root: Path) -> dict[str, str]:
    """All that counts of a book: its files, its generation, and what git makes of it."""
    found = {}
    for place, directories, names in os.walk(root):
        inside = Path(place).relative_to(root)
        if inside == Path():
            directories.remove(".git")
        if inside == Path(".a2ledger"):
            directories[:] = [name for name in directories if name != "decks"]  # a cache
        for name in names:
            content = Path(place, name).read_bytes()
            if inside / name == Path(".a2ledger/published"):
                content = left(content)
            found[str(inside / name)] = hashlib.sha256(content).hexdigest()
    for words in (
        "rev-parse HEAD^{tree}", "rev-list --count HEAD", "log --format=%B%an",
        "status --porcelain --untracked-files=all", "fsck --strict --no-dangling",
    ):  # fmt: skip
        done = subprocess.run(
            [*GIT, *words.split()], cwd=root, capture_output=True, text=True, check=False
        )
        found[f"git {words}"] = f"{done.returncode} {done.stdout}"
    found["git locks"] = " ".join(sorted(path.name for path in root.glob(".git/**/*.lock")))
    return found


def left(content: bytes) -> bytes:
    """What was published by path, without times, inodes and names of commits."""
    found = {}
    for line in content.splitlines():
        path, _, about = line.partition(b"\t")
        if path != b"=":
            found[path] = about.rpartition(b" ")[2]
    return b"\n".join(
        b"%s %s" % (path, blob) for path, blob in sorted(found.items()) if blob != b"-"
    )


class Trial:
    """A command, the book it runs on, and how it comes out where nothing breaks."""

    def __init__(self, name: str, book: Path, work: Path) -> None:
        self.command, self.mend = loaded(COMMANDS[name]), loaded(MEND)
        self.book, self.root = book, work / "book"
        self.lacks = name == "rebuild"
        self.fresh()
        self.next_writer()
        self.before = fingerprint(self.root)
        self.fresh()
        self.clean = run(self.command, self.root, ENVIRONMENT)
        if self.clean.code:
            raise SystemExit(f"{name} fails by itself: {self.clean.output}")
        self.next_writer()
        self.after = fingerprint(self.root)

    def fresh(self) -> None:
        """The book as it was."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.book, self.root, symlinks=True)

    def next_writer(self) -> str:
        """Recover; what went wrong with that."""
        done = run(self.mend, self.root, ENVIRONMENT)
        # The day of calls that `rebuild` is to bring back is named by `doctor` until it is there.
        lost = self.lacks and "is gone" in done.output and done.code == 1
        good = (done.code == 0 or lost) and "Traceback" not in done.output
        return "" if good else f"mend: {done.output}"

    def broken(self, fault: Fault, second: int = 0) -> list[str]:
        """What is wrong after a fault, and after a kill at a call of the recovery too."""
        self.fresh()
        outcome = run(self.command, self.root, ENVIRONMENT, fault)
        wrong = faults_of(outcome) if fault.error else []
        if second:
            run(self.mend, self.root, ENVIRONMENT, Fault(second, "kill"))
        wrong += filter(None, [self.next_writer()])
        found = fingerprint(self.root)
        if found == self.before:
            done = run(self.command, self.root, ENVIRONMENT)
            found = fingerprint(self.root)
            if done.code:
                wrong.append(f"run again it fails: {done.output}")
            if fault.error and outcome.code == 0:
                wrong.append("it said that all was well, and had done nothing")
        differs = [key for key in found | self.after if found.get(key) != self.after.get(key)]
        return wrong + [f"{key} differs" for key in sorted(differs)]


def faults_of(outcome: Outcome) -> list[str]:
    """Whether an error was said as it should be."""
    wrong = []
    if "Traceback" in outcome.output:
        wrong.append("a traceback")
    if outcome.code is None or outcome.code < 0:
        wrong.append("it hung or died")
    if outcome.code and not outcome.output.strip():
        wrong.append("it failed without a word")
    return wrong


def _matters(call: Call, mode: str) -> bool:
    """Whether a way to break a call differs from others."""
    if mode == "torn":
        return call.does == "write"
    if mode == "ENOSPC":
        return call.does not in {"unlink", ""}
    if mode == "EMFILE":
        return call.does == "open"
    return True


def _chosen(total: int, points: int, chance: random.Random) -> list[int]:
    """Numbers of calls: all, or as many as wanted, spread evenly."""
    if not points or points >= total:
        return list(range(1, total + 1))
    step = total / points
    return sorted({int(one * step + chance.random() * step) + 1 for one in range(points)})


Attempt = tuple[Fault, int]
"""A fault, and the call at which the recovery is killed too; 0 if it is not."""


def attempt(name: str, book: Path, work: Path, given: argparse.Namespace) -> int:
    """Break one command in all ways wanted; how often it did not come out whole."""
    chance, began = random.Random(given.seed), time.monotonic()  # noqa: S311
    trial = Trial(name, book, work)
    calls = trial.clean.calls
    print(f"{name}: {len(calls)} calls change the disk", flush=True)
    failures = [f"not durable at the end: {what}" for what in trial.clean.unsynced]
    plan: list[Attempt] = [
        (Fault(at, mode), 0)
        for mode in given.modes.split(",")
        for at in _chosen(len(calls), given.points, chance)
        if _matters(calls[at - 1], mode)
    ]
    plan += [
        (Fault(chance.randint(1, len(calls)), "kill"), chance.randint(1, len(calls)))
        for _ in range(given.double)
    ]
    for failure in failures:
        print(f"  {failure}")
    if given.jobs == 1:
        failures += _broken(trial, plan)
    else:
        failures += _shared(name, book, work, plan, given.jobs)
    counts = Counter("double kill" if second else fault.mode for fault, second in plan)
    tried = ", ".join(f"{kind} {count}" for kind, count in counts.items())
    seconds = time.monotonic() - began
    print(f"  {len(plan)} times broken ({tried}), {len(failures)} wrong, {seconds:.0f} s")
    return len(failures)


def _shared(name: str, book: Path, work: Path, plan: list[Attempt], jobs: int) -> list[str]:
    """Break a command in some ways, in several processes; what did not come out whole."""
    shares = [plan[first::jobs] for first in range(jobs)]
    places = [work / str(number) for number in range(jobs)]
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        found = list(pool.map(functools.partial(_share, name, book), places, shares))
    return [failure for share in found for failure in share]


def _share(name: str, book: Path, work: Path, plan: list[Attempt]) -> list[str]:
    """Break a command in some of the ways, in a directory of its own."""
    work.mkdir(exist_ok=True)
    for path in work.parent.glob("*.csv"):
        shutil.copy(path, work)
    return _broken(Trial(name, book, work), plan)


def _broken(trial: Trial, plan: list[Attempt]) -> list[str]:
    """Break a command in some ways, one after the other; what did not come out whole."""
    failures = []
    for fault, second in plan:
        if wrong := trial.broken(fault, second):
            kind = "double kill" if second else fault.mode
            then = f", then at {second}" if second else ""
            place = f"{kind} at {fault.at}{then}, {trial.clean.calls[fault.at - 1]}"
            failures.append(f"{place}: {'; '.join(wrong)}")
            print(f"  {failures[-1]}", flush=True)
    return failures


def main() -> None:
    """Break what is asked for; exit 1 if anything did not come out whole."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("commands", nargs="*", help=f"of {', '.join(COMMANDS)}; default all")
    arguments.add_argument("--points", type=int, default=0, help="calls of each command; 0 all")
    arguments.add_argument("--modes", default=",".join(MODES), help=f"of {','.join(MODES)}")
    arguments.add_argument("--double", type=int, default=20, help="kills in the recovery too")
    arguments.add_argument("--spread", action="store_true", help="books in 256 files a month")
    arguments.add_argument("--seed", type=int, default=1)
    cores = os.cpu_count() or 1
    arguments.add_argument("--jobs", type=int, default=cores, help="how many at once")
    given = arguments.parse_args()
    if not is_possible():
        raise SystemExit("needs Linux on x86-64")
    with tempfile.TemporaryDirectory(prefix="crash-") as place:
        directory = Path(place)
        names = given.commands or list(COMMANDS)
        compiled.load()
        made = books(directory, set(names), spread=given.spread)
        (directory / "work").mkdir()
        for name in ("calls.csv", "many.csv", "payments.csv"):
            shutil.copy(directory / name, directory / "work")
        wrong = sum(attempt(one, made[one], directory / "work", given) for one in names)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
