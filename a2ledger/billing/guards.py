"""Checks that hold back a close: invalid bills, sources that are behind, bills to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from a2ledger import money
from a2ledger.billing.bill import Bill
from a2ledger.book.book import Book, Draft
from a2ledger.documents import en16931
from a2ledger.documents.document import Document, Line
from a2ledger.documents.parties import translated
from a2ledger.fees import due
from a2ledger.journal import customer_file, subledgers
from a2ledger.journal.rows import Row
from a2ledger.period import Period
from a2ledger.records import Customer, Warned
from a2ledger.sources import runs as import_runs

_USUAL = 3
"""Number of closed periods that define what is usual."""


def reasons(
    draft: Draft, customer: Customer, bill: Bill, document: Document, confirmed: bool
) -> Iterator[Warned]:
    """Yield the reasons not to close a period yet.

    Args:
        draft: of the book.
        customer: whose period.
        bill: what closing it would bill.
        document: the same, without a number.
        confirmed: whether a person has named the customer: then nothing is implausible.
    """
    for objection in en16931.objections(document):
        yield Warned(*objection)
    yield from _other_treatment(draft, customer, bill)
    try:
        translated(draft, document)
    except ValueError as error:
        yield Warned("no-price", str(error))
    if not confirmed:
        yield from _implausible(draft, customer, bill)


_BESIDE = {"on-invoice", "reverse-charge"}
"""Treatments whose amounts are all before VAT, so that their codes may share a document."""


def _other_treatment(draft: Draft, customer: Customer, bill: Bill) -> Iterator[Warned]:
    """Warn about corrections of what was billed under another VAT treatment."""
    for item in bill.items:
        row = item.source
        day = _corrected(row) if isinstance(row, Row) else None
        if not isinstance(row, Row) or day is None:
            continue
        then = customer.text("vat", day) or draft.config.treatment
        if then != bill.treatment and not {then, bill.treatment} <= _BESIDE:
            yield Warned(
                "other-treatment",
                f"{row.payee}, {row.narration}: it was billed with VAT {then}, but this period is "
                f'{bill.treatment}; `a2ledger void {row.link} "..."`, and credit the line of the '
                "invoice (`a2ledger credit-note`), which gives its own VAT back",
            )


def _corrected(row: Row) -> dt.date | None:
    """Return the day, in a closed period, that a fee's or re-rating's correction is about."""
    if row.link.startswith("rerate-"):
        return row.first
    return row.late_from if due.corrects(row.link) else None


def _implausible(draft: Draft, customer: Customer, bill: Bill) -> Iterator[Warned]:
    advice = f"look at `a2ledger preview {customer.id}`, then close {customer.id} by name"
    lines = (
        (item.line, due.id_of(item.source.link))
        for item in bill.items
        if isinstance(item.source, Row)
    )
    for fee in fees_twice(lines):
        yield Warned("fee-twice", f"{fee} is billed twice; {advice}")
    guards = draft.config.guards
    closed = customer.periods[:-1]
    if guards.multiple is None or not closed:
        return
    paths = [customer_file.period_path(customer.id, start) for start in closed[-_USUAL:]]
    usual = [sum(row.calls for row in subledgers.period_file(draft, path).usage) for path in paths]
    calls = sum(line.calls for line in bill.lines)
    if is_beyond(calls, usual, guards.multiple):
        yield Warned("many-calls", f"{calls} calls, at most {max(usual)} before; {advice}")
    average = sum(bill.brought.cumulative_micro.values()) // len(closed)
    net = sum(bill.net_micro.values())
    if net > guards.minimum_micro and is_beyond(net, [average], guards.multiple):
        before = money.text(money.rounded(average, bill.places), bill.places)
        now = money.text(net, bill.places)
        yield Warned("large-total", f"{now} before VAT, {before} on average before; {advice}")


def fees_twice(lines: Iterable[tuple[Line, str]]) -> Iterator[str]:
    """Yield fees that a bill charges twice for the same days.

    Args:
        lines: of the bill, each with what tells one fee of a service from another.
    """
    seen: set[tuple[str, ...]] = set()
    for line, fee in lines:
        if line.kind == "fee":
            key = (line.service, fee, line.from_, line.to, line.net)
            if key in seen:
                yield f"{line.service}, {line.description}, from {line.from_} to {line.to}"
            seen.add(key)


def is_beyond(value: int, usual: Sequence[int], multiple: int) -> bool:
    """Return True if a value exceeds a multiple of the usual values, unless these are zero."""
    return bool(usual) and max(usual) > 0 and value > multiple * max(usual)


def uncovered(
    book: Book, ended: Period, without: Sequence[str], delay: dt.timedelta
) -> list[Warned]:
    """Return warnings for sources not imported since a period ended and a delay passed."""
    midnight = dt.datetime.combine(ended.end, dt.time(), book.config.zone)
    needed = midnight + delay
    latest: dict[str, dt.datetime] = {}
    for run in import_runs.runs(book):
        if run.through is None or run.through >= ended.last:
            latest[run.source] = max(latest.get(run.source, run.time), run.time)
    return [
        Warned(
            "source-behind",
            f"source {name} was not imported at or after {needed:%Y-%m-%d %H:%M}; "
            f"import it (with --empty if there were no calls), or say --without {name}",
        )
        for name in book.config.sources
        if name not in without and (name not in latest or latest[name] < needed)
    ]
