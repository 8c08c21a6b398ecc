"""The text of ``a2ledger.toml``, changed in one place and left alone everywhere else."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any


def quoted(text: str) -> str:
    """A text as TOML writes it.

    Raises:
        ValueError: if it cannot be written at all: half of a character.
    """
    text.encode()
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(values: Mapping[str, str]) -> str:
    """A table on one line; its keys are plain words."""
    return f"{{{', '.join(f'{key} = {quoted(value)}' for key, value in values.items())}}}"


def with_key(text: str, path: tuple[str, str], key: str, value: str, new: str = "") -> str:
    """The text with a key of a table set.

    Args:
        text: TOML that can be read.
        path: the names of the table: ``("sources", "pbx1")`` is ``[sources.pbx1]``.
        key: a plain word.
        value: as it is written.
        new: lines that a table which is not there yet begins with.

    Raises:
        ValueError: if the table is there, but written in another way than under its own head.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    line = f"{key} = {value}{end}"
    lines = text.splitlines(keepends=True)
    head = _head(lines, path)
    if head is None:
        if path[1] in tomllib.loads(text).get(path[0], {}):
            raise ValueError("it is not written under a head of its own")
        gap = "" if not text or text.endswith("\n") else end
        name = path[1] if re.fullmatch("[A-Za-z0-9_-]+", path[1]) else quoted(path[1])
        return f"{text}{gap}{end}[{path[0]}.{name}]{end}{new.replace(chr(10), end)}{line}"
    start, stop = _entry(lines, head, key)
    changed = "".join([*lines[:start], line, *lines[stop:]])
    if not _differ_only(text, changed, path, key):
        raise ValueError(f"{key} is not written on a line of its own")
    return changed


def _head(lines: list[str], path: tuple[str, str]) -> int | None:
    names = r"\s*\.\s*".join(f'(?:{re.escape(name)}|"{re.escape(name)}")' for name in path)
    pattern = re.compile(rf"\s*\[\s*{names}\s*\]\s*(#.*)?\s*")
    return next((place for place, line in enumerate(lines) if pattern.fullmatch(line)), None)


def _entry(lines: list[str], head: int, key: str) -> tuple[int, int]:
    """Where the lines of a key stand under a head, or where it may be put."""
    for start in range(head + 1, len(lines)):
        if re.match(r"\s*\[", lines[start]):
            break
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[start]):
            for stop in range(start + 1, len(lines) + 1):
                if _parsed("".join(lines[start:stop])) is not None:
                    return start, stop
    return head + 1, head + 1


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _differ_only(old: str, new: str, path: tuple[str, str], key: str) -> bool:
    before, after = _parsed(old), _parsed(new)
    for values in (before, after):
        if values is None:
            return False
        values[path[0]][path[1]].pop(key, None)
    return before == after
