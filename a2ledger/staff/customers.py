"""Values shown on the pages, computed by the same code as the commands.

Nothing is added up a second way here: standings are ``balances``, a bill so far is ``preview``,
what would close is ``close``. Amounts leave as texts.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Container
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money
from a2ledger.audit import call_price, explain
from a2ledger.balances import balances, invoices
from a2ledger.balances import statement as statements
from a2ledger.book.book import IMPORTS, Book, RefusedError
from a2ledger.book.git import GitError
from a2ledger.calls import detail
from a2ledger.corrections import void
from a2ledger.documents import files
from a2ledger.documents.document import Document, as_json
from a2ledger.journal import customer_file, period_file, subledgers, syntax
from a2ledger.journal.ledger import Standing
from a2ledger.period import DAY
from a2ledger.records import Customer
from a2ledger.sources import quarantine
from a2ledger.staff.parts import part_of

Values = dict[str, Any]

_RAW = 2000
"""Characters of a refused row that are shown."""
_CALLS = 200
"""Calls of a page."""
_CHART_DAYS = 62
_BLAMED = re.compile(r"^[0-9a-f]{40} \d+ (\d+)")


def shown(micro: int, currency: str) -> str:
    """Format an amount with the decimals of its currency."""
    places = money.decimals(currency)
    return money.text(money.rounded(micro, places), places)


def standing(book: Book, customer: Customer, today: dt.date) -> Values:
    """Return one customer's standing, from their own ledger, which is fast to read."""
    row: Standing = book.reading(lambda: balances.standing_on(book, customer, dt.date.max))
    limit = money.parse(customer.text("credit_limit", today) or "0")
    row = row._replace(credit_limit_micro=limit, name=customer.text("name", today))
    amounts = {
        "owed": row.owed_micro,
        "billed": row.billed_micro,
        "unbilled": row.unbilled_micro,
        "limit": row.credit_limit_micro,
        "available": row.available_micro,
    }
    return {
        "name": row.name,
        "currency": row.currency,
        "over_limit": row.over_limit,
        **{key: shown(micro, row.currency) for key, micro in amounts.items()},
        "exact": {key: money.text(micro) for key, micro in amounts.items()},
    }


# ---- one customer ----


def statement(book: Book, customer: Customer, since: dt.date | None) -> Values:
    """Return a customer's account statement, whose lines say what of them can be voided."""
    places = money.decimals(subledgers.currency(book, customer.id))
    opening, lines = statements.movements(book, customer, since, None)
    may_void = _voidable(book, customer)
    closing = lines[-1].balance if lines else opening
    return {
        "opening": money.text(opening, places),
        "lines": [_line(movement, places, may_void) for movement in lines],
        "closing": money.text(closing, places),
    }


def _line(movement: statements.Movement, places: int, may_void: Container[str]) -> Values:
    row = movement.row
    link = row.link if row and row.calls is None and row.link in may_void else ""
    shown = {"void": link, "is_void": bool(row and row.voided)}
    return {**as_json(movement.line(places)), **shown}


def _voidable(book: Book, customer: Customer) -> set[str]:
    """Return the links of what can be voided in a customer's open period."""
    text = book.text(customer_file.period_path(customer.id, customer.open_since))
    above = text.partition(syntax.MARKER)[0]
    return {min(block.links) for block in syntax.blocks(above) if void.is_voidable(block)}


def since_closes(customer: Customer, count: int) -> dt.date | None:
    """Return the start of the last few periods, or None if there are no more than these."""
    return customer.periods[-count] if len(customer.periods) > count else None


def usage(book: Book, customer: Customer) -> list[Values]:
    """Return a customer's daily usage up to the last day with calls, for at most two months."""
    sums: dict[dt.date, list[int]] = {}
    for start in customer.periods[-3:]:
        file = period_file.parse(book.text(customer_file.period_path(customer.id, start)))
        for row in file.usage:
            sums_of_day = sums.setdefault(row.day, [0, 0, 0])
            for place, value in enumerate((row.calls, row.seconds, row.micro)):
                sums_of_day[place] += value
    if not sums:
        return []
    last = max(sums)
    first = max(min(sums), last - (_CHART_DAYS - 1) * DAY)
    days = [first + place * DAY for place in range((last - first).days + 1)]
    most = max((sums[day][2] for day in days if day in sums), default=0) or 1
    currency = subledgers.currency(book, customer.id)
    return [
        {
            "day": str(day),
            "calls": calls,
            "duration": period_file.duration(seconds),
            "amount": shown(micro, currency),
            "share": max(0, micro) / most,
        }
        for day in days
        for calls, seconds, micro in [sums.get(day, [0, 0, 0])]
    ]


