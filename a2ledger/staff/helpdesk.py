"""What the helpdesk's pages show: the day, what is open, what came in, whose it may be."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.balances import ageing, find
from a2ledger.balances.ageing import Aged
from a2ledger.balances.find import Entry
from a2ledger.book.book import IMPORTS, Book
from a2ledger.calls import detail, listed
from a2ledger.corrections import transfer
from a2ledger.delivery import outbox
from a2ledger.errors import ExpectedError
from a2ledger.journal import subledgers
from a2ledger.rating import decks, usage
from a2ledger.sources import quarantine
from a2ledger.staff import mailing
from a2ledger.staff.kept import Kept

Values = dict[str, Any]

PAGE = 50
"""Rows of a page."""
_SUGGESTED = 3


def _entries(book: Book) -> list[Entry]:
    return [*find.of_customers(book), *find.of_ledger(book)]


def _aged(book: Book) -> list[Aged]:
    return ageing.aged(book, (), dt.date.max)


@dataclass
class Known:
    """What the pages keep of a book: all that can be found, and what is open."""

    entries: Kept[list[Entry]] = field(default_factory=lambda: Kept(_entries))
    aged: Kept[list[Aged]] = field(default_factory=lambda: Kept(_aged))


class Part(NamedTuple):
    """A page of some rows."""

    rows: list[Values]
    total: int
    first: int

    def as_values(self) -> Values:
        """Return what a template needs to show the page and the way to others."""
        last = self.first + len(self.rows)
        return {
            "rows": self.rows,
            "count": self.total,
            "first": self.first + 1 if self.rows else 0,
            "last": last,
            "before": max(0, self.first - PAGE) if self.first else None,
            "after": last if last < self.total else None,
        }


def _part(rows: Sequence[Values], first: int) -> Part:
    first = max(0, min(first, max(0, len(rows) - 1)))
    first -= first % PAGE
    return Part(list(rows[first : first + PAGE]), len(rows), first)


def searched(known: Known, book: Book, text: str, today: dt.date) -> tuple[list[find.Hit], bool]:
    """Return what fits a text, and whether all of the book was searched."""
    entries, is_fresh = known.entries.get(book)
    hits = find.matching(entries or [], text, book)
    if not hits:
        hits = find.of_calls(book, text, today - 93 * dt.timedelta(days=1), 20)
    return hits, is_fresh


# ---- home ----


def home(known: Known, book: Book, today: dt.date) -> Values:
    """Return the day in figures: what came in, what waits, who is late."""
    entries, _ = known.entries.get(book)
    aged, _ = known.aged.get(book)
    paid = [row for row in entries or [] if row.hit.kind == find.PAYMENT]
    issued = [row for row in entries or [] if row.hit.kind == find.INVOICE]
    held: dict[str, int] = {}
    for row in quarantine.read(book.root).rows.values():
        held[row.reason] = held.get(row.reason, 0) + 1
    runs = list(csv.DictReader(io.StringIO(book.text(IMPORTS))))
    return {
        "today": str(today),
        "runs": [row for row in runs if row["time"].startswith(str(today))][::-1][:10],
        "payments": [_shown(row) for row in paid if row.date == str(today)][:10],
        "last_payment": next((row.date for row in paid), ""),
        "quarantine": sorted(held.items()),
        "mails": [row for row in outbox.read(book).values() if row.state == outbox.FAILED],
        "suspense": len(transfer.unmatched(book)),
        "overdue": _overdue(aged or [], today),
        "behind": _behind(book, runs, today),
        "last_close": max((row.date for row in issued), default=""),
        "customers": len(subledgers.customers(book)),
    }


def _overdue(aged: Sequence[Aged], today: dt.date) -> list[Values]:
    """Return what is overdue, a row for each currency."""
    sums: dict[str, list[int]] = {}
    for row in aged:
        late = [one.open_micro for one in row.documents if one.due < today]
        if late:
            total = sums.setdefault(row.currency, [0, 0])
            total[0] += 1
            total[1] += sum(late)
    return [
        {"currency": currency, "customers": count, "amount": _money(micro, currency)}
        for currency, (count, micro) in sorted(sums.items())
    ]


def _behind(book: Book, runs: Sequence[dict[str, str]], today: dt.date) -> list[Values]:
    """Return sources that have reported nothing for two days."""
    last = {row["source"]: row["time"][:10] for row in runs}
    limit = str(today - dt.timedelta(days=2))
    return [
        {"source": name, "last": last.get(name, "")}
        for name in book.config.sources
        if last.get(name, "") < limit
    ]


def _money(micro: int, currency: str) -> str:
    places = money.decimals(currency)
    return money.text(money.rounded(micro, places), places)


def _shown(entry: Entry) -> Values:
    return {**entry.hit._asdict(), "date": entry.date, "amount": entry.amount, "about": entry.about}


# ---- invoices, payments ----


def invoices(known: Known, book: Book, which: str, first: int, today: dt.date) -> Values:
    """Return invoices that are open or overdue, the oldest due first; or all, newest first.

    Or messages to customers, those that did not arrive first.
    """
    names = _names(book, today)
    sent = mailing.by_document(book)
    if which == "messages":
        rows = [row | {"name": names.get(row["customer"], "")} for row in mailing.waiting(book)]
        return {"which": which, "is_fresh": True, **_part(rows, first).as_values()}
    aged, is_fresh = known.aged.get(book)
    if which == "all":
        entries, is_fresh = known.entries.get(book)
        rows = [
            _shown(row)
            | {"name": names.get(row.hit.customer, ""), "sent": sent.get(row.hit.id, ())}
            for row in entries or []
            if row.hit.kind == find.INVOICE
        ]
        return {"which": which, "is_fresh": is_fresh, **_part(rows, first).as_values()}
    rows = [
        {
            "id": one.number or one.title,
            "number": one.number if one.issued else "",
            "customer": row.customer,
            "name": names.get(row.customer, ""),
            "date": str(one.date),
            "due": str(one.due),
            "days": (today - one.due).days,
            "gross": _money(one.amount_micro, row.currency),
            "open": _money(one.open_micro, row.currency),
            "currency": row.currency,
            "status": _status(one, today),
            "sent": sent.get(one.number, ()),
        }
        for row in aged or []
        for one in row.documents
        if which != "overdue" or one.due < today
    ]
    rows.sort(key=lambda row: (row["due"], row["id"]))
    return {"which": which, "is_fresh": is_fresh, **_part(rows, first).as_values()}


def _status(one: ageing.Open, today: dt.date) -> str:
    if one.due < today:
        return "overdue"
    return "partly" if one.open_micro < one.amount_micro else "open"


def _names(book: Book, today: dt.date) -> dict[str, str]:
    return {name: one.text("name", today) for name, one in subledgers.customers(book).items()}


def payments(known: Known, book: Book, text: str, first: int, today: dt.date) -> Values:
    """Return payments and refills, newest first; those that fit a text."""
    names = _names(book, today)
    entries, is_fresh = known.entries.get(book)
    of_money = [row for row in entries or [] if row.hit.kind == find.PAYMENT]
    of_money.sort(key=lambda row: row.date, reverse=True)
    if text:
        fitting = {(hit.id, hit.customer) for hit in find.matching(of_money, text, book)}
        of_money = [row for row in of_money if (row.hit.id, row.hit.customer) in fitting]
    rows = [_shown(row) | {"name": names.get(row.hit.customer, "")} for row in of_money]
    return {"text": text, "is_fresh": is_fresh, **_part(rows, first).as_values()}


def suspense(known: Known, book: Book, today: dt.date) -> list[Values]:
    """Return payments that are nobody's yet, each with whose they may be."""
    aged, _ = known.aged.get(book)
    names = _names(book, today)
    return [
        {
            "id": row.id,
            "date": row.date,
            "amount": _money(row.amount_micro, row.currency),
            "currency": row.currency,
            "reference": row.reference,
            "description": row.description,
            "suggestions": _suggestions(row, aged or [], names),
        }
        for row in transfer.unmatched(book)
    ]


