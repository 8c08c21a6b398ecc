"""Rows that a person has dropped from the quarantine for good."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book, BrokenBookError, RefusedError
from a2ledger.sources import dropped, quarantine
from a2ledger.sources.batch import RAW_SHOWN, Refused

NOW = dt.datetime(2026, 2, 20, 10, tzinfo=dt.UTC)


def row(identity, raw="a,b"):
    return Refused("a.csv", 7, "no-rate", "", raw, identity)


@pytest.fixture
def root(tmp_path):
    root = shelf.started(tmp_path / "book")
    rows = {("pbx1", "i1"): row("i1"), ("pbx1", "i2"): row("i2", "c" * RAW_SHOWN)}
    (root / "quarantine").mkdir()
    (root / quarantine.PATH).write_bytes(quarantine.written(quarantine.Quarantine(rows)))
    return root


def drop(root, *identities, why="a test call"):
    draft = shelf.draft(root)
    count = dropped.drop(draft, identities, why, NOW)
    shelf.publish(draft)
    return count


def test_a_dropped_row_is_known_by_its_source_its_id_and_its_text(root):
    assert drop(root, "i1") == 1
    known = dropped.read(Book(root))
    assert known.has("pbx1", row("i1"))
    assert not known.has("pbx2", row("i1"))
    assert not known.has("pbx1", row("i1", "a,c"))
    assert known.has_text("pbx1", "a,b")
    assert known.identities("pbx1") == {"i1"}
    assert known.identities("pbx2") == set()
    assert list(quarantine.read(root).rows) == [("pbx1", "i2")]


def test_a_row_that_was_cut_is_known_by_what_was_kept_of_it(root):
    drop(root, "i2")
    assert dropped.read(Book(root)).has_text("pbx1", "c" * (RAW_SHOWN + 5))


def test_lines_are_added_and_hold_no_text_of_a_row(root):
    drop(root, "i1", why="twice, by hand")
    drop(root, "i2")
    lines = (root / dropped.PATH).read_text().splitlines()
    assert lines[1].startswith(
        '2026-02-20T10:00:00+00:00,pbx1,i1,a.csv,7,no-rate,"twice, by hand",'
    )
    assert len(lines) == 3
    assert "a,b" not in lines[1].partition("by hand")[2]


@pytest.mark.parametrize(
    ("identity", "why", "says"),
    [("i9", "x", "i9: not in the quarantine"), ("i1", " ", "--reason is empty")],
)
def test_nothing_is_dropped_that_is_not_there_or_has_no_reason(root, identity, why, says):
    with pytest.raises(RefusedError, match=says):
        drop(root, identity, why=why)


def test_a_line_that_was_edited_is_asked_back(root):
    drop(root, "i1")
    path = root / dropped.PATH
    path.write_text(path.read_text().replace("pbx1", ""))
    with pytest.raises(BrokenBookError, match=r"dropped\.csv:2: is no row that was dropped"):
        dropped.read(Book(root))
    path.unlink()
    assert dropped.read(Book(root)) is dropped.NONE
