"""Where git stands in a book: on which branch and commit, and in the middle of what.

A book is one line of history. Git moved by hand, off its branch or back, is refused by name, for
what is imported there would be lost with the next checkout. Read from git's own files, so that the
usual case costs no program.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from a2ledger.book.git import Repository, text_of
from a2ledger.book.published import Published
from a2ledger.errors import FAILED, NO, ExpectedError

_HEAD = re.compile(r"ref: refs/\S+\n?|[0-9a-f]{40,64}\n?")
_SHA256 = re.compile(r"^\s*objectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)
_BETWEEN = {
    "MERGE_HEAD": ("a merge", "git merge --abort"),
    "rebase-merge": ("a rebase", "git rebase --abort"),
    "rebase-apply": ("a rebase", "git rebase --abort"),
    "CHERRY_PICK_HEAD": ("a cherry-pick", "git cherry-pick --abort"),
    "REVERT_HEAD": ("a revert", "git revert --abort"),
}
"""What git may be in the middle of, and how to leave that."""


class NotOnBranchError(ExpectedError):
    """Git does not stand where the book is."""


class Astray(NamedTuple):
    """What is wrong with where git stands, and the way back."""

    what: str
    todo: str


def check(root: Path, repository: Repository, published: Published) -> None:
    """Make sure that git stands where the book was published to.

    Raises:
        NotOnBranchError: naming the first thing that is wrong.
    """
    for astray in look(root, repository, published):
        error = NotOnBranchError(astray.what, todo=astray.todo)
        error.exit_code = NO if (root / ".git").is_dir() else FAILED
        raise error


def look(root: Path, repository: Repository, published: Published) -> Iterator[Astray]:
    """Yield what is wrong with where git stands."""
    top, kept = root / ".git", published.branch or "main"
    damaged = list(broken(root, kept))
    yield from damaged
    if damaged:
        return
    name = repository.branch()
    if not name:
        head = repository.head()
        where = f"at commit {head[:12]}, on no branch" if head else "on no branch"
        what = f"git is {where}; what is done there would be lost"
        yield Astray(what, f"run `git checkout {kept}`, or `git switch -c NAME` in a copy")
        return
    if published.branch and name != published.branch:
        what = f"git is on the branch {name}, and the book is kept on {kept}"
        yield Astray(what, f"run `git checkout {kept}`; merge {name} there if you want it")
        return
    for leftover, (deed, way) in _BETWEEN.items():
        if (top / leftover).exists():
            yield Astray(f"git is in the middle of {deed}", f"finish it, or run `{way}`")
            return
    yield from _history(repository, published)


def broken(root: Path, branch: str = "main") -> Iterator[Astray]:
    """Yield what keeps git from reading the repository at all, as git's own files show it."""
    top = root / ".git"
    into = shlex.quote(f"{root}/")
    copied = f"bring it back from a backup, or with `cp -r COPY/.git {into}` from a copy"
    if not top.exists():
        yield Astray(f"{top}: is gone, and with it the book's history", copied)
        return
    if top.is_file() or top.is_symlink():
        what = f"{top}: is no directory: this is a worktree or a submodule of another repository"
        yield Astray(what, "keep the book in a repository of its own: `git clone` it")
        return
    if not (top / "objects").is_dir():
        yield Astray(f"{top / 'objects'}: is gone, and with it the book's history", copied)
        return
    if not (top / "refs").is_dir():
        what = f"{top / 'refs'}: is gone, and with it which commit each branch is at"
        yield Astray(what, copied)
        return
    if not _HEAD.fullmatch(text_of(top / "HEAD")):
        what, head = f"{top / 'HEAD'}: names no branch and no commit", shlex.quote(f"{top}/HEAD")
        yield Astray(what, f"write it anew: `echo 'ref: refs/heads/{branch}' > {head}`")
        return
    configured = text_of(top / "config")
    if _SHA256.search(configured):
        what = f"{top}: names its commits by SHA-256, and a book's are named by SHA-1"
        yield Astray(what, f"move it away, and {copied}")


def _history(repository: Repository, published: Published) -> Iterator[Astray]:
    """Yield where what was published last is not in the branch's history."""
    for pack in repository.unindexed():
        what = f"git has lost the index of {pack.name}, without which it finds nothing in there"
        yield Astray(what, f"run `git index-pack .git/objects/pack/{pack.name}`, which makes it")
        return
    last = published.commit
    head = repository.tip() or repository.head()
    if not head:
        if last:
            what = "git has lost the latest commit of the book"
            yield Astray(what, "run `git fsck`, and bring .git back from a backup")
        return
    if not published.is_known or not last or head == last:
        return
    done = repository.run("merge-base", "--is-ancestor", last, head, check=False)
    if done.returncode == 1:
        what = (
            f"the branch was moved to {head[:12]}, and the last run's commit {last[:12]} "
            "is not in its history"
        )
        yield Astray(what, f"run `git reset --hard {last}`: what was published is there")
    elif done.returncode:
        what = (
            f"git has lost the last run's commit {last[:12]}, or .a2ledger/published, which names "
            "it, is another book's"
        )
        todo = (
            "bring .git back from a backup, or `git fetch` it from a copy; "
            "if this is the newest copy there is, `rm .a2ledger/published`"
        )
        yield Astray(what, todo)
    elif newer := repository.own(f"{last}..{head}"):
        what = (
            f".a2ledger/published is of commit {last[:12]}, and a run has committed {newer[:12]} "
            "after it: it is an older one, or that run was on another computer"
        )
        yield Astray(what, "say `rm .a2ledger/published`: then git's own commit takes its place")


def hides(root: Path, repository: Repository) -> Iterator[Astray]:
    """Yield what has git tell another history than was written, or not all of it."""
    top = root / ".git"
    if (top / "info/grafts").exists():
        yield Astray("has grafts, which hide parts of history", "say `rm .git/info/grafts`")
    if repository.run("for-each-ref", "--count=1", "refs/replace").stdout:
        todo = "say `git replace -d` of those that `git replace -l` lists"
        yield Astray("has replaced commits, which hide others", todo)
    if (top / "shallow").exists():
        what = "is a shallow clone: what lies before cannot be verified here"
        yield Astray(what, "say `git fetch --unshallow`")
    if (top / "objects/info/alternates").exists():
        what = "borrows objects of another repository, and is lost with it"
        yield Astray(what, "say `git repack -a -d`, and rm .git/objects/info/alternates")
