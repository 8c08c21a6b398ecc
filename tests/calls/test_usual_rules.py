"""The rules of a source: its own, or its dialect's, fitted to the book."""

from __future__ import annotations

import pytest
import shelf

from a2ledger import sources
from a2ledger.book.book import Book
from a2ledger.book.source_config import Rule, Source
from a2ledger.calls.usual_rules import with_rules


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return Book(shelf.started(tmp_path_factory.mktemp("rules") / "book"))


def source(**more):
    return Source(**{"name": "s", "dialect": "asterisk", "switch": "s", "timezone": "UTC"} | more)


def test_a_source_with_rules_of_its_own_keeps_them(own):
    rules = (Rule(contexts=("out",)),)
    assert with_rules(own, source(rules=rules)).rules == rules


def test_a_service_or_a_deck_that_the_book_lacks_is_that_of_calls_or_free(own):
    for rule in with_rules(own, source()).rules:
        assert rule.service in own.config.services
        assert not rule.tariff or (own.root / f"tariffs/{rule.tariff}.csv").is_file()
    wanted = [rule.tariff for rule in sources.rules("asterisk") if rule.tariff]
    free = [rule for rule in with_rules(own, source()).rules if rule.free]
    assert len(free) >= len([name for name in wanted if name != "standard"])


def test_who_calls_from_outside_pays_for_nothing(own):
    rules = with_rules(own, source(identify=("src", "channel"))).rules
    usual = sources.rules("asterisk")
    for rule, before in zip(rules, usual, strict=True):
        if rule.direction == "incoming":
            assert rule.identify[: len(before.identify)] == before.identify
            assert "src" not in rule.identify[len(before.identify) :]
        else:
            assert rule.identify[:2] == ("src", "channel")
