"""Files on disk: written whole, and errors in a line that says what to do."""

from __future__ import annotations

import errno

import pytest

from a2ledger.book import disk
from a2ledger.book.disk import CannotCreateError, CannotWriteError
from a2ledger.errors import CANNOT_CREATE, FAILED


@pytest.mark.parametrize("sync", [True, False])
def test_a_file_is_written_anew_and_is_its_owner_s_and_the_group_s(tmp_path, sync):
    path = tmp_path / "x"
    disk.write(path, b"a longer text", sync=sync)
    disk.write(path, b"short", sync=sync)
    disk.fsync(path)
    disk.fsync(tmp_path)
    disk.sync_file_system(tmp_path)
    assert path.read_bytes() == b"short"
    assert path.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("number", "kind", "code", "says"),
    [
        (
            errno.ENOSPC,
            CannotWriteError,
            FAILED,
            "the disk is full; nothing was published; free some",
        ),
        (errno.EMFILE, CannotWriteError, FAILED, "too many open files"),
        (errno.EROFS, CannotCreateError, CANNOT_CREATE, "the file system is read-only"),
        (errno.EACCES, CannotCreateError, CANNOT_CREATE, "permission denied"),
        (errno.EIO, CannotWriteError, FAILED, "Input/output error"),
    ],
)
def test_what_a_disk_refuses_is_said_with_what_to_do(number, kind, code, says):
    import os  # noqa: PLC0415 - for one name

    with pytest.raises(kind) as refused, disk.refusing():
        raise OSError(number, os.strerror(number), "book/x")
    assert str(refused.value).startswith(f"book/x: {says.partition(';')[0]}")
    assert says in str(refused.value)
    assert refused.value.exit_code == code
    assert type(refused.value) is kind


def test_an_error_without_a_file_is_of_the_book_and_others_pass():
    with (
        pytest.raises(CannotWriteError, match="the book: odd; nothing was sent"),
        disk.refusing("nothing was sent"),
    ):
        raise OSError("odd")
    with pytest.raises(KeyError), disk.refusing():
        raise KeyError
