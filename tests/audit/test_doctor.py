"""``doctor``: what a book stands on, and what to do where it gives way."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time

import pytest
import shelf
from harness import a2ledger

from a2ledger.book.transaction import Vault


@pytest.fixture
def root(empty_book, tmp_path):
    """A copy of a new book, closed to others."""
    copy = shutil.copytree(empty_book, tmp_path / "book")
    copy.chmod(0o750)
    return copy


def doctor(root, *words, code):
    done = a2ledger("-C", root, "doctor", "--json", *words)
    assert done.code == code, done
    return {one["check"]: one for one in done.json["checks"] if not one["ok"]}


def test_a_sound_book_on_firm_ground_is_0_and_says_what_was_looked_at(root):
    done = a2ledger("-C", root, "doctor")

    assert done.code == 0, done
    for check in ("python: 3.", "git: ", "beancount: ", "fava: ", "font: ", "permissions: ",
                  "author: commits are by ", "clock: ", "disk: ", "configuration: "):  # fmt: skip
        assert check in done.stdout
    assert a2ledger("-C", root, "--quiet", "doctor").stdout == ""


def test_without_a_book_only_programs_are_looked_at(tmp_path):
    done = a2ledger("-C", tmp_path, "doctor")

    assert done.code == 0
    assert "there is none" in done.stdout


def test_what_an_interrupted_run_left_is_named_and_mended(root):
    state = root / ".a2ledger"
    (state / "stage").mkdir(exist_ok=True)
    (state / "stage/000000").write_bytes(b"; half\n")
    lock = root / ".git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (1, 1))

    found = doctor(root, code=1)
    assert "--mend" in found["leftovers"]["todo"]
    done = a2ledger("-C", root, "doctor")
    assert "interrupted before it published" in done.stdout
    assert "a git that was killed left .git/refs/heads/main.lock" in done.stdout

    assert doctor(root, "--mend", code=0) == {}
    assert not lock.exists()
    assert not (state / "stage/000000").exists()


def test_a_book_others_may_enter_is_closed_by_mend(root):
    root.chmod(0o755)
    (root / "journals/manual.beancount").chmod(0o644)

    found = doctor(root, code=1)
    assert "chmod -R o-rwx" in found["permissions"]["todo"]

    assert doctor(root, "--mend", code=0) == {}
    assert root.stat().st_mode & 0o777 == 0o750
    assert (root / "journals/manual.beancount").stat().st_mode & 0o777 == 0o640


def test_a_file_the_group_of_a_shared_book_may_not_write_is_named_and_mended(root):
    root.chmod(0o2770)

    found = doctor(root, code=1)
    assert "the group, which shares the book, may not write" in found["permissions"]["message"]

    assert doctor(root, "--mend", code=0) == {}
    assert (root / "journals").stat().st_mode & 0o7777 == 0o2770
    assert (root / "a2ledger.toml").stat().st_mode & 0o777 == 0o660


def test_a_clock_that_is_behind_the_book_is_named(root):
    ahead = dt.datetime.fromtimestamp(time.time() + 2 * 86400, dt.UTC)
    runs = root / "imports.csv"
    shelf.program("-C", root, "-q", "customer", "add", "C1")
    runs.write_text(f"time,source,files,latest,through\n{ahead.isoformat()},pbx1,x.csv,,\n")

    found = doctor(root, code=1)

    assert "imports.csv has a run of" in found["clock"]["message"]
    assert "clock" in found["clock"]["todo"]
    runs.unlink()
    environment = os.environ | {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "x"), ("EMAIL", "x@y"), ("DATE", ahead.isoformat()))
    }
    words = ["git", "-c", "safe.directory=*", "commit", "-q", "--allow-empty", "-m", "later"]
    subprocess.run(words, cwd=root, env=environment, check=True)
    assert "the last commit is of" in doctor(root, code=1)["clock"]["message"]


def test_personal_data_in_git_and_load_caches_are_named(root):
    (root / "calls/2026-01").mkdir(parents=True)
    (root / "calls/2026-01/2026-01-05.parquet").write_bytes(b"x")
    words = ["git", "-c", "safe.directory=*", "add", "-f", "calls"]
    subprocess.run(words, cwd=root, check=True)
    (root / "journals/.main.beancount.picklecache").write_bytes(b"x")

    found = doctor(root, code=1)

    assert "calls/2026-01/2026-01-05.parquet" in found["git"]["message"]
    assert found["cache"]["todo"] == "rm journals/.main.beancount.picklecache"


def test_hand_edits_are_said_and_are_nothing_to_do(root):
    shelf.program("-C", root, "-q", "customer", "add", "C1")
    with (root / "journals/manual.beancount").open("a") as manual:
        manual.write("; mine\n")

    done = a2ledger("-C", root, "doctor")

    assert done.code == 0
    assert "journals/manual.beancount: edited by hand" in done.stdout


def test_an_old_git_and_no_git_are_named(root, tmp_path, monkeypatch):
    old = tmp_path / "bin"
    old.mkdir()
    git = shutil.which("git")
    (old / "git").write_text(
        "#!/bin/sh\nfor word; do [ $word = version ] && { echo git version 2.34.1; exit; }; done\n"
        f'exec {git} "$@"\n'
    )
    (old / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(old))
    assert "loses commits" in doctor(root, code=1)["git"]["message"]

    monkeypatch.setenv("PATH", "/nowhere")
    assert "not installed" in doctor(root, code=1)["git"]["message"]


def test_a_book_without_its_repository_or_with_a_bad_configuration_is_named(root):
    shutil.rmtree(root / ".git")
    (root / "a2ledger.toml").write_text("format = ]\n")

    found = doctor(root, code=1)

    assert "backup" in found["git"]["todo"]
    assert "a2ledger.toml:1" in found["configuration"]["message"]


def test_little_space_is_named(root, monkeypatch):
    real = os.statvfs

    def little(path):
        found = list(real(path))
        found[4] = 1
        return os.statvfs_result(found)

    monkeypatch.setattr(os, "statvfs", little)
    assert "free some space" in doctor(root, code=1)["disk"]["todo"]


def test_a_writer_at_work_is_nothing_to_do(root):
    with Vault(root).writing(shelf.quiet):
        (root / ".a2ledger/stage").mkdir(exist_ok=True)
        (root / ".a2ledger/stage/000000").touch()
        done = a2ledger("-C", root, "doctor")
    assert done.code == 0
    assert "a writer is at work" in done.stdout
