"""The desk: what the pages need to know beside the ledger that Fava has loaded.

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
from a2ledger.staff.helpdesk import Known

KEY = "A2LEDGER"
"""Where the application keeps its desk."""
USER = "a2ledger.user"
"""Where a request bears the name of who sent it."""


def root_of(journal: Path) -> Path | None:
    """The book a journal belongs to; None where its configuration is not there."""
    parents = journal.resolve().parents
    return next((parent for parent in parents if (parent / CONFIG).is_file()), None)


@dataclass(kw_only=True)
class Desk:
    """A book, the day it is, and whom to give work to."""

    root: Path
    today: Callable[[Book], dt.date]
    clerk: Clerk | None = None
    """Who writes; None where nobody may."""
    home: str = ""
    """Where the operator's ledger is found in Fava."""
    customers_at: str = ""
    """Where customers' own ledgers are: begins their names; empty where they are not served."""
    known: Known = field(default_factory=Known)
    """What is kept of the book that takes long to add up."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: tuple[tuple[int, int], Book] | None = None

    def book(self) -> Book:
        """The book as it stands: what was read of it is kept until it is published to again."""
        state = (Vault(self.root).generation(), (self.root / CONFIG).stat().st_mtime_ns)
        with self._lock:
            if self._kept is None or self._kept[0] != state:
                self._kept = (state, Book(self.root))
            return self._kept[1]

    def token(self, user: str) -> str:
        """What a request to write must bear: a page of ours knows it, another site's does not."""
        return hmac.new(self.secret, user.encode(), hashlib.sha256).hexdigest()

    def knows(self, token: str, user: str) -> bool:
        """Whether a token is the user's."""
        return hmac.compare_digest(token.encode(), self.token(user).encode())
