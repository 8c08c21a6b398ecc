"""Sources: one module a dialect, each a function that reads a file into batches.

Adding a dialect needs an entry point in the group ``a2ledger.dialects`` and no other change::

    [project.entry-points."a2ledger.dialects"]
    myswitch = "mypackage.myswitch:read"
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from a2ledger.config import Source
from a2ledger.feed import FIELDS, Batch, Refused, UnusableInput

__all__ = ["FIELDS", "Batch", "Dialect", "Refused", "UnusableInput", "dialect", "dialects"]

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
