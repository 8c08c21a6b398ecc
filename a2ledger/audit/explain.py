"""Explain a line of a bill: its postings, their calls, and how each was priced.

Everything is looked up where it stands: the period's file, the call detail, the deck. A line is
drawn up again exactly as the close did, so that what is told is what was billed, or said not to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.billing import preview, used
from a2ledger.billing.bill import Bill, Item, Used
from a2ledger.book.book import Book, BrokenBookError, RefusedError
from a2ledger.calls import detail
from a2ledger.calls.detail import MissingDetailError
from a2ledger.documents import files, paths
from a2ledger.documents.document import Document, as_json
from a2ledger.fees import charge
from a2ledger.journal import entries, shards, subledgers, syntax
from a2ledger.journal.entries import CLOSING, ISSUED
from a2ledger.journal.rows import Row
from a2ledger.period import Period
from a2ledger.records import Customer, Problem

Line = dict[str, Any]


class Posting(NamedTuple):
    """An entry behind a line: its place, and the part of it that the line shows.

    An entry that is due and not posted yet stands nowhere.
    """

    file: str
    line: int
    date: dt.date
    text: str
    micro: int
    part_micro: int


@dataclass(kw_only=True)
class Explanation:
    """A bill line and what it is made of, with amounts in micro-units."""

    name: str
    customer: str
    currency: str
    places: int
    line: Line
    """As it is in the document."""
    micro: int | None = None
    """Exact amount of the line, or None if the call detail is missing."""
    before_micro: int = 0
    """Amount posted before it, ever, to its customer under its VAT code."""
    included: bool = False
    """True if amounts include VAT."""
    postings: list[Posting] = field(default_factory=list)
    calls: pa.Table = field(default_factory=detail.empty)
    """The line's calls, in order of time."""
    credits: str = ""
    """The document credited, if it is a line of such a credit note."""
    notes: list[str] = field(default_factory=list)
    """Warnings for people; any of them means that the line is not fully explained."""

    def rounding(self) -> tuple[int, int]:
        """Return the rounded totals of the line's VAT code before and after the line."""
        after = self.before_micro + (self.micro or 0)
        return money.rounded(self.before_micro, self.places), money.rounded(after, self.places)


def explain(book: Book, name: str, number: int, today: dt.date) -> Explanation:
    """Explain a line of a document, or of a customer's preview on a day.

    Raises:
        RefusedError: if there is no such document or customer, or no such line.
        BrokenBookError: if the books are not sound.
    """
    result: Explanation = book.reading(lambda: _explain(book, name, number, today))
    return result


def _is_correction(document: Document) -> bool:
    """Return True if a document is a credit note with its own entry, not a period's."""
    return bool(document.original) and not document.seal


def _explain(book: Book, name: str, number: int, today: dt.date) -> Explanation:
    document = None
    if name not in subledgers.customers(book) or paths.named(book, name):
        document = files.chosen(book, [name], "")[name]
        if not 1 <= number <= len(document.lines):
            raise RefusedError(
                f"{name}: has {len(document.lines)} line(s)",
                undone="nothing to explain",
                todo="name one",
            )
        if _is_correction(document) or document.lines[number - 1].kind == "refill":
            return _of_correction(book, name, document, number)
    customer, span = _period(book, name, document)
    currency = subledgers.currency(book, customer.id)
    empty = Explanation(
        name=name,
        customer=customer.id,
        currency=currency,
        places=money.decimals(currency),
        line=as_json(document.lines[number - 1]) if document else {},
    )
    states = preview.states(book, [customer])
    brought, posted = states[customer.id]
    rows = [row for row in posted if not row.tags & CLOSING]
    if span is None:
        rows = charge.with_unposted(book, customer, rows, today)
        bill = preview.open_bill(book, customer, brought, rows, today)
    else:
        try:
            calls = used.Calls.read(book, {customer.id: customer}, states, span.end)
        except MissingDetailError as error:
            return _without_detail(book, empty, rows, str(error))
        bill = preview.draw_up(book, customer, span, brought, rows, calls)
    if not 1 <= number <= len(bill.items):
        raise RefusedError(
            f"{name}: has {len(bill.items)} line(s)", undone="nothing to explain", todo="name one"
        )
    return _told(book, empty, bill, number - 1, rows)


def _period(book: Book, name: str, document: Document | None) -> tuple[Customer, Period | None]:
    """Return a customer as of a document's period and that, or as of now and None."""
    if document is None:
        return subledgers.customers(book)[name], None
    customer = subledgers.customers(book)[document.customer["id"]]
    start, end = (dt.date.fromisoformat(document.period[key]) for key in ("start", "end"))
    until = tuple(day for day in customer.periods if day <= start)
    return replace(customer, periods=until), Period(start, end)


