"""The rules of a source: its own, else its dialect's, fitted to the book."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from a2ledger import sources
from a2ledger.book.source_config import Rule, Source

if TYPE_CHECKING:
    from a2ledger.book.book import Book


def with_rules(book: Book, source: Source) -> Source:
    """Return a source with its effective rules.

    Where the book lacks a service that a dialect's rule names, it is ``Calls``; where it lacks the
    deck, what the deck would price is free. ``identify`` of a source holds for the dialect's rules,
    too; an incoming call is first of whom it called.
    """
    if source.rules:
        return source

    def fitted(rule: Rule) -> Rule:
        if rule.service not in book.config.services:
            rule = replace(rule, service=Rule().service)
        if rule.tariff and not (book.root / f"tariffs/{rule.tariff}.csv").is_file():
            rule = replace(rule, tariff="", free=True)
        if source.identify and rule.direction == "incoming":
            known = {*rule.identify, "src"}  # who calls from outside pays for nothing
            more = tuple(item for item in source.identify if item not in known)
            rule = replace(rule, identify=(*rule.identify, *more))
        elif source.identify:  # an internal call is of whom it called, if the caller is nobody's
            more = tuple(item for item in rule.identify if item == "dst")
            rule = replace(rule, identify=(*source.identify, *more))
        return rule

    return replace(source, rules=tuple(map(fitted, sources.rules(source.dialect))))
