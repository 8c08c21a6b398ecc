"""Every command that writes, on disks that refuse: a line, 73 or 74, and the book untouched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from checkout import ROOT
from harness import Book, csv_text

COMMANDS = (
    "customer add C9", "customer set C1 name=Ada", "fee add C1 DIDs 5.00", "fee stop C1 line",
    "fee change C1 line 9.00", "import calls calls.csv", "import payments payments.csv",
    "import customers customers.csv", "rerate", "void payment-payments-p1 wrong",
    "close --through 2026-02-28", "invoice --all --format html,text",
    "invoice --all --format text -o out",
    "credit-note INV-2026-000001 --reason dear", "refund C1 1.00", "returned C1 p1",
    "goodwill C1 1.00", "write-off C1 1.00", "transfer C1 C2 1.00", "deposit C1 5.00",
    "quarantine retry", "doctor --mend", "init new", "demo another",
)  # fmt: skip

INVOICES = tuple(words for words in COMMANDS if words.startswith("invoice"))
"""They need no git, and so fewer files."""

DRIVER = """
import json, os, resource, sys
from pathlib import Path
import tomlkit  # a stranger may not read it later
from click.testing import CliRunner
from a2ledger.cli import main

how, root, commands = sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3])

def contents():
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
            and not path.is_relative_to(root / ".a2ledger/decks")}

list(main.commands.values())
for words in ("balances", "preview C1 --html", "check C1", "invoice --all --format html,text -o -"):
    CliRunner().invoke(main, ["-C", str(root), *words.split()])  # loads what is loaded later
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
os.chdir(root.parent)
if how == "stranger":
    os.setgid(65534)
    os.setuid(65534)
before, results = contents(), []
for words in commands:
    if how == "files":
        used = len(os.listdir("/proc/self/fd"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 2, hard))
    trust = ["--trust-book"] if how == "stranger" else []
    options = ["-C", str(root), *trust, "--today", "2026-03-05"]
    done = CliRunner().invoke(main, [*options, *words.split()])
    if how == "files":
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    raised = "" if isinstance(done.exception, (SystemExit, type(None))) else repr(done.exception)
    results.append([words, done.exit_code, done.stderr, raised, contents() == before])
    before = before if done.exit_code else contents()
print(json.dumps(results))
"""

FULL = """
mount -t tmpfs -o size=$(( $(du -sk "$1" | cut -f1) + 2000 ))k tmpfs "$1/disk"
cp -a "$1/book" "$1"/*.csv "$1/disk"
dd if=/dev/zero of="$1/disk/filler" bs=64k 2>/dev/null || true
dd if=/dev/zero of="$1/disk/filler.2" bs=1 2>/dev/null || true
"$2" -c "$3" full "$1/disk/book" "$4"
"""

READ_ONLY = """
mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"
"$2" -c "$3" read-only "$1/book" "$4"
"""


@pytest.fixture(scope="module")
def place(empty_book, tmp_path_factory) -> Path:
    """A book that has something for every command to do, and files to import."""
    directory = tmp_path_factory.mktemp("refusing")
    book = Book(shutil.copytree(empty_book, directory / "book"), directory, "2026-01-21")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.run("fee", "add", "C1", "DIDs", "12.10", "--id", "line", "--from", "2026-01-15")
    book.talks("C1", "2026-01-20", 10)
    book.run("close", today="2026-02-02")
    book.today = "2026-02-20"
    book.moves("payments", "C1", "2026-02-02", "7.00", id="p1")
    row = {
        "id": "c1",
        "customer": "C1",
        "start": "2026-02-03 10:00:00",
        "called": "32",
        "seconds": 9,
    }
    book.run("import", "calls", book.file("bad.csv", csv_text([row | {"customer": "C7"}])), code=3)
    book.file("calls.csv", csv_text([row | {"id": f"n{number}"} for number in range(99)]))
    paid = {"id": "p2", "customer": "C1", "date": "2026-02-03", "amount": "1"}
    book.file("payments.csv", csv_text([paid]))
    new = {"id": "C8", "name": "x", "credit_limit": "1", "tariff": "standard"}
    book.file("customers.csv", csv_text([new]))
    (directory / "disk").mkdir()
    return directory


def outcomes(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def driven(how, place):
    return [sys.executable, "-c", DRIVER, how, str(place / "book"), json.dumps(COMMANDS)]


def mounted(script, place):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    words = [str(place), sys.executable, DRIVER, json.dumps(COMMANDS)]
    return outcomes(["unshare", "-rm", "bash", "-euc", script, "bash", *words])


def assert_refused(results, code, *, may_do=()):
    for words, found, said, raised, untouched in results:
        assert not raised, (words, raised)
        if words in may_do and found in {0, 1}:
            continue
        assert untouched, words
        assert found == code, (words, found, said)
        errors = [line for line in said.splitlines() if line.startswith("a2ledger: ")]
        assert len(errors) == 1, (words, said)
        assert errors[0].count("; ") >= 2, errors


def test_a_full_disk_is_74(place):
    assert_refused(mounted(FULL, place), 74, may_do=("doctor --mend", "quarantine retry"))


def test_a_read_only_disk_is_73(place):
    assert_refused(mounted(READ_ONLY, place), 73)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")
def test_somebody_who_may_only_read_is_told_so_with_73(place):
    # The checkout may be where only its owner may look: the book has templates of its own.
    shutil.copytree(ROOT / "templates", place / "book/templates", dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "o+rX", place], check=True)
    top = Path(tempfile.gettempdir())
    modes = {path: path.stat().st_mode for path in place.parents if top in path.parents}
    for path, mode in modes.items():
        path.chmod(mode | 0o005)
    try:
        assert_refused(outcomes(driven("stranger", place)), 73)
    finally:
        subprocess.run(["chmod", "-R", "o-rwx", place / "book"], check=True)
        for path, mode in modes.items():
            path.chmod(mode)


def test_too_many_open_files_are_74(place):
    results = outcomes(driven("files", place))
    assert_refused(results, 74, may_do=INVOICES)
    assert all("too many open files" in said for _, found, said, *_ in results if found == 74)
