"""What the last publication left, and what hands have done since."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book import published
from a2ledger.book.git import blob
from a2ledger.book.published import Left, Published, scan, seen_at

ODD = "journals/2026-01/é %\udcff.beancount"


@pytest.fixture
def root(tmp_path):
    (tmp_path / ".a2ledger").mkdir()
    (tmp_path / "journals/2026-01").mkdir(parents=True)
    return tmp_path


def publish(root, commit="c0ffee", **files):
    """Write files, and what is left of them; None takes one away."""
    left = {}
    for path, content in files.items():
        if content is None:
            (root / path).unlink(missing_ok=True)
            left[path] = None
        else:
            (root / path).write_bytes(content)
            left[path] = Left(seen_at(root / path), blob(content))
    Published(root).record(left, commit, "main")
    return Published(root)


A, B = "journals/a.beancount", "journals/2026-01/b.beancount"


def test_what_was_published_is_as_it_was_left(root):
    kept = publish(root, **{A: b"a", B: b"b", ODD: b"odd"})
    assert (kept.commit, kept.branch, set(kept.files)) == ("c0ffee", "main", {A, B, ODD})
    assert kept.changed() == {}
    assert kept.differs([A, B, ODD]) == []
    assert kept.blob(A) == blob(b"a")
    again = publish(root, "beef", **{A: b"aa", B: None})
    assert (again.commit, set(again.files), again.changed()) == ("beef", {A, ODD}, {})


def test_each_thing_that_hands_do_has_its_word(root):
    publish(root, **{A: b"a", B: b"b", ODD: b"odd"})
    (root / A).write_bytes(b"x")
    (root / B).unlink()
    (root / "journals/new.beancount").write_bytes(b"n")
    (root / ODD).unlink()
    (root / ODD).symlink_to("/etc/passwd")
    (root / "notes.txt").write_bytes(b"of nobody")
    kept = Published(root)
    assert kept.changed() == {
        A: "edited", B: "gone", ODD: "link", "journals/new.beancount": "new",
    }  # fmt: skip
    assert kept.differs([A, B]) == [A, B]


def test_a_file_that_was_only_touched_is_the_same(root):
    kept = publish(root, **{A: b"a"})
    os.utime(root / A, (1, 1))
    assert (kept.changed(), kept.differs([A])) == ({}, [])
    kept.refresh()
    assert Published(root).changed() == {}


def test_a_publication_that_was_not_finished_does_not_count(root):
    publish(root, **{A: b"a"})
    path = root / ".a2ledger/published"
    whole = path.read_bytes()
    path.write_bytes(whole + f"{A}\t-\n{B}\t1 2 3 ".encode())
    assert set(Published(root).files) == {A}
    assert publish(root, "next", **{B: b"b"}).commit == "next"
    assert Published(root).changed() == {}
    path.write_bytes(b"")
    assert not Published(root).is_known


def test_the_text_is_written_anew_when_it_has_grown_long(root):
    for number in range(140):
        kept = publish(root, str(number), **{A: str(number).encode(), B: b"b"})
    assert kept.changed() == {}
    assert (root / ".a2ledger/published").read_text().count("\n") < 400


def test_without_it_what_git_holds_stands_in_its_place(root):
    kept = Published(root)
    (root / A).write_bytes(b"a")
    kept.take({A: blob(b"a"), B: blob(b"b")}, "c", "main")
    assert (kept.is_known, kept.changed()) == (False, {B: "gone"})


def test_a_scan_names_files_and_what_is_none(root):
    (root / A).write_bytes(b"a")
    os.mkfifo(root / "journals/pipe")
    (root / "notes.txt").write_bytes(b"")
    assert {path: seen.is_file for path, seen in scan(root)} == {A: True, "journals/pipe": False}
    assert seen_at(root / "gone") is None


@given(st.data())
def test_what_is_written_down_of_a_few_files_is_what_the_whole_text_says(tmp_path_factory, data):
    """Of few files only their own lines are looked for, the last of which holds."""
    root = tmp_path_factory.mktemp("text")
    (root / ".a2ledger").mkdir()
    names = st.sampled_from(["a", "d/a", "d/aa", "d/é", "d/100%", "d/e/a", "de/a", "d/b\tc", "f"])
    lines = data.draw(st.lists(st.tuples(names, st.sampled_from(["1 2 3 x", "4 5 6 y", "-"]))))
    with (root / ".a2ledger/published").open("w") as file:
        for path, about in lines:
            file.write(f"{published._quoted(path)}\t{about}\n=\tcommit main\n")  # noqa: SLF001
    whole, few = Published(root), Published(root)
    asked = data.draw(st.sets(names))
    left = {path for path in asked if path in whole.files}
    assert few.among(asked) == left
    assert few.among(sorted(asked)) == left
    assert [few.blob(path) for path in sorted(asked)] == [
        whole.blob(path) for path in sorted(asked)
    ]
    assert "_lines_of" not in few.__dict__
    assert (few.commit, few.branch) == (whole.commit, whole.branch)
