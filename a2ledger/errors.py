"""Errors a person can do something about: what is wrong, what was not done, what to do.

Every expected error of the program derives from :class:`ExpectedError`; the command line and the
pages ask it for its lines and its exit code. Whatever does not derive from it is a bug.
"""

from __future__ import annotations

NO, USAGE, QUARANTINED, UNUSABLE, CANNOT_CREATE, FAILED, LOCKED = 1, 2, 3, 65, 73, 74, 75
"""Exit codes beside 0."""

NOTHING = "nothing was done"
CORRECT = "correct it and run again"


class ExpectedError(Exception):
    """Something a person can put right.

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

    def lines(self) -> list[str]:
        """Return what is said of it, a line for each thing that is wrong."""
        return [told(line, self.undone, self.todo) for line in self.what.splitlines()]


class BadValueError(ValueError):
    """A text that is no such value: what is wrong with it, and what to do if that can be said."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__("; ".join(filter(None, (what, todo))))
        self.what, self.todo = what, todo


def parts(error: ValueError) -> tuple[str, str]:
    """Return what is wrong with a value, and what to do if the error says it."""
    return (error.what, error.todo) if isinstance(error, BadValueError) else (str(error), "")


def told(what: str, undone: str = NOTHING, todo: str = CORRECT) -> str:
    """Return one line: what is wrong, what was not done, what to do.

    >>> told("book: not there", todo="name a book with -C")
    'book: not there; nothing was done; name a book with -C'
    """
    return f"{what}; {undone}; {todo}"


def of_disk(error: OSError) -> ExpectedError:
    """Return what is said of an error of the operating system."""
    failed = ExpectedError(f"{error.filename or 'input'}: {error.strerror or error}")
    failed.exit_code = FAILED
    return failed
