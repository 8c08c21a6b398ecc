"""Whether the books are sound: check."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from a2ledger.audit import hand_edits, settled
from a2ledger.balances import check as checks
from a2ledger.billing import unposted
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import unclaimed
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
        problems += hand_edits.refusals(book, settings.today(book))
    except BrokenBookError as error:
        if not as_json_:
            raise
        problems = error.problems
        more: dict[str, Any] = {}
    else:
        more = _left_off(settings, book)
    show(problems, as_json_, more)
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
        settings.talk(f"note: {calls} of open periods in quarantine ({why}); see `quarantine list`")
    if summary.calls:
        left_off["unclaimed"] = summary.as_json()
        settings.talk(
            f"note: {summary.text('of open periods')}; `import --all --explain` names each"
        )
    return left_off


def show(problems: Sequence[Problem], as_json_: bool, more: Mapping[str, Any]) -> None:
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
