"""The VAT return, the sales journal, and the EU list of services to businesses.

Each is a table of plain values, for programs, people and spreadsheets alike. Amounts are text in
the book's currency, negative for credit notes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import NamedTuple

from a2ledger import accounts, money, vat
from a2ledger.book.book import Book
from a2ledger.reports import documents
from a2ledger.reports.documents import Moved, Taxed

Row = dict[str, str]


class Report(NamedTuple):
    """A table, its totals, and notes on them."""

    columns: tuple[str, ...]
    rows: list[Row]
    totals: list[Row]
    other: tuple[Row, ...] = ()
    """VAT without a document."""


def vat_return(book: Book, since: dt.date, until: dt.date) -> Report:
    """Return base and VAT by code for the days they are due, credit notes separately.

    ``vat`` of a code is the movement of its VAT account in these days.
    """
    moved = documents.due(book, since, until)
    text = _texts(book)
    rows = [_code(code, moved, text) for code in sorted(_named(moved))]
    total = {
        "code": "total",
        **{key: text(_summed(rows, key)) for key in _AMOUNTS},
    }
    other = tuple(
        {
            "date": str(row.date),
            "code": row.code,
            "base": text(row.base_micro),
            "vat": text(row.vat_micro),
            "description": row.description,
        }
        for row in moved.other
    )
    return Report(("code", "category", "rate", *_AMOUNTS), rows, [total], other)


_AMOUNTS = (
    *("invoiced_base", "invoiced_vat", "credited_base", "credited_vat"),
    *("other_base", "other_vat", "base", "vat"),
)


def _named(moved: Moved) -> set[str]:
    return {row.code for row in moved.taxed} | {row.code for row in moved.other}


def _code(code: str, moved: Moved, text: Callable[[int], str]) -> Row:
    own = [row for row in moved.taxed if row.code == code]
    others = [row for row in moved.other if row.code == code]
    other_base = sum(row.base_micro for row in others)
    other = sum(row.vat_micro for row in others)
    invoiced, credited = (
        (sum(row.base_micro for row in some), sum(row.vat_micro for row in some))
        for some in ([row for row in own if row.is_credit is back] for back in (False, True))
    )
    return {
        "code": code,
        "category": own[0].category if own else "",
        "rate": own[0].rate if own else "",
        "invoiced_base": text(invoiced[0]),
        "invoiced_vat": text(invoiced[1]),
        "credited_base": text(credited[0]),
        "credited_vat": text(credited[1]),
        "other_base": text(other_base),
        "other_vat": text(other),
        "base": text(invoiced[0] + credited[0] + other_base),
        "vat": text(invoiced[1] + credited[1] + other),
        "account": accounts.vat(code),
    }


def sales(book: Book, since: dt.date, until: dt.date) -> Report:
    """Return the sales journal: all documents, code by code, by the day of their entry."""
    text = _texts(book)
    rows = [_sale(row, text) for row in documents.issued(book, since, until)]
    total = {"date": "total", **{key: text(_summed(rows, key)) for key in ("base", "vat", "gross")}}
    return Report(_SALE, rows, [total])


_SALE = (
    *("date", "issue_date", "number", "kind", "original", "customer", "name", "country", "vat_id"),
    *("code", "rate", "base", "vat", "gross"),
)


def _sale(row: Taxed, text: Callable[[int], str]) -> Row:
    document = row.document
    assert document is not None  # noqa: S101 - the journal lists documents alone
    customer = document.customer
    return {
        "date": str(row.date),
        "issue_date": document.issue_date,
        "number": row.number,
        "kind": document.kind,
        "original": (document.original or {}).get("number", ""),
        "customer": customer["id"],
        "name": customer.get("name", ""),
        "country": customer.get("country", ""),
        "vat_id": customer.get("vat_id", ""),
        "code": row.code,
        "rate": row.rate,
        "base": text(row.base_micro),
        "vat": text(row.vat_micro),
        "gross": text(row.base_micro + row.vat_micro),
        "currency": document.currency,
    }


def ec_services(book: Book, since: dt.date, until: dt.date) -> Report:
    """Return services to businesses in other member states, who owe the VAT, by VAT id."""
    text = _texts(book)
    home = vat.nation(book.config.company.country)
    sums: dict[tuple[str, str, str], int] = {}
    names: dict[tuple[str, str, str], str] = {}
    for row in documents.due(book, since, until).taxed:
        if row.document is None:
            continue
        buyer = row.document.customer
        country = vat.nation(buyer.get("country", ""))
        if row.category == vat.REVERSED.category and country in vat.MEMBERS - {home}:
            key = (country, "".join(buyer.get("vat_id", "").split()).upper(), buyer["id"])
            sums[key] = sums.get(key, 0) + row.base_micro
            names[key] = buyer.get("name", "")
    rows = [
        {"country": key[0], "vat_id": key[1], "customer": key[2], "name": names[key],
         "base": text(micro)}
        for key, micro in sorted(sums.items())
        if micro
    ]  # fmt: skip
    total = {"country": "total", "base": text(_summed(rows, "base"))}
    return Report(("country", "vat_id", "customer", "name", "base"), rows, [total])


def _texts(book: Book) -> Callable[[int], str]:
    places = money.decimals(book.config.currency)
    return lambda micro: money.text(micro, places)


def _summed(rows: Iterable[Row], key: str) -> int:
    return sum(money.parse(row[key]) for row in rows)