def documents(book: Book, customer: Customer) -> list[Values]:
    """Return a customer's closed documents, newest first."""
    rows = [_listed(name, document) for name, document in invoices.documents(book, customer)]
    return sorted(rows, key=lambda row: (row["issued"], row["name"]), reverse=True)


def billed_on(book: Book, customer: Customer, day: dt.date) -> str:
    """Return the document that bills what was posted on a day, in the open period, the id.

    Raises:
        RefusedError: if there is none.
    """
    start = max((row for row in customer.periods if row <= day), default=customer.opened)
    if start == customer.open_since:
        return customer.id
    for row in documents(book, customer):
        if row["start"] == str(start) and row["is_bill"] and row["kind"] != "refill":
            return str(row["name"])
    raise RefusedError(f"{customer.id}: there is no document of the period from {start} on")


def _listed(name: str, document: Document) -> Values:
    return {
        "name": name,
        "kind": document.kind,
        "original": document.original,
        "is_bill": bool(document.seal) or not document.original,
        "issued": document.issue_date,
        "due": document.due_date,
        "start": document.period["start"],
        "last": str(document.last_day),
        "gross": document.gross,
        "to_pay": document.to_pay,
        "currency": document.currency,
    }


def changes(book: Book, customer: Customer) -> list[Values]:
    """Return the history of a customer's facts, newest first, with authors and commit times."""
    path = customer_file.path(customer.id)
    blame = _blame(book, path)
    rows = []
    for number, line in enumerate(book.text(path).splitlines(), start=1):
        match = re.fullmatch(r'(\S{10}) custom "a2ledger-set" "([a-z][a-z0-9_]*)" (.*)', line)
        if match:
            value = match[3]
            rows.append(
                {
                    "from": match[1],
                    "key": match[2],
                    "value": syntax.unquoted(value) if value.startswith('"') else value,
                    **blame.get(number, {"who": "", "when": "", "commit": ""}),
                }
            )
    return sorted(rows, key=lambda row: (row["from"], row["when"]), reverse=True)


def _blame(book: Book, path: str) -> dict[int, Values]:
    """Return author, time and commit of each line of a file, by line number."""
    try:
        text = book.repository.run("blame", "--line-porcelain", "--", path).stdout
    except GitError:
        return {}
    authors: dict[int, Values] = {}
    number = 0
    for line in text.splitlines():
        if match := _BLAMED.match(line):
            number = int(match[1])
            authors[number] = {"who": "", "when": "", "commit": line[:10]}
        elif line.startswith("author "):
            authors[number]["who"] = line.removeprefix("author ")
        elif line.startswith("author-time "):
            seconds = int(line.removeprefix("author-time "))
            when = dt.datetime.fromtimestamp(seconds, book.config.zone)
            authors[number]["when"] = f"{when:%Y-%m-%d %H:%M}"
    return authors


def log(book: Book, customer: Customer) -> list[Values]:
    """Commits that changed a customer's own ledger or an open period of it, newest first."""
    paths = [customer_file.path(customer.id)]
    paths += [customer_file.period_path(customer.id, start) for start in customer.periods[-2:]]
    try:
        form = "--format=%h%x09%an%x09%at%x09%s"
        text = book.repository.run("log", "-100", form, "--", *paths).stdout
    except GitError:
        return []
    found = []
    for line in text.splitlines():
        commit, who, seconds, subject = line.split("\t", 3)
        when = dt.datetime.fromtimestamp(int(seconds), book.config.zone)
        found.append(
            {"commit": commit, "who": who, "when": f"{when:%Y-%m-%d %H:%M}", "what": subject}
        )
    return found


def duration(seconds: int) -> str:
    """A length as hours, minutes and seconds."""
    return period_file.duration(seconds)


