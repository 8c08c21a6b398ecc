"""The tables that `import` reads: their columns and an example of each, for its help."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

from a2ledger.customers import columns as customer_columns
from a2ledger.fees import imports as fee_imports
from a2ledger.payments import columns, exchange_rate_columns
from a2ledger.sources import columns as call_columns
from a2ledger.sources.text import Header


class Table(NamedTuple):
    """A table: its header, what its columns mean, and an example."""

    header: Header
    about: str
    example: str


TABLES = {
    "calls": Table(
        Header(("id", "customer", "start", "called", "seconds"), call_columns.NEUTRAL),
        "Calls with their customer's id or number; columns of other names are mapped by --map.",
        "id,customer,start,called,seconds\nk1,C10001,2026-02-12 09:30:00,3225550199,125",
    ),
    "customers": Table(
        customer_columns.HEADER,
        "A row a customer; one that is there is changed from today on. identifiers are numbers and "
        "devices with commas between, in quotes.",
        "id,name,credit_limit,tariff,identifiers\n"
        'C10001,Ada NV,50.00,standard,"3225550101, ada-desk"',
    ),
    "payments": Table(
        columns.HEADERS["payment"],
        "Gross, as they arrived. reference may be an invoice's number. Without a customer they go "
        "into suspense.",
        "id,customer,date,amount,method,reference\np1,C10001,2026-02-12,20.04,bank,INV-2026-000001",
    ),
    "refills": Table(
        columns.HEADERS["refill"],
        "Credit of prepaid customers.",
        "id,customer,date,amount,method\nr1,C10002,2026-02-12,10.00,voucher",
    ),
    "charges": Table(
        columns.HEADERS["charge"],
        "What is charged once, net; service is one of [services].",
        "id,customer,date,amount,service,description\n"
        "c1,C10001,2026-02-12,49.00,One-off,Installation",
    ),
    "fees": Table(
        fee_imports.HEADER,
        "What recurs. amount is the price of each of quantity things; every is month, quarter or "
        "year, due advance or arrears.",
        "customer,service,amount,quantity,every,from,description\n"
        "C10001,DIDs,4.00,10,month,2026-03-01,Number block",
    ),
    "openings": Table(
        columns.HEADERS["opening"],
        "What customers owed when they came from another system: open invoices by number.",
        "id,customer,amount,number,date,due\no1,C10001,18.20,2025-114,2025-12-15,2026-01-14",
    ),
    "prices": Table(
        exchange_rate_columns.HEADER,
        "Of foreign currencies, in the book's.",
        "date,currency,price\n2026-02-12,USD,0.92",
    ),
}


def text(name: str) -> str:
    """Return what the help says of a table."""
    table = TABLES[name]
    more = [column for column in table.header.known if column not in table.header.required]
    columns_ = ", ".join(table.header.required) + (f" [{', '.join(more)}]" if more else "")
    lines = textwrap.wrap(f"{name}: {columns_}", 78, subsequent_indent="  ", break_on_hyphens=False)
    lines += textwrap.wrap(table.about, 78, initial_indent="  ", subsequent_indent="  ")
    lines += [f"    {line}" for line in table.example.splitlines()]
    return "\n".join(lines) + "\n"