def _suggestions(
    row: transfer.Unmatched, aged: Sequence[Aged], names: dict[str, str]
) -> list[Values]:
    """Return customers whose money it may be, the likeliest first, and why."""
    text = f"{row.reference} {row.description}"
    words = re.sub(r"[^\w]+", " ", text.lower())
    found: dict[str, tuple[int, str]] = {}

    def suggest(customer: str, rank: int, why: str) -> None:
        if customer not in found or found[customer][0] > rank:
            found[customer] = (rank, why)

    for owner in aged:
        for one in owner.documents:
            if one.number and one.number.lower() in text.lower():
                suggest(owner.customer, 0, f"names {one.number}")
            elif (one.open_micro, owner.currency) == (row.amount_micro, row.currency):
                suggest(owner.customer, 2, f"{one.number or one.title} is open with this amount")
    for customer, name in names.items():
        if customer.lower() in text.lower().split():
            suggest(customer, 0, f"names {customer}")
        elif len(name) > 3 and re.sub(r"[^\w]+", " ", name.lower()).strip() in words:  # noqa: PLR2004
            suggest(customer, 1, f"names {name}")
    ranked = sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    return [
        {"customer": customer, "name": names.get(customer, ""), "why": why}
        for customer, (_, why) in ranked[:_SUGGESTED]
    ]


