"""Commands on customers: add, set, block, show, list."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import click

from a2ledger.balances import balances
from a2ledger.book.book import RefusedError
from a2ledger.commands import fees
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
from a2ledger.customers import register
from a2ledger.journal import subledgers
from a2ledger.records import KEYS, Customer, split_list


@click.group()
def customer() -> None:
    """Add, change and show customers."""


_HELP = {
    "name": "As it stands on bills.",
    "credit_limit": "How much they may owe; 0 is prepaid.",
    "tariff": "Price lists by name, the first that knows a number decides: acme,standard.",
    "billing_day": "Day of the month on which a period begins, 1 to 31.",
    "cycle": "How often they are billed: monthly, quarterly …",
    "currency": "Of the account, for good: EUR.",
    "vat": "How VAT is added: on-invoice, on-refill, included, none.",
    "vat_id": "Their VAT number: BE0403170701.",
    "email": "Where bills are sent.",
    "address": "In one line, for bills on paper.",
    "street": "Street and number; with it bills can be e-invoices.",
    "street2": "A second line of it.",
    "postcode": "Post code.",
    "city": "City.",
    "region": "Region, where the post needs it.",
    "country": "Two letters: BE.",
    "registration": "Number in a register of businesses: 0208:0403170701.",
    "peppol": "Electronic address: 0208:0403170701.",
    "contact": "Who reads the bills there.",
    "phone": "Number of the contact.",
    "iban": "Their bank account.",
    "bic": "Their bank.",
    "buyer_reference": "What their bills must bear, if they say so.",
    "order_reference": "Number of their order.",
    "mandate": "Reference of their SEPA mandate: bills are collected.",
    "itemised": "Where their calls are listed: apart, or appendix of the bill.",
    "masked": "How many last digits lists of calls hide: none, 3, 4, all.",
    "dunning": "No reminders, if it is stop.",
    "language": "Of their bills: nl, fr, de …",
    "delivery": "How documents reach them: mail, peppol, print; or none.",
    "documents": "What they want to get: invoice or statement.",
    "minimum": "What is less waits for the next bill: 5.00.",
    "terms": "Days until a bill is due.",
    "identifiers": "Numbers, devices and account codes, with commas between.",
    "discount_percent": "Off the price of calls: 10.",
    "dial_plan": "How their numbers are dialled: 9= takes a leading 9 off.",
    "group": "A word of yours, for call guards.",
    "status": "A word of yours, for call guards.",
    "blocked": "Why they may not call; no if they may.",
    "guards": "What their calls may do at most: calls=2, per_day=20.",
}
_SHAPES = {
    "credit_limit": "AMOUNT",
    "billing_day": "DAY",
    "discount_percent": "PERCENT",
    "terms": "DAYS",
    "currency": "CODE",
    "country": "CODE",
    "language": "CODE",
}
"""How values of facts are named in the help, where they are no free text."""
_LISTS = ("identifiers", "tariff", "delivery", "guards", "dial_plan")
"""Facts whose value is a list."""
_LOCAL = ("credit_limit", "discount_percent")


def fact_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option for every fact of a customer."""
    for key in reversed(KEYS):
        function = click.option(
            f"--{key.replace('_', '-')}",
            key,
            type=NUMBER if key in _LOCAL else click.STRING,
            metavar=_SHAPES.get(key, "TEXT"),
            help=_HELP.get(key, ""),
        )(function)
    return function


class Change(NamedTuple):
    """A new value of a fact, or items to add to a list or remove from it."""

    key: str
    how: str
    """``=``, ``+=`` or ``-=``."""
    value: str


def _changes(words: Sequence[str]) -> list[Change]:
    """Parse changes given as ``KEY=VALUE``, ``KEY VALUE``, ``KEY+=ITEM`` or ``KEY-=ITEM``."""
    parsed = []
    rest = iter(words)
    for word in rest:
        key, how, value = _parts(word)
        if not how:
            following = next(rest, None)
            if following is None:
                raise click.UsageError(f"{word}: say {word}=VALUE")
            how, value = "=", following
        key = key.replace("-", "_")
        if how != "=" and key not in _LISTS:
            raise click.UsageError(f"{key}: {how} is for lists: {', '.join(_LISTS)}")
        if key in _LOCAL:
            value = NUMBER.convert(value, None, click.get_current_context())
        parsed.append(Change(key, how, value))
    return parsed


