"""The git repository of a book: commits, signed tags, and durability of git's own files.

Git makes its files durable when it is asked to, but never their names: that is done here, the
objects' before the branch moves on to them.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import re
import shlex
import socket
import stat
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from a2ledger.book.disk import HALF_DONE, fsync, refusing
from a2ledger.errors import FAILED, ExpectedError

_PACKS = 50
"""Repack when git has this many packs. Each run of many files adds one."""

_LOOSE = 16
"""Repack when objects/17/ has this many loose objects: a sample of 1 in 256."""

_LOOSE_BYTES = 64_000_000
"""Repack when loose objects take this much: of 100,000 customers each commit lists all, two
megabytes that differ by a line from those of the commit before."""

_ROLLED_BYTES = 16_000_000
"""Size of the largest pack that the next commit's objects are put together with."""

_SPARE_BYTES = 4_000_000
"""Room on the disk that joining packs leaves."""

_WIDE_BYTES = 32_000
"""Size of a commit's own objects from which on it is joined: below, it lists few files."""

_SMALL_BYTES = 256_000
"""Size of the largest pack of contents, made before a commit, that joins it."""

_OF_PACK = {"pack": None, "rev": None, "idx": None}.keys()
"""Endings of a pack's files, in the order in which they go: what is left derives from the pack."""

_SETTLED_SECONDS = 60
"""Age of a pack from which on nobody is still at it."""

_INDEX = b"\xfftOc\0\0\0\2"
"""With what the index of a pack begins, version 2."""

_MANY = 1_000
"""Files that change in a directory from which on its tree is made at once."""

_GC_SECONDS = 120.0
"""How long a garbage collection of git's, which removes what no commit names yet, is waited for."""

_TRIES = 12
"""How often a commit is made again if a `git repack` beside it has taken parts of it away."""

_KEEPER = b"fast-import"
"""What `git fast-import` writes into the file by which it keeps its pack."""

_BRANCH = re.compile(r"ref: refs/heads/(\S+)\s*")
_COMMIT = re.compile(r"[0-9a-f]{40}\s*")

_RUN = "refs/a2ledger/run"
"""What the commit of a run is called until the branch has moved to it."""

NOBODY = "a2ledger"
"""Author name when neither A2LEDGER_AUTHOR nor a login is known."""

_EMAIL = "a2ledger@localhost"
"""Email address by which the program recognises its own commits."""

SIGNING = {"gpg.format": "ssh", "gpg.ssh.program": "ssh-keygen"}
"""Settings with which git signs: what a repository's own say is not asked."""

_PINNED = {
    "core.fsync": "all",
    "core.fsyncMethod": "fsync",
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.attributesFile": "/dev/null",
    "core.quotePath": "false",
    "core.useReplaceRefs": "false",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "core.sparseCheckout": "false",
    "core.sshCommand": "false",
    "core.gitProxy": "false",
    "core.askPass": "false",
    "core.editor": "false",
    "core.pager": "cat",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "commit.gpgSign": "false",
    "tag.gpgSign": "false",
    "log.showSignature": "false",
    "gpg.program": "false",
    "gpg.openpgp.program": "false",
    "gpg.x509.program": "false",
    "gpg.ssh.program": "false",
    "gpg.ssh.defaultKeyCommand": "",
    "advice.graftFileDeprecated": "false",
    "gc.auto": "0",
    "gc.recentObjectsHook": "",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "pack.indexVersion": "2",
    "pack.packSizeLimit": "0",
}
"""Settings of every call of git: durable; and whatever could run a program of somebody's is off.

Whoever may write a book may write its ``.git/config`` and ``.git/info/attributes``: neither must
make those who run a2ledger on it run what they name.
"""

_ODD = "surrogateescape"
"""How bytes that are no UTF-8 stand in texts that git is given, and gives."""

SIGNATURE = "\n-----BEGIN SSH SIGNATURE-----\n"
"""Separator between a tag's message and its signature."""


