"""Add and change customers, one by one or from a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from a2ledger import accounts, errors, facts, vat
from a2ledger.book.book import Draft, RefusedError
from a2ledger.book.config import SeveralRatesError
from a2ledger.customers import columns as source
from a2ledger.customers import directory
from a2ledger.journal import customer_file, ledger, subledgers
from a2ledger.journal.customer_file import with_facts
from a2ledger.period import (
    LONG_AGO_YEARS,
    WEEK,
    anniversary,
    counted,
    cycle_of,
    holding,
    is_anniversary,
    read_day,
)
from a2ledger.records import KEYS, Customer, Fact, split_list
from a2ledger.sources import local
from a2ledger.sources.batch import Refused
from a2ledger.sources.report import Report

_PERIODIC = ("vat", "billing_day", "cycle")
"""Facts that change only at the start of a period."""
_PRICING = {"tariff", "discount_percent", "vat", "dial_plan"}
"""Facts that decide the price of calls."""
_TAXING = {"country", "vat_id"}
"""Facts that decide the VAT code of calls where there are VAT rules."""


class BadVatIdError(RefusedError):
    """A customer's VAT id is not valid."""


def fact(key: str, text: str) -> Fact:
    """Parse a fact's value.

    Raises:
        RefusedError: if it is no value for the key.
    """
    try:
        return facts.parse(key, text)
    except ValueError as error:
        problem, todo = errors.parts(error)
        raise RefusedError(problem, todo=todo or errors.CORRECT) from None


def add(
    draft: Draft, identity: str, given: Mapping[str, str], *, long_ago: bool = False
) -> Customer:
    """Add a customer.

    Args:
        draft: of the book.
        identity: the new id.
        given: facts as text by key, and ``opened``; what is missing gets its default.
        long_ago: whether ``opened`` may be more than :data:`LONG_AGO_YEARS` back.

    Raises:
        RefusedError: if this customer already exists, or a value is none.
    """
    config = draft.config
    if not accounts.is_customer_id(identity):
        raise RefusedError(
            f"{identity!r} is no customer id: letters, digits, then also _ . @ + -, at most 64"
        )
    if identity == accounts.NOBODY:
        raise RefusedError(
            f"{identity}: this name is reserved for unmatched money", todo="choose another id"
        )
    if identity in subledgers.customers(draft):
        raise RefusedError(f"{identity}: this customer already exists", todo="use `customer set`")
    defaults = {
        "name": identity,
        "credit_limit": "0",
        "tariff": given.get("tariff") or _usual_deck(draft),
        "billing_day": "1",
        "currency": config.currency,
        "vat": config.treatment,
    }
    texts = defaults | {key: text for key, text in given.items() if text != ""}
    opened, kind = texts.pop("opened", ""), texts.get("cycle", "monthly")
    start = _day("opened", opened) if opened else draft.today
    _check_age(draft.today, start, long_ago=long_ago)
    if is_anniversary(kind) and not given.get("billing_day"):
        fact("cycle", kind)
        texts["billing_day"] = str(anniversary(kind, start))
    values = {key: fact(key, texts[key]) for key in KEYS if key in texts}
    if not opened and not is_anniversary(kind):
        start = holding(draft.today, cycle_of(kind, int(values["billing_day"]), start)).start
    customer = Customer(
        id=identity,
        opened=start,
        facts={key: ((start, value),) for key, value in values.items() if value != ""},
    )
    _check_cycle(customer, start)
    _check_place(customer, start, values)
    _check_rates(draft, customer, start, values)
    _check_decks(draft, str(values["currency"]), values.get("tariff", ""))
    subledgers.customers(draft)[identity] = customer
    subledgers.put_customer(draft, customer)
    return subledgers.customer(draft, identity)


def _day(key: str, text: str) -> dt.date:
    try:
        return read_day(text)
    except ValueError as error:
        raise RefusedError(f"{key}: {error}") from None


def _check_age(today: dt.date, opened: dt.date, *, long_ago: bool) -> None:
    """Refuse a first day so far back that it is a slip: every period since would be closed.

    Raises:
        RefusedError: saying how to have it all the same.
    """
    if not long_ago and opened.year < today.year - LONG_AGO_YEARS:
        raise RefusedError(
            f"opened: {opened} is more than {LONG_AGO_YEARS} years ago, and every period since "
            "would be closed one by one",
            todo="correct it, or say `customer add ID --opened DATE --long-ago`",
        )


def _check_decks(draft: Draft, currency: str, tariff: Fact) -> None:
    config = draft.config
    for name in split_list(str(tariff)):
        if (other := config.deck(name).currency) != currency:
            raise RefusedError(
                f"tariff: {name} is in {other}, the account in {currency}",
                todo=(
                    f'say [tariffs.{name}] currency = "{currency}" in a2ledger.toml if it is not'
                ),
            )
        if not _has_deck(draft, name):
            draft.talk(f"note: tariffs/{name}.csv is not there yet; calls need it")


