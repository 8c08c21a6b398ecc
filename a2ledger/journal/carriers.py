"""What carriers are owed for customers' calls, per carrier and day.

Derived from the call detail: ``journals/carriers/NAME/opens.beancount`` opens the carrier's
accounts, ``journals/carriers/NAME/2026-01.beancount`` holds a month. Text in, text out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from beancount.core import data

from a2ledger import accounts
from a2ledger.journal import entries, period_file, syntax
from a2ledger.period import EPOCH, month_of


class Terminated(NamedTuple):
    """The calls that one carrier terminated on a day. ``micro`` is their purchase cost."""

    calls: int
    seconds: int
    micro: int
    currency: str


def _directory(carrier: str) -> str:
    """Return a carrier's directory: its name if a valid id, else its part of account names."""
    plain = accounts.is_customer_id(carrier) and not carrier.startswith("X-")
    return f"journals/carriers/{carrier if plain else accounts.component(carrier)}"


def opens_path(carrier: str) -> str:
    """Return the path of the ``open`` entries of a carrier's accounts."""
    return f"{_directory(carrier)}/opens.beancount"


def month_path(carrier: str, day: dt.date) -> str:
    """Return the path of a carrier's month."""
    return f"{_directory(carrier)}/{month_of(day)}.beancount"


def opens(carrier: str) -> str:
    """Return the text of a carrier's ``opens.beancount``."""
    names = (accounts.carrier(carrier), accounts.termination(carrier))
    meta = {"carrier": carrier}
    return "".join(syntax.formatted(data.Open(meta, EPOCH, name, [], None)) for name in names)


def merged(text: str, carrier: str, days: Mapping[dt.date, Sequence[Terminated]]) -> str:
    """Return a carrier's month with some days replaced, one entry per day and currency."""
    replaced = {str(day) for day in days}
    kept = [block for block in syntax.blocks(text) if block.date not in replaced]
    added = [
        syntax.Block(str(day), "*", syntax.formatted(_entry(day, carrier, row)))
        for day, rows in days.items()
        for row in sorted(rows, key=lambda row: row.currency)
    ]
    return syntax.joined(sorted([*kept, *added], key=lambda block: block.date))


def _entry(day: dt.date, carrier: str, row: Terminated) -> data.Transaction:
    return entries.transaction(
        day,
        syntax.plain(carrier),
        period_file.calls_text(row.calls, row.seconds),
        [
            entries.leg(accounts.termination(carrier), row.micro, row.currency),
            entries.leg(accounts.carrier(carrier), -row.micro, row.currency),
        ],
        meta={"calls": row.calls, "seconds": row.seconds},
    )
