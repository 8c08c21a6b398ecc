"""Git moved by hand: what is posted is in the book's history, or is refused by name."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import Book, a2ledger, made_once
from shelf import quiet

from a2ledger.book.git import Repository
from a2ledger.book.transaction import Vault


@pytest.fixture
@made_once
def kept(book) -> Book:
    """A book with a customer and two commits to go back to."""
    book.customers({"id": "C1"}, {"id": "C2"})
    book.moves("payments", "C1", "2026-01-02", "5.00", id="p1")
    return book


def pay(book: Book, name: str = "p2", code: int = 0):
    row = {"id": name, "customer": "C1", "date": "2026-01-02", "amount": "1.00"}
    return book.imported("payments", [row], code=code, today="2026-01-02")


def owed(book: Book) -> str:
    return book.balance("C1")["owed"]


def merge(book: Book) -> None:
    book.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    (book.root / "templates").mkdir()
    (book.root / "templates/x").write_text("side")
    book.git("add", "templates")
    commit = ("-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "side")
    book.git(*commit)
    book.git("checkout", "--quiet", "main")
    book.git("-c", "user.name=x", "-c", "user.email=x@y", "merge", "--no-commit", "--no-ff", "side")


MOVED = {
    "a detached head": (
        lambda book: book.git("checkout", "--quiet", "HEAD~1"), "on no branch", "git checkout main"
    ),
    "another branch": (
        lambda book: book.git("checkout", "--quiet", "-b", "audit"),
        "on the branch audit", "git checkout main",
    ),
    "a branch moved back": (
        lambda book: book.git("reset", "--quiet", "--hard", "HEAD~1"),
        "is not in its history", "git reset --hard ",
    ),
    "a commit amended": (
        lambda book: book.git(
            "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--amend", "-m", "x"
        ),
        "is not in its history", "git reset --hard ",
    ),
    "a merge that is not finished": (merge, "in the middle of a merge", "git merge --abort"),
    "no repository": (lambda book: shutil.rmtree(book.root / ".git"), "is gone", "backup"),
    "a worktree or submodule": (
        lambda book: (
            (book.root / ".git").rename(book.root.parent / "away"),
            (book.root / ".git").write_text(f"gitdir: {book.root.parent / 'away'}\n"),
        ),
        "a worktree or a submodule", "git clone",
    ),
    "no objects": (lambda book: shutil.rmtree(book.root / ".git/objects"), "is gone", "cp -r COPY"),
    "no refs": (lambda book: shutil.rmtree(book.root / ".git/refs"), "is gone", "cp -r COPY"),
    "no HEAD": (lambda book: (book.root / ".git/HEAD").unlink(), "names no branch", "echo 'ref"),
    "a HEAD that is no branch's": (
        lambda book: (book.root / ".git/HEAD").write_text("ref: refs/tags/none\n"),
        "git is on no branch", "git checkout main",
    ),
    "garbage for HEAD": (
        lambda book: (book.root / ".git/HEAD").write_text("\0" * 30), "names no branch", "echo 'ref"
    ),
    "broken settings": (
        lambda book: (book.root / ".git/config").write_text("[core"), "bad config", "cp COPY/.git/"
    ),
    "names by another digest": (
        lambda book: (
            shutil.rmtree(book.root / ".git"),
            book.git("init", "--quiet", "--object-format=sha256", "--initial-branch=main"),
        ),
        "by SHA-256", "cp -r COPY",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", MOVED)
def test_git_that_stands_elsewhere_is_refused_by_name_and_doctor_says_it(kept, how):
    deed, what, todo = MOVED[how]
    deed(kept)
    before = kept.digests()

    stands = (kept.root / ".git").is_dir() and how != "broken settings"
    (said, *_) = pay(kept, code=1 if stands else 74).errors

    assert what in said
    assert todo in said
    assert kept.digests() == before
    done = a2ledger("-C", kept.root, "doctor")
    assert done.code == 1
    assert what in done.stdout


def test_the_way_back_that_is_named_leads_back(kept):
    figures, head = owed(kept), kept.git("rev-parse", "HEAD").strip()
    kept.git("checkout", "--quiet", "HEAD~1")
    pay(kept, code=1)
    kept.git("checkout", "--quiet", "main")
    kept.git("reset", "--quiet", "--hard", "HEAD~1")
    (said, *_) = pay(kept, code=1).errors
    assert f"git reset --hard {head}" in said
    kept.git("reset", "--quiet", "--hard", head)
    assert owed(kept) == figures
    pay(kept)
    assert owed(kept) == "-6.00"


@pytest.mark.parametrize(
    "how",
    ["no repository", "no objects", "no refs", "no HEAD", "garbage for HEAD", "broken settings"],
)
def test_a_repository_that_is_broken_comes_back_by_the_command_that_is_named(kept, how):
    copy = kept.root.parent / "copy"
    shutil.copytree(kept.root, copy)
    kept.root = kept.root.rename(kept.root.parent / "our books")  # a shell must not part it
    MOVED[how][0](kept)
    a2ledger("-C", kept.root, "verify")  # has no traceback
    (said, *_) = a2ledger("-C", kept.root, "customer", "set", "C1", "name=Ada").errors
    command = re.findall("`([^`]*)`", said)[-1].replace("COPY", str(copy))
    subprocess.run(command, shell=True, check=True)  # noqa: S602
    pay(kept)
    assert owed(kept) == "-6.00"
    assert kept.git("status", "--short") == ""


@pytest.mark.parametrize("name", ["index", "refs/heads/main"])
def test_a_file_of_git_s_that_is_missing_is_no_edit(kept, name):
    """The index comes back by itself; a branch in packed-refs is as good as one of its own."""
    if name == "index":
        (kept.root / ".git/index").unlink()
    else:
        kept.git("pack-refs", "--all")
    pay(kept)
    assert kept.log()[0].startswith("import")
    assert kept.log().count("manual edit") == 1  # the tariff of every test's book
    assert kept.git("status", "--short") == ""
    assert "p2" in kept.git("show", "HEAD:journals/2026-01/C1.01.beancount")


def test_what_somebody_stages_or_stashes_beside_a_run_is_not_what_is_committed(kept, monkeypatch):
    """Files go back to what they were between being published and being committed."""
    commit = Repository.commit

    def stashed(repository, files, *words):
        kept.git("checkout", "--quiet", "--", "journals")
        (kept.root / "journals/manual.beancount").write_text("; half an edit\n")
        kept.git("add", "journals/manual.beancount")
        return commit(repository, files, *words)

    monkeypatch.setattr(Repository, "commit", stashed)
    pay(kept)
    monkeypatch.undo()

    path = "journals/2026-01/C1.01.beancount"
    assert "payment-payments-p2" in kept.git("show", f"HEAD:{path}")
    assert "half an edit" not in kept.git("show", "HEAD:journals/manual.beancount")
    (said, *_) = pay(kept, "p3", code=1).errors
    assert path in said
    kept.git("checkout", "HEAD", "--", "journals")
    pay(kept, "p3")
    assert owed(kept) == "-7.00"


PRUNER = """
import subprocess, sys, time
while True:
    time.sleep(0.05)
    subprocess.run(["git", "-c", "safe.directory=*", *sys.argv[2:]], cwd=sys.argv[1],
                   capture_output=True)