# ---- calls, tariffs ----


def calls(book: Book, text: str, first: dt.date | None, last: dt.date | None) -> Values:
    """Return calls of some days, of everybody: those that fit a number, a customer or a place."""
    digests = detail.digests(book)
    days = sorted(digests, reverse=True)
    last = last or first or (days[0] if days else None)
    first = first or last
    needle, digits = text.strip().lower(), re.sub(r"[^0-9]", "", text)
    parts: list[pa.Table] = []
    count = 0
    for day in days:
        if first and last and first <= day <= last:
            table = detail.read(book.root, day, digests)
            if needle:
                fits = pc.equal(pc.utf8_lower(table["customer"]), needle)
                fits = pc.or_(fits, pc.match_substring(pc.utf8_lower(table["destination"]), needle))
                if len(digits) > 2:  # noqa: PLR2004
                    for name in ("called", "caller"):
                        fits = pc.or_(fits, pc.match_substring(table[name], digits))
                table = table.filter(fits)
            count += len(table)
            if sum(map(len, parts)) < PAGE * 2:
                parts.append(table.sort_by([("start", "descending")]).slice(0, PAGE * 2))
    table = pa.concat_tables(parts).slice(0, PAGE * 2) if parts else detail.empty()
    owners = table["customer"].to_pylist()
    shown = listed.rows_json(table, book.config.timezone)
    rows = [row | {"customer": owner} for row, owner in zip(shown, owners, strict=True)]
    return {
        "text": text,
        "first": str(first or ""),
        "last": str(last or ""),
        "rows": rows,
        "count": count,
        "has_calls": bool(days),
    }


def tariffs(book: Book, today: dt.date) -> list[Values]:
    """Return price lists: how many rates, and who is charged by them."""
    found = []
    for name in usage.names(book):
        users = usage.customers_of(book, name, today)
        row: Values = {"name": name, "users": len(users), "rates": "", "problem": ""}
        try:
            row["rates"] = len(decks.deck(book, name))
        except ExpectedError as error:
            row["problem"] = str(error)
        found.append(row)
    return found


def rates(book: Book, name: str, text: str) -> Values:
    """Return the rates of a price list whose prefix begins so, or whose destination has a text."""
    deck = decks.deck(book, name)
    needle, digits = text.strip().lower(), re.sub(r"[^0-9]", "", text)
    prefixes, destinations = deck.prefixes, deck.destinations
    wanted = pc.match_substring(pc.utf8_lower(destinations), needle)
    if digits:
        wanted = pc.or_(wanted, pc.starts_with(prefixes, digits))
    table = pa.table({"prefix": prefixes, "destination": destinations})
    table = table.append_column("rate", pa.array(deck.values["rateinitial"]))
    table = table.filter(wanted) if needle else table
    rows = [
        {**row, "rate": money.text(money.divide(row["rate"], deck.scale), 2)}
        for row in table.slice(0, 200).to_pylist()
    ]
    return {"name": name, "text": text, "rows": rows, "count": len(table)}
