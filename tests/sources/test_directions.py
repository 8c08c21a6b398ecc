"""Directions of calls, in the words of switches and providers."""

from __future__ import annotations

import pyarrow as pa
import pytest

from a2ledger.sources import directions


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Trunk In", "incoming"),
        ("eingehend", "incoming"),
        ("Appel entrant", "incoming"),
        ("Entrada", "incoming"),
        ("Indgående", "incoming"),
        ("ext-to-ext", "internal"),
        ("Interne", "internal"),
        ("abgehend", "outgoing"),
        ("in uscita", "outgoing"),
        ("Saída", "outgoing"),
    ],
)
def test_directions_are_known_in_the_languages_of_exports(word, name):
    assert directions.direction(word) == name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Inbound (queue)", "incoming"),
        ("trunking-originating-1", "outgoing"),
        ("outbound-dial", ""),
        ("sideways", ""),
        ("", ""),
    ],
)
def test_a_word_may_begin_with_a_direction_or_name_none(word, name):
    assert directions.direction(word) == name
    chunks = pa.chunked_array([[word], ["in"]], pa.string())
    assert directions.read(chunks).to_pylist() == [name, "incoming"]


def test_words_that_name_none_are_said_once_and_blanks_are_not():
    words = pa.array(["up", "in", "up", " ", "outbound-dial", "down"])
    assert list(directions.unknown(words, directions.read(words))) == ["up", "down"]


def test_no_word_names_two_directions():
    stems = [word for words in directions._STEMS.values() for word in words]  # noqa: SLF001
    assert len(stems) == len(set(stems))
