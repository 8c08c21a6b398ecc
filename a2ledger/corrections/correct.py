"""Correct what was posted, in the open period: refunds and goodwill, and what all kinds share.

Every correction has an id, made from what is asked for unless one is given, and its link is its
identity: asked for twice, it is posted once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from beancount.core import data

from a2ledger import accounts, money
from a2ledger.accounts import NOBODY
from a2ledger.balances import balances
from a2ledger.book.book import SUSPENSE, Draft, RefusedError
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.postings import Correction
from a2ledger.documents import issue_taxed_refill
from a2ledger.journal import (
    chart,
    customer_file,
    exchange_rates,
    general,
    shards,
    subledgers,
    syntax,
)
from a2ledger.journal import entries as journal_entries
from a2ledger.journal.period_file import with_entries
from a2ledger.journal.syntax import Block
from a2ledger.payments import posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The request for a correction, as far as all kinds have it in common."""

    kind: str
    customer: str
    day: dt.date
    description: str = ""
    id: str = ""
    """Made from the other fields if empty."""

    def correction(self, draft: Draft, amount_micro: int, *more: object) -> Correction:
        """Make the correction, with ``more`` in its identity."""
        made = corrections.identity(
            self.kind, self.customer, self.day, amount_micro, self.description, *more
        )
        return Correction(
            self.kind,
            self.id or made,
            self.customer,
            self.day,
            amount_micro,
            subledgers.currency(draft, self.customer),
            self.description,
        )

    def asked(self, draft: Draft, amount_micro: int, *more: object) -> Correction:
        """Make the correction as :meth:`correction` does, for an amount that somebody typed.

        Raises:
            RefusedError: if it has more decimals than the customer's currency.
        """
        check_decimals(amount_micro, subledgers.currency(draft, self.customer))
        return self.correction(draft, amount_micro, *more)