def _has_deck(draft: Draft, name: str) -> bool:
    return draft.has(f"tariffs/{name}.csv")


def _usual_deck(draft: Draft) -> str:
    """Return ``standard``, or the only price list where there is no such one."""
    if _has_deck(draft, "standard"):
        return "standard"
    decks = _decks(draft)
    return decks[0] if len(decks) == 1 else "standard"


def _decks(draft: Draft) -> list[str]:
    paths = draft.files("tariffs", "*.csv")
    return [path.removeprefix("tariffs/").removesuffix(".csv") for path in paths]


def change(draft: Draft, identity: str, given: Mapping[str, str], since: dt.date) -> bool:
    """Change facts of a customer from a day on, and return False if they all hold already.

    Raises:
        RefusedError: if there is no such customer, a value is none, or the day lies in a closed
            period or, for what changes with a period, is not the first day of one.
    """
    customer = known(draft, identity)
    values = {key: fact(key, text) for key, text in given.items()}
    now = {key: value for key, value in values.items() if customer.fact(key, since) != value}
    if not now:
        return False
    changed = checked(draft, customer, now, since)
    if deck := now.get("tariff"):
        _check_decks(draft, subledgers.currency(draft, identity), deck)
    pricing = _PRICING | (_TAXING if draft.config.vat_rules else set())
    if since < draft.today and pricing & now.keys():
        draft.talk(f"note: calls and charges of {identity} already posted keep their price")
    if given.get("documents") == "statement" and changed.text("vat_id", since):
        draft.talk(f"note: {identity} has a VAT id: businesses are owed invoices, and get them")
    subledgers.put_customer(draft, changed)
    return True


def checked(draft: Draft, customer: Customer, now: Mapping[str, Fact], since: dt.date) -> Customer:
    """Return a customer with other facts from a day on, if they may change then.

    Raises:
        RefusedError: if the day lies in a closed period or, for what changes with a period, is not
            the first day of one; or facts do not go together.
    """
    if "currency" in now:
        kept = subledgers.currency(draft, customer.id)
        raise RefusedError(
            f"{customer.id}: currency: the account is kept in {kept} for good",
            todo="open another for another currency",
        )
    if since < customer.opened:
        raise RefusedError(
            (f"{customer.id}: the account opens on {customer.opened}, and {since} is before that"),
            undone="nothing was changed",
            todo=f"say --from {customer.opened}",
        )
    if since < customer.open_since:
        raise RefusedError(
            f"{customer.id}: {since} lies in a closed period",
            todo=f"changes hold from {customer.open_since} on at the earliest",
        )
    for key in _PERIODIC:
        if key in now and (period := customer.period_holding(since)).start != since:
            raise RefusedError(
                f"{customer.id}: {key} can change only at the start of a period, "
                f"and {since} is inside one",
                undone="nothing was changed",
                todo=f"say --from {period.start} or --from {period.end}",
            )
    changed = with_facts(customer, now.items(), since)
    _check_cycle(changed, since)
    _check_place(changed, since, now)
    _check_rates(draft, changed, since, now)
    _check_posted(draft, customer, since, now)
    tariff = now.get("tariff", "")
    if missing := [name for name in split_list(str(tariff)) if not _has_deck(draft, name)]:
        raise RefusedError(
            f"{customer.id}: tariff: there is no tariffs/{missing[0]}.csv",
            undone="nothing was changed",
            todo=(f"write the deck first, or name one of {', '.join(_decks(draft)) or 'none yet'}"),
        )
    return changed


def _check_rates(draft: Draft, customer: Customer, day: dt.date, given: Mapping[str, Fact]) -> None:
    """Check that all that taxed refills may buy has one rate of VAT."""
    if given.get("vat") == "on-refill":
        config = draft.config
        try:
            config.refill_code(config.party(customer, day, day), day)
        except SeveralRatesError as error:
            problem = f"{customer.id}: vat: {error.what}"
            raise RefusedError(problem, error.undone, error.todo) from None


def _check_posted(
    draft: Draft, customer: Customer, since: dt.date, given: Mapping[str, Fact]
) -> None:
    """Check that nothing is posted yet that a new VAT treatment would change.

    Whether prices contain VAT, and whether a refill does, is decided as they are posted.
    """
    old = customer.text("vat", since) or draft.config.treatment
    if "vat" not in given or not {old, given["vat"]} & {"included", "on-refill"}:
        return
    path = customer_file.period_path(customer.id, customer.open_since)
    file = subledgers.open_file(draft, customer.id)
    days = [str(row.date) for row in file.usage]
    days += [block.date for block in file.above if block.kind in {"*", "!"}]
    brought = ledger.read_brought(draft.text(path), customer.open_since).billed_micro
    if since == customer.open_since and brought:
        days.append(str(since))
    if any(day >= str(since) for day in days):
        raise RefusedError(
            f"{customer.id}: vat: from {since} on something is posted already as {old}",
            undone="nothing was changed",
            todo=f"say --from {customer.period_holding(max(since, draft.today)).end}",
        )


