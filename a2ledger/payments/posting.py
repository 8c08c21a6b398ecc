"""Turn a refill, payment, charge or opening into its entry in the customer's ledger.

| event   | debit                                   | credit                    |
|---------|-----------------------------------------|---------------------------|
| charge  | Unbilled                                | Income:service            |
| payment | the account of its method (Assets:Bank) | Billed                    |
| refill  | the account of its method (Clearing)    | Billed                    |
| opening | Billed                                  | Equity:Opening-Balances   |

A payment that names no customer credits ``Liabilities:Suspense:Unmatched``. A payment and the
refill it paid for are one event, in whichever order they arrive: the refill credits Billed, and
the payment credits what the refill debited. A payment in another currency than the account's goes
through Equity:Conversion, balanced in each of both; never through a price on a posting.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import _without_vat, gross, leg, own_day, restored, sale, transaction
from a2ledger.records import Movement

TITLES = {"payment": "Payment", "refill": "Refill", "opening": "Opening balance"}
_DEFAULTS = {"payment": accounts.BANK, "refill": accounts.REFILLS, "opening": accounts.OPENING}


def link(movement: Movement) -> str:
    """Return the link that identifies a movement's entry."""
    return syntax.link(movement.kind, movement.source, movement.id)


def account_of(movement: Movement, methods: Mapping[str, str]) -> str:
    """Return the contra account of a movement.

    ``methods`` are accounts by method; a method without one is a gateway.
    """
    if movement.kind == "charge":
        return accounts.income(movement.service)
    method = "" if movement.kind == "opening" else movement.method
    return method_account(method, methods, _DEFAULTS[movement.kind])


def method_account(method: str, methods: Mapping[str, str], default: str) -> str:
    """Return the account of a payment method, the default if none is named."""
    return (methods.get(method.lower()) or accounts.gateway(method)) if method else default


def entry(
    movement: Movement,
    *,
    currency: str,
    methods: Mapping[str, str],
    vat: str = "",
    credited_micro: int | None = None,
    pending_micro: int = 0,
) -> data.Transaction:
    """Make the entry of a movement on its own day, unpaired.

    Args:
        movement: what moved.
        currency: of the customer's account.
        methods: accounts by payment or refill method.
        vat: the VAT code a charge is posted under.
        credited_micro: what a payment in another currency is worth in the account's.
        pending_micro: the VAT inside a charge.
    """
    meta: dict[str, object] = {"id": movement.id}
    if movement.reference:
        meta["reference"] = movement.reference
    if movement.due:
        meta["due"] = movement.due
    micro, other = movement.amount_micro, account_of(movement, methods)
    places = money.decimals(currency)
    if movement.kind == "charge":
        title = movement.service
        postings = sale(
            movement.customer, other, micro, currency, vat=vat, pending_micro=pending_micro
        )
    elif movement.kind == "opening":
        title = TITLES[movement.kind]
        postings = [
            leg(accounts.billed(movement.customer), micro, currency, places=places),
            leg(other, -micro, currency, places=places),
        ]
    else:
        title = TITLES[movement.kind]
        paid, credited = movement.currency or currency, micro
        postings = [leg(other, micro, paid, places=money.decimals(paid))]
        if credited_micro is not None:
            credited = credited_micro
            postings += [
                leg(accounts.CONVERSION, -micro, paid, places=money.decimals(paid)),
                leg(accounts.CONVERSION, credited, currency, places=places),
            ]
        postings.append(leg(_credited(movement), -credited, currency, places=places))
    return transaction(
        movement.date,
        syntax.plain(title),
        syntax.plain(movement.description),
        postings,
        meta=meta,
        links=[link(movement)],
    )


def _credited(movement: Movement) -> str:
    """Return the account a payment or refill credits: Billed, or suspense."""
    return accounts.billed(movement.customer) if movement.customer else accounts.UNMATCHED


