"""The desk: what pages need besides the ledger that Fava has loaded.

A page reads the book through it, by the same steps as the commands do. It never writes: what a
person asks for is done by the command line, in a process of its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from a2ledger.book.book import CONFIG, Book
from a2ledger.book.transaction import Vault
from a2ledger.staff.clerk import Clerk
from a2ledger.staff.known import Known

KEY = "A2LEDGER"
"""Key of the desk in the application's configuration."""
USER = "a2ledger.user"
"""Key of the user's name in a request's environment."""


def root_of(journal: Path) -> Path | None:
    """Return the root of the book a journal belongs to, or None if it has no configuration."""
    parents = journal.resolve().parents
    return next((parent for parent in parents if (parent / CONFIG).is_file()), None)


@dataclass(kw_only=True)
class Desk:
    """A book, today's date, and the clerk that carries out requests."""

    root: Path
    today: Callable[[Book], dt.date]
    clerk: Clerk | None = None
    """Carries out requests to write, or None if nobody may write."""
    home: str = ""
    """URL of the operator's ledger in Fava."""
    customers_at: str = ""
    """URL prefix of customers' own ledgers, empty if they are not served."""
    known: Known = field(default_factory=Known)
    """What is kept of the book that takes long to add up."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: tuple[tuple[int, int], Book] | None = None

    def book(self) -> Book:
        """Return the current book, cached until the next publish."""
        state = (Vault(self.root).generation(), (self.root / CONFIG).stat().st_mtime_ns)
        with self._lock:
            if self._kept is None or self._kept[0] != state:
                self._kept = (state, Book(self.root))
            return self._kept[1]

    def token(self, user: str) -> str:
        """Return the token of requests to write, which only our own pages know."""
        return hmac.new(self.secret, user.encode(), hashlib.sha256).hexdigest()

    def knows(self, token: str, user: str) -> bool:
        """Return True if a token is the user's."""
        return hmac.compare_digest(token.encode(), self.token(user).encode())
