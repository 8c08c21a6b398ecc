"""Values of files are kept while the files are as they were, in large books alone."""

from __future__ import annotations

import pytest

from a2ledger.book import kept
from a2ledger.book.kept import Kept


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Three files of a book that counts as large."""
    monkeypatch.setattr(kept, "LEAST", 3)
    (tmp_path / ".a2ledger").mkdir()
    for name in "abc":
        (tmp_path / name).write_text(name)
    return tmp_path


def _opened(root, known_by="1", names="abc"):
    return Kept(root, "lengths", known_by, ("length",), {name: name for name in names})


def test_values_are_read_back_until_their_file_is_another(files):
    first = _opened(files)
    assert (first.rows, first.missing()) == ({}, ["a", "b", "c"])
    first.keep((name, (1,)) for name in "abc")

    (files / "b").write_text("longer")
    second = _opened(files)
    assert second.rows == {"a": (1,), "c": (1,)}
    assert second.missing() == ["b"]


def test_a_file_in_place_of_another_of_its_size_is_seen(files):
    _opened(files).keep((name, (1,)) for name in "abc")
    (files / "new").write_text("c")
    (files / "new").replace(files / "c")
    assert _opened(files).missing() == ["c"]


def test_what_other_settings_gave_is_not_used(files):
    _opened(files).keep((name, (1,)) for name in "abc")
    assert _opened(files, known_by="2").rows == {}


def test_a_small_book_keeps_nothing(files):
    small = _opened(files, names="ab")
    small.keep([("a", (1,)), ("b", (1,))])
    assert small.is_small
    assert small.missing() == []
    assert list((files / ".a2ledger").iterdir()) == []


def test_a_directory_that_cannot_be_written_costs_only_time(files):
    (files / ".a2ledger/spool").write_text("in the way")
    held = _opened(files)
    held.keep((name, (1,)) for name in "abc")
    assert held.rows == {"a": (1,), "b": (1,), "c": (1,)}
    assert _opened(files).rows == {}
