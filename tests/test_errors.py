"""Errors a person can put right: a line for each thing, and the same from a worker process."""

from __future__ import annotations

import pickle

from a2ledger import errors
from a2ledger.errors import BadValueError, ExpectedError


class OtherError(ExpectedError):
    exit_code = errors.LOCKED

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: is busy", todo="wait")


def test_each_thing_that_is_wrong_is_a_line_with_what_to_do():
    error = ExpectedError("a:1: no number\nb:2: no day", "nothing was posted", "correct them")
    assert error.lines() == [
        "a:1: no number; nothing was posted; correct them",
        "b:2: no day; nothing was posted; correct them",
    ]
    assert str(error) == "\n".join(error.lines())


def test_an_error_of_a_worker_is_the_one_it_raised():
    error = pickle.loads(pickle.dumps(OtherError("book")))  # noqa: S301 - our own
    assert (type(error), error.exit_code) == (OtherError, errors.LOCKED)
    assert error.lines() == ["book: is busy; nothing was done; wait"]


def test_an_error_of_the_disk_names_the_file_and_ends_with_74():
    error = errors.of_disk(OSError(28, "No space left on device", "calls/x"))
    assert error.exit_code == 74
    assert error.lines()[0].startswith("calls/x: No space left on device; nothing was done")


def test_a_bad_value_has_a_remedy_if_it_is_known():
    assert errors.parts(BadValueError("'x' is no day", "write 2026-01-31")) == (
        "'x' is no day",
        "write 2026-01-31",
    )
    assert errors.parts(ValueError("'x' is no day")) == ("'x' is no day", "")
