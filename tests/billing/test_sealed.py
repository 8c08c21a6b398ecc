"""What a seal covers: the period's file, its calls, and every document issued in it."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.billing.sealed import Covered, issued
from a2ledger.book.book import Book, BrokenBookError
from a2ledger.journal import seal
from a2ledger.period import Period

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
TOLD = "ab" * 32
REFILL = '2026-01-05 * "Refill" "" ^refill-refills-1\n  invoice: "INV-2026-000007"\n\n'
CREDIT = '2026-01-06 * "Credit note" "" ^credit-note-x\n  number: "CN-2026-000001"\n\n'


@pytest.fixture
def root(tmp_path):
    root = shelf.started(tmp_path / "book", "C1")
    (root / "invoices/2026-01").mkdir(parents=True)
    (root / "invoices/2026-01/INV-2026-000007.json").write_text("{}")
    return root


def test_documents_are_those_that_entries_name_and_no_text_does():
    text = REFILL + CREDIT + '2026-01-07 * "says invoice: INV-9" "number: 3"\n\n'
    assert issued(text) == ["INV-2026-000007", "CN-2026-000001"]


def test_file_calls_and_documents_are_covered_by_their_digests(root):
    own = {"invoices/2026-02/INV-2026-000008.json": "own"}
    files = Covered(Book(root)).files("C1", JANUARY, REFILL, TOLD, own)
    assert files == {
        "journals/2026-01/C1.01.beancount": seal.digest(REFILL.encode()),
        "invoices/2026-02/INV-2026-000008.json": seal.digest(b"own"),
        "invoices/2026-01/INV-2026-000007.json": seal.digest(b"{}"),
        "calls/C1.2026-01-01": TOLD,
    }


def test_a_document_just_put_into_the_draft_is_covered(root):
    draft = shelf.draft(root)
    covered = Covered(draft)
    assert "CN-2026-000001" not in covered.documents
    draft.put("invoices/2026-01/CN-2026-000001.json", "[]")
    files = covered.files("C1", JANUARY, CREDIT, TOLD, {})
    assert files["invoices/2026-01/CN-2026-000001.json"] == seal.digest(b"[]")


def test_a_document_that_is_gone_is_asked_back(root):
    with pytest.raises(BrokenBookError, match="names CN-2026-000001, which is not under invoices/"):
        Covered(Book(root)).files("C1", JANUARY, CREDIT, TOLD, {})


def test_bytes_that_are_no_text_are_digested_as_they_are(root):
    odd = (b"\xff" + REFILL.encode()).decode("utf-8", "surrogateescape")
    files = Covered(Book(root)).files("C1", JANUARY, odd, TOLD, {})
    assert files["journals/2026-01/C1.01.beancount"] == seal.digest(b"\xff" + REFILL.encode())
