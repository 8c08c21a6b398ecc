"""Prometheus metrics: decisions by reason, their latency, and what running calls reserve."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from a2ledger import money
from a2ledger.switch.decide import Decision
from a2ledger.switch.questions import Answer, Question
from a2ledger.switch.reservations import Reservation
from a2ledger.switch.terms import Snapshot

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """Counters since the server started."""

    def __init__(self) -> None:
        self.decisions: Counter[tuple[str, str, str]] = Counter()
        self.ends: Counter[tuple[str, str]] = Counter()
        self._buckets = [0] * (len(_BOUNDS) + 1)
        self._seconds = 0.0
        self.failed_reads = 0

    def count(self, question: Question, answer: Answer, seconds: float) -> None:
        """Count a question and the seconds its answer took."""
        if isinstance(answer, Decision):
            kind = type(question).__name__.lower()
            self.decisions[question.protocol, kind, answer.reason] += 1
        else:
            self.ends[question.protocol, "yes" if answer.is_known else "no"] += 1
        self._buckets[bisect_left(_BOUNDS, seconds)] += 1
        self._seconds += seconds

    def text(
        self,
        snapshot: Snapshot | None,
        checked: dt.datetime | None,
        now: dt.datetime,
        holding: Sequence[Reservation],
    ) -> str:
        """Return all metrics in Prometheus' text format."""
        at = int(now.timestamp())
        generation = snapshot.generation if snapshot else 0
        on = [call for call in holding if call.is_on(at, generation)]
        held = sum(call.holds(at, generation) for call in holding)
        age = (now - checked).total_seconds() if checked else -1.0
        lines = [
            *_metric(
                "decisions_total",
                "counter",
                "Calls decided, by protocol, question and reason.",
                (
                    (f'{{protocol="{protocol}",asked="{kind}",reason="{reason}"}}', count)
                    for (protocol, kind, reason), count in sorted(self.decisions.items())
                ),
            ),
            *_metric(
                "ends_total",
                "counter",
                "Calls reported as hung up.",
                (
                    (f'{{protocol="{protocol}",known="{known}"}}', count)
                    for (protocol, known), count in sorted(self.ends.items())
                ),
            ),
            *self._histogram(),
            *_metric("calls", "gauge", "Calls going on.", [("", len(on))]),
            *_metric("calls_holding", "gauge", "Calls that hold money.", [("", len(holding))]),
            *_metric("held", "gauge", "Money calls hold.", [("", money.text(held, 2))]),
            *_metric(
                "customers",
                "gauge",
                "Customers known.",
                [("", len(snapshot.accounts) if snapshot else 0)],
            ),
            *_metric(
                "unsound_customers",
                "gauge",
                "Customers whose ledger cannot be read.",
                [
                    (
                        "",
                        sum(not account.is_sound for account in snapshot.accounts.values())
                        if snapshot
                        else 0,
                    )
                ],
            ),
            *_metric(
                "book_generation",
                "gauge",
                "Of the book that was read last.",
                [("", generation)],
            ),
            *_metric(
                "book_age_seconds",
                "gauge",
                "Seconds since the book was last checked for changes; -1 if never.",
                [("", f"{age:.3f}")],
            ),
            *_metric(
                "failed_reads_total",
                "counter",
                "Times the book could not be read.",
                [("", self.failed_reads)],
            ),
        ]
        return "\n".join(lines) + "\n"

    def _histogram(self) -> Iterator[str]:
        name = "a2ledger_answer_seconds"
        yield f"# HELP {name} Time from a question to its answer."
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self._buckets, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._seconds:.6f}"
        yield f"{name}_count {total}"


def _metric(
    name: str, kind: str, about: str, values: Iterable[tuple[str, object]]
) -> Iterator[str]:
    yield f"# HELP a2ledger_{name} {about}"
    yield f"# TYPE a2ledger_{name} {kind}"
    for labels, value in values:
        yield f"a2ledger_{name}{labels} {value}"
