"""Numbers: where a series starts, and what it never does."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf
from harness import Book
from invoices import document

from a2ledger.documents.document import as_json, written
from a2ledger.documents.number_series import Numbers


@pytest.fixture
def charged(book: Book) -> Book:
    """A book whose customer A has a charge of 100.00 in January."""
    book.customers({"id": "A", "credit_limit": "1000"})
    book.moves("charges", "A", "2026-01-05", "100.00", today="2026-01-06")
    return book


@pytest.mark.parametrize("said", ["[numbers]\nnext = 544\n", "[series]\nstart = 544\n"])
def test_a_series_goes_on_where_another_system_ended(charged, said):
    charged.append("a2ledger.toml", f"\n{said}")
    assert [row["number"] for row in charged.close(today="2026-02-01")] == ["INV-2026-000544"]
    charged.moves("charges", "A", "2026-12-05", "1.00", today="2026-12-05")
    assert charged.close("A", today="2027-01-01")[-1]["number"] == "INV-2027-000001"


def test_a_number_that_an_opening_brought_is_not_taken_again(charged):
    row = {"id": "o1", "customer": "A", "amount": "50.00", "number": "INV-2026-000001",
           "due": "2026-01-15"}  # fmt: skip
    charged.imported("openings", [row], today="2026-01-06")
    refused = charged.run("close", today="2026-02-01", code=1)
    assert "INV-2026-000001 is the number of an opening balance" in refused.stderr
    charged.append("a2ledger.toml", "\n[numbers]\nnext = 2\n")
    assert [row["number"] for row in charged.close(today="2026-02-01")] == ["INV-2026-000002"]


def test_a_start_that_would_leave_numbers_out_is_refused(charged):
    charged.close(today="2026-02-01")
    charged.moves("charges", "A", "2026-02-05", "1.00", today="2026-02-05")
    charged.append("a2ledger.toml", "\n[numbers]\nnext = 10\n")
    refused = charged.run("close", today="2026-03-01", code=1)
    assert "numbers.next: is 10, and INV-2026-000001 was issued" in refused.stderr


def test_a_number_never_has_an_earlier_date_than_the_one_before_it(charged):
    charged.customers({"id": "B", "credit_limit": "1000"})
    charged.moves("charges", "B", "2026-01-05", "10.00", today="2026-01-06")
    charged.close("A", today="2026-02-10")
    refused = charged.run("close", "B", today="2026-02-03", code=1)
    assert "INV-2026-000001 was issued on 2026-02-10" in refused.stderr
    assert [row["number"] for row in charged.close("B", today="2026-02-10")] == ["INV-2026-000002"]


# Numbers without a close


@pytest.fixture
def root(tmp_path):
    return shelf.started(tmp_path / "book")


def issued(day):
    """Text of a document that was issued on a day."""
    return written(as_json(document(issue_date=day)))


def holding(root, *paths, today=dt.date(2026, 2, 20)):
    """Numbers of a book that holds some documents."""
    for path in paths:
        (root / "invoices" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "invoices" / path).write_text(issued("2025-12-31"))
    return Numbers(shelf.draft(root, today))


def test_the_first_document_is_number_one_and_each_series_counts_for_itself(root):
    numbers = holding(root)
    taken = [numbers.take(kind) for kind in ("invoice", "invoice", "credit-note", "invoice")]
    assert taken == ["INV-2026-000001", "INV-2026-000002", "CN-2026-000001", "INV-2026-000003"]


def test_asking_what_follows_takes_nothing(root):
    numbers = holding(root)
    assert numbers.following("invoice") == numbers.following("invoice") == numbers.take("invoice")


def test_the_highest_there_is_decides_and_not_how_many(root):
    numbers = holding(root, "2026/INV-2026-000009.json", "2026/INV-2026-000010.json")
    assert numbers.take("invoice") == "INV-2026-000011"


def test_a_series_with_the_year_in_it_begins_anew(root):
    paths = ["2025/INV-2025-000041.json", "2026/INV-2026-000003.json"]
    assert holding(root, *paths).take("invoice") == "INV-2026-000004"
    assert holding(root, today=dt.date(2027, 1, 1)).take("invoice") == "INV-2027-000001"


def test_other_files_and_renderings_take_no_number(root):
    numbers = holding(
        root, "2026/INV-2026-000007.html", "2026/XINV-2026-000008.json", "2026/note.json"
    )
    assert numbers.take("invoice") == "INV-2026-000001"


def test_a_draft_s_own_documents_count(root):
    draft = shelf.draft(root)
    draft.put("invoices/2026/INV-2026-000001.json", issued("2026-02-20"))
    assert Numbers(draft).take("invoice") == "INV-2026-000002"
