"""Add, change and stop recurring fees, and post them when they fall due.

Every command that writes posts what is due by its day first. What a customer's open period must
hold follows from their own ledger, so that being up to date is seen by looking for it there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from typing import Any, NamedTuple, cast

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, errors, facts, money, period
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.customers import register
from a2ledger.documents import worth
from a2ledger.documents.given_back import Share
from a2ledger.fees import due as fees
from a2ledger.fees.due import Posted
from a2ledger.journal import customer_file, period_file, subledgers, syntax
from a2ledger.journal.period_file import PeriodFile
from a2ledger.journal.rows import Row
from a2ledger.period import Period
from a2ledger.records import Customer, Fee
from a2ledger.vat import BEFORE_VAT, Party


class Changes(NamedTuple):
    """Fee entries missing in a customer's open period, and entries to remove from it."""

    put: list[data.Transaction]
    removed: set[str]
    """Links of the entries to remove."""


def charge(draft: Draft, names: Collection[str] = ()) -> dict[str, Changes]:
    """Post every fee that is due by today into the draft, once.

    Args:
        draft: of the book.
        names: customers whose fees or facts may have changed, or whose period is to be closed;
            of all others only what is due and missing is looked for.

    Returns:
        what changed, by customer.
    """
    changes_of = {}
    for name, customer in _paying(draft):
        if name in names or _is_behind(draft, customer):
            file = subledgers.open_file(draft, name)
            changes = unposted(draft, customer, file, draft.today, draft.text)
            if any(changes):
                file = period_file.without_entries(file, changes.removed)
                subledgers.put_open_file(draft, name, period_file.with_entries(file, changes.put))
                draft.fees += len(changes.put)
                changes_of[name] = changes
    return changes_of


def changed(draft: Draft) -> set[str]:
    """Return customers with fees whose own ledger the draft changes."""
    return {name for name, _ in _paying(draft) if customer_file.path(name) in draft.put_files}


def _paying(draft: Draft) -> Iterator[tuple[str, Customer]]:
    """Yield the customers with fees."""
    customers = subledgers.customers(draft)
    for name, entry in customers.entries().items():
        if entry.has_fees:
            yield name, customers[name]


def _is_behind(draft: Draft, customer: Customer) -> bool:
    """Return True if an entry due by today is missing or outdated in the open period."""
    due = [
        line
        for fee in customer.fees
        for line in fees.lines(customer, fee, customer.open_since, draft.today)
    ]
    if not due:
        return False
    text = draft.text(customer_file.period_path(customer.id, customer.open_since))
    entries = fees.due_entries(customer, due, _taxes(draft, customer))
    return any(syntax.formatted(entry) not in text for entry in entries)


def unposted(
    book: Book,
    customer: Customer,
    file: PeriodFile,
    today: dt.date,
    text_of: Callable[[str], str],
) -> Changes:
    """Compare the fee entries of an open period with those due by ``today``.

    Args:
        book: the customer's.
        customer: whose.
        file: the customer's open period.
        today: the day; what was posted on a later one stays.
        text_of: reads a file of the book.
    """
    held = fees.posted(file.above)
    latest = max([today, *(fee.date for fee in held)])
    due = fees.entries(
        customer,
        fees.charged(file.above),
        latest,
        _taxes(book, customer),
        cache(partial(_closed, customer, text_of)),
        _given(book, customer, held, text_of),
    )
    texts = {link: block.text for block in file.above for link in block.links}
    wanted = {link: entry for entry in due for link in entry.links}
    voided = {fee.link for fee in held if fee.voided}
    return Changes(
        [
            entry
            for link, entry in wanted.items()
            if link not in voided and not texts.get(link, "").startswith(syntax.formatted(entry))
        ],
        {fee.link for fee in held} - wanted.keys() - voided,
    )


def _taxes(book: Book, customer: Customer) -> fees.Taxes:
    config = book.config

    def party(day: dt.date, due: dt.date) -> Party:
        """Return the VAT party of a fee for one day that is posted on another.

        What adds VAT to prices, or none, goes by the day it is for; what has it inside prices, or
        takes it out of refills, by the period it is billed in.
        """
        posted = max(due, customer.open_since)
        then, now = (customer.text("vat", when) or config.treatment for when in (day, posted))
        treatment = then if {then, now} <= BEFORE_VAT else now
        return Party(treatment, customer.text("country", day), customer.text("vat_id", day))

    def code_of(service: str, day: dt.date, due: dt.date) -> str:
        return config.code_of(service, party(day, due), day).code

    def changes(days: Period) -> list[dt.date]:
        known = {since for key in _DECIDES for since, _ in customer.facts.get(key, ())}
        known |= {day for rule in config.vat_rules for day in (rule.since, rule.until)}
        return sorted(day for day in known if days.start < day < days.end)

    return fees.Taxes(
        code_of, lambda micro, code, due: config.pending(micro, code, party(due, due)), changes
    )


