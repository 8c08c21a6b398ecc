"""Whether all of a book would come back: what git holds elsewhere, and what git does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from a2ledger.book import paths
from a2ledger.book.book import Book
from a2ledger.book.git import Repository
from a2ledger.book.published import scan


class Part(NamedTuple):
    """A part of a book, whether a copy has it, and what to do if none has."""

    name: str
    message: str
    todo: str = ""


def look(book: Book, copy: Path | None) -> Iterator[Part]:
    """Yield the parts of a book and what covers them.

    Args:
        book: the book.
        copy: a backup of it; None if there is only what git has pushed.
    """
    yield _history(book, copy)
    yield from _files(book, copy)
    yield from _beside(book)


def _history(book: Book, copy: Path | None) -> Part:
    """Return whether the latest commit is somewhere else, too."""
    git = book.repository
    head = git.head()
    if copy is not None:
        there = [place for place in (copy / ".git", copy) if (place / "objects").is_dir()]
        if not there:
            todo = f"say `git clone --mirror {book.root} {copy / '.git'}`"
            return Part("git", f"{copy} has no history of the book", todo)
        other = Repository(copy if there[0].name == ".git" else copy.parent)
        words = ("--git-dir", str(there[0]), "cat-file", "-e", f"{head}^{{commit}}")
        if other.run(*words, check=False).returncode:
            todo = f"say `git -C {there[0]} fetch`, or push to it"
            return Part("git", f"{copy} lacks the latest commit {head[:12]}", todo)
        return Part("git", f"{copy} has the latest commit {head[:12]}")
    remotes = git.run("remote").stdout.split()
    if not remotes:
        todo = "say `git remote add backup ADDRESS` and `git push --follow-tags backup main`"
        return Part("git", "no remote is configured: the history lies here alone", todo)
    words = ("for-each-ref", "--format=%(refname:short)", "--contains", head, "refs/remotes")
    holding = git.run(*words).stdout.split()
    if not holding:
        todo = f"say `git push --follow-tags {remotes[0]} main`"
        return Part("git", f"the latest commit {head[:12]} was pushed nowhere", todo)
    return Part("git", f"{holding[0]} has the latest commit {head[:12]}")


def _files(book: Book, copy: Path | None) -> Iterator[Part]:
    """Yield what git does not hold, by kind: calls, quarantine."""
    groups: dict[str, list[str]] = {}
    for path, seen in scan(book.root):
        if seen.is_file and paths.is_kept(path) and not paths.is_committed(path):
            groups.setdefault(path.split("/", 1)[0], []).append(path)
    for top, names in sorted(groups.items()):
        size = sum((book.root / name).stat().st_size for name in names)
        what = f"{len(names)} file(s), {max(1, size >> 10)} kB, are not in git"
        if copy is None:
            todo = f"copy it as well, as `rsync -a {book.root / top} BACKUP`"
            yield Part(top, what, todo)
            continue
        lacking = [name for name in names if not _is_same(book.root / name, copy / name)]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            todo = f"say `rsync -a {book.root / top} {copy}`"
            yield Part(top, f"{copy} lacks {lacking[0]}{more}, or has another", todo)
        else:
            yield Part(top, f"{copy} has all {len(names)} file(s)")


def _is_same(file: Path, copy: Path) -> bool:
    try:
        return file.read_bytes() == copy.read_bytes()
    except OSError:
        return False


def _beside(book: Book) -> Iterator[Part]:
    """Yield what the configuration names that lies outside the book, which no copy of it has."""
    config = book.config
    named = {"seals.key": config.seals.key, "serve.passwords": config.serve.passwords}
    for key, name in named.items():
        if name:
            place = book.root / Path(name).expanduser()
            yield Part(key, f"{place} is no part of the book: keep a copy of it apart")
