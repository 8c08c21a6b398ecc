"""Pages for the staff, in Fava: what a book's ``fava-extension`` line names.

Fava looks for its extensions among the classes of this module. Nothing else in the project
imports it but the command ``serve``, and only when it runs.

``server`` runs Fava behind ``guard`` and ``passwords``, with the ledgers of ``customer_ledgers``.
``pages``, ``customer_pages``, ``phone`` and ``price_changes`` are pages, on what ``page`` gives
all of them within Fava's ``frame``, made of ``customers``, ``customer_list``, ``helpdesk``,
``mailing``, ``revenue``, ``due``, ``suspense`` and ``desk``, within ``limits``. What the pages
keep of a book is ``known``, or ``kept``: a customer is one of its ``cards``; long tables come in
``parts``. ``clerk`` carries out what ``forms`` ask for, by the command line.
"""

from __future__ import annotations

from a2ledger.staff.customer_pages import Customers
from a2ledger.staff.pages import (
    A2Ledger,
    Ageing,
    Calls,
    Close,
    Home,
    Imports,
    Invoices,
    Payments,
    Revenue,
    Tariffs,
)
from a2ledger.staff.phone import Phone
from a2ledger.staff.price_changes import PriceChanges

__all__ = [
    "A2Ledger",
    "Ageing",
    "Calls",
    "Close",
    "Customers",
    "Home",
    "Imports",
    "Invoices",
    "Payments",
    "Phone",
    "PriceChanges",
    "Revenue",
    "Tariffs",
]