"""


@pytest.mark.parametrize("words", [("gc", "--prune=now"), ("prune", "--expire=now"), ("gc",)])
def test_a_garbage_collection_beside_it_takes_nothing_away(kept, words):
    with subprocess.Popen(
        [sys.executable, "-c", PRUNER, kept.root, *words], stdout=subprocess.DEVNULL
    ) as pruner:
        try:
            for number in range(6):
                with Vault(kept.root).writing(quiet):
                    Vault(kept.root).publish(
                        {f"templates/{name}.txt": f"{number} {name}".encode() for name in range(9)},
                        f"number {number}",
                    )
        finally:
            pruner.kill()
    time.sleep(0.1)
    assert kept.log()[:6] == [f"number {number}" for number in reversed(range(6))]
    kept.git("fsck", "--strict", "--connectivity-only")
    assert kept.git("show", "HEAD:templates/3.txt") == "5 3"
    pay(kept)


def test_grafts_and_replaced_commits_are_not_believed(kept):
    head = kept.git("rev-parse", "HEAD").strip()
    first = kept.git("rev-list", "--max-parents=0", "HEAD").strip()
    kept.git("replace", head, first)
    (kept.root / ".git/info").mkdir(exist_ok=True)
    (kept.root / ".git/info/grafts").write_text(f"{head}\n")

    pay(kept)

    assert kept.git("--no-replace-objects", "show", "-s", "--format=%P").strip() == head
    assert "replace" in kept.run("doctor", code=1).stdout


def test_a_shallow_clone_is_worked_on_and_doctor_says_what_it_cannot_prove(kept, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{kept.root}", copy],
        check=True, capture_output=True,
        env=os.environ | {
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"
        },
    )  # fmt: skip
    shallow = Book(copy, tmp_path / "more", kept.today)
    pay(shallow)
    assert owed(shallow) == "-6.00"
    assert "shallow" in a2ledger("-C", copy, "doctor").stdout


# ---- no program of the book's is ever run ----


def programs(root: Path, ran: Path) -> None:
    """Have the book's own configuration and attributes name programs wherever git would run one."""
    program = root / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (root / ".git/info").mkdir(exist_ok=True)
    (root / ".git/info/attributes").write_text(
        "* filter=evil diff=evil merge=evil\n*.beancount filter=three\n"
    )
    (root / "more").write_text(f'[filter "evil two"]\n\tclean = {program}\n\trequired = true\n')
    text = "".join(
        f"[{section}]\n\t{key} = {program}\n"
        for section, key in (
            ('filter "evil"', "clean"), ('filter "evil"', "smudge"), ('filter "evil"', "process"),
            ('diff "evil"', "command"), ('diff "evil"', "textconv"), ("diff", "external"),
            ('merge "evil"', "driver"), ("core", "fsmonitor"), ("core", "sshCommand"),
            ("core", "pager"), ("core", "editor"), ("core", "askPass"), ("credential", "helper"),
            ("gpg", "program"), ('gpg "ssh"', "program"), ('gpg "ssh"', "defaultKeyCommand"),
            ("core", "alternateRefsCommand"), ("gc", "recentObjectsHook"), ("core", "gitProxy"),
            ('gpg "openpgp"', "program"), ('gpg "x509"', "program"), ("sequence", "editor"),
            ("uploadpack", "packObjectsHook"), ("alias", "log"),
            ('remote "origin"', "uploadpack"), ("interactive", "diffFilter"), ("ssh", "variant"),
            ('trailer "x"', "command"), ("web", "browser"), ('mergetool "x"', "cmd"),
        )
    )  # fmt: skip
    more = f"[include]\n\tpath = {root / 'more'}\n[log]\n\tshowSignature = true\n"
    more += '[commit]\n\tgpgSign = true\n[protocol "ext"]\n\tallow = always\n'
    more += f'[includeIf "gitdir:**"]\n\tpath = {root / "more"}\n'
    more += f"[extensions]\n\tworktreeConfig = true\n[core]\n\thooksPath = {root}/.git/hooks\n"
    (root / ".git/config.worktree").write_text(
        f'[filter "three"]\n\tclean = {program}\n[core]\n\tfsmonitor = {program}\n'
    )
    (root / ".git/hooks").mkdir(exist_ok=True)
    for hook in (
        "pre-commit", "post-commit", "reference-transaction", "post-index-change", "pre-auto-gc",
        "post-checkout", "fsmonitor-watchman", "post-rewrite", "commit-msg", "prepare-commit-msg",
    ):  # fmt: skip
        shutil.copy(program, root / ".git/hooks" / hook)
    with (root / ".git/config").open("a") as file:
        file.write(text + more + '[filter "evil"]\n\trequired = true\n')


