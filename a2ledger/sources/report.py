"""What an import did: every row in one counted bucket, and the line it leaves in imports.csv."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.book.book import IMPORTS, Draft
from a2ledger.csvfile import csv_text
from a2ledger.errors import ExpectedError
from a2ledger.sources import dropped, quarantine
from a2ledger.sources.batch import Refused

_HEADER = (
    "time",
    "source",
    "files",
    "read",
    "posted",
    "free",
    "not_billable",
    "duplicate",
    "late",
    "quarantined",
    "amount",
    "latest",
    "through",
)


HALF = "local-half"
"""Why a call is not billed that is half of another; see :mod:`a2ledger.calls.local_halves`."""

PART = "part"
"""Why a row is not billed that is part of a call that is."""

Buckets = npt.NDArray[np.object_]
"""For each call ``posted``, ``free``, ``late``, ``duplicate``, :data:`HALF` or :data:`PART`."""


class UncountedRowsError(ExpectedError):
    """Rows went in that came out in no bucket. Nothing is published."""


class Explanation(Protocol):
    """Told what becomes of every row of an import."""

    def read(self, batch: Any, normal: Any, names: Any) -> None:
        """Hear of a batch as it is read and recognised."""

    def take(self, calls: pa.Table, buckets: Any) -> None:
        """Hear in which bucket each call was counted."""


@dataclass(kw_only=True)
class Rated:
    """Calls that came with a price, beside what the book's own tariffs make of them."""

    compared: int = 0
    without_rate: int = 0
    different: int = 0
    given_micro: int = 0
    """What those that differ cost as they came."""
    own_micro: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Rated) -> None:
        """Count another's calls, too."""
        self.compared += other.compared
        self.without_rate += other.without_rate
        self.different += other.different
        self.given_micro += other.given_micro
        self.own_micro += other.own_micro
        self.examples = [*self.examples, *other.examples][:EXAMPLES]

    def __str__(self) -> str:
        apart = money.text(self.own_micro - self.given_micro, 2)
        return (
            f"own rating: {self.compared} calls compared, {self.different} would cost otherwise "
            f"({apart} in all), {self.without_rate} have no rate; they are posted as they came"
        )

    def as_json(self) -> dict[str, Any]:
        """The comparison as part of the command's ``--json``."""
        return {
            "compared": self.compared,
            "without_rate": self.without_rate,
            "different": self.different,
            "given": money.text(self.given_micro),
            "own": money.text(self.own_micro),
            "examples": self.examples,
        }


EXAMPLES = 20
"""Calls that differ that are named."""


