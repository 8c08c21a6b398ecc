from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import dying
import pytest
import shelf
from dying import Killed, deadly
from examples import sampled

from a2ledger.book import disk, transaction
from a2ledger.book import git as repository
from a2ledger.book.disk import CannotCreateError, CannotWriteError
from a2ledger.book.git import GitError, Repository, blob
from a2ledger.book.paths import is_committed
from a2ledger.book.transaction import InterruptedRunError, LockedError, Vault

BEFORE = {
    ".gitignore": b"/.a2ledger/\n/quarantine/\n/invoices/**/*.html\n",
    "a2ledger.toml": b"format = 1\n",
    "journals/old.beancount": b"; to go\n",
    "journals/2026-01/C1.01.beancount": b"; before\n",
}
CHANGE = {
    "journals/2026-01/C1.01.beancount": b"; after\n",
    "journals/2026-02/C1.01.beancount": b"; new, with \xf0\x9f\x93\x9e\n",
    "journals/old.beancount": None,
    "quarantine/rows.csv": b"not in git\n",
    "invoices/2026/INV-1.json": b"{}\n",
    "invoices/2026/INV-1.html": b"not in git either\n",
}


def said(messages):
    return messages.append


@pytest.fixture
def begun(tmp_path):
    """A published book."""
    root = tmp_path / "book"
    root.mkdir()
    box = Vault(root)
    with box.writing(shelf.quiet):
        box.repository.start(shared=box.is_shared)
        box.publish(BEFORE, "begin\n")
    return root


def changed(root):
    box = Vault(root)
    with box.writing(shelf.quiet):
        box.publish(CHANGE, "change: 3 rows\n")


def git(root, *words):
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", *words],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def state(root):
    """Files of the book, what git holds of them, and what of that is not committed."""
    log = git(root, "log", "--format=%B%T")
    return shelf.tree(root, without=(".git", ".a2ledger")), log, git(root, "status", "--short")


def test_publishing_replaces_adds_and_deletes_and_commits_what_git_holds(begun):
    changed(begun)

    files, log, _ = state(begun)
    assert files == {path: text for path, text in (BEFORE | CHANGE).items() if text is not None}
    assert log.startswith("change: 3 rows\n")
    assert git(begun, "show", "--name-status", "--format=").splitlines() == [
        "A\tinvoices/2026/INV-1.json",
        "M\tjournals/2026-01/C1.01.beancount",
        "A\tjournals/2026-02/C1.01.beancount",
        "D\tjournals/old.beancount",
    ]
    assert not list((begun / ".a2ledger/stage").iterdir())
    assert not (begun / ".a2ledger/intent.json").exists()


@pytest.mark.parametrize(
    ("path", "held"),
    [
        ("a2ledger.toml", True),
        ("imports.csv", True),
        ("calls/DIGESTS", True),
        ("calls/2026-01/2026-01-05.parquet", False),
        ("journals/2026-01/C1.01.beancount", True),
        ("journals/.main.beancount.picklecache", False),
        ("invoices/2026/INV-1.json", True),
        ("invoices/2026/INV-1.html", False),
        ("quarantine/rows.csv", False),
        (".a2ledger/lock", False),
        ("templates/document.html.j2", True),
    ],
)
def test_what_git_holds(path, held):
    assert is_committed(path) is held


# ---- killed at any point ----


@pytest.mark.long
def test_killed_before_any_call_the_next_run_ends_as_an_uninterrupted_one(
    begun, tmp_path, monkeypatch
):
    whole = tmp_path / "whole"
    shutil.copytree(begun, whole)
    changed(whole)
    before, after = state(begun), state(whole)

    seen = set()
    for at in range(1, 200, sampled(1, 5)):
        root = tmp_path / f"killed-{at}"
        shutil.copytree(begun, root)
        with monkeypatch.context() as patched:
            deadly(patched, at)
            try:
                changed(root)
            except Killed:
                ended = False
            else:
                ended = True
        begun_to_publish = (root / ".a2ledger/intent.json").exists()
        messages = []
        with Vault(root).writing(said(messages)):
            pass
        found = state(root)
        assert found in (before, after), f"killed at call {at}"
        assert ("finishing" in "".join(messages)) == begun_to_publish
        if begun_to_publish:
            assert found == after, f"killed at call {at}"
        seen.add(found == after)
        changed(root)
        assert state(root) == after, f"killed at call {at}"
        shutil.rmtree(root)
        if ended:
            break
    assert ended
    assert at > 20
    assert seen == {True, False}