def check_decimals(amount_micro: int, currency: str) -> None:
    """Check that an amount fits the decimals of its currency.

    Raises:
        RefusedError: if it has more decimals than the currency.
    """
    if money.is_finer(amount_micro, currency):
        raise RefusedError(
            (
                f"{money.text(amount_micro, 2)} has more than the "
                f"{money.decimals(currency)} decimals of {currency}"
            ),
            undone="nothing was posted",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A correction that was posted now, or was in the book already."""

    correction: Correction
    entries: tuple[tuple[str, data.Transaction], ...]
    """Each entry with its customer; an empty customer is suspense."""
    new: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further keys for ``--json``."""

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        item = self.correction
        return {
            "posted": self.new,
            "kind": item.kind,
            "id": item.id,
            "customer": item.customer or None,
            "date": str(item.date),
            "amount": money.text(item.amount_micro, money.decimals(item.currency)),
            "currency": item.currency,
            **self.more,
            "text": str(self),
            "entries": [_entry_json(customer, entry) for customer, entry in self.entries],
        }

    def __str__(self) -> str:
        item = self.correction
        _, entry = self.entries[0]
        line = f"{item.customer or NOBODY}: {entry.payee}, {self._amount}, {entry.date} ({item.id})"
        held = f"; {self.more['held']} held" if "held" in self.more else ""
        if self.new:
            return f"{line}{held}"
        if "voided" not in entry.meta:
            return f"{line}{held}: posted before; nothing was done"
        return (
            f"{line}{held}: posted before, and void; nothing was done; "
            f"`a2ledger void {item.kind}/{item.id} --undo` makes it stand again"
        )

    @property
    def message(self) -> str:
        """Return the commit message."""
        item = self.correction
        number = f"{self.more['number']}, " if "number" in self.more else ""
        return f"{item.kind}: {item.customer or NOBODY}, {number}{self._amount} ({item.id})\n"

    @property
    def _amount(self) -> str:
        item = self.correction
        return f"{money.text(item.amount_micro, money.decimals(item.currency))} {item.currency}"


def _entry_json(customer: str, entry: data.Transaction) -> dict[str, Any]:
    late = entry.meta.get("late_from")
    return {
        "customer": customer or None,
        "date": str(entry.date),
        "late_from": str(late) if late else None,
        "description": ", ".join(filter(None, [entry.payee, entry.narration])),
        "postings": [
            {
                "account": leg.account,
                "amount": f"{leg.units.number:f}",
                "currency": leg.units.currency,
            }
            for leg in entry.postings
            if leg.units
        ],
    }


def refund(
    draft: Draft, wanted: Wanted, amount_micro: int, method: str, currency: str = ""
) -> Posted:
    """Post a refund, in the account's currency or converted from another at the day's rate.

    Raises:
        RefusedError: if there is no price of the other currency.
    """
    account, own = account_of(draft, method), subledgers.currency(draft, wanted.customer)
    if currency in {"", own}:
        repayment = wanted.asked(draft, amount_micro, account)
        _check_untold(draft, wanted, repayment, account)
        _check_left(draft, repayment)
        return post(draft, repayment, corrections.refund(repayment, account))
    check_decimals(amount_micro, currency)
    repayment = wanted.correction(draft, amount_micro, account, currency)
    if held := find(draft, repayment, None):
        return _same_abroad(held, (account, amount_micro, currency))
    micro = exchange_rates.prices(draft).converted(amount_micro, currency, own, repayment.date)
    if micro is None:
        raise RefusedError(
            f"there is no price to convert {currency} to {own} on {repayment.date}",
            undone="nothing was posted",
            todo="see `import prices`",
        )
    repayment = repayment._replace(amount_micro=micro)
    return post(draft, repayment, corrections.refund(repayment, account, (amount_micro, currency)))


_SOON = 10
"""Days before or after its date within which a bank file may report a refund."""


def _check_left(draft: Draft, one: Correction) -> None:
    """Check that, where refills are taxed, a refund does not exceed what is left of them.

    Raises:
        RefusedError: otherwise.
    """
    customer = subledgers.customer(draft, one.customer)
    if find(draft, one, one.amount_micro) or not issue_taxed_refill.applies(
        draft, customer, max(one.date, customer.open_since)
    ):
        return
    owed = balances.standing_on(draft, customer, dt.date.max).owed_micro
    left = max(-money.rounded(owed, money.decimals(one.currency)), 0)
    left += issue_taxed_refill.tax_in(draft, customer, one.date, left)
    if one.amount_micro > left:
        places = money.decimals(one.currency)
        raise RefusedError(
            (
                f"{one.customer}: {money.text(left, places)} of refills can be paid back at most, "
                "including VAT"
            ),
            undone="nothing was posted",
        )


def _check_untold(draft: Draft, wanted: Wanted, adjustment: Correction, account: str) -> None:
    """Check that no imported payment has recorded the same refund.

    Raises:
        RefusedError: if a row of the same negative amount does, unless the refund has an id of its
            own.
    """
    if wanted.id or find(draft, adjustment, adjustment.amount_micro):
        return
    paid = syntax.Leg(account, -adjustment.amount_micro, adjustment.currency)
    for block in blocks(draft, adjustment.customer):
        own = block.own_link
        if not own.startswith("payment-") or paid not in block.legs:
            continue
        entry = journal_entries.read_entry(block.text)
        near = abs((journal_entries.own_day(entry) - adjustment.date).days) <= _SOON
        if near and "reference" not in entry.meta:
            raise RefusedError(
                (
                    f"{adjustment.customer}: payment {entry.meta['id']} of "
                    f"{journal_entries.own_day(entry)} already records this refund"
                ),
                undone="nothing was posted",
                todo="if this is another refund, give it an --id",
            )


def _same_abroad(held: Posted, paid: tuple[str, int, str]) -> Posted:
    """Return a refund in another currency that is in the book, after comparing it.

    Raises:
        RefusedError: otherwise.
    """
    ((_, entry),) = held.entries
    account, micro, currency = paid
    if syntax.Leg(account, -micro, currency) not in syntax.legs(syntax.formatted(entry)):
        raise RefusedError(
            f"refund {held.correction.id} is already in the book with other values",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return held


def goodwill(draft: Draft, wanted: Wanted, amount_micro: int) -> Posted:
    """Post a goodwill credit."""
    gift = wanted.asked(draft, amount_micro)
    return post(draft, gift, corrections.goodwill(gift))


def account_of(draft: Draft, method: str) -> str:
    """Return the account of a payment method, ``bank`` by default."""
    return posting.method_account(method, draft.config.methods, accounts.BANK)


# What all corrections share


def post(draft: Draft, adjustment: Correction, entry: data.Transaction) -> Posted:
    """Post a correction's entry into its customer's open period, once.

    Raises:
        RefusedError: if its day cannot be, or its id is that of another correction.
    """
    if held := find(draft, adjustment, adjustment.amount_micro):
        return held
    return Posted(
        correction=adjustment,
        entries=((adjustment.customer, place(draft, adjustment.customer, entry)),),
    )


def place(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """Post an entry into a customer's open period, a late one on the period's first day.

    Raises:
        RefusedError: if its day is in the future, or before the customer's first.
    """
    check_day(draft, identity, entry.date)
    since = subledgers.customer(draft, identity).open_since
    placed = journal_entries.moved_to(entry, since) if entry.date < since else entry
    if closed := chart.closed(draft, (leg.account for leg in placed.postings), placed.date):
        raise RefusedError(
            str(closed), undone="nothing was posted", todo="take that line away, or say another day"
        )
    if any(name.startswith(_MONEY) for name in placed.links):
        placed = _taxed(draft, identity, placed)
    subledgers.put_open_file(
        draft, identity, with_entries(subledgers.open_file(draft, identity), [placed])
    )
    return placed


_MONEY = ("refund-", "returned-", "transfer-", "deposit-")
"""Link prefixes of corrections that bring a customer money or take it away."""


def _taxed(draft: Draft, identity: str, entry: data.Transaction) -> data.Transaction:
    """Return an entry, where refills are taxed with VAT and its own document.

    Raises:
        RefusedError: if it cannot be taxed.
    """
    customer = subledgers.customer(draft, identity)
    if not issue_taxed_refill.applies(draft, customer, entry.date):
        return entry
    if obstacle := issue_taxed_refill.objection(draft, customer, entry):
        raise RefusedError(f"{identity}: {obstacle[1]}", undone="nothing was posted")
    issuer = issue_taxed_refill.Issuer(draft)
    issuer.know(journal_entries.read_entry(block.text) for block in blocks(draft, identity))
    ((taxed,),) = issuer.taxed({identity: [entry]}).values()
    issuer.say()
    return taxed


def check_day(draft: Draft, identity: str, day: dt.date) -> None:
    """Check that something can be dated on a given day for a customer.

    Raises:
        RefusedError: otherwise.
    """
    if day > draft.today:
        raise RefusedError(
            f"--date {day} is after today, {draft.today}", undone="nothing was posted"
        )
    if identity and day < (opened := subledgers.customer(draft, identity).opened):
        raise RefusedError(
            f"--date {day}: {identity} was opened on {opened}", undone="nothing was posted"
        )


def find(draft: Draft, adjustment: Correction, amount_micro: int | None) -> Posted | None:
    """Return a correction that is in the book already, after comparing it with the request.

    Raises:
        RefusedError: if what bears its id is another.
    """
    held = next(entries_with(draft, adjustment), None)
    if held is None:
        return None
    customer, entry = held
    part = accounts.component(adjustment.customer) if adjustment.customer else ""
    moved = amount_of(entry, adjustment.customer) if customer == part else -1
    same = (
        customer == part
        and journal_entries.own_day(entry) == adjustment.date
        and amount_micro in {None, moved}
        and (not adjustment.description or entry.narration == syntax.plain(adjustment.description))
    )
    if not same:
        raise RefusedError(
            f"{adjustment.kind} {adjustment.id} is already in the book with other values",
            undone="nothing was posted",
            todo="give this one another --id",
        )
    return Posted(
        correction=adjustment._replace(amount_micro=moved),
        entries=((adjustment.customer, entry),),
        new=False,
    )


def amount_of(entry: data.Transaction, customer: str) -> int:
    """Return the amount a correction moves, in micro-units: on a bill, deposit or suspense."""
    legs = syntax.legs(syntax.formatted(journal_entries.gross(journal_entries.restored(entry))))
    own = [accounts.billed(customer), accounts.deposits(customer)] if customer else []
    account = next(
        account
        for account in (*own, accounts.UNMATCHED)
        if any(leg.account == account for leg in legs)
    )
    return abs(sum(leg.micro for leg in legs if leg.account == account))


def entries_with(draft: Draft, adjustment: Correction) -> Iterator[tuple[str, data.Transaction]]:
    """Yield the entries with a correction's link, each with its customer's account component."""
    for path in [*shards.months(draft), *draft.files(SUSPENSE)]:
        text = draft.text(path)
        if f"^{adjustment.link}" not in text:
            continue
        for block in syntax.blocks(text):
            if adjustment.link in block.links:
                yield general.customer_of(block), journal_entries.read_entry(block.text)


def paths(draft: Draft, customer: str) -> list[str]:
    """Return the paths of a customer's period files, oldest first."""
    periods = subledgers.customer(draft, customer).periods
    return [customer_file.period_path(customer, start) for start in periods]


def blocks(draft: Draft, customer: str) -> Iterator[Block]:
    """Yield all entries of a customer's own ledger except usage, oldest period first."""
    for path in paths(draft, customer):
        above = draft.text(path).partition(syntax.MARKER)[0]
        yield from (block for block in syntax.blocks(above) if block.kind in {"*", "!"})
