"""Importers by kind of rows, for `import` and `quarantine retry`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from a2ledger.book.book import Draft
from a2ledger.calls import imports as call_imports
from a2ledger.customers import register
from a2ledger.fees import imports as fee_imports
from a2ledger.payments import import_exchange_rates
from a2ledger.payments import imports as money_imports
from a2ledger.sources.report import Report
from a2ledger.sources.retry import Importers


def _customers(draft: Draft, _: str, paths: list[Path], __: Collection[str] = ()) -> Report:
    return register.import_customers(draft, paths)


def _prices(draft: Draft, _: str, paths: list[Path], __: Collection[str] = ()) -> Report:
    return import_exchange_rates.import_prices(draft, paths)


def _fees(draft: Draft, _: str, paths: list[Path], __: Collection[str] = ()) -> Report:
    return fee_imports.import_fees(draft, paths)


IMPORTERS = Importers(
    lists={
        "customers": _customers,
        "prices": _prices,
        "fees": _fees,
        **dict.fromkeys(money_imports.KINDS, money_imports.import_movements),
    },
    calls=call_imports.import_again,
)
