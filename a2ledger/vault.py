"""Writing without losing: one writer, all files or none, then one git commit.

A run computes everything first. Publishing stages the new files beside the book, fsyncs them,
fsyncs one intent record that names them all, renames them into place, commits, and drops the
intent. Killed before the intent, nothing happened; killed after it, the next writer finishes
the job. Readers take no lock: they compare the generation before and after and read again.

Git makes its files durable when it is asked to, but never their names: that is done here, the
objects' before the branch moves on to them.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import getpass
import itertools
import json
import os
import re
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

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
"""From this many files on, one sync of the file system is faster than one of each file, and one
pack in git than an object file for each."""

PATIENCE_SECONDS = 2.0
"""How long a lock of git's, which somebody's own git may hold, is left alone."""

_PACKS = 50
"""How many packs, one for each run of many files, may lie in git before they are put together."""

_LOOSE = 16
"""How many object files in one of git's 256 directories of them are as good as a pack too many."""

_PACKING = (2, 37)
"""From this version on, git puts what it is told to hold into one pack, not each into its own."""

_HALF_DONE = "not everything was published: the next command that writes finishes it"

NOBODY = "a2ledger"
"""Who commits where it is not known who does."""

_EMAIL = "a2ledger@localhost"
"""By it the program knows its own commits."""

SIGNING = {
    "gpg.format": "ssh",
    "gpg.ssh.program": "ssh-keygen",
    "core.useReplaceRefs": "false",
}
"""Settings with which git signs and verifies: what a repository's own say is not asked."""

SIGNATURE = "\n-----BEGIN SSH SIGNATURE-----\n"
"""Between the message of a tag and its signature."""

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
    """The disk failed: full, over quota, broken, too many open files. The book is as it was."""


class CannotCreateError(CannotWriteError):
    """The disk is not to be written: read-only, not permitted, something in the way."""


class InterruptedRunError(Exception):
    """A run that was killed has published a part, and nobody has finished it yet."""


class GitError(Exception):
    """Git refused, with what it said."""


class Tag(NamedTuple):
    """A signed tag that a commit is to bear."""

    name: str
    message: str
    key: str
    """Path of the private key."""


