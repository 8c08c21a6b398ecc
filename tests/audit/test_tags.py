"""Signed tags: a key vouches for every close, and `verify` finds what it does not vouch for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from dying import Killed
from harness import Book

from a2ledger.audit import tags
from a2ledger.book.git import Repository
from a2ledger.book.transaction import Vault
from a2ledger.journal import seal

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed (openssh-client)"
)
MARCH = "journals/2026-03/C1.01.beancount"
"""Begins with the seal of C1's February."""


def keypair(path) -> str:
    """Make a key without a passphrase; its public half."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "Owner", "-f", path], check=True
    )
    return path.with_suffix(".pub").read_text().strip()


def configure(book: Book, key, *signers: str) -> None:
    """Have closes be signed from now on."""
    text = book.text("a2ledger.toml").partition("\n[seals]")[0]
    said = f"\n[seals]\nkey = {json.dumps(str(key))}\nsigners = {json.dumps(signers)}\n"
    (book.root / "a2ledger.toml").write_text(text + said)


@pytest.fixture(scope="module")
def made(empty_book, tmp_path_factory) -> Book:
    """January closed before there was a key; February and March under one."""
    top = tmp_path_factory.mktemp("made")
    shutil.copytree(empty_book, top / "book")
    book = Book(top / "book", top / "files", "2026-01-20")
    book.customers({"id": "C1"}, {"id": "C2"})
    book.talks("C1", "2026-01-05", 10)
    book.close(today="2026-02-02")
    assert book.git("tag") == ""
    configure(book, top / "key", keypair(top / "key"))
    book.close(today="2026-03-02")
    book.close(today="2026-04-02")
    return book


@pytest.fixture
def book(made, tmp_path) -> Book:
    """A copy of that book, of which April can be closed."""
    shutil.copytree(made.root, tmp_path / "book")
    return Book(tmp_path / "book", tmp_path / "files", "2026-04-02")


def found(book: Book) -> dict[str, str]:
    """What `verify` finds of tags, by where."""
    errors = book.run("verify", "--json", code=1).json["errors"]
    told: dict[str, str] = {}
    for one in errors:
        if one["check"] == "tag":
            told[one["file"]] = told.get(one["file"], "") + one["message"] + "\n"
    return told


def test_a_close_is_tagged_on_its_commit_with_the_seals_of_its_periods(book):
    assert book.git("tag").split() == ["closed/000001", "closed/000002"]
    assert book.git("rev-parse", "closed/000002^{}") == book.git("rev-parse", "HEAD")
    told = book.git("for-each-ref", "--format=%(contents)", "refs/tags/closed/000001")
    lines = told.partition("-----BEGIN")[0].splitlines()
    hashes = [
        seal.read(book.text(f"journals/2026-03/{name}.01.beancount"), seal.dt.date(2026, 3, 1)).hash
        for name in ("C1", "C2")
    ]
    assert lines == [
        f"C1 2026-02-01 2026-03-01 {hashes[0]}",
        f"C2 2026-02-01 2026-03-01 {hashes[1]}",
    ]
    assert book.run("verify").stdout == ""  # and January's, which are older than the key, may be


def test_what_settles_an_account_and_what_opens_it_again_is_tagged(book):
    book.run("close", "C1", "--final", today="2026-04-10")
    book.run("customer", "reopen", "C1", today="2026-04-20")
    assert book.git("tag").split()[2:] == ["closed/000003", "closed/000004"]
    assert book.run("verify").stdout == ""


def test_a_rehearsal_and_a_close_of_nothing_make_no_tag(book):
    book.run("close", "--dry-run", today="2026-05-02")
    book.run("close")
    assert len(book.git("tag").split()) == 2


@pytest.mark.parametrize("step", ["commit", "sign"])
def test_killed_before_the_commit_or_the_tag_the_next_writer_completes_it(book, monkeypatch, step):
    def die(*_):
        raise Killed

    before = len(book.log())
    with monkeypatch.context() as patch:
        patch.setattr(Repository, step, die)
        with pytest.raises(Killed):
            book.run("close", today="2026-05-02")
    assert len(book.log()) == before + (step == "sign")
    book.run("doctor", "--mend", today="2026-05-02")
    assert book.git("tag").split()[2:] == ["closed/000003"]
    assert book.run("verify").stdout == ""
    assert book.git("log", "-1", "--format=%s", "closed/000003").startswith("close:")


def test_killed_after_the_tag_was_made_it_is_left_alone(book, monkeypatch):
    def die(_):
        raise Killed

    with monkeypatch.context() as patch:
        afterwards(patch, Repository, "sign", die)
        with pytest.raises(Killed):
            book.run("close", today="2026-05-02")
    tagged = book.git("rev-parse", "closed/000003")
    book.talks("C1", "2026-05-01", today="2026-05-02")
    assert book.git("rev-parse", "closed/000003") == tagged
    assert book.run("verify").stdout == ""


def test_a_key_that_fails_after_the_commit_is_one_line_and_the_next_run_signs(
    book, tmp_path, monkeypatch
):
    """As if the key's medium were taken out in that moment."""
    key = tmp_path / "other"
    configure(book, key, *signers(book), keypair(key))

    def take_away(intent):
        if intent.get("tag"):
            key.rename(tmp_path / "away")

    with monkeypatch.context() as patch:
        afterwards(patch, Vault, "_intend", take_away)
        done = book.run("close", today="2026-05-02", code=74)
    (line,) = done.errors
    assert "closed/000003: " in line
    assert "the rest is committed; see to the key, then run any command that writes" in line
    assert len(book.run("doctor", "--mend", code=74).errors) == 1
    (tmp_path / "away").rename(key)
    book.run("doctor", "--mend")
    assert book.run("verify").stdout == ""


