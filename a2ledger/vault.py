"""Writing without losing: one writer, all files or none, then one git commit.

A run computes everything first. Publishing stages the new files beside the book, fsyncs them,
fsyncs one intent record that names them all, renames them into place, commits, and drops the
intent. Killed before the intent, nothing happened; killed after it, the next writer finishes
the job. Readers take no lock: they compare the generation before and after and read again.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import getpass
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

STATE = ".a2ledger"
COMMITTED = (
    ".gitattributes",
    ".gitignore",
    "a2ledger.toml",
    "calls/DIGESTS",
    "imports.csv",
    "invoices",
    "journals",
    "tariffs",
    "templates",
)
"""What of a book is in git; ``.gitignore`` keeps the rest out."""

MANY = 64
"""From this many files on, one sync of the file system is faster than one of each file."""

_HALF_DONE = "not everything was published: the next command that writes finishes it"

_EMAIL = "a2ledger@localhost"
"""By it the program knows its own commits."""

Talk = Callable[[str], None]


def is_committed(path: str) -> bool:
    """Whether git holds a file of the book; renderings of documents can be made again."""
    top = path.partition("/")[0]
    if top == "invoices":
        return path.endswith(".json")
    return path in COMMITTED or (top in COMMITTED and not path.endswith(".picklecache"))


class LockedError(Exception):
    """Another writer holds the book, longer than one was willing to wait."""


class CannotWriteError(Exception):
    """The disk refused: full, read-only or not permitted. The book is as it was."""


class GitError(Exception):
    """Git refused, with what it said."""


class Vault:
    """The directory of a book, seen as something to publish to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / STATE
        self.spool = self.state / "spool"
        """Where a command may put things aside while it holds the lock."""
        self._held: tuple[int, ...] = ()

    @contextlib.contextmanager
    def writing(self, talk: Talk, timeout_seconds: float = 600) -> Iterator[None]:
        """Hold the writer's lock, after finishing what a killed run began.

        Raises:
            LockedError: if another writer keeps it for longer than the timeout.
            CannotWriteError: if the book cannot be written.
        """
        with refusing():
            self.state.mkdir(mode=0o750, exist_ok=True)
            descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o660)
        try:
            self._lock(descriptor, talk, timeout_seconds)
            self._held = (descriptor,)
            self.recover(talk)
            yield
        finally:
            self._held = ()
            os.close(descriptor)

    def _lock(self, descriptor: int, talk: Talk, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockedError(
                        f"{self.root}: another a2ledger is writing; nothing was done; try again"
                    ) from None
                if not told:
                    talk("another a2ledger is writing; waiting for it")
                    told = True
                time.sleep(0.1)
            else:
                return

    def recover(self, talk: Talk) -> None:
        """Finish or drop what an interrupted run left. Only under the lock."""
        with refusing():
            for lock in [*(self.root / ".git").glob("*.lock"), *self._ref_locks()]:
                lock.unlink()
            if (self.state / "intent.json").exists():
                talk("finishing what an interrupted run began")
                self._apply()
            self._clear()

    def _ref_locks(self) -> list[Path]:
        return list((self.root / ".git" / "refs").rglob("*.lock"))

    def publish(self, files: Mapping[str, bytes | None], message: str) -> None:
        """Replace files of the book, all or none, and commit those that git tracks.

        Args:
            files: new contents by path in the book; None deletes.
            message: of the commit.

        Raises:
            CannotWriteError: with the book as it was, or complete after the next run.
        """
        with refusing():
            stage = self.state / "stage"
            stage.mkdir(exist_ok=True)
            moves: list[tuple[str | None, str]] = []
            for number, (path, content) in enumerate(files.items()):
                if content is None:
                    moves.append((None, path))
                    continue
                name = f"{number:06d}"
                write(stage / name, content, sync=len(files) < MANY)
                moves.append((name, path))
            if len(files) >= MANY:
                sync_file_system(stage)
            fsync_directory(stage)
            intent = {"moves": moves, "message": message}
            write(self.state / "intent.tmp", json.dumps(intent).encode())
            (self.state / "intent.tmp").replace(self.state / "intent.json")
            fsync_directory(self.state)
        self._apply()

    def _apply(self) -> None:
        intent = json.loads((self.state / "intent.json").read_text())
        paths = [path for _, path in intent["moves"]]
        with refusing(_HALF_DONE):
            self._move(intent["moves"])
            self._bump()
        self.commit([path for path in paths if is_committed(path)], intent["message"])
        with refusing(_HALF_DONE):
            (self.state / "intent.json").unlink()
            fsync_directory(self.state)

    def _move(self, moves: list[tuple[str | None, str]]) -> None:
        touched = set()
        for name, path in moves:
            target = self.root / path
            for parent in (target.parent, *target.parent.parents):
                touched.add(parent)
                if parent == self.root:
                    break
            target.parent.mkdir(parents=True, exist_ok=True)
            if name is None:
                target.unlink(missing_ok=True)
            elif (staged := self.state / "stage" / name).exists():
                staged.replace(target)
        for directory in sorted(touched):
            fsync_directory(directory)

    def _bump(self) -> None:
        write(self.state / "generation.tmp", str(self.generation() + 1).encode())
        (self.state / "generation.tmp").replace(self.state / "generation")

    def _clear(self) -> None:
        for leftover in [
            *(self.state / "stage").glob("*"),
            *self.spool.glob("*"),
            *self.state.glob("*.tmp"),
        ]:
            leftover.unlink()

    def generation(self) -> int:
        """How often the book has been published to."""
        try:
            return int((self.state / "generation").read_text())
        except (OSError, ValueError):
            return 0

    def reading(self, read: Callable[[], Any], tries: int = 50) -> Any:
        """What ``read`` returns, of one whole generation of the book.

        Raises:
            LockedError: if the book is never at rest.
        """
        for _ in range(tries):
            before = self.generation()
            if not (self.state / "intent.json").exists():
                result = read()
                if self.generation() == before and not (self.state / "intent.json").exists():
                    return result
            time.sleep(0.1)
        raise LockedError(
            f"{self.root}: a run is publishing or was interrupted; nothing was read; "
            "try again, or run any command that writes: it finishes the job"
        )

    def commit(self, paths: list[str], message: str, author: str = "") -> None:
        """Commit paths that git should hold; nothing changed, no commit."""
        paths = [path for path in paths if path]
        if not paths:
            return
        there = [path for path in paths if os.path.lexists(self.root / path)]
        gone = sorted({*paths} - {*there})
        listed = ("--pathspec-from-file=-", "--pathspec-file-nul", "--")
        if there:
            self.git("add", "--all", *listed, stdin="\0".join(there))
        if gone:  # what a killed run has removed and committed is unknown by now
            self.git(
                "rm", "--cached", "--quiet", "--ignore-unmatch", *listed, stdin="\0".join(gone)
            )
        if self.git("diff", "--cached", "--quiet", check=False).returncode:
            self.git("commit", "--quiet", "--no-verify", "-F", "-", stdin=message, author=author)

    def changed_by_hand(self) -> list[str]:
        """Paths git should hold that differ from what a2ledger itself last committed."""
        out = self.git(
            "status",
            "--porcelain",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--",
            *(path for path in COMMITTED if (self.root / path).exists()),
        ).stdout
        found = {entry[3:] for entry in out.split("\0") if entry}
        own = self.git("log", "-1", "--format=%H", f"--committer=<{_EMAIL}>", check=False)
        if own.stdout:
            last = own.stdout.strip()
            out = self.git("diff", "--name-only", "-z", last, "HEAD", "--", *COMMITTED).stdout
            found |= {path for path in out.split("\0") if path}
        return sorted(found)

    def start(self) -> None:
        """Make the book a git repository, where it is none."""
        if not (self.root / ".git").exists():
            self.git("init", "--quiet", "--initial-branch=main")

    def git(
        self, *arguments: str, stdin: str = "", author: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run git in the book: durable, without hooks, helpers or anyone's configuration.

        Raises:
            GitError: if it fails and ``check`` is set.
        """
        name = author or os.environ.get("A2LEDGER_AUTHOR") or _login()
        settings = {
            "core.fsync": "all",
            "core.fsyncMethod": "batch",
            "core.hooksPath": "/dev/null",
            "core.fsmonitor": "false",
            "core.autocrlf": "false",
            "core.quotePath": "false",
            "commit.gpgSign": "false",
            "gc.auto": "0",
            "maintenance.auto": "false",
            "protocol.allow": "never",
            "safe.directory": str(self.root.resolve()),
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        for role in ("AUTHOR", "COMMITTER"):
            environment[f"GIT_{role}_NAME"] = name
            environment[f"GIT_{role}_EMAIL"] = _EMAIL
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *options, *arguments],  # noqa: S607
                cwd=self.root,
                env=environment,
                input=stdin,
                pass_fds=self._held,  # git outlives us when we are killed: it keeps the lock
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
            )
        except FileNotFoundError:
            raise GitError(
                "git is not installed; nothing was committed; install it and run again"
            ) from None
        if check and done.returncode:
            said = " ".join(done.stderr.split())
            raise GitError(
                f"git {arguments[0]}: {said}; nothing was committed; "
                "have git work in the book, then run any command that writes"
            )
        return done


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return "a2ledger"


@contextlib.contextmanager
def refusing(undone: str = "nothing was published") -> Iterator[None]:
    """Turn the disk's refusals into :class:`CannotWriteError`."""
    try:
        yield
    except OSError as error:
        reasons = {
            errno.ENOSPC: ("the disk is full", "free some space and run again"),
            errno.EDQUOT: ("the disk quota is used up", "free some space and run again"),
            errno.EROFS: ("the file system is read-only", "make it writable and run again"),
            errno.EACCES: ("permission denied", "run as the user who owns the book"),
            errno.EPERM: ("permission denied", "run as the user who owns the book"),
        }
        other = (error.strerror or str(error), "see to it and run again")
        what, todo = reasons.get(error.errno or 0, other)
        raise CannotWriteError(
            f"{error.filename or 'the book'}: {what}; {undone}; {todo}"
        ) from error


def write(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a new file, and make it durable unless the file system is synced afterwards."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: Path) -> None:
    """Make everything written to a file system durable: for many files, faster than each."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), "cannot sync", str(path))
    finally:
        os.close(descriptor)


def fsync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
