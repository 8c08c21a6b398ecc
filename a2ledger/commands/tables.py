"""Tables of a command's output: columns aligned, amounts at their right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from wcwidth import wcswidth


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
    widths = {name: max(_width(text[name]) for text in texts) for name in columns}
    for text in texts:
        cells = (_padded(text[name], widths[name], right=name in right) for name in columns)
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    return max(wcswidth(text), 0) or len(text)


def _padded(text: str, width: int, *, right: bool) -> str:
    gap = " " * (width - _width(text))
    return gap + text if right else text + gap
