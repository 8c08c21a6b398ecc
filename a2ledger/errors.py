"""Errors a person can put right: what is wrong, what was not done, what to do.

Every expected error of the program derives from :class:`ExpectedError`; the command line and the
pages ask it for its lines and its exit code. Whatever does not derive from it is a bug.
"""

from __future__ import annotations

import errno
from typing import Any

NO, USAGE, QUARANTINED, UNUSABLE, CANNOT_CREATE, FAILED, LOCKED = 1, 2, 3, 65, 73, 74, 75
"""Exit codes other than 0."""

NOTHING = "nothing was done"
CORRECT = "correct it and run again"


class ExpectedError(Exception):
    """An error that a person can put right.

    Args:
        what: is wrong, with the place: ``FILE:LINE: what``; a line for each thing.
        undone: what was not done because of it.
        todo: what to do.
    """

    exit_code = NO

    def __init__(self, what: str, undone: str = NOTHING, todo: str = CORRECT) -> None:
        super().__init__(what, undone, todo)
        self.what, self.undone, self.todo = what, undone, todo

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __reduce__(self) -> tuple[Any, ...]:
        # Those of other wings are made of other arguments; workers send them as they are.
        return _again, (type(self), self.args), self.__dict__

    def lines(self) -> list[str]:
        """Return the message, one line for each thing that is wrong."""
        return [told(line, self.undone, self.todo) for line in self.what.splitlines()]


def _again(kind: type[ExpectedError], args: tuple[Any, ...]) -> ExpectedError:
    """Return an error as it was before it was pickled."""
    error = kind.__new__(kind)
    error.args = args
    return error


class BadValueError(ValueError):
    """A text is not a valid value: what is wrong with it and, if known, the remedy."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__("; ".join(filter(None, (what, todo))))
        self.what, self.todo = what, todo


def parts(error: ValueError) -> tuple[str, str]:
    """Return what is wrong with a value, and the remedy if the error has one."""
    return (error.what, error.todo) if isinstance(error, BadValueError) else (str(error), "")


def told(what: str, undone: str = NOTHING, todo: str = CORRECT) -> str:
    """Format one line: what is wrong, what was not done, what to do.

    >>> told("book: not there", todo="name a book with -C")
    'book: not there; nothing was done; name a book with -C'
    """
    return f"{what}; {undone}; {todo}"


NO_FILES = {errno.EMFILE, errno.ENFILE}
"""Errors of the operating system by which no further file can be opened."""


def of_disk(error: OSError) -> ExpectedError:
    """Convert an error of the operating system to an expected error."""
    failed = ExpectedError(f"{error.filename or 'input'}: {error.strerror or error}")
    if error.errno in NO_FILES:
        failed = ExpectedError("too many open files", todo="raise `ulimit -n` and run again")
    failed.exit_code = FAILED
    return failed
