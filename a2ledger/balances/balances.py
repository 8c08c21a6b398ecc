"""Questions that change nothing: balances, check, preview, statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from a2ledger import accounts, money
from a2ledger.balances import checks
from a2ledger.billing.bill import Brought, Row, Telescope, statement_lines, vat_title
from a2ledger.book.book import Book, BrokenBookError, restore
from a2ledger.calls import detail
from a2ledger.documents.document import Statement, StatementLine
from a2ledger.fees import charge
from a2ledger.journal import customer_file, ledger, syntax
from a2ledger.journal.ledger import Ledger, Standing
from a2ledger.records import Customer, Problem

MAIN = "journals/main.beancount"
_CLOSES = {"invoice", "credit-note", "statement"}


def standings(book: Book) -> list[Standing]:
    """Where every customer stands, from the operator's ledger.

    Raises:
        BrokenBookError: never; errors of the ledger are ``check``'s.
    """
    found, _ = balances(book)
    return found


def balances(book: Book) -> tuple[list[Standing], dict[str, int]]:
    """Where every customer stands; and what is nobody's, in micro-units by currency."""

    def ask() -> tuple[list[Standing], dict[str, int]]:
        operators = main(book)
        return ledger.standings(operators), ledger.unmatched(operators)

    found: tuple[list[Standing], dict[str, int]] = book.reading(ask)
    return found


def standings_on(book: Book, day: dt.date) -> list[Standing]:
    """Where every customer stood at the end of a day, by the dates of what was ever posted.

    Read from one file a customer, that of the period which holds the day: it says what was
    brought forward. A close is dated the last day of its period.

    Raises:
        BrokenBookError: if that file is not there.
    """

    def ask() -> list[Standing]:
        return [
            standing_on(book, customer, day)
            for _, customer in sorted(book.customers.items())
            if customer.opened <= day
        ]

    found: list[Standing] = book.reading(ask)
    return found


def standing_on(book: Book, customer: Customer, day: dt.date) -> Standing:
    """Where one customer stood at the end of a day."""
    path = period_file(customer, day)
    if not (book.root / path).is_file():
        raise BrokenBookError([Problem(path, 0, "gone", f"is gone; {restore(path)}")])
    billed, unbilled = _sums(book, customer, day)
    limit = customer.text("credit_limit", day) or "0"
    return Standing(
        customer.id,
        customer.text("name", day),
        book.currency(customer.id),
        billed,
        unbilled,
        money.parse(limit),
    )


def _period_of(customer: Customer, day: dt.date) -> dt.date:
    """Start of the period that holds a day."""
    return max((start for start in customer.periods if start <= day), default=customer.opened)


def period_file(customer: Customer, day: dt.date) -> str:
    """Path of the file of the period that holds a day."""
    return customer_file.period_path(customer.id, _period_of(customer, day))


def _sums(book: Book, customer: Customer, day: dt.date) -> tuple[int, int]:
    """A customer's Billed and Unbilled at the end of a day, from his own ledger's text."""
    text = book.text(period_file(customer, day))
    brought = ledger.read_brought(text, _period_of(customer, day))
    sums = {
        accounts.billed(customer.id): brought.billed_micro,
        accounts.unbilled(customer.id): brought.unbilled_micro,
    }
    for leg in syntax.legs_until(text, day):
        if leg.account in sums:
            sums[leg.account] += leg.micro
    billed, unbilled = sums.values()
    return billed, unbilled


def balances_json(found: Sequence[Standing]) -> list[dict[str, Any]]:
    """Standings as the command's ``--json``."""
    return [
        {
            "customer": row.customer,
            "name": row.name,
            "currency": row.currency,
            "owed": money.text(row.owed_micro, 2),
            "billed": money.text(row.billed_micro, 2),
            "unbilled": money.text(row.unbilled_micro, 2),
            "credit_limit": money.text(row.credit_limit_micro, 2),
            "available": money.text(row.available_micro, 2),
            "over_limit": row.over_limit,
        }
        for row in found
    ]


def check(book: Book, names: Sequence[str] = ()) -> list[Problem]:
    """What is wrong with the book, or with some customers' own ledgers too.

    Errors Beancount finds, sub-ledgers that differ from the general ledger, customers over
    their limit; for customers named also their whole own ledger and its call detail.
    """
    problems: list[Problem] = book.reading(lambda: list(_check(book, names)))
    return problems


def main(book: Book) -> Ledger:
    """The operator's ledger.

    Raises:
        BrokenBookError: if it is not there; what is wrong in it is for ``check`` to say.
    """
    if not (book.root / MAIN).is_file():
        message = f"is not there; nothing was read; {restore(MAIN)}"
        raise BrokenBookError([Problem(MAIN, 0, "main", message)])
    return Ledger.load(book.root / MAIN)


def _check(book: Book, names: Sequence[str]) -> Iterator[Problem]:
    assert book.config  # noqa: S101 - read here, so that what is wrong with it is said
    operators = main(book)
    yield from operators.problems(book.root.resolve())
    found = ledger.standings(operators)
    wanted = set(names) or {row.customer for row in found}
    yield from soundness(book, found, wanted)
    yield from checks.suspense(ledger.unmatched(operators), MAIN)
    for name in names:
        yield from _own(book, book.customers[name])
    files = {name: customer_file.path(name) for name in wanted}
    owed = (
        (row.customer, row.owed_micro, row.credit_limit_micro, row.currency)
        for row in found
        if row.customer in wanted
    )
    yield from checks.credit_limits(owed, files)


