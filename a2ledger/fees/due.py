"""Recurring fees: what falls due when, for which days, and how much it is.

A fee is for one *coverage* after another: a month of the customer's billing day, or several of
them counted from the one that holds the fee's first day; likewise with weeks. Or both are counted
from the fee's first day itself. One in advance falls due on the
last day before its coverage, for its first coverage on its first day; one in arrears on the last
day covered. Its VAT and its income are those of the days it is for. Where a fee starts, stops or
changes its price inside a coverage, the amount is
*price x days covered / days of the whole coverage*, rounded once to the currency's decimals.

What is due follows from the customer's facts and fees alone. What a closed period billed
otherwise is put right by one line in the open period. Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple, cast

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money, period
from a2ledger.journal import syntax
from a2ledger.journal.entries import moved_to, sale, transaction
from a2ledger.journal.syntax import Block
from a2ledger.period import DAY, Cycle, Period
from a2ledger.records import Customer, Fee


class Taxes(NamedTuple):
    """What decides the VAT of one customer's fees."""

    code_of: Callable[[str, dt.date, dt.date], str]
    """The code of a service for a day, posted on another."""
    pending: Callable[[int, str, dt.date], int]
    """What of an amount under a code, posted on a day, is VAT that waits until it is billed."""
    changes: Callable[[Period], Sequence[dt.date]] = lambda _days: ()
    """Days of a period, but for its first, on which a code may be another than the day before."""


class Given(NamedTuple):
    """What was given back of billed fees by hand: by credit notes, and by writing debts off."""

    of: Callable[[Posted], int]
    """Of what an entry billed."""
    counted: Callable[[str], int | None]
    """What of it an open period's correction, by its link, took into account when it was posted;
    None if there is no such correction yet."""


class Line(NamedTuple):
    """Days of one coverage at one price."""

    fee: Fee
    coverage: dt.date
    """Where its coverage starts."""
    days: Period
    """The days covered."""
    whole: int
    """How many days the price is for."""
    price_micro: int
    due: dt.date
    micro: int

    def formula(self, places: int) -> str:
        """How the amount comes about, where it is not the price: ``22 of 31 days of 9.90``."""
        days = (self.days.end - self.days.start).days
        price = money.text(self.price_micro, places)
        return "" if days == self.whole else f"{days} of {self.whole} days of {price}"


class Posted(NamedTuple):
    """A fee's entry as a period's file holds it."""

    link: str
    fee: str
    anchor: dt.date
    """A day of the coverage it belongs to."""
    days: Period
    micro: int
    """What it debits Unbilled, or did before it was struck out."""
    vat: str
    date: dt.date
    voided: bool = False
    credited_micro: int = 0
    """What was given back of its coverage by hand when it was posted, if it corrects one."""


# ---- what falls due ----


class _Grid(NamedTuple):
    """The days on which a customer's months and weeks begin."""

    day: int
    weekday: int


def _grid(customer: Customer, day: dt.date) -> _Grid:
    cycle = customer.cycle(day)
    return _Grid(cycle.day, cycle.begin.isoweekday())


def _grids(customer: Customer) -> list[tuple[dt.date, _Grid]]:
    """Return on which days the customer's months and weeks begin, and since when it is those.

    A change takes hold where the next month begins, as it does for periods.
    """
    found = [(customer.opened, _grid(customer, customer.opened))]
    changes = [*customer.facts.get("billing_day", ()), *customer.facts.get("cycle", ())]
    for since in sorted(since for since, _ in changes):
        begun, grid = found[-1]
        if since > begun:
            begin = period.holding(since - DAY, Cycle(day=grid.day)).end
            if (changed := _grid(customer, begin)) != grid:
                found.append((begin, changed))
    return found


def _cycle(fee: Fee, grid: _Grid, start: dt.date) -> Cycle:
    """Return how a fee's coverages are counted, the first of which holds a day."""
    months, weeks, is_own = fee.span
    if is_own:
        own = fee.start
        return period.months_from(own, months) if months else Cycle(weeks=weeks, begin=own)
    if weeks:
        return Cycle(weeks=weeks, begin=period.week_of(start, grid.weekday))
    held = period.holding(start, Cycle(day=grid.day)).start
    return period.months_from(held, months, grid.day)


def coverages(customer: Customer, fee: Fee, day: dt.date) -> Iterator[tuple[Period, int]]:
    """What a fee is for, without end, from the coverage that holds a day.

    Yields:
        the days of a coverage, before a stop cuts it; and how many the whole of it would have.
    """
    first = max(fee.start, customer.opened)
    grids = _grids(customer)[: 1 if fee.span.is_own else None]
    ends = [since for since, _ in grids[1:]] + [dt.date.max]
    for (since, grid), end in zip(grids, ends, strict=True):
        start = max(first, since)
        cycle = _cycle(fee, grid, start)
        day = max(day, start)
        while day < end:
            whole = period.holding(day, cycle)
            one = Period(max(whole.start, start), min(whole.end, end))
            yield one, (whole.end - whole.start).days
            day = one.end


