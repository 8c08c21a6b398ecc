"""Signed tags: the holder of a key vouches for each close, with a tag on its commit.

The tags ``closed/000001``, ``closed/000002`` … have no gap. Each line of a tag's message is one
period that was closed: ``CUSTOMER START END HASH``, the last as its seal has it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from a2ledger.book import config_parse
from a2ledger.book.book import CONFIG, Book, Draft, RefusedError
from a2ledger.book.git import SIGNATURE, SIGNING, Tag
from a2ledger.book.toml_table import ConfigError
from a2ledger.journal import customer_file, seal, subledgers
from a2ledger.records import Problem

_PREFIX = "closed/"
_NAME = re.compile(rf"{_PREFIX}[0-9]{{6,}}")
_LINE = re.compile(r"(\S+) (\d{4}-\d\d-\d\d) (\d{4}-\d\d-\d\d) ([0-9a-f]{64})")
_SIGNER = "signer"
"""What every key of ``seals.signers`` is called when a signature is looked at."""
_TO_DO = "fetch it from a copy of the book that nobody could write to"


class Named(NamedTuple):
    """A period named by a tag."""

    customer: str
    start: dt.date
    end: dt.date


# Making


def tag(draft: Draft) -> Tag | None:
    """Make the tag for the closes of a draft, or None if there are none, or no key is configured.

    Raises:
        RefusedError: if the key cannot be used.
    """
    if not draft.tag_lines or not draft.config.seals.key:
        return None
    check_key(draft)
    last = max((_number(name) for name in _names(draft)), default=0)
    return Tag(f"{_PREFIX}{last + 1:06d}", "".join(draft.tag_lines), str(_key(draft)))


def check_key(book: Book) -> None:
    """Check that the configured key can sign, and is among the signers.

    Raises:
        RefusedError: if it cannot, with what to do.
    """
    if not book.config.seals.key:
        return
    key = _key(book)
    try:
        status = key.lstat()
    except OSError as error:
        raise _refused(key, str(error.strerror), "name a key in seals.key") from None
    if not stat.S_ISREG(status.st_mode):
        raise _refused(key, "is no regular file", "name the key itself in seals.key")
    if status.st_mode & 0o077:
        raise _refused(key, "is open to others than its owner", f"run `chmod 600 {key}`")
    public = _public(key)
    if public not in [_bare(signer) for signer in book.config.seals.signers]:
        raise _refused(key, "is of none of seals.signers", f'add "{public} NAME" to them')


def _refused(key: Path, problem: str, todo: str) -> RefusedError:
    return RefusedError(f"{key}: {problem}", undone="nothing was closed", todo=todo)


def _key(book: Book) -> Path:
    return book.root.resolve() / Path(book.config.seals.key).expanduser()


def _public(key: Path) -> str:
    """Return the public half of a key, without its comment.

    Raises:
        RefusedError: if it is none that can be used by itself.
    """
    try:
        done = subprocess.run(  # noqa: S603
            ["ssh-keygen", "-y", "-P", "", "-f", str(key)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        todo = "install openssh-client"
        raise _refused(key, "cannot sign without ssh-keygen", todo) from None
    if done.returncode:
        message = " ".join(done.stderr.split())
        raise _refused(key, f"is no key that signs ({message})", "name one without a passphrase")
    return _bare(done.stdout)


def _bare(public: str) -> str:
    """Return a public key without its comment."""
    return " ".join(public.split()[:2])


# Verifying


def problems(book: Book) -> Iterator[Problem]:
    """Yield tags that are damaged, or that contradict the seals."""
    names = _names(book)
    yield from _missing(book, names)
    numbers = {_number(name) for name in names}
    for number in range(1, max(numbers, default=0)):
        if number not in numbers:
            yield _problem(f"{_PREFIX}{number:06d}", "is gone", _TO_DO)
    with tempfile.NamedTemporaryFile("w", suffix=".signers") as signers:
        for signer in book.config.seals.signers:
            signers.write(f'{_SIGNER} namespaces="git" {_bare(signer)}\n')
        signers.flush()
        if names and shutil.which("ssh-keygen") is None:
            message = "the signatures of tags could not be checked: there is no ssh-keygen"
            yield _problem(CONFIG, message, "install openssh-client")
        for name, target in names.items():
            yield from _tag_problems(book, name, target, Path(signers.name))
    yield from _period_problems(book, names)


def _problem(place: str, problem: str, todo: str) -> Problem:
    return Problem(place, 0, "tag", problem, todo=todo)


def _git(book: Book, *words: str, **settings: str) -> tuple[int, str]:
    """Run git without object replacements, and return its exit code and output."""
    done = book.repository.run(*words, settings=SIGNING | settings, check=False)
    return done.returncode, done.stdout


def _names(book: Book) -> dict[str, str]:
    """Return the tags of closes, with the objects they point at."""
    form = "--format=%(objectname) %(refname:lstrip=2)"
    _, listed = _git(book, "for-each-ref", form, f"refs/tags/{_PREFIX}")
    rows = (line.split(" ", 1) for line in listed.splitlines())
    return {name: target for target, name in rows if _NAME.fullmatch(name)}


def _number(name: str) -> int:
    return int(name.removeprefix(_PREFIX))


def _tag_problems(book: Book, name: str, target: str, signers: Path) -> Iterator[Problem]:
    """Yield what is wrong with a tag by itself."""
    code, text = _git(book, "cat-file", "tag", target)
    if code:
        yield _problem(name, "is no tag that was signed", _TO_DO)
        return
    own = _header(text).get("tag", "")
    if own != name:
        yield _problem(name, f"is the tag {own}, under another name", _TO_DO)
    if shutil.which("ssh-keygen") and not _is_signed(text, signers):
        problem = f"is signed by none of seals.signers in {CONFIG}, or was changed since"
        yield _problem(name, problem, f"add the key that signed it, if it is yours, or {_TO_DO}")
    commit = _header(text).get("object", "")
    if _git(book, "merge-base", "--is-ancestor", commit, "HEAD")[0]:
        problem = f"is on commit {commit[:12]}, which the book's history has not: it was rewritten"
        yield _problem(name, problem, "compare with a copy of the book from that day")


def _is_signed(text: str, signers: Path) -> bool:
    """Return whether a tag bears the signature of one of some signers over all of it.

    ``ssh-keygen`` is asked, not git: which program git would run, and what it believes, stands in
    the configuration of the repository that is to be verified.
    """
    payload, mark, armour = text.partition(SIGNATURE)
    if not mark:
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".sig") as signature:
        signature.write(mark.lstrip("\n") + armour)
        signature.flush()
        words = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", _SIGNER, "-n", "git"]
        done = subprocess.run(  # noqa: S603
            [*words, "-s", signature.name],
            input=(payload + "\n").encode("utf-8", "surrogateescape"),
            capture_output=True,
            check=False,
        )
    return not done.returncode


def _missing(book: Book, names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield that there is no signed tag at all, though closes were to be signed."""
    if names or not book.config.seals.key or not _seals(book):
        return
    code, last = _git(book, "log", "-1", "--format=%H", "HEAD", "--", "invoices")
    if code:
        yield _problem(".git", "no close is signed: the history is gone", _TO_DO)
        return
    _, text = _git(book, "cat-file", "blob", f"{last.strip()}^:{CONFIG}")
    with contextlib.suppress(ConfigError):
        if config_parse.parse(text).seals.key:
            what = "no close bears a signed tag, and seals.key was there when the last was made"
            yield _problem(CONFIG, what, _TO_DO)


