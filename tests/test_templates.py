"""Templates are listed, copied into the book, and checked before a bill is made from them."""

from __future__ import annotations

from a2ledger.documents import render


def test_a_template_is_copied_changed_and_comes_first(book):
    names = {row["template"]: row["own"] for row in book.run("templates", "list", "--json").json}
    assert names["document.html.j2"] is False
    assert "words.j2" in names

    book.run("templates", "copy", "document.css", "document.txt.j2")
    assert "document.css" in book.git("ls-files", "templates")
    assert "own" in book.run("templates", "list").stdout
    assert "is there already" in book.run("templates", "copy", "document.css", code=1).stderr
    assert "no such template" in book.run("templates", "copy", "bill.html", code=1).stderr


def test_a_template_that_is_wrong_is_named_with_its_line(book):
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", today="2026-01-11")
    book.close(today="2026-02-01")
    assert book.run("templates", "check").stderr.endswith(
        "1 kind(s) of document rendered, 0 problem(s)\n"
    )

    (book.root / "templates").mkdir()
    render._environment.cache_clear()  # noqa: SLF001 - each command is a process of its own
    (book.root / "templates/document.txt.j2").write_text("{{ number }}\n{{ nothing.there }}\n")
    said = book.run("templates", "check", code=1).stderr
    assert "templates/document.txt.j2:2: 'nothing' is undefined" in said
