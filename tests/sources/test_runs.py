"""The runs of imports that a book remembers."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import IMPORTS, Book, BrokenBookError
from a2ledger.sources import runs

HEADER = "time,source,through,files,latest\n"


@pytest.fixture
def root(tmp_path):
    return shelf.started(tmp_path / "book")


def book(root, *lines):
    (root / IMPORTS).write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return Book(root)


def test_a_run_has_its_time_on_the_book_s_clock_and_the_day_it_was_limited_to(root):
    own = book(
        root,
        "2026-02-01T23:30:00+00:00,pbx1,,a.csv,",
        "2026-02-03T10:00:00+01:00,pbx1,2026-01-31,a.csv,",
    )
    first, second = runs.runs(own)
    assert (first.time.isoformat(), first.through) == ("2026-02-02T00:30:00+01:00", None)
    assert second.through == dt.date(2026, 1, 31)


@pytest.mark.parametrize("line", ["soon,pbx1,,a,", "2026-02-01T00:00:00+00:00,pbx1,31.1.,a,"])
def test_a_line_that_is_none_is_named(root, line):
    with pytest.raises(BrokenBookError, match=rf"{IMPORTS}:2: is no line of an import"):
        runs.runs(book(root, line))


def test_the_latest_start_is_of_runs_that_read_that_file_alone(root):
    own = book(
        root,
        "2026-02-01T00:00:00+00:00,pbx1,,a.csv,2026-01-31T10:00:00+00:00",
        "2026-02-02T00:00:00+00:00,pbx1,,a.csv,2026-01-30T10:00:00+00:00",
        "2026-02-03T00:00:00+00:00,pbx1,,a.csv b.csv,2026-02-01T10:00:00+00:00",
        "2026-02-03T00:00:00+00:00,pbx2,,a.csv,2026-02-02T10:00:00+00:00",
        "2026-02-03T00:00:00+00:00,pbx1,,a.csv,",
    )
    assert runs.latest(own, "pbx1", "a.csv").isoformat() == "2026-01-31T10:00:00+00:00"
    assert runs.latest(own, "pbx1", "c.csv") is None