def lines(customer: Customer, fee: Fee, since: dt.date, until: dt.date) -> Iterator[Line]:
    """What falls due from one day to another, both of them included."""
    first = max(fee.start, customer.opened)
    for one, whole in coverages(customer, fee, max(since, first)):
        covered = one._replace(end=min(one.end, fee.until or one.end))
        if covered.start >= covered.end or covered.start > until + DAY:
            break
        due = covered.last if fee.arrears else max(covered.start - DAY, first)
        if since <= due <= until:
            yield from _pieces(fee, covered, whole, due)


def _pieces(fee: Fee, covered: Period, whole: int, due: dt.date) -> Iterator[Line]:
    """Days covered, cut where the price changes."""
    changes = [since for since, _ in fee.prices if covered.start < since < covered.end]
    for start, end in pairwise([covered.start, *changes, covered.end]):
        price = fee.price_micro(start)
        unit: int = 10 ** (money.PLACES - money.decimals(fee.currency))
        micro = money.divide(price * (end - start).days, whole * unit) * unit
        yield Line(fee, covered.start, Period(start, end), whole, price, due, micro)


# ---- what is posted ----


def entries(
    customer: Customer,
    charged_micro: dict[str, int],
    until: dt.date,
    taxes: Taxes,
    closed: Callable[[], Sequence[Posted]],
    given: Given,
) -> list[data.Transaction]:
    """Every entry of fees that a customer's open period must hold.

    Args:
        customer: whose.
        charged_micro: what closed periods billed of each fee, by its id.
        until: the last day of what is due.
        taxes: of his.
        closed: what they billed one by one; asked only where the sum is not what was due.
        given: what was given back of it by hand.
    """
    found: list[data.Transaction] = []
    start = customer.open_since
    for fee in customer.fees:
        due = sum(line.micro for line in lines(customer, fee, dt.date.min, start - DAY))
        if due != charged_micro.get(fee.id, 0):
            billed = [posted for posted in closed() if posted.fee == fee.id]
            found += _corrections(customer, fee, billed, taxes, given)
        found += due_entries(customer, lines(customer, fee, start, until), taxes)
    return found


def due_entries(
    customer: Customer, due: Iterable[Line], taxes: Taxes
) -> Iterator[data.Transaction]:
    """Entries of lines on the days they fall due; what costs nothing is not posted."""
    for line in due:
        for part in _by_code(line, taxes):
            if part.micro:
                yield _entry(customer, part, taxes)


def _by_code(line: Line, taxes: Taxes) -> Iterator[Line]:
    """Cut a line where the VAT code of the days it is for changes."""

    def code(day: dt.date) -> str:
        return taxes.code_of(line.fee.service, day, line.due)

    changes = [day for day in taxes.changes(line.days) if code(day) != code(day - DAY)]
    return _cut(line, changes) if changes else iter([line])


def _cut(line: Line, days: Iterable[dt.date]) -> Iterator[Line]:
    """Cut a line on some of its days, into amounts that add up to its own."""
    unit: int = 10 ** (money.PLACES - money.decimals(line.fee.currency))
    inside = sorted({day for day in days if line.days.start < day < line.days.end})
    before = 0
    for start, end in pairwise([line.days.start, *inside, line.days.end]):
        passed = (end - line.days.start).days
        after = money.divide(line.price_micro * passed, line.whole * unit) * unit
        yield line._replace(days=Period(start, end), micro=after - before)
        before = after


def _entry(customer: Customer, line: Line, taxes: Taxes) -> data.Transaction:
    """The entry of a line on the day it falls due."""
    formula = line.formula(money.decimals(line.fee.currency))
    narration = _titled(line.fee, line.days) + (f" ({formula})" if formula else "")
    vat = taxes.code_of(line.fee.service, line.days.start, line.due)
    pending = taxes.pending(line.micro, vat, line.due)
    account = _account(line.fee, line.days, line.due)
    postings = _sale(customer, line.fee, account, line.micro, vat, pending)
    name = f"{line.fee.id}-{line.days.start}"
    return _posting(
        customer, line.fee, line.due, narration, line.days, name=name, postings=postings
    )


