"""The clerk: carries out forms by running the command line in a separate process.

What a form asks for is a list of words, see :mod:`a2ledger.staff.forms`. What a command says
while it runs is kept with the job, and shown.
"""

from __future__ import annotations

import contextlib
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

from a2ledger.staff import forms

PROGRAM = (sys.executable, "-m", "a2ledger")
"""The command line."""
_KEPT = 50
"""Number of jobs remembered."""
_AT_ONCE = 4
"""Commands that run at once; one of a user's."""
_WAITING = 10
"""Things that one user may have asked for and that are not done."""
_WAIT_SECONDS = 60
"""Seconds a command waits for another writer."""
_CONTROL = re.compile("[\x00-\x1f\x7f]")


@dataclass
class Job:
    """A command that is running or has finished."""

    id: str
    user: str
    words: list[str]
    form: Mapping[str, Any] = field(default_factory=dict)
    now: str = ""
    """The latest progress text."""
    said: list[str] = field(default_factory=list)
    printed: str = ""
    code: int | None = None
    """Exit code; None while it runs."""
    thread: threading.Thread | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the job's state for the page that started it."""
        result = None
        with contextlib.suppress(ValueError):
            result = json.loads(self.printed)
        is_done = self.code == 0 and self.form.get("preview") is not True
        return {
            "job": self.id,
            "now": self.now,
            "said": self.said,
            "code": self.code,
            "done": self.code is not None,
            "result": result,
            "printed": "" if result is not None else self.printed,
            "undo": forms.undo(self.form, result) if is_done else None,
        }


class Clerk:
    """Runs commands for the staff."""

    def __init__(
        self, root: Path, options: tuple[str, ...] = (), program: tuple[str, ...] = PROGRAM
    ) -> None:
        self._root, self._options, self._program = root.resolve(), options, program
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._turns: dict[str, threading.Lock] = {}
        """What a user has begun is done one after the other."""
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.published: Callable[[], None] = lambda: None
        """Called when a command has finished, before its job counts as done."""

    def job(self, identity: str, user: str) -> Job | None:
        """Return a user's job by id, else None."""
        known_job = self._jobs.get(identity)
        return known_job if known_job and known_job.user == user else None

    def start(self, form: Mapping[str, Any], user: str) -> Job:
        """Start the command that a form asks for.

        Raises:
            BadFormError: saying what is wrong with it.
        """
        words = forms.command(form)
        waiting = sum(one.user == user and one.code is None for one in self._jobs.values())
        if waiting >= _WAITING:
            what = f"{waiting} things you asked for are not done yet: wait for them"
            raise forms.BadFormError(what)
        self._turns.setdefault(user, threading.Lock())
        job = Job(secrets.token_hex(8), user, words, form)
        self._jobs[job.id] = job
        done = [one.id for one in self._jobs.values() if one.code is not None]
        for old in done[: max(0, len(self._jobs) - _KEPT)]:
            del self._jobs[old]
        job.thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        job.thread.start()
        return job

    def finish(self) -> None:
        """Wait until all jobs have finished."""
        for job in list(self._jobs.values()):
            if job.thread:
                job.thread.join()

    def _run(self, job: Job) -> None:
        code = 70
        try:
            with (
                self._turns[job.user],
                self._slots,
                tempfile.TemporaryDirectory(prefix="a2ledger-") as directory,
            ):
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
        words = [*self._program, "-C", str(self._root)]
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
    """Collect what a command writes to its terminal: whole lines, and the line it redraws."""
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
    """Return a terminal line as it finally appears, without control sequences."""
    last = line.rstrip("\r").rpartition("\r")[2]
    return _CONTROL.sub("", re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", last)).strip()
