"""Convert A2Billing's recurring charges to fees: subscriptions and rented numbers.

A2Billing charges one month at a time, in advance. The book takes over when the paid month ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import NamedTuple

from a2ledger import period
from a2ledger.a2billing import tables as a2billing
from a2ledger.a2billing.tables import Clock, Row, Tables

_SUBSCRIPTION = (
    *("id", "id_cc_card", "id_subscription_fee", "startdate", "stopdate", "product_name"),
    "next_billing_date",
)
_USE = ("id", "id_cc_card", "id_did", "reservationdate", "releasedate", "activated", "month_payed")
_RENTED = {"0", "1"}
"""Kinds of numbers that have a monthly price."""


class Recurring(NamedTuple):
    """A recurring charge, to become a fee."""

    card: str
    id: str
    service: str
    amount: str
    """Amount per month."""
    start: dt.date
    until: dt.date | None
    description: str


def subscription_id(number: str) -> str:
    """Return the fee id of a subscription."""
    return f"sub.{number}"


def number_id(number: str) -> str:
    """Return the fee id of a rented number."""
    return f"did.{number}"


def read(
    tables: Tables, clock: Clock, since: dt.date, services: Collection[str]
) -> list[Recurring]:
    """Return recurring charges, each from the day after A2Billing's last charged month."""
    charges = [*_subscriptions(tables, clock, since), *_numbers(tables, clock, since)]
    usual = "Calls" if "Calls" in services else next(iter(services))
    return [
        recurring if recurring.service in services else recurring._replace(service=usual)
        for recurring in charges
        if a2billing.micro(recurring.amount)
    ]


def _subscriptions(tables: Tables, clock: Clock, since: dt.date) -> Iterator[Recurring]:
    offers = {
        row["id"]: row
        for row in tables.rows("cc_subscription_service", ("id", "fee", "label")).rows
    }
    for row in tables.rows("cc_card_subscription", _SUBSCRIPTION).rows:
        offer = offers.get(row["id_subscription_fee"])
        until = _day(row, "stopdate", clock)
        begin = _day(row, "next_billing_date", clock) or _day(row, "startdate", clock) or since
        start = max(since, begin)
        if offer is not None and (until is None or until > start):
            yield Recurring(
                row["id_cc_card"],
                subscription_id(row["id"]),
                "Subscriptions",
                a2billing.five(offer["fee"]),
                start,
                until,
                row["product_name"] or offer["label"],
            )


def _numbers(tables: Tables, clock: Clock, since: dt.date) -> Iterator[Recurring]:
    columns = ("id", "did", "fixrate", "billingtype")
    numbers = {row["id"]: row for row in tables.rows("cc_did", columns).rows}
    for row in tables.rows("cc_did_use", _USE).rows:
        number = numbers.get(row["id_did"])
        is_rented = row["activated"] == "1" and not row["releasedate"]
        if number is None or not is_rented or number["billingtype"] not in _RENTED:
            continue
        begin = _day(row, "reservationdate", clock) or since
        paid = _later(begin, a2billing.whole(row["month_payed"]))
        yield Recurring(
            row["id_cc_card"],
            number_id(number["id"]),
            "DIDs",
            a2billing.five(number["fixrate"]),
            max(since, paid),
            None,
            f"Number {number['did']}",
        )


def _later(day: dt.date, months: int) -> dt.date:
    """Return the same day some months later, or the last of that month."""
    index = day.year * 12 + day.month - 1 + max(months, 0)
    first = dt.date(index // 12, index % 12 + 1, 1)
    return min(first + dt.timedelta(days=day.day - 1), period.last_of_month(f"{first:%Y-%m}"))


def _day(row: Row, column: str, clock: Clock) -> dt.date | None:
    try:
        return clock.day(row[column]) if row[column] else None
    except ValueError:
        return None
