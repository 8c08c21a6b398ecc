"""Words of entries in the language of a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import vat
from a2ledger.documents import language, phrases

DUTCH = language.language("nl")


@pytest.mark.parametrize(
    ("words", "dutch"),
    [
        ("Refund", "Terugbetaling"),
        ("Credit note C-1 for INV-1", "Creditnota C-1 voor INV-1"),
        ("Rounding of fractions brought over", "Afronding van overgebrachte breuken"),
        ("Line, 3 of 31 days of 10.50", "Line, 3 van 31 dagen van 10,50"),
        (
            "Goodwill, of 2026-01-05, posted late",
            "Commercieel gebaar, van 5 januari 2026, laat geboekt",
        ),
        ("Line, of 2026-13-05, posted late", "Line, van 2026-13-05, laat geboekt"),
    ],
)
def test_words_of_the_program_are_said_in_the_language_of_the_document(words, dutch):
    assert phrases.spoken_text(words, DUTCH) == dutch
    assert phrases.spoken_text(words, language.language("en")) == words


@pytest.mark.parametrize("words", ["Chargeback of March", "Refunded by phone", "a Refund", "VATs"])
def test_words_of_a_person_that_begin_alike_stay(words):
    assert phrases.spoken_text(words, DUTCH) == words


@given(st.text("abc 0123.:-é\n", max_size=30))
def test_words_of_a_person_stay(words):
    assert phrases.spoken_text(words, DUTCH) == words


def test_reasons_that_the_program_gives_are_in_every_language():
    """Those of codes an operator writes are their own words."""
    own = {code.reason for code in vat.BUILT_IN.values()}
    assert own.union(vat.REASONS.values()) <= {*phrases.WORDS}
