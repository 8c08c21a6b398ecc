"""Tables of a command's output: columns aligned, amounts at their right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from a2ledger.documents.columns import columns as width_of
from a2ledger.documents.columns import padded


def table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    right: Sequence[str] = (),
    heads: Mapping[str, str] | None = None,
) -> None:
    """Print rows under the names of their columns; nothing where there are none."""
    if not rows:
        return
    names = {name: (heads or {}).get(name, name.replace("_", " ")) for name in columns}
    texts = [
        names,
        *({name: "" if row[name] is None else str(row[name]) for name in columns} for row in rows),
    ]
    widths = {name: max(width_of(text[name]) for text in texts) for name in columns}
    for text in texts:
        cells = (padded(text[name], widths[name], right=name in right) for name in columns)
        click.echo("  ".join(cells).rstrip())