def canonical(entry: data.Transaction) -> str:
    """Format an entry as if neither late nor paired, so that texts identify events.

    VAT is no content of an event: code and tax follow from the customer, and may change.
    """
    entry = restored(entry)
    meta = {key: value for key, value in entry.meta.items() if key in {"id", "reference"}}
    own = {name for name in entry.links if not name.startswith("refill-")} or entry.links
    whole = entry._replace(postings=_without_vat(entry.postings))
    postings = alone(whole, str(entry.meta.get("customer", ""))).postings
    if any(posting.account == accounts.CONVERSION for posting in postings):
        # What a foreign payment is worth is not its content: prices may come later.
        postings = [postings[0], postings[1]._replace(account="Billed")]
    elif not entry.meta.get("customer") and not any(
        posting.account.startswith(accounts.RECEIVABLE) for posting in postings
    ):
        # In suspense: the second leg stands in for Billed.
        postings = [postings[0], postings[1]._replace(account="Billed")]
    else:
        postings = [
            posting._replace(account="Billed") if posting.account.endswith(":Billed") else posting
            for posting in postings
        ]
    return syntax.formatted(
        entry._replace(
            date=own_day(entry),
            meta=meta,
            links=frozenset(own),
            postings=[posting._replace(meta=None) for posting in postings],
        )
    )


def credited(entry: data.Transaction) -> int:
    """Return the amount a payment or refill is worth to the customer, paired or not."""
    legs = alone(gross(entry), str(entry.meta.get("customer", ""))).postings
    units = cast("Amount", legs[-1].units)
    return -money.micro(units.number or Decimal(0))


def part_paid(refill: data.Transaction, before_micro: int, after_micro: int) -> int:
    """Return the part of a payment that pays for a refill, not the rest.

    Args:
        refill: what is paid for.
        before_micro: what was paid for it before the payment.
        after_micro: what is paid for it with the payment.
    """
    whole = credited(refill)
    if whole <= 0:
        return after_micro - before_micro
    return min(after_micro, whole) - min(before_micro, whole)


def paired(
    payment: data.Transaction,
    refill: data.Transaction,
    customer: str,
    part_micro: int | None = None,
) -> data.Transaction:
    """Pair a payment's entry with a refill: it credits what the refill debited.

    Args:
        payment: as it is alone.
        refill: what it paid for.
        customer: whose. No posting need name them any more, so the metadata does.
        part_micro: what of it paid for the refill, all if not given; the rest is the customer's.
    """
    if part_micro == 0:
        return payment
    return payment._replace(
        meta={**payment.meta, "customer": customer},
        links=payment.links | refill.links,
        postings=_split(payment, refill.postings[0].account, part_micro),
    )


def without_effect(
    refill: data.Transaction, customer: str, part_micro: int | None = None
) -> data.Transaction:
    """Rewrite a refill's entry whose amount, or part of it, was credited in a closed period."""
    if part_micro == 0:
        return refill
    return refill._replace(
        meta={**refill.meta, "customer": customer},
        postings=_split(refill, refill.postings[0].account, part_micro),
    )


def _split(entry: data.Transaction, account: str, part_micro: int | None) -> list[data.Posting]:
    """Return an entry's postings, with part of its amount credited to another account."""
    *others, last = entry.postings
    units = cast("Amount", last.units)
    number = units.number or Decimal(0)
    rest = 0 if part_micro is None else -money.micro(number) - part_micro
    if part_micro is None or not rest:
        return [*others, last._replace(account=account)]
    places = money.decimals(units.currency)
    return [
        *others,
        leg(account, -part_micro, units.currency, places=places),
        leg(last.account, -rest, units.currency, places=places),
    ]


def alone(entry: data.Transaction, customer: str) -> data.Transaction:
    """Return a payment's or refill's entry as it was before pairing."""
    if "customer" not in entry.meta:
        return entry
    own = {name for name in entry.links if not name.startswith("refill-")} or entry.links
    *others, last = entry.postings
    billed = accounts.billed(customer)
    if last.account == billed and len(others) > 1 and others[-1].account != accounts.CONVERSION:
        # It paid for a refill in part.
        units = cast("Amount", last.units)
        both = (units.number or Decimal(0)) + (
            cast("Amount", others.pop().units).number or Decimal(0)
        )
        places = money.decimals(units.currency)
        last = leg(billed, money.micro(both), units.currency, places=places)
    return entry._replace(
        meta={key: value for key, value in entry.meta.items() if key != "customer"},
        links=frozenset(own),
        postings=[*others, last._replace(account=billed)],
    )


def belong_together(payment: data.Transaction, refill: data.Transaction) -> bool:
    """Return True if a payment and a refill of one customer name each other."""
    # An entry written by hand need not have an id; then nothing names it.
    return any(
        "reference" in entry.meta and entry.meta["reference"] == other.meta.get("id")
        for entry, other in ((payment, refill), (refill, payment))
    )
