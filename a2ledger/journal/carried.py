"""Months summarised for ``main``. Balances stay right at every month's end.

Of each month there is one file, made from that month alone. Every day that moved anything has an
entry with the sums of all accounts that are not a customer's, so that these are true on any day:
an assertion written by hand stays true when its month is carried. What customers owe stands as a
whole on a control account, ``Assets:Receivable:X-Carried``, on the day it moved; on the month's
last day it moves to the customers' own accounts, which are true from month end to month end.
Where there are too many customers for so many months, the oldest months leave that out, and one
entry a customer carries the balance at the end of the last of them.

Of a spread ledger every month is summarised, also the one that goes on, and by shard instead of
by customer: these are the book's control totals. Amounts are micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts
from a2ledger.journal import syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.syntax import Block
from a2ledger.period import last_of_month

_Sums = dict[tuple[str, str], int]
"""Micro-units by account and currency."""

_EVERYONE = "customers' balances at the month's end among them"
_CONTROLS = {
    accounts.RECEIVABLE: f"{accounts.RECEIVABLE}X-Carried",
    accounts.DEPOSITS: f"{accounts.DEPOSITS}X-Carried",
}
"""Control accounts. No customer has one of these: a plain name is never written with ``X-``."""
_PARTS = {accounts.RECEIVABLE: (":Unbilled", ":Billed"), accounts.DEPOSITS: ("",)}
_TOTALS = "; customers stand together, by the two digits of their file in general/\n"


_DAY = "the day's movements"
_SHARD = "X-Shard-"
"""Beginning of a shard's part of account names, which no customer has either."""


class _Moved(NamedTuple):
    """A month's movements: on customers' accounts in total, on all other accounts by day."""

    own: dict[str, _Sums]
    days: dict[str, _Sums]

    def add(
        self, blocks: Iterable[Block], sign: int = 1, named: Callable[[str], str] = str
    ) -> None:
        """Count the postings of transactions, or take them away.

        Args:
            blocks: of any directives.
            sign: 1, or -1 to take them away.
            named: returns whose balance is kept, given the customer's part of an account name.
        """
        for block in blocks:
            if block.kind not in {"*", "!"}:
                continue
            of_day = self.days.setdefault(block.date, {})
            for account, micro, currency in block.legs:
                change_micro, at = sign * micro, account
                for prefix, control in _CONTROLS.items():
                    if account.startswith(prefix):
                        customer, colon, part = account.removeprefix(prefix).partition(":")
                        name, at = named(customer), control
                        own = self.own.setdefault(name, {})
                        key = f"{prefix}{name}{colon}{part}", currency
                        own[key] = own.get(key, 0) + change_micro
                of_day[at, currency] = of_day.get((at, currency), 0) + change_micro


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
        moved.add(syntax.blocks(text))
    return moved


def totals_start(shards: Iterable[str]) -> str:
    """Return the head of control totals: the accounts on which customers stand together.

    Args:
        shards: names of all shards.
    """
    own = [
        f"{prefix}{_SHARD}{shard}{part}"
        for shard in shards
        for prefix, parts in _PARTS.items()
        for part in parts
    ]
    opens = (f"1970-01-01 open {account}\n" for account in [*_CONTROLS.values(), *own])
    return _TOTALS + "".join(opens)


def are_totals(text: str) -> bool:
    """Return whether a text is the head of control totals."""
    return text.startswith(_TOTALS)


def shard_account(shard: str, part: str) -> str:
    """Return a shard's control account of receivables: ``Billed`` or ``Unbilled``."""
    return f"{accounts.RECEIVABLE}{_SHARD}{shard}:{part}"


def shard_of(account: str) -> str:
    """Return the shard of a control account of receivables, empty for any other account."""
    start = accounts.RECEIVABLE + _SHARD
    return account.removeprefix(start).partition(":")[0] if account.startswith(start) else ""


def totals(
    name: str,
    before: str,
    removed: Iterable[Block],
    added: Iterable[Block],
    shard: Callable[[str], str],
) -> str:
    """Return the control totals of a month.

    Args:
        name: the month: ``2026-01``.
        before: its totals as they were; of anything else nothing is kept.
        removed: directives of the general ledger that it counts no more.
        added: those that it counts from now on.
        shard: returns the shard, given the customer's part of an account name.
    """
    moved = _read(before) if is_totals(before, name) else _Moved({}, {})
    moved.add(removed, -1, lambda customer: _SHARD + shard(customer))
    moved.add(added, 1, lambda customer: _SHARD + shard(customer))
    entries = [_day(dt.date.fromisoformat(day), sums) for day, sums in sorted(moved.days.items())]
    entries += _customers(last_of_month(name), moved.own)
    return _totals_head(name) + _written(entries)


def is_totals(text: str, name: str) -> bool:
    """Return whether a text is the control totals of a month."""
    return text.startswith(_totals_head(name))


def _totals_head(name: str) -> str:
    return f"; {name}, day by day; by customer it is in general/{name}/\n"


def _read(text: str) -> _Moved:
    """Read control totals back."""
    moved = _Moved({}, {})
    for block in syntax.blocks(text):
        name = (block.strings or [""])[-1]
        if block.kind == "*" and name == _DAY:
            moved.days[block.date] = {leg[::2]: leg.micro for leg in block.legs}
        elif block.kind == "*":
            moved.own[name] = {
                leg[::2]: leg.micro for leg in block.legs if leg.account not in _CONTROLS.values()
            }
    return moved


def _day(day: dt.date, sums: _Sums) -> data.Transaction:
    return transaction(
        day,
        "Carried",
        _DAY,
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
