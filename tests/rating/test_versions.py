"""A deck as it is, as a file has it, and as it was."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger.book.book import Book as Ledger
from a2ledger.book.book import RefusedError
from a2ledger.rating import versions
from a2ledger.sources.batch import UnusableInput

DECK = "dialprefix,rateinitial\n32,0.05\n"


@pytest.fixture
def own(book):
    """A book whose deck has been committed twice."""
    for number, price in enumerate(("0.05", "0.06")):
        (book.root / "tariffs/trunk.csv").write_text(DECK.replace("0.05", price))
        book.git("add", "tariffs/trunk.csv")
        words = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        book.git(*words, "commit", "-qm", f"prices {number}\twith a tab")
    return Ledger(book.root)


def prices(deck):
    return deck.values["rateinitial"].tolist()


def test_commits_that_changed_a_deck_are_listed_newest_first(own):
    listed = versions.versions(own, "trunk", 10)
    assert [version.subject for version in listed] == [
        "prices 1\twith a tab",
        "prices 0\twith a tab",
    ]
    assert dt.date.fromisoformat(listed[0].day)
    assert versions.versions(own, "trunk", 1) == listed[:1]
    assert versions.versions(own, "nothing", 10) == []


def test_a_deck_is_named_or_is_a_file_or_was_at_a_commit(own, tmp_path):
    assert prices(versions.side(own, "trunk", "trunk")) == [60_000]
    first = versions.versions(own, "trunk", 10)[-1].commit
    assert prices(versions.side(own, f"{first}:tariffs/trunk.csv", "trunk")) == [50_000]
    file = tmp_path / "new.csv"
    file.write_text("\ufeff" + DECK.replace("0.05", "0.07"))
    assert prices(versions.side(own, str(file), "trunk")) == [70_000]


@pytest.mark.parametrize("where", ["nothing", "HEAD:nothing", "--output=x:y", ""])
def test_what_is_neither_is_refused(own, where):
    with pytest.raises(RefusedError, match="is neither a deck, a file"):
        versions.side(own, where, "trunk")


def test_a_deck_that_cannot_be_read_names_its_lines(own, tmp_path):
    file = tmp_path / "bad.csv"
    file.write_text("dialprefix,rateinitial\n32,x\n")
    with pytest.raises(UnusableInput, match=r"bad\.csv:2: rateinitial: 'x' is not an amount"):
        versions.side(own, str(file), "trunk")


def test_a_version_begins_on_the_day_its_deck_does(own):
    with (own.root / "a2ledger.toml").open("a") as config:
        config.write("\n[tariffs.trunk]\nvalid_from = 2026-02-01\n")
    begins = versions.side(Ledger(own.root), "HEAD:tariffs/trunk.csv", "trunk").sinces
    assert begins.to_pylist() == ["2026-02-01"]
