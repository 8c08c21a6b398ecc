"""What is left of payments, after returns, transfers and reversals.

A payment's own entry stays where it is. What becomes of it is told by entries that name its link
as ``payment`` (returned, transferred), and by negative payments whose ``reference`` is its id (the
bank's own file told of the return). One return that is told by both is one return.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import gross, own_day, read_entry
from a2ledger.journal.syntax import Block


class Payment(NamedTuple):
    """A payment, as held by a customer or in suspense."""

    link: str
    date: dt.date
    """The day it was made."""
    amount_micro: int
    """What is left of it: zero once it is returned, or moved away."""
    currency: str
    account: str
    """The account the money came into."""
    paid_micro: int
    """The amount received there, in its own currency."""
    paid_currency: str
    reference: str = ""


def held(blocks: Iterable[Block], customer: str, kind: str = "payment") -> dict[str, Payment]:
    """Return payments a customer has or had, by link, with what is left of each.

    Args:
        blocks: entries of the customer's own ledger; of suspense, those of its files and of all
            transfers.
        customer: the id; empty for suspense.
        kind: ``payment``, or ``refill`` for refills and what reverses them.
    """
    account = accounts.billed(customer) if customer else accounts.UNMATCHED
    payments: dict[str, Payment] = {}
    sums_by_link: dict[str, dict[str, int]] = {}
    rows = [row for block in blocks if (row := _row(block, kind)) is not None]
    ids = {row.id: row.link for row in rows if row.own and row.micro > 0 and row.id}
    for row in rows:
        link = ids.get(row.reference, row.link) if row.own and row.micro < 0 else row.link
        legs = _legs(row.entry)
        if link not in payments:
            payments[link] = _told(link, row.entry, legs[0])
            sums_by_link[link] = {}
        moved = [leg for leg in legs if leg.account == account]
        is_joined = "customer" in row.entry.meta
        if customer and (is_joined or (row.own and not moved)):
            # It paid for a refill: what that debited is credited in the customer's place.
            moved = [leg for leg in legs[1:] if leg.account != accounts.CONVERSION]
        for leg in moved:
            sums = sums_by_link[link]
            sums[leg.currency] = sums.get(leg.currency, 0) - leg.micro
    return {link: _left(payment, sums_by_link[link]) for link, payment in payments.items()}


def is_called(link: str, kind: str, identity: str) -> bool:
    """Return True if a link is that of a payment or refill with an id, from any source."""
    safe = syntax.link("", "", identity).removeprefix("--")
    return re.fullmatch(rf"{kind}-.+-{re.escape(safe)}", link) is not None


class _Row(NamedTuple):
    """A payment's own entry, or an entry about a payment."""

    link: str
    """Link of the payment."""
    own: bool
    id: str
    reference: str
    micro: int
    """Amount received, negative for a reversal."""
    entry: data.Transaction


def _row(block: Block, kind: str) -> _Row | None:
    prefix = f"{kind}-"
    own = next((name for name in block.links if name.startswith(prefix)), "")
    if kind == "refill" and any(name.startswith("payment-") for name in block.links):
        own = ""
    about = block.meta.get("payment") if kind == "payment" else None
    link = about or own
    if not link:
        return None
    entry = read_entry(block.text)
    first = _legs(entry)[0]
    meta = entry.meta
    return _Row(
        link,
        bool(own) and not about,
        str(meta.get("id", "")),
        str(meta.get("reference", "")),
        first.micro,
        entry,
    )


def _told(link: str, entry: data.Transaction, first: syntax.Leg) -> Payment:
    """Return a payment as described by its own entry, or by one that moved it."""
    meta, reference = entry.meta, str(entry.meta.get("reference", ""))
    if "payment" not in meta:
        where = first.account
        paid, currency, day = first.micro, first.currency, own_day(entry)
    else:
        where, day = str(meta.get("account", "")), meta.get("paid", entry.date)
        amount = meta.get("paid_amount")
        paid = money.micro(amount.number) if amount else 0
        currency = amount.currency if amount else ""
    return Payment(link, day, 0, "", where, paid, currency, reference)


def _left(payment: Payment, sums: Mapping[str, int]) -> Payment:
    """Return a payment with what is left of it."""
    remaining = [(micro, currency) for currency, micro in sums.items() if micro]
    micro, currency = remaining[0] if remaining else (0, next(iter(sums), payment.paid_currency))
    return payment._replace(
        amount_micro=micro,
        currency=currency,
        paid_micro=payment.paid_micro or micro,
        paid_currency=payment.paid_currency or currency,
    )


def _legs(entry: data.Transaction) -> Sequence[syntax.Leg]:
    return syntax.legs(syntax.formatted(gross(entry)))
