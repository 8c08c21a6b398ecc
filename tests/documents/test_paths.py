"""Paths of documents: a year and a name."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.documents import paths


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book with two documents, and what is none."""
    root = shelf.started(tmp_path_factory.mktemp("paths") / "book")
    for file in ("2025/INV-0009.json", "2026/INV-0010.json", "2026/INV-0010.pdf", "2026/a b.json"):
        (root / "invoices" / file).parent.mkdir(parents=True, exist_ok=True)
        (root / "invoices" / file).write_text("{}")
    return Book(root)


def test_a_document_is_under_its_year(book):
    assert paths.path(2026, "INV-0010") == "invoices/2026/INV-0010.json"
    assert paths.every(book) == {
        "INV-0009": "invoices/2025/INV-0009.json",
        "INV-0010": "invoices/2026/INV-0010.json",
        "a b": "invoices/2026/a b.json",
    }


def test_a_statement_has_the_name_of_its_customer_and_its_period():
    first = dt.date(2026, 1, 1)
    names = {paths.of_statement(customer, first) for customer in ("A", "B", "A-2026")}
    assert len(names) == 3
    assert paths.of_statement("A", first) != paths.of_statement("A", dt.date(2026, 2, 1))


@pytest.mark.parametrize("name", ["INV-0011", "", "*", "INV-00?0", "[I]NV-0010", "../a", "a\n"])
def test_a_name_is_never_a_pattern(book, name):
    assert paths.named(book, name) == ""


def test_a_document_is_found_by_its_name_whatever_its_year(book):
    assert paths.named(book, "INV-0009") == "invoices/2025/INV-0009.json"
    for year in (2024, 2025, 2026, 2030):
        assert paths.find(book, "INV-0009", year) == "invoices/2025/INV-0009.json"


def test_a_document_that_is_not_there_has_the_path_of_its_year(book):
    assert paths.find(book, "INV-0011", 2026) == "invoices/2026/INV-0011.json"


def test_only_documents_are_named_by_paths():
    given = ["invoices/2026/A.json", "journals/2026/B.json"]
    assert paths.by_name(given) == {"A": "invoices/2026/A.json"}
