"""Read A2Billing's cards as customers: identity, credit limit, call plan and balance."""

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
"""Facts taken from A2Billing only once: it has a VAT percentage and no more, the book has codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A card: its customer's facts, and their balance in A2Billing."""

    id: str
    username: str
    created: dt.date
    credit_micro: int
    """Balance, negative if the customer owes money."""
    initial_micro: int
    percent: Decimal
    """VAT percentage added to the customer's bills."""
    call_plan: str
    in_use: int
    """Number of calls that A2Billing believes are in progress."""
    facts: Mapping[str, str]
    row: Row


@dataclass(kw_only=True)
class Cards:
    """All cards, and those refused."""

    cards: dict[str, Card]
    refused: list[Refused]
    odd: Counter[str]
    """What was left out of accepted rows, with counts."""
    present: frozenset[str] = frozenset()
    """Ids of all cards, refused ones included."""

    @property
    def read(self) -> int:
        """Return the number of rows read."""
        return len(self.cards) + len(self.refused)


def read(tables: Tables, switch: str, clock: Clock, today: dt.date) -> Cards:
    """Read all cards.

    Args:
        tables: A2Billing's.
        switch: what identifiers of its calls begin with.
        clock: of its times.
        today: the day of a card of which nothing says when it was made.
    """
    groups = {row["id"]: row["name"] for row in tables.rows("cc_card_group", ("id", "name")).rows}
    table = tables.rows("cc_card", _COLUMNS)
    result = Cards(
        cards={},
        refused=list(table.refused),
        odd=Counter(),
        present=frozenset(row["id"] for row in table.rows),
    )
    created = _days(table.rows, clock, today)
    for row, day in zip(table.rows, created, strict=True):
        try:
            card = _card(row, day, switch, groups, result.odd)
        except ValueError as error:
            result.refused.append(
                row.refused("bad-amount", f"card {row['id']}: {error}", f"customer-{row['id']}")
            )
            continue
        if not accounts.is_customer_id(card.username) or card.username == accounts.NOBODY:
            message = f"card {card.id}: its username {card.username!r} cannot be a customer's id"
            result.refused.append(row.refused("bad-id", message, f"customer-{card.id}"))
        else:
            result.cards[card.id] = card
    return result


def balances(tables: Tables) -> dict[str, str]:
    """Read the balances of all cards as they are now, by id."""
    return {row["id"]: row["credit"] for row in tables.rows("cc_card", ("id", "credit")).rows}


def _days(rows: list[Row], clock: Clock, today: dt.date) -> Iterator[dt.date]:
    """Yield the creation days of cards, where one without a date has that of the card before it."""
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
    percent = percent_of(row["vat"])
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
        odd["an unknown country"] += 1
    vat_id = row["vat_rn"].replace(" ", "").replace(".", "")
    if vat_id and not vat.is_id(vat_id, country):
        odd["an invalid VAT id"] += 1
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


def percent_of(written: str) -> Decimal:
    """Parse a VAT percentage, rounded to two decimals.

    Raises:
        ValueError: if it is not one.
    """
    try:
        percent = Decimal(written or "0").quantize(Decimal("0.01"))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise ValueError(f"its vat {written!r} is not a percentage")
    return percent


def _country(written: str) -> str:
    """Return the two-letter country code for a three-letter one, or an empty text."""
    code = written.upper()
    if len(code) == len("BEL"):
        return str(next(iter(get_global("territory_aliases").get(code, ())), ""))
    return vat.nation(code)
