"""A small book to tell stories with: the real command line, run in this process.

Amounts are chosen so that a reader can recompute them: the tariff ``standard`` has an empty
prefix and costs 1.00 a started minute, so ten minutes are 10.00.
"""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from beancount import loader
from beancount.core import data
from beancount.scripts import check
from click.testing import CliRunner
from tree import tree

from a2ledger.cli import main

STANDARD = """\
dialprefix,destination,rateinitial,initblock,billingblock
default,Anywhere,1.00,60,60
"""

PBX = """
[sources.pbx1]
dialect = "asterisk"
timezone = "UTC"

[[sources.pbx1.rules]]
contexts = ["customers"]
applications = ["Dial"]
"""


class Done(NamedTuple):
    """What a command printed, said and answered."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if line.startswith("a2ledger: ")]


def a2ledger(*words: object) -> Done:
    """Run the command line in this process; an exception it does not expect fails the test."""
    result = CliRunner().invoke(main, list(map(str, words)), catch_exceptions=False)
    return Done(result.exit_code, result.stdout, result.stderr)


def a2ledger_process(*words: object, **options: Any) -> Done:
    """Run the installed program as its users do."""
    done = subprocess.run(
        [sys.executable, "-m", "a2ledger", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **options,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def csv_text(rows: Iterable[Mapping[str, object]]) -> str:
    """Rows as a CSV text with a header of all their keys."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def cdr(**given: object) -> str:
    """One line of Asterisk's ``Master.csv``: an answered call of a customer's, unless told."""
    row = {
        "accountcode": "C1",
        "src": "3225550101",
        "dst": "3225550199",
        "dcontext": "customers",
        "clid": '"Reception" <3225550101>',
        "channel": "PJSIP/c1-00000001",
        "dstchannel": "PJSIP/carrier-00000002",
        "lastapp": "Dial",
        "lastdata": "",
        "start": "2026-01-05 10:00:00",
        "answer": "2026-01-05 10:00:00",
        "end": "2026-01-05 10:01:00",
        "duration": 60,
        "billsec": 60,
        "disposition": "ANSWERED",
        "amaflags": "DOCUMENTATION",
        "uniqueid": "1767607200.1",
        "userfield": "",
        "peeraccount": "",
        "linkedid": "1767607200.1",
        "sequence": 1,
    }
    assert not given.keys() - row.keys()
    row |= given
    row["lastdata"] = row["lastdata"] or f"PJSIP/{row['dst']}@carrier"
    numbers = {"duration", "billsec", "sequence"}
    return ",".join(
        str(value) if name in numbers else '"' + str(value).replace('"', '""') + '"'
        for name, value in row.items()
    )


