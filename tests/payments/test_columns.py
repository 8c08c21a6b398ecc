"""Rows of refills, payments, charges and openings, and of exchange rates."""

from __future__ import annotations

import datetime as dt

import pytest
import shelf

from a2ledger.book.book import Book
from a2ledger.local_forms import NO_LOCALE
from a2ledger.payments import columns, exchange_rate_columns
from a2ledger.sources.batch import UnusableInput


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return Book(shelf.started(tmp_path_factory.mktemp("columns") / "book")).config


@pytest.fixture
def read(config, tmp_path):
    def read(kind, text):
        path = tmp_path / "rows.csv"
        path.write_text(text)
        return columns.read(kind, path, config)

    return read


def test_a_row_is_a_movement_with_its_place(read):
    found = read("payments", "date,id,amount,customer,reference,note\n2026-01-05,1,12.5,C1,R 1,x\n")
    (row,) = found.movements
    assert (row.kind, row.id, row.customer, row.amount_micro) == ("payment", "1", "C1", 12_500_000)
    assert (row.reference, row.line, found.read) == ("R 1", 2, 1)


@pytest.mark.parametrize(
    ("date", "day"),
    [
        ("2026-01-31", 31),
        ("2026-01-31 23:30", 31),
        ("2026-01-31T23:30:00Z", 1),  # on the book's own clock
        ("2026-02-01 00:30:00+02:00", 31),
    ],
)
def test_a_time_with_a_zone_is_a_day_of_the_book(read, date, day):
    (row,) = read("refill", f"id,customer,date,amount\n1,C1,{date},1\n").movements
    assert row.date.day == day


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("refills", ",C1,2026-01-05,1,", "missing-id"),
        ("refills", "1,,2026-01-05,1,", "missing-customer"),
        ("refills", "1,C1,5.1.26,1,", "bad-date"),
        ("refills", "1,C1,2026-02-30,1,", "bad-date"),
        ("refills", "1,C1,1969-12-31,1,", "bad-date"),
        ("refills", "1,C1,2026-01-05,much,", "bad-amount"),
        ("refills", "1,C1,2026-01-05,1,euro", "bad-currency"),
        ("refills", "1,C1,2026-01-05", "columns"),
    ],
)
def test_a_row_that_is_none_is_refused_and_the_others_are_read(read, kind, row, reason):
    found = read(kind, f"id,customer,date,amount,currency\n0,C1,2026-01-05,1,EUR\n{row}\n")
    assert [(refused.line, refused.reason) for refused in found.refused] == [(3, reason)]
    assert [movement.id for movement in found.movements] == ["0"]
    assert found.read == 2


def test_each_kind_asks_for_what_it_needs(read):
    assert (
        read("payments", "id,customer,date,amount\n1,,2026-01-05,1\n").movements[0].customer == ""
    )
    charges = "id,customer,date,amount,service\n1,C1,2026-01-05,1,Calls\n2,C1,2026-01-05,1,Dreams\n"
    found = read("charges", charges)
    assert [movement.service for movement in found.movements] == ["Calls"]
    assert [refused.reason for refused in found.refused] == ["unknown-service"]
    (opening,) = read(
        "openings", "id,customer,amount,number,due\n1,C1,5,OLD-7,2026-01-31\n"
    ).movements
    assert (opening.date, opening.reference, opening.due) == (
        dt.date.min,
        "OLD-7",
        dt.date(2026, 1, 31),
    )
    with pytest.raises(UnusableInput, match="service"):
        read("charges", "id,customer,date,amount\n")


def test_exchange_rates_are_read_each_by_its_row(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text(
        "date,currency,price\n2026-01-05,USD,0.9\n2026-01-05,usd,1\n5.1.,USD,1\n2026-01-05,USD,0\n"
    )
    good, refused = exchange_rate_columns.read(path, NO_LOCALE)
    assert [(line, price.currency, str(price.number)) for line, price in good] == [
        (2, "USD", "0.9")
    ]
    assert [(row.line, row.reason) for row in refused] == [
        (3, "bad-currency"),
        (4, "bad-date"),
        (5, "bad-price"),
    ]
