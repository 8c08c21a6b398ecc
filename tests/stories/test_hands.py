"""Hands in a book: whatever is deleted, moved, linked, edited or rolled back, nothing is lost."""

from __future__ import annotations

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from deeds import deed
from examples import cases, sampled
from harness import Book, a2ledger, slim

TODAY = "2026-03-11"
OPEN = "journals/2026-03/C1.01.beancount"
OWN = "journals/customers/C1.beancount"
FROZEN = "journals/2026-01/C1.01.beancount"
BILL = "invoices/2026/INV-2026-000001.json"
EDITS = int(os.environ.get("A2LEDGER_HANDS") or sampled(12, 3))


@pytest.fixture(scope="module")
def template(empty_book, tmp_path_factory) -> Path:
    """A book with two closed months and an open one; what was imported lies beside it."""
    root = tmp_path_factory.mktemp("hands") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-21")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.talks("C1", "2026-01-20", 10)
    book.moves("payments", "C1", "2026-01-20", "2.00", id="p0")
    book.close(today="2026-02-01")
    book.today = "2026-02-11"
    book.talks("C1", "2026-02-03", 3)
    book.talks("C2", "2026-02-04", 4)
    book.close(today="2026-03-01")
    book.today = TODAY
    book.talks("C1", "2026-03-02", 2)
    book.talks("C2", "2026-03-03", 5)
    book.moves("payments", "C1", "2026-03-02", "7.00", id="p1")
    book.moves("charges", "C1", "2026-03-02", "7.00", id="h1")
    slim(root)
    return root


@pytest.fixture
def hands(template, tmp_path) -> Book:
    root = tmp_path / "book"
    shutil.copytree(template, root, symlinks=True)
    return Book(root, template.parent / "files", TODAY)


def owed(book: Book) -> dict[str, str]:
    return {row["customer"]: row["owed"] for row in book.run("balances", "--json").json}


def write(book: Book, code: int = 0):
    """Run a command that writes and is nobody's business here."""
    book.serial = getattr(book, "serial", 0) + 1
    return book.run("customer", "set", "C2", f"terms={book.serial}", code=code)


# ---- what was deleted, moved, linked or rolled back ----


REFUSED = {
    "documents deleted": (lambda root: shutil.rmtree(root / "invoices"), BILL),
    "one document deleted": (lambda root: (root / BILL).unlink(), BILL),
    "digests deleted": (lambda root: (root / "calls/DIGESTS").unlink(), "calls/DIGESTS"),
    "all journals of a month deleted": (
        lambda root: shutil.rmtree(root / "journals/2026-01"), FROZEN
    ),
    "a customer deleted": (lambda root: (root / OWN).unlink(), OWN),
    "what was imported deleted": (lambda root: (root / "imports.csv").unlink(), "imports.csv"),
    "the chart deleted": (
        lambda root: (root / "journals/chart.beancount").unlink(), "journals/chart.beancount"
    ),
    "a price list deleted that customers have": (
        lambda root: (root / "tariffs/standard.csv").unlink(), "tariffs/standard.csv"
    ),
    "a closed month edited": (
        lambda root: (root / FROZEN).write_text((root / FROZEN).read_text() + "; x\n"), FROZEN
    ),
    "a twin of a document": (
        lambda root: shutil.copytree(root / "invoices/2026", root / "invoices/2025"),
        "invoices/2025/INV-2026-000001.json",
    ),
    "a statement beside the invoice": (
        lambda root: shutil.copy(root / BILL, root / "invoices/2026/statement-C1-2026-03-01.json"),
        "invoices/2026/statement-C1-2026-03-01.json",
    ),
    "a period of another case": (
        lambda root: shutil.copy(root / OPEN, root / "journals/2026-03/c1.01.beancount"),
        "journals/2026-03/c1.01.beancount",
    ),
    "a month that is a link": (
        lambda root: (
            (root / "journals/2026-01").rename(root / "elsewhere"),
            (root / "journals/2026-01").symlink_to(root / "elsewhere"),
        ),
        "journals/2026-01",
    ),
    "usage edited": (
        lambda root: (root / OPEN).write_text(
            (root / OPEN).read_text().replace("2.000000 EUR", "1.000000 EUR")
        ),
        OPEN,
    ),
    "usage taken away": (
        lambda root: (root / OPEN).write_text(
            re.sub(r"(below this line.*\n)(?s:.*)", r"\1", (root / OPEN).read_text())
        ),
        OPEN,
    ),
    "a payment taken away": (
        lambda root: (root / OPEN).write_text(
            re.sub(r'2026-03-02 \* "Payment"(?s:.*?)\n\n', "", (root / OPEN).read_text())
        ),
        OPEN,
    ),
    "a balance brought forward edited": (
        lambda root: (root / OPEN).write_text(
            re.sub(r"(:Billed +)[0-9.-]+ ~", r"\g<1>1.00 ~", (root / OPEN).read_text(), count=1)
        ),
        OPEN,
    ),
}  # fmt: skip


