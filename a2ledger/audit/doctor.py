"""Check a book's surroundings: programs, permissions, clock, disk space, leftovers."""

from __future__ import annotations

import datetime as dt
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.audit import tags
from a2ledger.book import git_state
from a2ledger.book.book import CONFIG, IMPORTS, Book, BrokenBookError, RefusedError
from a2ledger.book.git import NOBODY, GitError, author_name
from a2ledger.book.paths import back, is_committed
from a2ledger.book.published import Published
from a2ledger.book.toml_table import ConfigError
from a2ledger.book.transaction import PATIENCE_SECONDS, STATE, Vault
from a2ledger.sources import runs as import_runs
from a2ledger.switch import current_calls

GIT = (2, 37)
"""First git version whose commits survive a power cut, and which packs large blobs as told."""

_FREE = 100 << 20
"""Bytes of disk that must be free, besides twice what the last import may write."""
_INODES = 10_000
_CALLS = 20
"""Number of running calls named."""
_YOUNG_SECONDS = 60.0
"""How long a half-written file of git's is nothing to speak of."""
_NAMED = 5
"""Number of files named in a message."""
_LOST = 20
"""Files that are lost, each with how it comes back."""
_AHEAD = dt.timedelta(minutes=2)
"""How far two clocks may differ."""


class Finding(NamedTuple):
    """The result of a check: its subject, what was found, and what to do (empty if all is well)."""

    check: str
    message: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.check}: {self.message}" + (f"; {self.todo}" if self.todo else "")


def examine(root: Path, book: Book | None, now: dt.datetime) -> list[Finding]:
    """Run all checks of a book's surroundings.

    Args:
        root: where a book is, or should be.
        book: the one there; None if there is none.
        now: an aware time.
    """
    findings = list(_programs(Vault(root)))
    if book is None and (root / "journals").exists():
        return [*findings, Finding("book", f"{CONFIG} is not there", back(CONFIG))]
    if book is None:
        return [*findings, Finding("book", f"there is none in {root}; nothing more was looked at")]
    looks: tuple[Callable[[], Iterable[Finding]], ...] = (
        lambda: _configuration(book),
        lambda: _key(book),
        lambda: _permissions(book.vault),
        lambda: _repository(book.vault),
        lambda: _clock(book, now),
        lambda: _leftovers(book.vault, now),
        lambda: _disk(book.vault),
        lambda: _running_calls(book, now),
    )
    for look in looks:
        try:
            findings += look()
        except GitError as error:
            findings.append(Finding("git", _what(error), "have git work in the book"))
        except OSError as error:
            message = f"{error.filename}: {error.strerror}"
            findings.append(Finding("permissions", message, "run as the user who owns the book"))
    return findings


def _what(error: GitError | OSError) -> str:
    """Return an error's message without its advice."""
    return error.what if isinstance(error, GitError) else str(error)


# Programs


