"""Letters about money that nobody has paid, and about balances that run low."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from a2ledger import money
from a2ledger.balances import ageing, balances
from a2ledger.balances.ageing import Aged, Open
from a2ledger.book.bills import DunningStep
from a2ledger.book.book import Book, Draft, RefusedError
from a2ledger.corrections import void
from a2ledger.delivery import dispatch, outbox, still_due
from a2ledger.delivery.outbox import SKIPPED, Message
from a2ledger.documents import references
from a2ledger.journal import subledgers
from a2ledger.journal.ledger import Standing
from a2ledger.payments import imports
from a2ledger.records import Customer, Movement
from a2ledger.sources.report import Report

_OF_MONEY = ("reminder", "low-balance", "over-limit")
_WEEK = dt.timedelta(days=7)
"""How long a customer whose balance stays low is left alone."""


def overdue(book: Book, today: dt.date) -> Iterator[Message]:
    """Yield the reminders that are due today, one at most for each customer.

    A document's first reminder is the gentlest, whenever it comes; each further one waits as many
    days after the last as their steps are apart.

    Args:
        book: whose customers.
        today: the day.
    """
    steps = book.config.dunning.steps
    if not steps:
        return
    reminded: dict[str, tuple[int, str]] = {}
    for message in outbox.read(book).values():
        if message.kind == "reminder" and not message.overtaken:
            for row in message.about["invoices"]:
                reminded[row["number"]] = message.about["step"], message.queued
    customers = subledgers.customers(book)
    for aged in ageing.aged(book, [], today):
        customer = customers[aged.customer]
        if customer.text("dunning", today) == "stop":
            continue
        late = [
            (_step(steps, document, today, reminded.get(_name(document))), document)
            for document in aged.documents
            if document.due < today
        ]
        if any(step is not None for step, _ in late):
            step = max(step for step, _ in late if step is not None)
            documents = [document for _, document in late]
            yield from _reminders(book, customer, aged, documents, step, today)


def _name(document: Open) -> str:
    return document.number or f"{document.title} {document.date}"


def _step(
    steps: tuple[DunningStep, ...], document: Open, today: dt.date, last: tuple[int, str] | None
) -> int | None:
    """Return which reminder of a document is due; None if none is."""
    following = 0 if last is None else last[0] + 1
    if following >= len(steps) or (today - document.due).days < steps[following].days:
        return None
    if last is not None:
        apart = steps[following].days - steps[following - 1].days
        if (today - dt.date.fromisoformat(last[1])).days < apart:
            return None
    return following


def _reminders(
    book: Book, customer: Customer, aged: Aged, late: list[Open], step: int, today: dt.date
) -> Iterator[Message]:
    config = book.config
    if sum(document.open_micro for document in late) <= aged.unapplied_micro:
        return
    fee = config.dunning.steps[step].fee_micro if aged.currency == config.currency else 0
    about = {
        "step": step,
        "text": config.dunning.steps[step].text,
        "currency": aged.currency,
        "fee": money.text(fee, money.decimals(aged.currency)) if fee else "",
        **_open(book, customer, aged, late),
    }
    yield from dispatch.letters_to(
        book, customer, "reminder", f"reminder-{customer.id}-{today}", about, today
    )


def _open(book: Book, customer: Customer, aged: Aged, late: Sequence[Open]) -> dict[str, Any]:
    """Return what a reminder says of the documents that are overdue."""
    config = book.config
    places = money.decimals(aged.currency)
    total = sum(document.open_micro for document in late) - aged.unapplied_micro
    named = [
        references.of_invoice(document.number, config.company.iban, config.bill.reference)
        for document in late
        if document.issued
    ]
    return {
        "total": money.text(total, places),
        "reference": references.grouped(named[0]) if len(named) == 1 else customer.id,
        "invoices": [
            {
                "number": _name(document),
                "title": document.title,
                "due": str(document.due),
                "open": money.text(document.open_micro, places),
            }
            for document in late
        ],
    }


def overtaken(book: Book, messages: Iterable[Message], today: dt.date) -> Iterator[Message]:
    """Yield letters about money whose contents are out of date, as they are to go today.

    What has been paid meanwhile is not asked for; where nothing is left to say the letter is
    skipped.

    Args:
        book: whose.
        messages: queued on an earlier day, or to be sent again.
        today: the day they go out.
    """
    customers = subledgers.customers(book)
    for message in messages:
        if message.kind not in _OF_MONEY or message.customer not in customers:
            continue
        customer = customers[message.customer]
        if message.kind == "reminder":
            about, why = _still_overdue(book, customer, message, today)
        else:
            about, why = _still_low(book, customer, message, today)
        if why:
            yield message._replace(state=SKIPPED, error=why, overtaken=True, not_before="")
        elif about != message.about:
            yield message._replace(about=about)


def _still_overdue(
    book: Book, customer: Customer, message: Message, today: dt.date
) -> tuple[Mapping[str, Any], str]:
    """Return what a reminder says today, or why it says nothing any more."""
    if customer.text("dunning", today) == "stop":
        return {}, "reminders of this customer have been stopped"
    named = {row["number"] for row in message.about["invoices"]}
    account = still_due.aged(book, customer.id, today)
    late = [document for document in account.documents if _name(document) in named]
    if sum(document.open_micro for document in late) <= account.unapplied_micro:
        return {}, "what it asks for has been settled"
    return {**message.about, **_open(book, customer, account, late)}, ""


def _still_low(
    book: Book, customer: Customer, message: Message, today: dt.date
) -> tuple[Mapping[str, Any], str]:
    """Return what a letter about a balance says today, or why it says nothing any more."""
    standing = balances.standing_on(book, customer, today)
    settings = book.config.delivery
    kind = _kind(standing, settings.low_balance_micro, over_limit=settings.over_limit)
    if kind != message.kind or customer.settled:
        return {}, "the balance is not so any more"
    return _available(standing), ""


def charge_fees(draft: Draft, messages: list[Message]) -> None:
    """Post the fees of new reminders into a draft, before it queues them.

    The fee of a reminder that is skipped before it went out is taken back, unless it is billed.
    """
    known = outbox.read(draft)
    whole = known | {message.key: message for message in messages}
    gone_out = {sent.document for sent in whole.values() if not sent.overtaken or sent.copy > 1}
    for message in messages:
        if message.overtaken and message.document not in gone_out and message.about.get("fee"):
            with contextlib.suppress(RefusedError):
                void.void(draft, f"charge/{message.document}", f"not sent: {message.error}")
    fees = {
        message.document: Movement(
            kind="charge",
            source="dunning",
            id=message.document,
            customer=message.customer,
            date=draft.today,
            amount_micro=money.parse(message.about["fee"]),
            service=draft.config.dunning.service,
            description="Reminder: " + ", ".join(
                row["number"] for row in message.about["invoices"]
            ),
        )
        for message in messages
        if message.kind == "reminder" and message.about["fee"] and message.key not in known
        and not subledgers.customers(draft)[message.customer].settled
    }  # fmt: skip
    if fees:
        imports.take(draft, fees.values(), {"charge": Report(source="charges")})


def balances_low(book: Book, today: dt.date) -> Iterator[Message]:
    """Yield letters to customers whose balance is low or who are over their limit.

    A customer gets at most one of them a day, and at most one a week while the balance only falls.
    """
    settings = book.config.delivery
    if settings.low_balance_micro is None and not settings.over_limit:
        return
    last: dict[tuple[str, str], Message] = {}
    has_letter: set[str] = set()
    """Customers who have a letter today."""
    for message in outbox.read(book).values():
        if message.kind in {"low-balance", "over-limit"}:
            last[message.customer, message.kind] = message
            if message.queued >= str(today):
                has_letter.add(message.customer)
    customers = subledgers.customers(book)
    for standing in balances.balances(book)[0]:
        customer = customers[standing.customer]
        kind = _kind(standing, settings.low_balance_micro, over_limit=settings.over_limit)
        if not kind or customer.settled or customer.id in has_letter:
            continue
        before = last.get((customer.id, kind))
        if before and not _is_new(before, standing.available_micro, today):
            continue
        about = _available(standing)
        yield from dispatch.letters_to(
            book, customer, kind, f"{kind}-{customer.id}-{today}", about, today
        )


def _available(standing: Standing) -> dict[str, str]:
    """Return what a letter about a balance says of it."""
    places = money.decimals(standing.currency)
    return {
        "currency": standing.currency,
        "available": money.text(standing.available_micro, places),
        "over": money.text(-standing.available_micro, places),
        "reference": standing.customer,
    }


def _kind(standing: Standing, low_micro: int | None, *, over_limit: bool) -> str:
    if standing.over_limit:
        return "over-limit" if over_limit else ""
    prepaid = not standing.credit_limit_micro
    low = prepaid and low_micro is not None and standing.available_micro < low_micro
    return "low-balance" if low else ""


def _is_new(before: Message, available_micro: int, today: dt.date) -> bool:
    """Return whether a customer whose balance was low before gets another letter of it."""
    day = dt.date.fromisoformat(before.queued)
    return today - day >= _WEEK or available_micro > money.parse(before.about["available"])
