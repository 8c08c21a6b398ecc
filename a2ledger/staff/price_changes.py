"""The page "Price changes": the effect of a price list change on a month's real calls."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from flask import request

from a2ledger import money
from a2ledger.book.book import Book, RefusedError
from a2ledger.corrections import what_if
from a2ledger.corrections.what_if import Effect, Sums
from a2ledger.rating import decks, usage, versions
from a2ledger.rating.deck import Deck
from a2ledger.staff import revenue
from a2ledger.staff.page import Page, day_of, safe

_VERSIONS = 20
_SHOWN = 50
_COMMIT = re.compile(r"[0-9a-f]{4,40}")


class PriceChanges(Page):
    """A month's calls priced by a deck before and after a change."""

    report_title = "Price changes"
    has_js_module = False

    @safe
    def page(self) -> dict[str, Any]:
        """Return the values of the page: the choices, and the effect of those chosen."""
        book, args = self.book, request.args
        names = [name for name in usage.names(book) if book.has(f"tariffs/{name}.csv")]
        months = revenue.months_of_calls(book)
        name = args.get("deck", "")
        name = name if name in names else next(iter(names), "")
        month = args.get("month", "")
        month = month if month in months else next(iter(months), "")
        first, second = day_of("from"), day_of("to")
        shown: dict[str, Any] = {
            "decks": names,
            "months": months,
            "deck": name,
            "month": month,
            "version": args.get("version", ""),
            "versions": versions.versions(book, name, _VERSIONS) if name else [],
            "from": str(first or self.today),
            "to": str(second or self.today + dt.timedelta(days=1)),
            "effect": None,
        }
        if not (name and month and ("version" in args or first)):
            return shown
        before, after = _sides(book, name, args.get("version", ""), first, second)
        comparison = what_if.what_if(book, {name: before}, {name: after}, month)
        return shown | {"effect": _effect(comparison)}


def _sides(
    book: Book, name: str, version: str, first: dt.date | None, second: dt.date | None
) -> tuple[Deck, Deck]:
    """Return a deck before and after the chosen change.

    Raises:
        RefusedError: if nothing of the kind is there.
    """
    if version:
        if not _COMMIT.fullmatch(version):
            raise RefusedError("That is no version of a price list")
        return versions.side(book, f"{version}:tariffs/{name}.csv", name), decks.deck(book, name)
    if first is None or second is None:
        raise RefusedError("Name two days such as 2026-01-31")
    deck = decks.deck(book, name)
    return (
        deck.at(dt.datetime.combine(first, dt.time())),
        deck.at(dt.datetime.combine(second, dt.time())),
    )


def _effect(effect: Effect) -> dict[str, Any]:
    """Return the effect in the form the page shows."""
    return {
        "totals": [_row(currency, "", sums, 1) for currency, sums in sorted(effect.totals.items())],
        "kinds": [(kind, *_rows(effect, kind)) for kind in ("destinations", "customers")],
        "left": sorted(effect.left.items()),
    }


def _rows(effect: Effect, kind: str) -> tuple[list[dict[str, Any]], int]:
    """Return the rows with the largest effect, and the number of all rows."""
    rows = [row for row in effect.by_effect(kind) if row[1].difference or row[1].losing]
    most = max((abs(sums.difference) for _, sums in rows), default=0) or 1
    return [_row(currency, name, sums, most) for (name, currency), sums in rows[:_SHOWN]], len(rows)


def _row(currency: str, name: str, sums: Sums, most: int) -> dict[str, Any]:
    places = money.decimals(currency)

    def shown(micro: int) -> str:
        return money.text(money.rounded(micro, places), places)

    return {
        "name": name,
        "currency": currency,
        "calls": sums.calls,
        "before": shown(sums.before),
        "after": shown(sums.after),
        "difference": ("+" if sums.difference > 0 else "") + shown(sums.difference),
        "margin_before": shown(sums.before - sums.cost_before),
        "margin_after": shown(sums.after - sums.cost_after),
        "losing": sums.losing,
        "is_less": sums.difference < 0,
        "share": abs(sums.difference) * 100 // most,
    }