def _told(
    book: Book, explanation: Explanation, bill: Bill, place: int, rows: list[Row]
) -> Explanation:
    """Explain one line of a bill."""
    item = bill.items[place]
    code = item.line.vat_code
    earlier = sum(
        earlier_item.micro
        for earlier_item in bill.items[:place]
        if earlier_item.line.vat_code == code
    )
    line = as_json(item.line)
    if explanation.line:
        # Documents of earlier versions say less of a line.
        line = {key: value for key, value in line.items() if key in explanation.line}
    explanation = replace(
        explanation,
        line=explanation.line or line,
        micro=item.micro,
        before_micro=bill.brought.cumulative_micro.get(code, 0) + earlier,
        included=bill.treatment == "included",
    )
    if {key: explanation.line[key] for key in line} != line and not _is_reversed(
        explanation.line, line
    ):
        explanation.notes.append(
            f"journal and call detail say {line['net']} by now, {line['description']}"
        )
    if isinstance(item.source, Row):
        explanation.postings = [_posting(book, item.source, item.micro)]
        return explanation
    explanation.calls = _calls(book, explanation.customer, item.source, bill.period)
    if pc.sum(explanation.calls["cost_micro"]).as_py() != item.micro:
        raise BrokenBookError(
            [
                Problem(
                    "calls",
                    0,
                    "detail",
                    f"{explanation.name}: the calls of line {place + 1} differ",
                )
            ]
        )
    explanation.postings = list(_usage(book, rows, explanation.calls, item))
    return explanation


def _is_reversed(line: Line, other: Line) -> bool:
    """Return True if two lines differ only in the sign of ``net``."""
    return {**line, "net": ""} == {**other, "net": ""} and money.parse(line["net"]) == -money.parse(
        other["net"]
    )


def _posting(book: Book, row: Row, part_micro: int) -> Posting:
    path = Path(row.file)
    root = book.root.resolve()
    file = str(path.relative_to(root)) if path.is_relative_to(root) else row.file
    text = ", ".join(filter(None, (row.payee, row.narration)))
    return Posting(file, row.lineno, row.date, text, row.micro, part_micro)


def _calls(book: Book, customer: str, used: Used, period: Period) -> pa.Table:
    """Return the calls of a line, with the day they count under."""
    days = [used.late_from] if used.late_from else detail.digests(book)
    parts = []
    for day in days:
        if not used.first <= day <= used.last:
            continue
        calls = detail.read(book.root, day, detail.digests(book))
        wanted = pc.is_valid(calls["late_in"]) if used.late_from else pc.is_null(calls["late_in"])
        for name, value in {
            "customer": customer,
            "service": used.service,
            "destination": used.destination,
            "vat": used.vat,
        }.items():
            wanted = pc.and_(wanted, pc.equal(calls[name], value))
        if used.late_from:
            since, until = (pa.scalar(bound, pa.date32()) for bound in period)
            late = pc.and_(
                pc.greater_equal(calls["late_in"], since), pc.less(calls["late_in"], until)
            )
            wanted = pc.and_(wanted, late)
        calls = calls.filter(wanted)
        parts.append(calls.append_column("day", pa.repeat(pa.scalar(day), len(calls))))
    return pa.concat_tables(parts).sort_by([("start", "ascending"), ("uid", "ascending")])


def _usage(book: Book, rows: list[Row], calls: pa.Table, item: Item) -> Iterator[Posting]:
    """Yield the usage entries behind a line, with the line's part of each."""
    sums = calls.group_by("day").aggregate([("cost_micro", "sum")]).to_pydict()
    parts = dict(zip(sums["day"], sums["cost_micro_sum"], strict=True))
    for row in sorted(rows, key=lambda row: (row.date, row.lineno)):
        same = (row.payee, row.vat, row.late_from) == (
            item.line.service,
            item.line.vat_code,
            item.source.late_from,
        )
        if row.calls is not None and same and (row.late_from or row.date) in parts:
            yield _posting(book, row, parts[row.late_from or row.date])


def _without_detail(
    book: Book, explanation: Explanation, rows: list[Row], message: str
) -> Explanation:
    """Explain a closed line without its calls, by its postings alone."""
    line = explanation.line
    of_calls = line["kind"] == "usage" or (line["kind"] == "late" and line["calls"])
    first, last = line["late_from"] or line["from"], line["late_from"] or line["to"]
    for row in rows:
        own = str(row.late_from or row.date)
        if (
            not row.billed
            and (row.calls is not None) == bool(of_calls)
            and (row.payee, row.vat) == (line["service"], line["vat_code"])
            and (first <= own <= last)
            and (of_calls or row.narration == line["description"])
        ):
            explanation.postings.append(_posting(book, row, 0 if of_calls else row.micro))
    explanation.notes.append(message)
    return explanation


def _of_correction(book: Book, name: str, document: Document, number: int) -> Explanation:
    """Explain a line of a credit note with an original, or of a refill, by its entry."""
    customer = document.customer["id"]
    explanation = Explanation(
        name=name,
        customer=customer,
        currency=document.currency,
        places=money.decimals(document.currency),
        line=as_json(document.lines[number - 1]),
        credits=(document.original or {}).get("number", ""),
    )
    marks = [f"  {key}: {syntax.quoted(name)}\n" for key in ("number", ISSUED)]
    for path in shards.months(book):
        at = 1
        for block in syntax.blocks(book.text(path)):
            if any(mark in block.text for mark in marks):
                entry = entries.read_entry(block.text)
                text = ", ".join(filter(None, (entry.payee, entry.narration)))
                micro = block.legs[0].micro
                explanation.postings.append(Posting(path, at, entry.date, text, micro, micro))
            at += block.text.count("\n")
    return explanation
