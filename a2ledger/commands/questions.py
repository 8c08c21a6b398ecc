"""Questions that change nothing: check, balances, preview, statement."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from typing import Any

import click

from a2ledger import render
from a2ledger.commands.settings import (
    DAY,
    NO,
    Settings,
    as_json_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.document import as_json
from a2ledger.steps import asking, closing


@click.command()
@click.argument("customers", nargs=-1, metavar="[CUSTOMER]...")
@as_json_option
@pass_settings
def check(settings: Settings, customers: tuple[str, ...], as_json_: bool) -> None:
    """Check that the books are sound and nobody is over the credit limit.

    Silent, and exit 0, if all is well. Customers that are named are checked with their whole
    own ledger and its call detail.

    Example: a2ledger check C10001
    """
    book = settings.book()
    for name in customers:
        known(book, name)
    problems = asking.check(book, customers)
    if as_json_:
        print_json(
            {
                "errors": [
                    {"check": p.reason, "message": p.message, "file": p.file, "line": p.line}
                    for p in problems
                ]
            }
        )
    else:
        for problem in problems:
            click.echo(str(problem))
    if problems:
        sys.exit(NO)


@click.command()
@click.option("--over-limit", is_flag=True, help="Only customers over their credit limit.")
@as_json_option
@pass_settings
def balances(settings: Settings, over_limit: bool, as_json_: bool) -> None:
    """Show what every customer owes, and may still use.

    With --over-limit the exit code is 1 if there is anyone.

    Example: a2ledger balances --over-limit
    """
    found = asking.standings(settings.book())
    if over_limit:
        found = [row for row in found if row.over_limit]
    rows = asking.balances_json(found)
    if as_json_:
        print_json(rows)
    else:
        _balances_table(rows)
    if over_limit and rows:
        sys.exit(NO)


def _balances_table(rows: Sequence[dict[str, Any]]) -> None:
    columns = ("owed", "billed", "unbilled", "credit_limit", "available")
    shown = [{**row, **{name: _aligned(row[name], rows, name) for name in columns}} for row in rows]
    widths = {name: max([len(name), *(len(row[name]) for row in shown)]) for name in columns}
    wide = max([8, *(len(row["customer"]) for row in rows)])
    heads = "  ".join(f"{name.replace('_', ' '):>{widths[name]}}" for name in columns)
    click.echo(f"{'customer':<{wide}}  {heads}")
    for row in shown:
        amounts = "  ".join(f"{row[name]:>{widths[name]}}" for name in columns)
        mark = "  over the limit" if row["over_limit"] else ""
        click.echo(f"{row['customer']:<{wide}}  {amounts} {row['currency']}{mark}")


def _aligned(amount: str, rows: Sequence[dict[str, Any]], column: str) -> str:
    """An amount with as many decimals as the longest of its column."""
    decimals = max(len(row[column].partition(".")[2]) for row in rows)
    whole, point, fraction = amount.partition(".")
    return f"{whole}{point}{fraction:0<{decimals}}"


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
    document = closing.preview(book, identity, settings.today(book))
    if as_json_:
        print_json(document)
        return
    function = render.html if as_html else render.text
    click.echo(function(document, book.root / "templates"), nl=False)


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
    one = known(book, identity)
    found = as_json(asking.statement(book, one, since, until))
    if as_json_:
        print_json(found)
        return
    name = one.text("name", settings.today(book))
    days = [line["date"] for line in found["lines"]]
    last = until or dt.date.fromisoformat(max(days, default=str(settings.today(book))))
    function = render.statement_html if as_html else render.statement_text
    text = function(
        found,
        book.root / "templates",
        customer={"id": identity, "name": name},
        currency=book.currency(identity),
        period={"start": str(since or one.opened), "end": str(last + dt.timedelta(days=1))},
    )
    click.echo(text, nl=False)
