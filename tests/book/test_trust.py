"""A book of another user's is worked on by who says so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from harness import a2ledger

from a2ledger.book import trust

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def given_away(root):
    for path in [root, *root.rglob("*")]:
        os.chown(path, 65534, 65534)
    return root


def test_a_book_of_another_user_s_is_refused_until_somebody_says_so(book, tmp_path, monkeypatch):
    book.customers({"id": "C1"})
    given_away(book.root)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for words in (["balances"], ["check"], ["customer", "set", "C1", "terms=3"], ["verify"]):
        (said,) = a2ledger("-C", book.root, *words).errors
        assert (
            "belongs to the user 65534, not to you (0); nothing was done; say --trust-book" in said
        )

    assert a2ledger("-C", book.root, "--trust-book", "balances").code == 0
    monkeypatch.setenv("SUDO_UID", "65534")
    assert a2ledger("-C", book.root, "balances").code == 0
    monkeypatch.delenv("SUDO_UID")
    (tmp_path / "config/a2ledger").mkdir(parents=True)
    (tmp_path / "config/a2ledger/config.toml").write_text(f'[trust]\nbooks = ["{book.root}"]\n')
    assert a2ledger("-C", book.root, "balances").code == 0
    (tmp_path / "config/a2ledger/config.toml").write_text("[trust]\nbooks = [1, ['x']]\n")
    assert a2ledger("-C", book.root, "balances").code == 1


def test_one_file_of_another_user_s_is_enough(book):
    os.chown(book.root / ".git", 65534, -1)
    with pytest.raises(trust.NotTrustedError, match=r"\.git: belongs to"):
        trust.check(book.root)


def test_what_stands_in_a_settings_file_of_somebody_else_s_does_not_count(
    book, tmp_path, monkeypatch
):
    given_away(book.root)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config/a2ledger").mkdir(parents=True)
    file = tmp_path / "config/a2ledger/config.toml"
    file.write_text('[trust]\nbooks = ["*"]\n')
    trust.check(book.root)
    os.chown(file, 65534, 65534)
    with pytest.raises(trust.NotTrustedError):
        trust.check(book.root)


def test_whoever_serves_a_trusted_book_runs_its_commands_so(book):
    given_away(book.root)
    done = subprocess.run(
        [sys.executable, "-m", "a2ledger", "-C", book.root, "check"],
        env=os.environ | {"A2LEDGER_TRUST_BOOK": "1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
