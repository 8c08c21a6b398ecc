"""What became of the periods that a close was to end, and what all of them come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from a2ledger import money
from a2ledger.period import Period
from a2ledger.records import Warned


@dataclass(kw_only=True)
class Closed:
    """The result of closing one customer's period, which was left open if it has no bill."""

    customer: str
    period: Period
    number: str | None = None
    kind: str = ""
    """Kind of its document."""
    gross: str = ""
    to_pay: str = ""
    currency: str = ""
    billed_micro: int = 0
    """What the close moves to Billed; negative for a credit note."""
    closed: bool = True
    waits: bool = False
    """True if it was left open because it is billed together with the next period."""
    warnings: list[Warned] = field(default_factory=list)

    @property
    def billed(self) -> str:
        """Return the amount moved to Billed, negative for a credit note, empty if left open."""
        if not self.closed:
            return ""
        return money.text(self.billed_micro, money.decimals(self.currency))

    def as_json(self) -> dict[str, Any]:
        """Return the row for ``--json``, with the document's unsigned ``gross``."""
        return {
            "customer": self.customer,
            "number": self.number,
            "kind": self.kind or None,
            "period": {"start": str(self.period.start), "end": str(self.period.end)},
            "gross": self.gross,
            "to_pay": self.to_pay,
            "billed": self.billed,
            "currency": self.currency,
            "closed": self.closed,
            "waits": self.waits,
            "warnings": [warned._asdict() for warned in self.warnings],
        }


def totals(results: Iterable[Closed]) -> list[str]:
    """Return the total billed in each currency, such as ``131.00 EUR``."""
    sums: dict[str, int] = {}
    for row in results:
        if row.closed:
            sums[row.currency] = sums.get(row.currency, 0) + row.billed_micro
    return _amounts(sums)


def waiting(results: Iterable[Closed]) -> str:
    """Return how many bills wait for the next one and what they come to, empty if none does."""
    rows = [row for row in results if row.waits]
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.currency] = sums.get(row.currency, 0) + money.parse(row.gross)
    amounts = " and ".join(_amounts(sums))
    return f"{len(rows)} bill(s) below the minimum wait for the next, {amounts}" if rows else ""


def _amounts(sums: Mapping[str, int]) -> list[str]:
    return [
        f"{money.text(micro, money.decimals(currency))} {currency}"
        for currency, micro in sorted(sums.items())
    ]


def left_open(results: Sequence[Closed]) -> Iterator[str]:
    """Yield a message for every period that was due or requested but left open."""
    for row in results:
        if not row.closed and not row.waits:
            for warned in row.warnings:
                yield f"{row.customer}, {row.period}: left open: {warned.message}"
