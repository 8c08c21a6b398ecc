"""Backup and restore: what no copy covers is said, and whatever is lost comes back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from examples import cases
from harness import Book, a2ledger, slim

from a2ledger.book import paths

TODAY = "2026-02-11"


@pytest.fixture(scope="module")
def template(empty_book, tmp_path_factory) -> Path:
    """A book that has a file of nearly every kind, on 11 February."""
    root = tmp_path_factory.mktemp("backup") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-21")
    (root / "tariffs/standard.csv").write_text(
        "dialprefix,destination,rateinitial,buyrate,carrier\n32,Belgium,1.00,0.50,acme\n"
    )
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.talks("C1", "2026-01-20", 10)
    book.close(today="2026-02-01")
    book.today = TODAY
    book.talks("C1", "2026-02-03", 3)
    book.moves("payments", "C1", "2026-02-04", "5.00")
    book.imported("payments", [{"id": "s1", "customer": "", "date": "2026-02-04",
                                "amount": "3.00"}])  # fmt: skip
    book.talks("C9", "2026-02-05", 1, code=3)
    slim(root)
    return root


@pytest.fixture
def kept(template, tmp_path) -> Book:
    root = tmp_path / "book"
    shutil.copytree(template, root)
    return Book(root, template.parent / "files", TODAY)


def parts(book: Book, *words: object) -> dict[str, dict[str, object]]:
    done = a2ledger("-C", book.root, "doctor", "--json", "--backup", *words)
    return {one["check"]: one for one in done.json["checks"]}


def test_without_a_copy_all_that_lies_here_alone_is_named(kept):
    found = parts(kept)
    assert "no remote is configured" in found["git"]["message"]
    assert "are not in git" in found["calls"]["message"]
    assert "rsync" in found["quarantine"]["todo"]


def test_a_backup_of_git_and_of_what_it_does_not_hold_covers_everything(kept, tmp_path):
    """The recipe of docs/safety.md: push, copy, look; then restore from it."""
    copy = tmp_path / "backup"
    kept.git("clone", "--quiet", "--mirror", str(kept.root), str(copy / ".git"))
    found = parts(kept, copy)
    assert found["git"]["ok"]
    assert not found["calls"]["ok"]
    for top in ("calls", "quarantine"):
        shutil.copytree(kept.root / top, copy / top)
    assert all(one["ok"] for one in parts(kept, copy).values())

    kept.moves("payments", "C1", TODAY, "1.00")
    assert "lacks the latest commit" in parts(kept, copy)["git"]["message"]
    words = ("-c", f"safe.directory={copy / '.git'}", "-c", f"safe.directory={kept.root}")
    subprocess.run(
        ["git", *words, "-c", "safe.directory=*", "-C", copy / ".git", "fetch", "--quiet"],
        check=True, capture_output=True,
    )  # fmt: skip
    assert parts(kept, copy)["git"]["ok"]
    figures = kept.run("balances").stdout

    restored = tmp_path / "restored"
    subprocess.run(
        ["git", "-c", "safe.directory=*", "clone", "--quiet", copy / ".git", restored], check=True
    )
    for top in ("calls", "quarantine"):
        shutil.copytree(copy / top, restored / top, dirs_exist_ok=True)
    again = Book(restored, tmp_path / "more", TODAY)
    assert again.run("balances").stdout == figures
    again.run("check", "C1")
    again.run("verify")
    again.talks("C1", "2026-02-03", 1)


KINDS = [kind for kind in paths.TABLE if not kind.pattern.startswith(("templates", ".a2ledger"))]


@cases("kind", KINDS, 9, ids=lambda kind: kind.pattern)
def test_whatever_is_lost_ends_in_a_line_that_says_how_it_comes_back(kept, tmp_path, kind):
    there = [
        str(path.relative_to(kept.root)) for path in kept.root.rglob("*")
        if path.is_file() and ".git/" not in str(path)
    ]  # fmt: skip
    mine = [path for path in there if paths.kind(path) == kind]
    if not mine:
        pytest.skip("there is no such file in this book")
    figures, before = kept.run("balances").stdout, kept.digests()
    saved = tmp_path / "saved"
    shutil.copytree(kept.root, saved)
    (kept.root / mine[0]).unlink()

    done = a2ledger("-C", kept.root, "doctor")
    done = done._replace(stdout=done.stdout + done.stderr)
    if paths.is_kept(mine[0]):
        (line,) = [line for line in done.stdout.splitlines() if f"{mine[0]}" in line]
        way = paths.back(mine[0]).removesuffix("`")
        assert way.split("`")[-1] in line
        if "git checkout" in way:
            kept.git("checkout", "HEAD", "--", mine[0])
        elif "--mend" in way:
            kept.run("doctor", "--mend")
        else:
            shutil.copy(saved / mine[0], kept.root / mine[0])
        assert kept.digests() == before
    kept.run("customer", "set", "C2", "terms=9")
    assert kept.run("balances").stdout == figures


def test_a_day_of_calls_is_made_anew_from_the_switch_s_file(book):
    rows = "id,customer,start,called,seconds\na,C1,2026-01-05 12:00:00,3225550199,61\n"
    rows += "b,C1,2026-01-05 13:00:00,3225550199,60\nc,C1,2026-01-06 12:00:00,3225550199,60\n"
    source = book.file("switch.csv", rows)
    book.customers({"id": "C1"})
    book.run("import", "calls", source, today="2026-01-07")
    day = book.root / "calls/2026-01/2026-01-05.parquet"
    content, before, log = day.read_bytes(), book.digests(), book.log()
    words = ("import", "calls", source, "--rebuild", "2026-01-05")
    assert "as they were" in book.run(*words, today="2026-01-07").stderr
    day.unlink()
    assert "--rebuild 2026-01-05" in book.run("check", "C1", today="2026-01-07", code=1).stderr
    for words in (["--rebuild", "2026-01-04"], ["--rebuild", "2026-01-05"]):
        other = book.file("other.csv", rows.replace("61", "62"))
        done = book.run("import", "calls", other, *words, today="2026-01-07", code=1)
        (said,) = done.errors
        assert "which are not the 2" in said or "has no calls of" in said
    done = book.run("import", "calls", source, "--rebuild", "2026-01-05", today="2026-01-07")
    assert "2 calls of 2026-01-05 are there again" in done.stderr
    assert day.read_bytes() == content
    assert (book.digests(), book.log()) == (before, log)

    book.close(today="2026-02-02")
    day.unlink()
    book.run("import", "calls", source, "--rebuild", "2026-01-05", today="2026-02-03")
    assert day.read_bytes() == content
    book.run("verify")


def test_a_day_is_made_anew_with_what_was_struck_out_and_late_since(book):
    head = "id,customer,start,called,seconds\n"
    first = "a,C1,2026-01-05 12:00:00,3225550199,61\nb,C1,2026-01-05 13:00:00,3225550199,60\n"
    later = "c,C2,2026-01-05 14:00:00,3225550199,60\n"
    book.customers({"id": "C1"}, {"id": "C2"})
    book.run("import", "calls", book.file("first.csv", head + first), today="2026-01-07")
    book.run("void", "calls/a", "tried twice", today="2026-01-07")
    book.run("void", "calls/b", "tried twice", today="2026-01-07")
    book.run("void", "calls/b", "--undo", today="2026-01-07")
    book.close(today="2026-02-02")
    book.run("import", "calls", book.file("later.csv", head + later), today="2026-02-02")
    day = book.root / "calls/2026-01/2026-01-05.parquet"
    content, log = day.read_bytes(), book.log()
    day.unlink()

    both = [book.files / "first.csv", book.files / "later.csv"]
    words = ("--rebuild", "2026-01-05")
    (said,) = book.run("import", "calls", both[0], *words, today="2026-02-03", code=1).errors
    assert "name all files that the day was imported from" in said
    book.run("import", "calls", *both, *words, today="2026-02-03")

    assert day.read_bytes() == content
    assert book.log() == log
    book.run("verify", today="2026-02-03")
