"""The book as a whole: what nothing names, and what is missing."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.audit import whole
from a2ledger.book.book import Book

CHARGES = "id,customer,date,amount,service\n" + "".join(
    f"{number},{name},2026-01-05,10,Calls\n" for number, name in enumerate("ABC")
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Three customers, each with an invoice of January."""
    root = shelf.started(tmp_path_factory.mktemp("whole") / "book", *"ABC", vat="none")
    shelf.take(root, "charges", CHARGES)
    shelf.close(root, dt.date(2026, 2, 1))
    return root


@pytest.fixture
def root(template):
    with shelf.copied(template) as root:
        yield root


def said(root):
    return [(problem.reason, problem.file) for problem in whole.unnamed(Book(root))]


INVOICE = "invoices/2026/INV-2026-00000{}.json"


def test_a_book_that_names_all_it_has_is_whole(root):
    assert said(root) == []


def test_a_file_of_nobody_s_is_named(root):
    (root / "journals/2026-01/Z.01.beancount").write_text("")
    (root / "journals/x").symlink_to("/etc/passwd")
    assert sorted(said(root)) == [
        ("extra", "journals/2026-01/Z.01.beancount"),
        ("gone", "journals/x"),
    ]


def test_a_document_that_no_entry_names_is_named(root):
    (root / INVOICE.format(4)).write_text((root / INVOICE.format(1)).read_text())
    assert said(root) == [("extra", INVOICE.format(4))]


def test_two_documents_of_one_name_are_named(root):
    (root / "invoices/2025").mkdir()
    twin = root / "invoices/2025/INV-2026-000001.json"
    twin.write_text((root / INVOICE.format(1)).read_text())
    assert [reason for reason, _ in said(root)] == ["twin"]


def test_numbers_that_are_missing_are_named_and_the_last_cannot_be(root):
    (root / INVOICE.format(2)).unlink()
    (problem,) = whole.unnamed(Book(root))
    assert (problem.reason, problem.what.partition(":")[0]) == ("numbers", "INV-2026-000002")
    (root / INVOICE.format(3)).unlink()
    assert said(root) == []


def test_many_missing_numbers_are_counted(root):
    text = (root / INVOICE.format(3)).read_text()
    (root / "invoices/2026/INV-2026-000009.json").write_text(text)
    gap = next(problem for problem in whole.unnamed(Book(root)) if problem.reason == "numbers")
    assert gap.what.startswith("INV-2026-000004, INV-2026-000005, INV-2026-000006 and 2 more: ")
