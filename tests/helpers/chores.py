"""Work that other processes do for tests: they load it by its name."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from a2ledger.book.book import BrokenBookError
from a2ledger.records import Problem


def doubled(numbers: list[int]) -> list[int]:
    """Each number twice."""
    return [2 * number for number in numbers]


def process_of(_number: int) -> int:
    """The process that is asked."""
    return os.getpid()


def broken(numbers: list[int]) -> None:
    """Fail as a book that cannot be read does."""
    raise BrokenBookError([Problem(f"journals/{numbers[0]}", 3, "usage", "is odd")])


def dying_once(task: tuple[Path, list[int]]) -> list[int]:
    """Kill the first process that meets 7, as the kernel does when memory is short."""
    died, numbers = task
    if 7 in numbers and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return doubled(numbers)


def dying(_number: int) -> None:
    """Kill the process, each that is asked."""
    os.kill(os.getpid(), signal.SIGKILL)