def afterwards(patch: pytest.MonkeyPatch, owner: type, step: str, happens) -> None:
    """Have something happen right after a step of publishing."""
    whole = getattr(owner, step)

    def longer(self, *words, **named):
        whole(self, *words, **named)
        happens(named)

    patch.setattr(owner, step, longer)


def signers(book: Book) -> list[str]:
    return tags.Book(book.root).config.seals.signers


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda key: key.chmod(0o640),
            "open to others than its owner; nothing was closed; run `ch",
        ),
        (os.unlink, "No such file or directory; nothing was closed"),
        (lambda key: key.write_text("no key\n"), "is no key that signs"),
        (lambda key: key.rename(key.with_name("b")) and key.symlink_to("b"), "no regular file"),
        (lambda key: (key.unlink(), keypair(key)), "is of none of seals.signers"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_before_anything_is_written(
    book, tmp_path, spoil, said
):
    key = tmp_path / "other"
    configure(book, key, *signers(book), keypair(key))
    spoil(key)
    before, log = book.digests(), book.log()
    (told,) = [
        row for row in book.run("doctor", "--json", code=1).json["checks"] if row["check"] == "key"
    ]
    assert told["todo"]
    (line,) = book.run("close", today="2026-05-02", code=1).errors
    assert said in line
    assert (book.digests(), book.log()) == (before, log)


def test_keys_are_refused_that_are_none(book):
    configure(book, "key", "AAAA")
    assert "seals.signers" in book.run("close", code=1).errors[0]


def test_another_key_is_found(book, tmp_path):
    configure(book, tmp_path / "k", keypair(tmp_path / "k"))
    assert set(found(book)) == {"closed/000001", "closed/000002"}
    assert "is signed by none of seals.signers" in found(book)["closed/000001"]


def test_a_tag_that_was_moved_or_is_not_signed_is_found(book):
    book.git("tag", "-f", "closed/000002", "HEAD~1")
    assert "is no tag that was signed" in found(book)["closed/000002"]


def test_an_unsigned_tag_with_the_same_words_is_found(book):
    told = book.git("for-each-ref", "--format=%(contents)", "refs/tags/closed/000002")
    message = told.partition("-----BEGIN")[0]
    book.git(
        "-c", "user.name=x", "-c", "user.email=x@y", "tag", "-f", "-m", message, "closed/000002"
    )
    assert "is signed by none" in found(book)["closed/000002"]


def test_a_repository_that_calls_every_signature_good_is_not_asked(book, tmp_path):
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho 'Good \"git\" signature for signer-0 with ED25519 key x'\n")
    liar.chmod(0o755)
    configure(book, tmp_path / "k", keypair(tmp_path / "k"))
    book.git("config", "gpg.ssh.program", str(liar))
    assert "is signed by none" in found(book)["closed/000001"]


def test_a_tag_that_ends_in_what_another_program_would_call_a_signature_runs_none(book, tmp_path):
    """A PGP block, and a `gpg.program` in the book's own configuration."""
    ran, liar = tmp_path / "ran", tmp_path / "liar"
    liar.write_text(f"#!/bin/sh\ntouch {ran}\necho '[GNUPG:] GOODSIG 1 x' >&2\n")
    liar.chmod(0o755)
    for key in ("gpg.program", "gpg.openpgp.program", "gpg.ssh.program"):
        book.git("config", key, str(liar))
    for number in ("000001", "000002"):
        told = book.git("cat-file", "tag", f"closed/{number}").partition("-----BEGIN")[0]
        block = "-----BEGIN PGP SIGNATURE-----\n\niHUE\n-----END PGP SIGNATURE-----\n"
        made = subprocess.run(
            ["git", "-c", "safe.directory=*", "hash-object", "-t", "tag", "-w", "--stdin"],
            cwd=book.root, input=told + block, capture_output=True, text=True, check=True,
        )  # fmt: skip
        book.git("update-ref", f"refs/tags/closed/{number}", made.stdout.strip())
    assert "is signed by none" in found(book)["closed/000001"]
    assert not ran.exists()


def test_all_tags_taken_away_is_found_where_closes_are_to_be_signed(book):
    for name in book.git("tag").split():
        book.git("tag", "-d", name)
    assert "no close bears a signed tag" in found(book)["a2ledger.toml"]


def test_a_tag_that_points_at_the_object_of_another_is_found(book):
    book.git("update-ref", "refs/tags/closed/000002", "refs/tags/closed/000001")
    assert "is the tag closed/000001, under another name" in found(book)["closed/000002"]


def test_a_tag_that_was_removed_is_found(book):
    book.git("tag", "-d", "closed/000001")
    assert found(book)["closed/000001"].startswith("is gone")


def test_the_latest_tag_removed_is_found_by_the_periods_it_named(book):
    book.git("tag", "-d", "closed/000002")
    assert set(found(book)) == {
        "journals/2026-04/C1.01.beancount",
        "journals/2026-04/C2.01.beancount",
    }


def test_a_file_that_was_sealed_anew_is_found(book):
    old = seal.read(book.text(MARCH), seal.dt.date(2026, 3, 1)).hash
    book.edit(MARCH, old, "0" * 64)
    assert f"{MARCH} has another seal of C1, 2026-02-01" in found(book)["closed/000001"]


def test_history_that_was_rewritten_is_found(book):
    tree = book.git("rev-parse", "HEAD^{tree}").strip()
    who = ("-c", "user.name=x", "-c", "user.email=x@y")
    new = book.git(*who, "commit-tree", tree, "-m", "all of it").strip()
    book.git("update-ref", "HEAD", new)
    problems = found(book)
    assert "which the book's history has not" in problems["closed/000001"]
    assert "which the book's history has not" in problems["closed/000002"]


def test_without_ssh_keygen_that_is_said(book, monkeypatch):
    monkeypatch.setattr(tags.shutil, "which", lambda _: None)
    assert "could not be checked" in found(book)["a2ledger.toml"]
