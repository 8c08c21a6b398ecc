"""Re-rate calls: assign and price them again by today's customers and tariffs.

Calls of open periods are corrected where they stand, a day at a time. What a closed period
billed stays: where that is asked for, the difference is posted in the open one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money, times
from a2ledger.book.book import Book, Draft
from a2ledger.calls import detail
from a2ledger.calls.fold import Folder, sealed
from a2ledger.corrections.rate_rows import RateRows
from a2ledger.corrections.restate import Correction, Restating
from a2ledger.customers.directory import NOBODY, Indexes
from a2ledger.journal import customer_file, subledgers, syntax
from a2ledger.period import EPOCH
from a2ledger.rating import price as valuing

_RERATED = (
    *("customer", "deck", "prefix", "destination", "billed_seconds", "cost_micro", "buy_micro"),
    *("carrier", "vat", "late_in", "voided_micro", "since"),
)
"""Columns of a call that re-rating may change."""

_NOTHING = {"late_in": EPOCH}
"""Values to compare in place of null, by nullable column."""

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Left(NamedTuple):
    """Why calls were left unchanged: their customer, a short reason and a message."""

    customer: str
    reason: str
    message: str


@dataclass
class Change:
    """Calls of a customer that changed owner or cost, with the cost before and after."""

    calls: int = 0
    before_micro: int = 0
    after_micro: int = 0


@dataclass
class Rerated:
    """The result of re-rating, with amounts in micro-units."""

    calls: int = 0
    """Calls examined …"""
    given: int = 0
    """… and those of them that keep the price given by their row or rule."""
    changed: int = 0
    """Calls of open periods whose owner or cost changed."""
    changes: dict[str, Change] = field(default_factory=dict)
    """Changes of calls in open periods, by customer."""
    corrections: list[Correction] = field(default_factory=list)
    """Corrections posted for closed periods."""
    left: Counter[Left] = field(default_factory=Counter)
    """Calls left unchanged though they should change."""
    rates: RateRows | None = None
    """Effect of each price list row, closed periods included; None if not requested."""

    def change(self, customer: str) -> Change:
        """Return the change of a customer, created if need be."""
        return self.changes.setdefault(customer, Change())

    def as_json(self, book: Book) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "calls": self.calls,
            "changed": self.changed,
            "given": self.given,
            "customers": [
                {
                    "customer": name,
                    "currency": subledgers.currency(book, name),
                    "calls": row.calls,
                    "before": money.text(row.before_micro, 2),
                    "after": money.text(row.after_micro, 2),
                    "difference": money.text(row.after_micro - row.before_micro, 2),
                }
                for name, row in sorted(self.changes.items())
            ],
            "corrections": [correction.as_json() for correction in self.corrections],
            "left": [{**why._asdict(), "calls": count} for why, count in sorted(self.left.items())],
            **({"rates": self.rates.as_json()} if self.rates else {}),
        }


def rerate(
    draft: Draft,
    *,
    since: dt.date | None = None,
    names: Collection[str] = (),
    write: bool = True,
    by_rate: bool = False,
) -> Rerated:
    """Re-rate calls into the draft.

    Args:
        draft: of the book.
        since: only calls that started on this day or later, but of closed periods too.
        names: only calls that these customers have or would have; all if none is named.
        write: whether the draft follows; else only the difference is wanted.
        by_rate: whether the rows of price lists are named that hold for calls that change.

    Raises:
        BrokenBookError: if a deck or a period's file is bad.
        MissingDetailError: if the calls of a day in question are missing or differ.
        RefusedError: if a closed month was re-rated from an earlier day on before.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        folder = Folder(draft, pool)
        rerater = _Rerater(draft, folder, since, names, write=write)
        rerater.found.rates = RateRows(draft) if by_rate else None
        for day in _days(draft, since):
            rerater.take(day)
        restating, result = rerater.restating, rerater.found
        result.corrections = restating.corrections()
        if write:
            folder.finish()
            restating.post(result.corrections)
    return result


def _days(book: Book, since: dt.date | None) -> Iterator[dt.date]:
    """Yield days whose calls may change: of open periods, late, or requested."""
    first, late = dt.date.max, set()
    for customer in subledgers.customers(book).values():
        first = min(first, customer.open_since)
        text = book.text(customer_file.period_path(customer.id, customer.open_since))
        late |= {dt.date.fromisoformat(day) for day in syntax.values(text, "late_from")}
    for day in sorted(detail.digests(book)):
        if (since is None and (day >= first or day in late)) or (since and day >= since):
            yield day


