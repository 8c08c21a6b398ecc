"""Customers: add, set, show, list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import click

from a2ledger.balances import balances
from a2ledger.billing import settle
from a2ledger.commands import fees
from a2ledger.commands.settings import (
    DAY,
    Settings,
    as_json_option,
    dry_run_option,
    known,
    pass_settings,
    print_json,
)
from a2ledger.customers import register
from a2ledger.journal import subledgers
from a2ledger.records import KEYS


@click.group()
def customer() -> None:
    """Add, change and show customers."""


def fact_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for every fact of a customer."""
    for key in reversed(KEYS):
        function = click.option(f"--{key.replace('_', '-')}", key, metavar="TEXT")(function)
    return function


def _pairs(words: Sequence[str]) -> dict[str, str]:
    """Facts written as ``KEY=VALUE`` or ``KEY VALUE``."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        key, equals, value = word.partition("=")
        if not equals:
            following = next(rest, None)
            if following is None:
                raise click.UsageError(f"{word}: say {word}=VALUE")
            value = following
        found[key.replace("-", "_")] = value
    return found


@customer.command("add")
@click.argument("identity", metavar="ID")
@click.option("--opened", metavar="DATE", help="Where the first period starts.")
@fact_options
@dry_run_option
@pass_settings
def customer_add(
    settings: Settings, /, identity: str, opened: str | None, dry_run: bool, **facts: str | None
) -> None:
    """Add a customer.

    Example: a2ledger customer add C10001 --name "Ada" --credit-limit 50 --tariff standard
    """
    given = {key: value for key, value in {**facts, "opened": opened}.items() if value is not None}
    with settings.drafting(dry_run=dry_run) as draft:
        added = register.add(draft, identity, given)
        register.check_clashes(draft)
        settings.publish(draft, f"customer add: {identity}\n", dry_run)
    settings.talk(f"{identity}: {'would be ' if dry_run else ''}added, from {added.opened} on")


@customer.command("set")
@click.argument("identity", metavar="ID")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@fact_options
@dry_run_option
@pass_settings
def customer_set(
    settings: Settings,
    /,
    identity: str,
    words: tuple[str, ...],
    since: dt.date | None,
    dry_run: bool,
    **facts: str | None,
) -> None:
    """Change what is known of a customer, from a day on.

    Example: a2ledger customer set C10001 credit_limit=100 --from 2026-03-01
    """
    given = {key: value for key, value in facts.items() if value is not None} | _pairs(words)
    if not given:
        raise click.UsageError("nothing to change: say KEY=VALUE")
    with settings.drafting(dry_run=dry_run) as draft:
        changed = register.change(draft, identity, given, since or draft.today)
        register.check_clashes(draft)
        settings.publish(draft, f"customer set: {identity} {' '.join(given)}\n", dry_run)
    done = f"{'would be ' if dry_run else ''}changed" if changed else "nothing to change"
    settings.talk(f"{identity}: {done}")


@customer.command("block")
@click.argument("identity", metavar="ID")
@click.option("--reason", default="yes", metavar="TEXT", help="What switches and staff are told.")
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@dry_run_option
@pass_settings
def customer_block(
    settings: Settings, identity: str, reason: str, since: dt.date | None, dry_run: bool
) -> None:
    """Let a customer make no more calls, as far as a switch asks `a2ledger authorize`.

    Example: a2ledger customer block C10001 --reason "card stolen"
    """
    if reason.strip() in {"", "no"}:
        raise click.UsageError("--reason: say why in a few words")
    _set_blocked(settings, identity, reason, since, dry_run=dry_run)


@customer.command("unblock")
@click.argument("identity", metavar="ID")
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@dry_run_option
@pass_settings
def customer_unblock(
    settings: Settings, identity: str, since: dt.date | None, dry_run: bool
) -> None:
    """Let a blocked customer make calls again.

    Example: a2ledger customer unblock C10001
    """
    _set_blocked(settings, identity, "no", since, dry_run=dry_run)


def _set_blocked(
    settings: Settings, identity: str, blocked: str, since: dt.date | None, *, dry_run: bool
) -> None:
    done = "unblocked" if blocked == "no" else "blocked"
    with settings.drafting(dry_run=dry_run) as draft:
        customer = known(draft, identity)
        day = since or draft.today
        is_same = customer.text("blocked", day) in {blocked, "" if blocked == "no" else blocked}
        if not is_same:
            register.change(draft, identity, {"blocked": blocked}, day)
        settings.publish(draft, f"customer {done}: {identity}\n", dry_run)
    if is_same:
        settings.talk(f"{identity}: was {done} already")
    else:
        settings.talk(f"{identity}: {'would be ' if dry_run else ''}{done} from {day} on")


@customer.command("reopen")
@click.argument("identity", metavar="ID")
@click.option("--from", "since", type=DAY, metavar="DATE", help="A period starts; else today.")
@dry_run_option
@pass_settings
def customer_reopen(
    settings: Settings, identity: str, since: dt.date | None, dry_run: bool
) -> None:
    """Open an account again that was settled with `close --final`.

    Example: a2ledger customer reopen C10001
    """
    with settings.drafting(dry_run=dry_run) as draft:
        known(draft, identity)
        settle.reopen(draft, identity, since or draft.today)
        settings.publish(draft, f"customer reopen: {identity}\n", dry_run)
    settings.talk(f"{identity}: {'would be ' if dry_run else ''}reopened")


@customer.command("show")
@click.argument("identity", metavar="ID")
@as_json_option
@pass_settings
def customer_show(settings: Settings, identity: str, as_json_: bool) -> None:
    """Show a customer's facts and their history, and his fees.

    Example: a2ledger customer show C10001
    """
    book = settings.book()
    found = balances.customer_json(known(book, identity), settings.today(book))
    if as_json_:
        print_json(found)
        return
    for key, value in found.items():
        if key not in {"history", "fees", "periods"}:
            click.echo(f"{key:<16} {value}")
    for key, changes in found["history"].items():
        for change in changes:
            if change["from"] > found["opened"]:
                click.echo(f"{key:<16} {change['value']} from {change['from']}")
    for row in found["fees"]:
        click.echo(f"{'fee':<16} {fees.described(row)}")


@customer.command("list")
@as_json_option
@pass_settings
def customer_list(settings: Settings, as_json_: bool) -> None:
    """List customers.

    Example: a2ledger customer list
    """
    book = settings.book()
    today = settings.today(book)
    found = [balances.customer_json(one, today) for one in subledgers.customers(book).values()]
    if as_json_:
        print_json(found)
        return
    for row in found:
        click.echo(f"{row['customer']:<16} {row.get('name', ''):<32} {row.get('tariff', '')}")
