"""Write without losing data: one writer, all files or none, then one git commit.

A run computes everything first. Publishing stages the new files beside the book, fsyncs them,
has git hold them, fsyncs one intent record that names them all, renames them into place, commits
what was staged, writes down what was left, and drops the intent. Killed before the intent, nothing
happened; killed after it, the next writer finishes the job. Readers take no lock: they compare the
generation before and after and read again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from a2ledger.book import git_state, paths
from a2ledger.book.disk import (
    HALF_DONE,
    MANY,
    CannotCreateError,
    CannotWriteError,
    fsync,
    refusing,
    sync_file_system,
    write,
)
from a2ledger.book.git import Repository, Tag, author_name, blob
from a2ledger.book.paths import is_committed
from a2ledger.book.published import Left, Published, Seen, seen_at
from a2ledger.errors import LOCKED, ExpectedError

STATE = ".a2ledger"

_STAGED = re.compile(r"\d{6,}")

_MENTIONED = ("manual edit", "mended")
"""What is said by itself once it is published."""

PATIENCE_SECONDS = 2.0
"""Seconds that a lock of git is left alone, since another git process may hold it."""

_OVERTAKEN = 2
"""How often a reader reads again, because a run has published meanwhile, before writers wait."""

Talk = Callable[[str], None]

PUBLISHED: list[str] = []
"""First lines of what this process has published: it stands, whatever fails afterwards."""


class LockedError(ExpectedError):
    """Another writer held the book for longer than the timeout."""

    exit_code = LOCKED


class InterruptedRunError(ExpectedError):
    """A killed run has published only a part, and no run has finished it yet."""

    exit_code = LOCKED


class Vault:
    """The directory of a book as the target of publishing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state = root / STATE
        self.spool = self.state / "spool"
        """Directory for a command's temporary files while it holds the lock."""
        self.repository = Repository(root)
        self._published: Published | None = None
        self._last_read: tuple[Seen | None, Published] | None = None
        """What was published when it was last read, and what the disk said of it then."""

    @property
    def published(self) -> Published:
        """What the last publication left; where that is not written down, what git has."""
        if self._published is None:
            self._published = Published(self.root)
            if not self._published.is_known and (self.root / ".git").exists():
                own = self.repository.own()
                held = self.repository.tree(own) if own else {}
                held = {path: name for path, name in held.items() if is_committed(path)}
                self._published.take(held, own, self.repository.branch())
        return self._published

    def published_if_known(self) -> Published | None:
        """Return what the last publication left, without asking git; None if that is not here.

        Neither is it while a run publishes: what it moves into place is written down at its end.
        """
        if (self.state / "intent.json").exists():
            return None
        seen = seen_at(self.state / "published")
        if self._last_read is None or seen is None or self._last_read[0] != seen:
            self._last_read = seen, Published(self.root)
        published = self._last_read[1]
        return published if published.is_known else None

    def stand(self) -> None:
        """Make sure that git stands where the book is, before anything is done.

        Raises:
            NotOnBranchError: naming what git is in the middle of, and the way back.
        """
        if (self.root / ".git").exists() or (self.state / "published").exists():
            known = Published(self.root)
            if known.is_known:
                self._published = known
            git_state.check(self.root, self.repository, known)

    def changed_by_hand(self) -> dict[str, str]:
        """Return the paths that are not as they were left, and how each is.

        That is ``edited``, ``gone``, ``new``, or ``link`` for what is missing, or is a link.
        """
        published = self.published
        found = published.changed()
        head = self.repository.tip() or self.repository.head()
        if published.commit and head and head != published.commit:
            for path in self.repository.between(published.commit, head):
                if is_committed(path):
                    found.setdefault(path, "edited" if (self.root / path).exists() else "gone")
        return dict(sorted(found.items()))

    def was(self, path: str) -> str:
        """Return a file that git holds as it was published; empty if it was not."""
        name = self.published.blob(path)
        return self.repository.blob(name) if name and is_committed(path) else ""

    @property
    def is_shared(self) -> bool:
        """Return whether a group shares the book: its directory is setgid (``chmod g+s``)."""
        return bool(self.root.exists() and self.root.stat().st_mode & stat.S_ISGID)

    @property
    def is_writing(self) -> bool:
        """Return whether this process holds the lock."""
        return bool(self.repository.held)

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
            self.repository.held = (descriptor,)
            self._published = None  # another writer may have published meanwhile
            self.recover(talk)
            self.stand()
            yield
        finally:
            self.repository.held = ()
            if descriptor >= 0:
                os.close(descriptor)
            os.umask(mask)

    def _lock(self, descriptor: int, talk: Talk, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        has_told = False
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise LockedError(
                        f"{self.root}: another a2ledger holds it", todo="try again"
                    ) from None
                if not has_told:
                    talk("another a2ledger holds the book; waiting for it")
                    has_told = True
                time.sleep(0.1)
            else:
                return

    def is_locked(self) -> bool:
        """Return whether a writer holds the lock, False if this user cannot tell."""
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
        """Finish or drop what an interrupted run left, under the lock."""
        with refusing():
            begun = (self.state / "intent.json").exists()
            for leftover in self.repository.leftovers():
                # Ours has the lock until it ends: after a run that was killed none is alive.
                if begun or _is_stale(leftover):
                    leftover.unlink(missing_ok=True)
        if begun:
            talk("finishing what an interrupted run began")
            with self.repository.collected():
                self._apply()
        with refusing():
            self._clear()
        self.repository.mend_index()

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
        with self.repository.collected():
            self._publish(files, message, tag)
        self.repository.repack()

    def _publish(self, files: Mapping[str, bytes | None], message: str, tag: Tag | None) -> None:
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
                self._unstage(len(files))
                self._withdraw()
            raise
        self._apply()

    def _unstage(self, count: int) -> None:
        """Remove what was staged and is in no intent, by name: it may not be listed now."""
        if not (self.state / "intent.json").exists():
            for number in range(count):
                (self.state / "stage" / _name(number)).unlink(missing_ok=True)

    def _staged(self, files: Mapping[str, bytes | None]) -> list[list[Any]]:
        """Write new files to the stage, and return the moves to make, with deletions last.

        Returns:
            for each file its name in the stage, its path, its blob, and size, time and inode.
        """
        stage = self.state / "stage"
        stage.mkdir(exist_ok=True)
        _may_write({*self._directories(files), self.root / ".git", self.root / ".git/objects"})
        moves: list[list[Any]] = []
        new = {path: content for path, content in files.items() if content is not None}
        held: list[bytes] = []
        for number, (path, content) in enumerate(new.items()):
            place = stage / _name(number)
            write(place, content, sync=len(new) < MANY)
            seen = seen_at(place) or Seen(-1, 0, 0)
            name = blob(content) if paths.is_kept(path) else ""
            moves.append([place.name, path, name, *seen[:3]])
            if is_committed(path):
                held.append(content)
        if len(new) >= MANY:
            sync_file_system(stage)
        fsync(stage)
        self._make_room(sum(map(len, new.values())))
        self.repository.store(held)
        return moves + [[None, path, "", -1, 0, 0] for path in files if path not in new]

    def _make_room(self, size: int) -> None:
        """Refuse a disk with too little room for git to commit what is staged."""
        disk = os.statvfs(self.state)
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < size + (256 << 10):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.root))

    def _intend(self, **intent: object) -> None:
        """Record the intent, which from here on will be carried out."""
        write(self.state / "intent.tmp", json.dumps(intent).encode())
        (self.state / "intent.tmp").replace(self.state / "intent.json")
        fsync(self.state)

    def _directories(self, paths: Iterable[str]) -> set[Path]:
        """Return the directories of files of the book, refusing links that lead out of it.

        Raises:
            CannotCreateError: if one does, or a path itself.
        """
        directories = {self.root / os.path.dirname(path) for path in paths}  # noqa: PTH120 - 10,000 paths
        top = self.root.resolve()
        for place in directories:
            if not place.resolve().is_relative_to(top):
                raise CannotCreateError(
                    f"{place}: leads out of the book",
                    undone="nothing was published",
                    todo="put a directory where the link is",
                )
        return directories

    def _apply(self) -> None:
        intent = self._intent()
        moves = intent["moves"]
        with refusing(HALF_DONE):
            self._move([(name, path) for name, path, *_ in moves])
            self._bump(intent["generation"])
        held = {path: name or None for _, path, name, *_ in moves if is_committed(path)}
        commit = self.repository.commit(held, intent["message"], intent["author"])
        if tag := intent.get("tag"):
            self.repository.sign(Tag(*tag), intent["author"])
        left = {
            path: Left(Seen(*about) if about[0] >= 0 else None, name) if staged else None
            for staged, path, name, *about in moves
        }
        with refusing(HALF_DONE):
            self.published.record(left, commit, self.repository.branch())
            fsync(self.state)
            (self.state / "intent.json").unlink()
            fsync(self.state)
        said = str(intent["message"]).partition("\n")[0]
        if said not in _MENTIONED:
            PUBLISHED.append(said)

    def _withdraw(self) -> None:
        """Withdraw the intent, and remove the staged files once that is durable."""
        (self.state / "intent.json").unlink(missing_ok=True)
        fsync(self.state)
        self._clear()

    def _intent(self) -> dict[str, Any]:
        """Read the intent.

        Raises:
            CannotWriteError: if it is not as this program writes it, or names what it must not.
        """
        path = self.state / "intent.json"
        try:
            intent: dict[str, Any] = json.loads(path.read_bytes())
            intent = {"author": "", "generation": self.generation() + 1, **intent}
            self._check(intent)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise CannotWriteError(
                f"{path}: cannot be read ({error})", todo="move it away, and look at `git status`"
            ) from None
        return intent

    def _check(self, intent: Mapping[str, Any]) -> None:
        """Make sure that an intent moves only what was staged, and to where a run may write.

        Raises:
            ValueError: saying what else it names.
        """
        for name, path, content, *about in intent["moves"]:
            parts = path.split("/") if _is_text(path) else [".."]
            if {"", "..", "."} & set(parts) or parts[0] in {".git", STATE}:
                raise ValueError(f"{path!r} is no file that a run writes")
            size, mtime, inode = map(int, about)
            seen = Seen(size, mtime, inode)
            if name is not None:
                self._check_staged(name, content, seen, path)
        if not (_is_text(intent["author"]) and _is_text(intent["message"])):
            raise ValueError("its author or message is no text")
        if tag := intent.get("tag"):
            Tag(*map(str, tag))
        int(intent["generation"])

    def _check_staged(self, name: str, content: str, seen: Seen, path: str) -> None:
        staged = self.state / "stage" / name
        if not _STAGED.fullmatch(name) or (staged.exists() and not staged.is_file()):
            raise ValueError(f"{name!r} was never staged")
        is_known = not content or not staged.exists() or seen_at(staged) == seen
        if not is_known and blob(staged.read_bytes()) != content:
            raise ValueError(f"{name} in the stage is not what was staged for {path}")

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
        """Remove leftovers of earlier runs, where there is no intent."""
        for directory, pattern in (
            (self.state / "stage", "*"),
            (self.spool, "*"),
            (self.state, "*.tmp"),
        ):
            leftovers = list(directory.glob(pattern))
            for leftover in leftovers:
                leftover.unlink(missing_ok=True)  # a reader's own may go meanwhile
            if leftovers:
                fsync(directory)

    def generation(self) -> int:
        """Return how often the book has been published to."""
        try:
            return int((self.state / "generation").read_text())
        except (OSError, ValueError):
            return 0

    def whole(self) -> int | None:
        """Return the generation of the book's files, or None while some are of the next."""
        generation = self.generation()
        # Read once more at the end: a whole run may have gone by between the two looks.
        return generation if self._at_rest(generation) and self.generation() == generation else None

    def _at_rest(self, generation: int) -> bool:
        """Return whether a publishing run has moved no file yet, or all of them."""
        try:
            intent = json.loads((self.state / "intent.json").read_bytes())
            if intent["generation"] == generation:
                return True  # all are in place, and only git is behind
            staged = {name for name, *_ in intent["moves"] if name}
            return bool(staged) and staged <= {
                path.name for path in (self.state / "stage").iterdir()
            }
        except FileNotFoundError:
            return True
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False  # unreadable: we cannot tell, so assume a publish is in progress

    @contextlib.contextmanager
    def _still(self, *, wanted: bool) -> Iterator[None]:
        """Have writers wait meanwhile, if that is wanted and this user can."""
        descriptor = -1
        if wanted and not self.is_writing:
            with contextlib.suppress(OSError):
                descriptor = os.open(self.state / "lock", os.O_RDONLY)
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while descriptor >= 0 and time.monotonic() < deadline:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except OSError:
                    time.sleep(0.01)
                else:
                    break
            yield
        finally:
            if descriptor >= 0:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)

    def reading(self, read: Callable[[], Any], tries: int = 600) -> Any:
        """Return the result of ``read`` over one complete generation of the book.

        An error of its own counts only if the book was at rest meanwhile. Whoever was overtaken
        twice has writers wait, lest they do so for ever.

        Raises:
            LockedError: if the book is never at rest.
            InterruptedRunError: if a killed run has left it in between.
        """
        for attempt in range(tries):
            with self._still(wanted=attempt >= _OVERTAKEN):
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
            if before is None and not self.is_locked() and self.whole() is None:
                raise InterruptedRunError(
                    f"{self.root}: a run was interrupted while it published",
                    undone="nothing was read",
                    todo="run any command that writes, as `a2ledger doctor --mend`: it finishes it",
                )
            time.sleep(0.1)
        raise LockedError(
            f"{self.root}: runs keep publishing", undone="nothing was read", todo="try again"
        )


def _name(number: int) -> str:
    """Return what a file is called in the stage."""
    return f"{number:06d}"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _may_write(directories: Iterable[Path]) -> None:
    """Refuse directories in which this user cannot write, lest only a part be published.

    Raises:
        PermissionError: naming it.
    """
    for directory in directories:
        existing = next(place for place in (directory, *directory.parents) if place.exists())
        if existing.is_dir() and not os.access(existing, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(existing))


def _is_stale(leftover: Path) -> bool:
    """Return whether a leftover of git is abandoned, giving a lock time to disappear."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with contextlib.suppress(FileNotFoundError):
        while time.time() - leftover.stat().st_mtime < PATIENCE_SECONDS:
            if leftover.suffix != ".lock":
                return False  # it stands in nobody's way
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
    return True
