"""Settle an account for good, close it in its own ledger once it is at zero, and reopen it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from a2ledger import accounts, money
from a2ledger.billing import close, guards, preview, unposted
from a2ledger.billing.closed import Closed, left_open
from a2ledger.book.book import Draft, RefusedError
from a2ledger.corrections import correct, deposits, postings
from a2ledger.documents import issue_taxed_refill
from a2ledger.fees import charge, due
from a2ledger.journal import customer_file, ledger, subledgers, syntax
from a2ledger.journal.customer_file import with_facts
from a2ledger.period import DAY, Period
from a2ledger.records import SETTLED, Customer, Warned

_NO_DELAY = dt.timedelta(0)


def settle(
    draft: Draft, names: Sequence[str], without: Sequence[str], *, strict: bool = False
) -> list[Closed]:
    """Close all ended periods and a last one that ends yesterday, leaving no fraction.

    Args:
        draft: of the book.
        names: whose accounts.
        without: sources that need not have reported since midnight.
        strict: settle no account while calls that may be of it lie in quarantine or are nobody's.

    Returns:
        one row for every period that was closed, and for every customer whose account could not
        be settled.

    Raises:
        RefusedError, BrokenBookError, MissingDetailError: as a close; also where a last bill
            cannot be made.
    """
    close.check_sources(draft, without)
    close.refuse_broken(draft, names)
    results: list[Closed] = []
    ready: list[tuple[dt.date, str, Period]] = []
    for name in dict.fromkeys(names):
        customer = subledgers.customers(draft)[name]
        if _is_only_reopened(draft, customer):
            settled = with_facts(customer, [(SETTLED, "yes")], customer.open_since)
            subledgers.put_customer(draft, settled)
            draft.talk(f"{name}: settled again; nothing was posted since it was reopened")
            continue
        periods = _periods(customer, draft.today)
        warnings = _hindrances(draft, customer, periods, without)
        if strict:
            held = unposted.held(draft)
            for span in periods:
                warnings = [
                    *warnings,
                    *unposted.hindrances(held, name, span),
                    *unposted.unclaimed_within(draft, span),
                ]
        if warnings:
            span = preview.open_period(customer)
            results.append(Closed(customer=name, period=span, closed=False, warnings=warnings))
            continue
        charge.settle(draft, name, draft.today)
        _apply_deposit(draft, name)
        ready += [(span.end, name, span) for span in periods]
    last = {name: draft.today for _, name, _ in ready}
    closed = close.close_all(draft, ready, list(last), last)
    if remaining := list(left_open(closed)):
        # Their fees and deposits are settled in the draft, which must not be published so.
        raise RefusedError("\n".join(remaining), undone="nothing was settled")
    results += closed
    return sorted(results, key=lambda row: (row.period.end, row.customer))


def _apply_deposit(draft: Draft, name: str) -> None:
    """Apply a customer's deposit to what they owe, on their last day."""
    held_micro = deposits.deposit_held(draft, name)
    customer, currency = subledgers.customer(draft, name), subledgers.currency(draft, name)
    if issue_taxed_refill.applies(draft, customer, customer.open_since):
        # Setting it against the account is a taxed refill: no more of it than pays what is owed.
        owed_micro = money.rounded(sum(_balances(draft, customer)), money.decimals(currency))
        tax_micro = issue_taxed_refill.tax_due(draft, customer, draft.today, owed_micro)
        held_micro = min(held_micro, max(owed_micro, 0) + tax_micro)
    if not held_micro:
        return
    day = draft.today - DAY
    wanted = correct.Wanted(kind="deposit", customer=name, day=day)
    applied = wanted.correction(draft, held_micro, "settled")
    correct.place(draft, name, postings.deposit_settled(applied))


def _periods(customer: Customer, today: dt.date) -> list[Period]:
    """Return a customer's periods up to yesterday, the last cut short if need be."""
    periods = close.due(customer, today)
    start = periods[-1].end if periods else customer.open_since
    return [*periods, Period(start, today)] if start < today else periods


