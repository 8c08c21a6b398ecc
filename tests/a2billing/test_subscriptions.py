"""What A2Billing charges each month, from the day on which it is paid no longer."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from exports import exported

from a2ledger.a2billing import subscriptions
from a2ledger.a2billing.tables import Clock

UTC = zoneinfo.ZoneInfo("UTC")
SINCE = dt.date(2026, 2, 1)


def read(tmp_path, services=("Calls", "Subscriptions", "DIDs"), **tables):
    own = exported(tmp_path, **tables)
    return subscriptions.read(own, Clock(UTC, UTC), SINCE, services)


def subscription(**row):
    return {"id_cc_card": 7, "id_subscription_fee": 1, "startdate": "2026-01-01", **row}


OFFER = [{"fee": "9.90", "label": "Flat"}]


@pytest.mark.parametrize(
    ("row", "start"),
    [
        ({}, SINCE),
        ({"startdate": "2026-03-05"}, dt.date(2026, 3, 5)),
        ({"next_billing_date": "2026-02-15 00:00:00"}, dt.date(2026, 2, 15)),
        ({"stopdate": "2026-02-01"}, None),
        ({"id_subscription_fee": 9}, None),
    ],
)
def test_a_subscription_goes_on_where_what_is_paid_ends(tmp_path, row, start):
    found = read(
        tmp_path, cc_subscription_service=OFFER, cc_card_subscription=[subscription(**row)]
    )
    assert [each.start for each in found] == [start] * (start is not None)
    for each in found:
        assert (each.card, each.id, each.amount, each.description) == (
            "7",
            "sub.1",
            "9.90000",
            "Flat",
        )


@pytest.mark.parametrize(
    ("reserved", "months", "start"),
    [
        ("2026-01-31", 1, dt.date(2026, 2, 28)),
        ("2025-11-15", 3, dt.date(2026, 2, 15)),
        ("2024-01-31", 1, SINCE),
        ("2026-01-10", 0, SINCE),
    ],
)
def test_a_number_is_paid_for_as_many_months_as_were_paid(tmp_path, reserved, months, start):
    use = {
        "id_cc_card": 7,
        "id_did": 1,
        "reservationdate": reserved,
        "activated": 1,
        "month_payed": months,
    }
    number = {"did": "3225550101", "fixrate": "1.50", "billingtype": 0}
    (each,) = read(tmp_path, cc_did=[number], cc_did_use=[use])
    assert (each.start, each.id, each.service) == (start, "did.1", "DIDs")
    assert read(tmp_path, cc_did=[number], cc_did_use=[use | {"releasedate": "2026-01-20"}]) == []
    assert read(tmp_path, cc_did=[number | {"billingtype": 3}], cc_did_use=[use]) == []
    assert read(tmp_path, cc_did=[number | {"fixrate": 0}], cc_did_use=[use]) == []


def test_where_the_book_lacks_a_service_it_is_that_of_calls(tmp_path):
    tables = {"cc_subscription_service": OFFER, "cc_card_subscription": [subscription()]}
    assert [each.service for each in read(tmp_path, ("Calls",), **tables)] == ["Calls"]
    assert [each.service for each in read(tmp_path, ("Voice",), **tables)] == ["Voice"]
