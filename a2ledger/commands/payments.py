"""Commands for one customer's money: payment, refill, charge, payments."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from a2ledger import money
from a2ledger.balances import balances, invoices
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.commands.settings import (
    AMOUNT,
    CUSTOMER,
    DAY,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
    with_options,
)
from a2ledger.commands.tables import table
from a2ledger.journal import subledgers
from a2ledger.payments import record
from a2ledger.payments.record import Recorded
from a2ledger.records import Movement


def movement_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments and options of a payment, refill or charge."""
    return with_options(
        command,
        click.argument("customer", type=CUSTOMER),
        click.argument("amount", type=AMOUNT),
        click.option("--date", "day", type=DAY, metavar="DATE", help="When; today if not given."),
        click.option(
            "--id", "identity", default="", metavar="ID", help="Its id; made if not given."
        ),
        click.option("--again", is_flag=True, help="Post it though the same was recorded today."),
        click.option(
            "--description", default="", metavar="TEXT", help="What the statement says beside it."
        ),
        as_json_option,
        dry_run_option,
        pass_settings,
    )


method_option = click.option(
    "--method", default="", metavar="METHOD", help="How it was paid: bank, cash, stripe …"
)
reference_option = click.option(
    "--reference", default="", metavar="TEXT", help="What the payer or the bank calls it."
)
currency_option = click.option(
    "--currency",
    default="",
    metavar="CODE",
    help="Of AMOUNT, if not the account's; converted by `import prices`.",
)


@click.command()
@movement_options
@click.option("--invoice", "number", default="", metavar="NUMBER", help="The invoice it pays.")
@method_option
@reference_option
@currency_option
def payment(settings: Settings, /, number: str, **given: Any) -> None:
    """Record a payment of a customer, gross: what arrived in the bank.

    It settles the invoice it names, else the oldest that are open. Its id is made from what it is,
    and said: the same command on the same day posts it once, unless --again is given.

    Example: a2ledger payment C10001 20.00 --invoice INV-2026-000123 --method bank
    """
    _record(settings, "payment", functools.partial(_of_invoice, number), **given)


@click.command()
@movement_options
@method_option
@reference_option
def refill(settings: Settings, /, **given: Any) -> None:
    """Record a refill of a prepaid customer: credit to talk with.

    The same command on the same day posts it once, unless --again is given.

    Example: a2ledger refill C10001 10.00 --method voucher
    """
    _record(settings, "refill", lambda _, movement: movement, **given)


@click.command()
@movement_options
@click.option("--service", default="", metavar="SERVICE", help="What it is for: one of [services].")
@click.argument("named", metavar="[SERVICE]", default="")
def charge(settings: Settings, /, named: str, service: str, **given: Any) -> None:
    """Charge a customer for something once; AMOUNT is before tax, which comes with the bill.

    The same command on the same day posts it once, unless --again is given.

    Example: a2ledger charge C10001 49.00 One-off --description "Installation"
    """
    if named and service and named != service:
        raise click.UsageError(f"SERVICE is given twice: {named} and --service {service}")

    def with_service(book: Book, movement: Movement) -> Movement:
        return replace(movement, service=named or service or _usual_service(book))

    _record(settings, "charge", with_service, **given)


def _usual_service(book: Book) -> str:
    """Return the service for one-off charges, if only one can be meant."""
    services = list(book.config.services)
    if "One-off" in services:
        return "One-off"
    others = [name for name in services if name != "Calls"]
    if len(others) == 1:
        return others[0]
    names = ", ".join(services)
    raise click.UsageError(f"for what? name a SERVICE after the amount: {names}")


def _of_invoice(number: str, book: Book, movement: Movement) -> Movement:
    """Add the number of the invoice it pays to a payment."""
    if not number:
        return movement
    listed = invoices.of_customer(book, subledgers.customer(book, movement.customer), movement.date)
    if number not in {row.number for row in listed}:
        raise RefusedError(
            f"{number} is no invoice of {movement.customer}",
            undone="nothing was posted",
            todo=f"see `a2ledger invoices {movement.customer}`",
        )
    if not movement.reference:
        return replace(movement, reference=number)
    text = ", ".join(filter(None, [movement.description, number]))
    return replace(movement, description=text)


