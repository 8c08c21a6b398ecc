"""A customer's account on paper before it is closed: preview, statement."""

from __future__ import annotations

import datetime as dt

import click

from a2ledger.audit import settled
from a2ledger.balances import statement as statements
from a2ledger.billing import preview as drawing
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.documents import render
from a2ledger.documents.document import as_json
from a2ledger.journal import subledgers
from a2ledger.period import LAST_DAY


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
    last = min(last, LAST_DAY)  # an edit that nobody has looked at yet may say any day
    function = render.statement_html if as_html else render.statement_text
    text = function(
        values,
        book.root / "templates",
        customer={"id": identity, "name": name},
        currency=subledgers.currency(book, identity),
        period={"start": str(since or owner.opened), "end": str(last + dt.timedelta(days=1))},
    )
    click.echo(text, nl=False)