@cases("what", REFUSED, 5)
def test_what_hands_did_to_what_the_program_wrote_is_refused_and_comes_back(hands, what):
    does, place = REFUSED[what]
    before, figures = hands.digests(), owed(hands)
    does(hands.root)
    log = hands.log()

    errors = write(hands, code=1).errors

    assert any(f"{place}" in line for line in errors), errors
    assert hands.log() == log
    said = "\n".join(errors)
    assert re.search("take it away|git checkout HEAD|doctor --mend|put the file", said), said
    hands.run("import", "calls", hands.file("none.csv", "id,customer,start,called,seconds\n"),
              "--empty", code=1)  # fmt: skip
    brought_back(hands, errors)
    assert {**before, "imports.csv": ""} == {**hands.digests(), "imports.csv": ""}
    assert owed(hands) == figures
    write(hands)
    hands.run("check")
    hands.run("verify")


def brought_back(book: Book, errors: list[str]) -> None:
    """Do what the messages say: take away what was added, mend, and ask git for the rest."""
    for line in errors:
        path = book.root / line.split(": ")[1].split(":")[0]
        if path.is_symlink():
            path.unlink()
            shutil.rmtree(book.root / "elsewhere")
        elif re.search("is no (document|period|file)|was not written", line):
            path.unlink()
    a2ledger("-C", book.root, "--today", TODAY, "doctor", "--mend")
    for line in errors:
        if match := re.search("git checkout HEAD -- ([^`]+)", line):
            book.git("checkout", "HEAD", "--", match[1])


def test_what_is_derived_is_made_anew_by_the_next_command(hands):
    before = hands.digests()
    for name in ("general/2026-03", "general/opens", "main", "history"):
        path = f"journals/{name}.beancount"
        hands.edit(path, "2026", "2025") if "2026" in hands.text(path) else hands.append(path, ";")
    (hands.root / "journals/general/2026-02.beancount").unlink()
    (hands.root / "journals/staff.beancount").unlink()

    (said, *_) = hands.run("balances", code=1).errors
    assert "was changed by hand" in said or "beancount" in said
    hands.run("doctor", "--mend")

    assert hands.digests() == before
    hands.run("balances")


def test_balances_shows_no_figure_of_a_limit_or_month_that_was_edited(hands):
    hands.edit("journals/general/opens.beancount", "100.00", "99999.00")
    (said,) = hands.run("balances", code=1).errors
    assert "journals/general/opens.beancount: is derived, and was changed by hand" in said
    assert "doctor --mend" in said
    hands.git("checkout", "journals")

    path = hands.root / "journals/general/2026-03.beancount"
    path.write_text(path.read_text()[:200])
    assert hands.run("balances", code=1).stdout == ""


def test_a_stale_editor_cannot_take_back_what_was_imported_since(hands):
    stale = hands.text(OPEN)
    hands.moves("payments", "C1", TODAY, "5.00", id="p9")
    (hands.root / OPEN).write_text(stale)

    said = "\n".join(write(hands, code=1).errors)

    assert "is as it was before commit" in said
    assert "the entry ^payment-payments-p9 is gone" in said
    assert "a2ledger void payment-payments-p9 REASON" in said
    hands.git("checkout", "HEAD", "--", OPEN)
    write(hands)
    assert "payment-payments-p9" in hands.text(OPEN)