def _record(
    settings: Settings, kind: str, finished: Callable[[Book, Movement], Movement], **given: Any
) -> None:
    """Post the movement that a command describes, and report it."""
    customer, dry_run, currency = given["customer"], given["dry_run"], given.get("currency", "")
    if currency and not re.fullmatch("[A-Z]{3}", currency):
        raise click.UsageError(f"--currency {currency!r} is no code such as EUR")
    book = settings.book()
    known(book, customer)
    asked = Movement(
        kind=kind,
        source="",
        id=given["identity"],
        customer=customer,
        date=given["day"] or settings.today(book),
        amount_micro=given["amount"],
        method=given.get("method", ""),
        reference=given.get("reference", ""),
        description=" ".join(given["description"].split()),
        currency=currency,
    )
    asked = finished(book, asked)
    with settings.drafting(dry_run=dry_run) as draft:
        done = record.record(draft, asked, again=given["again"])
        owed = _owed(draft, customer)
        settings.publish(draft, f"{kind}: {customer} {done.movement.id}\n", dry_run)
    if given["as_json_"]:
        text = _sentence(book, done, owed, dry_run=dry_run)
        print_json(_as_json(book, done, owed) | {"text": text})
    else:
        click.echo(_sentence(book, done, owed, dry_run=dry_run))
    if not done.is_new:
        settings.talk(
            f"note: {kind} {done.movement.id} was in the book already; nothing was posted; "
            "say --again if this is another one"
        )


def _owed(draft: Draft, customer: str) -> int:
    standing = balances.standing_on(draft, subledgers.customer(draft, customer), dt.date.max)
    return standing.owed_micro


def _as_json(book: Book, done: Recorded, owed: int) -> dict[str, Any]:
    movement = done.movement
    return {
        "id": movement.id,
        "customer": movement.customer,
        "amount": money.text(movement.amount_micro, 2),
        "currency": movement.currency or subledgers.currency(book, movement.customer),
        "date": str(movement.date),
        "owed": money.text(owed, 2),
        "posted": done.is_new,
    }


def _sentence(book: Book, done: Recorded, owed: int, *, dry_run: bool) -> str:
    """Describe what was recorded, and what the customer owes now."""
    movement = done.movement
    own = subledgers.currency(book, movement.customer)
    about = ", ".join(filter(None, [movement.service, movement.reference, movement.description]))
    text = (
        f"{movement.kind} {movement.id}: {money.text(movement.amount_micro, 2)} "
        f"{movement.currency or own} of {movement.customer} on {movement.date}"
    )
    places = money.decimals(own)
    shown = money.text(money.rounded(owed, places), places)
    late = ", in the open period, since that day is closed" if done.is_late else ""
    verb = "would be posted" if dry_run else "posted" if done.is_new else "posted before"
    return (
        f"{text}{f' ({about})' if about else ''} {verb}{late}; "
        f"{movement.customer} {'would owe' if dry_run else 'owes'} {shown} {own}"
    )


@click.command()
@click.argument("customer", type=CUSTOMER, required=False)
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day.")
@click.option("--to", "until", type=DAY, metavar="DATE", help="Last day.")
@as_json_option
@pass_settings
def payments(
    settings: Settings,
    *,
    customer: str | None,
    since: dt.date | None,
    until: dt.date | None,
    as_json_: bool,
) -> None:
    """List payments and refills with the invoices they settled, newest last.

    Example: a2ledger payments C10001
    """
    book = settings.book()
    names = [known(book, customer).id] if customer else list(subledgers.customers(book))
    rows = [
        row.as_json()
        for name in names
        for row in invoices.payments(book, subledgers.customer(book, name))
        if (since or dt.date.min) <= row.date <= (until or dt.date.max)
    ]
    rows.sort(key=lambda row: (row["date"], row["id"]))
    if as_json_:
        print_json(rows)
        return
    shown = [{**row, "invoices": ", ".join(row["invoices"])} for row in rows]
    columns = ("date", "customer", "amount", "currency", "method", "reference", "invoices", "id")
    table(shown, columns, right=("amount",))
    if not rows:
        settings.talk("no payments" + (f" of {customer}" if customer else ""))
