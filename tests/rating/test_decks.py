"""Decks kept ready for rating."""

from __future__ import annotations

import numpy as np
import pytest

from a2ledger.rating import deck as tariff
from a2ledger.rating import decks

TEXT = """\
dialprefix,destination,rateinitial,carrier,starttime,endtime,note
30,Greece,0.12,acme,,,a
306,Greece Mobile,0.30,acme,480,1080,b
_0044[1-2]X.,United Kingdom,0.10,,,,c
default,Rest of the world,1.00,,,,d
"""


@pytest.fixture
def deck():
    found, problems = tariff.parse(TEXT, name="standard", file="standard.csv")
    assert problems == []
    return found


def test_a_deck_that_was_kept_comes_back_whole(deck, tmp_path):
    file = decks.path(tmp_path / "decks", TEXT, "standard")
    decks.keep(file, deck)

    again = decks.load(file)

    assert again is not None
    assert (again.name, again.ignored_columns) == ("standard", ("note",))
    for name in ("prefixes", "destinations", "carriers"):
        assert getattr(again, name).equals(getattr(deck, name))
    assert again.values.keys() == deck.values.keys()
    assert all((again.values[name] == deck.values[name]).all() for name in deck.values)
    for name in ("bounds", "first", "row", "following"):
        assert np.array_equal(getattr(again.index, name), getattr(deck.index, name))
    assert again.index.patterns == deck.index.patterns


def test_another_text_or_name_is_another_deck(tmp_path):
    first = decks.path(tmp_path, TEXT, "standard")

    assert first != decks.path(tmp_path, TEXT + "1,USA,0.01,,,,\n", "standard")
    assert first != decks.path(tmp_path, TEXT, "saver")


@pytest.mark.parametrize("damage", [b"", b"not arrow", None])
def test_what_cannot_be_read_is_made_again(deck, tmp_path, damage):
    file = decks.path(tmp_path, TEXT, "standard")
    decks.keep(file, deck)
    file.write_bytes(file.read_bytes()[:100] if damage is None else damage)

    assert decks.load(file) is None


def test_where_nothing_can_be_kept_nothing_fails(deck, tmp_path):
    (tmp_path / "decks").write_text("a file where a directory is wanted")

    decks.keep(decks.path(tmp_path / "decks", TEXT, "standard"), deck)

    assert decks.load(decks.path(tmp_path / "decks", TEXT, "standard")) is None