def _account(fee: Fee, days: Period, posted: dt.date) -> str:
    """Return what earns a fee: its income is that of the days it is for.

    What is posted in advance and is for days of a later month is deferred until they have passed;
    so is every fee of more than a month.
    """
    ahead = not fee.arrears and days.last > period.last_of_month(period.month_of(posted))
    return accounts.DEFERRED if ahead or fee.span.is_long else accounts.income(fee.service)


def _sale(
    customer: Customer, fee: Fee, account: str, micro: int, vat: str, pending_micro: int
) -> list[data.Posting]:
    return sale(customer.id, account, micro, fee.currency, vat=vat, pending_micro=pending_micro)


def _posting(
    customer: Customer,
    fee: Fee,
    day: dt.date,
    narration: str,
    days: Period,
    *,
    name: str,
    postings: list[data.Posting],
) -> data.Transaction:
    return transaction(
        day,
        syntax.plain(fee.service),
        narration,
        postings,
        meta={"fee": fee.id, "from": days.start, "to": days.last},
        links=[syntax.link("fee", customer.id, name)],
    )


def _titled(fee: Fee, days: Period) -> str:
    quantity, places = fee.quantity(days.start), money.decimals(fee.currency)
    each = money.text(fee.price_micro(days.start) // quantity, places)
    counted = f", {quantity} x {each}" if quantity > 1 else ""
    return f"{syntax.plain(fee.description) or fee.id}{counted}, {days}"


def _corrections(
    customer: Customer, fee: Fee, billed: Sequence[Posted], taxes: Taxes, given: Given
) -> Iterator[data.Transaction]:
    """What the open period owes to closed ones: what they did not bill, or billed otherwise.

    Nothing is given back that was given back by hand before: a fee that was credited and then
    stopped is worth nothing, and no less.
    """
    start = customer.open_since
    due: dict[dt.date, list[Line]] = {}
    posted: dict[dt.date, list[Posted]] = {}
    for line in lines(customer, fee, dt.date.min, start - DAY):
        due.setdefault(line.coverage, []).append(line)
    for one in billed:
        held, _ = next(coverages(customer, fee, one.anchor))
        key = min(held.start, one.anchor)
        posted.setdefault(key, []).append(one)
    for coverage in sorted({*due, *posted}):
        owed, old = due.get(coverage, []), posted.get(coverage, [])
        if not old:
            for entry in due_entries(customer, owed, taxes):
                yield moved_to(entry, start)
        elif any(one.voided for one in old):
            continue  # it was waived by a person, who may charge what should be charged
        else:
            for begin, group, paid in _by_old_code(coverage, owed, old):
                if sum(line.micro for line in group) != sum(one.micro for one in paid):
                    name = f"{fee.id}-{begin}.{customer.open_since}"
                    counted = _counted(syntax.link("fee", customer.id, name), paid, given)
                    difference = _difference(customer, fee, group, paid, counted, taxes, name=name)
                    if difference is not None:
                        yield difference


def _by_old_code(
    coverage: dt.date, owed: Sequence[Line], old: Sequence[Posted]
) -> Iterator[tuple[dt.date, list[Line], list[Posted]]]:
    """Yield what is due of a coverage and was billed of it, by the codes it was billed under.

    So VAT comes back as it was charged.
    """
    if len({one.vat for one in old}) == 1:
        yield coverage, list(owed), list(old)
        return
    starts = sorted({one.days.start for one in old})[1:]
    parts = [part for line in owed for part in _cut(line, starts)]
    for begin, end in pairwise([coverage, *starts, dt.date.max]):
        due = [part for part in parts if begin <= part.days.start < end]
        yield begin, due, [one for one in old if begin <= one.days.start < end]


class _Counted(NamedTuple):
    """What was given back of a coverage by hand; amounts in micro-units."""

    before_micro: int
    """Before the correction was posted …"""
    micro: int
    """… and by now."""


def _counted(link: str, old: Sequence[Posted], given: Given) -> _Counted:
    micro = sum(given.of(one) for one in old)
    before = given.counted(link)
    return _Counted(micro if before is None else before, micro)


def _difference(
    customer: Customer,
    fee: Fee,
    owed: Sequence[Line],
    old: Sequence[Posted],
    counted: _Counted,
    taxes: Taxes,
    *,
    name: str,
) -> data.Transaction | None:
    """One line for a coverage that was billed otherwise than it is due now, if it moves anything.

    What was given by hand before counts as given back; what was given since does not make the
    line smaller, but never do both give back more than was billed.
    """
    places = money.decimals(fee.currency)
    due, billed = sum(line.micro for line in owed), sum(one.micro for one in old)
    micro = due - billed
    if micro < 0:
        back = min(billed - counted.before_micro - due, billed - counted.micro)
        micro = -max(back, 0)
    if not micro:
        return None
    coverage = dt.date.fromisoformat(name.rsplit(".", 1)[0][-10:])
    end = owed[-1].days.end if owed else coverage
    was = max(one.days.end for one in old)
    days = Period(end, was) if end < was else Period(coverage, end)
    formulas = ", ".join(filter(None, (line.formula(places) for line in owed)))
    credit = f"credit for {(was - end).days} days: " if end < was else ""
    credited = micro < 0 and counted.before_micro
    narration = (
        f"{_titled(fee, days)} ({credit}{money.text(due, places)} due"
        f"{f' for {formulas}' if formulas else ''}, {money.text(billed, places)} billed"
        f"{f', {money.text(counted.before_micro, places)} credited' if credited else ''})"
    )
    day, vat = min((one.date, one.vat) for one in old)
    pending = taxes.pending(micro, vat, customer.open_since)
    ahead = not fee.arrears and days.last >= customer.open_since  # what is deferred comes back
    account = accounts.DEFERRED if ahead else _account(fee, days, customer.open_since)
    postings = _sale(customer, fee, account, micro, vat, pending)
    entry = _posting(customer, fee, day, narration, days, name=name, postings=postings)
    if credited:
        told = Amount(money.decimal(counted.before_micro, places), fee.currency)
        entry = entry._replace(meta={**entry.meta, "credited": told})
    return moved_to(entry, customer.open_since)


_LINK = re.compile(r"fee-.*-(\d{4}-\d\d-\d\d)(\.\d{4}-\d\d-\d\d)?")
_CHARGED = re.compile(r'\S+ custom "a2ledger-charged" "([^"]*)" (-?[0-9.]+) ')


def id_of(link: str) -> str:
    """The id of the fee an entry with this link is of, or nothing."""
    return link.rsplit("-", 4)[1] if _LINK.fullmatch(link) else ""


def corrects(link: str) -> bool:
    """Whether the entry with this link puts right what a closed period billed of a fee."""
    return bool((match := _LINK.fullmatch(link)) and match[2])


def amount(entry: data.Transaction) -> Amount:
    """What an entry of a fee debits Unbilled."""
    return cast("Amount", entry.postings[0].units)


def posted(blocks: Iterable[Block]) -> list[Posted]:
    """The fees' entries among the blocks of a period's file."""
    return [found for block in blocks if (found := _posted(block)) is not None]


def _posted(block: Block) -> Posted | None:
    name = next((link for link in block.links if link.startswith("fee-")), "")
    if block.kind != "*" or not (match := _LINK.fullmatch(name)):
        return None
    meta = block.meta
    if not {"fee", "from", "to"} <= meta.keys():
        return None
    unbilled = [leg for leg in block.postings if leg.account.endswith(":Unbilled")]
    vat = next((leg.meta["vat"] for leg in block.postings if "vat" in leg.meta), "")
    was = next((leg.meta["was"] for leg in unbilled if "was" in leg.meta), "")
    return Posted(
        name,
        meta["fee"],
        dt.date.fromisoformat(match[1]),
        Period(dt.date.fromisoformat(meta["from"]), dt.date.fromisoformat(meta["to"]) + DAY),
        syntax.amount(was) if was else sum(leg.micro for leg in unbilled),
        vat,
        dt.date.fromisoformat(block.date),
        bool(was),
        syntax.amount(meta.get("credited", "0")),
    )


def charged(blocks: Iterable[Block]) -> dict[str, int]:
    """What closed periods billed of each fee, in micro-units, from the head of an open one."""
    rows = (_CHARGED.match(block.text) for block in blocks if block.kind == "custom")
    return {row[1]: money.parse(row[2]) for row in rows if row}


def carried(blocks: Sequence[Block], end: dt.date, currency: str) -> list[data.Custom]:
    """The lines with which a period says to the next what has been billed of each fee."""
    sums = charged(blocks)
    for one in posted(blocks):
        sums[one.fee] = sums.get(one.fee, 0) + one.micro
    places = money.decimals(currency)
    return [
        data.Custom(
            {}, end, "a2ledger-charged", [name, Amount(money.decimal(micro, places), currency)]
        )
        for name, micro in sorted(sums.items())
    ]


def stopped(customer: Customer, end: dt.date) -> Customer:
    """The customer with every fee stopped: nothing of it is due for a day or any after it.

    With :func:`entries` this settles his fees to the day before.
    """
    return replace(
        customer,
        fees=tuple(
            replace(
                fee,
                until=min(max(end, fee.start), fee.until or dt.date.max),
                prices=tuple(row for row in fee.prices if row[0] < end or row == fee.prices[0]),
            )
            for fee in customer.fees
        ),
    )
