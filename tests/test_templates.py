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


def test_a_letter_that_is_wrong_and_a_template_no_document_needs_are_named_once(book):
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", today="2026-01-11")
    book.close(today="2026-02-01")
    book.run("templates", "copy", "mail.txt.j2", "notice.txt.j2")
    render._environment.cache_clear()  # noqa: SLF001 - each command is a process of its own
    book.append("templates/mail.txt.j2", "{{ nothing.there }}\n")
    book.append("templates/notice.txt.j2", "{% if %}\n")
    said = book.run("templates", "check", code=1).stderr.splitlines()
    assert len(said) == 3
    assert "templates/notice.txt.j2:" in said[0]
    assert said[0].endswith("nothing was written; correct the template")
    assert "templates/mail.txt.j2:" in said[1]
    assert "'nothing' is undefined" in said[1]
    assert said[2] == "1 kind(s) of document rendered, 2 problem(s)"
