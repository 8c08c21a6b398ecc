"""Accounts that people close: from the day after on nothing may be posted to them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import shelf

from a2ledger.book.book import Book
from a2ledger.journal import chart

TILL = "Assets:Cash"


def test_an_account_takes_entries_until_the_day_on_which_it_is_closed(tmp_path: Path):
    root = shelf.started(tmp_path / "book", "A")
    manual = root / "journals/manual.beancount"
    manual.write_text(f"; ours\n2026-02-07 close {TILL}\n2026-02-31 close Assets:Bank\n")
    book = Book(root)

    assert chart.closed(book, ["Assets:Bank", TILL], dt.date(2026, 2, 7)) is None
    found = chart.closed(book, ["Assets:Bank", TILL], dt.date(2026, 2, 8))
    assert str(found) == ("Assets:Cash is closed since 2026-02-07 (journals/manual.beancount:2)")
    assert chart.closed(book, ["Income:Calls"], dt.date.max) is None
