"""Fixtures of corrections: a book with a bill."""

from __future__ import annotations

import shutil

import pytest
from harness import Book, made_once


@pytest.fixture
@made_once
def billed(book):
    """Ten minutes and a subscription of 5.00 in January at 21 %: 15.00 net, 3.15 VAT, 18.15."""
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.moves("charges", "C1", "2026-01-05", "5.00", today="2026-01-31")
    book.run("close", today="2026-02-02")
    book.today = "2026-02-10"
    return book


@pytest.fixture(scope="session")
def owing(empty_book, tmp_path_factory):
    """The book of the stories, made once."""
    directory = tmp_path_factory.mktemp("owing")
    shutil.copytree(empty_book, directory / "book")
    book = Book(directory / "book", directory / "files")
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.moves("charges", "C1", "2026-01-05", "5.00", today="2026-01-31")
    book.run("close", today="2026-02-02")
    return book.root
