"""The general ledger: the operator's summary of all customers, derived from their own ledgers.

By calendar month it holds, for every customer, one usage entry per slice (the part of a period
in one month), service and VAT code, dated the slice's last day that has usage; and every other
transaction and ``balance`` line as it stands in the customer's own ledger, with the base of VAT
(:mod:`a2ledger.journal.vat_bases`). Text in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from beancount.core import data

from a2ledger import accounts
from a2ledger.journal import period_file, syntax, vat_bases
from a2ledger.journal.period_file import PeriodFile, Usage
from a2ledger.journal.syntax import Block

_CUSTOMER = re.compile(r"Assets:Receivable:([^:\s]+):")
_POSTED = re.compile(
    rf"^(?:[ \t]+(?:[*!][ \t]+)?|\d{{4}}-\d\d-\d\d (?:open|balance) +){_CUSTOMER.pattern}",
    re.MULTILINE,
)  # where an account stands, not where a text only speaks of one


def blocks(file: PeriodFile, customer: str, currency: str) -> list[Block]:
    """Return what one period of a customer adds to the general ledger, by date."""
    taken = [block for block in file.above if block.kind in {"*", "!", "balance"}]
    late = [row for row in file.usage if row.late_from]
    entries = [
        period_file.usage_entry(row, customer, currency) for row in [*_slices(file.usage), *late]
    ]
    usage = [Block(entry.date.isoformat(), "*", syntax.formatted(entry)) for entry in entries]
    extended = vat_bases.with_bases([*taken, *usage, *file.closing], customer)
    spaced = (Block(date, kind, text.rstrip("\n") + "\n\n") for date, kind, text in extended)
    return sorted(spaced, key=_order)


def _slices(usage: Iterable[Usage]) -> Iterator[Usage]:
    def of_slice(row: Usage) -> tuple[int, int, str, str]:
        return (row.date.year, row.date.month, row.service, row.vat)

    own = sorted((row for row in usage if not row.late_from), key=of_slice)
    for (_, _, service, vat), rows in groupby(own, key=of_slice):
        days = list(rows)
        yield Usage(
            max(row.date for row in days),
            None,
            service,
            vat,
            sum(row.calls for row in days),
            sum(row.seconds for row in days),
            sum(row.micro for row in days),
            sum(row.pending_micro for row in days),
        )


def _order(block: Block) -> tuple[str, bool]:
    return (block.date, block.kind != "balance")


def customer_of(block: Block) -> str:
    """Return the part of account names that stands for the customer of a general-ledger block."""
    if match := _POSTED.search(block.text):
        return match[1]
    customer = block.meta.get("customer", "")
    return accounts.component(customer) if customer else ""


def split(text: str, customers: Iterable[str]) -> tuple[list[Block], list[Block]]:
    """Return the blocks of a month of the general ledger, those of some customers apart.

    Args:
        text: the month as it stands; empty for a new one.
        customers: ids whose blocks are the second list.
    """
    own = {accounts.component(customer) for customer in customers}
    parts: tuple[list[Block], list[Block]] = ([], [])
    for block in syntax.blocks(text):
        parts[customer_of(block) in own].append(block)
    return parts


def ordered(blocks: Iterable[Block]) -> str:
    """Return a month of the general ledger: its blocks by day and customer."""
    return syntax.joined(sorted(blocks, key=lambda block: (*_order(block), customer_of(block))))


def merged_opens(text: str, customers: Iterable[str], added: Iterable[data.Open]) -> str:
    """Return ``general/opens.beancount`` with the ``open`` entries of some customers replaced."""
    replaced = {accounts.component(customer) for customer in customers}
    kept = [block for block in syntax.blocks(text) if customer_of(block) not in replaced]
    new = [Block(str(entry.date), "open", syntax.formatted(entry)) for entry in added]
    # Unbilled, which bears the facts, stands before Billed.
    key = lambda block: (customer_of(block), ":Unbilled" not in block.text)  # noqa: E731
    return syntax.joined(sorted([*kept, *new], key=key))
