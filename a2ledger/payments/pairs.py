"""Pair a payment with the refill it pays for, in whichever order they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts
from a2ledger.book.book import SUSPENSE, Draft
from a2ledger.documents.issue_taxed_refill import Issuer
from a2ledger.journal import general, shards, subledgers, syntax
from a2ledger.journal.entries import ISSUED, own_link, read_entry
from a2ledger.journal.period_file import with_entries
from a2ledger.payments import posting
from a2ledger.records import Movement
from a2ledger.sources.report import Report


class Known(NamedTuple):
    """An entry that is in the book."""

    customer: str
    """The customer's component of the account name, empty in suspense."""
    entry: data.Transaction
    sealed: bool
    owners: frozenset[str] = frozenset()
    """Components of the customers a payment was transferred to."""


def held_already(draft: Draft, given: Iterable[Movement]) -> dict[str, Known]:
    """Return entries in the book for the given movements, by link, and their possible partners."""
    rows = list(given)
    parts = {part(row.customer) for row in rows if row.customer}
    return held_among(draft, {posting.link(row) for row in rows}, parts)


def held_among(draft: Draft, wanted: Collection[str], parts: Collection[str]) -> dict[str, Known]:
    """Return entries with one of some links, and all entries of some customers that may pair."""
    customers = subledgers.customers(draft).entries()
    entries: dict[str, Known] = {}
    owners: dict[str, set[str]] = {}
    for text in _texts(draft, wanted, parts):
        for block in syntax.blocks(text):
            own = block.own_link if block.kind == "*" else ""
            if own.startswith(MOVED) and (moved := block.meta.get("payment")):
                customer = general.customer_of(block)
                owners.setdefault(moved, set()).add(customer)
                if customer in parts:
                    entries[own] = Known(customer, read_entry(block.text), sealed=True)
            elif own in wanted or own.startswith(PAIRED):
                customer = general.customer_of(block)
                if own in wanted or customer in parts:
                    known = customers.get(accounts.name_of(customer))
                    since = dt.date.fromordinal(known.open_since) if known else dt.date.min
                    sealed = block.date < str(since)
                    entries[own] = Known(customer, read_entry(block.text), sealed)
    return {
        link: row._replace(owners=frozenset(owners.get(link, ()))) for link, row in entries.items()
    }


_FEW = 100
"""Number of texts that are looked for in a whole file sooner than it is parsed."""


def _texts(draft: Draft, wanted: Collection[str], parts: Collection[str]) -> Iterator[str]:
    """Yield the general ledger's texts in which entries of :func:`held_among` may be."""
    own = [accounts.RECEIVABLE + part + ":" for part in parts if part]
    tokens = [*_stems([f"^{MOVED}", *(f"^{link}" for link in wanted)]), *own]
    for path in shards.months(draft):
        text = draft.text(path)
        if len(tokens) > _FEW or any(token in text for token in tokens):
            yield text
    yield from map(draft.text, draft.files(SUSPENSE))


