"""What Fava's frame around every page is told of a ledger: no more than a browser can use.

Fava writes every account with its details into every page, and the names it could complete. Of ten
thousand customers that is eight megabytes a page, so of a large book those of customers are left
out: they have pages of their own, and a search over everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from fava.context import g
from fava.core.accounts import AccountDict
from fava.internal_api import LedgerData, get_ledger_data
from fava.json_api import json_success
from flask import Flask, Response

from a2ledger import accounts

MOST_ACCOUNTS = 250
"""Accounts up to which all are told."""
_MOST_NAMES = 250
_MOST_FILES = 250
_MOST_ERRORS = 100


def frame_data() -> LedgerData:
    """Return what the frame is told of the ledger that is asked for."""
    told = get_ledger_data()
    told = replace(
        told,
        errors=told.errors[:_MOST_ERRORS],
        links=told.links[:_MOST_NAMES],
        payees=told.payees[:_MOST_NAMES],
        options={name: _few(value) for name, value in told.options.items()},
    )
    if len(told.accounts) <= MOST_ACCOUNTS:
        return told
    kept = [name for name in told.accounts if not name.startswith(accounts.OWN)][:MOST_ACCOUNTS]
    details = g.ledger.accounts
    return replace(
        told,
        accounts=kept,
        account_details=cast("AccountDict", {name: details[name] for name in kept}),
    )


def _few(value: str | Sequence[str]) -> str | Sequence[str]:
    return value if isinstance(value, str) else value[:_MOST_FILES]


def install(app: Flask) -> None:
    """Let an application tell its frame no more than :func:`frame_data`."""
    app.add_template_global(frame_data, "get_ledger_data")

    def answer() -> Response:
        return json_success(frame_data())

    app.view_functions["json_api.get_ledger_data"] = answer
