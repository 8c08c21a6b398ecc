"""Documents in the formats people ask for."""

from __future__ import annotations

import pytest
from invoices import document

from a2ledger.book.disk import CannotWriteError
from a2ledger.documents import formats
from a2ledger.documents.document import read


def test_each_format_has_its_file_in_the_year_of_the_document(tmp_path):
    documents = {"INV-1": document(), "INV-2": document(issue_date="2025-12-31")}
    files = formats.rendered(documents, ["html", "json", "text"], tmp_path)
    assert sorted(files) == [
        *("2025/INV-2.html", "2025/INV-2.json", "2025/INV-2.txt"),
        *("2026/INV-1.html", "2026/INV-1.json", "2026/INV-1.txt"),
    ]
    assert read(files["2026/INV-1.json"].decode()) == documents["INV-1"]
    assert files["2026/INV-1.html"].startswith(b"<!doctype html>")
    assert formats.rendered({}, ["html"], tmp_path) == {}


def test_files_are_written_under_their_bare_names(tmp_path):
    formats.write(tmp_path / "out", {"2026/INV-1.json": b"{}"})
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["INV-1.json"]
    with pytest.raises(CannotWriteError, match="INV-1"):
        formats.write(tmp_path / "out/INV-1.json", {"x": b""})