@pytest.mark.long
def test_killed_while_it_finishes_a_killed_run_the_next_one_finishes(begun, tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    shutil.copytree(begun, whole)
    changed(whole)
    after = state(whole)
    monkeypatch.setattr(Vault, "_apply", lambda _: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        changed(begun)
    monkeypatch.undo()

    for at in range(1, 200, sampled(1, 4)):
        root = tmp_path / f"killed-{at}"
        shutil.copytree(begun, root)
        with monkeypatch.context() as patched:
            deadly(patched, at)
            try:
                with Vault(root).writing(shelf.quiet):
                    pass
            except Killed:
                ended = False
            else:
                ended = True
        with Vault(root).writing(shelf.quiet):
            pass
        assert state(root) == after, f"killed at call {at}"
        shutil.rmtree(root)
        if ended:
            break
    assert ended


WRITER = """
import sys
from pathlib import Path
from a2ledger.book.transaction import Vault
box = Vault(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(1, 1000):
    text = str(number).encode()
    with box.writing(print):
        files = {f"journals/{name}.beancount": text for name in "abcdefgh"}
        files["journals/sometimes.beancount"] = text if number % 2 else None
        box.publish(files, f"{number}")
"""


@pytest.mark.long
def test_killed_for_real_at_any_moment_a_book_is_whole_after_the_next_writer(begun):
    chance = random.Random(20260131)  # noqa: S311
    finished = 0
    for attempt in range(100):
        if finished and attempt >= sampled(12, 4):
            break  # it was killed half-way through at least once
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, begun], stdout=subprocess.PIPE, process_group=0
        ) as writer:
            writer.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.25))
            if chance.random() < 0.5:
                os.killpg(writer.pid, signal.SIGKILL)  # git too, as when the power fails
            else:
                writer.kill()  # git goes on by itself
        finished += (begun / ".a2ledger/intent.json").exists()
        with Vault(begun).writing(shelf.quiet, timeout_seconds=30):
            pass
        texts = {path.name: path.read_text() for path in (begun / "journals").glob("?.beancount")}
        assert len(set(texts.values())) <= 1, texts
        for number in set(texts.values()):
            assert (begun / "journals/sometimes.beancount").exists() == bool(int(number) % 2)
        assert git(begun, "status", "--short") == ""
        git(begun, "fsck", "--strict")
    assert finished


PLACES = (1, 4, 7, 9, 13, 18, 22, 24, 26, 28)
"""Calls of an import at which it is killed."""


@pytest.mark.long
def test_an_import_that_is_killed_and_run_again_is_an_import(empty_book, tmp_path):
    calls = tmp_path / "calls.csv"
    calls.write_text(
        "id,customer,start,called,seconds\n"
        "a,C1,2026-01-05 12:00:00,3225550199,61\nb,C1,2026-02-06 12:00:00,3225550199,60\n"
    )
    start = tmp_path / "start"
    shutil.copytree(empty_book, start)
    options = ["--quiet", "--today", "2026-02-10", "-C"]
    shelf.program(*options, start, "customer", "add", "C1", "--opened", "2026-01-01")
    words = ["import", "calls", calls]
    whole = tmp_path / "whole"
    shutil.copytree(start, whole)
    shelf.program(*options, whole, *words)

    books = {at: tmp_path / f"killed-{at}" for at in sampled(PLACES, PLACES[1::3])}
    for root in books.values():
        shutil.copytree(start, root)
    codes = dying.killed(books, ["--today", "2026-02-10", *words], ("fsync", "replace", "unlink"))
    for at, root in books.items():
        shelf.program(*options, root, *words)
        assert shelf.tree(root) == shelf.tree(whole), f"killed at call {at}"
        assert git(root, "status", "--short") == ""
        assert not (root / ".a2ledger/intent.json").exists()
    assert list(codes.values()).count(-signal.SIGKILL) >= len(books) - 2


# ---- one writer, readers that see the whole ----


