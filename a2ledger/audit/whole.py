"""The book as a whole: files nothing names, numbers that are missing, what history has lost."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from a2ledger import money
from a2ledger.billing import sealed as sealing
from a2ledger.book import git_state
from a2ledger.book.book import Book
from a2ledger.book.git import GitError, blob
from a2ledger.book.paths import back
from a2ledger.book.published import scan
from a2ledger.documents.number_series import numbers
from a2ledger.journal import customer_file, period_file, seal, subledgers, syntax
from a2ledger.records import Customer, Problem

_TAKE_AWAY = "take it away"
_BRING_BACK = "run `git fsck`, and bring .git back from a backup"
_BESIDE = ("ubl.xml", "cii.xml", "report.txt")
"""Endings of files that git holds beside a document."""
_SHOWN = 3
"""Missing numbers that are named."""


def unnamed(book: Book) -> Iterator[Problem]:
    """Yield files that nothing names, two of one name, links, and numbers that are missing."""
    for path, seen in scan(book.root):
        if not seen.is_file:
            what = "is a link, not a file or directory of its own"
            yield Problem(path, 0, "gone", what, todo="put what it leads to in its place")
    known = {
        customer_file.period_path(customer.id, start)
        for customer in subledgers.customers(book).values()
        for start in customer.periods
    }
    for path in book.files("journals", "[0-9]*/*"):
        if path not in known:
            yield Problem(path, 0, "extra", "is no period of any customer", todo=_TAKE_AWAY)
    yield from _documents(book)


class _Named:
    """Documents that the journals name, and how."""

    def __init__(self, book: Book) -> None:
        self.sealed: set[str] = set()
        """By a seal, or by the entries of a period that a seal covers."""
        self.closed: set[str] = set()
        """By the entries of a close, from before there were seals."""
        self.open: dict[str, set[int]] = {}
        """By entries of open periods: what each moves on Billed, in micro-units."""
        for customer in subledgers.customers(book).values():
            self._read(book, customer)

    def _read(self, book: Book, customer: Customer) -> None:
        texts = [book.text(customer_file.period_path(customer.id, day)) for day in customer.periods]
        for (start, text), after in itertools.zip_longest(
            zip(customer.periods, texts, strict=True), texts[1:]
        ):
            place = customer.periods.index(start)
            if after is None:
                for block in syntax.blocks(text):
                    for name in sealing.issued(block.text) if block.kind == "*" else ():
                        # With VAT on payment, what was asked is the money, not what it settles.
                        self.open[name] = {abs(leg.micro) for leg in block.legs}
                continue
            end = customer.periods[place + 1]
            if covered := seal.read(after, end):
                self.sealed |= {covered.document, *sealing.issued(text)}
            else:
                closing = [one for one in syntax.blocks(text) if period_file.is_closing(one)]
                self.closed |= {link for one in closing for link in one.links}
                self.closed |= {f"statement-{customer.id}-{start}", *sealing.issued(text)}


def _documents(book: Book) -> Iterator[Problem]:
    """Yield documents that are nobody's, or doubled, and numbers that are missing."""
    paths: dict[str, list[str]] = {}
    for path in book.files("invoices", "*/*.json"):
        paths.setdefault(path.rpartition("/")[2].removesuffix(".json"), []).append(path)
    named = _Named(book)
    for name, places in paths.items():
        for path in places[1:]:
            what = f"bears the name of {places[0]}, which only one document can have"
            yield Problem(path, 0, "twin", what, todo="take away what was not issued")
        if name in named.sealed:
            continue
        text = book.text(places[0])
        if name in named.open:
            if _gross(text) not in {None, *named.open[name]}:
                what = "is of another amount than the entry that names it"
                yield Problem(places[0], 0, "document", what, todo="compare it with git's")
        elif name not in named.closed:
            what = "is a document without an entry in any journal"
            yield Problem(places[0], 0, "extra", what, todo=_TAKE_AWAY)
        elif '\n "seal": "' in text:
            what = "bears a seal that no period's file has"
            yield Problem(places[0], 0, "chain", what, todo="restore the journals from git")
    yield from _gaps(book, list(paths))


def _gross(text: str) -> int | None:
    """Return what a document bills, in micro-units; None if it does not say."""
    try:
        return abs(money.parse(str(json.loads(text)["gross"])))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _gaps(book: Book, names: Sequence[str]) -> Iterator[Problem]:
    """Yield numbers of documents that are missing among those before and after."""
    config = book.config
    series = {config.invoice_series: config.invoice_start}
    series[config.credit_note_series] = config.credit_note_start
    for pattern, start in series.items():
        years = (
            {"": numbers(pattern, names, r"\d{4}")}
            if "{year" not in pattern
            else _years(pattern, names)
        )
        for year, taken in years.items():
            first = min(taken) if start > 1 else 1
            missing = sorted(set(range(first, max(taken, default=0))) - taken.keys())
            if missing:
                shown = ", ".join(pattern.format(year=year, number=one) for one in missing[:_SHOWN])
                more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
                todo = "bring the documents, and whoever they are of, back from git or a copy"
                what = f"{shown}{more}: numbers that were never issued, or are gone"
                yield Problem("invoices", 0, "numbers", what, todo=todo)


def _years(pattern: str, names: Sequence[str]) -> Mapping[str, Mapping[int, str]]:
    found = {}
    for year in sorted({match for name in names for match in re.findall(r"\d{4}", name)}):
        if taken := numbers(pattern, names, year):
            found[year] = taken
    return found


def beside(book: Book) -> Iterator[Problem]:
    """Yield e-invoices and reports of checks that are not as a2ledger committed them.

    Those that were issued with their document are named in it, and verified with it; others were
    made when somebody asked for them, and only history vouches for them.
    """
    listed = {path for ending in _BESIDE for path in book.files("invoices", f"*/*.{ending}")}
    if not listed:
        return
    if not (head := book.repository.head()):
        return  # the history's own problem
    try:
        known = book.repository.tree(head, "invoices")
    except GitError as error:
        yield Problem(".git", 0, "history", error.what, todo=_BRING_BACK)
        return
    for path in sorted(listed):
        if path not in known:
            what = "stands beside the documents, and a2ledger never wrote it"
            yield Problem(path, 0, "extra", what, todo=_TAKE_AWAY)
        elif not (place := book.root / path).is_file() or blob(place.read_bytes()) != known[path]:
            yield Problem(path, 0, "document", "was changed after it was written", todo=back(path))


def history(book: Book) -> Iterator[Problem]:
    """Yield what was committed once and is gone, and what hides history."""
    if not book.repository.head():
        what = "the latest commit cannot be read: nothing vouches for what was committed"
        yield Problem(".git", 0, "history", what, todo=_BRING_BACK)
        return
    for astray in git_state.hides(book.root, book.repository):
        yield Problem(".git", 0, "history", astray.what, todo=astray.todo)
    words = ("log", "--diff-filter=D", "--no-renames", "--name-only", "--format=%x01%h", "-z")
    places = ("invoices", "journals/customers")
    listed = book.repository.run(*words, "HEAD", "--", *places, check=False).stdout
    commit = ""
    gone: dict[str, str] = {}
    for part in re.split("[\0\n]", listed):
        if part.startswith("\1"):
            commit = part[1:]
        elif part.endswith((".json", ".beancount")):
            gone.setdefault(part, commit)
    for path, when in sorted(gone.items()):
        if not (book.root / path).is_file():
            what = f"was taken away in commit {when}"
            todo = f"bring it back with `git checkout {when}^ -- {path}`"
            yield Problem(path, 0, "gone", what, todo=todo)