def _check_place(customer: Customer, day: dt.date, given: Mapping[str, Fact]) -> None:
    """Check the country and the VAT id if they are being set."""
    country, vat_id = customer.text("country", day), customer.text("vat_id", day)
    if given.get("country") and not vat.nation(country):
        raise RefusedError(
            f"{customer.id}: country: {country!r} is not two letters such as BE",
            todo="say its ISO 3166 code",
        )
    if given.get("vat_id") and not vat.is_id(vat_id, country):
        where = f" in {vat.nation(country)}" if country else " of the EU"
        raise BadVatIdError(
            f"{customer.id}: vat_id: {vat_id!r} is no VAT number{where}",
            todo=(
                "correct it (it begins with its country's letters, EL for Greece), or leave it out"
            ),
        )


def _check_cycle(customer: Customer, day: dt.date) -> None:
    """Check that a cycle counted from the opening has the opening's day as its billing day.

    And one of weeks on a day of the week.
    """
    kind, billing_day = customer.text("cycle", day), int(customer.fact("billing_day", day) or 1)
    if kind and counted(kind)[1] and billing_day > WEEK:
        raise RefusedError(
            f"{customer.id}: billing_day: {billing_day}, but {kind} begins on a day of the week",
            todo="say billing_day=1 for Monday, up to 7 for Sunday",
        )
    if is_anniversary(kind) and billing_day != anniversary(kind, customer.opened):
        raise RefusedError(
            (
                f"{customer.id}: billing_day: {billing_day}, but {kind} is counted from "
                "the day of the opening"
            ),
            todo=f"say billing_day={anniversary(kind, customer.opened)} or another cycle",
        )


def known(draft: Draft, identity: str) -> Customer:
    """Return a customer by id.

    Raises:
        RefusedError: if there is none.
    """
    if identity not in subledgers.customers(draft):
        raise RefusedError(f"{identity}: no such customer", todo="see `a2ledger customer list`")
    return subledgers.customers(draft)[identity]


def check_clashes(draft: Draft) -> None:
    """Check that no two customers hold one identifier on one day.

    Raises:
        RefusedError: naming them.
    """
    if clashes := directory.clashes(list(subledgers.customers(draft).values())):
        raise RefusedError("\n".join(clashes[:5]))


def import_customers(draft: Draft, paths: list[Path]) -> Report:
    """Import customers from CSV files, changing known customers from today on."""
    report = Report(source="customers", files=[str(path) for path in paths])
    usual = _usual_deck(draft)  # asked once: a draft of many customers takes long to look through
    for path in paths:
        rows, refused, notes = source.read(path, draft.config.locale)
        for note in notes:
            draft.talk(note)
        report.read += len(rows) + len(refused)
        report.refused += refused
        for line, row in rows:
            identity = row.pop("id", "")
            raw = ",".join([identity, *row.values()])
            if identity not in subledgers.customers(draft):
                row["tariff"] = row.get("tariff") or usual
            try:
                new = put(draft, identity, row)
            except RefusedError as error:
                reason = "bad-vat-id" if isinstance(error, BadVatIdError) else "customer"
                report.refused.append(
                    Refused(str(path), line, reason, str(error), raw, f"customer-{identity}")
                )
                continue
            report.posted += new
            report.duplicate += not new
            report.known.add(f"customer-{identity}")
            if new:
                report.customers.add(identity)
    check_clashes(draft)
    report.refused = local.in_full(
        report.refused, source.HEADER, draft.config.locale, amounts=source.AMOUNTS, days=source.DAYS
    )
    return report


def put(draft: Draft, identity: str, row: Mapping[str, str]) -> bool:
    """Add a customer, or change from today on what differs, and return False if nothing does.

    Raises:
        RefusedError: if a value is none.
    """
    if identity not in subledgers.customers(draft):
        add(draft, identity, row)
        return True
    customer = subledgers.customers(draft)[identity]
    given = {key: text for key, text in row.items() if key in KEYS and text != ""}
    day = max(draft.today, customer.opened)
    values = {key: fact(key, text) for key, text in given.items()}
    held = {key: customer.facts.get(key, ((day, None),))[-1][1] for key in values}
    differing = {key: given[key] for key in values if values[key] != held[key]}
    if not differing:
        return False
    periodic = {key: text for key, text in differing.items() if key in _PERIODIC}
    plain = {key: text for key, text in differing.items() if key not in _PERIODIC}
    changed = bool(plain) and change(draft, identity, plain, day)
    if periodic:
        period = customer.period_holding(day)
        start = day if period.start == day else period.end
        changed |= change(draft, identity, periodic, start)
    return changed
