"""The clerk: does what the pages ask for, by running the command line in a process of its own.

Every action is a list of words, never a line for a shell; money that moves is a CSV with one row
whose id the form made, so that sending a form twice posts it once. What a command says while it
runs is kept with the job, and shown.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import pty
import re
import secrets
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from a2ledger import accounts, money
from a2ledger.csvfile import csv_text

FILE = "staff.csv"
"""What a form's row is called in ``imports.csv``."""
_KEPT = 50
"""Jobs that are remembered."""
_WAIT_SECONDS = 60
"""How long a command waits for another writer."""
_ID = re.compile(r"web-[0-9a-f]{16,64}")
_MOVEMENTS = {
    "payment": ("payments", ("id", "customer", "date", "amount", "method", "description")),
    "refill": ("refills", ("id", "customer", "date", "amount", "method", "description")),
    "charge": ("charges", ("id", "customer", "date", "amount", "service", "description")),
}
_REASON = re.compile(r"[a-z][a-z0-9-]*")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class BadFormError(ValueError):
    """A form that cannot be; the message is for the person who sent it."""


@dataclass
class Job:
    """A command that runs, or has run."""

    id: str
    user: str
    words: list[str]
    now: str = ""
    """How far it is, in its own words."""
    said: list[str] = field(default_factory=list)
    printed: str = ""
    code: int | None = None
    """Its exit code; None while it runs."""
    thread: threading.Thread | None = None

    def as_json(self) -> dict[str, Any]:
        """What the page that asked for it is told."""
        result = None
        with contextlib.suppress(ValueError):
            result = json.loads(self.printed)
        return {
            "job": self.id,
            "now": self.now,
            "said": self.said,
            "code": self.code,
            "done": self.code is not None,
            "result": result,
        }


class Clerk:
    """Runs commands for the staff."""

    def __init__(self, root: Path, options: tuple[str, ...] = ()) -> None:
        self._root, self._options = root.resolve(), options
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self.published: Callable[[], None] = lambda: None
        """Called when a command is through, before its job is said to be done."""

    def job(self, identity: str, user: str) -> Job | None:
        """A job of a user's."""
        found = self._jobs.get(identity)
        return found if found and found.user == user else None

    def start(self, form: Mapping[str, Any], user: str) -> Job:
        """Begin what a form asks for.

        Raises:
            BadFormError: saying what is wrong with it.
        """
        words, files = command(form)
        job = Job(secrets.token_hex(8), user, words)
        self._jobs[job.id] = job
        while len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        job.thread = threading.Thread(target=self._run, args=(job, files), daemon=True)
        job.thread.start()
        return job

    def finish(self) -> None:
        """Wait for what is being done."""
        for job in list(self._jobs.values()):
            if job.thread:
                job.thread.join()

    def _run(self, job: Job, files: Mapping[str, str]) -> None:
        code = 70
        try:
            with tempfile.TemporaryDirectory(prefix="a2ledger-") as directory:
                for name, text in files.items():
                    (Path(directory) / name).write_text(text, encoding="utf-8")
                code = self._command(job, directory)
            self.published()
        except OSError as error:
            job.said.append(f"a2ledger: {error.strerror}; nothing was done; try again")
        finally:
            job.code = code

    def _command(self, job: Job, directory: str) -> int:
        # The command draws its bar on a terminal alone: it is given one, and what it draws there
        # is what the page shows.
        ours, its = pty.openpty()
        words = [sys.executable, "-m", "a2ledger", "-C", str(self._root)]
        words += ["--lock-timeout", str(_WAIT_SECONDS), *self._options, *job.words]
        environment = {
            **os.environ,
            "A2LEDGER_AUTHOR": job.user,
            "PYTHONUNBUFFERED": "1",
            "TERM": "dumb",
        }
        with (
            open(ours, "rb", buffering=0) as screen,  # noqa: PTH123 - a descriptor, not a path
            subprocess.Popen(  # noqa: S603 - a list of words, and the program is ourselves
                words,
                cwd=directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=its,
                start_new_session=True,
            ) as process,
        ):
            os.close(its)
            watcher = threading.Thread(target=_watch, args=(screen, job), daemon=True)
            watcher.start()
            assert process.stdout  # noqa: S101 - it was asked for
            job.printed = process.stdout.read().decode(errors="replace")
            code = process.wait()
            watcher.join()
        return code