class _Rerater:
    """Re-rates calls one day at a time."""

    def __init__(
        self,
        book: Book,
        folder: Folder,
        since: dt.date | None,
        names: Collection[str],
        *,
        write: bool,
    ) -> None:
        self.book, self.folder, self.since, self.write = book, folder, since, write
        self.pricing = valuing.pricing(book)
        self.directory = self.pricing.directory
        self.settled = np.array([c.settled for c in self.directory.customers], np.bool_)
        self.wanted = np.array([not names or c.id in names for c in self.directory.customers])
        self.restating = Restating(folder.draft, since or dt.date.max)
        self.found = Rerated()

    def take(self, day: dt.date) -> None:
        """Re-rate the calls of a day."""
        calls = detail.verified(self.book.root, day, detail.digests(self.book))
        owner = np.asarray(pc.index_in(calls["customer"], self.pricing.names), np.int32)
        identifier = pc.if_else(
            pc.equal(calls["identifier"], ""), calls["customer"], calls["identifier"]
        ).combine_chunks()
        number = np.full(len(calls), (day - EPOCH).days, np.int32)
        now = self.directory.identify(identifier, number)
        closed = np.asarray(sealed(calls, day, self.folder.opened))
        open_ = ~closed & (self.wanted[owner] | ((now != NOBODY) & self.wanted[now]))
        self._correct(day, calls, owner, now, open_)
        if self.since:
            self._restate(day, calls, owner, now, closed & self.wanted[owner])

    def _correct(
        self, day: dt.date, calls: pa.Table, owner: Indexes, now: Indexes, taken: Mask
    ) -> None:
        """Re-rate the selected calls in place."""
        early = (now != NOBODY) & (self.directory.opened[now] > (day - EPOCH).days)
        self._leave(calls, taken & (now == NOBODY), "unknown-customer")
        self._leave(calls, taken & early, "before-opening")
        to_settled = ~early & (now != owner) & (now != NOBODY) & self.settled[now]
        self._leave(calls, taken & to_settled, "settled")
        places, new = self._valued(day, calls, now, taken & (now != NOBODY) & ~early & ~to_settled)
        old = calls.take(pa.array(places))
        moved = now[places] != owner[places]
        new = _late(new, old, moved, self.pricing.opened[now[places]], day)
        changed = np.flatnonzero(_differ(old, new))
        if not len(changed):
            return
        self._count(old, new, moved)
        if self.write:
            kept = new.take(pa.array(changed))
            self._write(day, calls, places[changed], kept)

    def _valued(
        self, day: dt.date, calls: pa.Table, who: Indexes, taken: Mask
    ) -> tuple[Places, pa.Table]:
        """Price the selected calls, and return the places and new rows of those with a price."""
        places = np.flatnonzero(taken)
        old = calls.take(pa.array(places))
        asked = asked_again(old, who[places], day, self.pricing.config.timezone)
        columns, unpriced = valuing.valued(asked, self.pricing)
        reasons = np.full(len(calls), "", object)
        reasons[places[unpriced]] = valuing.refusals(asked.filter(pa.array(unpriced)), self.pricing)
        for reason in valuing.UNPRICED:
            self._leave(calls, reasons == reason, reason)
        new = priced_again(old, columns).filter(pa.array(~unpriced))
        self.found.calls += len(new)
        self.found.given += int(pc.sum(new["given"]).as_py() or 0)
        return places[~unpriced], new

    def _leave(self, calls: pa.Table, taken: Mask, reason: str) -> None:
        """Count calls that stay as they are, with their reason."""
        self.found.calls += int(taken.sum())
        unchanged = calls.filter(pa.array(taken))
        columns = ("customer", "identifier", "called")
        for row in zip(*(unchanged[name].to_pylist() for name in columns), strict=True):
            self.found.left[_left(reason, *row)] += 1

    def _count(self, old: pa.Table, new: pa.Table, moved: Mask) -> None:
        """Add a day's differences to the changes of each customer."""
        costs = old["cost_micro"].to_pylist(), new["cost_micro"].to_pylist()
        owners = old["customer"].to_pylist(), new["customer"].to_pylist()
        differs = moved | (np.asarray(old["cost_micro"]) != np.asarray(new["cost_micro"]))
        self.found.changed += int(differs.sum())
        if self.found.rates is not None:
            self.found.rates.add(old, new, np.flatnonzero(differs).tolist())
        for row in np.flatnonzero(differs).tolist():
            before, after = owners[0][row], owners[1][row]
            self.found.change(before).before_micro += costs[0][row]
            self.found.change(after).after_micro += costs[1][row]
            for name in {before, after}:
                self.found.change(name).calls += 1

    def _write(self, day: dt.date, calls: pa.Table, places: Places, new: pa.Table) -> None:
        """Write a day's calls with the changed ones replaced."""
        mask = np.zeros(len(calls), np.bool_)
        mask[places] = True
        old = calls.take(pa.array(places))
        for name in _RERATED:
            column = pc.replace_with_mask(
                calls[name].combine_chunks(), pa.array(mask), new[name].combine_chunks()
            )
            calls = calls.set_column(calls.schema.get_field_index(name), name, column)
        touched = {*pc.unique(old["customer"]).to_pylist(), *pc.unique(new["customer"]).to_pylist()}
        self.folder.write(day, calls, touched, pc.unique(old["carrier"]).to_pylist())

    def _restate(
        self, day: dt.date, calls: pa.Table, owner: Indexes, now: Indexes, taken: Mask
    ) -> None:
        """Add calls of closed periods to the corrections to post, and keep their customers."""
        self._leave(calls, taken & (now != owner), "closed")
        places, new = self._valued(day, calls, owner, taken & (now == owner))
        old = calls.take(pa.array(places))
        self.restating.add(day, old, new["cost_micro"])
        if self.found.rates is not None:
            differs = np.asarray(old["cost_micro"]) != np.asarray(new["cost_micro"])
            self.found.rates.add(old, new, np.flatnonzero(differs).tolist())


