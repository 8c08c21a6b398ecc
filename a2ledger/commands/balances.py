"""Who owes what: balances, ageing."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import Any

import click

from a2ledger import money
from a2ledger.balances import ageing
from a2ledger.balances import balances as asking
from a2ledger.balances import check as checks
from a2ledger.balances.ageing import BUCKETS
from a2ledger.commands.settings import (
    CUSTOMER,
    DAY,
    Settings,
    as_json_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.commands.tables import table
from a2ledger.errors import NO


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