def _watch(screen: Any, job: Job) -> None:
    """Keep what a command says on its terminal: whole lines, and the one it draws over."""
    rest = ""
    with contextlib.suppress(OSError):  # a terminal whose other end has gone
        while data := screen.read(4096):
            *lines, rest = (rest + data.decode(errors="replace")).split("\n")
            job.said += [line for line in map(_shown, lines) if line]
            job.now = _shown(rest)
    if last := _shown(rest):
        job.said.append(last)
    job.now = ""


def _shown(line: str) -> str:
    """What is seen of a line in the end, without what steers a terminal."""
    last = line.rstrip("\r").rpartition("\r")[2]
    return _CONTROL.sub("", re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", last)).strip()


def command(form: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """The words of the command a form asks for, and the files it reads.

    Raises:
        BadFormError: saying what is wrong with it.
    """
    action = form.get("action")
    if action in _MOVEMENTS:
        return _movement(str(action), form)
    if action == "limit":
        return _limit(form), {}
    if action == "close":
        return _close(form), {}
    if action == "retry":
        return _retry(form), {}
    if action == "hang-up":
        return ["authorize", f"--hang-up={_text(form, 'call')}"], {}
    raise BadFormError("there is no such action")


def _movement(action: str, form: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    table, columns = _MOVEMENTS[action]
    if not _ID.fullmatch(_text(form, "id")):
        raise BadFormError("the form bears no id of its own; open it again")
    row = {name: _text(form, name) for name in columns}
    _customer(form)
    _day(form, "date")
    if _amount(form) <= 0:
        raise BadFormError("the amount must be more than nothing")
    return ["import", table, FILE], {FILE: csv_text([columns, [row[name] for name in columns]])}


def _limit(form: Mapping[str, Any]) -> list[str]:
    if _amount(form) < 0:
        raise BadFormError("a credit limit is not below zero")
    words = ["customer", "set"]
    if _text(form, "date"):
        words += ["--from", str(_day(form, "date"))]
    return [*words, "--", _customer(form), f"credit_limit={_text(form, 'amount')}"]


def _close(form: Mapping[str, Any]) -> list[str]:
    words = ["close", "--json"]
    if _text(form, "through"):
        words += ["--through", str(_day(form, "through"))]
    for name in _names(form, "without"):
        words += [f"--without={name}"]
    customers = _names(form, "customers")
    for name in customers:
        _is_customer(name)
    return [*words, "--", *customers]


def _retry(form: Mapping[str, Any]) -> list[str]:
    words = ["quarantine", "retry", "--json"]
    if reason := _text(form, "reason"):
        if not _REASON.fullmatch(reason):
            raise BadFormError("there is no such reason")
        words += ["--reason", reason]
    if form.get("accept") is True:
        words += ["--accept"]
    return [*words, "--", *_names(form, "identities")]


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    if not isinstance(value, str):
        raise BadFormError(f"{name} is no text")
    return _CONTROL.sub(" ", value).strip()[:500]


def _names(form: Mapping[str, Any], name: str) -> list[str]:
    values = form.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadFormError(f"{name} is no list of names")
    if any(_CONTROL.search(value) for value in values):
        raise BadFormError(f"{name} holds what is no name")
    return values


def _amount(form: Mapping[str, Any]) -> int:
    try:
        return money.parse(_text(form, "amount"))
    except ValueError:
        raise BadFormError("the amount is no plain number such as 12.50") from None


def _day(form: Mapping[str, Any], name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(_text(form, name))
    except ValueError:
        raise BadFormError(f"the {name} is no day such as 2026-01-31") from None


def _customer(form: Mapping[str, Any]) -> str:
    return _is_customer(_text(form, "customer"))


def _is_customer(name: str) -> str:
    if not accounts.is_customer_id(name):
        raise BadFormError("there is no such customer")
    return name
