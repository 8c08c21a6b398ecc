"""Explain the price of one call: the rate that applied, and each step of the formula."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from a2ledger import money, times
from a2ledger.book.book import Book
from a2ledger.book.git import GitError
from a2ledger.calls.identity import identity
from a2ledger.journal import subledgers
from a2ledger.rating import cost, decks, formula
from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating
from a2ledger.rating.deck import Deck, Tariff
from a2ledger.rating.formula import Explained
from a2ledger.records import Customer, split_list
from a2ledger.sources.batch import OUTGOING

_VERSIONS = 50
"""Number of older versions of a deck to try."""


class Priced(NamedTuple):
    """The explanation of a call's price."""

    file: str
    line: int
    """Line of the rate in the deck."""
    prefix: str
    destination: str
    commit: str
    """Commit that last had this rate, empty if the deck has it now."""
    told: Explained | None
    """None if no deck gives the price."""
    note: str = ""
    bought: Explained | None = None


# ---- one call ----


def priced(book: Book, call: Mapping[str, Any], *, buy: bool = False) -> Priced:
    """Explain a call's price by its deck as it is or, if that has changed, as it was.

    Args:
        book: whose.
        call: a row of :attr:`Explanation.calls`.
        buy: whether to tell what its carrier takes, too.
    """
    price = call["cost_micro"] + call["voided_micro"]
    void_note = (
        f"it is void: {call['void']}; it would cost {money.text(price)}" if call["void"] else ""
    )
    path = f"tariffs/{call['deck']}.csv"
    if call["given"] or not call["seconds"]:
        why = (
            "its row said what it costs, or its rule that it is free"
            if call["given"]
            else "an answered call of no seconds is free"
        )
        note = "; ".join(filter(None, (why, void_note)))
        return Priced(path if call["deck"] else "", 0, call["prefix"], call["destination"], "",
                      None, note)  # fmt: skip
    customer = subledgers.customers(book)[call["customer"]]
    discount = int((customer.fact("discount_percent", call["day"]) or 0) * 100)
    local = _local(book, call)
    for commit, text, deck in _versions(book, call["deck"]):
        rate_row = rating.rate_of(Tariff(name=deck.name, decks=(deck,)), call["called"], local)
        if rate_row is None or deck.prefixes[rate_row[1]].as_py() != call["prefix"]:
            continue
        steps = _checked(*rate_row, call["seconds"], discount)
        if steps.cost_micro == price:
            rate = formula.rate(*rate_row)
            return Priced(
                path,
                tariff.lines(text)[rate_row[1]],
                call["prefix"],
                call["destination"],
                commit,
                steps,
                void_note,
                formula.bought(rate, call["seconds"]) if buy else None,
            )
    note = _otherwise(book, call, customer, discount, local)
    return Priced(
        path,
        0,
        call["prefix"],
        call["destination"],
        "",
        None,
        f"{note}{void_note and '; '}{void_note}",
    )


def _local(book: Book, call: Mapping[str, Any]) -> dt.datetime:
    """Return when a call started, in the book's time zone."""
    seconds = np.array([int(call["start"].timestamp())])
    naive = int(times.to_naive(seconds, book.config.timezone)[0])
    return (times.EPOCH + dt.timedelta(seconds=naive)).replace(tzinfo=None)


def _checked(deck: Deck, row: int, seconds: int, discount: int) -> Explained:
    """Explain a price, and check it against what the rating kernel charges."""
    steps = formula.sold(formula.rate(deck, row), seconds, discount)
    arrays = (np.array([value]) for value in (row, seconds, discount))
    billed, price, _ = cost.price(deck, *arrays)
    assert (steps.billed_seconds, steps.cost_micro) == (int(billed[0]), int(price[0]))  # noqa: S101 - what is told is what is charged
    return steps


def _versions(book: Book, name: str) -> Iterator[tuple[str, str, Deck]]:
    """Yield versions of a deck, newest first, starting with today's: commit, text, deck."""
    path = f"tariffs/{name}.csv"
    seen = {text := book.text(path)}
    if text:
        yield "", text, decks.deck(book, name)
    try:
        log = book.repository.run("log", f"-{_VERSIONS}", "--format=%h %cs", "--", path).stdout
        for commit in log.splitlines():
            text = book.repository.run("show", f"{commit.split()[0]}:{path}", check=False).stdout
            if text and text not in seen:
                seen.add(text)
                deck, problems = tariff.parse(text, name=name, file=path, locale=book.config.locale)
                if not problems:
                    yield commit, text, deck
    except GitError:
        return


def _otherwise(
    book: Book, call: Mapping[str, Any], customer: Customer, discount: int, local: dt.datetime
) -> str:
    """Describe what a call would cost now, if no version of its deck gives its price."""
    names = call["tariff"] or customer.text("tariff", call["day"])
    priced_by = tuple(decks.deck(book, name) for name in split_list(names))
    rate_row = rating.rate_of(Tariff(name=names, decks=priced_by), call["called"], local)
    by_now = "nothing: there is no rate"
    if rate_row:
        steps = _checked(*rate_row, call["seconds"], discount)
        prefix = rate_row[0].prefixes[rate_row[1]].as_py()
        by_now = f"{money.text(steps.cost_micro)}, tariffs/{rate_row[0].name}.csv, prefix {prefix}"
    return f"no version of its deck with the discount of now gives this price; it would be {by_now}"


def call_json(book: Book, call: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return a call as a row for ``--json``."""
    return {
        "call": number,
        "id": identity(call["switch"], call["uid"], call["seq"]),
        "start": f"{_local(book, call):%Y-%m-%d %H:%M:%S}",
        "direction": call["direction"] or OUTGOING,
        "extension": call["extension"],
        "caller": call["caller"],
        "called": call["called"],
        "seconds": call["seconds"],
        "billed_seconds": call["billed_seconds"],
        "cost": money.text(call["cost_micro"]),
        "deck": call["deck"],
        "prefix": call["prefix"],
        "since": call["since"],
        "void": call["void"],
        "read_from": f"{call['file']}:{call['line']}",
        "leg": call["leg"],
    }
