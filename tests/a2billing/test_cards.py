"""A2Billing's cards as customers."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from exports import exported

from a2ledger.a2billing import cards
from a2ledger.a2billing.tables import Clock

UTC = zoneinfo.ZoneInfo("UTC")
CLOCK, TODAY = Clock(UTC, UTC), dt.date(2026, 2, 1)


def read(tmp_path, *rows, **tables):
    usual = {"username": "100", "creationdate": "2026-01-05 10:00:00", "status": "1"}
    numbered = [usual | {"username": str(100 + at)} | row for at, row in enumerate(rows)]
    return cards.read(exported(tmp_path, cc_card=numbered, **tables), "a2b", CLOCK, TODAY)


def card(tmp_path, **row):
    return read(tmp_path, row).cards["1"]


def test_a_card_is_a_customer_with_balance_limit_and_plan(tmp_path):
    own = card(
        tmp_path, credit="-3.5", typepaid="1", creditlimit="100", tariff="7", invoiceday="15",
        vat="21", company_name="Maes", firstname="Ada", lastname="M", country="BEL", inuse="2",
    )  # fmt: skip
    assert (own.credit_micro, own.call_plan, own.in_use) == (-3_500_000, "7", 2)
    facts = own.facts
    assert (facts["name"], facts["contact"], facts["country"]) == ("Maes", "Ada M", "BE")
    assert (facts["credit_limit"], facts["billing_day"], facts["vat"]) == (
        "100",
        "15",
        "on-invoice",
    )
    assert facts["identifiers"] == "a2b:1"


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ({"creditlimit": "100"}, "credit_limit", "0"),  # prepaid
        ({"invoiceday": "32"}, "billing_day", "1"),
        ({"invoiceday": "x"}, "billing_day", "1"),
        ({"status": "5"}, "status", "expired"),
        ({"status": "1"}, "status", "active"),
        ({"language": "xx"}, "language", ""),
        ({"country": "nowhere"}, "country", ""),
        ({"vat_rn": "none yet"}, "vat_id", ""),
        ({"firstname": "Ada"}, "name", "Ada"),
        ({}, "name", "100"),
    ],
)
def test_facts_that_are_none_are_the_usual_ones(tmp_path, row, key, value):
    assert card(tmp_path, **row).facts[key] == value


def test_a_card_without_a_date_has_that_of_the_one_before_it(tmp_path):
    zero = {"creationdate": "0000-00-00 00:00:00"}
    made = read(tmp_path, zero, {}, zero, {"creationdate": "2026-01-09 10:00:00"}).cards
    assert [made[number].created.day for number in "1234"] == [1, 5, 5, 9]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"credit": "much"}, "bad-amount"),
        ({"vat": "x"}, "bad-amount"),
        ({"vat": "NaN"}, "bad-amount"),
        ({"username": ""}, "bad-id"),
        ({"username": "a b"}, "bad-id"),
    ],
)
def test_a_card_that_can_be_no_customer_is_refused_and_the_others_are_read(tmp_path, row, reason):
    found = read(tmp_path, row, {})
    assert [refused.reason for refused in found.refused] == [reason]
    assert list(found.cards) == ["2"]
    assert (found.read, found.present) == (2, {"1", "2"})
