"""Commands for a helpdesk: find, invoices, calls."""

from __future__ import annotations

import datetime as dt

import click

from a2ledger import money
from a2ledger.balances import find as finding
from a2ledger.balances import invoices as listing
from a2ledger.calls import listed
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
from a2ledger.journal import subledgers


@click.command()
@click.argument("text", nargs=-1, required=True)
@as_json_option
@pass_settings
def find(settings: Settings, text: tuple[str, ...], as_json_: bool) -> None:
    """Find customers, numbers, invoices, payments and calls by a part of their text.

    TEXT is a part of a name, e-mail, phone number or other identifier, an invoice's number, a
    payment's id or reference, an amount, or a call's number.

    Example: a2ledger find "+32 3 555 00 00"
    """
    book = settings.book()
    words = " ".join(text)
    hits = finding.find(book, words, settings.today(book))
    if as_json_:
        print_json([hit._asdict() for hit in hits])
        return
    table([hit._asdict() for hit in hits], ("kind", "id", "customer", "text"))
    if not hits:
        settings.talk(f"nothing fits {words!r}")


@click.command()
@click.argument("customer", type=CUSTOMER, required=False)
@click.option("--open", "is_open", is_flag=True, help="Only those of which something is open.")
@click.option("--overdue", is_flag=True, help="Only those whose due date is past.")
@as_json_option
@pass_settings
def invoices(
    settings: Settings, *, customer: str | None, is_open: bool, overdue: bool, as_json_: bool
) -> None:
    """List invoices and credit notes with their open amount and status.

    Example: a2ledger invoices C10001 --open
    """
    book = settings.book()
    today = settings.today(book)
    names = [known(book, customer).id] if customer else list(subledgers.customers(book))
    chosen = [
        row
        for name in names
        for row in listing.of_customer(book, subledgers.customer(book, name), today)
        if (row.open_micro or not (is_open or overdue))
        and (row.status == listing.OVERDUE or not overdue)
    ]
    chosen.sort(key=lambda row: (row.issued, row.number))
    rows = [row.as_json() for row in chosen]
    if as_json_:
        print_json(rows)
        return
    columns = ("number", "customer", "issue_date", "due_date", "gross", "open", "currency")
    heads = {"issue_date": "issued", "due_date": "due"}
    table(rows, (*columns, "status"), right=("gross", "open"), heads=heads)
    for currency in sorted({row.currency for row in chosen}):
        open_micro = sum(row.open_micro for row in chosen if row.currency == currency)
        settings.talk(f"open in all: {money.text(open_micro, 2)} {currency}")
    if not rows:
        settings.talk("no invoices" + (f" of {customer}" if customer else ""))


@click.command()
@click.argument("customer", type=CUSTOMER)
@click.option(
    "--date", "first", type=DAY, metavar="DATE", help="The day; from the open period on if not."
)
@click.option("--to", "last", type=DAY, metavar="DATE", help="The last day; --date alone if not.")
@as_json_option
@pass_settings
def calls(
    settings: Settings,
    *,
    customer: str,
    first: dt.date | None,
    last: dt.date | None,
    as_json_: bool,
) -> None:
    """List a customer's calls with extension, direction, number, destination, length and price.

    Example: a2ledger calls C10001 --date 2026-02-03 --to 2026-02-10
    """
    book = settings.book()
    own = known(book, customer)
    start = first or (min(own.open_since, last) if last else own.open_since)
    end = last or first or settings.today(book)
    if end < start:
        raise click.UsageError(f"no day is from {start} and to {end}")
    table_of_calls = listed.of_customer(book, customer, start, end)
    rows = list(listed.rows_json(table_of_calls, book.config.timezone))
    if as_json_:
        print_json(rows)
        return
    shown = [{**row, "cost": f"{row['cost']}{' void' if row['void'] else ''}"} for row in rows]
    columns = ("start", "direction", "extension", "caller", "called", "destination", "seconds")
    table(shown, (*columns, "cost", "id"), right=("seconds", "cost"))
    total = sum(row["cost_micro"] for row in table_of_calls.select(["cost_micro"]).to_pylist())
    settings.talk(
        f"{len(rows)} calls of {customer} from {start} to {end}, {money.text(total, 2)} "
        f"{subledgers.currency(book, customer)}"
    )
