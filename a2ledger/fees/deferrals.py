"""Income received ahead: a fee for days to come is earned day by day.

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
    """What a fee's entry deferred."""

    fee: str
    service: str
    days: Period
    """The days in which it is earned."""
    micro: int
    left_micro: int
    """What of it no close has released."""
    since: dt.date = dt.date.min
    """The day it was posted, in the open period."""

    def left_at(self, end: dt.date, places: int) -> int:
        """What is still to be earned on a day and after it."""
        whole, passed = (self.days.end - self.days.start).days, (end - self.days.start).days
        if passed >= whole:
            return 0
        unit: int = 10 ** (money.PLACES - places)
        return self.micro - money.divide(self.micro * max(passed, 0), whole * unit) * unit


def read(blocks: Iterable[Block]) -> list[Deferral]:
    """What a period's file brings forward as deferred, and what its fees' entries defer."""
    found = []
    for block in blocks:
        if block.kind == "custom" and (row := _CARRIED.match(block.text)):
            name, service, start, last, amount, left = row.groups()
            found.append(
                Deferral(
                    name,
                    syntax.unquoted(service),
                    _days(start, last),
                    money.parse(amount),
                    money.parse(left),
                )
            )
        elif block.kind == "*" and (one := _entry(block)):
            found.append(one)
    return found


def _days(first: str, last: str) -> Period:
    return Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last) + DAY)


def _entry(block: Block) -> Deferral | None:
    """What a fee's entry defers, if anything."""
    meta = block.meta
    sums = [leg.micro for leg in block.legs if leg.account == accounts.DEFERRED]
    if not any(sums) or not {"fee", "from", "to"} <= meta.keys():
        return None
    left = micro = -sum(sums)
    if "whole" in meta:  # takes back what is left of another
        micro = -syntax.amount(meta["whole"])
    days = _days(meta["from"], meta["to"])
    since = dt.date.fromisoformat(block.date)
    service = meta.get("service") or block.payee
    return Deferral(meta["fee"], service, days, micro, left, since)


def at_close(
    deferrals: Sequence[Deferral], one: Period, customer: Customer, currency: str
) -> tuple[list[data.Transaction], list[data.Custom]]:
    """What the close of a period releases, and what it carries into the next one.

    Args:
        deferrals: of the period's file.
        one: the period.
        customer: whose; what is left of a fee that has stopped by the period's end is released.
        currency: of his account.

    Returns:
        what it releases, by month and service; and the lines for what is left.
    """
    entries: list[data.Transaction] = []
    left = list(deferrals)
    for part in months_of(one):
        before, over = (
            left,
            {fee.id for fee in customer.fees if fee.until and fee.until <= part.end},
        )
        left = [_after(row, part.end, money.decimals(currency), over) for row in before]
        entries += _released(before, left, part, customer, currency)
    return entries, list(_carried(left, one.end, currency))


def months_of(one: Period) -> Iterator[Period]:
    """Yield a period cut at the ends of months."""
    start = one.start
    while start < one.end:
        end = min(last_of_month(month_of(start)) + DAY, one.end)
        yield Period(start, end)
        start = end


def _after(row: Deferral, end: dt.date, places: int, over: Collection[str]) -> Deferral:
    """Return what is left of a deferral at the end of a month."""
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


def _carried(left: Iterable[Deferral], end: dt.date, currency: str) -> Iterator[data.Custom]:
    for row in left:
        if row.left_micro:
            amounts = [
                Amount(money.decimal(micro, money.decimals(currency)), currency)
                for micro in (row.micro, row.left_micro)
            ]
            values = [row.fee, row.service, row.days.start, row.days.last, *amounts]
            yield data.Custom({}, end, "a2ledger-deferred", values)


class Credited(NamedTuple):
    """A fee's line of an invoice that a credit note gives back, or a part of it."""

    service: str
    days: Period
    micro: int
    """Net of what is given back."""


def taken_back(
    deferrals: Sequence[Deferral], credited: Iterable[Credited], places: int
) -> Iterator[Deferral]:
    """Yield what a credit note takes of income deferred, as deferrals below zero.

    What is left of a fee is given back with its share of the fee; all of it with the whole fee.

    Args:
        deferrals: of the customer's open period.
        credited: lines that are given back.
        places: decimals of the currency.
    """
    standing: dict[tuple[str, str, Period], tuple[int, int]] = {}
    for row in deferrals:
        key = row.service, row.fee, row.days
        micro, left = standing.get(key, (0, 0))
        standing[key] = micro + row.micro, left + row.left_micro
    unit: int = 10 ** (money.PLACES - places)
    for line in credited:
        like = [
            (abs(micro - line.micro), key)
            for key, (micro, left) in standing.items()
            if (key[0], key[2]) == (line.service, line.days) and micro > 0 and left > 0
        ]
        if not like:
            continue
        _, key = min(like)
        micro, left = standing[key]
        part = min(line.micro, micro)
        share = left if part == micro else money.divide(left * part, micro * unit) * unit
        standing[key] = micro - part, left - share
        yield Deferral(key[1], key[0], key[2], -part, -share)
