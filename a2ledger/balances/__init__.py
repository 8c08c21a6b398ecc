"""Balances: who owes what, since when, and whether the books are sound.

``balances`` asks the ledger, ``statement`` lists an account like a bank, ``ageing`` says what is
open of each document, ``invoices`` lists documents and payments with their status, ``find``
searches everything, ``check`` tells whether the books are sound.
"""

from __future__ import annotations
