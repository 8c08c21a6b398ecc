"""What takes long to add up, kept for a state of the book and made anew beside the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from a2ledger.book.book import Book
from a2ledger.errors import ExpectedError

Value = TypeVar("Value")

_PATIENCE_SECONDS = 0.15
"""How long a request waits for what is being made; a small book needs less."""


class Kept(Generic[Value]):
    """A value made of a book. What was made of an older state is shown until the new one is there.

    ``make`` runs in a thread of its own, one at a time.
    """

    def __init__(self, make: Callable[[Book], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._of: Book | None = None
        self._value: Value | None = None
        self._thread: threading.Thread | None = None

    def get(self, book: Book) -> tuple[Value | None, bool]:
        """Return the value, if there is any yet, and whether it is of this state of the book."""
        with self._lock:
            if self._of is book:
                return self._value, True
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, args=(book,), daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(_PATIENCE_SECONDS)
        with self._lock:
            return self._value, self._of is book

    def _work(self, book: Book) -> None:
        try:
            value = self._make(book)
        except (ExpectedError, OSError):
            return  # the pages that read the book themselves say what is wrong with it
        with self._lock:
            self._of, self._value = book, value
