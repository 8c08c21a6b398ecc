"""Compute recurring fees: when they fall due, for which days, and their amounts.

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
    """Functions that decide the VAT of a customer's fees."""

    code_of: Callable[[str, dt.date, dt.date], str]
    """Returns the VAT code of a service for a day, posted on another."""
    pending: Callable[[int, str, dt.date], int]
    """Returns the VAT inside an amount under a code, pending until it is billed."""
    changes: Callable[[Period], Sequence[dt.date]] = lambda _days: ()
    """Returns the days of a period, except its first, on which a VAT code may change."""


class Given(NamedTuple):
    """Amounts given back by hand of billed fees: by credit notes and write-offs."""

    of: Callable[[Posted], int]
    """Returns the amount given back of an entry."""
    counted: Callable[[str], int | None]
    """Returns the amount that an open period's correction, by its link, took into account when it
    was posted, or None if there is no such correction yet.
    """


class Line(NamedTuple):
    """Days of one coverage at one price, with amounts in micro-units."""

    fee: Fee
    coverage: dt.date
    """First day of the coverage."""
    days: Period
    """Days covered."""
    whole: int
    """Number of days the price is for."""
    price_micro: int
    due: dt.date
    micro: int

    def formula(self, places: int) -> str:
        """Format how a partial amount is computed: ``22 of 31 days of 9.90``, else empty."""
        days = (self.days.end - self.days.start).days
        price = money.text(self.price_micro, places)
        return "" if days == self.whole else f"{days} of {self.whole} days of {price}"