def calls(book: Book, identity: str, first: dt.date, last: dt.date, skip: int) -> Values:
    """Return a page of a customer's calls that started within some days.

    Raises:
        MissingDetailError: if the calls of a day are not there.
    """
    days = [day for day in sorted(detail.digests(book)) if first <= day <= last]
    parts = []
    for day in days:
        table = detail.read(book.root, day, detail.digests(book))
        table = table.filter(pc.equal(table["customer"], identity))
        parts.append(table.append_column("day", pa.repeat(pa.scalar(day), len(table))))
    table = pa.concat_tables(parts) if parts else detail.empty()
    currency = subledgers.currency(book, identity)
    part = part_of(range(1, len(table) + 1), skip, lambda number: {"number": number}, _CALLS)
    rows = [
        call_price.call_json(book, row, place["number"])
        | {
            "destination": row["destination"],
            "service": row["service"],
            "identifier": row["identifier"],
            "late": bool(row["late_in"]),
        }
        for place, row in zip(
            part["rows"],
            table.slice(max(0, part["first"] - 1), _CALLS).to_pylist(),
            strict=True,
        )
    ]
    return {
        **part,
        "is_fresh": True,
        "rows": rows,
        "more": {"customer": identity, "day": str(first), "to": str(last)},
        "duration": period_file.duration(pc.sum(table["seconds"]).as_py() or 0),
        "cost": shown(pc.sum(table["cost_micro"]).as_py() or 0, currency),
        "currency": currency,
    }


def explained(book: Book, name: str, line: int, call: int, today: dt.date, skip: int) -> Values:
    """Explain a line of a document or preview: postings, a page of calls, and a call's price."""
    explanation = explain.explain(book, name, line, today)
    part = part_of(
        range(1, len(explanation.calls) + 1), skip, lambda number: {"number": number}, _CALLS
    )
    rows = explanation.calls.slice(max(0, part["first"] - 1), _CALLS).to_pylist()
    price = None
    if 1 <= call <= len(explanation.calls):
        row = explanation.calls.slice(call - 1, 1).to_pylist()[0]
        price = call_price.priced(book, row, buy=bool(row["carrier"]))
    before, after = explanation.rounding()
    return {
        "document": name,
        "number": line,
        "customer": explanation.customer,
        "currency": explanation.currency,
        "line": explanation.line,
        "exact": None if explanation.micro is None else money.text(explanation.micro),
        "posted_before": money.text(explanation.before_micro),
        "shown_before": money.text(before, explanation.places),
        "shown_after": money.text(after, explanation.places),
        "included": explanation.included,
        "credits": explanation.credits,
        "postings": [
            posting._asdict()
            | {"amount": money.text(posting.micro), "part": money.text(posting.part_micro)}
            | {"path": str(book.root.resolve() / posting.file)}
            for posting in explanation.postings
        ],
        "calls": [
            call_price.call_json(book, row, place["number"])
            for place, row in zip(part["rows"], rows, strict=True)
        ],
        **{key: value for key, value in part.items() if key != "rows"},
        "is_fresh": True,
        "more": {"document": name, "line": str(line)},
        "call": call,
        "price": price,
        "carrier": row["carrier"] if price else "",
        "notes": explanation.notes,
    }


# ---- imports ----


def runs(book: Book, count: int) -> list[dict[str, str]]:
    """Return the last import runs, newest first."""
    rows = list(csv.DictReader(io.StringIO(book.text(IMPORTS))))
    return rows[::-1][:count]


def refused(book: Book, reason: str, first: int) -> Values:
    """Return quarantined rows: the number for each reason, and a page of them."""
    held = quarantine.read(book.root).rows
    reasons: dict[tuple[str, str], int] = {}
    for (source, _), row in held.items():
        reasons[source, row.reason] = reasons.get((source, row.reason), 0) + 1
    wanted = [
        {"source": source, **row._asdict()}
        for (source, _), row in held.items()
        if reason in {"", row.reason}
    ]
    return {
        "reasons": [
            {"source": source, "reason": why, "count": number}
            for (source, why), number in sorted(reasons.items())
        ],
        "is_fresh": True,
        **part_of(wanted, first, lambda row: row | {"raw": row["raw"][:_RAW]}),
    }


def document(book: Book, name: str) -> Document:
    """Return a closed document."""
    return files.chosen(book, [name], "")[name]
