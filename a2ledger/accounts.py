"""The chart of accounts: every account name, and the sign rule.

Customers' accounts are receivables. A debit (positive) means *the customer owes*; a credit
balance means *the customer has money*. ``Unbilled`` holds what was used since the last close,
``Billed`` the invoices less payments and refills; a customer *owes* the sum of both.

A variable part (customer, carrier, service, VAT code, gateway) stands as it is where
Beancount allows it, else as ``X-`` and the name with every character but letters and digits
written ``-hh`` in hex, so that no two names share an account.
"""

from __future__ import annotations

import re

BANK = "Assets:Bank"
CASH = "Assets:Cash"
REFILLS = "Assets:Clearing:Refills"
VOUCHERS = "Liabilities:Vouchers"
DEFERRED = "Liabilities:Deferred-Income"
UNMATCHED = "Liabilities:Suspense:Unmatched"
GOODWILL = "Expenses:Goodwill"
BAD_DEBT = "Expenses:Bad-Debt"
OPENING = "Equity:Opening-Balances"
ROUNDING = "Income:Rounding"
CORRECTIONS = "Income:Corrections"
CONVERSION = "Equity:Conversion"

RECEIVABLE = "Assets:Receivable:"
DEPOSITS = "Liabilities:Deposits:"
OWN = (RECEIVABLE, DEPOSITS)
"""Beginnings of a customer's own accounts. The customer's own ledger opens them."""
TAXES = "Liabilities:VAT"
"""Beginning of all VAT accounts, pending or owed."""
OWED = "Liabilities:VAT:"
"""Accounts of VAT that is due."""
NOT_DUE = "Liabilities:VAT-Not-Due:"
"""Accounts of VAT that is billed but not yet due."""
PENDING = "Liabilities:VAT-Pending:"

NOBODY = "suspense"
"""The name on the command line for money of no customer. No customer may have it."""

_PLAIN = re.compile(r"(?!X-)[A-Z0-9][A-Za-z0-9-]*", re.ASCII)
_CUSTOMER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}", re.ASCII)


def component(name: str) -> str:
    """Return a name in the form it has as a part of an account.

    >>> component("C10001"), component("cust1"), component("a-b"), component("X-1")
    ('C10001', 'X-cust1', 'X-a-2db', 'X-X-2d1')
    """
    if _PLAIN.fullmatch(name):
        return name
    escaped = (
        character
        if character.isascii() and character.isalnum()
        else "".join(f"-{byte:02x}" for byte in character.encode())
        for character in name
    )
    return "X-" + "".join(escaped)


def name_of(component: str) -> str:
    """Return the name that :func:`component` turned into a part of an account.

    >>> [name_of(component(name)) for name in ("C10001", "a-b", "X-1", "Ünï")]
    ['C10001', 'a-b', 'X-1', 'Ünï']
    """
    if _PLAIN.fullmatch(component):
        return component
    parts = re.split(r"-([0-9a-f]{2})", component.removeprefix("X-"))
    decoded = b"".join(
        bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(parts)
    )
    return decoded.decode(errors="replace")


def is_customer_id(text: str) -> bool:
    """Return whether a text is a valid customer id."""
    return _CUSTOMER_ID.fullmatch(text) is not None


def unbilled(customer: str) -> str:
    """Return the account of what a customer owes for the open period."""
    return f"{RECEIVABLE}{component(customer)}:Unbilled"


def billed(customer: str) -> str:
    """Return the account of closed invoices, less payments and refills."""
    return f"{RECEIVABLE}{component(customer)}:Billed"


def deposits(customer: str) -> str:
    """Return the account of a customer's deposits, which are no part of what is owed."""
    return f"{DEPOSITS}{component(customer)}"


def income(service: str) -> str:
    """Return the account of a service's income."""
    return f"Income:{component(service)}"


def vat(code: str) -> str:
    """Return the account of VAT owed under a code."""
    return f"{OWED}{component(code)}"


def not_due(code: str) -> str:
    """Return the account of VAT billed under a code but not yet due."""
    return f"{NOT_DUE}{component(code)}"


def pending(code: str) -> str:
    """Return the account of VAT inside usage that is not billed yet."""
    return f"{PENDING}{component(code)}"


def gateway(name: str) -> str:
    """Return the account of money held by a payment gateway."""
    return f"Assets:Gateway:{component(name)}"


def termination(carrier: str) -> str:
    """Return the account of what a carrier's calls cost."""
    return f"Expenses:Termination:{component(carrier)}"


def carrier(name: str) -> str:
    """Return the account of what a carrier is owed."""
    return f"Liabilities:Carriers:{component(name)}"
