"""Progress of long commands: one line, rewritten, for a person at a terminal.

What is counted may be anything: bytes of a file, customers, documents. Nothing is shown for the
first two seconds, for then it is not worth reading, and nothing at all where nobody looks.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Protocol

PATIENCE = 2.0
"""Seconds before a bar is shown."""
_EVERY = 0.2
_WIDTH = 24
_CLEAR = "\r\x1b[K"


class Progress(Protocol):
    """A receiver of progress."""

    def add(self, done: int, detail: str = "") -> None:
        """Report more work done, with ``detail`` shown beside the bar."""


class Silent:
    """A receiver that shows nothing."""

    def add(self, done: int, detail: str = "") -> None:
        """Show nothing."""


SILENT = Silent()


@contextlib.contextmanager
def silent(label: str, total: int = 0) -> Iterator[Progress]:
    """Yield a progress receiver that shows nothing."""
    del label, total
    yield SILENT


class Bar:
    """A progress bar on a terminal.

    Args:
        label: what is being done.
        total: how much there is to do, or 0 where that is not known.
        show: writes a text as it is.
        clock: seconds, from anywhere on.
    """

    def __init__(
        self,
        label: str,
        total: int,
        show: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._label, self._total, self._show, self._clock = label, total, show, clock
        self._began = self._drawn = clock()
        self._done = 0
        self._visible = False

    def add(self, done: int, detail: str = "") -> None:
        """Report more work done, and draw the bar at most five times a second."""
        self._done += done
        now = self._clock()
        if now - self._began < PATIENCE or now - self._drawn < _EVERY:
            return
        self._drawn, self._visible = now, True
        self._show(_CLEAR + self.line(now - self._began, detail))

    def line(self, seconds: float, detail: str = "") -> str:
        """Return the bar as a line of text, after so many seconds."""
        parts = [self._label]
        if self._total:
            share = min(self._done / self._total, 1.0)
            filled = int(share * _WIDTH)
            parts.append(f"[{'#' * filled}{'-' * (_WIDTH - filled)}] {share:4.0%}")
            if 0 < share < 1:
                remaining = seconds * (1 - share) / share
                parts.append(f"{_clock(remaining)} left")
        return "  ".join([*parts, detail or _clock(seconds)])

    def clear(self) -> None:
        """Clear the line, so that the next message has a line of its own."""
        if self._visible:
            self._show(_CLEAR)
            self._visible = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
