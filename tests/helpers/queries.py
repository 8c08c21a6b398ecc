"""Queries of a ledger, read before a process is forked: that takes a while each."""

from __future__ import annotations

from a2ledger.journal import queries


def parse() -> None:
    """Read the queries that commands ask."""
    for query in (queries.ACCOUNTS, queries.BALANCES, queries.PENDING, queries.ROWS, queries.TAXES):
        queries.parsed(query)
