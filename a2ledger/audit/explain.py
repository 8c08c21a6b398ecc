"""Explain a line of a bill: down to its postings, their calls, and how each was priced.

Everything is looked up where it stands: the period's file, the call detail, the deck. A line is
drawn up again exactly as the close did, so that what is told is what was billed, or said not to be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money, times
from a2ledger.billing import preview
from a2ledger.billing.bill import Bill, Item, Row, Used
from a2ledger.book.book import GENERAL, Book, BrokenBookError, RefusedError
from a2ledger.book.git import GitError
from a2ledger.calls import detail
from a2ledger.calls.detail import MissingDetailError
from a2ledger.calls.keep import identity
from a2ledger.documents import files
from a2ledger.documents.document import as_json
from a2ledger.fees import charge
from a2ledger.journal import syntax
from a2ledger.payments import imports
from a2ledger.payments.posting import ISSUED
from a2ledger.period import Period
from a2ledger.rating import cost, formula
from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.rating.formula import Explained
from a2ledger.records import Customer, Problem

_CLOSES = {"invoice", "credit-note", "statement", "rounding"}
_VERSIONS = 50
"""Older versions of a deck that are tried."""

Line = dict[str, Any]


class Posting(NamedTuple):
    """An entry behind a line: where it stands, and what of it the line shows.

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
    """A line of a bill and what is behind it; amounts in micro-units."""

    name: str
    customer: str
    currency: str
    places: int
    line: Line
    """As the document has it."""
    micro: int | None = None
    """What the line is worth exactly; None where the call detail is not there."""
    before_micro: int = 0
    """What had been posted under its VAT code before it, to its customer, ever."""
    included: bool = False
    """Whether VAT is inside."""
    postings: list[Posting] = field(default_factory=list)
    calls: pa.Table = field(default_factory=detail.empty)
    """The line's calls in order of time."""
    credits: str = ""
    """The document it credits, if it is a line of such a credit note."""
    notes: list[str] = field(default_factory=list)
    """What a person should know; with any of them the line is not wholly explained."""

    def rounding(self) -> tuple[int, int]:
        """The total under the line's VAT code as a document shows it, before it and after it."""
        after = self.before_micro + (self.micro or 0)
        return money.rounded(self.before_micro, self.places), money.rounded(after, self.places)


class Priced(NamedTuple):
    """How a call was priced."""

    file: str
    line: int
    """Of the rate."""
    prefix: str
    destination: str
    commit: str
    """Empty if the deck still says so; else the commit that last did."""
    told: Explained | None
    """None where no deck gives the price."""
    note: str = ""
    bought: Explained | None = None


def explain(book: Book, name: str, number: int, today: dt.date) -> Explanation:
    """What is behind a line of a document, or of a customer's preview on a day.

    Raises:
        RefusedError: if there is no such document or customer, or no such line.
        BrokenBookError: if the books are not sound.
    """
    found: Explanation = book.reading(lambda: _explain(book, name, number, today))
    return found


def _explain(book: Book, name: str, number: int, today: dt.date) -> Explanation:
    document = None
    if name not in book.customers or book.files("invoices", f"*/{name}.json"):
        document = files.chosen(book, [name], "")[name]
        if not 1 <= number <= len(document["lines"]):
            raise RefusedError(
                f"{name}: has {len(document['lines'])} line(s); nothing to explain; name one"
            )
        if document.get("original") or document["lines"][number - 1]["kind"] == "refill":
            return _of_correction(book, name, document, number)
    customer, one = _period(book, name, document)
    empty = Explanation(
        name=name,
        customer=customer.id,
        currency=book.currency(customer.id),
        places=money.decimals(book.currency(customer.id)),
        line=document["lines"][number - 1] if document else {},
    )
    states = preview.states(book, [customer])
    rows = [row for row in states[customer.id][1] if not row.tags & _CLOSES]
    if document is None:
        rows = charge.with_unposted(book, customer, rows, today)
    try:
        calls = preview.Calls.read(book, {customer.id: customer}, states, one.end)
    except MissingDetailError as error:
        if document is None:
            raise
        return _without_detail(book, empty, rows, str(error))
    bill = preview.draw_up(book, customer, one, states[customer.id][0], rows, calls)
    if not 1 <= number <= len(bill.items):
        raise RefusedError(f"{name}: has {len(bill.items)} line(s); nothing to explain; name one")
    return _told(book, empty, bill, number - 1, rows)


def _period(book: Book, name: str, document: Mapping[str, Any] | None) -> tuple[Customer, Period]:
    """A customer as he was in the period of a document, or is; and the period."""
    if document is None:
        customer = book.customers[name]
        return customer, preview.open_period(customer)
    customer = book.customers[document["customer"]["id"]]
    start, end = (dt.date.fromisoformat(document["period"][key]) for key in ("start", "end"))
    until = tuple(day for day in customer.periods if day <= start)
    return replace(customer, periods=until), Period(start, end)


