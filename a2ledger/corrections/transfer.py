"""Payments that went wrong: posted to the wrong customer, to nobody, or returned by the bank.

The entry of a payment stays where it is, and its link with it, so that importing it again posts
nothing. What becomes of it is told by entries that name it as ``payment``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from a2ledger import accounts
from a2ledger.accounts import NOBODY
from a2ledger.book.book import SUSPENSE, Book, Draft, RefusedError
from a2ledger.corrections import correct
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.correct import Posted, Wanted
from a2ledger.corrections.postings import Correction
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import exchange_rates, shards, subledgers, syntax
from a2ledger.journal.syntax import Block
from a2ledger.payments import imports, pairs, remainder
from a2ledger.payments.remainder import Payment


def returned(draft: Draft, wanted: Wanted, identity: str) -> Posted:
    """Post the return of a payment by the bank, as if it had never been made.

    Raises:
        RefusedError: if the customer holds no such payment.
    """
    payment = _payment(draft, wanted.customer, identity)
    adjustment = wanted.correction(draft, payment.amount_micro, payment.link)
    adjustment = adjustment._replace(currency=payment.currency)
    # It comes back once, whenever that is told.
    adjustment = adjustment._replace(id=wanted.id or corrections.identity("returned", payment.link))
    held = next(correct.entries_with(draft, adjustment), None)
    if held and held[1].meta.get("payment") == payment.link:
        adjustment = adjustment._replace(
            date=journal_entries.own_day(held[1]), description="", amount_micro=0
        )
        earlier = correct.find(draft, adjustment, None)
        if earlier:
            return earlier
    _check_there(payment, wanted.customer, identity)
    return _post(
        draft,
        Posted(
            correction=adjustment,
            entries=((wanted.customer, corrections.returned(adjustment, payment)),),
        ),
    )


class Moving(NamedTuple):
    """The payment (by id) or the amount to transfer."""

    to: str
    payment: str = ""
    amount_micro: int = 0


def transfer(draft: Draft, wanted: Wanted, moving: Moving) -> Posted:
    """Transfer a payment, or an amount, to the customer it belongs to.

    The customer it leaves and the one it reaches each have an entry, against suspense; none
    stands for suspense itself.

    Raises:
        RefusedError: if there is no such payment, or an amount would have to be converted;
            money comes from suspense, and goes there, by the payment.
    """
    source = wanted.customer
    if source == moving.to:
        raise RefusedError("a transfer needs two customers", undone="nothing was posted")
    if not moving.payment and not (source and moving.to):
        raise RefusedError(
            f"{NOBODY} holds payments, not amounts",
            undone="nothing was posted",
            todo=f"name one: `a2ledger {NOBODY}` lists them",
        )
    payment = _payment(draft, source, moving.payment) if moving.payment else None
    correct.check_decimals(moving.amount_micro, subledgers.currency(draft, source))
    adjustment = wanted.correction(
        draft, moving.amount_micro, moving.to, payment.link if payment else ""
    )
    if held := _found(draft, adjustment, moving):
        return held
    if payment:
        _check_there(payment, source, moving.payment)
        adjustment = adjustment._replace(
            amount_micro=payment.amount_micro, currency=payment.currency
        )
    entries = []
    if source:
        entries.append((source, corrections.transferred_out(adjustment, payment)))
    if moving.to:
        other = _converted(draft, adjustment._replace(customer=moving.to), payment)
        arrived = corrections.transferred_in(other, payment)
        entries.append((moving.to, pairs.joined(draft, moving.to, arrived)))
    return _post(draft, Posted(correction=adjustment, entries=tuple(entries)))


def _converted(draft: Draft, adjustment: Correction, payment: Payment | None) -> Correction:
    """Convert a transfer to the receiving customer's currency.

    Raises:
        RefusedError: if there is no price for it, or it is no payment.
    """
    currency = subledgers.currency(draft, adjustment.customer)
    if adjustment.currency == currency:
        return adjustment
    micro = None
    if payment and payment.paid_currency == currency:
        micro = payment.paid_micro
    elif payment:
        micro = exchange_rates.prices(draft).converted(
            adjustment.amount_micro, adjustment.currency, currency, payment.date
        )
    if micro is None:
        raise RefusedError(
            f"it is in {adjustment.currency}, and {adjustment.customer} is kept in {currency}",
            undone="nothing was posted",
            todo="only payments are converted, at imported exchange rates: see `import prices`",
        )
    return adjustment._replace(amount_micro=micro, currency=currency)


def _found(draft: Draft, adjustment: Correction, moving: Moving) -> Posted | None:
    """Return a transfer that is in the book already, after comparing it with the request."""
    held = dict(correct.entries_with(draft, adjustment))
    if not held:
        return None
    parties = [name for name in (adjustment.customer, moving.to) if name]
    entries = [(name, held.get(accounts.component(name))) for name in parties]
    present = [(name, entry) for name, entry in entries if entry]
    moved = {correct.amount_of(entry, name) for name, entry in present}
    days = {journal_entries.own_day(entry) for _, entry in present}
    if (
        len(present) != len(held)
        or len(present) != len(parties)
        or days != {adjustment.date}
        or (moving.amount_micro and moved != {moving.amount_micro})
    ):
        raise RefusedError(
            f"transfer {adjustment.id} is already in the book with other values",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return Posted(
        correction=adjustment._replace(amount_micro=max(moved)), entries=tuple(present), new=False
    )


def _post(draft: Draft, posted: Posted) -> Posted:
    """Post the entries of a correction, each to its customer or to suspense."""
    for customer, entry in posted.entries:
        correct.check_day(draft, customer, entry.date)
    placed = []
    for customer, entry in posted.entries:
        if customer:
            placed.append((customer, correct.place(draft, customer, entry)))
        else:
            imports.suspend(draft, [entry])
            placed.append((customer, entry))
    return replace(posted, entries=tuple(placed))


def _check_there(payment: Payment, customer: str, identity: str) -> None:
    if payment.amount_micro <= 0:
        raise RefusedError(
            (
                f"{customer or NOBODY}: nothing is left of payment {identity}: "
                "it was returned or transferred before"
            ),
            undone="nothing was posted",
        )


# Finding payments


def _payment(draft: Draft, customer: str, identity: str) -> Payment:
    """Return a payment that a customer holds or held, by its id or its link.

    Raises:
        RefusedError: if there is none, or more than one.
    """
    payments = {
        link: payment
        for link, payment in remainder.held(_blocks(draft, customer), customer).items()
        if identity == link or re.fullmatch(rf"payment-.+-{re.escape(_safe(identity))}", link)
    }
    exact = [link for link in payments if link == syntax.link("payment", "payments", identity)]
    if len(payments) > 1 and identity not in payments and not exact:
        names = ", ".join(sorted(payments))
        raise RefusedError(
            f"{customer or NOBODY}: several payments are called {identity}: {names}",
            undone="nothing was posted",
            todo="name one of these",
        )
    if not payments:
        raise RefusedError(
            f"{customer or NOBODY}: no payment {identity}",
            undone="nothing was posted",
            todo="use the id it was imported with",
        )
    return payments[next(name for name in (identity, *exact, *payments) if name in payments)]


def is_payment(draft: Draft, customer: str, identity: str) -> bool:
    """Return True if a customer, or suspense, has a payment with an id."""
    link = re.compile(rf"payment-.+-{re.escape(_safe(identity))}")
    return any(map(link.fullmatch, remainder.held(_blocks(draft, customer), customer)))


def _safe(identity: str) -> str:
    return syntax.link("", "", identity).removeprefix("--")


def _blocks(draft: Draft, customer: str) -> Iterator[Block]:
    if customer:
        yield from correct.blocks(draft, customer)
    else:
        yield from suspense_blocks(draft)


def suspense_blocks(draft: Draft | Book) -> Iterator[Block]:
    """Yield entries that move unmatched money, by month, those of suspense first."""
    for path in [*draft.files(SUSPENSE), *shards.months(draft)]:
        text = draft.text(path)
        if accounts.UNMATCHED in text:
            for block in syntax.blocks(text):
                if block.kind == "*" and accounts.UNMATCHED in block.text:
                    yield block


class Unmatched(NamedTuple):
    """A payment that belongs to no customer."""

    id: str
    date: str
    amount_micro: int
    currency: str
    account: str
    reference: str
    description: str


def unmatched(book: Book) -> list[Unmatched]:
    """Return payments in suspense, oldest first."""
    blocks: list[Block] = book.reading(lambda: list(suspense_blocks(book)))
    entries = {name: block for block in blocks for name in block.links}
    rows = []
    for link, payment in remainder.held(blocks, "").items():
        if payment.amount_micro:
            entry = journal_entries.read_entry(entries[link].text) if link in entries else None
            rows.append(
                Unmatched(
                    str(entry.meta["id"]) if entry else link,
                    str(payment.date),
                    payment.amount_micro,
                    payment.currency,
                    payment.account,
                    payment.reference,
                    (entry.narration or "") if entry else "",
                )
            )
    return sorted(rows, key=lambda row: (row.date, row.id))
