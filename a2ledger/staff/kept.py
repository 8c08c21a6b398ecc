"""What takes long to add up, kept for a state of the book and made anew beside the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from a2ledger.errors import ExpectedError

State = TypeVar("State")
Value = TypeVar("Value")

PATIENCE_SECONDS = 0.15
"""How long a request waits for what is being made; a small book needs less."""


class Kept(Generic[State, Value]):
    """A value made of a state, such as a book on a day.

    What was made of an older state is shown until the new one is there. ``make`` runs in a thread
    of its own, one at a time.
    """

    def __init__(self, make: Callable[[State], Value]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._of: State | None = None
        self._value: Value | None = None
        self._problem: ExpectedError | None = None
        self._thread: threading.Thread | None = None

    def get(self, state: State, patience: float = PATIENCE_SECONDS) -> tuple[Value | None, bool]:
        """Return the value, if there is any yet, and whether it is of this state.

        Args:
            state: of which it is wanted.
            patience: seconds to wait for it.

        Raises:
            ExpectedError: if it cannot be made of this state.
        """
        with self._lock:
            if self._of != state and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, args=(state,), daemon=True)
                self._thread.start()
            thread = self._thread
        if thread and self._of != state:
            thread.join(patience)
        with self._lock:
            if self._of == state and self._problem:
                self._of = None  # it may be mended by hand at any time
                raise self._problem
            return self._value, self._of == state

    def forget(self) -> None:
        """Make the value once more when it is next asked for."""
        with self._lock:
            self._of = None

    def _work(self, state: State) -> None:
        value, problem = None, None
        try:
            value = self._make(state)
        except ExpectedError as error:
            problem = error
        except OSError as error:
            problem = ExpectedError(f"{error.filename}: {error.strerror}")
        with self._lock:
            self._of, self._problem = state, problem
            self._value = self._value if problem else value
