"""The statement of a customer's account over any days, and the order of its lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from a2ledger import accounts, money
from a2ledger.book.book import Book
from a2ledger.documents.document import ROUNDED, ROUNDING, Statement, StatementLine
from a2ledger.journal import customer_file, ledger, queries, subledgers
from a2ledger.journal.entries import CLOSES
from a2ledger.journal.ledger import Ledger
from a2ledger.journal.rows import Brought, Row
from a2ledger.records import Customer
from a2ledger.vat import vat_title


class Telescope:
    """Amounts to show, rounded so that their sum is the rounded sum.

    One running total per VAT code: a line shows by how much the rounded total moved.
    """

    def __init__(self, start_micro: Mapping[str, int], places: int) -> None:
        self.totals = dict(start_micro)
        self.places = places

    def add(self, code: str, micro: int) -> int:
        """Return the amount to show for a line, in micro-units, and add it to its total."""
        before = self.totals.get(code, 0)
        after = self.totals[code] = before + micro
        moved: int = money.rounded(after, self.places) - money.rounded(before, self.places)
        return moved


def line_order(row: Row) -> tuple[dt.date, int, str, str, dt.date, str]:
    """Return the sort key of a statement line: day, then usage, sales and money."""
    rank = 2 if row.billed else 0 if row.calls is not None else 1
    return (row.date, rank, row.payee, row.vat, row.late_from or row.date, row.link)


class Movement(NamedTuple):
    """A movement as it is shown; amounts in micro-units."""

    day: dt.date
    description: str
    amount: int
    balance: int
    """What is owed after it."""
    row: Row | None = None
    """The posting it shows, if it is one."""

    def line(self, places: int) -> StatementLine:
        """Return it as a line of a statement."""
        row = self.row
        used = row is not None and row.calls is not None
        return StatementLine(
            date=str(self.day),
            description=self.description,
            amount=money.text(self.amount, places),
            balance=money.text(self.balance, places),
            service=row.payee if row and used else "",
            calls=(row.calls or 0) if row and used else 0,
            seconds=(row.seconds or 0) if row and used else 0,
            late_from=str(row.late_from) if row and row.late_from else "",
        )


def statement_lines(rows: Iterable[Row], brought: Brought, places: int) -> Iterator[Movement]:
    """Yield every movement in order.

    Unbilled postings are shown as they will be billed; VAT is not among them.
    """
    telescope = Telescope(brought.cumulative_micro, places)
    exact = brought.billed_micro
    for row in sorted(rows, key=line_order):
        before = money.rounded(exact, places)
        exact += row.micro if row.billed else telescope.add(row.vat, row.micro)
        after = money.rounded(exact, places)
        yield Movement(row.date, description(row), after - before, after, row)


def description(row: Row) -> str:
    """Return the description of a statement line."""
    words = [row.payee]
    if row.narration:
        words.append(row.narration)
    if row.late_from:
        words.append(f"of {row.late_from}, posted late")
    return ", ".join(words)


def statement(
    book: Book, customer: Customer, since: dt.date | None, until: dt.date | None
) -> Statement:
    """Return a customer's statement over any days, from all their periods.

    Unbilled usage stands as it will be billed; VAT once a period is closed.

    Args:
        book: the customer's.
        customer: whose account.
        since: first day; None for all.
        until: last day; None for all.
    """
    places = money.decimals(subledgers.currency(book, customer.id))
    opening, lines = movements(book, customer, since, until)
    closing = lines[-1].balance if lines else opening
    return Statement(
        opening=money.text(opening, places),
        lines=tuple(movement.line(places) for movement in lines),
        closing=money.text(closing, places),
    )


def movements(
    book: Book, customer: Customer, since: dt.date | None, until: dt.date | None
) -> tuple[int, list[Movement]]:
    """Return what is owed before some days, in micro-units, and the movements of those days.

    Args:
        book: the customer's.
        customer: whose account.
        since: first day; None for all.
        until: last day; None for all.
    """

    def ask() -> list[Movement]:
        for start in customer.periods:
            book.text(customer_file.period_path(customer.id, start))  # what is damaged is refused
        own = Ledger.load(book.root / customer_file.path(customer.id))
        rows = ledger.rows(own).get(accounts.component(customer.id), [])
        places = money.decimals(subledgers.currency(book, customer.id))
        return list(_movements(rows, _taxes(book, own), places))

    opening, lines = 0, []
    every: list[Movement] = book.reading(ask)
    for movement in every:
        if since and movement.day < since:
            opening = movement.balance
        elif not until or movement.day <= until:
            lines.append(movement)
    return opening, lines


def _taxes(book: Book, own: Ledger) -> dict[str, list[tuple[str, int]]]:
    """Return the VAT each close posted, as (title, amount) by the document's link."""
    codes = book.config.codes
    names = {of(name): name for name in codes for of in (accounts.vat, accounts.not_due)}
    rows = own.ask(queries.TAXES)
    converted = {min(row.links) for row in rows if row.code}  # owed in the book's currency
    taxes: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        link = min(row.links)
        name = str(row.code if link in converted else names.get(row.account))
        if name in codes:
            taxes.setdefault(link, []).append((vat_title(codes[name]), -money.micro(row.number)))
    return taxes


def _movements(
    rows: Sequence[Row], taxes: dict[str, list[tuple[str, int]]], places: int
) -> Iterator[Movement]:
    """Yield movements with their running balance, where a close shows as the VAT it added."""
    ends = sorted({(row.date, row.link) for row in rows if row.tags & CLOSES or _to_cash(row)})
    waiting = [row for row in rows if not row.tags & CLOSES]
    brought, telescope = Brought(), Telescope({}, places)
    for end, link in [*ends, (dt.date.max, "")]:
        inside = [row for row in waiting if row.date <= end]
        waiting = [row for row in waiting if row.date > end]
        balance = money.rounded(brought.billed_micro, places)
        visible = [row for row in inside if "rounding" not in row.tags]
        for movement in statement_lines(visible, brought, places):
            balance = movement.balance
            yield movement
        for title, amount in taxes.get(link, []):
            balance += amount
            yield Movement(end, title, amount, balance)
        brought = _after(brought, inside, taxes.get(link, []), telescope)
        if link and (rest := money.rounded(brought.billed_micro, places) - balance):
            title = ROUNDED if any(map(_to_cash, inside)) else ROUNDING
            yield Movement(end, title, rest, balance + rest)


def _to_cash(row: Row) -> bool:
    """Return whether a row rounds what a bill asks for; its link is the bill's."""
    return row.billed and "rounding" in row.tags


def _after(
    brought: Brought, rows: Sequence[Row], taxes: list[tuple[str, int]], telescope: Telescope
) -> Brought:
    """Return the balances after some rows and the VAT of their close."""
    billed = brought.billed_micro + sum(row.micro for row in rows if row.billed)
    for row in rows:
        if not row.billed:
            billed += telescope.add(row.vat, row.micro)
    return Brought(
        billed_micro=billed + sum(amount for _, amount in taxes),
        cumulative_micro=dict(telescope.totals),
    )