class Book:
    """A book on disk, and the day on which commands are run."""

    def __init__(self, root: Path, files: Path, today: str = "2026-01-01") -> None:
        self.root, self.files, self.today = root, files, today
        files.mkdir(exist_ok=True)
        self._serial = 0

    def goes_on_as(self, other: Book) -> None:
        """Take over the day and the count of files of the book this is a copy of."""
        self.today, self._serial = other.today, other._serial

    def run(self, *words: object, today: str = "", code: int = 0) -> Done:
        """Run a command on a day and expect an exit code."""
        done = a2ledger("-C", self.root, "--today", today or self.today, *words)
        assert done.code == code, f"{words}: exit {done.code}\n{done.stdout}{done.stderr}"
        return done

    def file(self, name: str, content: str | bytes) -> Path:
        """A file beside the book."""
        path = self.files / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def text(self, path: str) -> str:
        """A file of the book."""
        return (self.root / path).read_text()

    def edit(self, path: str, old: str, new: str) -> None:
        """Edit a file of the book by hand."""
        text = self.text(path)
        assert old in text
        (self.root / path).write_text(text.replace(old, new, 1))

    def append(self, path: str, text: str) -> None:
        """Add to the end of a file of the book by hand."""
        with (self.root / path).open("a") as file:
            file.write(text)

    def imported(self, source: str, rows: Sequence[Mapping[str, object]], **options: Any) -> Done:
        """Import rows of a neutral CSV shape."""
        self._serial += 1
        path = self.file(f"{source}-{self._serial}.csv", csv_text(rows))
        return self.run("import", source, path, **options)

    def customers(self, *rows: Mapping[str, object], **options: Any) -> Done:
        """Import customers; what a row does not say is as in most tests."""
        usual = {
            "credit_limit": "100.00", "tariff": "standard", "opened": "2026-01-01",
            "vat": "none",
        }  # fmt: skip
        full = [{"id": row["id"], "name": row["id"], **usual, **row} for row in rows]
        return self.imported("customers", full, **options)

    def talks(self, customer: str, day: str, minutes: int = 1, **options: Any) -> Done:
        """Import one call of a customer: whole minutes, from noon on a day."""
        self._serial += 1
        return self.imported(
            "calls",
            [call(f"talk-{self._serial}", customer, day, minutes * 60)],
            **options,
        )

    def moves(self, source: str, customer: str, day: str, amount: str, **more: Any) -> Done:
        """Import one refill, payment or charge."""
        self._serial += 1
        options = {key: more.pop(key) for key in ("code", "today") if key in more}
        usual = {"id": f"{source}-{self._serial}"}
        if source == "charges":
            usual["service"] = "Subscriptions"
        row = {"customer": customer, "date": day, "amount": amount}
        # What is dated in the future is refused: a row is imported on its own day at the earliest.
        options.setdefault("today", max(self.today, day))
        return self.imported(source, [{**usual, **row, **more}], **options)

    def close(self, *words: object, today: str, code: int = 0) -> list[dict[str, Any]]:
        """Close what has ended by a day."""
        return self.run("close", "--json", *words, today=today, code=code).json

    def preview(self, customer: str, today: str = "") -> dict[str, Any]:
        return self.run("preview", customer, "--json", today=today).json

    def invoice(self, number: str) -> dict[str, Any]:
        return self.run("invoice", number, "--json").json

    def statement(self, customer: str, *words: object, today: str = "") -> dict[str, Any]:
        return self.run("statement", customer, "--json", *words, today=today).json

    def balance(self, customer: str) -> dict[str, Any]:
        rows = self.run("balances", "--json").json
        return next(row for row in rows if row["customer"] == customer)

    def documents(self) -> dict[str, dict[str, Any]]:
        """Every closed document, by the name of its file."""
        return {
            path.stem: json.loads(path.read_text())
            for path in sorted(self.root.glob("invoices/*/*.json"))
        }

    def digests(self) -> dict[str, str]:
        """A digest of every file of the book that a second run must not change."""
        return {
            path: hashlib.sha256(content).hexdigest() for path, content in tree(self.root).items()
        }

    def git(self, *words: str) -> str:
        """What git says of the book."""
        return subprocess.run(
            ["git", "-c", f"safe.directory={self.root}", "-C", str(self.root), *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def log(self) -> list[str]:
        """First lines of the commits' messages, newest first."""
        return self.git("log", "--format=%s").splitlines()

    def sums(self, top: str = "journals/main.beancount") -> dict[str, Decimal]:
        """The balance of every account that is not zero, as Beancount adds them up."""
        found: dict[str, Decimal] = {}
        for entry in self.entries(top):
            if isinstance(entry, data.Transaction):
                for leg in entry.postings:
                    number = found.get(leg.account, Decimal(0)) + leg.units.number
                    found[leg.account] = number
        return {account: number for account, number in found.items() if number}

    def entries(self, top: str = "journals/main.beancount") -> list[Any]:
        """What Beancount loads, without an error."""
        entries, errors, _ = loader.load_file(str(self.root / top))
        assert not errors
        return entries

    def tops(self) -> list[str]:
        """Every file of the book that must load alone."""
        own = sorted(self.root.glob("journals/customers/*.beancount"))
        return [
            "journals/main.beancount",
            "journals/history.beancount",
            *(str(path.relative_to(self.root)) for path in own),
        ]


def call(
    identity: str, customer: str, day: str, seconds: int, called: str = "3225550199"
) -> dict[str, object]:
    """A row of the neutral shape of calls, from noon on."""
    return {
        "id": identity,
        "customer": customer,
        "start": f"{day} 12:00:00",
        "called": called,
        "seconds": seconds,
    }


def total(statement: Mapping[str, Any]) -> Decimal:
    """The closing balance of a statement, after making sure that its lines lead there."""
    balance = Decimal(statement["opening"])
    for line in statement["lines"]:
        balance += Decimal(line["amount"])
        assert balance == Decimal(line["balance"]), line
    assert balance == Decimal(statement["closing"])
    return balance


def amounts(statement: Mapping[str, Any]) -> list[str]:
    """The amounts of a statement's lines, in order."""
    return [line["amount"] for line in statement["lines"]]


def bean_check(path: Path) -> str:
    """What bean-check says, run in this process; nothing if all is well."""
    result = CliRunner().invoke(check.main, [str(path)], catch_exceptions=False)
    said = result.output.strip()
    return said or ("" if result.exit_code == 0 else f"exit {result.exit_code}")


def day_after(day: str, days: int = 1) -> str:
    return str(dt.date.fromisoformat(day) + dt.timedelta(days=days))


Build = Callable[[Book], Book]


def made_once(build: Build) -> Callable[[Book, Any], Book]:
    """Have what a fixture does to a new book done once; each test gets a copy of what came of it.

    ::

        @pytest.fixture
        @made_once
        def billed(book): ...
    """
    made: list[Book] = []

    def fixture(book: Book, tmp_path_factory: Any) -> Book:
        if not made:
            build(book)
            directory = tmp_path_factory.mktemp(build.__name__)
            root = shutil.copytree(book.root, directory / "book", symlinks=True)
            made.append(Book(slim(root), directory / "files"))
            made[0].goes_on_as(book)
        else:
            shutil.rmtree(book.root)
            shutil.copytree(made[0].root, book.root, symlinks=True)
            book.goes_on_as(made[0])
        return book

    fixture.__name__, fixture.__doc__ = build.__name__, build.__doc__
    return fixture


def made_for_all(factory: Any, name: str, make: Callable[[Path], None]) -> Path:
    """Return a directory that is made once, by the first of all workers that asks for it."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    root = shared / name / "made"
    root.parent.mkdir(exist_ok=True)
    with (root.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root.parent / "done").exists():
            shutil.rmtree(root, ignore_errors=True)
            make(root)
            (root.parent / "done").touch()
    return root


def slim(root: Path) -> Path:
    """Make a book quick to copy: git's sample hooks gone, its objects in one file."""
    shutil.rmtree(root / ".git" / "hooks", ignore_errors=True)
    words = ["-c", f"safe.directory={root}", "-C", str(root), "repack", "-q", "-a", "-d"]
    subprocess.run(["git", *words], capture_output=True, check=True)
    return root
