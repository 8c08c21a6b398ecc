"""Read-only commands: check, balances, ageing, preview, statement, verify."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from a2ledger import money
from a2ledger.audit import anchor as anchors
from a2ledger.audit import settled
from a2ledger.audit import verify as verifying
from a2ledger.audit.chain import Verified
from a2ledger.balances import ageing
from a2ledger.balances import balances as asking
from a2ledger.balances import check as checks
from a2ledger.balances import statement as statements
from a2ledger.balances.ageing import BUCKETS
from a2ledger.billing import preview as drawing
from a2ledger.billing import unposted
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.calls import detail, unclaimed
from a2ledger.commands.settings import (
    CUSTOMER,
    DAY,
    Settings,
    as_json_option,
    known,
    listed,
    pass_settings,
    print_json,
)
from a2ledger.commands.tables import table
from a2ledger.delivery import outbox
from a2ledger.documents import render
from a2ledger.documents.document import as_json
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
@click.argument("customers", nargs=-1, type=CUSTOMER, metavar="[CUSTOMER]...")
@click.option("--as-of", "day", type=DAY, metavar="DATE", help="At the end of a past day.")
@click.option("--over-limit", is_flag=True, help="Only customers over their credit limit.")
@as_json_option
@pass_settings
def balances(
    settings: Settings,
    *,
    customers: tuple[str, ...],
    day: dt.date | None,
    over_limit: bool,
    as_json_: bool,
) -> None:
    """Show what customers owe, and may still use: those named, or all, and the total.

    With --over-limit the exit code is 1 if there is anyone. With --as-of what counts is the
    date of each entry; a close is dated the last day of its period.

    Example: a2ledger balances --over-limit
    """
    book = settings.book()
    for name in customers:
        known(book, name)
    waiting: dict[str, int] = {}
    if day:
        standings = asking.standings_on(book, day)
    else:
        standings, waiting = checks.sound_balances(book)
    if customers:
        standings, waiting = [row for row in standings if row.customer in customers], {}
    if over_limit:
        standings = [row for row in standings if row.over_limit]
    rows = asking.balances_json(standings)
    if as_json_:
        print_json(rows)
    else:
        _balances_table(rows)
        if not rows and not over_limit:
            settings.talk("no customers yet: see `a2ledger customer add --help`")
    for currency, micro in waiting.items():
        settings.talk(
            f"note: {money.text(micro, 2)} {currency} belongs to no customer: "
            "see `a2ledger suspense`"
        )
    if over_limit and rows:
        sys.exit(NO)


def _balances_table(rows: Sequence[dict[str, Any]]) -> None:
    columns = ("owed", "billed", "unbilled", "credit_limit", "available")
    shown = _aligned([*rows, *_totals(rows, columns[:3])], columns)
    marked = [{**row, "": "over the limit" if row["over_limit"] else ""} for row in shown]
    table(marked, ("customer", *columns, "currency", "", "name"), right=columns)


def _totals(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row of sums for each currency, where there is more than one row of it."""
    found = []
    for currency in sorted({row["currency"] for row in rows}):
        own = [row for row in rows if row["currency"] == currency]
        if len(own) > 1:
            empty = dict.fromkeys(own[0], "")
            sums = {
                name: money.text(sum(money.parse(row[name]) for row in own), 2) for name in columns
            }
            total = {"customer": "total", "name": f"{len(own)} customers"}
            found.append({**empty, **sums, **total, "currency": currency})
    return found


def _head(column: str) -> str:
    """Return a column's heading: ``credit limit``, ``31-60``."""
    days = column.removeprefix("d").replace("_", "-")
    return days if days[0].isdigit() else column.replace("_", " ")