def test_a_second_writer_waits_and_says_so(begun):
    order, messages = [], []
    holding, release = threading.Event(), threading.Event()

    def first():
        with Vault(begun).writing(shelf.quiet):
            holding.set()
            release.wait(60)
            order.append("first")

    def second():
        with Vault(begun).writing(said(messages)):
            order.append("second")

    writers = [threading.Thread(target=first), threading.Thread(target=second)]
    writers[0].start()
    holding.wait(60)
    writers[1].start()
    while not messages:
        time.sleep(0.01)
    release.set()
    for writer in writers:
        writer.join(60)

    assert order == ["first", "second"]
    assert messages == ["another a2ledger holds the book; waiting for it"]


def test_a_writer_gives_up_in_the_end_and_has_touched_nothing(begun):
    lock = begun / ".git/index.lock"
    with Vault(begun).writing(shelf.quiet):
        lock.touch()
        with (
            pytest.raises(LockedError, match="another a2ledger holds it; nothing was done"),
            Vault(begun).writing(shelf.quiet, timeout_seconds=0),
        ):
            pass
        assert lock.exists()  # it may be the other one's


LEFT = (
    "index.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "packed-refs.new",
    "shallow.lock",
    "refs/heads/main.lock",
    "refs/tags/closed/2026-01.lock",
    "objects/info/commit-graph.lock",
    "objects/pack/multi-pack-index.lock",
    "objects/pack/tmp_pack_abc123",
    "objects/pack/.tmp-12-pack-34.pack",
    "objects/17/tmp_obj_abc123",
)


def test_what_a_killed_git_left_is_removed_by_the_next_writer(begun):
    for name in LEFT:
        path = begun / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (1, 1))

    changed(begun)

    assert [name for name in LEFT if (begun / ".git" / name).exists()] == []
    assert state(begun)[1].startswith("change")
    git(begun, "fsck", "--strict")


def test_a_lock_of_somebodys_own_git_is_given_time_to_go(begun, monkeypatch):
    lock = begun / ".git/index.lock"
    lock.touch()
    monkeypatch.setattr(transaction, "PATIENCE_SECONDS", 30)
    threading.Timer(0.3, lock.unlink).start()

    changed(begun)

    assert state(begun)[1].startswith("change")


def test_a_git_that_outlives_its_killed_writer_keeps_the_lock(begun, tmp_path):
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text(f"#!/bin/sh\ntouch {tmp_path}/running\nsleep 1\n")
    (slow / "git").chmod(0o755)
    text = (
        "import sys\nfrom pathlib import Path\nfrom a2ledger.book.transaction import Vault\n"
        "box = Vault(Path(sys.argv[1]))\n"
        "with box.writing(print):\n    box.repository.run('commit')\n"
    )
    environment = os.environ | {"PATH": f"{slow}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", text, begun], env=environment) as writer:
        while not (tmp_path / "running").exists():
            time.sleep(0.01)
        writer.kill()

    with pytest.raises(LockedError), Vault(begun).writing(shelf.quiet, timeout_seconds=0):
        pass
    with Vault(begun).writing(shelf.quiet, timeout_seconds=30):
        pass


def test_a_reader_reads_again_what_was_published_while_it_read(begun):
    box = Vault(begun)
    seen = []

    def read():
        first = (begun / "journals/2026-01/C1.01.beancount").read_bytes()
        if not seen:
            changed(begun)
        seen.append((first, (begun / "journals/2026-02/C1.01.beancount").exists()))
        return seen[-1]

    assert box.reading(read) == (b"; after\n", True)
    assert seen == [(b"; before\n", True), (b"; after\n", True)]


