"""The demo book, and the journals at the top of the repository, which are its journals."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT
from harness import a2ledger


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A freshly made demo book, and what is said of it."""
    directory = tmp_path_factory.mktemp("demo") / "book"
    made = subprocess.run(
        [sys.executable, "-m", "a2ledger", "demo", str(directory)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    assert made.stderr == ""
    assert f"a2ledger -C {directory} balances" in made.stdout
    return directory, made.stdout


@pytest.fixture
def demo(told):
    return told[0]


def files(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(".picklecache")
    }


def test_making_the_demo_again_gives_the_journals_of_the_repository(demo):
    assert files(demo / "journals") == files(ROOT / "journals")


def test_two_months_are_closed_and_one_is_open(demo):
    months = sorted(path.name for path in (demo / "journals").glob("2026-*"))

    assert months == ["2026-01", "2026-02", "2026-03"]
    assert len(list((demo / "invoices/2026").glob("INV-*.json"))) == 10


@pytest.mark.parametrize("top", ["main", "history", "customers/C10001", "customers/C10003"])
def test_any_beancount_tool_opens_the_repository_as_a_book(top):
    bean_check = Path(sys.executable).parent / "bean-check"

    checked = subprocess.run(
        [bean_check, ROOT / f"journals/{top}.beancount"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_demo_leaves_nothing_uncommitted(demo):
    status = subprocess.run(
        ["git", "-C", demo, "status", "--porcelain"], capture_output=True, text=True, check=True
    )

    assert status.stdout == ""


def test_a_directory_that_holds_a_book_is_left_alone(demo):
    before = files(demo / "journals")

    again = subprocess.run(
        [sys.executable, "-m", "a2ledger", "demo", str(demo)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert again.returncode == 1
    assert "there is a book already; nothing was done" in again.stderr
    assert files(demo / "journals") == before


@pytest.mark.parametrize("command", ["balances", "preview C10001", "statement C10002"])
def test_what_the_demo_says_to_look_at_is_there_to_see(told, command):
    directory, said = told
    assert command in said
    shown = a2ledger("-C", directory, "--today", "2026-03-20", *command.split())
    assert shown.code == 0
    assert shown.stdout
