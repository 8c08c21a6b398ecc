"""Commits hold what was published, however many files of a directory it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book import git
from a2ledger.book.git import GitError, Repository

NAMES = st.sampled_from(["a", "b", "c d", 'e"f', "g\\h", "ü"])
PATHS = st.builds(
    "/".join,
    st.tuples(st.sampled_from(["top", "top/in", "top/in/deep", "other"]), NAMES.map("f-{}".format)),
)
COMMITS = st.lists(
    st.dictionaries(PATHS, st.none() | st.binary(max_size=2), min_size=1, max_size=12),
    min_size=1,
    max_size=3,
)


def _committed(root: Path, commits, many: int) -> list[str]:
    """The trees of commits, each made of the files that a run published."""
    repository = Repository(root)
    repository.start(shared=False)
    trees = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(git, "_MANY", many)
        for number, files in enumerate(commits):
            repository.store(content for content in files.values() if content is not None)
            named = {
                path: None if content is None else git.blob(content)
                for path, content in files.items()
            }
            repository.commit(named, f"run {number}\n", "Olga Operator")
            trees.append(repository.run("ls-tree", "-r", "-z", "HEAD", check=False).stdout)
    return trees


@tried(40)
@given(COMMITS)
def test_a_commit_of_many_files_is_the_commit_of_the_same_files_one_by_one(
    tmp_path_factory, commits
):
    few, many = (tmp_path_factory.mktemp(name) for name in ("few", "many"))

    assert _committed(many, commits, 2) == _committed(few, commits, 1_000_000)


def test_a_file_that_git_does_not_hold_is_in_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(git, "_MANY", 2)
    monkeypatch.setattr(git, "_TRIES", 2)
    repository = Repository(tmp_path)
    repository.start(shared=False)
    files = {f"journals/C{number}.beancount": git.blob(b"%d" % number) for number in range(3)}

    with pytest.raises(GitError):
        repository.commit(files, "run\n", "Olga Operator")

    assert repository.head() == ""