@dataclass(kw_only=True)
class Report:
    """Counts of one import."""

    source: str
    files: list[str] = field(default_factory=list)
    read: int = 0
    beyond: int = 0
    """Legs of trunks that are counted beside the rows read: a row may stand for two."""
    posted: int = 0
    free: int = 0
    not_billable: Counter[str] = field(default_factory=Counter)
    duplicate: int = 0
    late: int = 0
    refused: list[Refused] = field(default_factory=list)
    displaced: list[Refused] = field(default_factory=list)
    """Calls of earlier runs that lost a conflict: quarantined, but not among the rows read."""
    known: set[str] = field(default_factory=set)
    """Identities posted or known: they leave the quarantine."""
    customers: set[str] = field(default_factory=set)
    amount_micro: int = 0
    """What was posted in the book's currency."""
    foreign_micro: Counter[str] = field(default_factory=Counter)
    """And in other currencies."""
    currencies: Mapping[str, str] = field(default_factory=dict)
    """Of the customers whose account is not in the book's."""
    latest: dt.datetime | None = None
    through: dt.date | None = None
    """The last day the run was asked to take, if it was not to take all there was."""
    new_in_quarantine: int = 0
    rated: Rated = field(default_factory=Rated)
    """How calls that came with a price compare with the book's own tariffs."""
    unclaimed: dict[str, Any] = field(default_factory=dict)
    """Answered rows with talk seconds that nobody pays for: calls, seconds, and calls by reason."""
    explanation: Explanation | None = None
    """Told what becomes of every row, where somebody wants to know."""

    def take(self, calls: pa.Table, buckets: Buckets | str) -> None:
        """Count calls that were not refused, each in its bucket."""
        if isinstance(buckets, str):
            buckets = np.full(len(calls), buckets, object)
        counts = Counter(buckets.tolist())
        self.posted += counts["posted"]
        self.free += counts["free"]
        self.late += counts["late"]
        self.duplicate += counts["duplicate"]
        self.not_billable.update({name: counts[name] for name in (HALF, PART) if counts[name]})
        stays = np.isin(buckets, ("posted", "free", "late"))
        kept = calls.select(["customer", "cost_micro"]).filter(pa.array(stays))
        self._add(kept)
        self.customers |= set(pc.unique(kept["customer"]).to_pylist())
        if self.explanation is not None:
            self.explanation.take(calls, buckets)

    def _add(self, calls: pa.Table) -> None:
        """Add up what calls cost, each currency by itself."""
        for currency in sorted(set(self.currencies.values())):
            names = [name for name, other in self.currencies.items() if other == currency]
            own = pc.is_in(calls["customer"], value_set=pa.array(names, pa.string()))
            if cost := pc.sum(calls["cost_micro"].filter(own)).as_py():
                self.foreign_micro[currency] += cost
            calls = calls.filter(pc.invert(own))
        self.amount_micro += pc.sum(calls["cost_micro"]).as_py() or 0

    def without(self, rows: dropped.Dropped) -> None:
        """Count refused rows that a person has dropped for good as not billable."""
        gone = [row for row in self.refused if rows.has(self.source, row)]
        self.not_billable.update({dropped.NAME: len(gone)} if gone else {})
        for name in ("refused", "displaced"):
            kept = [row for row in getattr(self, name) if not rows.has(self.source, row)]
            setattr(self, name, kept)

    @property
    def has_calls(self) -> bool:
        """Whether a row of the run is a call in the book, now or already."""
        return bool(self.posted or self.free or self.late or self.duplicate)

    def check(self) -> None:
        """Make sure every row read is in one bucket.

        Raises:
            UncountedRowsError: otherwise.
        """
        counted = (
            self.posted
            + self.free
            + self.not_billable.total()
            + self.duplicate
            + self.late
            + len(self.refused)
        )
        if counted != self.read + self.beyond:
            raise UncountedRowsError(
                f"{self.source}: {self.read} rows were read but {counted} accounted for",
                undone="nothing was published",
                todo="please report this as a defect",
            )

    def as_json(self) -> dict[str, Any]:
        """The counts as the command's ``--json``."""
        return {
            "read": self.read,
            "posted": self.posted,
            "free": self.free,
            "not_billable": dict(sorted(self.not_billable.items())),
            "duplicate": self.duplicate,
            "late": self.late,
            "quarantined": self.quarantined(),
            "customers": len(self.customers),
            "amount": money.text(self.amount_micro, 2),
            "files": self.files,
        } | self._more_json()

    def _more_json(self) -> dict[str, Any]:
        """Return what the JSON says where there is something to say."""
        found: dict[str, Any] = {"amounts": self.foreign()} if self.foreign_micro else {}
        if self.unclaimed:
            found["unclaimed"] = self.unclaimed
        return found

    def foreign(self) -> dict[str, str]:
        """Amounts in other currencies than the book's."""
        return {
            currency: money.text(micro, money.decimals(currency))
            for currency, micro in sorted(self.foreign_micro.items())
        }

    def quarantined(self) -> dict[str, int]:
        """Refused rows by reason."""
        return dict(sorted(Counter(row.reason for row in self.refused).items()))

    def __str__(self) -> str:
        parts = [f"{self.read} rows read", f"{self.posted} posted"]
        parts += [
            f"{count} {name}"
            for name, count in (
                ("free", self.free),
                ("late", self.late),
                ("duplicate", self.duplicate),
                (f"not billable ({_counts(self.not_billable)})", self.not_billable.total()),
                (f"quarantined ({_counts(self.quarantined())})", len(self.refused)),
            )
            if count
        ]
        amounts = [f"{amount} {currency}" for currency, amount in self.foreign().items()]
        if self.amount_micro or not amounts:
            amounts.insert(0, money.text(self.amount_micro, 2))
        return f"{self.source}: {', '.join(parts)}; {', '.join(amounts)}"


def together(source: str, parts: Sequence[Report], files: Sequence[str]) -> Report:
    """One report of a run that had several parts; what it cost is what calls and charges did."""
    found = Report(source=source, files=list(files))
    for part in parts:
        found.read += part.read
        found.beyond += part.beyond
        found.posted += part.posted
        found.free += part.free
        found.not_billable.update(part.not_billable)
        found.duplicate += part.duplicate
        found.late += part.late
        found.refused += part.refused
        found.displaced += part.displaced
        found.known |= part.known
        found.customers |= part.customers
        found.rated.add(part.rated)
        if part.source in _EARNING:
            found.amount_micro += part.amount_micro
            found.foreign_micro.update(part.foreign_micro)
        if part.latest and part.source == "calls":
            found.latest = part.latest
            found.through = part.through
    return found


_EARNING = ("calls", "charges")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def record(draft: Draft, report: Report, now: dt.datetime) -> None:
    """Add the run's line to ``imports.csv`` and its refusals to the quarantine."""
    put_aside(draft, report)
    line: Sequence[object] = (
        now.isoformat(timespec="seconds"),
        report.source,
        "; ".join(report.files),
        report.read,
        report.posted,
        report.free,
        report.not_billable.total(),
        report.duplicate,
        report.late,
        len(report.refused),
        money.text(report.amount_micro, 2),
        report.latest.isoformat(timespec="seconds") if report.latest else "",
        report.through or "",
    )
    _, _, earlier = draft.text(IMPORTS).partition("\n")  # an older book's header may be shorter
    draft.put(IMPORTS, csv_text([_HEADER]) + earlier + csv_text([line]))


def put_aside(draft: Draft, report: Report) -> None:
    """Put what a run refused into the quarantine, and take out what it posted or knew.

    Raises:
        UncountedRowsError: if not every row read is in one bucket.
    """
    report.without(dropped.read(draft))
    report.check()
    held, report.new_in_quarantine = quarantine.read(draft.root).updated(
        report.source, [*report.refused, *report.displaced], report.known
    )
    if held.rows or (draft.root / quarantine.PATH).exists():
        draft.put(quarantine.PATH, quarantine.written(held).encode("utf-8", "surrogateescape"))


def message(verb: str, reports: Iterable[Report]) -> str:
    """A commit's message: what was done, with its counts."""
    return f"{verb}: " + "; ".join(map(str, reports)) + "\n"
