"""A new book: its files, what git keeps of them, and never one over another."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book import start
from a2ledger.book.book import RefusedError

FACTS = {"company": "Example", "currency": "EUR", "timezone": "Europe/Brussels"}
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)


@given(NAMES)
def test_whatever_a_company_is_called_its_settings_can_be_read(name):
    settings = tomllib.loads(start.config_text(**FACTS | {"company": name}))
    assert settings["company"]["name"] == name
    assert (settings["currency"], settings["timezone"]) == ("EUR", "Europe/Brussels")


def test_a_book_that_was_only_begun_is_begun_again_and_another_is_refused(tmp_path):
    start.prepare(tmp_path / "book", **FACTS)
    start.prepare(tmp_path / "book", **FACTS)
    with pytest.raises(RefusedError, match="there is a book already"):
        start.prepare(tmp_path / "book", **FACTS | {"company": "Another"})
    (tmp_path / "book/journals").mkdir()
    with pytest.raises(RefusedError, match="there is a book already"):
        start.prepare(tmp_path / "book", **FACTS)


def test_nobody_else_may_read_a_new_book(tmp_path):
    start.prepare(tmp_path / "book", **FACTS)
    assert (tmp_path / "book").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("path", "is_kept"),
    [
        ("a2ledger.toml", True),
        ("journals/main.beancount", True),
        ("tariffs/standard.csv", True),
        ("calls/DIGESTS", True),
        ("calls/2026-01/2026-01-05.parquet", False),
        ("invoices/2026/INV-2026-000001.json", True),
        ("invoices/2026/INV-2026-000001.ubl.xml", True),
        ("invoices/2026/INV-2026-000001.pdf", False),
        ("quarantine/pbx1.csv", False),
        (".a2ledger/lock", False),
    ],
)
def test_git_keeps_the_books_and_documents_and_no_calls(book, path, is_kept):
    file = book.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("new")
    listed = book.git("status", "--porcelain", "--untracked-files=all", "--", path)
    assert bool(listed) is is_kept
