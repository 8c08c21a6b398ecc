"""The git of a book: what is committed, tagged and told of it, and nothing of git's own lost.

Git makes its files durable when it is asked to, but never their names: that is done here, the
objects' before the branch moves on to them.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from a2ledger.book.disk import HALF_DONE, MANY, fsync, refusing
from a2ledger.errors import FAILED, ExpectedError

COMMITTED = (
    ".gitattributes",
    ".gitignore",
    "a2ledger.toml",
    "calls/DIGESTS",
    "imports.csv",
    "delivery",
    "dropped.csv",
    "invoices",
    "journals",
    "tariffs",
    "templates",
)
"""What of a book is in git; ``.gitignore`` keeps the rest out."""

_DOCUMENTS = (".json", ".ubl.xml", ".cii.xml", ".report.txt")
"""How files of documents end that git holds: the documents, e-invoices, reports of their checks."""

_PACKS = 50
"""How many packs, one for each run of many files, may lie in git before they are put together."""

_LOOSE = 16
"""How many object files in one of git's 256 directories of them are as good as a pack too many."""

_PACKING = (2, 37)
"""From this version on, git puts what it is told to hold into one pack, not each into its own."""

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


def is_committed(path: str) -> bool:
    """Whether git holds a file of the book; documents for people can be made again."""
    top = path.partition("/")[0]
    if top == "invoices":
        return path.endswith(_DOCUMENTS)
    return path in COMMITTED or (top in COMMITTED and not path.endswith(".picklecache"))


class GitError(ExpectedError):
    """Git refused, with what it said."""

    exit_code = FAILED


class Tag(NamedTuple):
    """A signed tag that a commit is to bear."""

    name: str
    message: str
    key: str
    """Path of the private key."""


class Repository:
    """The git repository in the directory of a book."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.held: tuple[int, ...] = ()
        """Descriptors of locks that git is to keep, for it outlives a run that is killed."""

    def commit(self, paths: list[str], message: str, author: str = "") -> None:
        """Commit paths that git should hold; nothing changed, no commit."""
        paths = [path for path in paths if path]
        if not paths:
            return
        with refusing(HALF_DONE):
            before = self._objects()
        listed = "".join(f"{path}\0" for path in paths)
        self.run(
            "update-index", "--add", "--remove", "--replace", "-z", "--stdin",
            stdin=listed, settings=self._packing(len(paths)),
        )  # fmt: skip
        # After a copy or a restore git would compare all contents again and again.
        self.run("update-index", "-q", "--refresh", check=False)
        tree = self.run("write-tree").stdout.strip()
        head = self.run("rev-parse", "--verify", "--quiet", "HEAD", check=False).stdout.strip()
        if head and self.run("rev-parse", "HEAD^{tree}").stdout.strip() == tree:
            return
        parents = ("-p", head) if head else ()
        commit = self.run(
            "commit-tree", *parents, "-F", "-", tree, stdin=message, author=author
        ).stdout.strip()
        with refusing(HALF_DONE):
            self._settle_objects(before)
        said = message.partition("\n")[0]
        self.run("update-ref", "-m", f"commit: {said}", "HEAD", commit, head, author=author)
        with refusing(HALF_DONE):
            self._settle_refs()

    def sign(self, tag: Tag, author: str) -> None:
        """Have the latest commit bear a signed tag, unless an interrupted run has seen to it."""
        ref = f"refs/tags/{tag.name}"
        if not self._is_signed(ref):
            with refusing(HALF_DONE):
                before = self._objects()
            done = self.run(
                "tag", "--force", "--sign", "--cleanup=verbatim", "-F", "-", tag.name, "HEAD",
                stdin=tag.message, author=author, check=False,
                settings=SIGNING | {"user.signingKey": tag.key},
            )  # fmt: skip
            # Git has been seen to make a tag without a signature, and to call that a success.
            if done.returncode or not self._is_signed(ref):
                self.run("update-ref", "-d", ref, check=False)
                said = " ".join(done.stderr.split())
                raise GitError(
                    f"{tag.name}: {tag.key} does not sign it ({said})",
                    undone="the rest is committed",
                    todo="see to the key, then run any command that writes: it makes the tag",
                )
            with refusing(HALF_DONE):
                self._settle_objects(before)
        with refusing(HALF_DONE):
            self._settle_refs()

    def _is_signed(self, ref: str) -> bool:
        """Whether a tag bears a signature, good or not."""
        return SIGNATURE in self.run("cat-file", "tag", ref, check=False).stdout

    def _packing(self, count: int) -> dict[str, str]:
        """Have git put many files into one pack, where it can, by calling all of them big."""
        if count >= MANY and self.version() >= _PACKING:
            return {"core.bigFileThreshold": "1"}
        return {}

    def version(self) -> tuple[int, int]:
        """Of the git that is installed."""
        match = re.search(r"(\d+)\.(\d+)", self.run("version").stdout)
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

    def repack(self) -> None:
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
            if not self.run(*words, check=False).returncode:
                fsync(objects / "pack")
                self.run(*words, "-d", check=False)
            self._settle_objects(before)

    def changed_by_hand(self) -> list[str]:
        """Paths git should hold that differ from what a2ledger itself last committed."""
        out = self.run(
            "status",
            "--porcelain",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--",
            *(path for path in COMMITTED if (self.root / path).exists()),
        ).stdout
        found = {entry[3:] for entry in out.split("\0") if entry}
        own = self.run("log", "-1", "--format=%H", f"--committer=<{_EMAIL}>", check=False)
        if own.stdout:
            last = own.stdout.strip()
            out = self.run("diff", "--name-only", "-z", last, "HEAD", "--", *COMMITTED).stdout
            found |= {path for path in out.split("\0") if path}
        return sorted(found)

    def committed(self, path: str) -> str:
        """Return a file as a2ledger itself last committed it; empty if it never did."""
        own = self.run("log", "-1", "--format=%H", f"--committer=<{_EMAIL}>", check=False)
        name = f"{own.stdout.strip() or 'HEAD'}:{path}"
        return str(self.run("show", name, check=False).stdout)

    def start(self, *, shared: bool) -> None:
        """Make the book a git repository, where it is none; a group's if it is shared."""
        if not (self.root / ".git").exists():
            group = ("--shared=group",) if shared else ()
            self.run("init", "--quiet", "--initial-branch=main", *group)
            with refusing():
                self._settle_objects({})
                self._settle_refs()

    def run(
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
                pass_fds=self.held,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
            )
        except FileNotFoundError:
            raise GitError(
                "git is not installed",
                undone="nothing was committed",
                todo="install it and run again",
            ) from None
        except OSError as error:
            with refusing(HALF_DONE):
                raise error from None
        if check and done.returncode:
            said = " ".join(done.stderr.split())
            raise GitError(
                f"git {arguments[0]}: {said}",
                undone="nothing was committed",
                todo="have git work in the book, then run any command that writes",
            )
        return done

    def leftovers(self) -> list[Path]:
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


def author_name() -> str:
    """Who commits: ``A2LEDGER_AUTHOR``, or whose login it is, or else :data:`NOBODY`."""
    return os.environ.get("A2LEDGER_AUTHOR") or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return NOBODY
