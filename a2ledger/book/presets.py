"""Presets: ready-made settings of sources that many people have.

Each is a small TOML file in ``a2ledger/presets``: a ``title``, ``where`` the export is to be had,
and under ``[source]`` the keys of a source. One more file is one more preset; no code knows them.
"""

from __future__ import annotations

import difflib
import functools
import tomllib
from importlib import resources
from typing import Any, NamedTuple

from a2ledger.book.toml_table import ConfigError


class Preset(NamedTuple):
    """The settings of a well-known kind of source."""

    name: str
    title: str
    where: str
    source: dict[str, Any]


@functools.cache
def presets() -> dict[str, Preset]:
    """Return all presets by name, in the order of names."""
    files = resources.files("a2ledger").joinpath("presets").iterdir()
    by_name = {}
    for file in sorted(files, key=lambda file: file.name):
        name, dot, ending = file.name.rpartition(".")
        if dot and ending == "toml":
            values = tomllib.loads(file.read_text(encoding="utf-8"))
            by_name[name] = Preset(name, values["title"], values["where"], values["source"])
    return by_name


def text(name: str) -> str:
    """Return the text of a preset's file."""
    file = resources.files("a2ledger").joinpath("presets", f"{name}.toml")
    return file.read_text(encoding="utf-8")


def applied(values: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a source's settings, completed by those of the preset it is ``like``.

    Of ``columns`` each is taken by itself; every other key is the source's own where it is there.

    Args:
        values: the source's table.
        key: its path, for messages.

    Raises:
        ConfigError: if there is no such preset.
    """
    like = values.get("like", "")
    if not like or not isinstance(like, str):
        return values
    if like not in presets():
        near = difflib.get_close_matches(like, presets(), 1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{key}.like: {like!r} is none of {', '.join(presets())}{hint}")
    preset = presets()[like].source
    columns, own = preset.get("columns"), values.get("columns")
    merged = preset | values
    if isinstance(columns, dict) and isinstance(own, dict):
        merged["columns"] = columns | own
    return merged
