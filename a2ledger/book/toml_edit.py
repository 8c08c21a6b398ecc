"""Edit the text of ``a2ledger.toml`` in one table, keeping everything else."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from a2ledger.book.book import CONFIG, RefusedError

if TYPE_CHECKING:
    from tomlkit.items import Item

Value = str | Mapping[str, str]
"""A value to write: a text, or a table of texts by plain words on one line."""


def quoted(value: Value) -> str:
    """Format a value as TOML.

    Raises:
        ValueError: if it cannot be written at all: half of a character.
    """
    return _item(value).as_string()


def with_keys(
    text: str,
    path: tuple[str, str],
    values: Mapping[str, Value],
    new: Mapping[str, Value] | None = None,
) -> str:
    """Return a text with keys of a table set.

    Args:
        text: TOML that can be read.
        path: the names of the table: ``("sources", "pbx1")`` is ``[sources.pbx1]``.
        values: what it is to hold, by key.
        new: what it holds before that if it is not there yet.

    Raises:
        RefusedError: if a value cannot be written, or the table not changed by itself.
    """
    import tomlkit  # noqa: PLC0415 - few commands write configuration

    wanted = tomllib.loads(text)
    known = wanted.setdefault(path[0], {})
    values = values if path[1] in known else {**(new or {}), **values}
    known.setdefault(path[1], {}).update(values)
    end = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    document = tomlkit.parse(text)
    if path[0] not in document:
        document[path[0]] = tomlkit.table(is_super_table=True)
    parent: Any = document[path[0]]
    if is_new := path[1] not in parent:
        parent[path[1]] = tomlkit.table()
    place = f"{CONFIG}: {'.'.join(path)}"
    try:
        items = {key: _item(value) for key, value in values.items()}
    except ValueError:
        raise RefusedError(f"{place}: half of a character cannot be written") from None
    for key, item in items.items():
        parent[path[1]][key] = item
    changed = tomlkit.dumps(document)
    if is_new:
        changed = _apart(text, changed)
    changed = changed.replace("\n", end)
    # Tables may be written in more ways than tomlkit keeps apart: nothing else may have changed.
    if _read(changed) != wanted:
        lines = ", ".join(f"{key} = {item.as_string()}" for key, item in items.items())
        raise RefusedError(
            f"{place}: is written in a way that cannot be changed by itself",
            todo=f"write {lines} there",
        )
    return changed


def _apart(before: str, after: str) -> str:
    """Return the text after a table was put in, with a blank line on either side of it."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
    table = new[start : start + len(new) - len(old)]
    if [*old[:start], *table, *old[start:]] != new:
        return after
    lead = ["\n"] if start and old[start - 1].strip() and table[0].strip() else []
    gap = ["\n"] if old[start:] and table[-1].strip() else []
    return "".join([*old[:start], *lead, *table, *gap, *old[start:]])


def _item(value: Value) -> Item:
    import tomlkit  # noqa: PLC0415

    if isinstance(value, str):
        value.encode()
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    for key, text in value.items():
        table[key] = _item(text)
    return table


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