def _is_only_reopened(draft: Draft, customer: Customer) -> bool:
    """Return True if an account was reopened with its period that began today, and not used."""
    history = dict(customer.facts.get(SETTLED, ()))
    if customer.settled or history.get(customer.open_since) != "no":
        return False
    file = subledgers.open_file(draft, customer.id)
    is_used = file.usage or any(block.kind in {"*", "!"} for block in file.above)
    return customer.open_since == draft.today and not is_used


def _hindrances(
    draft: Draft, customer: Customer, periods: Sequence[Period], without: Sequence[str]
) -> list[Warned]:
    """Return the reasons why an account cannot be settled today."""
    if customer.settled:
        return [Warned("settled", f"the account of {customer.id} is settled already")]
    if not periods:
        day = customer.open_since + DAY
        return [
            Warned("starts-today", f"the period starts today; settle the account from {day} on")
        ]
    file = subledgers.open_file(draft, customer.id)
    settling = {fee.link for fee in due.posted(file.above)}  # what they say of today goes
    days = [
        block.date
        for block in file.above
        if block.kind in {"*", "!"} and not settling.intersection(block.links)
    ]
    ahead = max([*days, *(str(row.date) for row in file.usage)], default="")
    if ahead >= str(draft.today):
        message = f"there is an entry dated {ahead}; settle the account after that day"
        return [Warned("posted-ahead", message)]
    return guards.uncovered(draft, periods[-1], without, _NO_DELAY)


def reopen(draft: Draft, identity: str, since: dt.date) -> None:
    """Reopen a settled account, with a period that starts on a given day.

    Raises:
        RefusedError: if the account is not settled, or the day is before it was, or to come.
    """
    customer = subledgers.customer(draft, identity)
    if not customer.settled:
        raise RefusedError(
            f"{identity}: the account is not settled", todo="there is nothing to reopen"
        )
    if not customer.open_since <= since <= draft.today:
        raise RefusedError(
            f"{identity}: it can be reopened from {customer.open_since} to {draft.today}"
        )
    if since > customer.open_since:
        close.close_all(draft, [(since, identity, Period(customer.open_since, since))], [identity])
    subledgers.put_customer(
        draft, with_facts(subledgers.customer(draft, identity), [(SETTLED, "no")], since)
    )


def mark(draft: Draft) -> None:
    """Write ``close`` directives for settled accounts with zero balances, or else remove them."""
    for identity in draft.touched:
        customer = subledgers.customer(draft, identity)
        path = customer_file.path(identity)
        text = draft.text(path)
        if customer.settled or " close Assets:Receivable:" in text:
            draft.put(path, customer_file.with_closes(text, identity, _even_since(draft, customer)))


def _balances(draft: Draft, customer: Customer) -> tuple[int, int]:
    """Return a customer's Billed and Unbilled balances in the draft."""
    text = draft.text(customer_file.period_path(customer.id, customer.open_since))
    brought = ledger.read_brought(text, customer.open_since)
    sums = {
        accounts.billed(customer.id): brought.billed_micro,
        accounts.unbilled(customer.id): brought.unbilled_micro,
    }
    for leg in syntax.legs(text):
        if leg.account in sums:
            sums[leg.account] += leg.micro
    billed, unbilled = sums.values()
    return billed, unbilled


def _even_since(draft: Draft, customer: Customer) -> dt.date | None:
    """Return the last day with a posting on a settled account with zero balances, else None."""
    if not customer.settled:
        return None
    text = draft.text(customer_file.period_path(customer.id, customer.open_since))
    if any(_balances(draft, customer)):
        return None
    days = [dt.date.fromisoformat(block.date) for block in syntax.blocks(text) if block.date]
    # The balances brought forward are asserted on the open period's first day.
    return max([customer.open_since, *days])