class GitError(ExpectedError):
    """Git failed. The message has its output."""

    exit_code = FAILED


class Tag(NamedTuple):
    """A signed tag for a commit."""

    name: str
    message: str
    key: str
    """Path of the private key."""


def text_of(path: Path) -> str:
    """Return one of git's own small files, empty if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _loose_bytes(objects: Path) -> int:
    """Return the size of all objects that are in no pack."""
    size = 0
    with contextlib.suppress(OSError), os.scandir(objects) as entries:
        directories = [entry.path for entry in entries if len(entry.name) == len("ff")]
        for directory in directories:
            with contextlib.suppress(OSError), os.scandir(directory) as found:
                size += sum(entry.stat().st_size for entry in found)
    return size


def _size(packs: Mapping[str, os.stat_result], name: str) -> int:
    """Return the size of a pack; of one that is gone or kept, more than any that is joined."""
    return packs[name].st_size if name in packs else _ROLLED_BYTES + 1


def _names(index: Path) -> list[str]:
    """Return the names of a pack's objects, which its index holds after 256 counts.

    Raises:
        ValueError: if it is of another version, damaged, or counts other objects than the pack:
            what it does not name would be lost with the pack.
    """
    content = index.read_bytes()
    with index.with_suffix(".pack").open("rb") as pack:
        count = int.from_bytes(pack.read(12)[8:])
    start = len(_INDEX) + 256 * 4
    counted, digest = int.from_bytes(content[start - 4 : start]), content[-20:]
    is_whole = hashlib.sha1(content[:-20], usedforsecurity=False).digest() == digest
    if not content.startswith(_INDEX) or counted != count or not is_whole:
        raise ValueError(f"{index}: does not name what its pack holds")
    places = range(start, start + 20 * count, 20)
    return [content[place : place + 20].hex() for place in places]


def _directory(path: str) -> str:
    return path.rpartition("/")[0]


def _kept(packs: Path) -> list[Path]:
    """Return the files by which `git fast-import` keeps its pack while it works."""
    found = []
    for path in packs.glob("*.keep"):
        with contextlib.suppress(OSError):
            content = path.read_bytes()  # of one that was killed, perhaps only the beginning
            is_begun = not all(path.with_suffix(end).exists() for end in (".pack", ".idx"))
            # An empty one beside a whole pack is a person's: git itself asks for no more.
            if content.startswith(_KEEPER) or (_KEEPER.startswith(content) and is_begun):
                found.append(path)
    return found


def _c_quoted(path: str) -> str:
    """Return a path as `git fast-import` reads it, whatever is in it."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def blob(content: bytes) -> str:
    """Return the name git gives to a file with some content."""
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


