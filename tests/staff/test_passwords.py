"""Logins: kept in a file of their own, checked and not guessed."""

from __future__ import annotations

import pytest

from a2ledger.book.book import RefusedError
from a2ledger.staff import passwords
from a2ledger.staff.passwords import Passwords, set_password


@pytest.fixture
def path(tmp_path):
    return tmp_path / "staff"


def test_each_person_has_a_line_and_only_hashes_are_kept(path):
    set_password(path, "Anna", "first")
    set_password(path, "Bert é", "other")
    set_password(path, "Anna", "second")
    assert list(passwords.read(path)) == ["Bert é", "Anna"]
    assert not {"first", "second", "other"} & set(path.read_text().replace(":", " ").split())
    assert [one.name for one in path.parent.iterdir()] == ["staff"]


@pytest.mark.parametrize("name", ["a:b", "", " a", "a<b>", "a\nb", "x" * 65, "a\u2028b", "a\x85b"])
def test_a_name_that_could_break_a_line_is_refused(path, name):
    with pytest.raises(RefusedError, match="is no name to log in by"):
        set_password(path, name, "x")
    assert not path.exists()


def test_a_file_that_is_not_there_or_open_to_others_is_refused_with_what_to_do(path):
    with pytest.raises(RefusedError, match="--set-password NAME"):
        passwords.read(path)
    set_password(path, "Anna", "x")
    path.chmod(0o640)
    with pytest.raises(RefusedError, match="chmod 600"):
        passwords.read(path)
    path.chmod(0o600)
    path.write_bytes(b"\xff")
    with pytest.raises(RefusedError, match="cannot be read"):
        passwords.read(path)


def test_a_file_that_goes_while_it_is_served_lets_nobody_in(path):
    set_password(path, "Anna", "x")
    known = Passwords(path)
    assert known.is_right("Anna", "x", "a")
    path.unlink()
    with pytest.raises(RefusedError):
        known.is_right("Anna", "x", "a")