def _aligned(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Pad amounts to the most decimals of their column."""
    places = {
        name: max((len(row[name].partition(".")[2]) for row in rows), default=0) for name in columns
    }

    def filled(amount: str, decimals: int) -> str:
        if not amount:
            return ""
        whole, point, fraction = amount.partition(".")
        return f"{whole}{point}{fraction:0<{decimals}}"

    return [{**row, **{name: filled(row[name], places[name]) for name in columns}} for row in rows]


@click.command("ageing")
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@click.option("--as-of", "day", type=DAY, metavar="DATE", help="At the end of a past day.")
@click.option("--overdue", is_flag=True, help="Only what is overdue.")
@click.option("--documents", is_flag=True, help="A line for every open document.")
@as_json_option
@pass_settings
def ageing_(
    settings: Settings,
    *,
    customers: tuple[str, ...],
    day: dt.date | None,
    overdue: bool,
    documents: bool,
    as_json_: bool,
) -> None:
    """Show what is owed on closed bills, by how many days it is overdue.

    Payments settle the oldest bill first, unless they name one. With --documents every open
    bill stands on its own line; with --overdue those alone whose due date is past.

    Example: a2ledger ageing --overdue --documents
    """
    book = settings.book()
    for name in customers:
        known(book, name)
    aged_rows = ageing.aged(book, customers, day or settings.today(book))
    if overdue:
        aged_rows = [row for row in aged_rows if row.overdue]
    if documents:
        rows = [line for row in aged_rows for line in row.documents_json()]
        rows = [line for line in rows if line["days"] > 0] if overdue else rows
    else:
        rows = [row.as_json() for row in aged_rows]
    if as_json_:
        print_json(rows)
    elif documents:
        _documents_table(rows)
    else:
        columns = (*BUCKETS, "unapplied", "billed")
        shown = _aligned([*rows, *_totals(rows, columns)], columns)
        heads = {name: _head(name) for name in columns}
        table(shown, ("customer", *columns, "currency"), right=columns, heads=heads)


def _documents_table(rows: Sequence[dict[str, Any]]) -> None:
    shown = [
        {**row, "document": row["number"] or row["description"]}
        for row in _aligned(rows, ("amount", "open"))
    ]
    columns = {"customer": "<", "document": "<", "due_date": "<", "days": ">", "amount": ">"}
    columns |= {"open": ">"}
    widths = {name: max([len(name), *(len(str(row[name])) for row in shown)]) for name in columns}
    heads = {**{name: name for name in columns}, "due_date": "due", "currency": ""}
    for row in [heads, *shown]:
        cells = (f"{row[name]:{side}{widths[name]}}" for name, side in columns.items())
        click.echo(f"{'  '.join(cells)} {row['currency']}".rstrip())


@click.command()
@click.argument("identity", metavar="CUSTOMER")
@as_json_option
@click.option("--html", "as_html", is_flag=True, help="Print HTML.")
@pass_settings
def preview(settings: Settings, identity: str, as_json_: bool, as_html: bool) -> None:
    """Show a customer's bill so far: what closing the open period would bill.

    Example: a2ledger preview C10001
    """
    book = settings.book()
    known(book, identity)
    settled.refuse(book)
    document = drawing.preview(book, identity, settings.today(book))
    if as_json_:
        print_json(as_json(document))
        return
    function = render.html if as_html else render.text
    click.echo(function(as_json(document), book.root / "templates"), nl=False)


@click.command()
@click.argument("identity", metavar="CUSTOMER")
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day.")
@click.option("--to", "until", type=DAY, metavar="DATE", help="Last day.")
@as_json_option
@click.option("--html", "as_html", is_flag=True, help="Print HTML.")
@pass_settings
def statement(
    settings: Settings,
    identity: str,
    since: dt.date | None,
    until: dt.date | None,
    as_json_: bool,
    as_html: bool,
) -> None:
    """Show a customer's account like a bank statement, over any days.

    Example: a2ledger statement C10001 --from 2026-01-01 --to 2026-03-31
    """
    book = settings.book()
    owner = known(book, identity)
    values = as_json(statements.statement(book, owner, since, until))
    if as_json_:
        print_json(values)
        return
    name = owner.text("name", settings.today(book))
    days = [line["date"] for line in values["lines"]]
    last = until or dt.date.fromisoformat(max(days, default=str(settings.today(book))))
    function = render.statement_html if as_html else render.statement_text
    text = function(
        values,
        book.root / "templates",
        customer={"id": identity, "name": name},
        currency=subledgers.currency(book, identity),
        period={"start": str(since or owner.opened), "end": str(last + dt.timedelta(days=1))},
    )
    click.echo(text, nl=False)


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
