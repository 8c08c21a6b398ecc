from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from harness import a2ledger

from a2ledger.documents import pdf
from a2ledger.workers import Workers

try:
    import weasyprint  # noqa: F401
except OSError as error:  # its libraries are Debian's, not Python's
    pytest.skip(f"WeasyPrint does not work here: {error}", allow_module_level=True)

PAGE = "<!doctype html><title>Bill</title><p>To pay: 12.34"


def made(html: str, day: str = "2026-02-01") -> bytes:
    [content] = pdf.written([(html, day)])
    return content


def shown(content: bytes) -> str:
    return subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=content, check=True, capture_output=True
    ).stdout.decode()


def crashing(_page: pdf.Page) -> bytes:
    os.abort()


@pytest.fixture
def shop(book):
    """A book with one bill."""
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.moves("charges", "C1", "2026-01-07", "10.00", description="Line rental")
    book.close(today="2026-02-02")
    return book


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_a_bill_can_be_had_as_pdf_with_what_its_page_says(shop):
    [path] = shop.run("invoice", "INV-2026-000001", "--format", "pdf").stdout.split()
    assert path.endswith("/invoices/2026/INV-2026-000001.pdf")
    text = shown(Path(path).read_bytes())
    for word in ("INV-2026-000001", "Example Telecom", "Line rental", "12.10", "Page 1 of 1"):
        assert word in text
    assert "invoices" not in shop.git("status", "--short")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_what_explains_the_lines_of_a_bill_stands_on_their_sheet(demo_book, tmp_path):
    a2ledger("-C", demo_book, "invoice", "INV-2026-000007", "--format", "pdf", "-o", tmp_path)
    text = shown((tmp_path / "INV-2026-000007.pdf").read_bytes())
    first, second = text.rstrip("\f").split("\f")
    assert "Total of this invoice" in first
    assert "Calls are priced to a fraction of a cent" in first
    assert "Please pay EUR 16.67" in first
    assert "Account statement" in second
    assert "Seal of this period" in second


def test_the_same_page_is_the_same_file_and_pages_come_in_their_order():
    pages = [(PAGE.replace("12.34", f"{number}.00"), "2026-02-01") for number in range(3)]
    first, second = (list(pdf.written(pages, Workers(count))) for count in ("1", "2"))
    assert first == second
    assert len(set(first)) == 3
    assert list(pdf.written(pages[::-1], Workers("1"))) == first[::-1]


def test_nothing_outside_the_page_is_fetched(tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        secret = tmp_path / "secret.txt"
        secret.write_text("the key is 4711")
        there = f"http://127.0.0.1:{server.server_port}"
        content = made(
            f'{PAGE}<img src="{there}/a.png"><link rel=stylesheet href="{there}/b.css">'
            f'<link rel=attachment href="{secret.as_uri()}">'
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked == []
    assert b"EmbeddedFile" not in content
    assert b"4711" not in content


def test_where_it_is_not_installed_one_line_says_what_to_do(shop, monkeypatch):
    monkeypatch.setattr(pdf, "find_spec", lambda _name: None)
    done = shop.run("invoice", "--all", "--format", "pdf", code=1)
    assert done.stderr == (
        "a2ledger: PDF needs WeasyPrint; nothing was written; say `pip install 'a2ledger[pdf]'`\n"
    )


def test_a_library_that_crashes_ends_in_a_line_and_not_with_us(monkeypatch):
    monkeypatch.setattr(pdf, "_converted", crashing)
    with pytest.raises(pdf.PdfError, match="cannot work here"):
        made(PAGE)
