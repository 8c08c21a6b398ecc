"""Deferred income: a fee paid ahead is earned day by day.

Such a fee credits ``Liabilities:Deferred-Income``. Each close of the customer's period releases to
the service's income the share of the days that have passed, at the end of each month and of the
period, rounded so that all releases add up to the amount; where the fee has stopped, all that is
left. What remains stands at the head of the next period's file, so that an open file needs no
other. A credit note takes what is left of what it gives back. Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.syntax import Block
from a2ledger.period import DAY, Period, last_of_month, month_of
from a2ledger.records import Customer

TAG = "release"

_TEXT = r'"(?:[^"\\]|\\.)*"'
_CARRIED = re.compile(
    rf'\S+ custom "a2ledger-deferred" "([^"]*)" ({_TEXT}) (\S+) (\S+) (-?[0-9.]+) \S+ (-?[0-9.]+) '
)


class Deferral(NamedTuple):
    """Income deferred by a fee's entry."""

    fee: str
    service: str
    days: Period
    """The days over which it is earned."""
    micro: int
    left_micro: int
    """The amount not released by a close yet."""
    since: dt.date = dt.date.min
    """The day it was posted, for entries of the open period."""

    def left_at(self, end: dt.date, places: int) -> int:
        """Return the amount still to be earned from a day on."""
        whole, passed = (self.days.end - self.days.start).days, (end - self.days.start).days
        if passed >= whole:
            return 0
        unit: int = 10 ** (money.PLACES - places)
        return self.micro - money.divide(self.micro * max(passed, 0), whole * unit) * unit


def read(blocks: Iterable[Block]) -> list[Deferral]:
    """Parse the deferrals in a period's file: brought forward, and from its fees' entries."""
    deferrals = []
    for block in blocks:
        if block.kind == "custom" and (row := _CARRIED.match(block.text)):
            name, service, start, last, amount, remaining = row.groups()
            deferrals.append(
                Deferral(
                    name,
                    syntax.unquoted(service),
                    _days(start, last),
                    money.parse(amount),
                    money.parse(remaining),
                )
            )
        elif block.kind == "*" and (deferral := _entry(block)):
            deferrals.append(deferral)
    return deferrals


def _days(first: str, last: str) -> Period:
    return Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last) + DAY)


def _entry(block: Block) -> Deferral | None:
    """Parse the deferral of a fee's entry, if it has one."""
    meta = block.meta
    sums = [leg.micro for leg in block.legs if leg.account == accounts.DEFERRED]
    if not any(sums) or not {"fee", "from", "to"} <= meta.keys():
        return None
    remaining = micro = -sum(sums)
    if "whole" in meta:  # takes back what is left of another
        micro = -syntax.amount(meta["whole"])
    days = _days(meta["from"], meta["to"])
    since = dt.date.fromisoformat(block.date)
    service = meta.get("service") or block.payee
    return Deferral(meta["fee"], service, days, micro, remaining, since)


def at_close(
    deferrals: Sequence[Deferral], period: Period, customer: Customer, currency: str
) -> tuple[list[data.Transaction], list[data.Custom]]:
    """Return what the close of a period releases, and what it carries forward.

    Args:
        deferrals: of the period's file.
        period: the period.
        customer: whose; what is left of a fee that has stopped by the period's end is released.
        currency: of their account.

    Returns:
        what it releases, by month and service; and the lines for what is left.
    """
    entries: list[data.Transaction] = []
    remaining = list(deferrals)
    for part in months_of(period):
        before, over = (
            remaining,
            {fee.id for fee in customer.fees if fee.until and fee.until <= part.end},
        )
        remaining = [_after(row, part.end, money.decimals(currency), over) for row in before]
        entries += _released(before, remaining, part, customer, currency)
    return entries, list(_carried(remaining, period.end, currency))


def months_of(period: Period) -> Iterator[Period]:
    """Yield the parts of a period, split at month ends."""
    start = period.start
    while start < period.end:
        end = min(last_of_month(month_of(start)) + DAY, period.end)
        yield Period(start, end)
        start = end


def _after(row: Deferral, end: dt.date, places: int, over: Collection[str]) -> Deferral:
    """Return a deferral as it stands at the end of a month."""
    if row.since >= end:
        return row
    return row._replace(left_micro=0 if row.fee in over else row.left_at(end, places))


def _released(
    before: Sequence[Deferral],
    after: Sequence[Deferral],
    part: Period,
    customer: Customer,
    currency: str,
) -> Iterator[data.Transaction]:
    released: dict[str, int] = {}
    for old, new in zip(before, after, strict=True):
        moved = old.left_micro - new.left_micro
        released[old.service] = released.get(old.service, 0) + moved
    places = money.decimals(currency)
    for service, micro in sorted(released.items()):
        if micro:
            yield transaction(
                part.last,
                "Deferred income",
                f"{service}, {part}",
                [
                    leg(accounts.DEFERRED, micro, currency, places=places),
                    leg(accounts.income(service), -micro, currency, places=places),
                ],
                meta={"customer": customer.id},
                tags=[TAG],
            )


def _carried(deferrals: Iterable[Deferral], end: dt.date, currency: str) -> Iterator[data.Custom]:
    for row in deferrals:
        if row.left_micro:
            amounts = [
                Amount(money.decimal(micro, money.decimals(currency)), currency)
                for micro in (row.micro, row.left_micro)
            ]
            values = [row.fee, row.service, row.days.start, row.days.last, *amounts]
            yield data.Custom({}, end, "a2ledger-deferred", values)


class Credited(NamedTuple):
    """A fee's line of an invoice that is credited, in whole or in part."""

    service: str
    days: Period
    micro: int
    """Net amount credited."""


def taken_back(
    deferrals: Sequence[Deferral], credited: Iterable[Credited], places: int
) -> Iterator[Deferral]:
    """Yield the deferred income a credit note takes back, as negative deferrals.

    What is left of a fee is given back with its share of the fee; all of it with the whole fee.

    Args:
        deferrals: of the customer's open period.
        credited: lines that are given back.
        places: decimals of the currency.
    """
    standing: dict[tuple[str, str, Period], tuple[int, int]] = {}
    for row in deferrals:
        key = row.service, row.fee, row.days
        micro, remaining = standing.get(key, (0, 0))
        standing[key] = micro + row.micro, remaining + row.left_micro
    unit: int = 10 ** (money.PLACES - places)
    for line in credited:
        like = [
            (abs(micro - line.micro), key)
            for key, (micro, remaining) in standing.items()
            if (key[0], key[2]) == (line.service, line.days) and micro > 0 and remaining > 0
        ]
        if not like:
            continue
        _, key = min(like)
        micro, remaining = standing[key]
        part = min(line.micro, micro)
        share = remaining if part == micro else money.divide(remaining * part, micro * unit) * unit
        standing[key] = micro - part, remaining - share
        yield Deferral(key[1], key[0], key[2], -part, -share)
