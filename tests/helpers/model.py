"""What a company's books must say, in the plainest form: what was posted, what was billed, one
rounding rule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from a2ledger.period import DAY

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass
class Account:
    """What the model knows of a customer."""

    treatment: str
    billing_day: int
    since: dt.date = dt.date(2026, 1, 1)
    """Where the open period starts."""
    billed: Decimal = Decimal(0)
    cumulative: Decimal = Decimal(0)
    """Everything ever posted to Unbilled; all of it is of one VAT code."""
    shown: Decimal = Decimal(0)
    """The part of it that has been billed."""
    posted: list[tuple[dt.date, Decimal]] = field(default_factory=list)
    money: list[tuple[dt.date, Decimal]] = field(default_factory=list)
    settled: bool = False
    fee: Decimal = Decimal(0)
    """What a month costs, in arrears; nothing before there is a fee."""
    fee_from: dt.date = dt.date.max
    fee_until: dt.date = dt.date.max
    fee_posted: dt.date = dt.date.min
    """The day to which its months have been posted."""
    lost: Decimal = Decimal(0)
    """What was written off and not recovered."""
    payments: dict[str, Decimal] = field(default_factory=dict)
    """Payments that have not come back, by their ids."""
    last: tuple[str, list[tuple[dt.date, Decimal]], tuple[dt.date, Decimal]] | None = None
    """The last movement: what `void` calls it, where it waits to be billed, and itself."""

    def post(self, day: dt.date, amount: Decimal) -> None:
        self.posted.append((max(day, self.since), amount))

    def pay(self, day: dt.date, amount: Decimal) -> None:
        self.money.append((max(day, self.since), -amount))

    def fall_due(self, today: dt.date) -> None:
        """Post the months of the fee that have passed: billed on their last day."""
        if not self.fee:
            return
        start = self.fee_posted
        while start < self.fee_until:
            whole = Account(self.treatment, self.billing_day, start).end()
            end = min(whole, self.fee_until)
            if end - DAY > today:
                break
            first = self.month_start(whole)
            if part := cents(self.fee * (end - start).days / (whole - first).days):
                self.post(end - DAY, part)  # what costs nothing is not posted
            start = self.fee_posted = end

    def month_start(self, end: dt.date) -> dt.date:
        """The billing day before one."""
        day = end - DAY
        while True:
            if Account(self.treatment, self.billing_day, day).end() != end:
                return day + DAY
            day -= DAY

    @property
    def owed_on_bills(self) -> Decimal:
        """What a debt can be written off of."""
        return self.billed + sum((amount for _, amount in self.money), Decimal(0))

    @property
    def owed(self) -> Decimal:
        waiting = sum((amount for _, amount in [*self.posted, *self.money]), Decimal(0))
        return self.billed + self.cumulative - self.shown + waiting

    def ends(self, today: dt.date) -> list[dt.date]:
        """Where the periods end that are over."""
        found = []
        probe = Account(self.treatment, self.billing_day, self.since)
        while probe.end() <= today:
            probe.since = probe.end()
            found.append(probe.since)
        return found

    def end(self) -> dt.date:
        """The billing day after the open period's start."""
        day = self.since + DAY
        while (day + DAY).month == day.month and day.day != self.billing_day:
            day += DAY
        is_last = (day + DAY).month != day.month
        return (
            day
            if day.day == self.billing_day or (is_last and self.billing_day > 28)
            else self._first(day)
        )

    def _first(self, day: dt.date) -> dt.date:
        while day.day != min(self.billing_day, 28):
            day += DAY
        return day

    def close(self, end: dt.date, *, final: bool = False) -> Decimal:
        """Bill a period; what the customer owes more for it."""
        inside = [amount for day, amount in self.posted if day < end]
        self.posted = [row for row in self.posted if row[0] >= end]
        self.billed += sum((amount for day, amount in self.money if day < end), Decimal(0))
        self.money = [row for row in self.money if row[0] >= end]
        self.cumulative += sum(inside, Decimal(0))
        if final or not inside:
            self.cumulative = cents(self.cumulative)
        net = cents(self.cumulative) - self.shown
        self.shown += net
        gross = net + cents(net * 21 / 100) if self.treatment == "on-invoice" else net
        self.billed += gross
        self.since = end
        self.settled |= final
        return gross
