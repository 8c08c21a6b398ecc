"""When VAT is due: at the end of the period, on the day of issue, or when it is paid.

Where it is not due with the close, the close credits ``Liabilities:VAT-Not-Due:CODE``, and an entry
tagged ``tax-point`` moves it to ``Liabilities:VAT:CODE`` on its day: that of issue, or, as payments
come in, the end of each month of the period in which they did. What a payment settles is what
:mod:`a2ledger.balances.ageing` says it settles. Amounts are in micro-units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.balances import ageing
from a2ledger.documents import translation
from a2ledger.documents.document import Document
from a2ledger.fees.deferrals import months_of
from a2ledger.journal import syntax, vat_bases
from a2ledger.journal.entries import NUMBERED, STATED, leg, transaction
from a2ledger.journal.exchange_rates import at_price
from a2ledger.journal.syntax import Block
from a2ledger.period import Period

TAG = "tax-point"


class Due(NamedTuple):
    """VAT of a code that becomes due, and its base, in the book's currency."""

    code: str
    base_micro: int
    vat_micro: int


def entry(
    day: dt.date, customer: str, name: str, dues: Iterable[Due], currency: str
) -> data.Transaction:
    """Return the entry that makes VAT due.

    Args:
        day: the tax point.
        customer: whose.
        name: the document it is of, or what else tells it from others.
        dues: what becomes due; none where a document has no VAT.
        currency: of the amounts.
    """
    places = money.decimals(currency)
    postings = []
    for due in dues:
        base = Amount(money.decimal(due.base_micro, places), currency)
        owed = leg(accounts.vat(due.code), -due.vat_micro, currency, places=places)
        postings += [
            leg(accounts.not_due(due.code), due.vat_micro, currency, places=places),
            owed._replace(meta={"base": base}),
        ]
    return transaction(
        day,
        "VAT due",
        name,
        postings,
        meta={"customer": customer},
        links=[f"{TAG}-{name}"],
        tags=[TAG],
    )


def of_document(document: Document, currency: str) -> list[Due]:
    """Return base and VAT of each code of a document, in the book's currency."""
    sign, printed = document.sign, document.vat_translated
    taxes = {row.code: sign * money.parse(row.vat) for row in document.vat}
    owed = translation.by_code(printed, taxes, sign) or taxes
    dues = []
    for row in document.vat:
        base, tax = sign * money.parse(row.net), owed[row.code]
        if printed:
            base = at_price(base, Decimal(printed["price"]), money.decimals(currency))
        if tax:
            dues.append(Due(row.code, base, tax))
    return dues


class _Document(NamedTuple):
    """A closing document: the amount it asks for, and its VAT that was not due with it."""

    number: str
    gross_micro: int
    dues: tuple[Due, ...]


def on_payments(
    texts: Sequence[str], customer: str, period: Period, currency: str
) -> Iterator[data.Transaction]:
    """Yield entries for VAT made due by payments, at the end of each month of a closed period.

    Args:
        texts: of all periods' files of the customer up to this one, its close in it.
        customer: whose.
        period: the period.
        currency: of the account, and of its VAT.
    """
    places = money.decimals(currency)
    blocks = [block for text in texts for block in syntax.blocks(text)]
    made: list[Due] = []
    for part in months_of(period):
        until = [block for block in blocks if block.date and block.date <= str(part.last)]
        documents = [document for block in until if (document := _document(block, customer))]
        waiting = _left(documents, texts, customer, part.last, places)
        settled = [due for block in until for due in _settled(block)] + made
        dues = list(_dues(documents, waiting, settled))
        if dues:
            made += dues
            name = f"{syntax.link('payments', customer, str(part.last))}"
            yield entry(part.last, customer, name, dues, currency)


def _dues(
    documents: Sequence[_Document], waiting: Sequence[Due], settled: Sequence[Due]
) -> Iterator[Due]:
    """Yield the documents' VAT that is neither unpaid nor due already."""
    every = [due for document in documents for due in document.dues]
    for code in sorted({due.code for due in every}):
        base, tax = (
            sum(getattr(due, name) for due in every if due.code == code)
            - sum(getattr(due, name) for due in [*waiting, *settled] if due.code == code)
            for name in ("base_micro", "vat_micro")
        )
        if base or tax:
            yield Due(code, base, tax)


def _document(block: Block, customer: str) -> _Document | None:
    """Return the document of a close whose VAT was not due with it, else None."""
    if block.kind != "*" or (NUMBERED.isdisjoint(block.tags) and STATED not in block.meta):
        return None
    legs = block.legs
    taxes = {
        accounts.name_of(each.account.removeprefix(accounts.NOT_DUE)): -each.micro
        for each in legs
        if each.account.startswith(accounts.NOT_DUE)
    }
    own = vat_bases.converted(block)
    inside = block.meta.get("treatment") == "included"
    nets = [
        (leg.micro, leg.meta["vat"])
        for leg in block.postings
        if leg.account.endswith(":Unbilled") and "vat" in leg.meta
    ]
    dues = tuple(
        Due(
            code,
            _translated(
                -net - (own.get(code, taxes[code]) if inside else 0),
                taxes[code],
                own.get(code, 0),
            ),
            taxes[code],
        )
        for net, code in nets
        if code in taxes
    )
    gross = sum(each.micro for each in legs if each.account == accounts.billed(customer))
    number = block.meta.get(STATED, block.links[0])
    return _Document(number, gross, dues) if dues else None


def _translated(base_micro: int, tax_micro: int, own_micro: int) -> int:
    """Translate a base at the rate at which its VAT was translated."""
    return money.divide(base_micro * tax_micro, own_micro) if own_micro else base_micro


def _left(
    documents: Sequence[_Document], texts: Sequence[str], customer: str, day: dt.date, places: int
) -> list[Due]:
    """Return the unpaid parts of documents on a day."""
    rows = [row for text in texts for row in ageing.entries(text, customer, day)]
    unpaid = {row.number: row.open_micro for row in ageing.opened(rows)[0]}
    unit: int = 10 ** (money.PLACES - places)
    unpaid_dues = []
    for document in documents:
        share = unpaid.get(document.number, 0)
        for due in document.dues if share else ():
            base, tax = (
                money.divide(micro * share, document.gross_micro * unit) * unit
                for micro in (due.base_micro, due.vat_micro)
            )
            unpaid_dues.append(Due(due.code, base, tax))
    return unpaid_dues


def _settled(block: Block) -> Iterator[Due]:
    """Yield the VAT that an earlier entry made due."""
    if TAG not in block.tags:
        return
    taxes = {
        accounts.name_of(each.account.removeprefix(accounts.OWED)): -each.micro
        for each in block.legs
        if each.account.startswith(accounts.OWED)
    }
    for each in block.postings:
        if each.account.startswith(accounts.OWED) and "base" in each.meta:
            code = accounts.name_of(each.account.removeprefix(accounts.OWED))
            yield Due(code, syntax.amount(each.meta["base"]), taxes.get(code, 0))
