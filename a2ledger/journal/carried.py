"""The months before those in ``main``, summarised. Balances stay right at every month's end.

Of each month there is one file, made from that month alone. Every day that moved anything has an
entry with the sums of all accounts that are not a customer's, so that these are true on any day:
an assertion written by hand stays true when its month is carried. What customers owe stands as a
whole on a control account, ``Assets:Receivable:X-Carried``, on the day it moved; on the month's
last day it moves to the customers' own accounts, which are true from month end to month end.
Where there are too many customers for so many months, the oldest months leave that out, and one
entry a customer carries the balance at the end of the last of them. Amounts are micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts
from a2ledger.journal import syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.period import last_of_month

_Sums = dict[tuple[str, str], int]
"""Micro-units by account and currency."""

_EVERYONE = "customers' balances at the month's end among them"
_CONTROLS = {
    accounts.RECEIVABLE: f"{accounts.RECEIVABLE}X-Carried",
    accounts.DEPOSITS: f"{accounts.DEPOSITS}X-Carried",
}
"""Control accounts. No customer has one of these: a plain name is never written with ``X-``."""


class _Moved(NamedTuple):
    """A month's movements: on customers' accounts in total, on all other accounts by day."""

    own: dict[str, _Sums]
    days: dict[str, _Sums]


def month(name: str, texts: Iterable[str], *, by_customer: bool) -> str:
    """Return the carried file of a month.

    Args:
        name: the month: ``2026-01``.
        texts: its files of ``general/``, ``suspense/`` and ``carriers/``.
        by_customer: whether customers' balances at its end are kept.
    """
    moved = _moved(texts)
    entries = [_day(dt.date.fromisoformat(day), sums) for day, sums in sorted(moved.days.items())]
    if by_customer:
        entries += _customers(last_of_month(name), moved.own)
    return _head(name, by_customer=by_customer) + _written(entries)


def is_month(text: str, name: str, *, by_customer: bool) -> bool:
    """Return whether a text is the carried file of a month, written in this way."""
    return text.startswith(_head(name, by_customer=by_customer))


def _head(name: str, *, by_customer: bool) -> str:
    return f"; {name}, day by day" + (f", {_EVERYONE}\n" if by_customer else "\n")


def balances(last: str, months: Mapping[str, Iterable[str]]) -> str:
    """Return the head of the carried months: control accounts, and balances before the first.

    Args:
        last: the month after which customers' balances are kept at each month's end; empty
            where they are kept from the beginning.
        months: texts of all months up to that one, by month.
    """
    opens = "".join(f"1970-01-01 open {account}\n" for account in _CONTROLS.values())
    if not last:
        return start("") + opens
    own = _moved(text for name in sorted(months) for text in months[name]).own
    return start(last) + opens + "\n" + _written(_customers(last_of_month(last), own))


def start(last: str) -> str:
    """Return the first line of :func:`balances`, which says from when each customer's are kept."""
    if not last:
        return "; customers' balances are carried at the end of every month\n"
    return (
        f"; up to {last_of_month(last)} receivables are carried as a whole; "
        "that day and then at the end of every month each customer's\n"
    )


def _moved(texts: Iterable[str]) -> _Moved:
    moved = _Moved({}, {})
    for text in texts:
        for block in syntax.blocks(text):
            if block.kind not in {"*", "!"}:
                continue
            of_day = moved.days.setdefault(block.date, {})
            for account, micro, currency in block.legs:
                prefix = next(
                    (candidate for candidate in _CONTROLS if account.startswith(candidate)), ""
                )
                if prefix:
                    customer = account.removeprefix(prefix).split(":")[0]
                    own = moved.own.setdefault(customer, {})
                    own[account, currency] = own.get((account, currency), 0) + micro
                control = _CONTROLS.get(prefix, account)
                of_day[control, currency] = of_day.get((control, currency), 0) + micro
    return moved


def _day(day: dt.date, sums: _Sums) -> data.Transaction:
    return transaction(
        day,
        "Carried",
        "the day's movements",
        [
            leg(account, micro, currency)
            for (account, currency), micro in sorted(sums.items())
            if micro
        ],
    )


def _customers(day: dt.date, own: Mapping[str, _Sums]) -> Iterator[data.Transaction]:
    """Yield entries that move each customer's balance from the control accounts to their own."""
    for customer, sums in sorted(own.items()):
        moved = {key: micro for key, micro in sorted(sums.items(), reverse=True) if micro}
        controls: _Sums = {}
        for (account, currency), micro in moved.items():
            control = next(name for prefix, name in _CONTROLS.items() if account.startswith(prefix))
            controls[control, currency] = controls.get((control, currency), 0) - micro
        yield transaction(
            day,
            "Carried",
            customer,
            [
                leg(account, micro, currency)
                for (account, currency), micro in [*moved.items(), *sorted(controls.items())]
                if micro
            ],
        )


def _written(entries: Iterable[data.Transaction]) -> str:
    return "".join(syntax.formatted(entry) for entry in entries if entry.postings)
