"""Compute what a change of prices earns: price a month's real calls both ways.

It is what re-rating them by the one deck and then by the other would make of them, to the
micro-unit: calls that re-rating leaves as they are stay as they are here, too.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.book.book import Book
from a2ledger.calls import detail
from a2ledger.calls.fold import sealed
from a2ledger.corrections.rerate import asked_again, priced_again
from a2ledger.customers.directory import NOBODY, Indexes
from a2ledger.journal import subledgers
from a2ledger.period import EPOCH
from a2ledger.rating import price
from a2ledger.rating.deck import Deck
from a2ledger.rating.price import Pricing

Integers = npt.NDArray[np.int64]

_NUMBERS = ("calls", "seconds", "before", "after", "cost_before", "cost_after", "losing")


@dataclass
class Sums:
    """Totals of some calls, with amounts in micro-units."""

    calls: int = 0
    seconds: int = 0
    before: int = 0
    after: int = 0
    cost_before: int = 0
    """Carriers' charges, as far as known in the account's currency."""
    cost_after: int = 0
    losing: int = 0
    """Calls that would sell below the carrier's charge."""

    @property
    def difference(self) -> int:
        """Return how much more is earned."""
        return self.after - self.before

    def as_json(self) -> dict[str, Any]:
        """Return the totals with amounts as text, for ``--json``."""
        return {
            "calls": self.calls,
            "seconds": self.seconds,
            "before": money.text(self.before, 2),
            "after": money.text(self.after, 2),
            "difference": money.text(self.difference, 2),
            "cost_before": money.text(self.cost_before, 2),
            "cost_after": money.text(self.cost_after, 2),
            "margin_before": money.text(self.before - self.cost_before, 2),
            "margin_after": money.text(self.after - self.cost_after, 2),
            "losing": self.losing,
        }


@dataclass(kw_only=True)
class Effect:
    """The effect of a change of prices on a month's calls."""

    month: str
    customers: dict[tuple[str, str], Sums] = field(default_factory=dict)
    """Totals by customer and currency."""
    destinations: dict[tuple[str, str], Sums] = field(default_factory=dict)
    """Totals by destination and currency."""
    totals: dict[str, Sums] = field(default_factory=dict)
    """Totals by currency."""
    left: Counter[str] = field(default_factory=Counter)
    """Number of calls that stay as they are, by reason."""

    def by_effect(self, kind: str) -> list[tuple[tuple[str, str], Sums]]:
        """Return the rows of ``customers`` or ``destinations``, largest effect first."""
        rows: dict[tuple[str, str], Sums] = getattr(self, kind)
        return sorted(rows.items(), key=lambda row: (-abs(row[1].difference), row[0]))

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "month": self.month,
            "totals": [
                {"currency": currency, **sums.as_json()}
                for currency, sums in sorted(self.totals.items())
            ],
            **{
                kind: [
                    {kind.removesuffix("s"): name, "currency": currency, **sums.as_json()}
                    for (name, currency), sums in self.by_effect(kind)
                ]
                for kind in ("destinations", "customers")
            },
            "left": dict(self.left),
        }


def what_if(book: Book, old: Mapping[str, Deck], new: Mapping[str, Deck], month: str) -> Effect:
    """Price a month's calls with old and with new decks.

    Args:
        book: whose calls.
        old: decks by name that stand for the book's own before the change …
        new: … and after it.
        month: such as ``2026-02``.

    Raises:
        BrokenBookError: if a deck is bad.
        MissingDetailError: if the calls of a day are missing or differ.
    """
    comparing = _Comparing(book, old, new, month)
    for day in sorted(detail.digests(book)):
        if f"{day:%Y-%m}" == month:
            comparing.take(day)
    return comparing.effect


