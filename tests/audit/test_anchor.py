"""Anchors: a line that a later book still has to hold."""

from __future__ import annotations

import datetime as dt
import json

import pytest
import shelf

from a2ledger.audit import anchor
from a2ledger.book.book import Book


def issued(root, name, day, customer="C1", **more):
    path = root / f"invoices/{day[:4]}/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"issue_date": day, "customer": {"id": customer}} | more))
    return path


@pytest.fixture
def root(book):
    """A book with two documents, of two days and customers."""
    issued(book.root, "INV-1", "2026-02-01")
    issued(book.root, "INV-2", "2026-03-01", "C2")
    return book.root


def said(root, text):
    return [problem.what for problem in anchor.problems(Book(root), text)]


def test_a_line_speaks_of_what_was_issued_before_its_day(root):
    lines = [anchor.line(Book(root), dt.date(2026, month, 1)) for month in (2, 3, 4)]
    counts = [line.split(" root=")[0] for line in lines]
    assert counts == [
        "2026-02-01 documents=0 customers=0 tags=0",
        "2026-03-01 documents=1 customers=1 tags=0",
        "2026-04-01 documents=2 customers=2 tags=0",
    ]
    assert len({line.rpartition("=")[2] for line in lines}) == 3
    assert said(root, "# kept\n\n" + "\n".join(lines)) == []


def test_documents_of_later_days_change_no_line(root):
    kept = anchor.line(Book(root), dt.date(2026, 4, 1))
    issued(root, "INV-3", "2026-04-01")
    assert said(root, kept) == []


@pytest.mark.parametrize("deed", ["edited", "gone", "another", "renamed"])
def test_whatever_happens_to_a_document_breaks_the_lines_after_it(root, deed):
    before, after = (anchor.line(Book(root), dt.date(2026, month, 1)) for month in (2, 4))
    path = root / "invoices/2026/INV-1.json"
    if deed == "edited":
        path.write_text(path.read_text() + "\n")
    elif deed == "gone":
        path.unlink()
    elif deed == "another":
        issued(root, "INV-0", "2026-01-31")
    else:
        path.rename(path.with_name("INV-9.json"))
    (what,) = said(root, after)
    assert what.startswith("the book is no more what it was on 2026-04-01: ")
    assert len(said(root, before)) == (deed == "another")


@pytest.mark.parametrize(
    "line", ["x", "2026-13-01 documents=1 customers=1 tags=0 root=" + "0" * 64]
)
def test_what_is_no_anchor_is_named_with_its_line(root, line):
    (problem,) = anchor.problems(Book(root), f"# first\n{line}\n")
    assert (problem.line, problem.reason) == (2, "anchor")
    assert "is no anchor" in problem.what


def test_a_document_that_cannot_be_read_counts_as_one_of_no_day(tmp_path):
    root = shelf.started(tmp_path / "book")
    (root / "invoices/2026").mkdir(parents=True)
    (root / "invoices/2026/INV-1.json").write_text("[1]")
    assert "documents=1" in anchor.line(Book(root), dt.date(2026, 1, 1))
