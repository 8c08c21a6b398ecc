"""Whether the books are sound: check, verify."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from a2ledger.audit import anchor as anchors
from a2ledger.audit import settled
from a2ledger.audit import verify as verifying
from a2ledger.audit.chain import Verified
from a2ledger.balances import check as checks
from a2ledger.billing import unposted
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import detail, unclaimed
from a2ledger.commands.settings import (
    Settings,
    as_json_option,
    known,
    listed,
    pass_settings,
    print_json,
)
from a2ledger.delivery import outbox
from a2ledger.errors import NO
from a2ledger.journal import subledgers
from a2ledger.records import Problem

_SEAL = re.compile("[0-9a-fA-F]{16,64}")
"""Matches a seal: at least the digits that are printed on a bill."""


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@as_json_option
@pass_settings
def check(settings: Settings, customers: tuple[str, ...], as_json_: bool) -> None:
    """Check that the books are sound and nobody is over the credit limit.

    Exit 0, and nothing on stdout, if all is well; calls of open periods that are in quarantine or
    nobody's are said on stderr. Customers that are named are checked with their whole own ledger
    and its call detail.

    Example: a2ledger check C10001
    """
    book = settings.book()
    for name in customers:
        known(book, name)
    try:
        settled.refuse(book)
        problems = [*checks.check(book, customers), *_undelivered(book, customers)]
    except BrokenBookError as error:
        if not as_json_:
            raise
        problems = error.problems
        more: dict[str, Any] = {}
    else:
        more = _left_off(settings, book)
    _show(problems, as_json_, more)
    if problems:
        sys.exit(NO)


def _undelivered(book: Book, customers: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem for each message that did not arrive."""
    wanted = set(customers)
    for message, problem in outbox.problems(book):
        if not wanted or message.customer in wanted:
            yield problem


def _left_off(settings: Settings, book: Book) -> dict[str, Any]:
    """Report quarantined and unclaimed calls of open periods, and return them for ``--json``."""
    customers = subledgers.customers(book).values()
    since = min((owner.open_since for owner in customers if not owner.settled), default=dt.date.max)
    held = [call for call in unposted.held(book) if call.day is None or call.day >= since]
    summary = unclaimed.between(book, since)
    left_off: dict[str, Any] = {}
    if held:
        reasons = Counter(call.reason for call in held)
        left_off["quarantined"] = dict(sorted(reasons.items()))
        why = ", ".join(f"{name} {count}" for name, count in left_off["quarantined"].items())
        calls = f"{len(held)} call{'s' if len(held) > 1 else ''}"
        settings.talk(f"{calls} of open periods in quarantine ({why}); see `quarantine list`")
    if summary.calls:
        left_off["unclaimed"] = summary.as_json()
        settings.talk(f"{summary.text('of open periods')}; `import --all --explain` names each")
    return left_off


def _show(problems: Sequence[Problem], as_json_: bool, more: Mapping[str, Any]) -> None:
    """Print problems as ``check`` and ``verify`` do."""
    if as_json_:
        print_json(
            {
                **more,
                "errors": [
                    {
                        "file": problem.file,
                        "line": problem.line,
                        "check": problem.reason,
                        "message": problem.message,
                    }
                    for problem in problems
                ],
            }
        )
    else:
        kinds = [f"{issue.reason} of {issue.file}" for issue in problems]
        for line in listed(map(str, problems), kinds):
            click.echo(line)


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option(
    "--expect", "expected", multiple=True, metavar="SEAL", help="A seal that must be there."
)
@click.option(
    "--anchor",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A file kept elsewhere: each of its lines must still hold; one of today is added.",
)
@as_json_option
@pass_settings
def verify(
    settings: Settings,
    customers: tuple[str, ...],
    expected: tuple[str, ...],
    anchor: Path | None,
    as_json_: bool,
) -> None:
    """Verify closed periods: every sealed byte, the chain of seals, and every document anew.

    Exit 1 if anything is not as it was when it was closed. A seal printed on a bill and given with
    --expect proves that its period was not closed anew since.

    Example: a2ledger verify --expect 1f3a-99d0-04bc-7e21
    """
    book = settings.book()
    for printed in expected:
        if not _SEAL.fullmatch(printed.replace("-", "")):
            raise click.BadParameter(f"{printed!r} is no seal", param_hint="--expect")
    kept = _anchors(book, anchor) if anchor else None
    try:
        for name in customers:
            known(book, name)
        with settings.progress(
            "verifying", len(subledgers.customers(book)) + len(detail.digests(book))
        ) as bar:
            result = verifying.verify(book, customers, expected, bar, kept)
    except BrokenBookError as error:
        if not as_json_:
            raise
        result = Verified(problems=error.problems)
    _show(result.problems, as_json_, {})
    for note in result.notes:
        settings.talk(f"note: {note}")
    settings.talk(
        f"{result.sealed} sealed period(s) of {result.customers} customer(s) looked at, "
        f"{len(result.problems)} problem(s)"
    )
    if result.problems:
        sys.exit(NO)
    if anchor and kept is not None:
        _add_anchor(book, anchor, kept, settings.today(book))


def _anchors(book: Book, file: Path) -> str:
    """Return the text of a file of anchors, which is of use only outside the book."""
    if file.resolve().is_relative_to(book.root.resolve()):
        raise click.BadParameter(
            "lies in the book itself; keep it elsewhere", param_hint="--anchor"
        )
    return file.read_text("utf-8", "replace") if file.exists() else ""


def _add_anchor(book: Book, file: Path, kept: str, day: dt.date) -> None:
    """Add the anchor of today to a file of them, once a day."""
    if not any(line.startswith(f"{day} ") for line in kept.splitlines()):
        with file.open("a", encoding="utf-8") as out:
            out.write(f"{anchors.line(book, day)}\n")
