"""Sources: one module a dialect, each a function that reads a file into batches.

Adding a dialect needs an entry point in the group ``a2ledger.dialects`` and no other change::

    [project.entry-points."a2ledger.dialects"]
    myswitch = "mypackage.myswitch:read"

A module whose switch leaves a directory of files may say which of them are to be read, and in
what order, with a function ``files(directory: Path) -> list[Path]`` beside ``read``; without
one, they are all files there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from a2ledger.config import Source
from a2ledger.feed import FIELDS, Batch, Refused, UnusableInput

__all__ = [
    "FIELDS",
    "Batch",
    "Dialect",
    "Refused",
    "UnusableInput",
    "dialect",
    "dialects",
    "files",
    "present",
]

Dialect = Callable[[Path, Source], Iterator[Batch]]
"""Reads a file; yields at least one batch.

Raises:
    UnusableInput: if no row of the file can be trusted.
"""

GROUP = "a2ledger.dialects"

_BUILT_IN = {
    "asterisk": "a2ledger.sources.asterisk",
    "calls": "a2ledger.sources.calls",
}
"""Modules that are there even where the package is run without being installed."""


def dialect(name: str) -> Dialect:
    """The function that reads a dialect.

    Raises:
        KeyError: if there is no dialect of this name.
    """
    if name in _BUILT_IN:
        return cast("Dialect", importlib.import_module(_BUILT_IN[name]).read)
    for entry in importlib.metadata.entry_points(group=GROUP, name=name):
        return cast("Dialect", entry.load())
    raise KeyError(name)


def dialects() -> list[str]:
    """Names of all dialects, built in or installed beside."""
    installed = importlib.metadata.entry_points(group=GROUP)
    return sorted({*_BUILT_IN, *(entry.name for entry in installed)})


def files(name: str, directory: Path) -> list[Path]:
    """The files of a dialect in a directory, oldest first.

    Raises:
        KeyError: if there is no dialect of this name.
        UnusableInput: if the directory cannot be read or holds none.
    """
    module = sys.modules[dialect(name).__module__]
    own: Callable[[Path], list[Path]] = getattr(module, "files", present)
    try:
        found = own(directory)
    except OSError as error:
        what = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise UnusableInput(f"{directory}: {what}; nothing was imported; check the path") from None
    if not found:
        raise UnusableInput(
            f"{directory}: no file here is one of {name}; nothing was imported; "
            "name the files, or the directory they are in"
        )
    return found


def present(directory: Path) -> list[Path]:
    """All files in a directory but hidden ones, those last written to last."""
    found = [path for path in directory.iterdir() if path.is_file() and path.name[0] != "."]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