def _given(
    book: Book, customer: Customer, held: Iterable[Posted], text_of: Callable[[str], str]
) -> fees.Given:
    """Return functions for what was given back by hand of a customer's billed fees."""
    currency = subledgers.currency(book, customer.id)
    counted = {entry.link: entry.credited_micro for entry in held}

    @cache
    def shares() -> Mapping[str, Share]:
        account_worth = worth.of_customer(book, customer, currency)
        return replace(account_worth, text_of=text_of).fees()

    def of(posted: Posted) -> int:
        share = shares().get(posted.link)
        return share.of(posted.micro, money.decimals(currency)) if share else 0

    return fees.Given(of, counted.get)


_DECIDES = ("vat", "country", "vat_id")
"""Facts of a customer that decide their VAT."""


def _closed(customer: Customer, text_of: Callable[[str], str]) -> list[Posted]:
    """Return the fee entries of closed periods."""
    entries: list[Posted] = []
    for start in customer.periods[:-1]:
        text = text_of(customer_file.period_path(customer.id, start))
        if " ^fee-" in text:
            entries += fees.posted(syntax.blocks(text))
    return entries


def with_unposted(book: Book, customer: Customer, rows: Iterable[Row], today: dt.date) -> list[Row]:
    """Return the rows of an open period as if all fees due by a day were posted."""
    if not customer.fees:
        return list(rows)
    path = customer_file.period_path(customer.id, customer.open_since)
    changes = unposted(book, customer, subledgers.period_file(book, path), today, book.text)
    links = {link for entry in changes.put for link in entry.links} | changes.removed
    kept = [row for row in rows if row.link not in links]
    return [*kept, *map(_row, changes.put)]


def _row(entry: data.Transaction) -> Row:
    return Row(
        entry.date,
        billed=False,
        payee=entry.payee or "",
        narration=entry.narration or "",
        micro=money.micro(cast("Decimal", fees.amount(entry).number)),
        vat=str((entry.postings[0].meta or {})["vat"]),
        calls=None,
        seconds=None,
        late_from=entry.meta.get("late_from"),
        link=min(entry.links),
        tags=frozenset(),
        pending_micro=-sum(
            money.micro(cast("Decimal", cast("Amount", leg.units).number))
            for leg in entry.postings
            if leg.account.startswith(accounts.PENDING)
        ),
        first=entry.meta["from"],
        last=entry.meta["to"],
    )


# ---- what a customer is charged ----


def add(  # noqa: PLR0913 - what a fee is made of
    draft: Draft,
    identity: str,
    service: str,
    amount: str,
    *,
    name: str = "",
    every: str = "month",
    own_day: bool = False,
    arrears: bool = False,
    since: dt.date | None = None,
    until: dt.date | None = None,
    description: str = "",
    quantity: int = 1,
) -> Fee:
    """Add a fee to a customer, without posting anything yet.

    Args:
        draft: of the book.
        identity: the customer.
        service: what is paid for.
        amount: for the whole of ``every``, of each thing.
        name: the fee's id among theirs; the next free ``feeN`` if not given.
        every: as :func:`a2ledger.records.span` reads it.
        own_day: whether that is counted from the fee's first day, not from the billing day.
        arrears: whether it is due at the end of the days it is for.
        since: first day; today if not given.
        until: the first day it is not due for any more.
        description: stands on the bill.
        quantity: of how many things, each of that amount.

    Raises:
        RefusedError: if it cannot be billed, or they have a fee of that name.
    """
    customer = register.known(draft, identity)
    if customer.settled:
        raise RefusedError(f"{identity}: the account is settled", todo="reopen it first")
    taken = {fee.id for fee in customer.fees}
    if name in taken:
        raise RefusedError(
            f"{identity}: there is a fee {name}", todo="use `fee change`, or another --id"
        )
    start = since or draft.today
    every += period.ANNIVERSARY if own_day else ""
    if until and until <= start:
        raise RefusedError(f"{identity}: a fee from {start} cannot end on {until} already")
    currency = subledgers.currency(draft, identity)
    fee = Fee(
        id=name or next(free for n in range(1, len(taken) + 2) if (free := f"fee{n}") not in taken),
        service=service,
        every=every,
        arrears=arrears,
        description=syntax.plain(description),
        currency=currency,
        prices=((start, quantity * _amount(amount)),),
        until=until,
        quantities=((start, quantity),) if quantity > 1 else (),
    )
    _put(draft, customer, fee)
    for like in customer.fees:
        if (like.service, like.every, like.description, like.prices[-1][1]) == (
            *(service, every, fee.description, fee.prices[0][1]),
        ) and (like.until is None or like.until > start):
            draft.talk(
                f"note: {identity} has {like.id} for the same already; "
                "this one is charged beside it"
            )
    return fee


def _amount(text: str) -> int:
    try:
        return money.parse(text)
    except ValueError as error:
        problem, todo = errors.parts(error)
        raise RefusedError(f"AMOUNT: {problem}", todo=todo or errors.CORRECT) from None


