"""Read from the general ledger which documents were issued in a span of days, and other VAT.

The journals give the day and name the document; the document gives the amounts by VAT code.
Amounts are in micro-units of the book's currency, negative where money is given back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from a2ledger import accounts, money
from a2ledger.book.book import GENERAL, SUSPENSE, Book, BrokenBookError, RefusedError
from a2ledger.documents import files, paths, translation
from a2ledger.documents.document import Document
from a2ledger.journal import shards, syntax, vat_bases
from a2ledger.journal.chart import MANUAL
from a2ledger.journal.entries import CLOSES, NUMBERED, STATED
from a2ledger.journal.exchange_rates import at_price, prices
from a2ledger.journal.syntax import Block
from a2ledger.period import month_of
from a2ledger.records import Problem


class Taxed(NamedTuple):
    """One VAT code of a document, on the day it counts."""

    date: dt.date
    number: str
    code: str
    category: str
    rate: str
    base_micro: int
    vat_micro: int
    is_credit: bool
    """True for a credit note."""
    document: Document | None = None
    """None for VAT that payments made due, whatever documents they paid."""


class Other(NamedTuple):
    """VAT moved without a document: bad-debt relief, or an entry by hand."""

    date: dt.date
    code: str
    vat_micro: int
    description: str
    base_micro: int = 0
    """Base of the VAT, where known: for write-offs and recovered debts."""


class Moved(NamedTuple):
    """All VAT movements in a span of days."""

    taxed: list[Taxed]
    other: list[Other]


def issued(book: Book, since: dt.date, until: dt.date) -> list[Taxed]:
    """Return all documents by the day of their entry, code by code, sorted by day and number."""
    rows = []
    for block in _entries(book, since, until):
        tag = _tag(block)
        if tag != "tax-point" and (number := _number(block, tag)):
            rows += _codes(book, number, dt.date.fromisoformat(block.date))
    return sorted(rows, key=lambda row: (row.date, row.number))


def due(book: Book, since: dt.date, until: dt.date) -> Moved:
    """Return the VAT due in a span of days by tax point, and VAT without a document.

    Raises:
        BrokenBookError: if an entry and its document disagree.
        RefusedError: if there is no price for a document in another currency.
    """
    moved = Moved([], [])
    for block in _entries(book, since, until):
        tag, day = _tag(block), dt.date.fromisoformat(block.date)
        number = _number(block, tag)
        rows = _due_now(book, block, tag, number, day) if number else []
        owed = _owed(block, book.config.currency)
        accounted: dict[str, int] = {}
        for row in rows:
            accounted[row.code] = accounted.get(row.code, 0) + row.vat_micro
        for code, micro in owed.items():
            if rest := micro - accounted.get(code, 0):
                base = _base(book, code, rest) if block.own_link.startswith(_GIVEN_UP) else 0
                moved.other.append(Other(day, code, rest, _told(block), base))
        moved.taxed.extend(rows)
    return moved


_GIVEN_UP = ("write-off-", "recover-")


def _base(book: Book, code: str, vat_micro: int) -> int:
    """Return the base of an amount of VAT, by the rate of its code."""
    base = int(Decimal(vat_micro) * 100 / book.config.codes[code].rate)
    return money.rounded(base, money.decimals(book.config.currency))


def _entries(book: Book, since: dt.date, until: dt.date) -> Iterator[Block]:
    """Yield the transactions in a span of days that may concern VAT or documents."""
    months = {path: shards.month_of(path) for path in shards.months(book)}
    months |= {path: path[-17:-10] for path in book.files(SUSPENSE, "2*.beancount")}
    paths = [path for path, month in months.items() if month_of(since) <= month <= month_of(until)]
    for path in [*paths, MANUAL]:
        for block in syntax.blocks(book.text(path)):
            if block.kind in {"*", "!"} and str(since) <= block.date <= str(until):
                yield block


def _tag(block: Block) -> str:
    tags = CLOSES if STATED in block.meta else NUMBERED
    return next(iter(block.tags & (tags | {"tax-point"})), "")


def _number(block: Block, tag: str) -> str:
    """Return the number of the document an entry posts or was issued with, or an empty text."""
    if number := vat_bases.issued_with(block) or block.meta.get(STATED, ""):
        return number
    links = block.links if tag else []
    return links[0].removeprefix("tax-point-") if links else ""


def _due_now(book: Book, block: Block, tag: str, number: str, day: dt.date) -> list[Taxed]:
    """Return the part of a document that is due with an entry."""
    if tag == "tax-point" and not book.has(paths.find(book, number, day.year)):
        return list(_paid(book, block, day))
    rows = _codes(book, number, day)
    document = rows[0].document if rows else None
    point = document.tax_point if document else ""
    if not point:
        return rows if vat_bases.issued_with(block) or tag in CLOSES else []
    if point == "issue-date":
        return rows if tag == "tax-point" else []
    return [row for row in rows if not row.vat_micro]  # the rest as it is paid


def _paid(book: Book, block: Block, day: dt.date) -> Iterator[Taxed]:
    """Yield the VAT that payments made due, of any documents they settled."""
    for leg in block.postings:
        if not leg.account.startswith(accounts.OWED) or "base" not in leg.meta:
            continue
        code = book.config.codes[accounts.name_of(leg.account.removeprefix(accounts.OWED))]
        base, tax = syntax.amount(leg.meta["base"]), -leg.micro
        yield Taxed(day, "", code.code, code.category, f"{code.rate:f}", base, tax, base < 0)


def _codes(book: Book, number: str, day: dt.date) -> list[Taxed]:
    """Return a document's codes in the book's currency, empty for other texts."""
    path = paths.find(book, number, day.year)
    if not book.has(path):
        message = f"names {number}, which is not under invoices/; restore that document"
        place = f"{GENERAL}/{month_of(day)}.beancount"
        raise BrokenBookError([Problem(place, 0, "document", message)])
    document = files.read(book, path)
    sign = document.sign
    rows = [
        Taxed(
            day,
            number,
            row.code,
            row.category,
            row.rate,
            sign * money.parse(row.net),
            sign * money.parse(row.vat),
            sign < 0,
            document,
        )
        for row in document.vat
    ]
    return _translated(book, rows, document, day)


def _translated(book: Book, rows: list[Taxed], document: Document, day: dt.date) -> list[Taxed]:
    """Translate a document's codes at the rate printed on it, or else at the day's."""
    own, base = document.currency, book.config.currency
    if own == base or not rows:
        return rows
    printed = document.vat_translated
    price = Decimal(printed["price"]) if printed else None
    if price is None:
        known = prices(book).at(own, day)
        if known is None:
            raise RefusedError(
                f"{rows[0].number} is in {own}, and there is no price of it on {day}",
                undone="nothing was reported",
                todo="import prices",
            )
        price = known.number
    places = money.decimals(base)
    taxes = translation.by_code(printed, {row.code: row.vat_micro for row in rows}, document.sign)
    return [
        row._replace(
            base_micro=at_price(row.base_micro, price, places), vat_micro=taxes.get(row.code, 0)
        )
        for row in rows
    ]


def _owed(block: Block, currency: str) -> dict[str, int]:
    """Return what an entry adds to VAT owed, by code."""
    sums: dict[str, int] = {}
    for leg in block.legs:
        if leg.account.startswith(accounts.OWED) and leg.currency == currency:
            code = accounts.name_of(leg.account.removeprefix(accounts.OWED))
            sums[code] = sums.get(code, 0) - leg.micro
    return sums


def _told(block: Block) -> str:
    return ", ".join(filter(None, block.strings))
