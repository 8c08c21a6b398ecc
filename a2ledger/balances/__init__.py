"""Balances: who owes what, since when, and whether the books are sound."""

from __future__ import annotations