def _stems(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts that none of the others is the beginning of.

    >>> list(_stems(["b", "a.2", "a", "a.3"]))
    ['a', 'b']
    """
    stem = None
    for text in sorted(texts):
        if stem is None or not text.startswith(stem):
            stem = text
            yield stem


INCUMBENT = "a2billing"
"""The dialect of A2Billing's own rows."""

MOVED = "transfer-"
"""Link prefix of entries that transfer a payment."""

PAIRED = ("payment-", "refill-")
"""Link prefixes of entries that may be paired."""


def part(customer: str) -> str:
    """Return a customer's component of account names, empty for unmatched money."""
    return accounts.component(customer) if customer else ""


def write(
    draft: Draft, by_customer: Mapping[str, Iterable[data.Transaction]], known: Iterable[Known]
) -> None:
    """Write entries into open periods, with VAT on top-ups where refills are taxed."""
    issuer = Issuer(draft)
    issuer.know(row.entry for row in known)
    for identity, entries in issuer.taxed(by_customer).items():
        file = with_entries(subledgers.open_file(draft, identity), entries)
        subledgers.put_open_file(draft, identity, file)
    issuer.say()


def replace_paired(draft: Draft, customer: str, entry: data.Transaction) -> None:
    """Replace a payment or refill of an open period.

    What it was paired with, and may be paired with by now, is put together anew.
    """
    held = held_among(draft, (), {part(customer)})
    held.pop(own_link(entry))
    pairs = pair(customer, [entry], list(held.values()), incumbents(draft))
    write(draft, {customer: pairs}, held.values())


def add_up(draft: Draft, movement: Movement, report: Report) -> None:
    """Add a row's amount to the total of its currency."""
    base = draft.config.currency
    own = subledgers.currency(draft, movement.customer) if movement.customer else base
    currency = movement.currency or own
    if currency == base:
        report.amount_micro += movement.amount_micro
    else:
        report.foreign_micro[currency] += movement.amount_micro


def incumbents(draft: Draft) -> tuple[str, ...]:
    """Return the link prefixes of payments that came from A2Billing.

    There a payment is with VAT and its refill without: what a payment has more is no more of the
    customer's money.
    """
    sources = draft.config.sources.values()
    names = {source.name for source in sources if source.dialect == INCUMBENT} | {INCUMBENT}
    return tuple(syntax.link("payment", name, "") for name in sorted(names))


def pair(
    customer: str, entries: list[data.Transaction], held: list[Known], whole: tuple[str, ...] = ()
) -> Iterator[data.Transaction]:
    """Yield entries that are new or changed after pairing payments with refills.

    What the open period holds is put together anew, as if all had come at once.

    Args:
        customer: whose.
        entries: the new ones.
        held: what the book has of the customer.
        whole: how links of payments begin that are for their refill whatever their amount.
    """
    new = {own_link(entry): entry for entry in entries}
    old = {own_link(row.entry): row.entry for row in held}
    # What has a document of its own stays as it is, though its period be open.
    sealed = {own_link(row.entry) for row in held if row.sealed or ISSUED in row.entry.meta}
    every = new | {
        link: entry
        if link in sealed or not link.startswith(PAIRED)
        else posting.alone(entry, customer)
        for link, entry in old.items()
    }
    standing = {link: entry for link, entry in every.items() if "voided" not in entry.meta}
    refills = [entry for link, entry in standing.items() if link.startswith("refill-")]
    payments = [
        entry
        for link, entry in standing.items()
        if link.startswith("payment-") or (link.startswith(MOVED) and _arrived(entry))
    ]
    paid: dict[str, int] = {}
    """Amount paid for each refill so far, by its link."""
    # What is closed stays as it is, and so it comes first.
    for payment in sorted(
        payments,
        key=lambda payment_entry: (own_link(payment_entry) not in sealed, own_link(payment_entry)),
    ):
        refill = partner(payment, refills)
        if refill is None:
            continue
        link, before = own_link(refill), paid.get(own_link(refill), 0)
        paid[link] = before + posting.credited(payment)
        if "customer" in payment.meta:  # put together in a closed period
            continue
        is_whole = own_link(payment).startswith(whole) if whole else False
        if own_link(payment) not in sealed:
            paid_micro = None if is_whole else posting.part_paid(refill, before, paid[link])
            every[own_link(payment)] = posting.paired(payment, refill, customer, paid_micro)
        elif link not in sealed:
            paid_micro = None if is_whole else posting.part_paid(refill, 0, paid[link])
            every[link] = posting.without_effect(refill, customer, paid_micro)
    for link, entry in every.items():
        if link in new or entry != old[link]:
            yield entry


def _arrived(entry: data.Transaction) -> bool:
    """Return whether a transfer brought a payment to the customer."""
    return entry.postings[0].account == accounts.UNMATCHED


def joined(draft: Draft, customer: str, arrived: data.Transaction) -> data.Transaction:
    """Put a payment that reaches its owner together with the refill it paid for, if with one."""
    held = held_among(draft, (), {part(customer)})
    refill = partner(
        arrived, (row.entry for link, row in held.items() if link.startswith("refill-"))
    )
    if refill is None or "voided" in refill.meta:
        return arrived
    own = own_link(refill)
    before = sum(
        posting.credited(row.entry)
        for link, row in held.items()
        if link != own and own in row.entry.links
    )
    after = before + posting.credited(arrived)
    return posting.paired(arrived, refill, customer, posting.part_paid(refill, before, after))


def partner(
    payment: data.Transaction, refills: Iterable[data.Transaction]
) -> data.Transaction | None:
    """Return the refill a payment belongs to, the first by link if there are several."""
    matching = [refill for refill in refills if posting.belong_together(payment, refill)]
    return min(matching, key=own_link, default=None)
