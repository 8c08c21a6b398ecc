"""Whose book it is: one of another user's is read and written only by who says so.

Whoever may write a book decides what its journals, configuration and templates say. Nothing of
that is ever run; all the same nobody should work on a stranger's book without knowing it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from a2ledger.errors import ExpectedError

_OWNED = ("", "a2ledger.toml", ".git", "journals")
"""What of a book tells whose it is."""


class NotTrustedError(ExpectedError):
    """The book is another user's, and nobody has said that this is right."""


def check(root: Path, *, trusted: bool = False) -> None:
    """Make sure that a book is the user's own, or one they trust.

    Args:
        root: of the book.
        trusted: whether the user has said so for this run.

    Raises:
        NotTrustedError: if it is not.
    """
    if trusted:
        return
    me = os.geteuid()
    own = {me, int(os.environ.get("SUDO_UID", me))} if me == 0 else {me}
    for name in _OWNED:
        try:
            owner = (root / name).stat().st_uid
        except OSError:
            continue
        if owner not in own and not _is_listed(root):
            raise NotTrustedError(
                f"{root / name}: belongs to the user {owner}, not to you ({me})",
                todo=f"say --trust-book, or name {root.resolve()} under [trust] in {settings()}",
            )


def settings() -> Path:
    """Return where the user's own configuration stands."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "a2ledger/config.toml"


def _is_listed(root: Path) -> bool:
    """Return whether the user's own configuration names a book, or all of them (``"*"``)."""
    try:
        about = settings().stat()
        if about.st_uid not in {os.geteuid(), 0}:
            return False
        table = tomllib.loads(settings().read_text("utf-8")).get("trust", {})
    except (OSError, ValueError, RuntimeError):
        return False
    books = table.get("books", []) if isinstance(table, dict) else []
    named = [Path(one).expanduser() for one in books if isinstance(one, str)]
    return "*" in books or root.resolve() in [one.resolve() for one in named]
