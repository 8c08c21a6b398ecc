"""Refills that are taxed when they are paid: their entries, documents, and changes of treatment.

A voucher that buys services of one rate only (Directive 2006/112/EC, article 30b) is the taxed
supply itself. What a customer tops up is then gross: the tax goes to ``Liabilities:VAT``, the
rest is credit, and every top-up has a numbered document of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, cast

from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money, vat
from a2ledger.book.config import Config
from a2ledger.documents import parties
from a2ledger.documents.document import ROUNDING, Document, Line, Statement, StatementLine, VatLine
from a2ledger.journal import entries
from a2ledger.journal.entries import ISSUED
from a2ledger.period import DAY
from a2ledger.records import Customer
from a2ledger.vat import TAXED, VatCode, added, inside


class Supply(NamedTuple):
    """The supply that a document of a top-up bills or credits, in micro-units of the currency."""

    day: dt.date
    title: str
    description: str
    net_micro: int
    vat_micro: int
    code: VatCode
    paid: bool = True
    """True if money came in for it. False if existing credit is taxed, or its tax given back."""
    opening_micro: int = 0
    """What the customer owed before."""

    @property
    def kind(self) -> str:
        """Return the kind of its document."""
        return "credit-note" if self.net_micro + self.vat_micro < 0 else "invoice"


def supply(
    entry: data.Transaction,
    customer: str,
    code: VatCode,
    places: int,
    charged_micro: int | None = None,
    untaxed_micro: int = 0,
) -> Supply | None:
    """Return the supply that an entry tops up, or None if it is none or too small to show.

    What is given as a bonus was not paid for, and is no supply. What is paid back beyond what was
    taxed is none either: no VAT goes back that was not charged.

    Args:
        entry: of a refill or payment, or of one reversed.
        customer: whose account it credits.
        code: under which all that the customer may buy is taxed.
        places: decimals of the currency.
        charged_micro: VAT charged on the customer's top-ups that has not been given back; None: as
            much as is paid back.
        untaxed_micro: what was paid back beyond what was taxed, and is owed: paying it is no
            top-up.
    """
    gross = gross_of(entry, customer, places)
    if gross > 0:
        gross -= min(max(untaxed_micro, 0), gross)
    if not gross:
        return None
    if charged_micro is not None and inside(-gross, code, places) > max(charged_micro, 0):
        gross = -_taxed_with(max(charged_micro, 0), code, places)
    taxed = inside(gross, code, places)
    if not gross:
        return None
    day = entry.meta.get("late_from", entry.date)
    return Supply(day, entry.payee or "", entry.narration or "", gross - taxed, taxed, code)


def gross_of(entry: data.Transaction, customer: str, places: int) -> int:
    """Return what an entry of a refill or payment credits, before any VAT; nothing for a gift."""
    if entry.postings[0].account.startswith(_GIVEN):
        return 0
    credited = sum(
        money.micro(cast("Amount", leg.units).number or money.decimal(0))
        for leg in entry.postings
        if leg.account == accounts.billed(customer)
    )
    gross: int = money.rounded(-credited, places)
    return gross


UNTAXED = "untaxed"
"""Metadata of an entry that moved more than what was taxed: how much more."""
_GIVEN = "Expenses:"
"""The beginning of accounts that pay for credit nobody paid for: a bonus, goodwill."""


def _taxed_with(vat_micro: int, code: VatCode, places: int) -> int:
    """Return the gross amount that contains this much VAT."""
    if not vat_micro:
        return 0
    unit: int = 10 ** (money.PLACES - places)
    gross = vat_micro + money.divide(vat_micro * 10_000, code.hundredths * unit) * unit
    while inside(gross, code, places) > vat_micro:
        gross -= unit
    return gross


class Issued(NamedTuple):
    """A document of a top-up: its number, and its VAT as it is owed."""

    number: str
    base: str = ""
    """The book's currency, where the account's is another …"""
    vat_micro: int = 0
    """… and the VAT in it."""

    def taxes(self, code: str, micro: int, currency: str) -> list[data.Posting]:
        """Return the postings of the VAT under a code, which is so much in the account's own."""
        account = accounts.vat(code)
        if not self.base:
            return [entries.leg(account, -micro, currency, places=money.decimals(currency))]
        return entries.converted(account, code, (-micro, currency), (-self.vat_micro, self.base))


def taxed(
    entry: data.Transaction, customer: str, sold: Supply, issued: Issued, places: int
) -> data.Transaction:
    """Return the entry with its tax taken out of what it credits, and its document's number."""
    account = accounts.billed(customer)
    meta = {**entry.meta, ISSUED: issued.number}
    if rest := gross_of(entry, customer, places) - sold.net_micro - sold.vat_micro:
        currency = cast("Amount", entry.postings[-1].units).currency
        meta[UNTAXED] = Amount(money.decimal(rest, places), currency)
    postings = []
    for leg in entry.postings:
        units = cast("Amount", leg.units)
        if leg.account == account:
            rest = money.micro(units.number or money.decimal(0)) + sold.vat_micro
            postings.append(
                entries.leg(account, rest, units.currency, places=places, vat=sold.code.code)
            )
            if sold.vat_micro:
                postings += issued.taxes(sold.code.code, sold.vat_micro, units.currency)
        else:
            postings.append(leg)
    return entry._replace(meta=meta, postings=postings)


