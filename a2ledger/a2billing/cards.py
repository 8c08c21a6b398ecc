"""A2Billing's cards as customers: who they are, their limit, their call plan, their balance."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from babel.core import get_global

from a2ledger import accounts, vat
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.tables import Clock, Row, Tables
from a2ledger.facts import LANGUAGES
from a2ledger.sources.batch import Refused

_COLUMNS = (
    *("id", "username", "creationdate", "firstusedate", "credit", "initialbalance", "tariff"),
    *("status", "firstname", "lastname", "company_name", "address", "zipcode", "city", "state"),
    *("country", "phone", "email", "language", "typepaid", "creditlimit", "vat", "vat_rn"),
    *("invoiceday", "id_group", "inuse"),
)
STATUS = {
    "0": "cancelled",
    "1": "",
    "2": "new",
    "3": "waiting for confirmation",
    "4": "reserved",
    "5": "expired",
    "6": "suspended for underpayment",
    "7": "suspended for litigation",
    "8": "waiting for payment of subscription",
}
_LAST_DAY = 31
FIRST = ("vat", "vat_id", "country")
"""Facts that A2Billing says once: it knows no more than a percentage, and the book knows better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card: its customer, and what A2Billing keeps of his money."""

    id: str
    username: str
    created: dt.date
    credit_micro: int
    """What he has; below zero if he owes."""
    initial_micro: int
    percent: Decimal
    """VAT that is put on his bills."""
    call_plan: str
    in_use: int
    """Calls that A2Billing believes he is in."""
    facts: Mapping[str, str]
    row: Row


@dataclass(kw_only=True)
class Cards:
    """All cards, and what could not be taken as it stands."""

    cards: dict[str, Card]
    refused: list[Refused]
    odd: Counter[str]
    """What was left out of good rows, and how often."""
    present: frozenset[str] = frozenset()
    """Numbers of all cards, those refused among them."""

    @property
    def read(self) -> int:
        """Rows there were."""
        return len(self.cards) + len(self.refused)


def read(tables: Tables, switch: str, clock: Clock, today: dt.date) -> Cards:
    """All cards.

    Args:
        tables: A2Billing's.
        switch: what identifiers of its calls begin with.
        clock: of its times.
        today: the day of a card of which nothing says when it was made.
    """
    groups = {row["id"]: row["name"] for row in tables.rows("cc_card_group", ("id", "name")).rows}
    found = tables.rows("cc_card", _COLUMNS)
    result = Cards(
        cards={},
        refused=list(found.refused),
        odd=Counter(),
        present=frozenset(row["id"] for row in found.rows),
    )
    created = _days(found.rows, clock, today)
    for row, day in zip(found.rows, created, strict=True):
        try:
            card = _card(row, day, switch, groups, result.odd)
        except ValueError as error:
            result.refused.append(
                row.refused("bad-amount", f"card {row['id']}: {error}", f"customer-{row['id']}")
            )
            continue
        if not accounts.is_customer_id(card.username) or card.username == accounts.NOBODY:
            message = f"card {card.id}: its username {card.username!r} can be no customer's id"
            result.refused.append(row.refused("bad-id", message, f"customer-{card.id}"))
        else:
            result.cards[card.id] = card
    return result


def balances(tables: Tables) -> dict[str, str]:
    """Every card's balance as it is written now, to see what has moved."""
    return {row["id"]: row["credit"] for row in tables.rows("cc_card", ("id", "credit")).rows}


def _days(rows: list[Row], clock: Clock, today: dt.date) -> Iterator[dt.date]:
    """When cards were made: one that does not say, with the card before it."""
    before: dict[int, dt.date] = {}
    last = None
    for row in sorted(rows, key=lambda row: a2billing.whole(row["id"])):
        last = _day(row, "creationdate", clock) or last or _day(row, "firstusedate", clock)
        before[id(row)] = last or today
    return (before[id(row)] for row in rows)


def _day(row: Row, column: str, clock: Clock) -> dt.date | None:
    try:
        return clock.day(row[column]) if row[column] else None
    except ValueError:
        return None


def _card(
    row: Row, created: dt.date, switch: str, groups: Mapping[str, str], odd: Counter[str]
) -> Card:
    percent = _percent(row["vat"])
    return Card(
        id=row["id"],
        username=row["username"],
        created=created,
        credit_micro=a2billing.micro(row["credit"]),
        initial_micro=a2billing.micro(row["initialbalance"]),
        percent=percent,
        call_plan=row["tariff"] or "0",
        in_use=a2billing.whole(row["inuse"]),
        facts=_facts(row, percent, switch, groups, odd),
        row=row,
    )


def _facts(
    row: Row, percent: Decimal, switch: str, groups: Mapping[str, str], odd: Counter[str]
) -> dict[str, str]:
    person = " ".join(filter(None, (row["firstname"], row["lastname"])))
    town = " ".join(filter(None, (row["zipcode"], row["city"])))
    country = _country(row["country"])
    if row["country"] and not country:
        odd["a country that is none"] += 1
    vat_id = row["vat_rn"].replace(" ", "").replace(".", "")
    if vat_id and not vat.is_id(vat_id, country):
        odd["a VAT id that is none"] += 1
        vat_id = ""
    limit = abs(a2billing.whole(row["creditlimit"])) if row["typepaid"] == "1" else 0
    day = a2billing.whole(row["invoiceday"], 1)
    status = STATUS.get(row["status"], row["status"])
    return {
        "name": row["company_name"] or person or row["username"],
        "credit_limit": str(limit),
        "billing_day": str(day if 1 <= day <= _LAST_DAY else 1),
        "vat": "on-invoice" if percent else "none",
        "vat_id": vat_id,
        "email": row["email"],
        "address": ", ".join(filter(None, (row["address"], town, row["state"]))),
        "street": row["address"],
        "postcode": row["zipcode"],
        "city": row["city"],
        "region": row["state"],
        "country": country,
        "contact": person if row["company_name"] else "",
        "phone": row["phone"],
        "language": row["language"] if row["language"].lower() in LANGUAGES else "",
        "identifiers": a2billing.identifier(switch, row["id"]),
        "group": groups.get(row["id_group"], ""),
        "status": status or "active",
    }


def _percent(written: str) -> Decimal:
    try:
        return Decimal(written or "0").quantize(Decimal("0.01"))
    except InvalidOperation:
        raise ValueError(f"its vat {written!r} is no percentage") from None


def _country(written: str) -> str:
    """Two letters for A2Billing's three; empty where they are none."""
    code = written.upper()
    if len(code) == len("BEL"):
        return str(next(iter(get_global("territory_aliases").get(code, ())), ""))
    return vat.nation(code)