class Posted(NamedTuple):
    """A fee's entry in a period's file."""

    link: str
    fee: str
    anchor: dt.date
    """A day in its coverage."""
    days: Period
    micro: int
    """Amount debited to Unbilled, before it was voided."""
    vat: str
    date: dt.date
    voided: bool = False
    credited_micro: int = 0
    """For a correction: what was given back of its coverage by hand when it was posted."""


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
    grids = [(customer.opened, _grid(customer, customer.opened))]
    changes = [*customer.facts.get("billing_day", ()), *customer.facts.get("cycle", ())]
    for since in sorted(since for since, _ in changes):
        begun, grid = grids[-1]
        if since > begun:
            begin = period.holding(since - DAY, Cycle(day=grid.day)).end
            if (changed := _grid(customer, begin)) != grid:
                grids.append((begin, changed))
    return grids


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
    """Yield a fee's coverages from the one that contains a day, without end.

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
            coverage = Period(max(whole.start, start), min(whole.end, end))
            yield coverage, (whole.end - whole.start).days
            day = coverage.end


def lines(customer: Customer, fee: Fee, since: dt.date, until: dt.date) -> Iterator[Line]:
    """Yield the lines that fall due between two days, both included."""
    first = max(fee.start, customer.opened)
    for coverage, whole in coverages(customer, fee, max(since, first)):
        covered = coverage._replace(end=min(coverage.end, fee.until or coverage.end))
        if covered.start >= covered.end or covered.start > until + DAY:
            break
        due = covered.last if fee.arrears else max(covered.start - DAY, first)
        if since <= due <= until:
            yield from _pieces(fee, covered, whole, due)


def _pieces(fee: Fee, covered: Period, whole: int, due: dt.date) -> Iterator[Line]:
    """Yield lines for the days covered, split where the price changes."""
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
    """Return all fee entries that a customer's open period must contain.

    Args:
        customer: whose.
        charged_micro: what closed periods billed of each fee, by its id.
        until: the last day of what is due.
        taxes: of the customer.
        closed: what they billed one by one; asked only where the sum is not what was due.
        given: what was given back of it by hand.
    """
    made: list[data.Transaction] = []
    start = customer.open_since
    for fee in customer.fees:
        due = sum(line.micro for line in lines(customer, fee, dt.date.min, start - DAY))
        if due != charged_micro.get(fee.id, 0):
            billed = [posted for posted in closed() if posted.fee == fee.id]
            made += _corrections(customer, fee, billed, taxes, given)
        made += due_entries(customer, lines(customer, fee, start, until), taxes)
    return made


def due_entries(
    customer: Customer, due: Iterable[Line], taxes: Taxes
) -> Iterator[data.Transaction]:
    """Yield entries of lines on their due days, zero amounts are not posted."""
    for line in due:
        for part in _by_code(line, taxes):
            if part.micro:
                yield _entry(customer, part, taxes)


def _by_code(line: Line, taxes: Taxes) -> Iterator[Line]:
    """Split a line where the VAT code of its days changes."""

    def code(day: dt.date) -> str:
        return taxes.code_of(line.fee.service, day, line.due)

    changes = [day for day in taxes.changes(line.days) if code(day) != code(day - DAY)]
    return _cut(line, changes) if changes else iter([line])


def _cut(line: Line, days: Iterable[dt.date]) -> Iterator[Line]:
    """Split a line at some of its days, into amounts that add up to its own."""
    unit: int = 10 ** (money.PLACES - money.decimals(line.fee.currency))
    inside = sorted({day for day in days if line.days.start < day < line.days.end})
    before = 0
    for start, end in pairwise([line.days.start, *inside, line.days.end]):
        passed = (end - line.days.start).days
        after = money.divide(line.price_micro * passed, line.whole * unit) * unit
        yield line._replace(days=Period(start, end), micro=after - before)
        before = after


def _entry(customer: Customer, line: Line, taxes: Taxes) -> data.Transaction:
    """Make the entry of a line on its due day."""
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
    """Return the account a fee credits: income, or deferred income if it is for later days.

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
    """Yield corrections of what closed periods billed too little, too much or not at all.

    Nothing is given back that was given back by hand before: a fee that was credited and then
    stopped is worth nothing, and no less.
    """
    start = customer.open_since
    due: dict[dt.date, list[Line]] = {}
    posted: dict[dt.date, list[Posted]] = {}
    for line in lines(customer, fee, dt.date.min, start - DAY):
        due.setdefault(line.coverage, []).append(line)
    for entry_posted in billed:
        held, _ = next(coverages(customer, fee, entry_posted.anchor))
        key = min(held.start, entry_posted.anchor)
        posted.setdefault(key, []).append(entry_posted)
    for coverage in sorted({*due, *posted}):
        owed, old = due.get(coverage, []), posted.get(coverage, [])
        if not old:
            for entry in due_entries(customer, owed, taxes):
                yield moved_to(entry, start)
        elif any(entry_posted.voided for entry_posted in old):
            continue  # it was waived by a person, who may charge what should be charged
        else:
            for begin, group, paid in _by_old_code(coverage, owed, old):
                if sum(line.micro for line in group) != sum(
                    entry_posted.micro for entry_posted in paid
                ):
                    name = f"{fee.id}-{begin}.{customer.open_since}"
                    counted = _counted(syntax.link("fee", customer.id, name), paid, given)
                    difference = _difference(customer, fee, group, paid, counted, taxes, name=name)
                    if difference is not None:
                        yield difference


def _by_old_code(
    coverage: dt.date, owed: Sequence[Line], old: Sequence[Posted]
) -> Iterator[tuple[dt.date, list[Line], list[Posted]]]:
    """Yield the due lines and the billed entries of a coverage, by the VAT code billed.

    So VAT comes back as it was charged.
    """
    if len({entry.vat for entry in old}) == 1:
        yield coverage, list(owed), list(old)
        return
    starts = sorted({entry.days.start for entry in old})[1:]
    parts = [part for line in owed for part in _cut(line, starts)]
    for begin, end in pairwise([coverage, *starts, dt.date.max]):
        due = [part for part in parts if begin <= part.days.start < end]
        yield begin, due, [entry for entry in old if begin <= entry.days.start < end]


class _Counted(NamedTuple):
    """Amounts of a coverage that were given back by hand, in micro-units."""

    before_micro: int
    """Before the correction was posted …"""
    micro: int
    """… and until now."""