def _parts(word: str) -> tuple[str, str, str]:
    match = re.match(r"([A-Za-z0-9_-]+?)(\+=|-=|=)", word)
    return (match[1], match[2], word[match.end() :]) if match else (word, "", "")


def _facts(customer: Customer, changes: Sequence[Change], day: dt.date) -> dict[str, str]:
    """Return the new values of facts, with items added to lists and removed from them."""
    facts: dict[str, str] = {}
    for key, how, value in changes:
        if how == "=":
            facts[key] = value
            continue
        held = list(split_list(facts[key]) if key in facts else customer.listed(key, day))
        items = split_list(value)
        if how == "+=":
            held += [item for item in items if item not in held]
        elif missing := [item for item in items if item not in held]:
            raise RefusedError(
                f"{customer.id}: {missing[0]} is none of their {key}",
                undone="nothing was changed",
                todo=f"they have {', '.join(held) or 'none'}",
            )
        else:
            held = [item for item in held if item not in items]
        facts[key] = ", ".join(held)
    return facts


def _lost(customer: Customer, changes: Sequence[Change], day: dt.date) -> dict[str, list[str]]:
    """Return what lists would lose if they are replaced, by fact."""
    lost = {}
    for key, how, value in changes:
        held = customer.listed(key, day) if how == "=" and key in _LISTS else ()
        items = [item for item in held if item not in split_list(value)]
        if items and not (key == "tariff" and len(held) == 1):
            lost[key] = items
    return lost


def _ask(customer: Customer, lost: Mapping[str, Sequence[str]]) -> None:
    """Ask for confirmation that lists may lose items.

    Raises:
        RefusedError: if nobody gives it.
    """
    for key, items in lost.items():
        question = f"{customer.id}: {key} would lose {', '.join(items)}; replace the list?"
        try:
            agreed = click.confirm(question, default=False, err=True)
        except click.Abort:
            agreed = False
        if not agreed:
            raise RefusedError(
                f"{customer.id}: {key} would lose {', '.join(items)}",
                undone="nothing was changed",
                todo=f"add with {key}+=ITEM, take off with {key}-=ITEM, or say --yes to replace it",
            )


@customer.command("add")
@click.argument("identity", metavar="ID")
@click.option("--opened", metavar="DATE", help="Where the first period starts.")
@click.option("--long-ago", is_flag=True, help="Have that be more than 30 years back.")
@fact_options
@dry_run_option
@pass_settings
def customer_add(
    settings: Settings,
    /,
    identity: str,
    opened: str | None,
    long_ago: bool,
    dry_run: bool,
    **facts: str | None,
) -> None:
    """Add a customer.

    Example: a2ledger customer add C10001 --name "Ada" --credit-limit 50 --tariff standard
    """
    given = {key: value for key, value in facts.items() if value is not None}
    given |= {"opened": settings.day(opened)} if opened else {}
    with settings.drafting(dry_run=dry_run) as draft:
        added = register.add(draft, identity, given, long_ago=long_ago)
        register.check_clashes(draft)
        settings.publish(draft, f"customer add: {identity}\n", dry_run)
    settings.talk(f"{identity}: {'would be ' if dry_run else ''}added, from {added.opened} on")


