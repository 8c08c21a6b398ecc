"""What must hold of a book, as functions from values to problems."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from a2ledger import accounts, money
from a2ledger.documents.document import Line
from a2ledger.records import Problem


def credit_limits(
    owed: Iterable[tuple[str, int, int, str]], files: Mapping[str, str]
) -> Iterator[Problem]:
    """Customers who owe more than they may.

    Args:
        owed: (customer, owed, credit limit, currency), amounts in micro-units.
        files: the customer's own ledger, by customer.
    """
    for customer, owed_micro, limit_micro, currency in owed:
        if owed_micro > limit_micro:
            yield Problem(
                files.get(customer, ""),
                0,
                "credit-limit",
                f"{customer} owes {money.text(owed_micro, 2)} {currency}, over the credit limit "
                f"of {money.text(limit_micro, 2)}",
            )


def suspense(held: Mapping[str, int], file: str) -> Iterator[Problem]:
    """Currencies of which more has left suspense than came into it.

    Args:
        held: what is in suspense, in micro-units by currency.
        file: where that is to be seen.
    """
    for currency, micro in held.items():
        if micro < 0:
            message = f"{money.text(-micro, 2)} {currency} more left suspense than came into it"
            yield Problem(file, 0, "suspense", message)


def summaries(
    subledgers: Mapping[str, int], general: Mapping[str, int], files: Mapping[str, str]
) -> Iterator[Problem]:
    """Accounts on which a customer's own ledger and the general ledger differ.

    Args:
        subledgers: sums by account, in micro-units, read from customers' own files.
        general: the same of the general ledger.
        files: the file of the open period, by account.
    """
    for account in sorted({*subledgers, *general}):
        own, summary = subledgers.get(account, 0), general.get(account, 0)
        if own != summary:
            yield Problem(
                files.get(account, "journals/main.beancount"),
                0,
                "summary",
                f"{account} is {money.text(own)} in the customer's own ledger and "
                f"{money.text(summary)} in the general ledger; run any command that writes, "
                "or undo the edit",
            )


def details(
    posted: Mapping[tuple[str, ...], tuple[int, int, int]],
    folded: Mapping[tuple[str, ...], tuple[int, int, int]],
    file: str,
) -> Iterator[Problem]:
    """Usage entries that are not what the call detail adds up to.

    Args:
        posted: (calls, seconds, micro-units) by (day, service, VAT code), from the journal.
        folded: the same from the call detail.
        file: the journal.
    """
    for key in sorted({*posted, *folded}):
        if posted.get(key) != folded.get(key):
            yield Problem(
                file,
                0,
                "detail",
                f"usage of {' '.join(key)} is {posted.get(key)} in the journal and "
                f"{folded.get(key)} in the call detail (calls, seconds, micro-units)",
            )


def fees_twice(lines: Iterable[tuple[Line, str]]) -> Iterator[str]:
    """Fees that a bill has twice for the same days.

    Args:
        lines: of the bill, each with what tells one fee of a service from another.
    """
    seen: set[tuple[str, ...]] = set()
    for line, what in lines:
        if line.kind == "fee":
            key = (line.service, what, line.from_, line.to, line.net)
            if key in seen:
                yield f"{line.service}, {line.description}, from {line.from_} to {line.to}"
            seen.add(key)


def is_beyond(value: int, usual: Sequence[int], multiple: int) -> bool:
    """Whether a value is more than a multiple of what is usual; nothing is usual at zero."""
    return bool(usual) and max(usual) > 0 and value > multiple * max(usual)


def is_customers(account: str) -> bool:
    """Whether an account is a customer's."""
    return account.startswith(accounts.RECEIVABLE)