def _counted(link: str, old: Sequence[Posted], given: Given) -> _Counted:
    micro = sum(given.of(entry) for entry in old)
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
    """Make a correction for a coverage that was billed differently, if it moves anything.

    What was given by hand before counts as given back; what was given since does not make the
    line smaller, but never do both give back more than was billed.
    """
    places = money.decimals(fee.currency)
    due, billed = sum(line.micro for line in owed), sum(paid.micro for paid in old)
    micro = due - billed
    if micro < 0:
        back = min(billed - counted.before_micro - due, billed - counted.micro)
        micro = -max(back, 0)
    if not micro:
        return None
    coverage = dt.date.fromisoformat(name.rsplit(".", 1)[0][-10:])
    end = owed[-1].days.end if owed else coverage
    was = max(paid.days.end for paid in old)
    days = Period(end, was) if end < was else Period(coverage, end)
    formulas = ", ".join(filter(None, (line.formula(places) for line in owed)))
    credit = f"credit for {(was - end).days} days: " if end < was else ""
    credited = micro < 0 and counted.before_micro
    narration = (
        f"{_titled(fee, days)} ({credit}{money.text(due, places)} due"
        f"{f' for {formulas}' if formulas else ''}, {money.text(billed, places)} billed"
        f"{f', {money.text(counted.before_micro, places)} credited' if credited else ''})"
    )
    day, vat = min((paid.date, paid.vat) for paid in old)
    pending = taxes.pending(micro, vat, customer.open_since)
    ahead = not fee.arrears and days.last >= customer.open_since  # what is deferred comes back
    account = accounts.DEFERRED if ahead else _account(fee, days, customer.open_since)
    postings = _sale(customer, fee, account, micro, vat, pending)
    entry = _posting(customer, fee, day, narration, days, name=name, postings=postings)
    if credited:
        credited_amount = Amount(money.decimal(counted.before_micro, places), fee.currency)
        entry = entry._replace(meta={**entry.meta, "credited": credited_amount})
    return moved_to(entry, customer.open_since)


_LINK = re.compile(r"fee-.*-(\d{4}-\d\d-\d\d)(\.\d{4}-\d\d-\d\d)?")
_CHARGED = re.compile(r'\S+ custom "a2ledger-charged" "([^"]*)" (-?[0-9.]+) ')


def id_of(link: str) -> str:
    """Return the fee id in an entry's link, or an empty text."""
    return link.rsplit("-", 4)[1] if _LINK.fullmatch(link) else ""


def corrects(link: str) -> bool:
    """Return True if a link is that of a correction of a fee billed in a closed period."""
    return bool((match := _LINK.fullmatch(link)) and match[2])


def amount(entry: data.Transaction) -> Amount:
    """Return the amount that a fee's entry debits to Unbilled."""
    return cast("Amount", entry.postings[0].units)


def posted(blocks: Iterable[Block]) -> list[Posted]:
    """Parse the fee entries among the blocks of a period's file."""
    return [fee for block in blocks if (fee := _posted(block)) is not None]


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
    """Return what closed periods billed of each fee, in micro-units, from an open file's head."""
    rows = (_CHARGED.match(block.text) for block in blocks if block.kind == "custom")
    return {row[1]: money.parse(row[2]) for row in rows if row}


def carried(blocks: Sequence[Block], end: dt.date, currency: str) -> list[data.Custom]:
    """Return the lines that carry forward what has been billed of each fee."""
    sums = charged(blocks)
    for entry in posted(blocks):
        sums[entry.fee] = sums.get(entry.fee, 0) + entry.micro
    places = money.decimals(currency)
    return [
        data.Custom(
            {}, end, "a2ledger-charged", [name, Amount(money.decimal(micro, places), currency)]
        )
        for name, micro in sorted(sums.items())
    ]


def stopped(customer: Customer, end: dt.date) -> Customer:
    """Return the customer with every fee stopped from a day on.

    With :func:`entries` this settles their fees to the day before.
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
