"""A2Billing's tables as CSV exports, with the columns that a test says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness import csv_text

from a2ledger.a2billing.access import Files


def exported(directory: Path, **tables: list[Mapping[str, object]]) -> Files:
    """Write tables, each row numbered unless it says its id, and return what reads them."""
    directory.mkdir(exist_ok=True)
    for name, rows in tables.items():
        numbered = [{"id": number, **row} for number, row in enumerate(rows, 1)]
        (directory / f"{name}.csv").write_text(csv_text(numbered))
    return Files(directory)
