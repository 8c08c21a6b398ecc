"""One table of a book's paths; docs/book.md shows it."""

from __future__ import annotations

import pytest
from checkout import ROOT

from a2ledger.book import paths
from a2ledger.book.paths import TABLE, Writer


def rows() -> list[str]:
    """The table of docs/book.md, as the program's has it."""
    lines = []
    for kind in TABLE:
        back = kind.back.replace("{path}", "PATH")
        shown = f"`{back}`" if back.startswith(("git ", "a2ledger ")) else back
        git = "yes" if kind.in_git else "no"
        source = kind.source or "-"
        lines.append(f"| `{kind.pattern}` | {kind.writer} | {source} | {shown} | {git} |")
    return lines


def test_docs_show_the_table_as_the_program_goes_by_it():
    text = (ROOT / "docs/book.md").read_text()
    missing = [row for row in rows() if row not in text]
    assert not missing, "\n".join(rows())


@pytest.mark.parametrize(
    ("path", "writer", "is_kept"),
    [
        ("a2ledger.toml", Writer.YOU, True),
        ("journals/2026-01/C1.01.beancount", Writer.BOTH, True),
        ("journals/general/2026-01.beancount", Writer.DERIVED, True),
        ("journals/general/other.beancount", Writer.DERIVED, True),
        ("calls/2026-01/2026-01-05.parquet", Writer.PROGRAM, True),
        ("invoices/2026/INV-1.json", Writer.PROGRAM, True),
        ("invoices/2026/INV-1.html", Writer.DERIVED, False),
        (".a2ledger/published", Writer.PROGRAM, False),
    ],
)
def test_a_path_is_of_the_first_kind_that_fits(path, writer, is_kept):
    assert paths.kind(path).writer is writer
    assert paths.is_kept(path) is is_kept


@pytest.mark.parametrize("path", ["", "/etc/passwd", "x", "journals", ".git/config", "../x"])
def test_what_is_no_path_of_a_book_is_of_no_kind(path):
    assert paths.kind(path) is None
    assert not paths.is_committed(path)
