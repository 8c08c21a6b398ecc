"""Who uses which deck, and from when."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.customers import register
from a2ledger.rating import usage

RULE = '\n[[sources.pbx1.rules]]\ncontexts = ["out"]\ntariff = "trunk, spare"\n'
JANUARY, FEBRUARY = dt.date(2026, 1, 1), dt.date(2026, 2, 1)


@pytest.fixture
def own(tmp_path):
    root = shelf.started(tmp_path / "book")
    for name in ("saver", "spring"):
        (root / f"tariffs/{name}.csv").write_text("dialprefix,rateinitial\n32,0.05\n")
    draft = shelf.draft(root)
    for name in ("C1", "C2"):
        register.add(draft, name, {"opened": str(JANUARY), "tariff": "saver, standard"})
    register.change(draft, "C2", {"tariff": "spring"}, FEBRUARY)
    shelf.publish(draft)
    config = root / "a2ledger.toml"
    config.write_text(config.read_text().replace("\n[sources.old]", RULE + "\n[sources.old]"))
    return Book(root)


def test_each_use_has_the_days_it_is_for(own):
    assert sorted(usage.uses(own)) == [
        ("saver", "C1", JANUARY, dt.date.max, "saver, standard"),
        ("saver", "C2", JANUARY, FEBRUARY, "saver, standard"),
        ("spare", "sources.pbx1", dt.date.min, dt.date.max, "trunk, spare"),
        ("spring", "C2", FEBRUARY, dt.date.max, "spring"),
        ("standard", "C1", JANUARY, dt.date.max, "saver, standard"),
        ("standard", "C2", JANUARY, FEBRUARY, "saver, standard"),
        ("trunk", "sources.pbx1", dt.date.min, dt.date.max, "trunk, spare"),
    ]


def test_a_deck_prices_the_calls_of_those_who_have_it_on_the_day_or_later(own):
    assert usage.customers_of(own, "saver", JANUARY) == ["C1", "C2"]
    assert usage.customers_of(own, "saver", FEBRUARY) == ["C1"]
    assert usage.customers_of(own, "spring", JANUARY) == ["C2"]
    assert usage.customers_of(own, "trunk", JANUARY) == []
    assert usage.numbers_of_customers(own, FEBRUARY) == {"saver": 1, "standard": 1, "spring": 1}


def test_decks_are_named_that_exist_and_those_only_mentioned(own):
    assert usage.names(own) == ["saver", "spare", "spring", "standard", "trunk"]
