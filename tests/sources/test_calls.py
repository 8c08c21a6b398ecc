"""The neutral shapes: calls, money that moves, customers."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger import sources
from a2ledger.book import config_parse, source_config
from a2ledger.customers import columns as customer_columns
from a2ledger.local_forms import NO_LOCALE
from a2ledger.payments import columns
from a2ledger.sources.batch import UnusableInput

SOURCE = source_config.Source(name="calls", dialect="calls", switch="calls", timezone="UTC")

BOOK = config_parse.parse(
    """
    currency = "EUR"
    timezone = "Europe/Athens"
    [company]
    name = "Example Telecom"
    [vat.codes.S24]
    rate = 24
    [services.Calls]
    vat = "S24"
    [services.One-off]
    vat = "S24"
    """
)


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "input.csv"
        path.write_text(content)
        return path

    return write


def test_calls_are_read_by_their_header(file):
    path = file(
        "Seconds,id,trunk,customer,called,start,caller,cost\n"
        "60,A-1,t1,C1,3069,2026-01-05 10:00:00,3021,0.125\n"
        '"1",A-2,t1,C2,"3070",2026-01-05T10:00:00Z,,\n'
    )
    (batch,) = sources.dialect("calls")(path, SOURCE)
    rows = batch.rows.to_pylist()
    assert [
        (row["uniqueid"], row["accountcode"], row["dst"], row["src"], row["seconds"], row["cost"])
        for row in rows
    ] == [("A-1", "C1", "3069", "3021", "60", "0.125"), ("A-2", "C2", "3070", "", "1", "")]
    assert all(row["answered"] for row in rows)
    assert batch.notes == (f"{path}:1: columns ignored: trunk",)
    assert batch.rows.column_names == [*sources.FIELDS, "line", "answered"]


def test_calls_without_a_needed_column_are_unusable(file):
    path = file("id,customer,start,called\nA,C1,2026-01-05 10:00:00,3069\n")
    with pytest.raises(UnusableInput) as caught:
        list(sources.dialect("calls")(path, SOURCE))
    assert str(caught.value) == (
        f"{path}:1: there is no column seconds; nothing was read from it; "
        "the first line must name customer,start,called,seconds, or say which they are with --map"
    )


def test_a_repeated_header_is_no_call(file):
    header = "id,customer,start,called,seconds\n"
    path = file(f"{header}A,C1,2026-01-05 10:00:00,3069,1\n{header}")
    (batch,) = sources.dialect("calls")(path, SOURCE)
    assert len(batch.rows) == 1
    assert [(row.line, row.reason) for row in batch.refused] == [(3, "header")]


def test_refills_and_payments_are_read(file):
    path = file(
        "id,customer,date,amount,method,reference,currency,description\n"
        'R1,C1,2026-01-05,10.00,voucher,P1,EUR,"top\n up"\n'
        "R2,C2,2026-01-05 23:30:00Z,-1.5,,,,\n"
    )
    found = columns.read("refills", path, BOOK)
    first, second = found.movements
    assert (first.kind, first.source, first.id, first.customer) == ("refill", "csv", "R1", "C1")
    assert (first.date, first.amount_micro) == (dt.date(2026, 1, 5), 10_000_000)
    assert (first.method, first.reference, first.description) == ("voucher", "P1", "top up")
    assert (first.file, first.line, second.line) == (str(path), 2, 4)
    assert (second.date, second.amount_micro) == (dt.date(2026, 1, 6), -1_500_000)
    assert (found.refused, found.read, found.notes) == ([], 2, ())


def test_charges_name_their_service(file):
    path = file(
        "id,customer,date,amount,service\nX1,C1,2026-01-05,5,One-off\nX2,C1,2026-01-05,5,\n"
    )
    found = columns.read("charge", path, BOOK)
    assert [charge.service for charge in found.movements] == ["One-off"]
    assert [row.reason for row in found.refused] == ["unknown-service"]


def test_openings_need_no_date(file):
    path = file(
        "id,customer,amount,number,date,due\nO1,C1,12.34,INV-7,2025-12-31,2026-01-14\nO2,C2,0,,,\n"
    )
    first, second = columns.read("openings", path, BOOK).movements
    assert (first.date, first.reference) == (dt.date(2025, 12, 31), "INV-7")
    assert (first.description, first.due) == ("due 2026-01-14", dt.date(2026, 1, 14))
    assert (second.date, second.reference, second.description) == (dt.date.min, "", "")
    bare = columns.read("openings", file("id,customer,amount\nO3,C3,1\n"), BOOK)
    assert bare.movements[0].date == dt.date.min


def test_a_payment_may_be_nobodys_and_nothing_else_may(file):
    path = file("id,customer,date,amount\nP1,,2026-01-05,1\n")
    (payment,) = columns.read("payments", path, BOOK).movements
    assert (payment.id, payment.customer) == ("P1", "")
    (refused,) = columns.read("refills", path, BOOK).refused
    assert (refused.reason, refused.message) == ("missing-customer", "there is no customer")


@pytest.mark.parametrize(
    ("row", "reason", "message"),
    [
        (",C1,2026-01-05,1,,", "missing-id", "there is no id"),
        ("P1,C1,2026-01-05,1e3,,", "bad-amount", "'1e3' is not an amount such as 12.34"),
        ("P1,C1,2026-01-05,,,", "bad-amount", "'' is not an amount such as 12.34"),
        ("P1,C1,2026-02-30,1,,", "bad-date", "date '2026-02-30' is no day such as 2026-01-31"),
        ("P1,C1,32/01/2026,1,,", "bad-date", "date '32/01/2026' is no day such as 2026-01-31"),
        ("P1,C1,,1,,", "bad-date", "date '' is no day such as 2026-01-31"),
        ("P1,C1,2026-01-05,1,euro,", "bad-currency", "its currency 'euro' is no code such as EUR"),
        ("P1,C1,2026-01-05", "columns", "there are 3 columns, not 6"),
    ],
)
def test_a_bad_movement_is_refused_alone(file, row, reason, message):
    path = file(f"id,customer,date,amount,currency,method\n{row}\nP2,C1,2026-01-05,1,EUR,bank\n")
    found = columns.read("payments", path, BOOK)
    assert [movement.id for movement in found.movements] == ["P2"]
    (refused,) = found.refused
    assert (refused.file, refused.line, refused.reason) == (str(path), 2, reason)
    assert (refused.message, refused.raw) == (message, row)
    assert refused.identity
    assert found.read == 2


def test_movements_without_a_needed_column_are_unusable(file):
    with pytest.raises(UnusableInput, match="no column customer, date"):
        columns.read("payments", file("id,amount\n"), BOOK)


def test_customers_are_read_with_the_facts_they_have(file):
    path = file(
        "id,name,credit_limit,tariff,identifiers,address,opened,shoe_size\n"
        'C1,Ann,0,standard,"1001, 1002","Street 1\nAthens",2026-01-01,43\n'
    )
    rows, refused, notes = customer_columns.read(path, NO_LOCALE)
    assert rows == [
        (
            2,
            {
                "id": "C1",
                "name": "Ann",
                "credit_limit": "0",
                "tariff": "standard",
                "identifiers": "1001, 1002",
                "address": "Street 1\nAthens",
                "opened": "2026-01-01",
            },
        )
    ]
    assert refused == []
    assert notes == (f"{path}:1: columns ignored: shoe_size",)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Ann,0,standard,", "missing-id"),
        ("C 1,Ann,0,standard,", "bad-id"),
        ("../C1,Ann,0,standard,", "bad-id"),
        ("C2,Ann,0,standard,", "twice"),
        ("C1,,0,standard,", "missing-name"),
        ("C1,Ann,0,standard,soon", "bad-date"),
        ('C1,"Ann,0,standard,', "quotes"),
    ],
)
def test_a_bad_customer_is_refused_alone(file, row, reason):
    path = file(f"id,name,credit_limit,tariff,opened\nC2,Bob,0,standard,\n{row}\n")
    rows, refused, _ = customer_columns.read(path, NO_LOCALE)
    assert [values["id"] for _, values in rows] == ["C2"]
    assert [(row.line, row.reason) for row in refused] == [(3, reason)]


def test_customers_without_a_needed_column_are_unusable(file):
    said = "there is no column credit_limit; .* must name id,name,credit_limit;"
    with pytest.raises(UnusableInput, match=said):
        customer_columns.read(file("id,name\n"), NO_LOCALE)


def test_words_that_name_no_direction_are_said(book):
    book.today = "2026-01-31"
    book.customers({"id": "C1"})
    rows = "".join(
        f"{number},C1,2026-01-0{number} 10:00:00,3225550101,60,{word}\n"
        for number, word in enumerate(("outbound", "sideways", "", "up"), 1)
    )
    path = book.file("log.csv", f"id,customer,start,called,seconds,direction\n{rows}")
    done = book.run("import", "calls", path)
    assert "'sideways', 'up' in the column of directions name none" in done.stderr
    assert "4 rows read, 4 posted" in done.stderr
