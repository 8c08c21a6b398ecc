"""Payments that went wrong: booked to the wrong customer, to nobody, or taken back by the bank.

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
from a2ledger.book.book import GENERAL, SUSPENSE, Book, Draft, RefusedError
from a2ledger.corrections import correct
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.correct import Posted, Wanted
from a2ledger.corrections.postings import Correction
from a2ledger.journal import entries as journal_entries
from a2ledger.journal import exchange_rates, subledgers, syntax
from a2ledger.journal.syntax import Block
from a2ledger.payments import imports, pairs, remainder
from a2ledger.payments.remainder import Payment


def returned(draft: Draft, wanted: Wanted, identity: str) -> Posted:
    """A payment that the bank took back: as if it had never been made.

    Raises:
        RefusedError: if the customer holds no such payment.
    """
    payment = _payment(draft, wanted.customer, identity)
    one = wanted.correction(draft, payment.amount_micro, payment.link)
    one = one._replace(currency=payment.currency)
    # It comes back once, whenever that is told.
    one = one._replace(id=wanted.id or corrections.identity("returned", payment.link))
    held = next(correct.entries_with(draft, one), None)
    if held and held[1].meta.get("payment") == payment.link:
        one = one._replace(date=journal_entries.own_day(held[1]), description="", amount_micro=0)
        found = correct.find(draft, one, None)
        if found:
            return found
    _check_there(payment, wanted.customer, identity)
    return _post(
        draft,
        Posted(correction=one, entries=((wanted.customer, corrections.returned(one, payment)),)),
    )


class Moving(NamedTuple):
    """What is transferred: a payment by its id, or an amount."""

    to: str
    payment: str = ""
    amount_micro: int = 0


def transfer(draft: Draft, wanted: Wanted, what: Moving) -> Posted:
    """Move a payment, or an amount, to the customer it belongs to.

    The customer it leaves and the one it reaches each have an entry, against suspense; none
    stands for suspense itself.

    Raises:
        RefusedError: if there is no such payment, or an amount would have to be converted;
            money comes from suspense, and goes there, by the payment.
    """
    source = wanted.customer
    if source == what.to:
        raise RefusedError("a transfer needs two customers", undone="nothing was posted")
    if not what.payment and not (source and what.to):
        raise RefusedError(
            f"{NOBODY} holds payments, not amounts",
            undone="nothing was posted",
            todo=f"name one: `a2ledger {NOBODY}` lists them",
        )
    payment = _payment(draft, source, what.payment) if what.payment else None
    correct.check_decimals(what.amount_micro, subledgers.currency(draft, source))
    one = wanted.correction(draft, what.amount_micro, what.to, payment.link if payment else "")
    if held := _found(draft, one, what):
        return held
    if payment:
        _check_there(payment, source, what.payment)
        one = one._replace(amount_micro=payment.amount_micro, currency=payment.currency)
    entries = []
    if source:
        entries.append((source, corrections.transferred_out(one, payment)))
    if what.to:
        other = _converted(draft, one._replace(customer=what.to), payment)
        arrived = corrections.transferred_in(other, payment)
        entries.append((what.to, pairs.joined(draft, what.to, arrived)))
    return _post(draft, Posted(correction=one, entries=tuple(entries)))


def _converted(draft: Draft, one: Correction, payment: Payment | None) -> Correction:
    """What a customer is credited with, in his own currency: as if the payment had been his.

    Raises:
        RefusedError: if there is no price for it, or it is no payment.
    """
    currency = subledgers.currency(draft, one.customer)
    if one.currency == currency:
        return one
    micro = None
    if payment and payment.paid_currency == currency:
        micro = payment.paid_micro
    elif payment:
        micro = exchange_rates.prices(draft).converted(
            one.amount_micro, one.currency, currency, payment.date
        )
    if micro is None:
        raise RefusedError(
            f"it is in {one.currency}, and {one.customer} is kept in {currency}",
            undone="nothing was posted",
            todo="only payments are converted, by the prices of both: see `import prices`",
        )
    return one._replace(amount_micro=micro, currency=currency)


def _found(draft: Draft, one: Correction, what: Moving) -> Posted | None:
    """A transfer that is in the book, if it is what is asked for."""
    held = dict(correct.entries_with(draft, one))
    if not held:
        return None
    parties = [name for name in (one.customer, what.to) if name]
    entries = [(name, held.get(accounts.component(name))) for name in parties]
    there = [(name, entry) for name, entry in entries if entry]
    moved = {correct.amount_of(entry, name) for name, entry in there}
    days = {journal_entries.own_day(entry) for _, entry in there}
    if (
        len(there) != len(held)
        or len(there) != len(parties)
        or days != {one.date}
        or (what.amount_micro and moved != {what.amount_micro})
    ):
        raise RefusedError(
            f"transfer {one.id} is in the book with other content",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return Posted(correction=one._replace(amount_micro=max(moved)), entries=tuple(there), new=False)


def _post(draft: Draft, posted: Posted) -> Posted:
    """Write the entries of a correction, each where it belongs."""
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
                f"{customer or NOBODY}: nothing of payment {identity} is there any more: "
                "it was returned or transferred before"
            ),
            undone="nothing was posted",
        )


# Finding payments


def _payment(draft: Draft, customer: str, identity: str) -> Payment:
    """A payment a customer holds or held, by its id or its link.

    Raises:
        RefusedError: if there is none, or more than one.
    """
    found = {
        link: payment
        for link, payment in remainder.held(_blocks(draft, customer), customer).items()
        if identity == link or re.fullmatch(rf"payment-.+-{re.escape(_safe(identity))}", link)
    }
    exact = [link for link in found if link == syntax.link("payment", "payments", identity)]
    if len(found) > 1 and identity not in found and not exact:
        names = ", ".join(sorted(found))
        raise RefusedError(
            f"{customer or NOBODY}: several payments are called {identity}: {names}",
            undone="nothing was posted",
            todo="name one of these",
        )
    if not found:
        raise RefusedError(
            f"{customer or NOBODY}: no payment {identity}",
            undone="nothing was posted",
            todo="its id is the one it was imported with",
        )
    return found[next(name for name in (identity, *exact, *found) if name in found)]


def is_payment(draft: Draft, customer: str, identity: str) -> bool:
    """Whether a customer, or suspense, has a payment of an id."""
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
    """Entries that move money which is nobody's, by month; those of suspense itself first."""
    for path in [*draft.files(SUSPENSE), *draft.files(GENERAL, "2*.beancount")]:
        text = draft.text(path)
        if accounts.UNMATCHED in text:
            for block in syntax.blocks(text):
                if block.kind == "*" and accounts.UNMATCHED in block.text:
                    yield block


class Unmatched(NamedTuple):
    """A payment that is no customer's."""

    id: str
    date: str
    amount_micro: int
    currency: str
    account: str
    reference: str
    description: str


def unmatched(book: Book) -> list[Unmatched]:
    """Payments in suspense, oldest first."""
    blocks: list[Block] = book.reading(lambda: list(suspense_blocks(book)))
    entries = {name: block for block in blocks for name in block.links}
    found = []
    for link, payment in remainder.held(blocks, "").items():
        if payment.amount_micro:
            entry = journal_entries.read_entry(entries[link].text) if link in entries else None
            found.append(
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
    return sorted(found, key=lambda row: (row.date, row.id))
