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
"""What a customer's own accounts begin with; his own ledger opens them."""
TAXES = "Liabilities:VAT"
"""What every account of VAT begins with, pending or owed."""
OWED = "Liabilities:VAT:"
"""VAT that is due."""
NOT_DUE = "Liabilities:VAT-Not-Due:"
"""VAT that was billed, and whose tax point is to come."""
PENDING = "Liabilities:VAT-Pending:"

NOBODY = "suspense"
"""How money that is no customer's is named on the command line; no customer may be."""

_PLAIN = re.compile(r"(?!X-)[A-Z0-9][A-Za-z0-9-]*", re.ASCII)
_CUSTOMER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}", re.ASCII)


def component(name: str) -> str:
    """A name as a part of an account.

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
    """Return the name that :func:`component` made a part of an account.

    >>> [name_of(component(name)) for name in ("C10001", "a-b", "X-1", "Ünï")]
    ['C10001', 'a-b', 'X-1', 'Ünï']
    """
    if _PLAIN.fullmatch(component):
        return component
    parts = re.split(r"-([0-9a-f]{2})", component.removeprefix("X-"))
    found = b"".join(
        bytes.fromhex(part) if place % 2 else part.encode() for place, part in enumerate(parts)
    )
    return found.decode(errors="replace")


def is_customer_id(text: str) -> bool:
    """Whether a text may be a customer's id."""
    return _CUSTOMER_ID.fullmatch(text) is not None


def unbilled(customer: str) -> str:
    """What a customer owes for the open period."""
    return f"{RECEIVABLE}{component(customer)}:Unbilled"


def billed(customer: str) -> str:
    """What a customer owes on closed invoices, less payments and refills."""
    return f"{RECEIVABLE}{component(customer)}:Billed"


def deposits(customer: str) -> str:
    """Security a customer has given; no part of what he owes."""
    return f"{DEPOSITS}{component(customer)}"


def income(service: str) -> str:
    """What a service earns."""
    return f"Income:{component(service)}"


def vat(code: str) -> str:
    """VAT owed under a code."""
    return f"{OWED}{component(code)}"


def not_due(code: str) -> str:
    """VAT billed under a code that is not due yet."""
    return f"{NOT_DUE}{component(code)}"


def pending(code: str) -> str:
    """VAT under a code inside what is used but not billed yet."""
    return f"{PENDING}{component(code)}"


def gateway(name: str) -> str:
    """Money held by a payment gateway."""
    return f"Assets:Gateway:{component(name)}"


def termination(carrier: str) -> str:
    """What a carrier's calls cost."""
    return f"Expenses:Termination:{component(carrier)}"


def carrier(name: str) -> str:
    """What a carrier is owed."""
    return f"Liabilities:Carriers:{component(name)}"