def _told(book: Book, told: Explanation, bill: Bill, place: int, rows: list[Row]) -> Explanation:
    """What is behind one of a bill's lines."""
    item = bill.items[place]
    code = item.line.vat_code
    earlier = sum(one.micro for one in bill.items[:place] if one.line.vat_code == code)
    line = as_json(item.line)
    told = replace(
        told,
        line=told.line or line,
        micro=item.micro,
        before_micro=bill.brought.cumulative_micro.get(code, 0) + earlier,
        included=bill.treatment == "included",
    )
    if {key: told.line[key] for key in line} != line and not _is_reversed(told.line, line):
        told.notes.append(
            f"journal and call detail say {line['net']} by now, {line['description']}"
        )
    if isinstance(item.source, Row):
        told.postings = [_posting(book, item.source, item.micro)]
        return told
    told.calls = _calls(book, told.customer, item.source, bill.period)
    if pc.sum(told.calls["cost_micro"]).as_py() != item.micro:
        raise BrokenBookError(
            [Problem("calls", 0, "detail", f"{told.name}: the calls of line {place + 1} differ")]
        )
    told.postings = list(_usage(book, rows, told.calls, item))
    return told


def _is_reversed(line: Line, other: Line) -> bool:
    """Whether a line is the other as a credit note shows it."""
    return {**line, "net": ""} == {**other, "net": ""} and money.parse(line["net"]) == -money.parse(
        other["net"]
    )


def _posting(book: Book, row: Row, part_micro: int) -> Posting:
    path = Path(row.file)
    root = book.root.resolve()
    file = str(path.relative_to(root)) if path.is_relative_to(root) else row.file
    text = ", ".join(filter(None, (row.payee, row.narration)))
    return Posting(file, row.lineno, row.date, text, row.micro, part_micro)


def _calls(book: Book, customer: str, used: Used, one: Period) -> pa.Table:
    """The calls of a line, with the day they count as."""
    days = [used.late_from] if used.late_from else book.digests
    parts = []
    for day in days:
        if not used.first <= day <= used.last:
            continue
        calls = detail.read(book.root, day, book.digests)
        wanted = pc.is_valid(calls["late_in"]) if used.late_from else pc.is_null(calls["late_in"])
        for name, value in {
            "customer": customer,
            "service": used.service,
            "destination": used.destination,
            "vat": used.vat,
        }.items():
            wanted = pc.and_(wanted, pc.equal(calls[name], value))
        if used.late_from:
            since, until = (pa.scalar(bound, pa.date32()) for bound in one)
            late = pc.and_(
                pc.greater_equal(calls["late_in"], since), pc.less(calls["late_in"], until)
            )
            wanted = pc.and_(wanted, late)
        calls = calls.filter(wanted)
        parts.append(calls.append_column("day", pa.repeat(pa.scalar(day), len(calls))))
    return pa.concat_tables(parts).sort_by([("start", "ascending"), ("uid", "ascending")])


def _usage(book: Book, rows: list[Row], calls: pa.Table, item: Item) -> Iterator[Posting]:
    """The usage entries a line is part of, with its part of each."""
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


def _without_detail(book: Book, told: Explanation, rows: list[Row], message: str) -> Explanation:
    """What can be told of a closed line where the calls are not there: its postings."""
    line = told.line
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
            told.postings.append(_posting(book, row, 0 if of_calls else row.micro))
    told.notes.append(message)
    return told


def _of_correction(book: Book, name: str, document: Mapping[str, Any], number: int) -> Explanation:
    """A line of a credit note that names its original, or of a refill: the entry behind it."""
    customer = document["customer"]["id"]
    told = Explanation(
        name=name,
        customer=customer,
        currency=document["currency"],
        places=money.decimals(document["currency"]),
        line=document["lines"][number - 1],
        credits=(document.get("original") or {}).get("number", ""),
    )
    marks = [f"  {key}: {syntax.quoted(name)}\n" for key in ("number", ISSUED)]
    for path in book.files(GENERAL, "2*.beancount"):
        at = 1
        for block in syntax.blocks(book.text(path)):
            if any(mark in block.text for mark in marks):
                entry = imports.read_entry(block.text)
                text = ", ".join(filter(None, (entry.payee, entry.narration)))
                micro = syntax.legs(block.text)[0].micro
                told.postings.append(Posting(path, at, entry.date, text, micro, micro))
            at += block.text.count("\n")
    return told


# ---- one call ----


