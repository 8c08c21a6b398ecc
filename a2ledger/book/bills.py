"""What stands on bills: ``[bill]`` of ``a2ledger.toml``."""

from __future__ import annotations

from dataclasses import dataclass

from a2ledger.book.toml_table import Table

REFERENCES = ("auto", "rf", "belgian", "number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bills:
    """What stands on a bill; ``reference`` is what payments are to bear."""

    reference: str = "auto"


def parsed(table: Table) -> Bills:
    """Parse ``[bill]``.

    Raises:
        ConfigError: naming the key and what is wrong with it.
    """
    default = Bills()
    bills = Bills(reference=table.choice("reference", REFERENCES, default.reference))
    table.finish()
    return bills
