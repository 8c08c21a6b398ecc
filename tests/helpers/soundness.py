"""Whether a book is sound, by every tool there is."""

from __future__ import annotations

from harness import bean_check


def sound(book):
    """Check the books with every tool there is."""
    book.run("check")
    for top in book.tops():
        assert not bean_check(book.root / top)


def due(book, customer, day="2026-03-01"):
    rows = book.run("ageing", customer, "--documents", "--as-of", day, "--json", today=day).json
    return [(row["number"], row["days"], row["open"]) for row in rows]
