"""Reconcile a carrier's bill with what we expected to pay: calls, durations and amounts."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from a2ledger import money
from a2ledger.audit.carrier_file import Theirs, digits
from a2ledger.book.config import Tolerance

AGREES, SECONDS, PRICE, THEIRS, OURS = (
    *("agrees", "other seconds", "other price"),
    *("only the carrier", "only we"),
)


_HOUR = dt.timedelta(hours=1)
_NEAR = dt.timedelta(minutes=2)
FARTHEST = dt.timedelta(hours=14)
"""The most that two clocks differ by."""


class Ours(NamedTuple):
    """A call from our call detail."""

    uid: str
    start: dt.datetime
    called: str
    destination: str
    seconds: int
    micro: int
    currency: str = ""
    """Currency of the deck that gives its cost."""


class Pair(NamedTuple):
    """A call found on both sides, or on one."""

    kind: str
    ours: Ours | None
    theirs: Theirs | None

    def row(self) -> tuple[str, ...]:
        """Return the pair as a row of a dispute."""
        ours, theirs = self.ours, self.theirs
        shown = ours or theirs
        assert shown is not None  # noqa: S101 - a pair has a side
        return (
            self.kind,
            str(shown.start or ""),
            shown.called,
            (ours.destination if ours else "") or shown.destination,
            str(ours.seconds) if ours else "",
            str(theirs.seconds) if theirs else "",
            money.text(ours.micro) if ours else "",
            money.text(theirs.micro) if theirs else "",
            money.text((theirs.micro if theirs else 0) - (ours.micro if ours else 0)),
            str(theirs.line) if theirs else "",
            ours.uid if ours else "",
        )


DISPUTE = (
    *("kind", "start", "called", "destination", "seconds_ours", "seconds_theirs"),
    *("amount_ours", "amount_theirs", "difference", "line", "id"),
)


@dataclass
class Side:
    """Totals of some calls of one side."""

    calls: int = 0
    seconds: int = 0
    micro: int = 0

    def add(self, calls: int, seconds: int, micro: int) -> None:
        """Add calls to the totals."""
        self.calls, self.seconds = self.calls + calls, self.seconds + seconds
        self.micro += micro


@dataclass(kw_only=True)
class Reconciled:
    """The comparison of a carrier's file with the book."""

    carrier: str
    currency: str
    pairs: list[Pair] = field(default_factory=list)
    destinations: dict[str, tuple[Side, Side]] = field(default_factory=dict)
    """Our totals and theirs, by destination."""
    totals: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    is_invoice: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def agrees(self) -> bool:
        """Return True if there is nothing to dispute."""
        if self.is_invoice:
            return not self.differing()
        return all(pair.kind == AGREES for pair in self.pairs)

    def differing(self) -> list[str]:
        """Return the destinations whose sums differ by more than a call's tolerance each."""
        return [
            name
            for name, (ours, theirs) in self.destinations.items()
            if ours.calls != theirs.calls
            or abs(ours.micro - theirs.micro) > self.tolerance.amount_micro * max(ours.calls, 1)
        ]

    def counts(self) -> dict[str, int]:
        """Count the calls of each kind."""
        kinds = [pair.kind for pair in self.pairs]
        return {kind: kinds.count(kind) for kind in (AGREES, SECONDS, PRICE, THEIRS, OURS)}

    def as_json(self) -> dict[str, Any]:
        """Return the result for ``--json``."""
        return {
            "carrier": self.carrier,
            "currency": self.currency,
            "agrees": self.agrees,
            "counts": self.counts(),
            "total": _both(*self.totals),
            "destinations": [
                {"destination": name, **_both(*sides)}
                for name, sides in sorted(self.destinations.items())
            ],
            "disputed": [
                dict(zip(DISPUTE, pair.row(), strict=True))
                for pair in self.pairs
                if pair.kind != AGREES
            ],
        }


def _both(ours: Side, theirs: Side) -> dict[str, Any]:
    return {
        "calls_ours": ours.calls,
        "calls_theirs": theirs.calls,
        "seconds_ours": ours.seconds,
        "seconds_theirs": theirs.seconds,
        "amount_ours": money.text(ours.micro),
        "amount_theirs": money.text(theirs.micro),
        "difference": money.text(theirs.micro - ours.micro),
    }


