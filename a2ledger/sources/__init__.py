"""Sources: one module per dialect, with a function that reads a file into batches.

Adding a dialect needs an entry point in the group ``a2ledger.dialects`` and no other change::

    [project.entry-points."a2ledger.dialects"]
    myswitch = "mypackage.myswitch:read"

Beside ``read`` the module may say more:

- ``files(directory: Path) -> list[Path]``, which files of a directory are to be read, and in what
  order; without it, they are all files there;
- ``RULES: tuple[Rule, ...]``, which rows are calls where a source has no rules of its own; without
  it, all that were answered;
- ``resume(path: Path, source: Source, place: Place)``, of a log that grows: reads on from where an
  earlier reading ended;
- ``query(address: Address, source: Source, span: Span)``, of a table: reads a database;
- ``CHECKED = True``, where calls have a price that is to be compared with the book's own.

Dialects are ``asterisk``, ``asterisk_db``, ``calls`` and the packages ``freeswitch`` and ``text``;
``address`` and ``database`` reach databases. What they yield is a ``batch``; ``forms`` reads times
and lengths, ``columns``, ``footers``, ``answered``, ``directions`` and ``uris`` what providers
write, ``mapping`` remembers a map, ``local`` and ``usual_names`` read small tables of any country
whose columns have the names of its language. ``bookmarks`` know how far a log was read, ``runs``
and ``report`` what imports did. ``quarantine`` keeps refused rows, ``restore`` and ``retry`` bring
them back, ``dropped`` are out for good.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from a2ledger.book.source_config import Rule, Source
from a2ledger.sources.batch import FIELDS, Batch, Refused, UnusableInput

__all__ = [
    "FIELDS",
    "Batch",
    "Dialect",
    "Refused",
    "UnusableInput",
    "beside",
    "dialect",
    "dialects",
    "files",
    "present",
    "rules",
]

Dialect = Callable[[Path, Source], Iterator[Batch]]
"""A function that reads a file and yields at least one batch.

Raises:
    UnusableInput: if no row of the file can be trusted.
"""

GROUP = "a2ledger.dialects"

_BUILT_IN = {
    "a2billing": "a2ledger.a2billing.calls",
    "asterisk": "a2ledger.sources.asterisk",
    "asterisk-db": "a2ledger.sources.asterisk_db",
    "calls": "a2ledger.sources.calls",
    "freeswitch": "a2ledger.sources.freeswitch",
}
"""Modules of the built-in dialects, found even if the package is not installed."""


def dialect(name: str) -> Dialect:
    """Return the function that reads a dialect.

    Raises:
        KeyError: if there is no dialect of this name.
    """
    if name in _BUILT_IN:
        return cast("Dialect", importlib.import_module(_BUILT_IN[name]).read)
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        return cast("Dialect", entry.load())
    raise KeyError(name)


def dialects() -> list[str]:
    """Return the names of all dialects, built in or installed as extras."""
    return sorted({*_BUILT_IN, *_installed(tuple(sys.path))})


@functools.cache
def _installed(_path: tuple[str, ...]) -> frozenset[str]:
    """Return the names of installed dialects, cached because it reads every distribution."""
    return frozenset(importlib.metadata.entry_points(group=GROUP).names)


def beside(name: str, what: str) -> Any:
    """Return the attribute ``what`` of a dialect's module, or None if it has none."""
    return getattr(_module(name), what, None)


def files(name: str, directory: Path) -> list[Path]:
    """Return the files of a dialect in a directory, oldest first.

    Raises:
        KeyError: if there is no dialect of this name.
        UnusableInput: if the directory cannot be read or holds none.
    """
    own: Callable[[Path], list[Path]] = getattr(_module(name), "files", present)
    try:
        matching = own(directory)
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise UnusableInput(
            f"{directory}: {problem}", undone="nothing was imported", todo="check the path"
        ) from None
    if not matching:
        raise UnusableInput(
            f"{directory}: no file here is one of {name}",
            undone="nothing was imported",
            todo="name the files, or the directory they are in",
        )
    return matching


def present(directory: Path) -> list[Path]:
    """Return all files of a directory except hidden ones, in order of last change."""
    visible = [path for path in directory.iterdir() if path.is_file() and path.name[0] != "."]
    return sorted(visible, key=lambda path: (path.stat().st_mtime_ns, path.name))


def rules(name: str) -> tuple[Rule, ...]:
    """Return the rules for a source of this dialect that has none of its own.

    Raises:
        KeyError: if there is no dialect of this name.
    """
    own: tuple[Rule, ...] = getattr(_module(name), "RULES", (Rule(),))
    return own


def _module(name: str) -> ModuleType:
    return sys.modules[dialect(name).__module__]