def priced(book: Book, call: Mapping[str, Any], *, buy: bool = False) -> Priced:
    """How a call was priced, by its deck as it is or, if that has changed, as it was.

    Args:
        book: whose.
        call: a row of :attr:`Explanation.calls`.
        buy: whether to tell what its carrier takes, too.
    """
    price = call["cost_micro"] + call["voided_micro"]
    said = f"it is void: {call['void']}; it would cost {money.text(price)}" if call["void"] else ""
    path = f"tariffs/{call['deck']}.csv"
    if call["given"] or not call["seconds"]:
        why = (
            "its row said what it costs, or its rule that it is free"
            if call["given"]
            else "an answered call of no seconds is free"
        )
        note = "; ".join(filter(None, (why, said)))
        return Priced(path if call["deck"] else "", 0, call["prefix"], call["destination"], "",
                      None, note)  # fmt: skip
    customer = book.customers[call["customer"]]
    discount = int((customer.fact("discount_percent", call["day"]) or 0) * 100)
    local = _local(book, call)
    for commit, text, deck in _versions(book, call["deck"]):
        found = rating.rate_of(Tariff(name=deck.name, decks=(deck,)), call["called"], local)
        if found is None or deck.prefixes[found[1]].as_py() != call["prefix"]:
            continue
        told = _checked(*found, call["seconds"], discount)
        if told.cost_micro == price:
            rate = formula.rate(*found)
            return Priced(
                path,
                tariff.lines(text)[found[1]],
                call["prefix"],
                call["destination"],
                commit,
                told,
                said,
                formula.bought(rate, call["seconds"]) if buy else None,
            )
    note = _otherwise(book, call, customer, discount, local)
    return Priced(
        path, 0, call["prefix"], call["destination"], "", None, f"{note}{said and '; '}{said}"
    )


def _local(book: Book, call: Mapping[str, Any]) -> dt.datetime:
    """When a call started, on the clock of the book's zone."""
    seconds = np.array([int(call["start"].timestamp())])
    naive = int(times.to_naive(seconds, book.config.timezone)[0])
    return (times.EPOCH + dt.timedelta(seconds=naive)).replace(tzinfo=None)


def _checked(deck: Deck, row: int, seconds: int, discount: int) -> Explained:
    """An explanation that comes to what the kernel charges."""
    told = formula.sold(formula.rate(deck, row), seconds, discount)
    arrays = (np.array([value]) for value in (row, seconds, discount))
    billed, price, _ = cost.price(deck, *arrays)
    assert (told.billed_seconds, told.cost_micro) == (int(billed[0]), int(price[0]))  # noqa: S101 - what is told is what is charged
    return told


def _versions(book: Book, name: str) -> Iterator[tuple[str, str, Deck]]:
    """A deck as it is, then as git knows it, newest first: commit, text, deck."""
    path = f"tariffs/{name}.csv"
    seen = {text := book.text(path)}
    if text:
        yield "", text, book.deck(name)
    try:
        log = book.repository.run("log", f"-{_VERSIONS}", "--format=%h %cs", "--", path).stdout
        for commit in log.splitlines():
            text = book.repository.run("show", f"{commit.split()[0]}:{path}", check=False).stdout
            if text and text not in seen:
                seen.add(text)
                deck, problems = tariff.parse(text, name=name, file=path)
                if not problems:
                    yield commit, text, deck
    except GitError:
        return


def _otherwise(
    book: Book, call: Mapping[str, Any], customer: Customer, discount: int, local: dt.datetime
) -> str:
    """What to say of a price that no deck gives: what it would be by now."""
    names = call["tariff"] or customer.text("tariff", call["day"])
    decks = tuple(book.deck(name) for name in filter(None, map(str.strip, names.split(","))))
    found = rating.rate_of(Tariff(name=names, decks=decks), call["called"], local)
    by_now = "nothing: there is no rate"
    if found:
        told = _checked(*found, call["seconds"], discount)
        prefix = found[0].prefixes[found[1]].as_py()
        by_now = f"{money.text(told.cost_micro)}, tariffs/{found[0].name}.csv, prefix {prefix}"
    return f"no version of its deck with the discount of now gives this price; it would be {by_now}"


def call_json(book: Book, call: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A call as the command shows it."""
    return {
        "call": number,
        "id": identity(call["switch"], call["uid"], call["seq"]),
        "start": f"{_local(book, call):%Y-%m-%d %H:%M:%S}",
        "called": call["called"],
        "seconds": call["seconds"],
        "billed_seconds": call["billed_seconds"],
        "cost": money.text(call["cost_micro"]),
        "deck": call["deck"],
        "prefix": call["prefix"],
        "void": call["void"],
        "read_from": f"{call['file']}:{call['line']}",
    }