@customer.command("set")
@click.argument("identity", type=CUSTOMER, metavar="ID")
@click.argument("words", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@click.option("-y", "--yes", is_flag=True, help="Replace lists without asking.")
@fact_options
@dry_run_option
@pass_settings
def customer_set(
    settings: Settings,
    /,
    identity: str,
    words: tuple[str, ...],
    since: dt.date | None,
    yes: bool,
    dry_run: bool,
    **facts: str | None,
) -> None:
    """Change a customer's facts from a day on.

    KEY=VALUE sets a fact. Of a list, identifiers+=ITEM adds and identifiers-=ITEM takes off;
    replacing a list that has more in it asks first.

    Example: a2ledger customer set C10001 credit_limit=100 --from 2026-03-01
    """
    changes = [Change(key, "=", value) for key, value in facts.items() if value is not None]
    changes += _changes(words)
    if not changes:
        raise click.UsageError("nothing to change: say KEY=VALUE")
    book = settings.book()
    customer, day = known(book, identity), since or settings.today(book)
    if not (yes or dry_run) and (lost := _lost(customer, changes, day)):
        with settings.drafting(dry_run=True) as draft:  # nobody is asked about what is refused
            given = _facts(known(draft, identity), changes, day)
            register.change(draft, identity, given, since or draft.today)
        _ask(customer, lost)
    with settings.drafting(dry_run=dry_run) as draft:
        before = known(draft, identity)
        given = _facts(before, changes, day)
        register.change(draft, identity, given, since or draft.today)
        if "identifiers" in given:
            register.check_clashes(draft)
        settings.publish(draft, f"customer set: {identity} {' '.join(given)}\n", dry_run)
        after = known(draft, identity)
    lines = [
        f"{identity}: {key} {'would be' if dry_run else 'is'} {after.text(key, day) or 'none'} "
        f"from {day} on, was {before.text(key, day) or 'none'}"
        for key in given
        if after.fact(key, day) != before.fact(key, day)
    ]
    for line in lines or [f"{identity}: nothing to change"]:
        settings.talk(line)


@customer.command("block")
@click.argument("identity", type=CUSTOMER, metavar="ID")
@click.option("--reason", default="yes", metavar="TEXT", help="What switches and staff are told.")
@click.option("--from", "since", type=DAY, metavar="DATE", help="From this day on; else today.")
@dry_run_option
@pass_settings
def customer_block(
    settings: Settings, identity: str, reason: str, since: dt.date | None, dry_run: bool
) -> None:
    """Block a customer's calls on switches that ask `a2ledger authorize`.

    Example: a2ledger customer block C10001 --reason "card stolen"
    """
    if reason.strip() in {"", "no"}:
        raise click.UsageError("--reason: say why in a few words")
    _set_blocked(settings, identity, reason, since, dry_run=dry_run)


@customer.command("unblock")
@click.argument("identity", type=CUSTOMER, metavar="ID")
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
@click.argument("identity", type=CUSTOMER, metavar="ID")
@click.option("--from", "since", type=DAY, metavar="DATE", help="A period starts; else today.")
@dry_run_option
@pass_settings
def customer_reopen(
    settings: Settings, identity: str, since: dt.date | None, dry_run: bool
) -> None:
    """Reopen an account that was settled with `close --final`.

    Example: a2ledger customer reopen C10001
    """
    with settings.drafting(dry_run=dry_run) as draft:
        known(draft, identity)
        from a2ledger.billing import settle  # noqa: PLC0415 - and with it all of billing

        settle.reopen(draft, identity, since or draft.today)
        settings.publish(draft, f"customer reopen: {identity}\n", dry_run)
    settings.talk(f"{identity}: {'would be ' if dry_run else ''}reopened")


@customer.command("show")
@click.argument("identity", type=CUSTOMER, metavar="ID")
@as_json_option
@pass_settings
def customer_show(settings: Settings, identity: str, as_json_: bool) -> None:
    """Show a customer's facts and their history, and their fees.

    Example: a2ledger customer show C10001
    """
    book = settings.book()
    facts = balances.customer_json(known(book, identity), settings.today(book))
    if as_json_:
        print_json(facts)
        return
    today = str(settings.today(book))
    others: list[str] = []
    for key, value in facts.items():
        if key in {"history", "fees", "periods"}:
            continue
        changes = facts["history"].get(key, [])
        since, more = _history(key, changes, today)
        others += more
        click.echo(f"{key:<16} {value}{f' from {since}' if since > facts['opened'] else ''}")
    for line in others:
        click.echo(line)
    for row in facts["fees"]:
        click.echo(f"{'fee':<16} {fees.described(row)}")


def _history(key: str, changes: Sequence[dict[str, str]], today: str) -> tuple[str, list[str]]:
    """Return since when a fact has its value of today, and a line for each other value."""
    ends = [*(change["from"] for change in changes), ""][1:]
    since, lines = "", []
    for change, end in zip(changes, ends, strict=True):
        if change["from"] > today and since:
            lines.append(f"{key:<16} {change['value']} from {change['from']}")
        elif end and end <= today:
            last = dt.date.fromisoformat(end) - dt.timedelta(days=1)
            lines.append(f"{key:<16} {change['value']} until {last}")
        else:
            since = change["from"]
    return since, lines


@customer.command("list")
@as_json_option
@pass_settings
def customer_list(settings: Settings, as_json_: bool) -> None:
    """List customers.

    Example: a2ledger customer list
    """
    book = settings.book()
    today = settings.today(book)
    rows = [balances.customer_json(owner, today) for owner in subledgers.customers(book).values()]
    if as_json_:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['customer']:<16} {row.get('name', ''):<32} {row.get('tariff', '')}")
