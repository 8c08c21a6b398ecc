"""Verify closed periods: every sealed byte, the chain, and every document recomputed.

What is verified of a customer needs nothing of another, so that all workers take part; what their
calls add up to is worked out day by day before.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from a2ledger.audit import anchor as anchors
from a2ledger.audit import tags, whole
from a2ledger.audit.chain import ODD, Chain, Task, Verified
from a2ledger.billing import used
from a2ledger.billing.used import Calls, Day
from a2ledger.book import git_state
from a2ledger.book.book import CONFIG, Book, BrokenBookError, Draft, restore
from a2ledger.calls import detail
from a2ledger.calls.detail import Digest, MissingDetailError
from a2ledger.documents import paths
from a2ledger.journal import subledgers, summary, syntax
from a2ledger.progress import SILENT, Progress
from a2ledger.records import Customer, Problem
from a2ledger.workers import Workers

_ALONE = 200
"""Number of periods that one process verifies faster than several."""
_LARGEST = 500
"""Number of customers verified in a batch: a lost worker loses no more."""
_SUMMED = re.compile(
    r"journals/(?:general/(?:(?:carried/)?\d{4}-\d\d|\d{4}-\d\d/..|carried)|main|history|staff)"
    r"\.beancount"
)
_GENERAL = re.compile(
    r"journals/general/(?:(?:carried/)?\d{4}-\d\d|\d{4}-\d\d/..|carried)\.beancount"
)
_MONTHS = re.compile(r"journals/general/\d{4}-\d\d(?:/..)?\.beancount")


def verify(
    book: Book,
    names: Sequence[str] = (),
    expected: Sequence[str] = (),
    bar: Progress = SILENT,
    anchor: str | None = None,
) -> Verified:
    """Verify closed periods.

    Args:
        book: whose.
        names: customers; all, and the book as a whole, if none is named.
        expected: beginnings of seals that somebody has kept: each must be in the book.
        bar: told of each day and customer.
        anchor: the text of a file of anchors kept elsewhere: each line must still hold.
    """
    result: Verified = book.vault.reading(lambda: _verify(book, names, bar))
    for kept in expected:
        plain = kept.replace("-", "").lower()
        if not any(each.startswith(plain) for each in result.hashes):
            message = (
                f"no period has the seal {kept}: what it was printed for was closed anew, or taken "
                "away; compare with a copy of the book from that day"
            )
            result.problems.append(Problem("journals", 0, "expected", message))
    if anchor:
        result.problems += anchors.problems(book, anchor)
    return result


def _verify(book: Book, names: Sequence[str], bar: Progress) -> Verified:
    if not names:
        subledgers.customers(book).read_files()
    customers = [subledgers.customers(book)[name] for name in names] or list(
        subledgers.customers(book).values()
    )
    result = Verified()
    documents = paths.every(book)
    periods = sum(len(customer.periods) for customer in customers)
    # So many customers have as many periods as one process verifies faster than several.
    alone = _ALONE * len(customers) // max(1, periods)
    with book.workers() as workers:
        days = _days(book, customers, result)
        calls = None
        if days is not None:
            calls = _added_up(book, days, workers, periods, result, bar)
        tasks = [
            Task(
                workers.place(book.root), [owner.id for owner in some], documents, _of(calls, some)
            )
            for some in workers.batches(customers, alone, largest=_LARGEST)
        ]
        for done in workers.map(_customers, tasks):
            result.take(done)
            bar.add(done.customers)
    if not names:
        if damaged := list(git_state.broken(book.root)):
            for astray in damaged:
                what = f"{astray.what}; nothing vouches for what was committed"
                result.problems.append(Problem(".git", 0, "history", what, todo=astray.todo))
            looks = [whole.unnamed(book), _general(book)]
        else:
            looks = [whole.unnamed(book), _beside(book, result), _general(book)]
            looks += [whole.history(book), tags.problems(book)]
        for looked in looks:
            _add(looked, result)
    return result


def _beside(book: Book, result: Verified) -> Iterator[Problem]:
    """Yield what is wrong beside documents, but for what their own digests have shown."""
    shown = {problem.file for problem in result.problems}
    yield from (problem for problem in whole.beside(book) if problem.file not in shown)


def _add(looked: Iterator[Problem], result: Verified) -> None:
    """Add problems of the whole book, as far as damage lets it be read."""
    try:
        for problem in looked:
            result.problems.append(problem)
    except BrokenBookError as error:
        result.problems += [each for each in error.problems if each not in result.problems]
    except ODD:
        if not result.problems:
            raise


# Calls


def _days(book: Book, customers: Iterable[Customer], result: Verified) -> list[dt.date] | None:
    """Return the days with calls in closed periods, or None if the call detail is missing."""
    last = max((customer.open_since for customer in customers), default=dt.date.min)
    days = sorted(day for day in detail.digests(book) if day < last)
    if days and not any((book.root / detail.path(day)).exists() for day in detail.digests(book)):
        result.notes.append(
            "the call detail is not here: that calls, postings and documents agree was not verified"
        )
        return None
    return days


class _DayTask(NamedTuple):
    root: Path
    days: Sequence[dt.date]
    digests: dict[dt.date, Digest]


def _added_up(
    book: Book,
    days: list[dt.date],
    workers: Workers,
    periods: int,
    result: Verified,
    bar: Progress,
) -> Calls:
    calls = Calls()
    digests = detail.digests(book)
    alone = len(days) if periods <= _ALONE else 0
    tasks = [
        _DayTask(workers.place(book.root), some, {day: digests[day] for day in some})
        for some in workers.batches(days, alone, largest=8)
    ]
    for some, problems in workers.map(_add_up, tasks):
        result.problems += problems
        for day in some:
            calls.add(day)
        bar.add(len(some))
    return calls


def _add_up(task: _DayTask) -> tuple[list[Day], list[Problem]]:
    added, problems = [], []
    for day in task.days:
        try:
            calls = detail.verified(task.root, day, task.digests)
        except MissingDetailError as error:
            problems.append(Problem(detail.path(day), 0, "detail", str(error)))
        else:
            added.append(used.day_of(calls, day))
    return added, problems


def _of(calls: Calls | None, customers: Iterable[Customer]) -> Calls | None:
    return calls.only([customer.id for customer in customers]) if calls else None


# Customers


def _customers(task: Task) -> Verified:
    book = Book(task.root)
    result = Verified(customers=len(task.names))
    for name in task.names:
        Chain(book, subledgers.customers(book)[name], task, result).verify()
    return result


# The book as a whole


def _general(book: Book) -> Iterator[Problem]:
    """Yield general-ledger files that differ from what the customers' own ledgers give.

    Of one that an earlier a2ledger derived, the months' sums by account are compared: `upgrade`
    derives it anew.
    """
    # What `open` repeats is of the day of the last run: amounts are what is verified here.
    draft = Draft(book, dt.date.min, lambda _message: None)
    older = summary.is_outdated(book)
    draft.rebuild = True
    summary.summarise(draft)
    # The files at the top repeat what is configured: an edit of it is the next command's to judge.
    published = book.vault.published_if_known()
    compared = _MONTHS if older else _SUMMED
    if published and published.differs([CONFIG]) and not older:
        compared = _GENERAL
    for path in sorted(filter(compared.fullmatch, draft.put_files)):
        if not older or _sums(draft.text(path)) != _sums(book.text(path)):
            message = "is not what the customers' own ledgers give"
            yield Problem(path, 0, "general", message, todo=restore(path))


def _sums(text: str) -> dict[tuple[str, str], int]:
    """Sum a month's postings by account and currency."""
    sums: dict[tuple[str, str], int] = {}
    for leg in syntax.legs(text):
        key = leg.account, leg.currency
        sums[key] = sums.get(key, 0) + leg.micro
    return {key: micro for key, micro in sums.items() if micro}
