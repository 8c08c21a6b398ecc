"""What the helpdesk's pages show: the day, what is open, what came in, whose it may be."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.balances import ageing, find
from a2ledger.balances import invoices as standing_of
from a2ledger.balances.ageing import Aged
from a2ledger.balances.find import Entry
from a2ledger.book.book import IMPORTS, Book
from a2ledger.calls import detail, listed, unclaimed
from a2ledger.corrections import transfer
from a2ledger.delivery import outbox
from a2ledger.errors import ExpectedError
from a2ledger.rating import decks, usage
from a2ledger.sources import quarantine
from a2ledger.staff import mailing
from a2ledger.staff.cards import Card, Deck
from a2ledger.staff.known import Known
from a2ledger.staff.parts import PAGE, part_of

Values = dict[str, Any]

_MONEY = re.compile(r"[0-9]{1,5}[.,][0-9]{2}")
"""An amount, which is no number and no id of a call."""

_SUSPENDED = 20
"""Rows of a page that bear suggestions."""


class Searched(NamedTuple):
    """What fits a text, as far as the book was searched."""

    hits: list[find.Hit]
    is_fresh: bool
    """False while the book is read."""
    until: dt.date | None = None
    """The day before which calls are to be searched still."""


def searched(
    known: Known, book: Book, text: str, today: dt.date, until: dt.date | None = None
) -> Searched:
    """Return what fits a text: customers, invoices and payments, or else calls, the latest first.

    Calls are searched for a moment; who asks once more, for those before a day, goes on.
    """
    entries, is_fresh = known.entries(book, today)
    hits = [] if until else find.matching(entries, text, book)
    if hits or _MONEY.fullmatch(text.strip()):
        return Searched(hits, is_fresh)
    end = time.monotonic() + _SEARCH_SECONDS
    for day, of_day in find.calls_by_day(book, text, today - _SEARCHED, until):
        hits += of_day
        if len(hits) >= _HITS:
            break
        if time.monotonic() > end:
            return Searched(hits, is_fresh, day)
    return Searched(hits[:_HITS], is_fresh)


_SEARCHED = dt.timedelta(days=93)
"""How far back calls are searched."""
_SEARCH_SECONDS = 0.1
_HITS = 20


# ---- home ----


def home(known: Known, book: Book, today: dt.date) -> Values:
    """Return the day in figures: what came in, what waits, who is late."""
    entries, is_fresh = known.entries(book, today)
    deck, _ = known.deck(book, today)
    paid = [row for row in entries if row.hit.kind == find.PAYMENT]
    issued = [row for row in entries if row.hit.kind == find.INVOICE]
    held: dict[str, int] = {}
    for row in quarantine.read(book.root).rows.values():
        held[row.reason] = held.get(row.reason, 0) + 1
    runs = list(csv.DictReader(io.StringIO(book.text(IMPORTS))))
    # With --today, it is the end of that day.
    of_today = (str(today), f"{today + dt.timedelta(days=1)}T00:00:00")
    return {
        "today": str(today),
        "runs": [row for row in runs if row["time"].startswith(of_today)][::-1][:10],
        "payments": [_shown(row) for row in paid if row.date == str(today)][:10],
        "last_payment": next((row.date for row in paid), ""),
        "quarantine": sorted(held.items()),
        "unclaimed": _unclaimed(book, deck),
        "mails": [row for row in outbox.read(book).values() if row.state == outbox.FAILED],
        "suspense": len(transfer.unmatched(book)),
        "overdue": _overdue([card.aged for card in deck.cards.values()], today),
        "over": sum(card.row.standing.over_limit for card in deck.cards.values()),
        "is_fresh": is_fresh,
        "problems": [str(problem) for problem in deck.problems],
        "behind": _behind(book, runs, today),
        "last_close": max((row.date for row in issued), default=""),
        "customers": len(deck.cards),
    }


def _unclaimed(book: Book, deck: Deck) -> str:
    """Return a sentence on answered calls of open periods that are nobody's, empty if none is."""
    customers = [card.customer for card in deck.cards.values() if not card.customer.settled]
    if not customers:
        return ""
    try:
        summary = unclaimed.between(book, min(customer.open_since for customer in customers))
    except ExpectedError as error:
        return str(error)
    return summary.text("of open periods") if summary.calls else ""


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
    deck, is_fresh = known.deck(book, today)
    if which == "messages":
        waiting = part_of(
            mailing.waiting(book), first, lambda row: row | _name(deck, row["customer"])
        )
        return {"which": which, "is_fresh": True, **waiting}
    sent = mailing.by_document(book)
    if which == "all":
        entries, is_fresh = known.entries(book, today)
        issued = [row for row in entries if row.hit.kind == find.INVOICE]
        settled: dict[str, dict[str, str]] = {}
        part = part_of(
            issued,
            first,
            lambda row: (
                _shown(row)
                | _name(deck, row.hit.customer)
                | _settled_or_open(book, deck.cards.get(row.hit.customer), row, settled, today)
                | {"sent": sent.get(row.hit.id, ())}
            ),
        )
        return {"which": which, "is_fresh": is_fresh, **part}
    rows = [
        (one, card)
        for card in deck.cards.values()
        for one in card.aged.documents
        if which != "overdue" or one.due < today
    ]
    rows.sort(key=lambda row: (row[0].due, row[0].number or row[0].title))
    part = part_of(
        rows, first, lambda row: _open(*row, today) | {"sent": sent.get(row[0].number, ())}
    )
    return {"which": which, "is_fresh": is_fresh, **part}