def _put(draft: Draft, customer: Customer, fee: Fee) -> None:
    kept = [other for other in customer.fees if other.id != fee.id]
    changed = replace(customer, fees=tuple(sorted([*kept, fee], key=lambda row: row.id)))
    try:
        facts.check_fees(changed, subledgers.currency(draft, customer.id), draft.config.services)
    except ValueError as error:
        problem, todo = errors.parts(error)
        raise RefusedError(f"{customer.id}: {problem}", todo=todo or errors.CORRECT) from None
    subledgers.put_customer(draft, changed)


def change(
    draft: Draft,
    identity: str,
    name: str,
    amount: str,
    since: dt.date,
    quantity: int | None = None,
) -> bool:
    """Change a fee's price from a day on, and return False if it is that already.

    ``amount`` is for each thing, ``quantity`` how many there are: as many as before if not given.

    Raises:
        RefusedError: if there is no such fee, or the day is not one it is due for.
    """
    customer, fee = known(draft, identity, name)
    if since < fee.start or (fee.until and since >= fee.until):
        span = f"runs from {fee.start}" + (f" and stops on {fee.until}" if fee.until else "")
        raise RefusedError(f"{identity}: fee {name} {span}", todo=f"{since} is outside")
    many = quantity or fee.quantity(since)
    micro = many * _amount(amount)
    if (fee.price_micro(since), fee.quantity(since)) == (micro, many):
        return False
    others = [row for row in fee.prices if row[0] != since]
    counted = [row for row in fee.quantities if row[0] != since]
    counted += [(since, many)] if many > 1 else []
    changed = replace(
        fee,
        prices=tuple(sorted([*others, (since, micro)])),
        quantities=tuple(sorted(counted)),
    )
    _put(draft, customer, changed)
    return True


def stop(draft: Draft, identity: str, name: str, since: dt.date) -> bool:
    """Stop a fee from a day on, and return False if it stops then already.

    Raises:
        RefusedError: if there is no such fee, or it starts later.
    """
    customer, fee = known(draft, identity, name)
    if since < fee.start:
        raise RefusedError(
            f"{identity}: fee {name} runs from {fee.start}",
            todo=f"use --from {fee.start} to cancel it from the start",
        )
    if fee.until == since:
        return False
    first, *others = fee.prices
    prices = (first, *(row for row in others if row[0] < since))
    _put(draft, customer, replace(fee, until=since, prices=prices))
    return True


def resume(draft: Draft, identity: str, name: str) -> bool:
    """Let a stopped fee run on as if it had not been stopped, and return False if it runs.

    Raises:
        RefusedError: if there is no such fee, or the account is settled.
    """
    customer, fee = known(draft, identity, name)
    if customer.settled:
        raise RefusedError(f"{identity}: the account is settled", todo="reopen it first")
    if fee.until is None:
        return False
    _put(draft, customer, replace(fee, until=None))
    return True


def known(draft: Draft, identity: str, name: str) -> tuple[Customer, Fee]:
    """Return a customer and a fee of theirs, by its id, or its service where it has no other fee.

    Raises:
        RefusedError: if there is no such customer or fee.
    """
    customer = register.known(draft, identity)
    for fee in customer.fees:
        if fee.id == name:
            return customer, fee
    of_service = [fee for fee in customer.fees if fee.service == name]
    if len(of_service) == 1:
        return customer, of_service[0]
    raise RefusedError(f"{identity}: no fee {name}", todo=f"see `a2ledger fee list {identity}`")


def settle(draft: Draft, identity: str, end: dt.date) -> Changes:
    """Stop a customer's fees, and settle them up to the day before ``end``, in the draft."""
    customer = subledgers.customer(draft, identity)
    if (stopped := fees.stopped(customer, end)) == customer:
        return Changes([], set())
    subledgers.put_customer(draft, stopped)
    return charge(draft, {identity}).get(identity, Changes([], set()))


def shown(entry: data.Transaction) -> str:
    """Format the amount of a fee's entry."""
    units = fees.amount(entry)
    micro = money.micro(cast("Decimal", units.number))
    return f"{money.text(micro, money.decimals(units.currency))} {units.currency}"


def listed(customers: Iterable[Customer], today: dt.date) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``fee list --json``."""
    for customer in customers:
        for fee in customer.fees:
            places = money.decimals(fee.currency)
            yield {
                "customer": customer.id,
                "id": fee.id,
                "service": fee.service,
                "amount": money.text(fee.price_micro(today), places),
                "quantity": fee.quantity(today),
                "price": money.text(fee.price_micro(today) // fee.quantity(today), places),
                "currency": fee.currency,
                "every": fee.every,
                "due": "arrears" if fee.arrears else "advance",
                "from": str(fee.start),
                "until": str(fee.until) if fee.until else None,
                "description": fee.description,
                "amounts": [
                    {"from": str(since), "amount": money.text(micro, places)}
                    for since, micro in fee.prices
                ],
            }
