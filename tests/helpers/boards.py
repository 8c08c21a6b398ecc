"""Switchboards over customers and decks given as values, without a book on disk."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from a2ledger import records
from a2ledger.book.authorize import Authorize
from a2ledger.rating import deck as decks
from a2ledger.switch.decide import Decision
from a2ledger.switch.questions import Begin
from a2ledger.switch.state import State
from a2ledger.switch.switchboard import Switchboard
from a2ledger.switch.terms import Account, Snapshot

ZONE = ZoneInfo("Europe/Brussels")
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=ZONE)
OPENED = dt.date(2026, 1, 1)
EUR = 1_000_000

DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock,connectcharge,minimal_cost
32,Belgium,0.60,60,60,0,0
33,France,0.06,1,1,0,0
34,Spain,0.30,30,6,0.10,0
35,Portugal,0.02,1,1,0,0.25
39,Italy,0,1,1,0,0
88,Satellite,5,1,1,0,0
"""

TIMED = """\
dialprefix,destination,rateinitial,initblock,billingblock,starttime,endtime
44,Day,1.20,60,60,0,2159
44,Night,0.12,1,1,2160,10079
"""
"""Dear from Monday to Tuesday noon, cheap until Sunday."""


def deck(text: str, name: str = "standard") -> decks.Deck:
    """Return a deck written in CSV."""
    parsed, problems = decks.parse(text, name=name, file=f"{name}.csv")
    assert problems == []
    return parsed


ALL = deck(
    DECK
    + "".join(
        f"{line.split(',')[0]},{line.split(',')[1]},1,1,1,0,0\n" for line in TIMED.splitlines()[1:2]
    ).replace("44,Day,1,", "45,Denmark,1,")
)


def customer(name: str, limit: str = "10", **facts: str) -> records.Customer:
    """Return a customer with a credit limit and the tariff ``standard``."""
    values = {"credit_limit": limit, "tariff": "standard", **facts}
    return records.Customer(
        id=name,
        opened=OPENED,
        facts={key: ((OPENED, value),) for key, value in values.items()},
    )


def snapshot(*accounts: Account, generation: int = 1, settings: Authorize | None = None, **given):
    """Return a book's snapshot of some accounts."""
    holders: dict[str, tuple[str, ...]] = {}
    for account in accounts:
        for text in account.customer.values("identifiers"):
            for identifier in records.split_list(str(text)):
                holders[identifier] = (*holders.get(identifier, ()), account.customer.id)
    return Snapshot(
        generation=generation,
        accounts={account.customer.id: account for account in accounts},
        holders=holders,
        decks=given.get("decks", {"standard": ALL}),
        currency="EUR",
        deck_currencies={},
        settings=settings or Authorize(),
        normalised=lambda number, _plan: number,
    )


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **span: int) -> None:
        self.now += dt.timedelta(**span)


def board(path, *accounts: Account, clock: Clock | None = None, **given) -> Switchboard:
    """Return a switchboard that has just read its book."""
    clock = clock or Clock()
    made = Switchboard(state=State(str(path)), clock=clock, zone=ZONE)
    made.snapshot = snapshot(*accounts, **given)
    made.checked = clock()
    return made


def account(name: str = "ada", limit: str = "10", owed: float = 0, **facts: str) -> Account:
    """Return the account of a customer with a credit limit, and what they owe in euros."""
    return Account(customer=customer(name, limit, **facts), owed_micro=int(owed * EUR))


def begin(board: Switchboard, call: str = "1", called: str = "3312", **given: Any) -> Decision:
    """Ask whether Ada may make a call."""
    (decision,) = board.answer([Begin(call=call, called=called, customer="ada", **given)])
    assert isinstance(decision, Decision)
    return decision