def _settled_or_open(
    book: Book,
    card: Card | None,
    row: Entry,
    settled: dict[str, dict[str, str]],
    today: dt.date,
) -> Values:
    """Return an invoice's status and what is open of it.

    Args:
        book: whose.
        card: its customer's, if they are known.
        row: the invoice.
        settled: how documents were settled, by customer, as far as it was asked.
        today: the day it is.
    """
    if card is None or row.is_note:
        return {"status": standing_of.CREDITED if row.is_note else "", "open": "", "days": 0}
    for one in card.aged.documents:
        if one.number == row.hit.id:
            return {key: _open(one, card, today)[key] for key in ("status", "open", "days")}
    customer = card.customer
    if customer.id not in settled:
        settled[customer.id] = standing_of.settled_as(book, customer)
    status = settled[customer.id].get(row.hit.id, standing_of.PAID)
    return {"status": status, "open": "", "days": 0}


def _open(one: ageing.Open, card: Card, today: dt.date) -> Values:
    currency = card.aged.currency
    return {
        "id": one.number or one.title,
        "number": one.number if one.issued else "",
        "customer": card.customer.id,
        "name": card.row.standing.name,
        "date": str(one.date),
        "due": str(one.due),
        "days": (today - one.due).days,
        "gross": _money(one.amount_micro, currency),
        "open": _money(one.open_micro, currency),
        "currency": currency,
        "status": _status(one, today),
    }


def _status(one: ageing.Open, today: dt.date) -> str:
    if one.due < today:
        return "overdue"
    return "partly" if one.open_micro < one.amount_micro else "open"


def _name(deck: Deck, customer: str) -> dict[str, str]:
    card = deck.cards.get(customer)
    return {"name": card.row.standing.name if card else ""}


def payments(known: Known, book: Book, text: str, first: int, today: dt.date) -> Values:
    """Return payments and refills, newest first; those that fit a text."""
    deck, _ = known.deck(book, today)
    entries, is_fresh = known.entries(book, today)
    of_money = [row for row in entries if row.hit.kind == find.PAYMENT]
    of_money.sort(key=lambda row: row.date, reverse=True)
    if text:
        fitting = {(hit.id, hit.customer) for hit in find.matching(of_money, text, book)}
        of_money = [row for row in of_money if (row.hit.id, row.hit.customer) in fitting]
    part = part_of(of_money, first, lambda row: _shown(row) | _name(deck, row.hit.customer))
    return {"text": text, "is_fresh": is_fresh, **part}


def suspense(known: Known, book: Book, first: int, today: dt.date) -> Values:
    """Return payments that are nobody's yet, each with whose they may be."""
    suggestions = known.suggestions(book, today)

    def shown(row: transfer.Unmatched) -> Values:
        return {
            "id": row.id,
            "date": row.date,
            "amount": _money(row.amount_micro, row.currency),
            "currency": row.currency,
            "reference": row.reference,
            "description": row.description,
            "suggestions": suggestions.of(row),
        }

    part = part_of(transfer.unmatched(book), first, shown, _SUSPENDED)
    return {"is_fresh": True, **part}


# ---- ageing ----

_COLUMNS = (*ageing.BUCKETS, "unapplied", "billed")


