"""Every file of a book and its content."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

UNCOUNTED = (".git", ".a2ledger", "imports.csv")
"""What of a book a second run may change: git's own, the program's state, the run's line."""


def tree(root: Path, *, without: Iterable[str] = UNCOUNTED) -> dict[str, bytes]:
    """Every file of a book and its content, but what is left out at its top."""
    names, top = set(without), str(root)
    files: dict[str, bytes] = {}
    for place, directories, present in os.walk(top):
        if place == top:
            directories[:] = [name for name in directories if name not in names]
        for name in present:
            if place == top and name in names:
                continue
            path = f"{place}/{name}"
            with open(path, "rb") as file:  # noqa: PTH123 - a Path for each is half the time
                files[path[len(top) + 1 :]] = file.read()
    return dict(sorted(files.items()))
