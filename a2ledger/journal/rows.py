"""Rows of a customer's ledger, as a bill reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Row(NamedTuple):
    """One posting to a customer's account, as a query of the ledger returns it."""

    date: dt.date
    billed: bool
    """True on Billed, false on Unbilled."""
    payee: str
    narration: str
    micro: int
    vat: str
    calls: int | None
    seconds: int | None
    late_from: dt.date | None
    link: str
    tags: frozenset[str]
    pending_micro: int = 0
    """The VAT inside the amount that is not owed until it is billed."""
    file: str = ""
    lineno: int = 0
    """The line at which its entry stands in ``file``."""
    first: dt.date | None = None
    """The first and ``last`` day it is for, where the entry says so."""
    last: dt.date | None = None
    voided: bool = False
    """True if it was struck out: the statement shows it, and it is billed under no VAT code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """The balances a period starts with."""

    billed_micro: int = 0
    unbilled_micro: int = 0
    """The fractions of a cent that earlier closes left."""
    cumulative_micro: Mapping[str, int] = field(default_factory=dict)
    """The sum of all ever posted to Unbilled, by VAT code."""
