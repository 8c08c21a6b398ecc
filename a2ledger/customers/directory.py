"""Look up customers by identifier and day, and their facts by day, for many rows at once.

A customer's id is always one of the identifiers; the others are the dated fact
``identifiers``. A fact holds from the start of its day until the next; one of the opening also
holds before it. Days are days since 1970-01-01 in the book's time zone.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.period import EPOCH
from a2ledger.records import Customer, Fact, split_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Days = npt.NDArray[np.int32]
Indexes = npt.NDArray[np.int32]

NOBODY = -1
"""Stands for a customer's index where there is no customer."""

_INTERNATIONAL = re.compile(r"\+[0-9][0-9 ().-]{2,}", re.ASCII)
"""A number with its country code. Its digits alone are an identifier, too."""

_ALWAYS = -(1 << 30)
_NEVER = 1 << 30
_SHIFT = 32


class _Holding(NamedTuple):
    """A customer holds an identifier from the start of one day until the start of another."""

    identifier: str
    customer: int
    since: int
    until: int


class _Steps:
    """A step function of a code and a day: each value holds from a day until the next."""

    def __init__(self, steps: Iterable[tuple[int, int, int]]) -> None:
        """Build it from steps: (code, since, value)."""
        rows = np.array(sorted(steps), np.int64).reshape(-1, 3)
        self._keys = self._key(rows[:, 0], rows[:, 1])
        self._values = rows[:, 2].astype(np.int32)
        self._constant = np.array_equal(rows[:, 0], np.arange(len(rows)))
        """True if each code has one value for ever, stored at the code's own place."""

    @staticmethod
    def _key(code: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return (code << _SHIFT) + (day - _ALWAYS)

    def at(self, code: npt.NDArray[np.integer], day: Days) -> Indexes:
        """Return the value of each row, where every code has a step at :data:`_ALWAYS`."""
        if not len(self._keys):
            return np.full(len(code), NOBODY, np.int32)
        if self._constant:
            return np.where(code < 0, NOBODY, self._values[code]).astype(np.int32)
        key = self._key(code.astype(np.int64), day.astype(np.int64))
        place = np.searchsorted(self._keys, key, side="right") - 1
        return np.where(code < 0, NOBODY, self._values[np.maximum(place, 0)]).astype(np.int32)


class Directory:
    """All customers of a book, indexed by identifier and day."""

    def __init__(self, customers: Sequence[Customer]) -> None:
        self.customers = tuple(customers)
        self.opened = np.array([_day(c.opened) for c in self.customers], np.int32)
        """The day each customer's account was opened."""
        codes = self._codes = dict[str, int]()
        steps = [
            (codes.setdefault(identifier, len(codes)), since, customer)
            for identifier, segments in _segments(_holdings(self.customers))
            for since, customer in segments
        ]
        self._identifiers = pa.array(list(codes), pa.string())
        self._holders = _Steps(steps)
        self._facts: dict[str, tuple[list[Fact | None], _Steps]] = {}

    def __contains__(self, identifier: str) -> bool:
        """Return True if a customer holds, held or will hold an identifier."""
        return identifier in self._codes

    def identify(self, values: pa.StringArray, day: Days) -> Indexes:
        """Return the customer who holds each identifier on its day, or -1.

        An identifier that two customers hold on one day is nobody's.

        Args:
            values: identifiers, shape (n,).
            day: int32, shape (n,).

        Returns:
            int32 indexes into ``customers``, shape (n,).
        """
        codes = pc.index_in(values, value_set=self._identifiers)
        return self._holders.at(np.asarray(pc.fill_null(codes, NOBODY)), day)

    def fact(
        self, key: str, customer: Indexes, day: Days
    ) -> tuple[list[Fact | None], npt.NDArray[np.int32]]:
        """Return the value of a fact for each row.

        Args:
            key: one of :data:`a2ledger.records.KEYS`.
            customer: int32 indexes into ``customers``, or -1, shape (n,).
            day: int32, shape (n,).

        Returns:
            The different values there are, the first of them None, and each row's index into
            them.
        """
        if key not in self._facts:
            self._facts[key] = self._steps_of(key)
        values, steps = self._facts[key]
        return values, np.maximum(steps.at(customer, day), 0)

    def _steps_of(self, key: str) -> tuple[list[Fact | None], _Steps]:
        values: dict[Fact | None, int] = {None: 0}
        steps = []
        for index, customer in enumerate(self.customers):
            history = customer.facts.get(key, ())
            if not history or history[0][0] > customer.opened:
                steps.append((index, _ALWAYS, 0))
            for since, _, value in _spans(customer, key):
                steps.append((index, since, values.setdefault(value, len(values))))
        return list(values), _Steps(steps)


def clashes(customers: Sequence[Customer]) -> list[str]:
    """Return a message for each identifier that two customers hold on one day.

    >>> clashes([Customer(id="a", opened=EPOCH), Customer(id="b", opened=EPOCH)])
    []
    """
    return [
        _clash(customers, first, two)
        for _, holdings in _by_identifier(_holdings(customers))
        for first, two in _overlapping(holdings)
    ]


def _overlapping(holdings: list[_Holding]) -> Iterator[tuple[_Holding, _Holding]]:
    """Yield each pair of customers' holdings that overlap, once per pair."""
    holdings = sorted(holdings, key=lambda holding: holding.since)
    seen = set()
    last = holdings[0]
    for holding in holdings[1:]:
        pair = frozenset((last.customer, holding.customer))
        if len(pair) > 1 and holding.since < last.until and pair not in seen:
            seen.add(pair)
            yield last, holding
        last = max(last, holding, key=lambda holding: holding.until)


def _clash(customers: Sequence[Customer], first: _Holding, two: _Holding) -> str:
    names = " and ".join(sorted(customers[holding.customer].id for holding in (first, two)))
    since = f" from {EPOCH + dt.timedelta(days=two.since)}" if two.since > _ALWAYS else ""
    return f"{names} both hold the identifier {first.identifier!r}{since}"


def _holdings(customers: Sequence[Customer]) -> Iterator[_Holding]:
    for index, customer in enumerate(customers):
        yield _Holding(customer.id, index, _ALWAYS, _NEVER)
        for since, until, value in _spans(customer, "identifiers"):
            for identifier in split_list(str(value)):
                yield _Holding(identifier, index, since, until)
                if _INTERNATIONAL.fullmatch(identifier):
                    yield _Holding(re.sub(r"\D", "", identifier), index, since, until)


def _spans(customer: Customer, key: str) -> Iterator[tuple[int, int, Fact]]:
    """Yield a fact's values, each with the days from which and until which it holds."""
    history = customer.facts.get(key, ())
    days = [_ALWAYS if since <= customer.opened else _day(since) for since, _ in history[:1]]
    days += [*(_day(since) for since, _ in history[1:]), _NEVER]
    for (_, value), (since, until) in zip(history, itertools.pairwise(days), strict=False):
        if since < until:
            yield since, until, value


def _by_identifier(holdings: Iterable[_Holding]) -> Iterator[tuple[str, list[_Holding]]]:
    grouped: dict[str, list[_Holding]] = {}
    for holding in holdings:
        grouped.setdefault(holding.identifier, []).append(holding)
    yield from grouped.items()


def _segments(holdings: Iterable[_Holding]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yield each identifier with the days from which a customer, or nobody, holds it."""
    for identifier, held in _by_identifier(holdings):
        bounds = sorted({_ALWAYS, *(h.since for h in held), *(h.until for h in held)} - {_NEVER})
        segments = []
        for day in bounds:
            holders = {h.customer for h in held if h.since <= day < h.until}
            segments.append((day, holders.pop() if len(holders) == 1 else NOBODY))
        yield identifier, segments


def _day(date: dt.date) -> int:
    return (date - EPOCH).days