def leaving(
    day: dt.date,
    balance_micro: int,
    code: VatCode,
    places: int,
    charged_micro: int | None = None,
) -> Supply | None:
    """Return the supply when refills cease to be taxed: the tax in the balance is given back.

    Args:
        day: the first of the new treatment.
        balance_micro: owed, negative for credit; without the tax that was paid on it.
        code: it was taxed under.
        places: decimals of the currency.
        charged_micro: VAT that was charged on it; of credit no more goes back. None: all of it.
    """
    net = money.rounded(balance_micro, places)
    vat_micro = added(net, code, places)
    if charged_micro is not None and -vat_micro > max(charged_micro, 0):
        gross = _taxed_with(max(charged_micro, 0), code, places)
        vat_micro = -inside(gross, code, places)
        net = -gross - vat_micro
    if not vat_micro:
        return None
    description = (
        "Credit that was taxed when it was paid for" if net < 0 else "Usage beyond what was paid"
    )
    return Supply(day, "Refill", description, net, vat_micro, code, False, balance_micro)


def entering(
    day: dt.date,
    balance_micro: int,
    code: VatCode,
    places: int,
    charged_micro: int | None = None,
) -> Supply | None:
    """Return the supply when refills begin to be taxed: credit is taxed as if it were paid now.

    Args:
        day: the first of the new treatment.
        balance_micro: owed, negative for credit; with the tax that is in it.
        code: it will be taxed under.
        places: decimals of the currency.
        charged_micro: VAT that was charged on what is owed; no more goes back. None: all in it.
    """
    gross = -money.rounded(balance_micro, places)
    if charged_micro is not None and inside(-gross, code, places) > max(charged_micro, 0):
        gross = -_taxed_with(max(charged_micro, 0), code, places)
    vat_micro = inside(gross, code, places)
    if not vat_micro:
        return None
    description = (
        "Credit that is taxed from now on" if gross > 0 else "Debt to be paid by taxed refills"
    )
    net = gross - vat_micro
    return Supply(day, "Refill", description, net, vat_micro, code, False, balance_micro)


def conversion(sold: Supply, customer: str, currency: str, issued: Issued) -> data.Transaction:
    """Return the entry of a change of treatment: the tax in the balance."""
    places = money.decimals(currency)
    title = "Credit note" if sold.kind == "credit-note" else "Invoice"
    return entries.transaction(
        sold.day,
        f"{title} {issued.number}",
        f"VAT, {sold.description[0].lower()}{sold.description[1:]}",
        [
            entries.leg(accounts.billed(customer), sold.vat_micro, currency, places=places),
            *issued.taxes(sold.code.code, sold.vat_micro, currency),
        ],
        meta={
            ISSUED: issued.number,
            "base": Amount(money.decimal(sold.net_micro, places), currency),
        },
        links=[issued.number],
    )


def document(
    sold: Supply,
    customer: Customer,
    config: Config,
    *,
    currency: str,
    number: str | None,
    issue_date: dt.date,
    originals: Sequence[dict[str, str]] = (),
) -> Document:
    """Return the document of a top-up: one line, which is paid.

    Args:
        sold: what it says.
        customer: whose it is; the address of the day it is made stands on it.
        config: who sends it.
        currency: of the account.
        number: in the series of its kind.
        issue_date: the day it is made.
        originals: number and date of the documents that a credit note corrects, newest first.
    """
    places = money.decimals(currency)
    sign = -1 if sold.kind == "credit-note" else 1
    net, tax = sign * sold.net_micro, sign * sold.vat_micro
    day = str(sold.day)
    statement = _statement(sold, places)
    closing_micro = money.parse(statement.closing)
    supplier, buyer = parties.parties(customer, config, sold.day, issue_date)
    return Document(
        kind=sold.kind,
        number=number,
        original=next(iter(originals), None),
        originals=tuple(originals) if len(originals) > 1 else (),
        supplier=supplier,
        customer=buyer,
        currency=currency,
        issue_date=str(issue_date),
        due_date=str(issue_date),
        period={"start": day, "end": str(sold.day + DAY)},
        statement=statement,
        lines=(
            Line(
                line=1,
                kind="refill",
                service=sold.title,
                destination="",
                description=sold.description,
                from_=day,
                to=day,
                calls=0,
                seconds=0,
                net=money.text(net, places),
                vat_code=sold.code.code,
            ),
        ),
        vat=(
            VatLine(
                code=sold.code.code,
                category=sold.code.category,
                rate=f"{sold.code.rate.normalize():f}",
                net=money.text(net, places),
                vat=money.text(tax, places),
                reason="" if sold.code.category in TAXED else sold.code.reason,
            ),
        ),
        net=money.text(net, places),
        vat_total=money.text(tax, places),
        gross=money.text(net + tax, places),
        to_pay=money.text(max(0, closing_micro), places),
        credit=money.text(max(0, -closing_micro), places),
        treatment="on-refill",
    )


def _statement(sold: Supply, places: int) -> Statement:
    """Return the statement: the supply and its payment, or what a change does to the balance."""
    opening = balance = money.rounded(sold.opening_micro, places)
    title = ", ".join(part for part in (sold.title, sold.description) if part)
    moves = [(vat.vat_title(sold.code), sold.vat_micro)]
    if sold.paid:
        paid = -sold.net_micro - sold.vat_micro
        moves = [(title, sold.net_micro), *moves, ("Paid" if paid < 0 else "Paid back", paid)]
    exact = sold.opening_micro + sum(amount for _, amount in moves)
    moves.append((ROUNDING, money.rounded(exact, places) - opening - exact + sold.opening_micro))
    lines = []
    for label, amount in moves:
        balance += amount
        if amount:
            amount_text, after = money.text(amount, places), money.text(balance, places)
            lines.append(
                StatementLine(
                    date=str(sold.day), description=label, amount=amount_text, balance=after
                )
            )
    return Statement(
        opening=money.text(opening, places),
        lines=tuple(lines),
        closing=money.text(balance, places),
    )
