"""Queries of a ledger, parsed before a process is forked: that takes a tenth of a second each."""

from __future__ import annotations

from a2ledger.journal import ledger


def parse() -> None:
    """Parse the queries that commands ask."""
    for query in (ledger.ACCOUNTS, ledger.BALANCES, ledger.PENDING, ledger.ROWS, ledger.TAXES):
        ledger._parsed(query)  # noqa: SLF001 - what it keeps is what saves the time