def _programs(vault: Vault) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", version)
    yield _git(vault)
    for requirement in metadata.requires("a2ledger") or ():
        match = re.match(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?([^;]*)(;.*)?$", requirement)
        if match and not match[3]:
            yield _package(match[1], match[2])
    yield from _paper()


def _git(vault: Vault) -> Finding:
    try:
        installed = vault.repository.version()
    except (GitError, OSError) as error:
        return Finding("git", _what(error), "install git 2.37 or later")
    text = ".".join(map(str, installed))
    if installed < GIT:
        return Finding("git", f"{text} loses commits in a power cut", "install git 2.37 or later")
    return Finding("git", text)


def _package(name: str, wanted: str) -> Finding:
    """Check that a package is installed in a supported version."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "is not installed", f"say `pip install '{name}{wanted}'`")
    fits = all(_fits(version, bound) for bound in wanted.split(",") if bound)
    return Finding(name, version, "" if fits else f"say `pip install '{name}{wanted.strip()}'`")


def _fits(version: str, bound: str) -> bool:
    """Return True if a version is within a bound such as ``>=3.2.3`` or ``<3.3``."""
    least = bound.strip().startswith(">=")
    return (_numbers(version) >= _numbers(bound)) == least


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def _paper() -> Iterator[Finding]:
    """Check what PDF output needs, which is optional."""
    for name, module in (("weasyprint", "weasyprint"), ("font", "fontpkg_noto_sans")):
        if find_spec(module):
            yield Finding(name, "installed, for PDF")
        else:
            yield Finding(name, "not installed; only PDF needs it: `pip install 'a2ledger[pdf]'`")


# The book


def _configuration(book: Book) -> Iterator[Finding]:
    try:
        sources = len(book.config.sources)
    except (BrokenBookError, ConfigError) as error:
        yield Finding("configuration", str(error), f"correct {CONFIG}")
    else:
        yield Finding("configuration", f"{CONFIG} can be read; {sources} source(s)")
        yield from _trunks(book)


def _trunks(book: Book) -> Iterator[Finding]:
    """Report sources without trunks configured, and what they lose by it."""
    names = [
        source.name
        for source in book.config.sources.values()
        if source.dialect in {"asterisk", "asterisk-db"} and not source.trunks
    ]
    if names:
        yield Finding(
            "trunks",
            f"{', '.join(names[:_NAMED])}: no trunks are named, so rows are billed as they are; "
            "what a transfer, a parked call or a forward adds may be lost; see docs/sources.md",
        )


def _key(book: Book) -> Iterator[Finding]:
    """Check that the next close can be signed, if that is configured."""
    try:
        if not (key := book.config.seals.key):
            return
        tags.check_key(book)
    except ConfigError:
        return  # which is found already
    except RefusedError as error:
        yield Finding("key", error.what, error.todo)
    else:
        yield Finding("key", f"{key} signs closes")


def _permissions(vault: Vault) -> Iterator[Finding]:
    """Check that the owner may write, the group read (or write, if shared), and others nothing."""
    top = vault.root
    wanted = 0o060 if vault.is_shared else 0
    opened, closed, alien = [], [], []
    for path in _everything(top):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode):
            continue
        if about.st_mode & 0o007:
            opened.append(path)
        if about.st_mode & wanted != wanted and ".git" not in path.parts:
            closed.append(path)
        if about.st_uid != os.geteuid() and not wanted:
            alien.append(path)
    if top in opened:  # closed itself, it keeps others from all that is in it
        yield _files(opened, vault, "others may enter or read", f"say `chmod -R o-rwx {top}`")
    if closed:
        fix = f"say `chmod -R g+rwX {top}`"
        yield _files(closed, vault, "the group, which shares the book, may not write", fix)
    if alien and os.geteuid():
        yield _files(alien, vault, "another user owns", f"say `chown -R $USER {top}`, as root")
    if not (top in opened or closed or alien):
        who = "write" if wanted else "read"
        yield Finding("permissions", f"the owner may write, the group {who}, nobody else anything")


def _files(paths: list[Path], vault: Vault, problem: str, todo: str) -> Finding:
    names = [str(path.relative_to(vault.root)) for path in paths[:_NAMED]]
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return Finding("permissions", f"{problem}: {', '.join(names)}{more}", todo)


def _everything(root: Path) -> Iterator[Path]:
    """Yield files and directories of a book, except git's objects."""
    yield root
    for place, directories, names in os.walk(root):
        yield from (Path(place, name) for name in (*directories, *names))
        if Path(place).name == ".git":
            directories[:] = [name for name in directories if name != "objects"]


def _repository(vault: Vault) -> Iterator[Finding]:
    published = vault.published_if_known() or Published(vault.root)
    astray = list(git_state.look(vault.root, vault.repository, published))
    for one in astray:
        yield Finding("git", one.what, one.todo)
    if any(git_state.broken(vault.root)):
        return
    if not astray:
        yield Finding("git", f"is on the branch {vault.repository.branch()}")
    for one in git_state.hides(vault.root, vault.repository):
        yield Finding("git", one.what, one.todo)
    name = author_name()
    todo = "" if name != NOBODY else "set A2LEDGER_AUTHOR to who runs this"
    yield Finding("author", f"commits are by {name}", todo)
    personal = vault.repository.run("ls-files", "--", "calls", "quarantine", STATE).stdout.split(
        "\n"
    )
    if kept := [path for path in personal if path and not is_committed(path)]:
        yield Finding(
            "git",
            f"holds personal data: {', '.join(kept[:_NAMED])}",
            "say `git rm -r --cached` of them, and add them to .gitignore",
        )
    changes = vault.changed_by_hand()
    lost = {path for path, how in changes.items() if how == "gone" or not is_committed(path)}
    if edited := [path for path in changes if path not in lost]:
        names = ", ".join(edited[:_NAMED])
        yield Finding(
            "edits",
            f"{names}: edited by hand; the next command that writes checks and commits them",
        )
    for path in sorted(lost)[:_LOST]:
        is_gone = changes[path] == "gone"
        yield Finding("lost", f"{path} {'is gone' if is_gone else 'was changed'}", back(path))
    if len(lost) > _LOST:
        yield Finding("lost", f"and {len(lost) - _LOST} more files", "see to these first")
    caches = [*(vault.root / "journals").rglob("*.picklecache")]
    if caches:
        names = " ".join(str(path.relative_to(vault.root)) for path in caches)
        yield Finding(
            "cache", "Beancount's load cache is in the journals; reading one runs it", f"rm {names}"
        )


def _clock(book: Book, now: dt.datetime) -> Iterator[Finding]:
    """Check that nothing in the book is dated after now."""
    ahead = list(_ahead(book, now))
    yield from ahead
    if not ahead:
        yield Finding("clock", f"{now.isoformat(timespec='seconds')}, after all that was written")


def _ahead(book: Book, now: dt.datetime) -> Iterator[Finding]:
    todo = "set the clock of this machine (`timedatectl set-ntp true`)"
    last = book.repository.run("log", "-1", "--format=%ct", check=False).stdout.strip()
    if last and dt.datetime.fromtimestamp(int(last), dt.UTC) > now + _AHEAD:
        when = dt.datetime.fromtimestamp(int(last), now.tzinfo).isoformat()
        yield Finding("clock", f"it is {now.isoformat()}, but the last commit is of {when}", todo)
    try:
        runs = import_runs.runs(book)
    except (BrokenBookError, ConfigError):
        return  # said by the configuration's finding, or by check
    if runs and (latest := max(run.time for run in runs)) > now + _AHEAD:
        yield Finding(
            "clock",
            f"it is {now.isoformat()}, but {IMPORTS} has a run of {latest.isoformat()}",
            todo,
        )


def _leftovers(vault: Vault, now: dt.datetime) -> Iterator[Finding]:
    if vault.is_locked():
        yield Finding("leftovers", "a writer is at work; what it has begun is its own")
        return
    mend = "say `a2ledger doctor --mend`, or run any command that writes"
    state = vault.state
    if (state / "intent.json").exists():
        yield Finding("leftovers", "a run was interrupted while it published", mend)
    elif any((state / "stage").glob("*")) or any(vault.spool.glob("*")):
        yield Finding("leftovers", "a run was interrupted before it published", mend)
    old = [path for path in vault.repository.leftovers() if _is_old(path, now)]
    if old:
        names = ", ".join(str(path.relative_to(vault.root)) for path in old[:_NAMED])
        yield Finding("leftovers", f"a git that was killed left {names}", mend)


def _is_old(path: Path, now: dt.datetime) -> bool:
    # What is no lock stands in nobody's way, and may be of a git that is at work.
    patience = PATIENCE_SECONDS if path.suffix == ".lock" else _YOUNG_SECONDS
    try:
        return now.timestamp() - path.stat().st_mtime > patience
    except FileNotFoundError:
        return False


def _disk(vault: Vault) -> Iterator[Finding]:
    disk = os.statvfs(vault.root)
    free = disk.f_bavail * disk.f_frsize
    if free < _FREE:
        yield Finding("disk", f"{free >> 20} MB free", "free some space: importing needs it")
    elif disk.f_files and disk.f_favail < _INODES:
        yield Finding("disk", f"room for {disk.f_favail} more files", "free some inodes")
    elif disk.f_flag & os.ST_RDONLY:
        yield Finding("disk", "the file system is read-only", "make it writable")
    else:
        yield Finding("disk", f"{free >> 20} MB free")


# Call authorisation


def _running_calls(book: Book, now: dt.datetime) -> Iterator[Finding]:
    """Report the calls that reserve money, and problems of the authorisation server."""
    try:
        known = current_calls.running(book, now)
    except (ConfigError, BrokenBookError):
        return  # named above
    if known.problem:
        todo = "see what `a2ledger authorize` says" if known.server else ""
        yield Finding("authorize", known.problem, todo)
    if not known.server and not known.calls:
        return
    held = money.text(sum(money.parse(call["reserved"]) for call in known.calls), 2)
    count = len(known.calls)
    yield Finding("authorize", f"{count} call{'s' * (count != 1)} hold{'s' * (count == 1)} {held}")
    for call in known.calls[:_CALLS]:
        yield Finding(
            "call",
            f"{call['customer']} to {call['called']} {call['destination']}, {call['state']} since "
            f"{call['started'][11:19]}, holds {call['reserved']} for {call['max_seconds']} s",
        )


def as_json(findings: Iterable[Finding]) -> dict[str, Any]:
    """Return findings for ``--json``."""
    return {
        "checks": [
            {
                "check": finding.check,
                "ok": not finding.todo,
                "message": finding.message,
                "todo": finding.todo,
            }
            for finding in findings
        ]
    }


def mended(vault: Vault) -> list[str]:
    """Fix permissions; call it only under the lock.

    Returns:
        Paths whose permissions were changed.
    """
    changed = []
    extra = 0o060 if vault.is_shared else 0
    for path in _everything(vault.root):
        about = path.lstat()
        if stat.S_ISLNK(about.st_mode) or (".git" in path.parts and not path.is_dir()):
            continue
        wanted = about.st_mode & ~0o007 | extra | (extra and path.is_dir() and 0o2010)
        if stat.S_IMODE(wanted) != stat.S_IMODE(about.st_mode):
            path.chmod(stat.S_IMODE(wanted))
            changed.append(str(path.relative_to(vault.root)))
    return changed
