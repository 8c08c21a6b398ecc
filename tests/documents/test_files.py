"""Closed documents are found by number or month, and only real ones are read."""

from __future__ import annotations

import json

import pytest
from harness import made_once

from a2ledger.book.book import Book, BrokenBookError, RefusedError
from a2ledger.documents import files


@pytest.fixture
@made_once
def two_months(book):
    book.customers({"id": "C1"})
    for month in (1, 2):
        book.talks("C1", f"2026-{month:02}-10", month, today=f"2026-{month:02}-11")
        book.close(today=f"2026-{month + 1:02}-03")
    return book


@pytest.mark.parametrize(
    ("numbers", "month", "found"),
    [
        ([], "", ["INV-2026-000001", "INV-2026-000002"]),
        ([], "2026-02", ["INV-2026-000002"]),
        ([], "2026-03", []),
        (["INV-2026-000001"], "", ["INV-2026-000001"]),
        (["INV-2026-000001"], "2026-02", []),
    ],
)
def test_documents_are_chosen_by_number_or_by_the_month_their_period_ends_in(
    two_months, numbers, month, found
):
    assert list(files.chosen(Book(two_months.root), numbers, month)) == found


def test_a_number_that_was_never_issued_is_refused_with_where_to_look(two_months):
    with pytest.raises(RefusedError, match="INV-2026-000009: no such document") as error:
        files.chosen(Book(two_months.root), ["INV-2026-000009"], "")
    assert "a2ledger invoices" in str(error.value)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "line"),
        (lambda _: "[]", "its parts are of another kind"),
        (lambda _: "{}", "it has no '"),
        (lambda text: text.replace('"2026-02-01"', '"1 February"', 1), "'1 February'"),
        (lambda text: json.dumps(json.loads(text) | {"period": "January"}), "of another kind"),
    ],
)
def test_a_file_that_is_no_document_is_named_with_its_way_back(two_months, damage, said):
    path = "invoices/2026/INV-2026-000001.json"
    text = two_months.text(path)
    (two_months.root / path).write_text(damage(text))
    assert damage(text) != text
    with pytest.raises(BrokenBookError) as error:
        files.read(Book(two_months.root), path)
    (problem,) = error.value.problems
    assert f"{path}: is not a document: " in str(problem)
    assert said in str(problem)
    assert f"git checkout HEAD -- {path}" in str(problem)