class Repository:
    """The git repository in the directory of a book."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.held: tuple[int, ...] = ()
        """Descriptors of locks that git processes inherit: they outlive a run that is killed."""
        self._stored: set[str] = set()
        """Packs of contents that the next commit will name."""
        self._loose: set[str] = set()
        """Trees that lie in no pack yet."""

    def store(self, contents: Iterable[bytes]) -> None:
        """Have git hold some contents, which a commit will name, in a pack of their own.

        What lies in a pack no `git prune` takes away before there is a commit that names it.
        """
        blobs = [b"blob\ndata %d\n%s\n" % (len(content), content) for content in contents]
        if blobs:
            with refusing():
                before, packs = self._objects(), self._packs()
            self._fast_import(b"".join(blobs))
            with refusing():
                self._settle_objects(before)
            self._stored |= self._packs().keys() - packs.keys()

    def commit(self, files: Mapping[str, str | None], message: str, author: str = "") -> str:
        """Commit files by what they hold, whatever lies in the directory by now.

        Args:
            files: the blob of each path, which git holds already; None where it is gone.
            message: of the commit.
            author: who is named.

        Returns:
            the latest commit; empty if there is none. Nothing changed, no commit.

        Raises:
            GitError: if git cannot.
        """
        head, packs = self.tip() or self.head(), self._packs()
        if not files:
            return head
        for attempt in range(_TRIES):
            try:
                commit = self._committed(files, head, message, author)
            except GitError:
                if attempt == _TRIES - 1:
                    raise
                self._store_again(files)
            else:
                break
        self._sync_index(files)
        self._join(packs)
        return commit

    def _packs(self) -> dict[str, os.stat_result]:
        """Return what the disk says of each whole pack that nobody keeps, by its name."""
        packs: dict[str, os.stat_result] = {}
        endings: dict[str, set[str]] = {}
        with contextlib.suppress(OSError), os.scandir(self.root / ".git/objects/pack") as entries:
            for entry in entries:
                name, _, ending = entry.name.partition(".")
                endings.setdefault(name, set()).add(ending)
                if ending == "pack":
                    with contextlib.suppress(OSError):
                        packs[name] = entry.stat()
        plain = {name for name, those in endings.items() if {"idx"} <= those <= _OF_PACK}
        return {name: about for name, about in packs.items() if name in plain}

    def _join(self, before: Mapping[str, os.stat_result]) -> None:
        """Put a commit's objects into one pack with those of the commit before it.

        A directory of 100,000 customers is two megabytes of names in every commit, and differs by
        a line from that of the commit before: within a pack, git writes down the difference.

        Args:
            before: the packs there were when the commit was begun.
        """
        directory, sizes = self.root / ".git/objects/pack", self._packs()
        stored, self._stored = self._stored, set()
        made = {name for name in sizes if name not in before}
        if not self._loose and sum(_size(sizes, name) for name in made) < _WIDE_BYTES:
            return
        chosen = made | {name for name in stored if _size(sizes, name) <= _SMALL_BYTES}
        earlier = [name for name in before if name in sizes and name not in stored]
        if earlier:
            chosen.add(max(earlier, key=lambda name: sizes[name].st_mtime_ns))
        size = sum(_size(sizes, name) for name in chosen)
        named = ("multi-pack-index", "multi-pack-index.d")  # which name the packs there are
        if not chosen or size > _ROLLED_BYTES or any((directory / name).exists() for name in named):
            return
        words = ("pack-objects", "--delta-base-offset", "--window=3", "--threads=1", "--quiet")
        with contextlib.suppress(OSError, ValueError, ExpectedError):
            disk = os.statvfs(self.root)
            if disk.f_blocks and disk.f_bavail * disk.f_frsize < 2 * size + _SPARE_BYTES:
                return  # what is left to do needs the room
            names = {each for name in chosen for each in _names(directory / f"{name}.idx")}
            listed = "".join(f"{name}\n" for name in sorted(names | self._loose))
            # Git runs in the book, however the book was named.
            done = self.run(*words, ".git/objects/pack/pack", stdin=listed, check=False)
            joined = f"pack-{done.stdout.strip()}"
            if done.returncode or joined not in self._packs():
                return
            if not names.issubset(_names(directory / f"{joined}.idx")):
                return
            # The earlier ones may go only once the new one is durable.
            fsync(directory)
            if self._loose:
                self.run("prune-packed", "--quiet", check=False)
                self._loose = set()
            for name in chosen - {joined}:
                for ending in _OF_PACK:
                    (directory / f"{name}.{ending}").unlink(missing_ok=True)
            fsync(directory)

    def _committed(
        self, files: Mapping[str, str | None], head: str, message: str, author: str
    ) -> str:
        """Make a commit on ``head`` under a name of our own, then move the branch to it."""
        with refusing(HALF_DONE):
            before = self._objects()
        name, text = author or author_name(), message.encode("utf-8", _ODD)
        parent = f"from {head}\n" if head else ""
        trees_of = self._trees(files, head)
        single = {path: blob for path, blob in files.items() if _directory(path) not in trees_of}
        changes = "".join(
            f"M {mode} {name} {_c_quoted(path)}\n" if name else f"D {_c_quoted(path)}\n"
            for mode, named in (("040000", trees_of), ("100644", single))
            for path, name in named.items()
        )
        who = f"{name} <{_EMAIL}> {int(time.time())} {time.strftime('%z')}"
        start = f"commit {_RUN}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(text)}\n"
        # It says what the commit is called, and the trees of it and of the one before.
        asked = 'get-mark :1\nls :1 ""\n' + (f'ls {head} ""\n' if head else "")
        rest = f"\n{parent}{changes}{asked}".encode("utf-8", _ODD)
        commit, *trees = self._fast_import(start.encode("utf-8", _ODD) + text + rest).splitlines()
        with refusing(HALF_DONE):
            self._settle_objects(before)
        if len(set(trees)) < len(trees):  # nothing changed
            self.run("update-ref", "-d", _RUN)
            return head
        said = message.partition("\n")[0]
        moves = f"update HEAD {commit} {head or '0' * 40}\ndelete {_RUN}\n"
        self.run("update-ref", "-m", f"commit: {said}", "--stdin", stdin=moves, author=author)
        with refusing(HALF_DONE):
            self._settle_refs()
        return str(commit)

    def _trees(self, files: Mapping[str, str | None], head: str) -> dict[str, str]:
        """Make the trees of directories in which many files change, and return their names.

        `git fast-import` looks for every file among all others of its directory: of a hundred
        thousand it takes minutes. A directory comes before those inside it.
        """
        counts = Counter(map(_directory, files))
        many = sorted(
            directory for directory, count in counts.items() if directory and count >= _MANY
        )
        trees = {}
        for directory in many:
            words = ("ls-tree", "-z", head, "--", f"{directory}/")
            listed = self.run(*words).stdout.split("\0")[:-1] if head else []
            entries = {}
            for entry in listed:
                about, _, path = entry.partition("\t")
                entries[path] = about
            for path, name in files.items():
                if _directory(path) != directory:
                    continue
                if name:
                    entries[path] = f"100644 blob {name}"
                else:
                    entries.pop(path, None)
            lines = (
                f"{about}\t{path.removeprefix(f'{directory}/')}\0"
                for path, about in entries.items()
            )
            if text := "".join(lines):
                trees[directory] = str(self.run("mktree", "-z", stdin=text).stdout).strip()
        self._loose |= set(trees.values())
        return trees

    def _fast_import(self, stream: bytes) -> str:
        words = ("fast-import", "--quiet", "--force", "--done", "--depth=0")
        packed = {"fastimport.unpackLimit": "0"}
        for attempt in range(_TRIES):
            done = self.run(*words, stdin=stream + b"done\n", settings=packed, check=False)
            if not done.returncode:
                return done.stdout
            # What git fails at, it writes into a file beside its own.
            top = self.root / ".git"
            for left in (*top.glob("fast_import_crash_*"), *_kept(top / "objects/pack")):
                left.unlink(missing_ok=True)
            # A `git prune` removes what is being written: it may be through now.
            time.sleep(0.02 * attempt)
        said = " ".join(done.stderr.partition("fast-import: dumping")[0].split())
        raise self._failure("fast-import", said)

    def _store_again(self, files: Mapping[str, str | None]) -> None:
        """Store what somebody's git took away before any commit named it."""
        places = {self.root / path: name for path, name in files.items() if name}
        there = ((file.read_bytes(), name) for file, name in places.items() if file.is_file())
        self.store(content for content, name in there if blob(content) == name)

    def _sync_index(self, files: Mapping[str, str | None]) -> None:
        """Have the index of people's own git follow; it decides nothing, and may be in use."""
        nothing, top = "0" * 40, self.root / ".git"
        self.mend_index()
        listed = "".join(
            f"{'100644' if name else '0'} {name or nothing}\t{path}\0"
            for path, name in files.items()
        )
        words, settings = ("--add", "--replace", "-z", "--index-info"), self._unfiltered()
        done = self.run("update-index", *words, stdin=listed, check=False, settings=settings)
        if not done.returncode:
            # After a copy or a restore git would compare all contents again and again.
            self.run("update-index", "-q", "--refresh", check=False, settings=settings)
        elif not (top / "index.lock").exists():
            # Rather none than an older one, which would show what was published as undone.
            with contextlib.suppress(OSError):
                (top / "index").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            fsync(top)

    def mend_index(self) -> None:
        """Make the index of people's own git from the latest commit, if there is none."""
        if not (self.root / ".git/index").exists() and (self.tip() or self.head()):
            settings = self._unfiltered()
            self.run("read-tree", "HEAD", check=False, settings=settings)
            self.run("update-index", "-q", "--refresh", check=False, settings=settings)

    def _unfiltered(self) -> dict[str, str]:
        """Settings that turn off the filters which a repository's own configuration names."""
        own = [self.root / ".git/config", self.root / ".git/config.worktree"]
        text = "".join(file.read_text("utf-8", "replace") for file in own if file.is_file())
        if not re.search("filter|include", text, re.IGNORECASE):
            return {}
        listed = self.run("config", "--includes", "--name-only", "--list", "-z").stdout
        names = {
            key.split(".", 1)[1].rsplit(".", 1)[0]
            for key in listed.split("\0")
            if key.startswith("filter.")
        }
        programs = {f"filter.{name}.{key}": "" for name in names for key in ("clean", "process")}
        return programs | {f"filter.{name}.required": "false" for name in names}

    @contextlib.contextmanager
    def collected(self) -> Iterator[None]:
        """Have no `git gc` run meanwhile: hold the file by which git itself lets only one run."""
        path = self.root / ".git/gc.pid"
        deadline = time.monotonic() + _GC_SECONDS
        while _is_collecting(path) and time.monotonic() < deadline:
            time.sleep(0.1)
        held = False
        try:
            path.write_text(f"{os.getpid()} {socket.gethostname()}")
            fsync(path)
            held = True
        except OSError:  # a full disk can hold its name, and no content
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        try:
            yield
        finally:
            if held:
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    fsync(path.parent)

    def branch(self) -> str:
        """Return the name of the branch git is on, as its own file says; empty if it is on none."""
        match = _BRANCH.fullmatch(text_of(self.root / ".git/HEAD"))
        return match[1] if match else ""

    def tip(self) -> str:
        """Return the latest commit of the branch, as far as the branch's own file says it."""
        name = self.branch()
        text = text_of(self.root / ".git/refs/heads" / name) if name else ""
        return text.strip() if _COMMIT.fullmatch(text) else ""

    def head(self) -> str:
        """Return the latest commit of the branch; empty if there is none."""
        found = self.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        return str(found.stdout.strip())

    def blob(self, name: str) -> str:
        """Return the text of a blob, or of ``COMMIT:PATH``; empty if there is none."""
        return str(self.run("cat-file", "blob", name, check=False).stdout)

    def tree(self, commit: str, *places: str) -> dict[str, str]:
        """Return the blob of each path of a commit, or of those in some directories."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *places).stdout
        rows = (row.split("\t", 1) for row in listed.split("\0") if row)
        return {path: about.split()[2] for about, path in rows if " blob " in about}

    def sign(self, tag: Tag, author: str) -> None:
        """Sign the latest commit with a tag, unless an interrupted run already did."""
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
                output = " ".join(done.stderr.split())
                raise GitError(
                    f"{tag.name}: {tag.key} does not sign it ({output})",
                    undone="the rest is committed",
                    todo="see to the key, then run any command that writes: it makes the tag",
                )
            with refusing(HALF_DONE):
                self._settle_objects(before)
        with refusing(HALF_DONE):
            self._settle_refs()

    def _is_signed(self, ref: str) -> bool:
        """Return whether a tag has a signature, valid or not."""
        return SIGNATURE in self.run("cat-file", "tag", ref, check=False).stdout

    def version(self) -> tuple[int, int]:
        """Return the version of the installed git."""
        match = re.search(r"(\d+)\.(\d+)", self.run("version").stdout)
        return (int(match[1]), int(match[2])) if match else (0, 0)

    def _objects(self) -> dict[Path, int]:
        """Return when names last changed in each of git's object directories, in nanoseconds."""
        top = self.root / ".git/objects"
        stamps = {}
        for path in (top, *top.glob("*")):
            with contextlib.suppress(FileNotFoundError):
                about = path.stat()
                if stat.S_ISDIR(about.st_mode):
                    stamps[path] = about.st_mtime_ns
        return stamps

    def _settle_objects(self, before: Mapping[Path, int]) -> None:
        """Make the names of new objects durable, since git does not."""
        # Two changes may fall into one tick of the clock, so sync recent directories again.
        fresh = time.time_ns() - 1_000_000_000
        for path, stamp in self._objects().items():
            if stamp != before.get(path) or stamp > fresh:
                with contextlib.suppress(FileNotFoundError):  # a `git gc` empties directories
                    fsync(path)

    def _settle_refs(self) -> None:
        """Make branches, tags and their logs durable."""
        top = self.root / ".git"
        for part in ("refs", "logs"):
            for path in (top / part).rglob("*"):
                if path.is_dir() or part == "logs":
                    with contextlib.suppress(FileNotFoundError):  # `git gc` packs refs
                        fsync(path)
            if (top / part).exists():
                fsync(top / part)
        fsync(top)

    def unindexed(self) -> list[Path]:
        """Return packs that have lost their index, which git makes last: not those of just now."""
        old = time.time() - _SETTLED_SECONDS
        found = []
        for path in (self.root / ".git/objects/pack").glob("*.pack"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < old and not path.with_suffix(".idx").exists():
                    found.append(path)
        return sorted(found)

    def repack(self) -> None:
        """Repack if there are many packs or loose objects, losing nothing if it fails."""
        objects = self.root / ".git/objects"
        packs = sum(path.suffix == ".pack" for path in (objects / "pack").glob("*"))
        is_full = len([*(objects / "17").glob("*")]) >= _LOOSE
        if packs < _PACKS and not is_full and _loose_bytes(objects) < _LOOSE_BYTES:
            return
        # A directory of 10,000 customers is a quarter of a megabyte of names in every commit, and
        # two of them differ by a line: hence a small window, and one thread for equal bytes.
        words = ("repack", "--geometric=2", "-n", "--quiet", "--window=4", "--threads=1")
        with contextlib.suppress(OSError):
            before = self._objects()
            # The old packs may go only once the new one is durable. The second run makes the
            # same pack again, and takes the others away.
            if not self.run(*words, check=False).returncode:
                fsync(objects / "pack")
                self.run(*words, "-d", check=False)
            self._settle_objects(before)

    def own(self, among: str = "HEAD") -> str:
        """Return the latest commit of a2ledger's own in a history or a range; empty if none is."""
        words = ("log", "-1", "--format=%H", f"--committer=<{_EMAIL}>", among, "--")
        return str(self.run(*words, check=False).stdout.strip())

    def between(self, earlier: str, later: str) -> list[str]:
        """Return the paths in which two commits differ."""
        words = ("diff-tree", "-r", "--name-only", "-z", "--no-renames", earlier, later)
        return [path for path in self.run(*words).stdout.split("\0") if path]

    def start(self, *, shared: bool) -> None:
        """Make the book a git repository unless it is one, shared with the group if asked."""
        if not (self.root / ".git").exists():
            group = ("--shared=group",) if shared else ()
            self.run("init", "--quiet", "--initial-branch=main", *group)
            with refusing():
                self._settle_objects({})
                self._settle_refs()

    def run(
        self,
        *arguments: str,
        stdin: str | bytes = "",
        author: str = "",
        check: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run git in the book: durable, and no program of anybody's that configuration names.

        Raises:
            GitError: if it fails and ``check`` is set.
        """
        name = author or author_name()
        settings = _PINNED | {"safe.directory": str(self.root.resolve()), **(settings or {})}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        surroundings = {
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
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": "/dev/null",
            "GIT_NO_LAZY_FETCH": "1",
            # No protocol whatever, even if the repository's own configuration allows one by name.
            "GIT_ALLOW_PROTOCOL": "none",
        }
        for role in ("AUTHOR", "COMMITTER"):
            surroundings[f"GIT_{role}_NAME"] = name
            surroundings[f"GIT_{role}_EMAIL"] = _EMAIL
        try:
            done = subprocess.run(  # noqa: S603
                ["git", *options, *arguments],  # noqa: S607
                cwd=self.root,
                env=surroundings,
                input=stdin if isinstance(stdin, bytes) else stdin.encode("utf-8", _ODD),
                pass_fds=self.held,
                capture_output=True,
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
        read = subprocess.CompletedProcess(
            done.args,
            done.returncode,
            done.stdout.decode("utf-8", _ODD),
            done.stderr.decode("utf-8", _ODD),
        )
        if check and done.returncode:
            raise self._failure(arguments[0], " ".join(read.stderr.split()))
        return read

    def _failure(self, command: str, output: str) -> GitError:
        """Return what git said when it failed, and what to do about it."""
        todo = "have git work in the book, then run any command that writes"
        if "bad config" in output:
            config = shlex.quote(f"{self.root}/.git/config")
            todo = f"mend {config}, or take it from a copy: `cp COPY/.git/config {config}`"
        return GitError(f"git {command}: {output}", undone="nothing was committed", todo=todo)

    def leftovers(self) -> list[Path]:
        """Return locks and half-written files that a killed or running git has left."""
        top = self.root / ".git"
        abandoned = [
            path
            for pattern in ("*.lock", "packed-refs.new", "info/*.lock", "worktrees/*/*.lock")
            for path in top.glob(pattern)
        ]
        abandoned += (top / "refs").rglob("*.lock")
        abandoned += (top / "objects/info").rglob("*.lock")
        abandoned += (top / "objects").glob("??/tmp_obj_*")
        abandoned += (top / "objects").glob("tmp_objdir-*/**/*")
        abandoned += _kept(top / "objects/pack")
        for pattern in ("*.lock", "tmp_*", ".tmp-*"):
            abandoned += (top / "objects/pack").glob(pattern)
        for pattern in ("*.idx", "*.rev"):
            indices = (top / "objects/pack").glob(pattern)
            abandoned += (path for path in indices if not path.with_suffix(".pack").exists())
        return [path for path in abandoned if not path.is_dir()]


def _is_collecting(path: Path) -> bool:
    """Return whether a `git gc` is at work, by the file it holds meanwhile."""
    try:
        pid, host = path.read_text().split()
        if host != socket.gethostname():
            return time.time() - path.stat().st_mtime < 12 * 3600  # as git itself has it
        os.kill(int(pid), 0)
    except PermissionError:
        return True  # of another user
    except (OSError, ValueError):
        return False
    return int(pid) != os.getpid()


_UNFIT = re.compile(r"[\x00-\x1f\x7f<>]")
_CRUD = " .,:;<>\"\\'"
"""What git takes off both ends of a name; of which nothing else is left, it refuses."""


def author_name() -> str:
    """Return who commits: ``A2LEDGER_AUTHOR``, or whose login it is, or else :data:`NOBODY`.

    A name that git would refuse is none: it would stand in an intent that nobody could finish.
    """
    name = _UNFIT.sub(" ", os.environ.get("A2LEDGER_AUTHOR", "") or _login())
    return " ".join(name.split()) if name.strip(_CRUD) else NOBODY


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        return NOBODY
