"""Income received ahead: a fee of a quarter or a year is earned day by day.

Such a fee credits ``Liabilities:Deferred-Income``. Each close of the customer's period releases to
the service's income the share of the days that have passed, rounded so that all releases add up to
the amount; where the fee has stopped, all that is left. What remains stands at the head of the next
period's file, so that an open file needs no other. Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.journal import syntax
from a2ledger.journal.entries import leg, transaction
from a2ledger.journal.syntax import Block
from a2ledger.period import DAY, Period
from a2ledger.records import Customer

TAG = "release"

_TEXT = r'"(?:[^"\\]|\\.)*"'
_CARRIED = re.compile(
    rf'\S+ custom "a2ledger-deferred" "([^"]*)" ({_TEXT}) (\S+) (\S+) (-?[0-9.]+) \S+ (-?[0-9.]+) '
)
_META = re.compile(r'^  (fee|from|to): (?:"([^"]*)"|(\S+))$', re.MULTILINE)
_PAYEE = re.compile(rf"\S+ \* ({_TEXT})")


class Deferral(NamedTuple):
    """What a fee's entry deferred."""

    fee: str
    service: str
    days: Period
    """The days in which it is earned."""
    micro: int
    left_micro: int
    """What of it no close has released."""

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
    meta = {key: text or plain for key, text, plain in _META.findall(block.text)}
    sums = [one.micro for one in syntax.legs(block.text) if one.account == accounts.DEFERRED]
    payee = _PAYEE.match(block.text)
    if not any(sums) or payee is None or not {"fee", "from", "to"} <= meta.keys():
        return None
    micro = -sum(sums)
    days = _days(meta["from"], meta["to"])
    return Deferral(meta["fee"], syntax.unquoted(payee[1]), days, micro, micro)


def at_close(
    deferrals: Sequence[Deferral], one: Period, customer: Customer, currency: str
) -> tuple[list[data.Transaction], list[data.Custom]]:
    """What the close of a period releases, and what it carries into the next one.

    Args:
        deferrals: of the period's file.
        one: the period.
        customer: whose; what is left of a fee that has stopped by the period's end is released.
        currency: of his account.
    """
    places = money.decimals(currency)
    over = {fee.id for fee in customer.fees if fee.until and fee.until <= one.end}
    left = [
        row._replace(left_micro=0 if row.fee in over else row.left_at(one.end, places))
        for row in deferrals
    ]
    released: dict[str, int] = {}
    for before, after in zip(deferrals, left, strict=True):
        moved = before.left_micro - after.left_micro
        released[before.service] = released.get(before.service, 0) + moved
    entries = [
        transaction(
            one.last,
            "Deferred income",
            f"{service}, {one}",
            [
                leg(accounts.DEFERRED, micro, currency, places=places),
                leg(accounts.income(service), -micro, currency, places=places),
            ],
            meta={"customer": customer.id},
            tags=[TAG],
        )
        for service, micro in sorted(released.items())
        if micro
    ]
    return entries, list(_carried(left, one.end, currency))


def _carried(left: Iterable[Deferral], end: dt.date, currency: str) -> Iterator[data.Custom]:
    for row in left:
        if row.left_micro:
            amounts = [
                Amount(money.decimal(micro, money.decimals(currency)), currency)
                for micro in (row.micro, row.left_micro)
            ]
            values = [row.fee, row.service, row.days.start, row.days.last, *amounts]
            yield data.Custom({}, end, "a2ledger-deferred", values)
