"""Whatever a person does to a journal, every command says so in a line or goes on."""

from __future__ import annotations

import os
import re
import shutil

import pytest
from examples import sampled
from harness import Book, a2ledger, slim
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

OPEN = "journals/2026-02/C1.01.beancount"
OWN = "journals/customers/C1.beancount"
TODAY = "2026-02-11"
COMMANDS = (
    "check", "check C1", "balances", "balances --as-of 2026-02-02", "ageing", "preview C1",
    "statement C1", "close --dry-run", "rerate --dry-run", "fee list", "customer show C1",
    "explain INV-2026-000001 1", "refund C1 2.00 --dry-run", "write-off C1 --dry-run",
    "credit-note INV-2026-000001 --reason dear --dry-run", "suspense", "customer set C1 terms=3",
    "returned C1 payments-9 --dry-run", "fee change C1 line 9.00 --dry-run",
    "deposit C1 1.00 --return --dry-run", "void charges-9 wrong --dry-run",
)  # fmt: skip
DAMAGE = (
    (r"^.*$", ""),
    (r"^(.*)$", r"\1\n\1"),
    (r'"[^"]*"$', '"zz"'),
    (r'"[^"]*"', '""'),
    (r"\d{4}-\d\d-\d\d", "2026-02-30"),
    (r"\d{4}-\d\d-\d\d", "1999-01-01"),
    (r"-?\d+\.\d+", "x"),
    (r"-?\d+\.\d+", "1.1234567"),
    (r"-?\d+\.\d+", "12345678901234.00"),
    ("EUR", "USD"),
    ("C1", "C9"),
    (r" \d+$", " 99"),
)


@pytest.fixture(scope="module")
def full(empty_book, tmp_path_factory) -> Book:
    """A book whose open period holds something of everything, on 11 February."""
    root = tmp_path_factory.mktemp("full") / "book"
    shutil.copytree(empty_book, root)
    book = Book(root, root.parent / "files", "2026-01-21")
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    for name, amount, *every in (("line", "12.10"), ("did", "120.00", "--every", "year")):
        book.run("fee", "add", "C1", "DIDs", amount, "--id", name, "--from", "2026-01-15", *every)
    book.talks("C1", "2026-01-20", 10)
    book.close(today="2026-02-01")
    book.today = TODAY
    book.talks("C1", "2026-02-03", 3)
    book.talks("C1", "2026-01-05", 3)
    book.moves("refills", "C1", "2026-02-02", "5.00", method="voucher", id="r1")
    book.moves("payments", "C1", "2026-02-02", "5.00", reference="r1")
    book.moves("payments", "C1", "2026-02-02", "7.00")
    book.moves("charges", "C1", "2026-02-02", "7.00", description="A gift of 1.1234567")
    for words in (
        "fee stop C1 did --from 2026-02-05", "goodwill C1 1.00", "refund C1 1.00",
        "deposit C1 10.00", "write-off C1 1.00", "transfer C1 C2 1.00",
        "credit-note INV-2026-000001 --line 1 --reason dear",
    ):  # fmt: skip
        book.run(*words.split())
    slim(root)
    return book


@pytest.mark.long
@settings(
    max_examples=int(os.environ.get("A2LEDGER_EDITS") or sampled(20, 5)),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_no_edit_of_a_line_ends_in_a_traceback(full, data):
    path = data.draw(st.sampled_from([OPEN, OPEN, OPEN, OWN]))
    before = full.text(path)
    lines = before.split("\n")
    row = data.draw(st.sampled_from([row for row, line in enumerate(lines) if line.strip()]))
    fitting = [(old, new) for old, new in DAMAGE if re.search(old, lines[row])]
    old, new = data.draw(st.sampled_from(fitting))
    lines[row] = re.sub(old, new, lines[row], count=1)
    head = full.git("rev-parse", "HEAD").strip()
    (full.root / path).write_text("\n".join(lines))
    try:
        for words in data.draw(st.lists(st.sampled_from(COMMANDS), min_size=3, unique=True)):
            done = a2ledger("-C", full.root, "--today", TODAY, *words.split())
            assert done.code in {0, 1}, (words, done)
            assert done.code == 0 or done.errors or done.stdout, words
    finally:
        full.git("reset", "--quiet", "--hard", head)
        full.git("clean", "--quiet", "-fd", "journals")
    assert full.text(path) == before
