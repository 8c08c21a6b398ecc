"""Commands that correct open periods: rerate and void."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import NamedTuple

import click

from a2ledger import money
from a2ledger.book.book import Book, Draft
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.corrections import rerate as rerating
from a2ledger.corrections import void as voiding
from a2ledger.corrections.rerate import Rerated
from a2ledger.errors import NO
from a2ledger.journal import subledgers

_SHOWN = 20
"""Number of reasons printed for calls that stay as they are."""


@click.command()
@click.option(
    "--from", "since", type=DAY, metavar="DATE", help="From this day on, closed periods too."
)
@click.option(
    "--customer", "names", multiple=True, metavar="CUSTOMER", help="Only this one; repeatable."
)
@click.option("--rates", "by_rate", is_flag=True, help="Name the rows of price lists, too.")
@as_json_option
@dry_run_option
@pass_settings
def rerate(
    settings: Settings,
    *,
    since: dt.date | None,
    names: tuple[str, ...],
    by_rate: bool,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Assign and price calls of open periods again, by today's customers and tariffs.

    Shows the difference for each customer; --dry-run shows it and changes nothing, not even for
    a deck that is being edited. With --from, what closed periods billed is compared as well, and
    the difference posted in the open one. Exit 1 if some calls could not be rerated.

    Example: a2ledger rerate --dry-run
    """
    if dry_run:
        result = _asked(settings, since, names, by_rate=by_rate)
    else:
        with settings.drafting(dry_run=dry_run) as draft:
            result = _rerated(draft, since, names, write=True, by_rate=by_rate)
            settings.publish(draft, f"rerate: {_summary(result)}\n", dry_run)
    book = settings.book()
    if as_json_:
        print_json(result.as_json(book))
    elif not settings.quiet:
        _table(result, book)
        for row in result.rates.as_json() if result.rates else ():
            click.echo(
                f"{row['row'] or 'no row'}  {row['prefix']} {row['destination']}: {row['calls']} "
                f"call(s), {row['before']} -> {row['after']}"
            )
    for why, count in sorted(result.left.items())[:_SHOWN]:
        line = f"{why.customer}: {count} call(s): {why.message}"
        click.echo(f"a2ledger: {line}; not rerated; {_ADVICE[why.reason]}", err=True)
    if (more := len(result.left) - _SHOWN) > 0:
        click.echo(f"a2ledger: … and {more} more reasons: see --json", err=True)
    click.echo(f"{'would be: ' if dry_run else ''}{_summary(result)}", err=True)
    if result.left:
        sys.exit(NO)


_ADVICE = {
    "unknown-customer": "give the identifier to a customer, or void the calls",
    "before-opening": "void the calls, or leave the identifier where it was",
    "settled": "reopen the account, or leave the identifier where it was",
    "no-rate": "add a rate, or void the calls",
    "blocked": "let the deck allow them, or void the calls",
    "wrong-currency": "give the customer a tariff in its currency, or void the calls",
    "closed": "credit the one and charge the other",
}


def _asked(
    settings: Settings, since: dt.date | None, names: Sequence[str], *, by_rate: bool
) -> Rerated:
    """Return what re-rating would do, without a lock or a commit."""

    def ask() -> Rerated:
        book = settings.book()
        draft = Draft(book, settings.today(book), settings.talk)
        return _rerated(draft, since, names, write=False, by_rate=by_rate)

    result: Rerated = settings.book().vault.reading(ask)
    return result


def _rerated(
    draft: Draft,
    since: dt.date | None,
    names: Sequence[str],
    *,
    write: bool,
    by_rate: bool = False,
) -> Rerated:
    for name in names:
        known(draft, name)
    return rerating.rerate(draft, since=since, names=names, write=write, by_rate=by_rate)


def _summary(result: Rerated) -> str:
    parts = [f"{result.calls} call(s) looked at, {result.changed} changed"]
    if result.given:
        parts.append(f"{result.given} keep the price given with them")
    if result.corrections:
        parts.append(f"{len(result.corrections)} correction(s) of closed periods")
    if count := result.left.total():
        parts.append(f"{count} not rerated")
    return ", ".join(parts)


def _table(result: Rerated, book: Book) -> None:
    """Print the difference for each customer, and each correction of a closed period."""
    rows = [
        _Line(name, row.calls, row.before_micro, row.after_micro, subledgers.currency(book, name))
        for name, row in sorted(result.changes.items())
    ]
    for adjustment in result.corrections:
        label = f"closed, {adjustment.first} to {adjustment.last}, {adjustment.key.service}"
        rows.append(
            _Line(
                adjustment.key.customer,
                adjustment.calls,
                adjustment.before_micro,
                adjustment.after_micro,
                adjustment.currency,
                label,
            )
        )
    for currency in sorted({row.currency for row in rows}):
        of_it = [row for row in rows if row.currency == currency]
        if len(of_it) > 1:
            rows.append(
                _Line(
                    "all",
                    sum(row.calls for row in of_it),
                    sum(row.before_micro for row in of_it),
                    sum(row.after_micro for row in of_it),
                    currency,
                )
            )
    shown = [("customer", "calls", "before", "after", "difference", ""), *(map(_cells, rows))]
    widths = [max(len(row[place]) for row in shown) for place in range(5)]
    for row in shown if rows else ():
        name, *figures = (
            f"{text:{'>' if place else '<'}{widths[place]}}" for place, text in enumerate(row[:5])
        )
        click.echo("  ".join([name, *figures, row[5]]).rstrip())


class _Line(NamedTuple):
    customer: str
    calls: int
    before_micro: int
    after_micro: int
    currency: str
    what: str = ""


def _cells(row: _Line) -> tuple[str, ...]:
    amounts = (row.before_micro, row.after_micro, row.after_micro - row.before_micro)
    rest = f"{row.currency}  {row.what}"
    return (row.customer, str(row.calls), *map(money.text, amounts), rest)


@click.command()
@click.argument("name", metavar="ID")
@click.argument("reason", default="")
@click.option(
    "--on", type=DAY, metavar="DATE", help="Which one, where an id was used on several days."
)
@click.option("--undo", is_flag=True, help="Undo the void.")
@as_json_option
@dry_run_option
@pass_settings
def void(
    settings: Settings,
    *,
    name: str,
    reason: str,
    on: dt.date | None,
    undo: bool,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Void an entry or a call of the open period, with a reason; it is not imported again.

    ID is the link of a refill, payment, charge or opening, its KIND/ID, or its id alone; or a
    call's SWITCH/UNIQUEID/SEQUENCE. The customer reads the reason on their statement.

    Example: a2ledger void refill/r1 "typed twice"
    """
    if undo == bool(reason.strip()):
        raise click.UsageError("say why it is void" if not undo else "--undo needs no reason")
    with settings.drafting(dry_run=dry_run) as draft:
        struck = voiding.void(draft, name, reason.strip(), on=on)
        done = "void" if not undo else "not void any more"
        why = f": {reason}" if reason else ""
        settings.publish(draft, f"void: {struck.name} is {done}{why}\n", dry_run)
    if as_json_:
        print_json(struck._asdict())
    if struck.changed:
        settings.talk(f"{struck.name}: {struck.what}: {'would be ' if dry_run else ''}{done}")
    else:
        state = f"it is void: {struck.reason}" if struck.reason else "it is not void"
        settings.talk(f"{struck.name}: {struck.what}: nothing to change, {state}")
