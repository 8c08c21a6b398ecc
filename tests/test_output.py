"""Output that fails hides nothing: what was published is said, whatever fails afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest
from harness import Book


def run(book: Book, redirection: str, *words: str, today: str) -> subprocess.CompletedProcess[str]:
    """Run a command by a shell that sends its output where it cannot go."""
    line = f'"$0" -m a2ledger -C "$1" --today "$2" {" ".join(words)} {redirection}'
    return subprocess.run(
        ["sh", "-c", line, sys.executable, str(book.root), today],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def due(book) -> Book:
    book.customers({"id": "C1"}, {"id": "C2"})
    book.talks("C1", "2026-01-05", 3, today="2026-01-20")
    return book


@pytest.mark.parametrize("redirection", [">/dev/full", ">&-"])
def test_a_close_whose_output_fails_says_what_was_closed(due, redirection):
    done = run(due, redirection, "close", today="2026-02-02")

    assert done.returncode == 74
    assert "the output cannot be written" in done.stderr
    assert "published before that: close: 2 period(s)" in done.stderr
    assert "nothing was done" not in done.stderr
    assert due.log()[0].startswith("close: 2 period(s)")
    due.run("check", today="2026-02-02")


def test_a_question_whose_output_fails_is_74_and_claims_nothing(due):
    done = run(due, ">/dev/full", "balances", today="2026-02-02")
    assert done.returncode == 74
    assert "published" not in done.stderr.replace("nothing was published", "")


def test_without_a_place_for_what_is_said_the_rest_is_done_all_the_same(due):
    done = run(due, "2>&-", "close", today="2026-02-02")
    assert done.returncode == 0
    assert "INV-2026-000001" in done.stdout
    assert due.log()[0].startswith("close")
    assert due.git("status", "--short") == ""