def _header(text: str) -> Mapping[str, str]:
    """Parse the header of a tag: ``object``, ``type``, ``tag``, ``tagger``."""
    head = text.partition("\n\n")[0].splitlines()
    return {key: value for key, _, value in (line.partition(" ") for line in head)}


def _lines(book: Book, target: str) -> list[str]:
    """Return the lines of a tag's message."""
    text = _git(book, "cat-file", "tag", target)[1]
    return text.partition("\n\n")[2].partition(SIGNATURE)[0].splitlines()


def _named(line: str) -> tuple[Named, str] | None:
    """Parse a line of a tag's message into its period and seal hash."""
    if (match := _LINE.fullmatch(line)) is None:
        return None
    try:
        return Named(match[1], *map(dt.date.fromisoformat, match.group(2, 3))), match[4]
    except ValueError:
        return None


def _period_problems(book: Book, names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield contradictions of tags and seals, and sealed periods without exactly one tag."""
    if not names:
        return
    seals = _seals(book)
    tagged: dict[Named, str] = {}
    for name, target in names.items():
        for line in _lines(book, target):
            named = _named(line)
            if named is None:
                yield _problem(name, f"has the line {line!r}, which names no period", _TO_DO)
                continue
            period, sealed = named
            if period in tagged:
                problem = f"names {period.customer}, {period.start}, as {tagged[period]} does"
                yield _problem(name, problem, _TO_DO)
            elif seals.get(period) != sealed:
                where = _path(period)
                problem = f"{where} has another seal of {period.customer}, {period.start}, or none"
                todo = f"compare with `git show {name}:{where}`, and bring back what was closed"
                yield _problem(name, problem, todo)
            tagged[period] = name
    earlier = _at_first(book, names)
    for period in seals:
        if period not in tagged and earlier is not None and _path(period) not in earlier:
            problem = (
                f"the seal of {period.customer}, {period.start} to {period.end}, is named by no tag"
            )
            yield _problem(_path(period), problem, f"if the tag was removed, {_TO_DO}")


def _at_first(book: Book, names: Mapping[str, str]) -> set[str] | None:
    """Return the journal files as of the first tag, or None if it does not point at a commit."""
    first = names[min(names, key=_number)]
    code, listed = _git(book, "ls-tree", "-r", "-z", "--name-only", f"{first}^{{}}", "journals")
    return None if code else set(listed.split("\0"))


def _path(period: Named) -> str:
    """Return the path of the file that contains the seal of a period."""
    return customer_file.period_path(period.customer, period.end)


def _seals(book: Book) -> dict[Named, str]:
    """Return the hashes of the seals in the book."""
    hashes = {}
    for customer in subledgers.customers(book).values():
        for start, end in itertools.pairwise(customer.periods):
            period = Named(customer.id, start, end)
            path = book.root / _path(period)
            text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
            if sealed := seal.read(text, end):
                hashes[period] = sealed.hash
    return hashes