class _Comparing:
    """Compares calls one day at a time."""

    def __init__(
        self, book: Book, old: Mapping[str, Deck], new: Mapping[str, Deck], month: str
    ) -> None:
        self.book = book
        self.sides = (price.pricing(book, old), price.pricing(book, new))
        self.directory = self.sides[0].directory
        customers = self.directory.customers
        self.settled = np.array([customer.settled for customer in customers], np.bool_)
        self.opened = {customer.id: customer.open_since for customer in customers}
        self.effect = Effect(month=month)

    def take(self, day: dt.date) -> None:
        """Compare the calls of a day."""
        calls = detail.verified(self.book.root, day, detail.digests(self.book))
        if not len(calls):
            return
        who, reason = self._owners(calls, day)
        places = np.flatnonzero(reason == "")
        old = calls.take(pa.array(places))
        asked = asked_again(old, who[places], day, self.sides[0].config.timezone)
        before, unpriced = self._priced(self.sides[0], calls, places, old, asked)
        after, still = self._priced(
            self.sides[1], before, places, before.take(pa.array(places)), asked
        )
        for kind, mask in (("no-rate before", unpriced), ("no-rate after", still)):
            if mask.any():
                self.effect.left[kind] += int(mask.sum())
        for name in np.unique(reason[reason != ""]).tolist():
            self.effect.left[name] += int((reason == name).sum())
        self._add(calls, before, after)

    def _owners(self, calls: pa.Table, day: dt.date) -> tuple[Indexes, npt.NDArray[np.object_]]:
        """Return the owner re-rating gives each call, and the reasons why some stay as they are."""
        owner = np.asarray(pc.index_in(calls["customer"], self.sides[0].names), np.int32)
        identifier = pc.if_else(
            pc.equal(calls["identifier"], ""), calls["customer"], calls["identifier"]
        ).combine_chunks()
        number = np.full(len(calls), (day - EPOCH).days, np.int32)
        now = self.directory.identify(identifier, number)
        closed = np.asarray(sealed(calls, day, self.opened))
        known = now != NOBODY
        early = known & (self.directory.opened[now] > (day - EPOCH).days)
        to_settled = known & ~early & (now != owner) & self.settled[now]
        reason = np.full(len(calls), "", object)
        reason[~closed & ~known] = "unknown-customer"
        reason[~closed & early] = "before-opening"
        reason[~closed & to_settled] = "settled"
        reason[closed & (now != owner)] = "closed"
        return np.where(closed, owner, now), reason

    @staticmethod
    def _priced(
        pricing: Pricing, calls: pa.Table, places: Any, old: pa.Table, asked: pa.Table
    ) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
        """Return all calls, those at some places repriced, and a mask of those without a price."""
        columns, unpriced = price.valued(asked, pricing)
        new = priced_again(old, columns)
        mask = np.zeros(len(calls), np.bool_)
        mask[places[~unpriced]] = True
        new = new.filter(pa.array(~unpriced))
        for name in ("customer", "destination", "deck", "carrier", "cost_micro", "buy_micro"):
            column = pc.replace_with_mask(
                calls[name].combine_chunks(), pa.array(mask), new[name].combine_chunks()
            )
            calls = calls.set_column(calls.schema.get_field_index(name), name, column)
        return calls, unpriced

    def _add(self, calls: pa.Table, before: pa.Table, after: pa.Table) -> None:
        currency = [subledgers.currency(self.book, name) for name in after["customer"].to_pylist()]
        bought = [self._bought(side, currency) for side in (before, after)]
        sold = [np.asarray(side["cost_micro"]) for side in (before, after)]
        known = np.array([name != "" for name in after["carrier"].to_pylist()], np.bool_)
        losing = known & (sold[1] < bought[1]) & (np.asarray(calls["seconds"]) > 0)
        table = pa.table(
            {
                "customers": after["customer"],
                "destinations": after["destination"],
                "currency": pa.array(currency, pa.string()),
                "calls": pa.array(np.ones(len(calls), np.int64)),
                "seconds": calls["seconds"],
                "before": sold[0],
                "after": sold[1],
                "cost_before": bought[0],
                "cost_after": bought[1],
                "losing": losing.astype(np.int64),
            }
        )
        for kind in ("customers", "destinations"):
            sums = table.group_by([kind, "currency"], use_threads=False).aggregate(
                [(name, "sum") for name in _NUMBERS]
            )
            for row in sums.to_pylist():
                into = getattr(self.effect, kind).setdefault((row[kind], row["currency"]), Sums())
                _plus(into, row)
                if kind == "customers":
                    _plus(self.effect.totals.setdefault(row["currency"], Sums()), row)

    def _bought(self, calls: pa.Table, currency: list[str]) -> Integers:
        """Return carriers' charges, 0 where they are in another currency than the account's."""
        config = self.book.config
        decks = {name: config.deck(name).currency for name in pc.unique(calls["deck"]).to_pylist()}
        same = [
            decks[name] == own
            for name, own in zip(calls["deck"].to_pylist(), currency, strict=True)
        ]
        amounts = np.asarray(pc.fill_null(calls["buy_micro"], 0))
        return np.where(np.array(same, np.bool_), amounts, 0)


def _plus(sums: Sums, row: Mapping[str, Any]) -> None:
    for name in _NUMBERS:
        setattr(sums, name, getattr(sums, name) + int(row[f"{name}_sum"] or 0))