def test_a_payment_that_somebody_reverts_in_git_comes_back_as_the_message_says(hands):
    hands.moves("payments", "C1", TODAY, "5.00", id="p9")
    figures, name = owed(hands), ["-c", "user.name=Olga", "-c", "user.email=olga@example.net"]
    hands.git(*name, "revert", "--no-edit", "HEAD")

    (said, *_) = write(hands, code=1).errors
    assert "or `git revert` if the change was committed" in said
    hands.git(*name, "revert", "--no-edit", "HEAD")

    write(hands)
    assert owed(hands) == figures


def test_what_was_edited_by_hand_may_be_taken_back_by_hand(hands):
    before = hands.text(OPEN)
    note = '\n2026-03-05 note Assets:Receivable:C1:Billed "called"\n'
    hands.edit(OPEN, "; ---- usage", f"{note}\n; ---- usage")
    write(hands)
    assert "manual edit" in hands.log()
    (hands.root / OPEN).write_text(before)
    write(hands)
    assert hands.log()[1] == "manual edit"


def test_a_day_of_calls_that_digests_does_not_know_is_not_written_over(hands):
    digests = hands.text("calls/DIGESTS")
    shorter = re.sub("2026-03-02 .*\n", "", digests)
    assert shorter != digests
    hands.run("customer", "set", "C2", "terms=3")
    # As after a checkout that brought older text, and the state that knew better was lost, too.
    (hands.root / "calls/DIGESTS").write_text(shorter)
    hands.git("commit", "--quiet", "-am", "older")
    (hands.root / ".a2ledger/published").unlink()
    content = (hands.root / "calls/2026-03/2026-03-02.parquet").read_bytes()
    done = a2ledger("-C", hands.root, "--today", TODAY, "import", "calls",
                    hands.file("more.csv", "id,customer,start,called,seconds\n"
                               "n1,C1,2026-03-02 13:00:00,3225550199,60\n"))  # fmt: skip
    assert done.code == 1
    assert done.errors
    assert (hands.root / "calls/2026-03/2026-03-02.parquet").read_bytes() == content


# ---- random hands ----


@pytest.mark.long
@pytest.mark.parametrize("seed", range(EDITS))
def test_a_random_hand_loses_nothing(hands, tmp_path, seed):
    """The book is right, or the next command says what is wrong, and what it says helps."""
    chance = random.Random(seed)  # noqa: S311
    old = tmp_path / "old"
    shutil.copytree(hands.root, old, symlinks=True)
    hands.talks("C1", "2026-03-04", 2)
    hands.moves("payments", "C2", TODAY, "3.00", id="p5")
    figures, documents = owed(hands), hands.documents()
    saved = tmp_path / "saved"
    shutil.copytree(hands.root, saved, symlinks=True)
    deeds = [deed(hands.root, old, chance)[0] for _ in range(chance.choice([1, 1, 2]))]

    done = a2ledger("-C", hands.root, "--today", TODAY, "customer", "set", "C2", "terms=30")

    assert done.code in {0, 1, 73}, (deeds, done)
    if done.code:
        assert done.errors, deeds
        # What git does not hold comes from a backup; the rest by what the messages say.
        shutil.rmtree(hands.root / "calls", ignore_errors=True)
        shutil.copytree(saved / "calls", hands.root / "calls")
        for top in ("journals", "invoices", "tariffs"):
            if (hands.root / top).is_symlink():
                (hands.root / top).unlink()
        hands.git("checkout", "HEAD", "--", ".")
        hands.git("clean", "--quiet", "-fd")
        hands.run("customer", "set", "C2", "terms=30")
    elif any("calls" in one for one in deeds):
        shutil.rmtree(hands.root / "calls", ignore_errors=True)
        shutil.copytree(saved / "calls", hands.root / "calls")
    assert owed(hands) == figures, deeds
    assert hands.documents() == documents, deeds
    done = a2ledger("-C", hands.root, "--today", TODAY, "check")
    assert done.code == 0, (deeds, done)
