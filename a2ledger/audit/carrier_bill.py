"""What a carrier asks for beside what we expected to pay: which calls, how long, how much."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
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


class Ours(NamedTuple):
    """A call as we have it."""

    uid: str
    start: dt.datetime
    called: str
    destination: str
    seconds: int
    micro: int
    currency: str = ""
    """Of the deck that says what it costs."""


class Pair(NamedTuple):
    """A call on both sides, or on one."""

    kind: str
    ours: Ours | None
    theirs: Theirs | None

    def row(self) -> tuple[str, ...]:
        """Return the pair as a row of a dispute."""
        ours, theirs = self.ours, self.theirs
        one = ours or theirs
        assert one is not None  # noqa: S101 - a pair has a side
        return (
            self.kind,
            str(one.start or ""),
            one.called,
            (ours.destination if ours else "") or one.destination,
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
    """Some calls of one side added up."""

    calls: int = 0
    seconds: int = 0
    micro: int = 0

    def add(self, calls: int, seconds: int, micro: int) -> None:
        """Add calls."""
        self.calls, self.seconds = self.calls + calls, self.seconds + seconds
        self.micro += micro


@dataclass(kw_only=True)
class Reconciled:
    """What a carrier's file and the book agree and differ in."""

    carrier: str
    currency: str
    pairs: list[Pair] = field(default_factory=list)
    destinations: dict[str, tuple[Side, Side]] = field(default_factory=dict)
    """Ours and theirs, by destination."""
    totals: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    is_invoice: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)

    @property
    def agrees(self) -> bool:
        """Whether there is nothing to dispute."""
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
        """Return how many calls there are of each kind."""
        kinds = [pair.kind for pair in self.pairs]
        return {kind: kinds.count(kind) for kind in (AGREES, SECONDS, PRICE, THEIRS, OURS)}

    def as_json(self) -> dict[str, Any]:
        """Return the command's ``--json``."""
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
    found = Reconciled(carrier=carrier, currency=currency, tolerance=tolerance)
    found.is_invoice = any(one.start is None for one in theirs)
    mine = sorted(ours, key=lambda call: (call.start, call.uid))
    paired: set[str] = set()
    if not found.is_invoice:
        pairs = list(_pairs(mine, theirs, tolerance))
        paired = {pair.ours.uid for pair in pairs if pair.ours and pair.theirs}
        found.pairs = [
            pair
            for pair in pairs
            if pair.theirs or (pair.ours and bounds[0] <= pair.ours.start <= bounds[1])
        ]
    mine = [call for call in mine if call.uid in paired or bounds[0] <= call.start <= bounds[1]]
    names = _names(found.pairs)
    for call in mine:
        sides = found.destinations.setdefault(call.destination, (Side(), Side()))
        sides[0].add(1, call.seconds, call.micro)
        found.totals[0].add(1, call.seconds, call.micro)
    for one in theirs:
        name = names.get(one, one.destination or one.called)
        sides = found.destinations.setdefault(name, (Side(), Side()))
        sides[1].add(one.calls, one.seconds, one.micro)
        found.totals[1].add(one.calls, one.seconds, one.micro)
    return found


def _names(pairs: Iterable[Pair]) -> dict[Theirs, str]:
    """Return what we call the destination of their calls, so that both add up alike."""
    return {pair.theirs: pair.ours.destination for pair in pairs if pair.ours and pair.theirs}


def _pairs(mine: Sequence[Ours], theirs: Sequence[Theirs], tolerance: Tolerance) -> Iterator[Pair]:
    """Yield each call with the one of the other side that started nearest, if near enough."""
    by_number: dict[str, list[Ours]] = {}
    for call in mine:
        by_number.setdefault(digits(call.called), []).append(call)
    used: set[str] = set()
    most = dt.timedelta(seconds=tolerance.start_seconds)
    for one in sorted(theirs, key=lambda one: (one.start or dt.datetime.min, one.line)):  # noqa: DTZ901
        assert one.start is not None  # noqa: S101 - an invoice is not paired
        calls = by_number.get(one.called, [])
        first = bisect_left(calls, one.start - most, key=lambda call: call.start)
        near = []
        for call in calls[first:]:
            if call.start > one.start + most:
                break
            if call.uid not in used:
                apart = abs(call.start - one.start)
                near.append((abs(call.seconds - one.seconds), apart, call.uid, call))
        if not near:
            yield Pair(THEIRS, None, one)
            continue
        call = min(near)[-1]
        used.add(call.uid)
        same_price = abs(call.micro - one.micro) <= tolerance.amount_micro
        same_length = abs(call.seconds - one.seconds) <= tolerance.seconds
        # At the same price another length is only how blocks are shown.
        kind = AGREES if same_price else PRICE if same_length else SECONDS
        yield Pair(kind, call, one)
    for call in mine:
        if call.uid not in used:
            yield Pair(OURS, call, None)