def asked_again(calls: pa.Table, who: Indexes, day: dt.date, timezone: str) -> pa.Table:
    """Return calls of the detail in the columns that pricing takes.

    Args:
        calls: of a day.
        who: whose each is, a place in the directory.
        day: on which they started.
        timezone: of the book.
    """
    count = len(calls)
    start = np.asarray(pc.cast(calls["start"], pa.int64()))
    price = pc.add(calls["cost_micro"], calls["voided_micro"])
    asked = calls.select(["called", "seconds", "service", "tariff", "direction"])
    for name, column in {
        "customer": pa.array(who, pa.int32()),
        "day": pa.repeat(pa.scalar(day, pa.date32()), count),
        "local": pa.array(times.to_naive(start, timezone)).cast(pa.timestamp("s")),
        "free": pa.repeat(pa.scalar(False), count),
        "given_micro": pc.if_else(calls["given"], price, pa.scalar(None, pa.int64())),
        "given_buy_micro": _given_buy(calls),
        "given_carrier": calls["carrier"],
    }.items():
        asked = asked.append_column(name, column)
    return asked


def priced_again(calls: pa.Table, columns: Mapping[str, Any]) -> pa.Table:
    """Return calls of the detail with new prices, void calls still void."""
    new = calls
    for name, column in columns.items():
        new = new.set_column(new.schema.get_field_index(name), new.schema.field(name), column)
    nothing = pa.array(np.zeros(len(calls), np.int64))
    new = new.set_column(new.schema.get_field_index("voided_micro"), "voided_micro", nothing)
    return detail.voided(new, calls["void"])


def _late(new: pa.Table, old: pa.Table, moved: Mask, opened: Places, day: dt.date) -> pa.Table:
    """Set ``late_in``: unchanged, or by the new owner's period for calls that moved."""
    in_time = opened <= (day - EPOCH).days
    other = pa.array(opened.astype("datetime64[D]"), pa.date32(), mask=in_time)
    late_in = pc.if_else(pa.array(moved), other, old["late_in"].combine_chunks())
    return new.set_column(new.schema.get_field_index("late_in"), "late_in", late_in)


def _given_buy(calls: pa.Table) -> pa.ChunkedArray:
    """Return buying prices that rows gave, null where a deck did."""
    own = pc.and_(calls["given"], pc.equal(calls["deck"], ""))
    own = pc.and_(own, pc.not_equal(calls["carrier"], ""))
    return pc.if_else(own, calls["buy_micro"], pa.scalar(None, pa.int64()))


def _differ(old: pa.Table, new: pa.Table) -> Mask:
    """Return a mask of the calls that differ."""
    mask = np.zeros(len(old), np.bool_)
    for name in _RERATED:
        before, after = old[name], new[name]
        if name in _NOTHING:
            before, after = (pc.fill_null(column, _NOTHING[name]) for column in (before, after))
        mask |= np.asarray(pc.not_equal(before, after))
    return mask


def _left(reason: str, customer: str, identifier: str, called: str) -> Left:
    message = {
        "unknown-customer": f"nobody holds {identifier or customer!r} on their day",
        "before-opening": f"{identifier!r} is of a customer whose account was opened later",
        "settled": f"{identifier!r} is of a customer whose account was settled",
        "no-rate": f"no rate for {called}",
        "blocked": f"calls to {called} are blocked by now",
        "wrong-currency": f"the tariff for {called} is not in the account's currency",
        "closed": f"{identifier!r} is another's on their day, but their period is closed",
    }[reason]
    return Left(customer, reason, message)