class Vault:
    """The directory of a book, seen as something to publish to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / STATE
        self.spool = self.state / "spool"
        """Where a command may put things aside while it holds the lock."""
        self._held: tuple[int, ...] = ()

    @property
    def is_shared(self) -> bool:
        """Whether a group keeps the book: its directory hands its group on (``chmod g+s``)."""
        return bool(self.root.exists() and self.root.stat().st_mode & stat.S_ISGID)

    @property
    def is_writing(self) -> bool:
        """Whether the lock is held from here."""
        return bool(self._held)

    @contextlib.contextmanager
    def writing(self, talk: Talk, timeout_seconds: float = 600) -> Iterator[None]:
        """Hold the writer's lock, after finishing what a killed run began.

        What is written meanwhile is for the owner to write and the group to read, or, in a book
        that is shared, for the group to write; never for others.

        Raises:
            LockedError: if another writer keeps it for longer than the timeout.
            CannotWriteError: if the book cannot be written.
        """
        mask = os.umask(0o007 if self.is_shared else 0o027)
        descriptor = -1
        try:
            with refusing():
                self.state.mkdir(exist_ok=True)
                descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o660)
            self._lock(descriptor, talk, timeout_seconds)
            self._held = (descriptor,)
            self.recover(talk)
            yield
        finally:
            self._held = ()
            if descriptor >= 0:
                os.close(descriptor)
            os.umask(mask)

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

    def is_locked(self) -> bool:
        """Whether a writer is at work, as far as one who may not write can tell."""
        try:
            descriptor = os.open(self.state / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def recover(self, talk: Talk) -> None:
        """Finish or drop what an interrupted run left. Only under the lock."""
        with refusing():
            begun = (self.state / "intent.json").exists()
            for leftover in self.git_leftovers():
                # Ours has the lock until it ends: after a run that was killed none is alive.
                if begun or _is_stale(leftover):
                    leftover.unlink(missing_ok=True)
        if begun:
            talk("finishing what an interrupted run began")
            self._apply()
        with refusing():
            self._clear()

    def git_leftovers(self) -> list[Path]:
        """Locks and half-written files that a git that was killed has left, or one holds."""
        top = self.root / ".git"
        found = [
            path
            for pattern in ("*.lock", "packed-refs.new", "info/*.lock", "worktrees/*/*.lock")
            for path in top.glob(pattern)
        ]
        found += (top / "refs").rglob("*.lock")
        found += (top / "objects/info").rglob("*.lock")
        found += (top / "objects").glob("??/tmp_obj_*")
        found += (top / "objects").glob("tmp_objdir-*/**/*")
        for pattern in ("*.lock", "tmp_*", ".tmp-*"):
            found += (top / "objects/pack").glob(pattern)
        return [path for path in found if not path.is_dir()]

    def publish(
        self, files: Mapping[str, bytes | None], message: str, tag: Tag | None = None
    ) -> None:
        """Replace files of the book, all or none, and commit those that git tracks.

        Args:
            files: new contents by path in the book; None deletes.
            message: of the commit.
            tag: what the commit bears.

        Raises:
            CannotWriteError: with the book as it was, or complete after the next run.
            GitError: if git cannot commit or sign; the next run does.
        """
        try:
            with refusing():
                moves = self._staged(files)
                self._intend(
                    moves=moves,
                    message=message,
                    author=author_name(),
                    generation=self.generation() + 1,
                    tag=tag,
                )
        except CannotWriteError:
            with contextlib.suppress(OSError):
                self._withdraw()
            raise
        self._apply()

    def _staged(self, files: Mapping[str, bytes | None]) -> list[tuple[str | None, str]]:
        """Write new files beside the old: what is to be moved where; deletions come last."""
        stage = self.state / "stage"
        stage.mkdir(exist_ok=True)
        _may_write({*self._directories(files), self.root / ".git", self.root / ".git/objects"})
        moves: list[tuple[str | None, str]] = []
        new = {path: content for path, content in files.items() if content is not None}
        for number, (path, content) in enumerate(new.items()):
            write(stage / f"{number:06d}", content, sync=len(new) < MANY)
            moves.append((f"{number:06d}", path))
        if len(new) >= MANY:
            sync_file_system(stage)
        fsync(stage)
        self._make_room(sum(map(len, new.values())))
        return moves + [(None, path) for path in files if path not in new]

    def _make_room(self, size: int) -> None:
        """Refuse a disk on which git could not take over what is staged: better now than then."""
        disk = os.statvfs(self.state)
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < size + (256 << 10):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.root))

    def _intend(self, **intent: object) -> None:
        """Write down what is to be done: from here on it will be."""
        write(self.state / "intent.tmp", json.dumps(intent).encode())
        (self.state / "intent.tmp").replace(self.state / "intent.json")
        fsync(self.state)

    def _directories(self, paths: Iterable[str]) -> set[Path]:
        """Where files of the book stand; no link leads out of it.

        Raises:
            CannotCreateError: if one does, or a path itself.
        """
        found = {self.root / os.path.dirname(path) for path in paths}  # noqa: PTH120 - 10,000 paths
        top = self.root.resolve()
        for place in found:
            if not place.resolve().is_relative_to(top):
                raise CannotCreateError(
                    f"{place}: leads out of the book; nothing was published; "
                    "put a directory where the link is"
                )
        return found

    def _apply(self) -> None:
        intent = self._intent()
        moves = intent["moves"]
        with refusing(_HALF_DONE):
            self._move(moves)
            self._bump(intent["generation"])
        held = [path for _, path in moves if is_committed(path)]
        self.commit(held, intent["message"], intent["author"])
        if tag := intent.get("tag"):
            self._sign(Tag(*tag), intent["author"])
        with refusing(_HALF_DONE):
            (self.state / "intent.json").unlink()
            fsync(self.state)
        self._repack()

    def _withdraw(self) -> None:
        """Have nothing be done: what is staged goes when the intent is surely gone."""
        (self.state / "intent.json").unlink(missing_ok=True)
        fsync(self.state)
        self._clear()

    def _intent(self) -> dict[str, Any]:
        """What was to be done."""
        path = self.state / "intent.json"
        try:
            intent: dict[str, Any] = json.loads(path.read_bytes())
            return {"author": "", "generation": self.generation() + 1, **intent}
        except (OSError, ValueError) as error:
            raise CannotWriteError(
                f"{path}: cannot be read ({error}); nothing was done; "
                "move it away, and look at `git status`"
            ) from None

    def _move(self, moves: Iterable[tuple[str | None, str]]) -> None:
        stage, touched = self.state / "stage", {self.root}
        for parent in self._directories(path for _, path in moves):
            parent.mkdir(parents=True, exist_ok=True)
            touched |= {parent, *itertools.takewhile(self.root.__ne__, parent.parents)}
        for name, path in moves:
            if name is None:
                (self.root / path).unlink(missing_ok=True)
            elif (stage / name).exists():
                (stage / name).replace(self.root / path)
        for directory in (*sorted(touched), stage):
            fsync(directory)

    def _bump(self, generation: int) -> None:
        write(self.state / "generation.tmp", str(generation).encode())
        (self.state / "generation.tmp").replace(self.state / "generation")
        fsync(self.state)

    def _clear(self) -> None:
        """Remove what was put aside and is not wanted any more; only without an intent."""
        for directory, pattern in (
            (self.state / "stage", "*"),
            (self.spool, "*"),
            (self.state, "*.tmp"),
        ):
            leftovers = list(directory.glob(pattern))
            for leftover in leftovers:
                leftover.unlink()
            if leftovers:
                fsync(directory)

    def generation(self) -> int:
        """How often the book has been published to."""
        try:
            return int((self.state / "generation").read_text())
        except (OSError, ValueError):
            return 0

    def whole(self) -> int | None:
        """The generation the book's files are of; None while some are of the next."""
        generation = self.generation()
        # Read once more at the end: a whole run may have gone by between the two looks.
        return generation if self._at_rest(generation) and self.generation() == generation else None

    def _at_rest(self, generation: int) -> bool:
        """Whether a run that publishes has not moved a file yet, or has moved them all."""
        try:
            intent = json.loads((self.state / "intent.json").read_bytes())
            if intent["generation"] == generation:
                return True  # all are in place, and only git is behind
            staged = {name for name, _ in intent["moves"] if name}
            return bool(staged) and staged <= {
                path.name for path in (self.state / "stage").iterdir()
            }
        except FileNotFoundError:
            return True
        except (OSError, ValueError, KeyError):
            return False  # to one who may not look it is no help

    def reading(self, read: Callable[[], Any], tries: int = 600) -> Any:
        """What ``read`` returns, of one whole generation of the book.

        An error of its own counts only if the book was at rest meanwhile.

        Raises:
            LockedError: if the book is never at rest.
            InterruptedRunError: if a killed run has left it in between.
        """
        for _ in range(tries):
            before = self.whole()
            if before is not None:
                try:
                    result = read()
                except Exception:
                    if self.whole() == before:
                        raise
                else:
                    if self.whole() == before:
                        return result
            elif not self.is_locked() and self.whole() is None:
                raise InterruptedRunError(
                    f"{self.root}: a run was interrupted while it published; nothing was read; "
                    "run any command that writes, `a2ledger doctor --mend` for one: it finishes it"
                )
            time.sleep(0.1)
        raise LockedError(f"{self.root}: runs keep publishing; nothing was read; try again")

    def commit(self, paths: list[str], message: str, author: str = "") -> None:
        """Commit paths that git should hold; nothing changed, no commit."""
        paths = [path for path in paths if path]
        if not paths:
            return
        with refusing(_HALF_DONE):
            before = self._objects()
        listed = "".join(f"{path}\0" for path in paths)
        self.git(
            "update-index", "--add", "--remove", "--replace", "-z", "--stdin",
            stdin=listed, settings=self._packing(len(paths)),
        )  # fmt: skip
        # After a copy or a restore git would compare all contents again and again.
        self.git("update-index", "-q", "--refresh", check=False)
        tree = self.git("write-tree").stdout.strip()
        head = self.git("rev-parse", "--verify", "--quiet", "HEAD", check=False).stdout.strip()
        if head and self.git("rev-parse", "HEAD^{tree}").stdout.strip() == tree:
            return
        parents = ("-p", head) if head else ()
        commit = self.git(
            "commit-tree", *parents, "-F", "-", tree, stdin=message, author=author
        ).stdout.strip()
        with refusing(_HALF_DONE):
            self._settle_objects(before)
        said = message.partition("\n")[0]
        self.git("update-ref", "-m", f"commit: {said}", "HEAD", commit, head, author=author)
        with refusing(_HALF_DONE):
            self._settle_refs()

    def _sign(self, tag: Tag, author: str) -> None:
        """Have the latest commit bear a signed tag, unless an interrupted run has seen to it."""
        ref = f"refs/tags/{tag.name}"
        if not self._is_signed(ref):
            with refusing(_HALF_DONE):
                before = self._objects()
            done = self.git(
                "tag", "--force", "--sign", "--cleanup=verbatim", "-F", "-", tag.name, "HEAD",
                stdin=tag.message, author=author, check=False,
                settings=SIGNING | {"user.signingKey": tag.key},
            )  # fmt: skip
            # Git has been seen to make a tag without a signature, and to call that a success.
            if done.returncode or not self._is_signed(ref):
                self.git("update-ref", "-d", ref, check=False)
                said = " ".join(done.stderr.split())
                raise GitError(
                    f"{tag.name}: {tag.key} does not sign it ({said}); the rest is committed; "
                    "see to the key, then run any command that writes: it makes the tag"
                )
            with refusing(_HALF_DONE):
                self._settle_objects(before)
        with refusing(_HALF_DONE):
            self._settle_refs()

    def _is_signed(self, ref: str) -> bool:
        """Whether a tag bears a signature, good or not."""
        return SIGNATURE in self.git("cat-file", "tag", ref, check=False).stdout

    def _packing(self, count: int) -> dict[str, str]:
        """Have git put many files into one pack, where it can, by calling all of them big."""
        if count >= MANY and self.git_version() >= _PACKING:
            return {"core.bigFileThreshold": "1"}
        return {}

    def git_version(self) -> tuple[int, int]:
        """Of the git that is installed."""
        match = re.search(r"(\d+)\.(\d+)", self.git("version").stdout)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    def _objects(self) -> dict[Path, int]:
        """When names in git's directories of objects last changed, in nanoseconds."""
        top = self.root / ".git/objects"
        paths = [top, *(path for path in top.glob("*") if path.is_dir())]
        return {path: path.stat().st_mtime_ns for path in paths}

    def _settle_objects(self, before: Mapping[Path, int]) -> None:
        """Make names durable that git gave to objects since, as git itself does not."""
        # A clock's tick is longer than it takes to change twice: what is fresh may be unsynced.
        fresh = time.time_ns() - 1_000_000_000
        for path, stamp in self._objects().items():
            if stamp != before.get(path) or stamp > fresh:
                fsync(path)

    def _settle_refs(self) -> None:
        """Make durable where branches and tags point to, and the logs of how they moved."""
        top = self.root / ".git"
        for part in ("refs", "logs"):
            for path in (top / part).rglob("*"):
                if path.is_dir() or part == "logs":
                    fsync(path)
            if (top / part).exists():
                fsync(top / part)
        fsync(top)

    def _repack(self) -> None:
        """Put packs and loose objects together where there are many; no loss if it fails."""
        objects = self.root / ".git/objects"
        packs = sum(path.suffix == ".pack" for path in (objects / "pack").glob("*"))
        if packs < _PACKS and len([*(objects / "17").glob("*")]) < _LOOSE:
            return
        words = ("repack", "--geometric=2", "-n", "--quiet", "--window=0")
        with contextlib.suppress(OSError):
            before = self._objects()
            # Only when the new pack surely stays may what is in it go: the second run makes the
            # same pack again, and takes the others away.
            if not self.git(*words, check=False).returncode:
                fsync(objects / "pack")
                self.git(*words, "-d", check=False)
            self._settle_objects(before)

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
            shared = ("--shared=group",) if self.is_shared else ()
            self.git("init", "--quiet", "--initial-branch=main", *shared)
            with refusing():
                self._settle_objects({})
                self._settle_refs()

    def git(
        self,
        *arguments: str,
        stdin: str = "",
        author: str = "",
        check: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run git in the book: durable, without hooks, helpers or anyone's configuration.

        Raises:
            GitError: if it fails and ``check`` is set.
        """
        name = author or author_name()
        settings = {
            "core.fsync": "all",
            "core.fsyncMethod": "fsync",
            "core.hooksPath": "/dev/null",
            "core.fsmonitor": "false",
            "core.autocrlf": "false",
            "core.attributesFile": "/dev/null",
            "core.quotePath": "false",
            "commit.gpgSign": "false",
            "gc.auto": "0",
            "maintenance.auto": "false",
            "protocol.allow": "never",
            "safe.directory": str(self.root.resolve()),
            **(settings or {}),
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "LC_ALL": "C",
            "GIT_DIR": str(self.root.resolve() / ".git"),
            "GIT_WORK_TREE": str(self.root.resolve()),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
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
        except OSError as error:
            with refusing(_HALF_DONE):
                raise error from None
        if check and done.returncode:
            said = " ".join(done.stderr.split())
            raise GitError(
                f"git {arguments[0]}: {said}; nothing was committed; "
                "have git work in the book, then run any command that writes"
            )
        return done


def author_name() -> str:
    """Who commits: ``A2LEDGER_AUTHOR``, or whose login it is, or else :data:`NOBODY`."""
    return os.environ.get("A2LEDGER_AUTHOR") or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return NOBODY


def _may_write(directories: Iterable[Path]) -> None:
    """Refuse what could only be published in part: a directory of somebody else's.

    Raises:
        PermissionError: naming it.
    """
    for directory in directories:
        there = next(one for one in (directory, *directory.parents) if one.exists())
        if there.is_dir() and not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def _is_stale(leftover: Path) -> bool:
    """Whether nobody's git is likely to be at work on a file; a lock is given time to go."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with contextlib.suppress(FileNotFoundError):
        while time.time() - leftover.stat().st_mtime < PATIENCE_SECONDS:
            if leftover.suffix != ".lock":
                return False  # it stands in nobody's way
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
    return True


_NOT_TO_BE_WRITTEN = {
    errno.EROFS: ("the file system is read-only", "make it writable and run again"),
    errno.EACCES: ("permission denied", "run as the user who owns the book"),
    errno.EPERM: ("permission denied", "run as the user who owns the book"),
    errno.ENOTDIR: ("a file is where a directory should be", "move it away and run again"),
    errno.EISDIR: ("a directory is where a file should be", "move it away and run again"),
    errno.EEXIST: ("something is in the way", "move it away and run again"),
    errno.ENOENT: ("not there", "make it and run again"),
    errno.ELOOP: ("a link leads in a circle", "remove it and run again"),
}
_FAILED = {
    errno.ENOSPC: ("the disk is full", "free some space and run again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run again"),
    errno.EMFILE: ("too many open files", "raise `ulimit -n` and run again"),
    errno.ENFILE: ("too many open files", "close some programs and run again"),
}


@contextlib.contextmanager
def refusing(undone: str = "nothing was published") -> Iterator[None]:
    """Turn the disk's refusals into :class:`CannotWriteError`."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        kind = CannotCreateError if number in _NOT_TO_BE_WRITTEN else CannotWriteError
        other = (error.strerror or str(error), "see to it and run again")
        what, todo = (_NOT_TO_BE_WRITTEN | _FAILED).get(number, other)
        raise kind(f"{error.filename or 'the book'}: {what}; {undone}; {todo}") from error


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


def fsync(path: Path) -> None:
    """Make a file's content durable, or a directory's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
