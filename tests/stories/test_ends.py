"""Days at the ends of time, names that are paths, files of odd names: a line, or all is well."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from harness import Book, a2ledger, slim

TODAY = "2026-02-11"
DAYS = ("0001-01-01", "1969-12-31", "9999-12-31")
NAMES = ("../../zz", "/etc/passwd", "..", ".", "a/b", "a\\b", "a\nb", "-rf", "*")


@pytest.fixture(scope="module")
def template(empty_book, tmp_path_factory) -> Path:
    """A book with a closed month."""
    root = tmp_path_factory.mktemp("ends") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-21")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.talks("C1", "2026-01-20", 10)
    book.close(today="2026-02-01")
    slim(root)
    return root


@pytest.fixture
def ends(template, tmp_path) -> Book:
    root = tmp_path / "book"
    shutil.copytree(template, root, symlinks=True)
    return Book(root, tmp_path / "files", TODAY)


@pytest.mark.parametrize("day", DAYS)
def test_a_day_that_no_book_can_hold_is_refused_in_a_line_and_stops_nobody(ends, day):
    payment = ends.file("p.csv", f"id,customer,date,amount\np1,C1,{day},1.00\n")
    calls = ends.file("c.csv", f"id,customer,start,called,seconds\nu1,C1,{day} 12:00:00,32255,60\n")
    for words in (
        f"customer add C3 --opened {day}", f"customer set C1 credit_limit=5 --from {day}",
        f"fee add C1 DIDs 5.00 --from {day}", f"goodwill C1 1.00 --date {day}",
        f"import payments {payment}", f"import calls {calls}",
    ):  # fmt: skip
        done = a2ledger("-C", ends.root, "--today", TODAY, *words.split())
        old = day == "1969-12-31" or "calls" in words
        assert done.code in ({0, 1, 2, 3} if old else {1, 2, 3}), (words, done)
    for words in (
        f"statement C1 --to {day}", f"statement C1 --from {day}", f"statement C1 --json --to {day}",
        f"balances --as-of {day}", f"report vat --from {day} --to {day}", f"calls C1 --from {day}",
    ):  # fmt: skip
        done = a2ledger("-C", ends.root, "--today", TODAY, *words.split())
        assert done.code in {0, 1, 2}, (words, done)
    for words in (["balances"], ["preview", "C1"], ["close", "--dry-run"], ["check"]):
        done = a2ledger("-C", ends.root, "--today", day, *words)
        assert done.code in {0, 1, 2}, (words, done)

    ends.run("close", today="2026-03-01")
    ends.run("verify", today="2026-03-01")


def test_an_account_of_long_ago_is_opened_by_who_says_so(ends):
    (said,) = ends.run("customer", "add", "C3", "--opened", "1985-01-01", code=1).errors
    assert "more than 30 years ago" in said
    assert "--long-ago" in said


def test_a_tariff_s_name_is_no_path(ends):
    """Neither the command nor a list makes a price list of another file."""
    shutil.copy(ends.root / "tariffs/standard.csv", ends.root.parent / "zz.csv")
    quoted = ['"' + name.replace('"', '""') + '"' for name in NAMES]
    rows = "".join(f"C{place}x,C9,1,{name}\n" for place, name in enumerate(quoted))
    before = ends.text("journals/general/opens.beancount")
    for name in NAMES:
        ends.run("customer", "set", "C1", f"tariff={name}", code=1)
    table = ends.file("customers.csv", f"id,name,credit_limit,tariff\n{rows}")
    assert ends.run("import", "customers", table, "--json", code=3).json["posted"] == 0
    assert ends.text("journals/general/opens.beancount") == before


ODD = (
    b"a'b", b'a"b', b"a\nb", b"[ab]*?", b"a b ", b"-rf", b":(exclude)x", b"\xff\xfe",
)  # fmt: skip


@pytest.mark.parametrize("place", ["", "tariffs", "journals", "invoices/2026"])
def test_files_of_odd_names_stop_nobody_or_are_named(ends, place):
    top = os.fsencode(ends.root / place)
    for name in ODD:
        Path(os.fsdecode(os.path.join(top, name))).write_text("; nothing\n")  # noqa: PTH118 - bytes

    done = a2ledger("-C", ends.root, "--today", TODAY, "customer", "set", "C2", "terms=5")

    assert done.code in {0, 1}, done
    if done.code:
        assert place in done.stderr
        for name in ODD:
            Path(os.fsdecode(os.path.join(top, name))).unlink()  # noqa: PTH118 - bytes
    ends.talks("C1", "2026-02-05", 3)
    ends.run("preview", "C1")
    ends.close(today="2026-03-01")
    ends.run("verify", today="2026-03-01")
    ends.git("fsck", "--strict", "--no-dangling")
