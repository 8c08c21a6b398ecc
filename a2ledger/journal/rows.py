"""Rows of a customer's ledger, as a bill reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Row(NamedTuple):
    """One posting to a customer's account, as a query over his ledger gives it."""

    date: dt.date
    billed: bool
    """Whether it is on Billed; else on Unbilled."""
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
    """VAT inside it that waits until it is billed."""
    file: str = ""
    lineno: int = 0
    """Where its entry stands."""
    first: dt.date | None = None
    """The first day it is for, where it says so, and the last."""
    last: dt.date | None = None
    voided: bool = False
    """Whether it was struck out: then it is told on the statement, and billed under no code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What a period starts with."""

    billed_micro: int = 0
    unbilled_micro: int = 0
    """The fractions that earlier closes left."""
    cumulative_micro: Mapping[str, int] = field(default_factory=dict)
    """By VAT code, everything ever posted to Unbilled."""
