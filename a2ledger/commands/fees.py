"""Commands on recurring fees: add, change, stop, list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from a2ledger import money
from a2ledger.book.book import Draft
from a2ledger.commands.settings import (
    CUSTOMER,
    DAY,
    NUMBER,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.fees import charge
from a2ledger.journal import subledgers
from a2ledger.period import ANNIVERSARY
from a2ledger.records import Fee, span


def _every(context: click.Context, option: click.Parameter, value: str) -> str:
    """Check the span of a recurring amount, such as ``month``."""
    try:
        span(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, option) from None
    return value


_quantity = click.option(
    "--quantity",
    type=click.IntRange(1, 999_999),
    metavar="N",
    help="Of how many; AMOUNT is the price of each.",
)
_since = click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on.")


@click.group()
def fee() -> None:
    """Add, change and stop recurring fees: subscriptions, numbers, lines."""


@fee.command("add")
@click.argument("identity", type=CUSTOMER, metavar="CUSTOMER")
@click.argument("service")
@click.argument("amount", type=NUMBER)
@_quantity
@click.option("--id", "name", default="", metavar="ID", help="Of the fee; else the next feeN.")
@click.option(
    "--every",
    metavar="TIME",
    default="month",
    show_default=True,
    callback=_every,
    help="How often AMOUNT falls due: week, month, quarter, half-year, year, 2-weeks, 5-months …",
)
@click.option(
    "--own-day", is_flag=True, help="Count from its own first day, not from the billing day."
)
@click.option("--arrears/--advance", default=False, help="Due at the end of its days, or before.")
@click.option("--from", "since", type=DAY, metavar="DATE", help="First day; else today.")
@click.option("--until", type=DAY, metavar="DATE", help="First day it is not due for.")
@click.option("--description", default="", metavar="TEXT", help="Stands on the bill.")
@as_json_option
@dry_run_option
@pass_settings
def fee_add(
    settings: Settings,
    /,
    *,
    identity: str,
    service: str,
    amount: str,
    quantity: int | None,
    as_json_: bool,
    dry_run: bool,
    **terms: Any,
) -> None:
    """Add a recurring fee, and post what is due of it.

    AMOUNT is for the whole of --every; days at its ends are prorated. With --quantity it is the
    price of each.

    Example: a2ledger fee add C10001 DIDs 4.00 --description "Number +32 2 555 01 01"
    """
    with settings.drafting(dry_run=dry_run) as draft:
        added = charge.add(draft, identity, service, amount, quantity=quantity or 1, **terms)
        _finish(settings, draft, identity, f"fee add: {identity} {added.id}\n", dry_run)
    done = f"{'would be ' if dry_run else ''}added"
    _report(settings, _Outcome(identity, added, changed=True), done, as_json_=as_json_)


@fee.command("change")
@click.argument("identity", type=CUSTOMER, metavar="CUSTOMER")
@click.argument("name", metavar="ID")
@click.argument("amount", type=NUMBER)
@_quantity
@_since
@as_json_option
@dry_run_option
@pass_settings
def fee_change(
    settings: Settings,
    /,
    *,
    identity: str,
    name: str,
    amount: str,
    quantity: int | None,
    since: dt.date | None,
    **how: bool,
) -> None:
    """Change a fee's price, from today or a day on.

    Example: a2ledger fee change C10001 fee1 5.00 --from 2026-04-01
    """
    with settings.drafting(dry_run=how["dry_run"]) as draft:
        day = since or draft.today
        _, before = charge.known(draft, identity, name)
        changed = charge.change(draft, identity, name, amount, day, quantity)
        _, after = charge.known(draft, identity, name)
        _finish(settings, draft, identity, f"fee change: {identity} {name}\n", how["dry_run"])
    done = f"{'would be ' if how['dry_run'] else ''}changed" if changed else "nothing to change"
    outcome = _Outcome(identity, after, changed=changed, day=day, before=before)
    _report(settings, outcome, done, as_json_=how["as_json_"])


@fee.command("stop")
@click.argument("identity", type=CUSTOMER, metavar="CUSTOMER")
@click.argument("name", metavar="ID")
@click.option(
    "--from", "--until", "since", type=DAY, metavar="DATE", help="First day it is not due for."
)
@as_json_option
@dry_run_option
@pass_settings
def fee_stop(
    settings: Settings,
    *,
    identity: str,
    name: str,
    since: dt.date | None,
    as_json_: bool,
    dry_run: bool,
) -> None:
    """Stop a fee. The last day it is charged for is the one before DATE, or today.

    Days that were billed ahead are credited.

    Example: a2ledger fee stop C10001 fee1 --from 2026-04-01
    """
    with settings.drafting(dry_run=dry_run) as draft:
        day = since or draft.today
        _, before = charge.known(draft, identity, name)
        stopped = charge.stop(draft, identity, name, day)
        _, after = charge.known(draft, identity, name)
        _finish(settings, draft, identity, f"fee stop: {identity} {name}\n", dry_run)
    done = f"{'would be ' if dry_run else ''}stopped" if stopped else "nothing to change"
    outcome = _Outcome(identity, after, changed=stopped, day=day, before=before)
    _report(settings, outcome, done, as_json_=as_json_)


@fee.command("resume")
@click.argument("identity", type=CUSTOMER, metavar="CUSTOMER")
@click.argument("name", metavar="ID")
@as_json_option
@dry_run_option
@pass_settings
def fee_resume(
    settings: Settings, *, identity: str, name: str, as_json_: bool, dry_run: bool
) -> None:
    """Let a stopped fee run on, as if it had not been stopped.

    Days since then are charged; what was credited for them is taken back. To let it end on
    another day, use `fee stop --from DATE`.

    Example: a2ledger fee resume C10001 fee1
    """
    with settings.drafting(dry_run=dry_run) as draft:
        _, before = charge.known(draft, identity, name)
        resumed = charge.resume(draft, identity, name)
        _, after = charge.known(draft, identity, name)
        _finish(settings, draft, identity, f"fee resume: {identity} {name}\n", dry_run)
    done = f"{'would be ' if dry_run else ''}resumed" if resumed else "nothing to change"
    outcome = _Outcome(identity, after, changed=resumed, before=before)
    _report(settings, outcome, done, as_json_=as_json_)


class _Outcome(NamedTuple):
    """A fee after a command, as ``--json`` shows it."""

    customer: str
    fee: Fee
    changed: bool
    day: dt.date | None = None
    """From which it is so; its first day if not given."""
    before: Fee | None = None
    """As it was, if there was one."""

    def as_json(self) -> dict[str, Any]:
        """Return the shape of ``--json``."""
        day = self.day or self.fee.start
        shown = {"customer": self.customer, "id": self.fee.id, "changed": self.changed}
        shown |= {"from": str(day), **_terms(self.fee, day)}
        return shown | {"was": _terms(self.before, day) if self.before else None}


def _terms(terms: Fee, day: dt.date) -> dict[str, Any]:
    """Return what changes of a fee, on a day."""
    quantity, places = terms.quantity(day), money.decimals(terms.currency)
    return {
        "price": money.text(terms.price_micro(day) // quantity, places),
        "quantity": quantity,
        "currency": terms.currency,
        "until": str(terms.until) if terms.until else None,
        "prices": len(terms.prices),
    }


def _report(settings: Settings, outcome: _Outcome, done: str, *, as_json_: bool) -> None:
    """Say what was done, and print it as JSON where that is asked for."""
    line = f"{outcome.customer}: {outcome.fee.id} {done}"
    if as_json_:
        print_json(outcome.as_json() | {"text": line})
    else:
        settings.talk(line)


def _finish(settings: Settings, draft: Draft, identity: str, message: str, dry_run: bool) -> None:
    """Post what the change makes due, report it, and publish."""
    _say(settings, charge.charge(draft, {identity}))
    settings.publish(draft, message, dry_run)


def _say(settings: Settings, changes_of: Mapping[str, charge.Changes]) -> None:
    for customer, changes in changes_of.items():
        for entry in changes.put:
            line = f"{customer}: {entry.date} {entry.payee}, {entry.narration}"
            settings.talk(f"{line}: {charge.shown(entry)}")
        for link in sorted(changes.removed):
            settings.talk(f"{customer}: {link} taken back")


@fee.command("list")
@click.argument("identity", type=CUSTOMER, metavar="[CUSTOMER]", required=False)
@as_json_option
@pass_settings
def fee_list(settings: Settings, *, identity: str | None, as_json_: bool) -> None:
    """List recurring fees, of a customer or of all.

    Example: a2ledger fee list C10001
    """
    book = settings.book()
    customers = [known(book, identity)] if identity else list(subledgers.customers(book).values())
    rows = list(charge.listed(customers, settings.today(book)))
    if as_json_:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['customer']:<16} {described(row)}")


def described(row: Mapping[str, Any]) -> str:
    """Format a fee in one line."""
    until = f" until {row['until']}" if row["until"] else ""
    text = f", {row['description']}" if row["description"] else ""
    if row["quantity"] > 1:
        text = f", {row['quantity']} x {row['price']}{text}"
    every = row["every"].replace(ANNIVERSARY, " from its own day")
    return (
        f"{row['id']:<12} {row['amount']:>10} {row['currency']} every {every} in "
        f"{row['due']}, {row['service']}{text}, from {row['from']}{until}"
    )