def interrupted(root, monkeypatch, after):
    """A book whose writer was killed when it had moved this many files."""
    replace = os.replace
    left = [after]

    def moving(source, target, **options):
        if Path(target).is_relative_to(root / ".a2ledger"):
            return replace(source, target, **options)
        if not left[0]:
            raise Killed
        left[0] -= 1
        return replace(source, target, **options)

    monkeypatch.setattr(os, "replace", moving)
    monkeypatch.setattr(Repository, "commit", lambda *_: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        changed(root)
    monkeypatch.undo()


def test_a_reader_is_told_of_an_interrupted_run_that_left_files_of_two_generations(
    begun, monkeypatch
):
    interrupted(begun, monkeypatch, after=1)

    with pytest.raises(InterruptedRunError, match="any command that writes"):
        Vault(begun).reading(lambda: pytest.fail("was read"))

    with Vault(begun).writing(shelf.quiet):
        pass
    assert Vault(begun).reading(lambda: "whole") == "whole"


@pytest.mark.parametrize(("after", "text"), [(0, b"; before\n"), (9, b"; after\n")])
def test_a_reader_reads_the_generation_an_interrupted_run_has_left_whole(
    begun, monkeypatch, after, text
):
    interrupted(begun, monkeypatch, after)

    assert Vault(begun).reading((begun / "journals/2026-01/C1.01.beancount").read_bytes) == text
    assert (begun / ".a2ledger/intent.json").exists()  # only writers finish


def test_a_reader_waits_for_a_writer_that_is_publishing(begun, monkeypatch):
    moved, go_on = threading.Event(), threading.Event()
    bump = Vault._bump  # noqa: SLF001 - between the last file and the generation

    def slowly(box, generation):
        moved.set()
        go_on.wait(60)
        bump(box, generation)

    monkeypatch.setattr(Vault, "_bump", slowly)
    writer = threading.Thread(target=changed, args=(begun,))
    writer.start()
    moved.wait(60)
    threading.Timer(0.3, go_on.set).start()

    seen = Vault(begun).reading((begun / "journals/2026-01/C1.01.beancount").read_bytes)

    writer.join(60)
    assert seen == b"; after\n"
    assert go_on.is_set()


def test_a_reader_whom_runs_overtake_again_and_again_has_the_next_wait(begun):
    overtaken = []

    def read():
        writer = Vault(begun)
        try:
            with writer.writing(shelf.quiet, timeout_seconds=0):
                writer.publish({"templates/x.txt": f"{len(overtaken)}".encode()}, "other")
        except LockedError:
            return "read"
        overtaken.append(1)
        return "of two generations"

    assert Vault(begun).reading(read) == "read"
    assert len(overtaken) == 2
    with Vault(begun).writing(shelf.quiet, timeout_seconds=0):
        pass  # nobody waits any longer


def test_what_fails_for_a_reader_while_a_run_publishes_is_tried_again(begun):
    tried = []

    def read():
        tried.append(1)
        if len(tried) == 1:
            changed(begun)
            raise FileNotFoundError("journals/old.beancount")
        return "read"

    assert Vault(begun).reading(read) == "read"
    with pytest.raises(ZeroDivisionError):
        Vault(begun).reading(lambda: 1 // 0)


# ---- what git may not do, what the disk may ----


HOOKS = (
    "pre-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-commit",
    "reference-transaction",
    "post-index-change",
    "fsmonitor-watchman",
)


def test_no_hook_and_nobodys_configuration_is_run(begun, tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    script = f"#!/bin/sh\ntouch {ran}\nexit 1\n"
    hooks = [begun / ".git/hooks", tmp_path / "hooks"]
    for directory in hooks:
        directory.mkdir(exist_ok=True)
        for name in HOOKS:
            (directory / name).write_text(script)
            (directory / name).chmod(0o755)
    git(begun, "config", "core.hooksPath", str(hooks[1]))
    git(begun, "config", "core.fsmonitor", str(hooks[1] / "pre-commit"))
    git(begun, "config", "commit.gpgSign", "true")
    (tmp_path / ".gitconfig").write_text("[commit]\n\tgpgSign = true\n[user]\n\tname = Somebody\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody")

    changed(begun)
    Vault(begun).changed_by_hand()

    assert not ran.exists()
    monkeypatch.delenv("GIT_DIR")
    git(begun, "config", "core.fsmonitor", "false")
    assert git(begun, "log", "-1", "--format=%s") == "change: 3 rows\n"
    assert "Somebody" not in git(begun, "log", "-1", "--format=%an %cn")


def test_git_stays_in_the_book_whatever_its_configuration_says(begun, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    git(begun, "config", "core.worktree", str(elsewhere))

    changed(begun)

    assert list(elsewhere.iterdir()) == []
    git(begun, "config", "--unset", "core.worktree")
    assert state(begun)[1].startswith("change: 3 rows")
    assert git(begun, "status", "--short") == ""


def test_after_a_copy_the_first_commit_tells_git_that_nothing_else_changed(begun, tmp_path):
    copy = shutil.copytree(begun, tmp_path / "copy", copy_function=shutil.copy)
    changed(copy)

    assert git(copy, "diff-files", "--name-only") == ""


def test_a_message_and_a_path_are_only_text_to_git(begun):
    box = Vault(begun)
    files = {"templates/:(top)*.j2": b"odd", "templates/-rf": b"odder", "templates/x*": b"star"}
    with box.writing(shelf.quiet):
        box.publish(files, "# not a comment\n\n--amend\n")

    assert git(begun, "log", "-1", "--format=%B").startswith("# not a comment")
    assert git(begun, "status", "--short") == ""
    assert sorted(git(begun, "ls-files", "templates").splitlines()) == sorted(files)


def test_what_people_changed_is_named_whether_git_holds_it_or_not(begun):
    changed(begun)
    (begun / "journals/2026-01/C1.01.beancount").write_text("; by hand\n")
    (begun / "journals/new name.beancount").write_text("; by hand\n")
    (begun / "invoices/2026/INV-1.json").unlink()
    (begun / "quarantine/rows.csv").write_text("x")
    box = Vault(begun)

    paths = list(box.changed_by_hand())

    assert sorted(paths) == [
        "invoices/2026/INV-1.json",
        "journals/2026-01/C1.01.beancount",
        "journals/new name.beancount",
        "quarantine/rows.csv",
    ]
    with box.writing(shelf.quiet):
        contents = {path: begun / path for path in paths}
        box.publish(
            {path: file.read_bytes() if file.exists() else None for path, file in contents.items()},
            "manual edit\n",
        )
    assert list(box.changed_by_hand()) == []


def test_a_commit_of_nothing_new_is_none(begun):
    box = Vault(begun)
    with box.writing(shelf.quiet):
        box.repository.commit({}, "nothing")
        same = {"a2ledger.toml": blob(BEFORE["a2ledger.toml"]), "journals/never.beancount": None}
        box.repository.commit(same, "nothing")

    assert "nothing" not in git(begun, "log", "--format=%s")


@pytest.mark.parametrize(
    ("number", "what", "kind"),
    [
        (errno.ENOSPC, "the disk is full", CannotWriteError),
        (errno.EDQUOT, "quota", CannotWriteError),
        (errno.EMFILE, "too many open files", CannotWriteError),
        (errno.EIO, "Input/output error", CannotWriteError),
        (errno.EROFS, "read-only", CannotCreateError),
        (errno.EACCES, "permission denied", CannotCreateError),
    ],
)
def test_a_disk_that_refuses_is_said_in_a_line_and_changes_nothing(
    begun, monkeypatch, number, what, kind
):
    before = state(begun)
    with Vault(begun).writing(shelf.quiet):
        monkeypatch.setattr(os, "write", _refusing(number))
        with pytest.raises(CannotWriteError, match=what) as refused:
            Vault(begun).publish(CHANGE, "change")
        monkeypatch.undo()
        assert type(refused.value) is kind
        assert not list((begun / ".a2ledger/stage").iterdir())

    with Vault(begun).writing(shelf.quiet):
        pass
    assert state(begun) == before


def test_a_directory_of_somebody_elses_is_noticed_before_anything_is_moved(begun, monkeypatch):
    before = state(begun)
    access = os.access
    theirs = begun / "journals/2026-01"
    monkeypatch.setattr(
        os, "access", lambda path, mode: Path(path) != theirs and access(path, mode)
    )

    with pytest.raises(CannotCreateError, match="2026-01: permission denied; nothing was"):
        changed(begun)

    assert state(begun) == before
    assert not (begun / ".a2ledger/intent.json").exists()


def test_an_intent_that_may_not_be_durable_is_withdrawn(begun, monkeypatch):
    before = state(begun)
    fsync = transaction.fsync
    failed = []

    def failing(path):
        if path.name == ".a2ledger" and not failed and (path / "intent.json").exists():
            failed.append(path)
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        fsync(path)

    monkeypatch.setattr(transaction, "fsync", failing)
    with pytest.raises(CannotWriteError, match="nothing was published"):
        changed(begun)
    assert failed

    assert not (begun / ".a2ledger/intent.json").exists()
    with Vault(begun).writing(shelf.quiet):
        pass
    assert state(begun) == before
    changed(begun)
    assert state(begun)[1].startswith("change")


def _refusing(number):
    def call(*_words):
        raise OSError(number, os.strerror(number), "journals/x.beancount")

    return call


def test_a_write_that_takes_only_part_of_the_bytes_is_continued(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, view: write(descriptor, view[:3]))

    disk.write(tmp_path / "file", b"0123456789")

    assert (tmp_path / "file").read_bytes() == b"0123456789"


def test_git_that_fails_or_is_missing_is_said(begun, monkeypatch):
    with pytest.raises(GitError, match="git no-such-command"):
        Vault(begun).repository.run("no-such-command")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitError, match="git is not installed"):
        Vault(begun).repository.run("status")


def test_a_user_without_a_name_still_signs_commits(begun, monkeypatch):
    monkeypatch.delenv("A2LEDGER_AUTHOR", raising=False)
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("uid")))
    changed(begun)
    assert git(begun, "log", "-1", "--format=%an") == "a2ledger\n"


def test_many_files_are_synced_at_once(begun):
    files = {f"journals/many/{number}.beancount": b"x" for number in range(disk.MANY + 5)}
    with Vault(begun).writing(shelf.quiet):
        Vault(begun).publish(files, "many")

    assert len(list((begun / "journals/many").iterdir())) == len(files)
    assert Path(begun / "journals/many/0.beancount").read_bytes() == b"x"
    assert git(begun, "status", "--short") == ""


def test_git_keeps_many_files_in_one_pack_and_few_packs(begun, monkeypatch):
    monkeypatch.setattr(repository, "_PACKS", 5)
    packs = begun / ".git/objects/pack"
    counts = []
    for hour in range(5):
        files = {
            f"journals/many/{number}.beancount": f"{number} {hour}".encode()
            for number in range(disk.MANY)
        }
        with Vault(begun).writing(shelf.quiet):
            Vault(begun).publish(files, f"hour {hour}")
        counts.append(len(list(packs.glob("*.pack"))))

    assert counts[0] == 4  # with what began the book: what was stored, and what names it
    assert max(counts) <= 5
    git(begun, "fsck", "--strict")
    assert git(begun, "show", "HEAD~2:journals/many/7.beancount") == "7 2"
    assert git(begun, "status", "--short") == ""


@pytest.mark.parametrize("path", ["../out.txt", "journals/../../out.txt", "away/file.beancount"])
def test_nothing_is_written_outside_the_book(begun, tmp_path, path):
    (tmp_path / "elsewhere").mkdir()
    (begun / "away").symlink_to(tmp_path / "elsewhere")
    before = state(begun)
    with (
        pytest.raises(CannotCreateError, match="leads out of the book"),
        Vault(begun).writing(shelf.quiet),
    ):
        Vault(begun).publish({"journals/x.beancount": b"x", path: b"y"}, "out")

    assert state(begun) == before
    assert not (tmp_path / "out.txt").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert not list((begun / ".a2ledger/stage").iterdir())


def test_a_link_in_a_files_place_is_replaced_and_what_it_leads_to_is_left_alone(begun, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    target = begun / "journals/old.beancount"
    target.unlink()
    target.symlink_to(secret)
    with Vault(begun).writing(shelf.quiet):
        Vault(begun).publish({"journals/old.beancount": b"new"}, "new")

    assert secret.read_text() == "mine"
    assert target.read_text() == "new"
    assert not target.is_symlink()


def modes(root):
    return {
        oct(path.stat().st_mode & 0o7777)
        for path in (root / ".a2ledger", *(root / "journals").rglob("*"))
        if path.name != "stage"
    }


def test_a_book_is_the_owners_to_write_the_groups_to_read_and_nobody_elses(tmp_path):
    root = tmp_path / "book"
    root.mkdir()
    mask = os.umask(0)
    try:
        with Vault(root).writing(shelf.quiet):
            Vault(root).repository.start(shared=False)
            Vault(root).publish(BEFORE, "begin")
    finally:
        assert os.umask(mask) == 0

    assert modes(root) == {"0o750", "0o640"}
    assert not any(path.stat().st_mode & 0o007 for path in root.rglob("*"))


def test_a_book_whose_directory_hands_its_group_on_is_the_groups_to_write(tmp_path):
    root = tmp_path / "book"
    root.mkdir()
    root.chmod(0o2770)
    mask = os.umask(0o077)
    try:
        with Vault(root).writing(shelf.quiet):
            Vault(root).repository.start(shared=True)
            Vault(root).publish(BEFORE, "begin")
    finally:
        os.umask(mask)

    assert modes(root) == {"0o2770", "0o660"}
    assert (root / ".a2ledger/lock").stat().st_mode & 0o777 == 0o660
    assert all(
        path.stat().st_mode & 0o070 == 0o070 for path in (root / ".git").rglob("*") if path.is_dir()
    )
