"""Bookmarks: how far logs have been read, so that the next import continues there.

A cache: it may be deleted at any time, and whatever does not fit any more is read from its
beginning. A bookmark belongs to a file whatever its name, so that a rotated one is known by its
device and inode; and it holds only while the file begins as it did, the book still has all that
it had, and nothing has changed that decides what a row becomes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from a2ledger.book.disk import fsync, write
from a2ledger.sources.batch import Place

WORTH = 1 << 20
"""Least size in bytes of a file that gets a bookmark. Reading a smaller one again is cheap, and
reports that nothing is new.
"""

_SAMPLE = 1 << 16
_MOST = 1000


class Bound(NamedTuple):
    """All that bookmarks depend on besides their files."""

    deciding: str
    """The settings that decide what becomes of a row, as text."""
    imports: bytes
    """The book's ``imports.csv``, to which later imports only append."""
    has_quarantine: bool


def load(file: Path, bound: Bound) -> dict[str, Place]:
    """Load a source's bookmarks by their files' marks, empty if the book has changed otherwise."""
    try:
        kept = json.loads(file.read_text())
        length, digest = kept["imports"]
        holds = (
            kept["deciding"] == _digest(bound.deciding.encode())
            and len(bound.imports) >= length
            and digest == _digest(bound.imports[:length])
            and kept["quarantine"] <= bound.has_quarantine
        )
        return {mark: Place(*place) for mark, place in kept["places"].items()} if holds else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def keep(file: Path, bound: Bound, places: Mapping[str, Place]) -> None:
    """Store the bookmarks of a source, or none at all on an error."""
    kept = {
        "deciding": _digest(bound.deciding.encode()),
        "imports": [len(bound.imports), _digest(bound.imports)],
        "quarantine": bound.has_quarantine,
        "places": dict(list(places.items())[-_MOST:]),
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file.with_suffix(".tmp"), json.dumps(kept).encode())
        file.with_suffix(".tmp").replace(file)
        fsync(file.parent)
    except OSError:  # a full or read-only disk: the next run reads everything
        return


def find(path: Path, places: Mapping[str, Place]) -> Place | None:
    """Return where an earlier reading of a file ended, or None if it is another or was changed."""
    try:
        about = path.stat()
        for name, place in places.items():
            if owner(name) == f"{about.st_dev}:{about.st_ino}" and place.offset <= about.st_size:
                return place if mark(path, place) == name else None
    except OSError:
        pass
    return None


def owner(name: str) -> str:
    """Return device and inode of a marked file."""
    return name.rpartition(":")[0]


def mark(path: Path, place: Place) -> str:
    """Return a file's mark: device, inode, and a digest of what precedes a place.

    Of a long file the digest covers the beginning and the end of it: reading two gigabytes to
    find that an hour is new would cost the two gigabytes.
    """
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(min(_SAMPLE, place.offset)))
        file.seek(max(0, place.offset - _SAMPLE))
        digest.update(file.read(min(_SAMPLE, place.offset)))
    return f"{about.st_dev}:{about.st_ino}:{digest.hexdigest()}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
