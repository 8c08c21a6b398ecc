"""Balances of all customers or of one, today or at the end of a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from a2ledger import accounts, money
from a2ledger.book.book import Book, BrokenBookError, Draft, restore
from a2ledger.book.kept import LEAST, Kept
from a2ledger.fees import charge
from a2ledger.journal import customer_file, ledger, subledgers, summary, syntax
from a2ledger.journal.ledger import Ledger, Standing
from a2ledger.journal.period_file import PeriodFile
from a2ledger.records import Customer, Problem

MAIN = "journals/main.beancount"


def balances(book: Book) -> tuple[list[Standing], dict[str, int]]:
    """Return all customers' standings, and unmatched money in micro-units by currency.

    Raises:
        BrokenBookError: never for what ``main`` says: its errors are ``check``'s.
    """

    def ask() -> tuple[list[Standing], dict[str, int]]:
        operators = main(book)
        return standings(book, operators), ledger.unmatched(operators)

    result: tuple[list[Standing], dict[str, int]] = book.reading(ask)
    return result


def standings(book: Book, operators: Ledger | None = None) -> list[Standing]:
    """Return every customer's standing, by id.

    Beancount is asked, unless the operator's ledger holds control totals: then these are the
    sums of customers' own ledgers, which ``check`` compares with the totals.

    Args:
        book: the book.
        operators: its ``main``, if it is loaded.
    """
    if not summary.holds_totals(book):
        return ledger.standings(operators or main(book))
    entries = subledgers.customers(book).entries()
    return [
        Standing(name, entries[name].name, entries[name].currency, billed, unbilled, limit_micro)
        for name, (_, billed, unbilled) in sorted(kept_sums(book, entries.keys()).items())
        for limit_micro in (entries[name].limit_micro,)
    ]


def standings_on(book: Book, day: dt.date) -> list[Standing]:
    """Return all customers' standings at the end of a day, by posting dates.

    Read from one file a customer, that of the period which holds the day: it says what was
    brought forward. A close is dated the last day of its period.

    Raises:
        BrokenBookError: if that file is not there.
    """

    def ask() -> list[Standing]:
        return [
            standing_on(book, customer, day)
            for _, customer in sorted(subledgers.customers(book).items())
            if customer.opened <= day
        ]

    rows: list[Standing] = book.reading(ask)
    return rows


def standing_on(book: Book, customer: Customer, day: dt.date) -> Standing:
    """Return one customer's standing at the end of a day."""
    path = period_file(customer, day)
    if not (book.root / path).is_file():
        raise BrokenBookError([Problem(path, 0, "gone", "is gone", todo=restore(path))])
    billed, unbilled = sums(book, customer, day)
    limit = customer.text("credit_limit", day) or "0"
    return Standing(
        customer.id,
        customer.text("name", day),
        subledgers.currency(book, customer.id),
        billed,
        unbilled,
        money.parse(limit),
    )


def _period_of(customer: Customer, day: dt.date) -> dt.date:
    """Return the start of the period that contains a day."""
    return max((start for start in customer.periods if start <= day), default=customer.opened)


def period_file(customer: Customer, day: dt.date) -> str:
    """Return the path of the file of the period that contains a day."""
    return customer_file.period_path(customer.id, _period_of(customer, day))


def sums(book: Book, customer: Customer, day: dt.date) -> tuple[int, int]:
    """Return a customer's Billed and Unbilled at the end of a day, from their own ledger."""
    start, own = _period_of(customer, day), accounts.component(customer.id)
    text = syntax.until(book.text(customer_file.period_path(customer.id, start)), day)
    brought, moved = ledger.read_brought(text, start), syntax.owed(text, own)
    return brought.billed_micro + moved[0], brought.unbilled_micro + moved[1]


_Sums = tuple[str, int, int]
"""The path of a customer's open period, and Billed and Unbilled of all that is in it."""
_SUMS = ("path", "billed", "unbilled")


def kept_sums(
    book: Book, names: Collection[str], known: Mapping[str, _Sums] | None = None
) -> dict[str, _Sums]:
    """Return the path of customers' open periods, with Billed and Unbilled of all that is in them.

    Those of a large book are kept, see :mod:`a2ledger.book.kept`.

    Args:
        book: the book.
        names: ids of customers.
        known: the sums of some of them, which need not be added up.
    """
    customers = subledgers.customers(book)
    entries = customers.entries()
    files = {
        name: customer_file.period_path(name, dt.date.fromordinal(entries[name].open_since))
        for name in names
    }
    kept = Kept(book.root, "sums", "1", _SUMS, files)
    # A customer's next period has a file of its own, which may look like the last one's did.
    rows: dict[str, _Sums] = kept.rows.of(_SUMS)
    good = {name: row for name, row in rows.items() if row[0] == files[name]}
    given = {name: row for name, row in (known or {}).items() if row[0] == files.get(name)}
    published = book.vault.published_if_known() if given else None
    for path in published.differs([row[0] for row in given.values()]) if published else ():
        given = {name: row for name, row in given.items() if row[0] != path}  # edited meanwhile
    new = {
        name: given.get(name) or (files[name], *sums(book, customers[name], dt.date.max))
        for name in files.keys() - good.keys()
    }
    kept.keep(new.items())
    return good | new


def remember(book: Book, sums: Mapping[str, _Sums]) -> None:
    """Keep the sums of what was published, where it is much: whoever asks next need not add up."""
    if len(sums) >= LEAST:
        kept_sums(book, subledgers.customers(book).keys(), sums)


def sums_of(draft: Draft) -> dict[str, _Sums]:
    """Return the sums of the open periods that a draft writes, by customer id, if they are many.

    They are added up from what it wrote them from, for :func:`remember`.
    """
    new: dict[str, _Sums] = {}
    for name in draft.touched if len(draft.touched) >= LEAST else ():
        customer = subledgers.customer(draft, name)
        path = customer_file.period_path(name, customer.open_since)
        file: PeriodFile | None = draft.parsed(path)
        if file is not None:
            text = syntax.joined([*file.above, *file.closing])
            brought = ledger.read_brought(text, customer.open_since)
            billed, unbilled = syntax.owed(text, accounts.component(name))
            unbilled += brought.unbilled_micro + sum(row.micro for row in file.usage)
            new[name] = path, brought.billed_micro + billed, unbilled
    return new


def balances_json(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Return standings as rows for ``--json``."""
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
        for row in standings
    ]


def main(book: Book) -> Ledger:
    """Load the operator's ledger.

    Raises:
        BrokenBookError: if it is not there; what is wrong in it is for ``check`` to say.
    """
    if not (book.root / MAIN).is_file():
        missing = Problem(MAIN, 0, "main", "is not there", "nothing was read", restore(MAIN))
        raise BrokenBookError([missing])
    return Ledger.load(book.root / MAIN)


def customer_json(customer: Customer, day: dt.date) -> dict[str, Any]:
    """Return a customer's facts on a day, with their history and fees, as JSON."""
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
