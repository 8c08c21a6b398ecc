"""Commits hold what was published, however many files of a directory it was."""

from __future__ import annotations

import contextlib
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


def test_what_git_says_is_why_it_failed(tmp_path):
    repository = Repository(tmp_path)
    repository.start(shared=False)

    with pytest.raises(GitError, match=r"^git diff-tree: fatal: "):
        repository.run("diff-tree", "0" * 39 + "1")


WIDE = {f"journals/C{number:05d}.beancount": b"%d" % number for number in range(3000)}


def _published(repository: Repository, files: dict[str, bytes]) -> int:
    """By how many bytes git grows when a run publishes some files."""
    objects = repository.root / ".git/objects"
    before = sum(path.stat().st_size for path in objects.rglob("*") if path.is_file())
    repository.store(files.values())
    repository.commit({path: git.blob(content) for path, content in files.items()}, "run\n", "Olga")
    return sum(path.stat().st_size for path in objects.rglob("*") if path.is_file()) - before


@pytest.fixture
def wide(tmp_path):
    """A repository whose directory of 3,000 files takes 70 kB of names in every commit."""
    repository = Repository(tmp_path)
    repository.start(shared=False)
    _published(repository, WIDE)
    return repository


def test_a_changed_file_costs_kilobytes_however_many_lie_beside_it(wide):
    grown = [
        _published(wide, {f"journals/C{number:05d}.beancount": b"paid %d" % number})
        for number in range(3)
    ]

    assert max(grown) < 3_000
    assert len(list((wide.root / ".git/objects/pack").glob("*.pack"))) == 1
    wide.run("fsck", "--strict")
    assert wide.run("show", "HEAD~1:journals/C00001.beancount").stdout == "paid 1"
    assert wide.run("show", "HEAD~1:journals/C00002.beancount").stdout == "2"


def test_packs_are_joined_in_a_book_that_is_named_by_a_relative_path(wide, monkeypatch):
    monkeypatch.chdir(wide.root.parent)

    _published(Repository(Path(wide.root.name)), {"journals/C00001.beancount": b"paid"})

    (pack,) = (wide.root / ".git/objects/pack").glob("*.pack")
    assert {path.stem for path in pack.parent.iterdir()} == {pack.stem}


@pytest.mark.parametrize("name", ["{pack}.keep", "multi-pack-index"])
def test_packs_that_somebody_keeps_stay(wide, name):
    packs = wide.root / ".git/objects/pack"
    before = {path.stem for path in packs.glob("*.pack")}
    for pack in before:
        (packs / name.format(pack=pack)).touch()

    _published(wide, {"journals/C00001.beancount": b"paid"})

    assert before < {path.stem for path in packs.glob("*.pack")}


def test_a_pack_half_taken_away_by_a_run_that_was_killed_goes_with_the_next(wide):
    left = wide.root / ".git/objects/pack/pack-0123456789abcdef0123456789abcdef01234567.idx"
    left.write_bytes(b"index")

    assert wide.leftovers() == [left]
    assert _published(wide, {"journals/C00001.beancount": b"paid"}) < 3_000


def test_a_pack_whose_index_was_deleted_is_nothing_left_over(wide):
    packs = wide.root / ".git/objects/pack"
    (pack,) = packs.glob("*.pack")
    pack.with_suffix(".idx").unlink()

    assert wide.leftovers() == []
    wide.run("index-pack", str(pack))
    wide.run("fsck", "--strict")


def _older_index(packs: Path) -> None:
    (pack,) = packs.glob("*.pack")
    pack.with_suffix(".idx").unlink()
    Repository(packs.parents[2]).run("index-pack", "--index-version=1", str(pack))


def _index_cut_off(packs: Path) -> None:
    (index,) = packs.glob("*.idx")
    index.chmod(0o600)
    index.write_bytes(index.read_bytes()[:600])


@pytest.mark.parametrize("spoil", [_older_index, _index_cut_off])
def test_no_pack_goes_whose_index_does_not_name_what_it_holds(wide, spoil):
    packs = wide.root / ".git/objects/pack"
    (pack,) = packs.glob("*.pack")
    before = pack.read_bytes()
    spoil(packs)

    with contextlib.suppress(GitError):  # an index that is cut off git itself cannot read
        _published(wide, {"journals/C00001.beancount": b"paid"})

    assert pack.read_bytes() == before
    pack.with_suffix(".idx").unlink()
    wide.run("index-pack", str(pack))
    wide.run("fsck", "--strict")


def test_a_run_is_published_where_packs_cannot_be_joined(wide, monkeypatch):
    run = git.subprocess.run

    def refusing(words, **options):
        if "pack-objects" in words:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return run(words, **options)

    monkeypatch.setattr(git.subprocess, "run", refusing)
    _published(wide, {"journals/C00001.beancount": b"paid"})

    assert wide.run("show", "HEAD:journals/C00001.beancount").stdout == "paid"
