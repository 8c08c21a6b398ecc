"""Make, move, strike out and read back the entries of a journal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import cast

from beancount.core import amount, data
from beancount.core.amount import Amount
from beancount.parser import parser

from a2ledger import accounts, money
from a2ledger.journal import syntax

NUMBERED = frozenset({"invoice", "credit-note"})
"""Tags of the entry that closes a period with a numbered document."""

CLOSES = NUMBERED | {"statement"}
"""Tags of the entry that ends a period."""

CLOSING = CLOSES | {"rounding", "release", "tax-point"}
"""Tags of all entries that a close writes."""

ISSUED = "invoice"
"""Metadata key: the number of the document issued for this entry alone, with its VAT taken out."""

STATED = "document"
"""Metadata key: the name of the statement that bills a period in place of an invoice."""


def moved_to(entry: data.Transaction, day: dt.date) -> data.Transaction:
    """Return an entry posted late: on another day, with its own day as metadata."""
    return entry._replace(date=day, meta={**entry.meta, "late_from": entry.date})


def own_day(entry: data.Transaction) -> dt.date:
    """Return the day an entry is for, whether it was posted late or not."""
    day: dt.date = entry.meta.get("late_from", entry.date)
    return day


def _without_vat(postings: Sequence[data.Posting]) -> list[data.Posting]:
    """Return postings with VAT added back to the leg it was taken from: Billed, or the last."""
    taxes, others = _apart(postings)
    billed = [place for place, posting in enumerate(others) if posting.account.endswith(":Billed")]
    place = billed[0] if billed else -1
    for tax in taxes:
        both = amount.add(cast("Amount", others[place].units), cast("Amount", tax.units))
        others[place] = others[place]._replace(units=both)
    return others


def _apart(
    postings: Sequence[data.Posting],
) -> tuple[list[data.Posting], list[data.Posting]]:
    """VAT in the account's currency, and the postings that are none of it.

    What is owed in another currency is three postings, as :func:`converted` makes them.
    """
    taxes, left = list[data.Posting](), list[data.Posting]()
    skipped = 0
    for posting in postings:
        if skipped:
            skipped -= 1
        elif "vat_of" in (posting.meta or {}):
            taxes.append(posting)
            skipped = 2
        elif posting.account.startswith(accounts.TAXES):
            taxes.append(posting)
        else:
            left.append(posting)
    return taxes, left


def gross(entry: data.Transaction) -> data.Transaction:
    """Return a refill's entry with its full amount, as it was before VAT was taken out."""
    return entry._replace(postings=_without_vat(entry.postings)) if ISSUED in entry.meta else entry


def voided(entry: data.Transaction, reason: str) -> data.Transaction:
    """Return an entry struck out: its amounts are zero, and metadata keep what they were."""
    return entry._replace(
        meta={**entry.meta, "voided": reason},
        postings=[_struck(posting) for posting in entry.postings],
    )


def _struck(posting: data.Posting) -> data.Posting:
    units = cast("Amount", posting.units)
    nothing = Amount(abs(cast("Decimal", units.number) * 0), units.currency)
    return posting._replace(units=nothing, meta={**(posting.meta or {}), "was": units})


def restored(entry: data.Transaction) -> data.Transaction:
    """Return an entry as it was before it was struck out."""
    if "voided" not in entry.meta:
        return entry
    return entry._replace(
        meta={key: value for key, value in entry.meta.items() if key != "voided"},
        postings=[_standing(posting) for posting in entry.postings],
    )


def _standing(posting: data.Posting) -> data.Posting:
    meta = dict(posting.meta or {})
    units = meta.pop("was", posting.units)
    return posting._replace(units=units, meta=meta or None)


def sale(
    customer: str, account: str, micro: int, currency: str, *, vat: str, pending_micro: int = 0
) -> list[data.Posting]:
    """Return the postings of a sale: a customer owes what an account earns.

    Args:
        customer: who owes it.
        account: what earns it: a service's income, or income deferred.
        micro: the price.
        currency: of the customer's account.
        vat: the code it is posted under.
        pending_micro: the VAT inside the price, which waits until it is billed.
    """
    postings = [
        leg(accounts.unbilled(customer), micro, currency, vat=vat),
        leg(account, pending_micro - micro, currency),
    ]
    if pending_micro:
        postings.append(leg(accounts.pending(vat), -pending_micro, currency))
    return postings


def transaction(
    day: dt.date,
    payee: str,
    narration: str,
    postings: Sequence[data.Posting],
    *,
    meta: dict[str, object] | None = None,
    links: Iterable[str] = (),
    tags: Iterable[str] = (),
) -> data.Transaction:
    """Return a cleared Beancount transaction."""
    return data.Transaction(
        meta or {}, day, "*", payee, narration, frozenset(tags), frozenset(links), list(postings)
    )


def leg(
    account: str, micro: int, currency: str, *, places: int = money.PLACES, vat: str = ""
) -> data.Posting:
    """Return a posting of an amount in micro-units, written with at least ``places`` decimals."""
    units = Amount(money.decimal(micro, places), currency)
    return data.Posting(account, units, None, None, None, {"vat": vat} if vat else None)


_KEPT = ("vat", "vat_of", "was")
"""Metadata of postings that the program writes."""


def read_entry(text: str) -> data.Transaction:
    """Parse a transaction that the program wrote."""
    entries, _, _ = parser.parse_string(text)
    entry = cast("data.Transaction", entries[0])
    meta = {key: value for key, value in entry.meta.items() if key not in {"filename", "lineno"}}
    return entry._replace(
        meta=meta,
        postings=[
            leg._replace(meta={key: meta[key] for key in _KEPT if key in meta} or None)
            for leg in entry.postings
            for meta in [leg.meta or {}]
        ],
    )


def own_link(entry: data.Transaction) -> str:
    """Return the link that identifies an entry, a payment's before its refill's."""
    return syntax.own_link(entry.links)


def converted(
    account: str, code: str, own: tuple[int, str], other: tuple[int, str]
) -> list[data.Posting]:
    """Return the postings of VAT owed in another currency than the customer's.

    Args:
        account: of the VAT.
        code: which.
        own: what is posted in the account's currency, and that currency.
        other: the same in the currency in which the VAT is owed.
    """
    (micro, currency), (translated, base) = own, other
    return [
        leg(accounts.CONVERSION, micro, currency, places=money.decimals(currency))._replace(
            meta={"vat_of": code}
        ),
        leg(accounts.CONVERSION, -translated, base, places=money.decimals(base)),
        leg(account, translated, base, places=money.decimals(base)),
    ]
