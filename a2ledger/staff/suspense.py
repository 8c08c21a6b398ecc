"""Money that is nobody's yet, with the customers whose it may be."""

from __future__ import annotations

import re
from typing import Any

from a2ledger.corrections.transfer import Unmatched
from a2ledger.staff.cards import Deck

_MOST = 3
_SHORTEST_NAME = 4


def _spoken(text: str) -> str:
    return re.sub(r"[^\w]+", " ", text.lower()).strip()


class Suggestions:
    """Knows by which words and amounts money may be a customer's."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self._names = deck.names()
        self._ids = {identity.lower(): identity for identity in deck.cards}
        self._spoken = [
            (spoken, identity)
            for identity, name in self._names.items()
            if len(name) >= _SHORTEST_NAME and (spoken := _spoken(name))
        ]
        self._numbers: list[tuple[str, str, str]] = []
        self._amounts: dict[tuple[int, str], list[tuple[str, str]]] = {}
        for identity, card in deck.cards.items():
            for one in card.aged.documents:
                if one.number:
                    self._numbers.append((one.number.lower(), one.number, identity))
                key = (one.open_micro, card.aged.currency)
                self._amounts.setdefault(key, []).append((identity, one.number or one.title))

    def of(self, row: Unmatched) -> list[dict[str, Any]]:
        """Return customers whose money it may be, the likeliest first, and why."""
        text = f"{row.reference} {row.description}"
        lower, words = text.lower(), _spoken(text)
        found: dict[str, tuple[int, str]] = {}

        def suggest(customer: str, rank: int, why: str) -> None:
            if customer not in found or found[customer][0] > rank:
                found[customer] = (rank, why)

        for small, number, customer in self._numbers:
            if small in lower:
                suggest(customer, 0, f"names {number}")
        for word in lower.split():
            if word in self._ids:
                suggest(self._ids[word], 0, f"names {self._ids[word]}")
        for spoken, customer in self._spoken:
            if spoken in words:
                suggest(customer, 1, f"names {self._names[customer]}")
        for customer, title in self._amounts.get((row.amount_micro, row.currency), ()):
            suggest(customer, 2, f"{title} is open with this amount")
        ranked = sorted(found.items(), key=lambda item: (item[1][0], item[0]))
        return [
            {"customer": customer, "name": self._names.get(customer, ""), "why": why}
            for customer, (_, why) in ranked[:_MOST]
        ]
