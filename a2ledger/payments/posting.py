"""From a refill, payment, charge or opening to its entry in the customer's ledger.

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

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import _without_vat, leg, own_day, restored, sale, transaction
from a2ledger.records import Movement

TITLES = {"payment": "Payment", "refill": "Refill", "opening": "Opening balance"}
_DEFAULTS = {"payment": accounts.BANK, "refill": accounts.REFILLS, "opening": accounts.OPENING}


def link(movement: Movement) -> str:
    """The link that identifies a movement's entry."""
    return syntax.link(movement.kind, movement.source, movement.id)


def account_of(movement: Movement, methods: Mapping[str, str]) -> str:
    """The account on the other side of the customer's.

    ``methods`` are accounts by method; a method without one is a gateway.
    """
    if movement.kind == "charge":
        return accounts.income(movement.service)
    method = "" if movement.kind == "opening" else movement.method
    return method_account(method, methods, _DEFAULTS[movement.kind])


def method_account(method: str, methods: Mapping[str, str], default: str) -> str:
    """The account of a method of paying; the default where none is named."""
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
    """The entry of a movement on its own day, whatever it may later be paired with.

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
    """Whom a payment or refill credits: its customer, or nobody yet."""
    return accounts.billed(movement.customer) if movement.customer else accounts.UNMATCHED


def canonical(entry: data.Transaction) -> str:
    """An entry's text as if neither late nor paired; equal texts are the same event.

    VAT is no content of an event: code and tax follow from the customer, and may change.
    """
    entry = restored(entry)
    meta = {key: value for key, value in entry.meta.items() if key in {"id", "reference"}}
    own = {name for name in entry.links if not name.startswith("refill-")} or entry.links
    postings = _without_vat(entry.postings)
    if any(posting.account == accounts.CONVERSION for posting in postings):
        # What a foreign payment is worth is not its content: prices may come later.
        postings = [postings[0], postings[1]._replace(account="Billed")]
    elif not any(posting.account.startswith(accounts.RECEIVABLE) for posting in postings):
        # Paired: the second leg stands in for Billed, whose name the text need not have.
        postings[1] = postings[1]._replace(account="Billed")
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


def paired(payment: data.Transaction, refill: data.Transaction, customer: str) -> data.Transaction:
    """The payment's entry where it paid for a refill: it credits what the refill debited.

    No posting of it names the customer any more, so its metadata does.
    """
    *others, last = payment.postings
    return payment._replace(
        meta={**payment.meta, "customer": customer},
        links=payment.links | refill.links,
        postings=[*others, last._replace(account=refill.postings[0].account)],
    )


def without_effect(refill: data.Transaction, customer: str) -> data.Transaction:
    """The refill's entry where its payment was credited in a closed period already."""
    first, second = refill.postings
    return refill._replace(
        meta={**refill.meta, "customer": customer},
        postings=[first, second._replace(account=first.account)],
    )


def alone(entry: data.Transaction, customer: str) -> data.Transaction:
    """A payment's or refill's entry as it was before it was put together with another."""
    if "customer" not in entry.meta:
        return entry
    own = {name for name in entry.links if not name.startswith("refill-")} or entry.links
    *others, last = entry.postings
    return entry._replace(
        meta={key: value for key, value in entry.meta.items() if key != "customer"},
        links=frozenset(own),
        postings=[*others, last._replace(account=accounts.billed(customer))],
    )


def belong_together(payment: data.Transaction, refill: data.Transaction) -> bool:
    """Whether a payment and a refill of one customer name each other."""
    # An entry written by hand need not have an id; then nothing names it.
    return any(
        "reference" in one.meta and one.meta["reference"] == other.meta.get("id")
        for one, other in ((payment, refill), (refill, payment))
    )