def test_no_program_that_a_book_s_configuration_or_attributes_name_is_run(
    kept, tmp_path, monkeypatch
):
    ran = tmp_path / "ran"
    programs(kept.root, ran)
    for name in (
        "EXTERNAL_DIFF",
        "SSH_COMMAND",
        "SSH",
        "EDITOR",
        "PAGER",
        "ASKPASS",
        "PROXY_COMMAND",
    ):
        monkeypatch.setenv(f"GIT_{name}", str(kept.root / "program"))
    for name, value in (
        ("COUNT", "1"),
        ("KEY_0", "core.fsmonitor"),
        ("VALUE_0", kept.root / "program"),
    ):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", str(value))
    pay(kept)
    kept.append("journals/manual.beancount", "; by hand\n")
    pay(kept, "p3")
    for words in (["check"], ["verify"], ["doctor"], ["doctor", "--mend"], ["balances"]):
        a2ledger("-C", kept.root, "--today", kept.today, *words)
    assert not ran.exists()
    assert owed(kept) == "-7.00"
    subprocess.run(["git", "-c", "safe.directory=*", "status"], cwd=kept.root, check=False)
    assert ran.exists()  # git itself would have run it


def test_a_pack_that_has_lost_its_index_is_named_with_what_makes_it(kept):
    packs = kept.root / ".git/objects/pack"
    for index in packs.glob("*.idx"):
        index.unlink()
        os.utime(index.with_suffix(".pack"), (0, 0))

    done = pay(kept, code=1)
    assert "has lost the index of pack-" in done.stderr
    pack = next(packs.glob("*.pack"))
    assert f"run `git index-pack .git/objects/pack/{pack.name}`" in done.stderr
    assert "has lost the index of pack-" in kept.run("doctor", code=1).stdout

    for pack in packs.glob("*.pack"):
        kept.git("index-pack", f".git/objects/pack/{pack.name}")
    pay(kept)
    assert owed(kept) == "-6.00"


@pytest.mark.parametrize("how", ["older", "cut"])
def test_an_older_note_of_what_was_published_condemns_nothing(kept, how):
    """Whoever obeyed it would take away what was posted, and issued, after it."""
    note = kept.root / ".a2ledger/published"
    before = note.read_bytes()
    pay(kept)
    cut = note.read_bytes().rpartition(b"\n=\t")[0]
    note.write_bytes(before if how == "older" else cut + b"\n")

    for done in (pay(kept, "p3", code=1), kept.run("check", code=1)):
        said = done.stderr + done.stdout
        assert "a run has committed" in said
        assert "say `rm .a2ledger/published`" in said
        assert "take it" not in said

    note.unlink()
    pay(kept, "p3")
    assert owed(kept) == "-7.00"
    assert kept.run("check").stdout == ""


@pytest.mark.parametrize("command", ["balances", "check", "doctor"])
def test_what_another_book_published_is_named_as_that_and_condemns_no_file(
    kept, demo_book, command
):
    own = kept.root / ".a2ledger/published"
    shutil.copy(demo_book / ".a2ledger/published", own)
    done = a2ledger("-C", kept.root, command)
    assert done.code == 1
    said = done.stdout + done.stderr
    assert ".a2ledger/published, which names it, is another book's" in said
    assert "journals/" not in said
    own.unlink()  # as it says
    pay(kept)
    assert owed(kept) == "-6.00"