def ageing_on(
    known: Known, book: Book, today: dt.date, day: dt.date, key: str, first: int
) -> Values:
    """Return open bills by days overdue, those who are overdue first, or by a column.

    Totals are of all customers, whichever are shown.
    """
    aged, is_fresh = known.aged(book, today, day)
    names = known.deck(book, today)[0].names()
    rows = [(row, row.sums_micro()) for row in aged if row.documents or row.unapplied_micro]
    rows.sort(key=lambda item: (not item[0].overdue, item[0].customer))
    if key in _COLUMNS:
        rows.sort(key=lambda item: -item[1][key])
    totals: dict[str, dict[str, int]] = {}
    for row, sums in rows:
        own = totals.setdefault(row.currency, dict.fromkeys(_COLUMNS, 0))
        for name, micro in sums.items():
            own[name] += micro
    part = part_of(
        rows,
        first,
        lambda item: {
            "customer": item[0].customer,
            "name": names.get(item[0].customer, ""),
            "currency": item[0].currency,
            **{name: _money(micro, item[0].currency) for name, micro in item[1].items()},
        },
    )
    return {
        "day": str(day),
        "key": key,
        "is_fresh": is_fresh,
        "totals": [
            {"currency": currency} | {name: _money(micro, currency) for name, micro in own.items()}
            for currency, own in sorted(totals.items())
        ],
        **part,
    }


# ---- calls, tariffs ----


_CALLS = PAGE * 2
_DAYS = 62


def calls(book: Book, text: str, first: dt.date | None, last: dt.date | None, skip: int) -> Values:
    """Return a page of the calls of some days, of everybody, the latest first.

    Args:
        book: whose calls.
        text: a part of a number or destination, or a customer's id; all calls if empty.
        first: the first day; the last one that has calls if none is given.
        last: the last day; the first alone if none is given.
        skip: calls that are on the pages before.
    """
    digests = detail.digests(book)
    known = sorted(digests, reverse=True)
    last = last or first or (known[0] if known else None)
    first = first or last
    skip -= skip % _CALLS
    parts: list[pa.Table] = []
    days: list[Values] = []
    count = 0
    for day in known:
        if (first and day < first) or (last and day > last):
            continue
        fits = _fitting(book, day, text) if text.strip() else None
        here = int(pc.sum(fits).as_py() or 0) if fits is not None else digests[day].rows
        if here and skip - here < count < skip + _CALLS:
            table = detail.read(book.root, day, digests)
            table = (table.filter(fits) if fits is not None else table).sort_by(
                [("start", "descending")]
            )
            parts.append(table.slice(max(0, skip - count), skip + _CALLS - max(count, skip)))
        count += here
        days += [{"day": str(day), "calls": here}] if here else []
    table = pa.concat_tables(parts) if parts else detail.empty()
    owners = table["customer"].to_pylist()
    shown = listed.rows_json(table, book.config.timezone)
    rows = [row | {"customer": owner} for row, owner in zip(shown, owners, strict=True)]
    return {
        "text": text,
        "from": str(first or ""),
        "to": str(last or ""),
        "rows": rows,
        "count": count,
        "days": days[:_DAYS],
        "has_calls": bool(known),
        "first": skip + 1 if rows else 0,
        "last": skip + len(rows),
        "before": max(0, skip - _CALLS) if skip else None,
        "after": skip + _CALLS if count > skip + _CALLS else None,
        "is_fresh": True,
        "more": {
            "text": text or None,
            "day": str(first) if first else None,
            "to": str(last) if last else None,
        },
    }


def _fitting(book: Book, day: dt.date, text: str) -> pa.ChunkedArray:
    """Return which calls of a day a text fits."""
    needle, digits = text.strip().lower(), re.sub(r"[^0-9]", "", text)
    is_name = any(character.isalpha() for character in needle)
    numbers = ["called", "caller"] if len(digits) > 2 else []  # noqa: PLR2004
    columns = ["customer", *(["destination"] if is_name else numbers)]
    table = detail.read(book.root, day, detail.digests(book), columns)
    fits = pc.equal(pc.utf8_lower(table["customer"]), needle)
    for name in columns[1:]:
        searched = pc.utf8_lower(table[name]) if is_name else table[name]
        fits = pc.or_(fits, pc.match_substring(searched, needle if is_name else digits))
    return fits


def tariffs(book: Book, today: dt.date) -> list[Values]:
    """Return price lists: how many rates, and who is charged by them."""
    found = []
    users = usage.numbers_of_customers(book, today)
    for name in usage.names(book):
        row: Values = {"name": name, "users": users[name], "rates": "", "problem": ""}
        try:
            row["rates"] = len(decks.deck(book, name))
        except ExpectedError as error:
            row["problem"] = str(error)
        found.append(row)
    return found


_RATES = 200


def rates(book: Book, name: str, text: str, first: int) -> Values:
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
    part = part_of(range(len(table)), first, lambda place: {"place": place}, _RATES)
    shown = table.slice(part["first"] - 1, len(part["rows"])).to_pylist() if part["rows"] else []
    rates = [{**row, "rate": money.text(money.divide(row["rate"], deck.scale), 2)} for row in shown]
    return {"name": name, "text": text, "is_fresh": True, **part, "rows": rates}