def compare(
    carrier: str,
    currency: str,
    ours: Iterable[Ours],
    theirs: Sequence[Theirs],
    tolerance: Tolerance,
    bounds: tuple[dt.datetime, dt.datetime],
) -> Reconciled:
    """Compare a carrier's calls, or the lines of their invoice, with ours.

    Args:
        carrier: their name.
        currency: of both.
        ours: our calls, with those that started a little before or after, too.
        theirs: what they have.
        tolerance: how far apart is the same.
        bounds: first and last moment; a call of ours outside is only there to be paired.
    """
    result = Reconciled(carrier=carrier, currency=currency, tolerance=tolerance)
    result.is_invoice = any(record.start is None for record in theirs)
    mine = sorted(ours, key=lambda call: (call.start, call.uid))
    paired: set[str] = set()
    if not result.is_invoice:
        pairs = list(_pairs(mine, theirs, tolerance))
        paired = {pair.ours.uid for pair in pairs if pair.ours and pair.theirs}
        result.pairs = [
            pair
            for pair in pairs
            if pair.theirs or (pair.ours and bounds[0] <= pair.ours.start <= bounds[1])
        ]
    mine = [call for call in mine if call.uid in paired or bounds[0] <= call.start <= bounds[1]]
    names = _names(result.pairs)
    for call in mine:
        sides = result.destinations.setdefault(call.destination, (Side(), Side()))
        sides[0].add(1, call.seconds, call.micro)
        result.totals[0].add(1, call.seconds, call.micro)
    for record in theirs:
        name = names.get(record, record.destination or record.called)
        sides = result.destinations.setdefault(name, (Side(), Side()))
        sides[1].add(record.calls, record.seconds, record.micro)
        result.totals[1].add(record.calls, record.seconds, record.micro)
    return result


def hours_apart(alone: Sequence[Theirs], ours: Iterable[Ours]) -> int:
    """Return by how many whole hours a carrier's clock seems to be behind ours, 0 if it is not.

    Args:
        alone: their calls that have no pair; most of them have one that much later or earlier.
        ours: our calls, with those up to :data:`FARTHEST` before and after theirs.
    """
    starts: dict[str, list[dt.datetime]] = {}
    for call in ours:
        starts.setdefault(digits(call.called), []).append(call.start)
    counts: Counter[int] = Counter()
    for record in alone:
        assert record.start is not None  # noqa: S101 - an invoice is not paired
        for start in starts.get(record.called, ()):
            apart = start - record.start
            hours = round(apart / _HOUR)
            if hours and abs(apart) <= FARTHEST and abs(apart - hours * _HOUR) < _NEAR:
                counts[hours] += 1
    hours, count = next(iter(counts.most_common(1)), (0, 0))
    return hours if count * 2 > len(alone) else 0


def _names(pairs: Iterable[Pair]) -> dict[Theirs, str]:
    """Return our destination names of their calls, so that totals compare."""
    return {pair.theirs: pair.ours.destination for pair in pairs if pair.ours and pair.theirs}


def _pairs(mine: Sequence[Ours], theirs: Sequence[Theirs], tolerance: Tolerance) -> Iterator[Pair]:
    """Yield each call with the nearest in time on the other side, within the tolerance."""
    by_number: dict[str, list[Ours]] = {}
    for call in mine:
        by_number.setdefault(digits(call.called), []).append(call)
    used: set[str] = set()
    most = dt.timedelta(seconds=tolerance.start_seconds)
    for record in sorted(theirs, key=lambda record: (record.start or dt.datetime.min, record.line)):  # noqa: DTZ901
        assert record.start is not None  # noqa: S101 - an invoice is not paired
        calls = by_number.get(record.called, [])
        first = bisect_left(calls, record.start - most, key=lambda call: call.start)
        near = []
        for call in calls[first:]:
            if call.start > record.start + most:
                break
            if call.uid not in used:
                apart = abs(call.start - record.start)
                near.append((abs(call.seconds - record.seconds), apart, call.uid, call))
        if not near:
            yield Pair(THEIRS, None, record)
            continue
        call = min(near)[-1]
        used.add(call.uid)
        same_price = abs(call.micro - record.micro) <= tolerance.amount_micro
        same_length = abs(call.seconds - record.seconds) <= tolerance.seconds
        # At the same price another length is only how blocks are shown.
        kind = AGREES if same_price else PRICE if same_length else SECONDS
        yield Pair(kind, call, record)
    for call in mine:
        if call.uid not in used:
            yield Pair(OURS, call, None)
