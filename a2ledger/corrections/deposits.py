"""Take deposits, and return them: money that is held for a customer and pays no bill."""

from __future__ import annotations

from dataclasses import replace

from a2ledger import accounts, money
from a2ledger.book.book import Draft, RefusedError
from a2ledger.corrections import postings as corrections
from a2ledger.corrections.correct import Posted, Wanted, account_of, find, paths, post
from a2ledger.journal import subledgers, syntax


def deposit(draft: Draft, wanted: Wanted, amount_micro: int, method: str) -> Posted:
    """Post a deposit received."""
    account = account_of(draft, method)
    security = wanted.asked(draft, amount_micro, account)
    customer = subledgers.customer(draft, wanted.customer)
    if not customer.has_deposit:
        subledgers.put_customer(draft, replace(customer, has_deposit=True))
    return _with_held(draft, post(draft, security, corrections.deposit(security, account)))


def return_deposit(draft: Draft, wanted: Wanted, amount_micro: int | None, method: str) -> Posted:
    """Post the return of a deposit, or of a part of it.

    Raises:
        RefusedError: if so much is not held.
    """
    account = account_of(draft, method)
    known = wanted.asked(draft, amount_micro or 0, account, "return")
    if held := find(draft, known, amount_micro):
        return _with_held(draft, held)
    available = deposit_held(draft, wanted.customer)
    amount = available if amount_micro is None else amount_micro
    if not 0 < amount <= available:
        raise RefusedError(
            f"{wanted.customer}: {money.text(available, 2)} is held as deposit",
            undone="nothing was returned",
        )
    repayment = known._replace(amount_micro=amount)
    return _with_held(
        draft, post(draft, repayment, corrections.deposit_returned(repayment, account))
    )


def deposit_held(draft: Draft, customer: str) -> int:
    """Return the deposit held for a customer, in micro-units."""
    account = accounts.deposits(customer)
    return -sum(
        leg.micro
        for path in paths(draft, customer)
        for leg in syntax.legs(draft.text(path))
        if leg.account == account
    )


def _with_held(draft: Draft, posted: Posted) -> Posted:
    held = deposit_held(draft, posted.correction.customer)
    places = money.decimals(posted.correction.currency)
    return replace(posted, more={**posted.more, "held": money.text(held, places)})