def soundness(book: Book, found: Sequence[Standing], wanted: set[str]) -> Iterator[Problem]:
    """Where customers' own ledgers and the general ledger differ."""
    sums: dict[str, int] = {}
    files: dict[str, str] = {}
    for name in sorted(wanted & book.customers.keys()):
        customer = book.customers[name]
        path = customer_file.period_path(name, customer.open_since)
        billed, unbilled = _sums(book, customer, dt.date.max)
        own = {accounts.billed(name): billed, accounts.unbilled(name): unbilled}
        sums |= own
        files |= dict.fromkeys(own, path)
    general = {
        account: micro
        for row in found
        if row.customer in wanted
        for account, micro in (
            (accounts.billed(row.customer), row.billed_micro),
            (accounts.unbilled(row.customer), row.unbilled_micro),
        )
    }
    yield from checks.summaries(sums, general, files)


def _own(book: Book, customer: Customer) -> Iterator[Problem]:
    """A customer's own ledger, loaded alone, and the calls of his open period."""
    own = Ledger.load(book.root / customer_file.path(customer.id))
    yield from own.problems(book.root.resolve())
    path = customer_file.period_path(customer.id, customer.open_since)
    try:
        file = book.period_file(path)
    except BrokenBookError as error:
        yield from error.problems
        return
    posted: dict[tuple[str, ...], tuple[int, int, int]] = {
        (str(row.day), row.service, row.vat): (row.calls, row.seconds, row.micro)
        for row in file.usage
    }
    days = sorted({row.day for row in file.usage})
    days += [day for day in book.digests if day >= customer.open_since and day not in days]
    folded: dict[tuple[str, ...], tuple[int, int, int]] = {}
    for day in days:
        for row in detail.fold(detail.read(book.root, day, book.digests), [customer.id]):
            if (row.late_in or day) >= customer.open_since:
                folded[str(day), row.service, row.vat] = (row.calls, row.seconds, row.micro)
    yield from checks.details(posted, folded, path)


def statement(
    book: Book, customer: Customer, since: dt.date | None, until: dt.date | None
) -> Statement:
    """A customer's account over any days, from all his periods.

    Unbilled usage stands as it will be billed; VAT once a period is closed.

    Args:
        book: the customer's.
        customer: whose account.
        since: first day; None for all.
        until: last day; None for all.
    """

    def ask() -> Statement:
        for start in customer.periods:
            book.text(customer_file.period_path(customer.id, start))  # what is damaged is refused
        own = Ledger.load(book.root / customer_file.path(customer.id))
        return _statement(book, own, customer, since, until)

    found: Statement = book.reading(ask)
    return found


def _statement(
    book: Book, own: Ledger, customer: Customer, since: dt.date | None, until: dt.date | None
) -> Statement:
    places = money.decimals(book.currency(customer.id))
    rows = ledger.rows(own).get(accounts.component(customer.id), [])
    shown = list(_movements(rows, _taxes(book, own), places))
    opening = 0
    lines = []
    for day, what, amount, balance in shown:
        if since and day < since:
            opening = balance
        elif not until or day <= until:
            lines.append((day, what, amount, balance))
    closing = lines[-1][3] if lines else opening
    return Statement(
        opening=money.text(opening, places),
        lines=tuple(
            StatementLine(
                date=str(day),
                description=what,
                amount=money.text(amount, places),
                balance=money.text(balance, places),
            )
            for day, what, amount, balance in lines
        ),
        closing=money.text(closing, places),
    )


def _taxes(book: Book, own: Ledger) -> dict[str, list[tuple[str, int]]]:
    """VAT each close posted, as (title, amount) by the document's link."""
    names = {accounts.vat(name): code for name, code in book.config.codes.items()}
    found: dict[str, list[tuple[str, int]]] = {}
    for row in own.ask(ledger.TAXES):
        if row.account in names:
            taxed = (vat_title(names[row.account]), -money.micro(row.number))
            found.setdefault(min(row.links), []).append(taxed)
    return found


def _movements(
    rows: Sequence[Row], taxes: dict[str, list[tuple[str, int]]], places: int
) -> Iterator[tuple[dt.date, str, int, int]]:
    """Every movement with its running balance; a close shows as the VAT it added."""
    ends = sorted({(row.date, row.link) for row in rows if row.tags & _CLOSES})
    waiting = [row for row in rows if not row.tags & _CLOSES]
    brought, telescope = Brought(), Telescope({}, places)
    for end, link in [*ends, (dt.date.max, "")]:
        inside = [row for row in waiting if row.date <= end]
        waiting = [row for row in waiting if row.date > end]
        balance = money.rounded(brought.billed_micro, places)
        visible = [row for row in inside if "rounding" not in row.tags]
        for movement in statement_lines(visible, brought, places):
            balance = movement[3]
            yield movement
        for what, amount in taxes.get(link, []):
            balance += amount
            yield end, what, amount, balance
        brought = _after(brought, inside, taxes.get(link, []), telescope)


def _after(
    brought: Brought, rows: Sequence[Row], taxes: list[tuple[str, int]], telescope: Telescope
) -> Brought:
    """What stands after some rows and the VAT of their close."""
    billed = brought.billed_micro + sum(row.micro for row in rows if row.billed)
    for row in rows:
        if not row.billed:
            billed += telescope.add(row.vat, row.micro)
    return Brought(
        billed_micro=billed + sum(amount for _, amount in taxes),
        cumulative_micro=dict(telescope.totals),
    )


def customer_json(customer: Customer, day: dt.date) -> dict[str, Any]:
    """A customer's facts on a day, with their history, and his fees."""
    return {
        "customer": customer.id,
        "opened": str(customer.opened),
        **{key: customer.text(key, day) for key in customer.facts},
        "history": {
            key: [{"from": str(since), "value": str(value)} for since, value in changes]
            for key, changes in customer.facts.items()
        },
        "fees": list(charge.listed([customer], day)),
        "periods": [str(start) for start in customer.periods],
    }
