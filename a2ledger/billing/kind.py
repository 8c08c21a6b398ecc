"""Decide which document a period becomes, and whether its bill waits for the next one.

Businesses are owed an invoice (Directive 2006/112/EC, articles 220 and 226); of private persons,
and of usage that was taxed when it was paid for, a statement of account is enough. Bills below
the minimum wait: their period goes on until the next one ends, so that each line is billed once.
A continuous supply is taxed where the period ends that its bill is for (article 64).
"""

from __future__ import annotations

import datetime as dt

from a2ledger import money, vat
from a2ledger.billing.bill import Bill
from a2ledger.book.config import Config
from a2ledger.period import Period
from a2ledger.records import Customer

STATEMENT, INVOICE, CREDIT_NOTE = "statement", "invoice", "credit-note"

_DECIDES = ("vat", "documents")
"""Facts with whose change a wait ends: what is billed before it is billed as it was."""


def of_bill(bill: Bill, customer: Customer, config: Config) -> str:
    """Return the kind of document that a bill becomes."""
    if not is_numbered(bill) or gets_statement(bill, customer, config):
        return STATEMENT
    return CREDIT_NOTE if bill.gross_micro < 0 else INVOICE


def is_numbered(bill: Bill) -> bool:
    """Return True if a bill makes a numbered document: one of its lines is not zero.

    Usage that was taxed when it was paid for is stated, and not invoiced.
    """
    if bill.treatment == "on-refill":
        return False
    return any(money.parse(line.net) for line in bill.lines) or bool(bill.gross_micro)


def gets_statement(bill: Bill, customer: Customer, config: Config) -> bool:
    """Return True if a customer wants a statement in place of an invoice, and none is owed.

    An invoice is owed to whoever has a VAT id, and wherever the customer owes the VAT.
    """
    day = bill.period.last
    if wanted(customer, day, config) != STATEMENT or is_business(customer, day):
        return False
    owing = {row.category for row in bill.vat}
    return bill.treatment != "reverse-charge" and vat.REVERSED.category not in owing


def is_business(customer: Customer, day: dt.date) -> bool:
    """Return True if a customer has a VAT id on a day, valid or not."""
    return bool(customer.text("vat_id", day))


def wanted(customer: Customer, day: dt.date, config: Config) -> str:
    """Return the documents a customer gets on a day: ``invoice`` or ``statement``."""
    if own := customer.text("documents", day):
        return own
    return INVOICE if customer.fact("credit_limit", day) else config.bill.prepaid


def minimum_micro(customer: Customer, day: dt.date, config: Config) -> int:
    """Return the least that a customer's bill is made for on a day, VAT included."""
    own = customer.text("minimum", day)
    return money.parse(own) if own else config.bill.minimum_micro


def waits(bill: Bill, customer: Customer, config: Config) -> bool:
    """Return True if a bill is below the minimum, and may wait for the next one.

    It may not where the next period would end more than ``[bill] wait_months`` after the day it
    starts, nor where the treatment of VAT or the documents wanted change.
    """
    least = minimum_micro(customer, bill.period.last, config)
    if abs(bill.gross_micro) >= least or not is_numbered(bill):
        return False
    if gets_statement(bill, customer, config):
        return False
    start, end = bill.period
    following = customer.period_from(end)
    if following.end > months_later(start, config.bill.wait_months):
        return False
    return all(customer.text(key, start) == customer.text(key, end) for key in _DECIDES)


def months_later(day: dt.date, months: int) -> dt.date:
    """Return the day a number of months later, or the first after it where there is none.

    >>> print(months_later(dt.date(2026, 1, 31), 1), months_later(dt.date(2026, 3, 1), 12))
    2026-03-01 2027-03-01
    """
    years, month = divmod(day.month - 1 + months, 12)
    try:
        return day.replace(year=day.year + years, month=month + 1)
    except ValueError:
        return months_later(day.replace(day=1), months + 1)


def below(bill: Bill, customer: Customer, config: Config, currency: str) -> str:
    """Return the words for a bill that waits."""
    amount = money.text(bill.gross_micro, bill.places)
    least = money.text(minimum_micro(customer, bill.period.last, config), bill.places)
    return f"{amount} {currency} is below the minimum of {least}: it waits for the next bill"


def extended(customer: Customer, span: Period) -> Period:
    """Return a period that goes on until the end of the customer's next one."""
    return Period(span.start, customer.period_from(span.end).end)
