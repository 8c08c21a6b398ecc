"""Durable files and names on disk, and the errors of a disk that refuses."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from a2ledger.errors import CANNOT_CREATE, FAILED, ExpectedError

MANY = 64
"""Least number of files for which one sync of the file system is faster than one per file, and one
pack in git than an object file for each.
"""

HALF_DONE = "not everything was published: the next command that writes finishes it"
"""The message of what was not done when the disk refuses in the middle of publishing."""


class CannotWriteError(ExpectedError):
    """The disk failed: full, over quota, broken, too many open files. The book is unchanged."""

    exit_code = FAILED


class CannotCreateError(CannotWriteError):
    """The disk cannot be written: read-only, not permitted, something in the way."""

    exit_code = CANNOT_CREATE


_NOT_TO_BE_WRITTEN = {
    errno.EROFS: ("the file system is read-only", "make it writable and run again"),
    errno.EACCES: ("permission denied", "run as the user who owns the book"),
    errno.EPERM: ("permission denied", "run as the user who owns the book"),
    errno.ENOTDIR: ("a file is where a directory should be", "move it away and run again"),
    errno.EISDIR: ("a directory is where a file should be", "move it away and run again"),
    errno.EEXIST: ("something is in the way", "move it away and run again"),
    errno.ENOENT: ("not there", "make it and run again"),
    errno.ELOOP: ("a link leads in a circle", "remove it and run again"),
}
_FAILED = {
    errno.ENOSPC: ("the disk is full", "free some space and run again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run again"),
    errno.EMFILE: ("too many open files", "raise `ulimit -n` and run again"),
    errno.ENFILE: ("too many open files", "close some programs and run again"),
}


@contextlib.contextmanager
def refusing(undone: str = "nothing was published") -> Iterator[None]:
    """Turn errors of the disk into :class:`CannotWriteError`."""
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        kind = CannotCreateError if number in _NOT_TO_BE_WRITTEN else CannotWriteError
        other = (error.strerror or str(error), "see to it and run again")
        problem, todo = (_NOT_TO_BE_WRITTEN | _FAILED).get(number, other)
        raise kind(f"{error.filename or 'the book'}: {problem}", undone, todo) from error


def write(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Write a new file, and make it durable unless the file system is synced afterwards."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: Path) -> None:
    """Make all files of a file system durable, faster than one by one if they are many."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
            raise OSError(ctypes.get_errno(), "cannot sync", str(path))
    finally:
        os.close(descriptor)


def fsync(path: Path) -> None:
    """Make a file's content durable, or a directory's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
