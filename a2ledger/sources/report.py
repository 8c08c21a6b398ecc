"""The report of an import: every row in one counted bucket, and its line in imports.csv."""

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
"""Reason for not billing a call that is half of another; see :mod:`a2ledger.calls.local_halves`."""

PART = "part"
"""Reason for not billing a row that is part of a billed call."""

Buckets = npt.NDArray[np.object_]
"""The bucket of each call: ``posted``, ``free``, ``late``, ``duplicate``, :data:`HALF` or
:data:`PART`.
"""


class UncountedRowsError(ExpectedError):
    """Some rows read are in no bucket. Nothing is published."""


class Explanation(Protocol):
    """An observer of what becomes of every row of an import."""

    def read(self, batch: Any, normal: Any, names: Any) -> None:
        """Observe a batch as it is read and recognised."""

    def take(self, calls: pa.Table, buckets: Any) -> None:
        """Observe the bucket each call was counted in."""


@dataclass(kw_only=True)
class Rated:
    """A comparison of calls that came with a price and the book's own tariffs."""

    compared: int = 0
    without_rate: int = 0
    different: int = 0
    given_micro: int = 0
    """The given cost of the calls that differ."""
    own_micro: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Rated) -> None:
        """Add the counts of another comparison."""
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
        """Return the comparison for the command's ``--json``."""
        return {
            "compared": self.compared,
            "without_rate": self.without_rate,
            "different": self.different,
            "given": money.text(self.given_micro),
            "own": money.text(self.own_micro),
            "examples": self.examples,
        }


EXAMPLES = 20
"""Most calls that differ to name."""


@dataclass(kw_only=True)
class Report:
    """The counts of one import."""

    source: str
    files: list[str] = field(default_factory=list)
    read: int = 0
    beyond: int = 0
    """Legs of trunks counted besides the rows read: one row may stand for two legs."""
    posted: int = 0
    free: int = 0
    not_billable: Counter[str] = field(default_factory=Counter)
    duplicate: int = 0
    late: int = 0
    refused: list[Refused] = field(default_factory=list)
    displaced: list[Refused] = field(default_factory=list)
    """Calls of earlier runs that lost a conflict: quarantined, but not among the rows read."""
    known: set[str] = field(default_factory=set)
    """Identities posted or already known. They leave the quarantine."""
    customers: set[str] = field(default_factory=set)
    amount_micro: int = 0
    """The amount posted in the book's currency."""
    foreign_micro: Counter[str] = field(default_factory=Counter)
    """The amounts posted in other currencies."""
    currencies: Mapping[str, str] = field(default_factory=dict)
    """Currencies of the customers whose account is not in the book's."""
    latest: dt.datetime | None = None
    through: dt.date | None = None
    """The last day the run was limited to, if any."""
    new_in_quarantine: int = 0
    rated: Rated = field(default_factory=Rated)
    """How calls that came with a price compare with the book's own tariffs."""
    unclaimed: dict[str, Any] = field(default_factory=dict)
    """Answered rows with talk seconds that no customer pays for: calls, seconds, and calls by
    reason.
    """
    explanation: Explanation | None = None
    """The observer of rows, if the command explains them."""

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
        """Add up the cost of calls by currency."""
        for currency in sorted(set(self.currencies.values())):
            names = [name for name, other in self.currencies.items() if other == currency]
            own = pc.is_in(calls["customer"], value_set=pa.array(names, pa.string()))
            if cost := pc.sum(calls["cost_micro"].filter(own)).as_py():
                self.foreign_micro[currency] += cost
            calls = calls.filter(pc.invert(own))
        self.amount_micro += pc.sum(calls["cost_micro"]).as_py() or 0

    def without(self, rows: dropped.Dropped) -> None:
        """Count refused rows that a person dropped for good as not billable."""
        gone = [row for row in self.refused if rows.has(self.source, row)]
        self.not_billable.update({dropped.NAME: len(gone)} if gone else {})
        for name in ("refused", "displaced"):
            kept = [row for row in getattr(self, name) if not rows.has(self.source, row)]
            setattr(self, name, kept)

    @property
    def has_calls(self) -> bool:
        """Return whether any row of the run is a call in the book, new or known."""
        return bool(self.posted or self.free or self.late or self.duplicate)

    def check(self) -> None:
        """Check that every row read is in one bucket.

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
        """Return the counts for the command's ``--json``."""
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
        """Return the optional parts of the JSON."""
        optional: dict[str, Any] = {"amounts": self.foreign()} if self.foreign_micro else {}
        if self.beyond:
            optional["more_legs"] = self.beyond
        if self.unclaimed:
            optional["unclaimed"] = self.unclaimed
        return optional

    def foreign(self) -> dict[str, str]:
        """Return the amounts in other currencies than the book's."""
        return {
            currency: money.text(micro, money.decimals(currency))
            for currency, micro in sorted(self.foreign_micro.items())
        }

    def quarantined(self) -> dict[str, int]:
        """Return the number of refused rows by reason."""
        return dict(sorted(Counter(row.reason for row in self.refused).items()))

    def __str__(self) -> str:
        more = f" (with {self.beyond} more legs in them)" if self.beyond else ""
        parts = [f"{self.read} rows read{more}", f"{self.posted} posted"]
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
    """Merge the reports of a run in several parts, with the amounts of calls and charges."""
    report = Report(source=source, files=list(files))
    for part in parts:
        report.read += part.read
        report.beyond += part.beyond
        report.posted += part.posted
        report.free += part.free
        report.not_billable.update(part.not_billable)
        report.duplicate += part.duplicate
        report.late += part.late
        report.refused += part.refused
        report.displaced += part.displaced
        report.known |= part.known
        report.customers |= part.customers
        report.rated.add(part.rated)
        if part.source in _EARNING:
            report.amount_micro += part.amount_micro
            report.foreign_micro.update(part.foreign_micro)
        if part.latest and part.source == "calls":
            report.latest = part.latest
            report.through = part.through
    return report


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
    """Update the quarantine: add what a run refused, remove what it posted or knew.

    Raises:
        UncountedRowsError: if not every row read is in one bucket.
    """
    report.without(dropped.read(draft))
    report.check()
    held, report.new_in_quarantine = quarantine.read(draft.root).updated(
        report.source, [*report.refused, *report.displaced], report.known
    )
    if held.rows or (draft.root / quarantine.PATH).exists():
        draft.put(quarantine.PATH, quarantine.written(held))


def message(verb: str, reports: Iterable[Report]) -> str:
    """Return the message of a commit: what was done, with its counts."""
    return f"{verb}: " + "; ".join(map(str, reports)) + "\n"
