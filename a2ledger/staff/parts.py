"""A page of many rows, and the way to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Value = TypeVar("Value")

PAGE = 50
"""Rows of a page."""


def part_of(
    rows: Sequence[Value], first: int, show: Callable[[Value], dict[str, Any]], most: int = PAGE
) -> dict[str, Any]:
    """Return a page of some rows, as a template needs them, with the way to other pages."""
    first = max(0, min(first, max(0, len(rows) - 1)))
    first -= first % most
    shown = [show(row) for row in rows[first : first + most]]
    last = first + len(shown)
    return {
        "rows": shown,
        "count": len(rows),
        "first": first + 1 if shown else 0,
        "last": last,
        "before": max(0, first - most) if first else None,
        "after": last if last < len(rows) else None,
    }
