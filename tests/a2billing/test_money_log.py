"""Money in A2Billing's tables: what each row is, and what the balance moved by it."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from decimal import Decimal
from types import SimpleNamespace

import pytest
from exports import exported

from a2ledger.a2billing import money_log
from a2ledger.a2billing.money_log import Context
from a2ledger.a2billing.tables import Clock
from a2ledger.sources.batch import UnusableInput

UTC = zoneinfo.ZoneInfo("UTC")
CLOCK = Clock(UTC, UTC)
AT = "2026-01-05 10:00:00"
CARD = SimpleNamespace(id="1", username="100", percent=Decimal(21))


def read(tmp_path, fees=None, opened=dt.date(2026, 1, 1), **tables):
    context = Context(
        source="a2b", clock=CLOCK, owners={"1": "C1"}, cards={"1": CARD}, present={"1", "2"},
        services=("Calls", "DIDs", "Subscriptions", "One-off"), opened={"C1": opened},
        fees=fees or {}, today=dt.date(2026, 2, 1),
    )  # fmt: skip
    return money_log.read(exported(tmp_path, **tables), context)


def entries(log):
    return [
        (
            each.movement.kind,
            each.movement.id,
            each.movement.amount_micro,
            each.credit_micro,
            each.cause,
        )
        for each in log.entries.get("1", ())
    ]


def refill(credit="10", **more):
    return {"date": AT, "credit": credit, "card_id": 1, "refill_type": 0, **more}


def payment(amount="12.10", **more):
    return {"date": AT, "payment": amount, "card_id": 1, "id_logrefill": 0, **more}


def test_a_payment_moves_nothing_and_its_refill_does(tmp_path):
    log = read(tmp_path, cc_logrefill=[refill("12.10")], cc_logpayment=[payment(id_logrefill=1)])
    assert entries(log) == [
        ("refill", "1", 12_100_000, 12_100_000, ""),
        ("payment", "1", 12_100_000, 0, ""),
    ]
    assert log.entries["1"][1].movement.reference == "1"


def test_vat_paid_with_a_top_up_is_a_refill_of_its_own(tmp_path):
    log = read(tmp_path, cc_logrefill=[refill("10")], cc_logpayment=[payment(id_logrefill=1)])
    assert entries(log)[2] == ("refill", "vat-1", 2_100_000, 0, "vat-paid")
    assert log.edited == {}


def test_a_refill_that_is_neither_its_payment_nor_that_less_vat_was_edited(tmp_path):
    log = read(tmp_path, cc_logrefill=[refill("7")], cc_logpayment=[payment(id_logrefill=1)])
    assert log.edited == {"1": [("cc_logrefill 1, cc_logpayment 1", (3_000_000, 5_100_000))]}


@pytest.mark.parametrize(
    ("number", "credit", "cause"),
    [(0, 0, "paid-without-credit"), (9, 10_000_000, "refill-deleted")],
)
def test_a_payment_without_its_refill_says_why(tmp_path, number, credit, cause):
    (found,) = entries(read(tmp_path, cc_logpayment=[payment(id_logrefill=number)]))
    assert found == ("payment", "1", 12_100_000, credit, cause)


def charge(kind=4, **more):
    usual = {"id_cc_card": 1, "creationdate": AT, "amount": "5", "chargetype": kind}
    return usual | {"charged_status": 0, "invoiced_status": 0} | more


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (charge(charged_status=1), ("One-off", -5_000_000, "", False)),
        (charge(), ("One-off", 0, "never-taken", False)),
        (charge(1), ("DIDs", -5_000_000, "", True)),
        (charge(1, invoiced_status=1), ("DIDs", 0, "never-taken", False)),
        (charge(3), ("Subscriptions", 0, "never-taken", False)),
    ],
)
def test_a_charge_is_taken_from_the_balance_or_put_on_an_invoice(tmp_path, row, expected):
    (each,) = read(tmp_path, cc_charge=[row]).entries["1"]
    assert (each.movement.service, each.credit_micro, each.cause, each.also_billed) == expected


def test_a_fee_that_the_book_charges_itself_is_no_charge(tmp_path):
    fees = {("C1", "did.4"): dt.date(2026, 1, 5)}
    row = charge(2, id_cc_did=4, charged_status=1)
    log = read(tmp_path, fees, cc_charge=[row, row | {"creationdate": "2026-01-04 10:00:00"}])
    assert log.own_fees == {"1": [("cc_charge 1", -5_000_000)]}
    assert [name for _, name, *_ in entries(log)] == ["2"]


def test_a_refill_of_a_fee_is_a_charge(tmp_path):
    log = read(tmp_path, cc_logrefill=[refill("-3", refill_type=2)])
    assert entries(log) == [("charge", "refill-1", 3_000_000, -3_000_000, "")]


def test_a_used_voucher_is_a_refill_unless_one_mentions_it(tmp_path):
    voucher = {
        "voucher": "V1",
        "credit": "10",
        "currency": "usd",
        "usedcardnumber": "100",
        "usedate": AT,
    }
    rates = [{"currency": "USD", "value": "0.9"}]
    log = read(
        tmp_path,
        cc_voucher=[voucher, voucher | {"voucher": "V2", "usedcardnumber": ""}],
        cc_currencies=rates,
    )
    assert entries(log) == [("refill", "voucher-1", 9_000_000, 9_000_000, "")]
    assert log.strays == {"refill": {"unused-voucher": 1}}
    log = read(tmp_path, cc_voucher=[voucher], cc_logrefill=[refill(description="by V1")])
    assert log.strays == {"refill": {"voucher-with-refill": 1}}


@pytest.mark.parametrize(
    ("row", "stray"),
    [({"card_id": 0}, "no-card"), ({"card_id": 9}, "deleted-card"), ({"credit": "-0"}, "nothing")],
)
def test_rows_of_no_customer_are_counted(tmp_path, row, stray):
    log = read(tmp_path, cc_logrefill=[refill(**row)])
    assert (log.strays, log.entries) == ({"refill": {stray: 1}}, {})


def test_rows_that_are_none_are_refused_and_a_date_of_zeros_is_that_before(tmp_path):
    rows = [refill(), refill("x"), refill(card_id=2), refill(date="0000-00-00 00:00:00")]
    log = read(tmp_path, cc_logrefill=rows)
    assert ["its card 2 was refused" in row.message for row in log.refused["refill"]] == [
        False,
        True,
    ]
    assert [each.movement.date.day for each in log.entries["1"]] == [5, 5]
    assert log.odd == {"an invalid date": 1}


def test_an_invoice_that_is_not_paid_has_its_vat_and_what_the_balance_holds_of_it(tmp_path):
    invoice = {"reference": "I-1", "id_card": 1, "date": AT, "paid_status": 0, "status": 1}
    items = [
        {"id_invoice": 1, "price": "10", "vat": "21", "type_ext": "POSTPAID"},
        {"id_invoice": 1, "price": "5", "vat": "", "type_ext": ""},
    ]
    own = exported(
        tmp_path, cc_invoice=[invoice, invoice | {"paid_status": 1}], cc_invoice_item=items
    )
    ((found,),) = money_log.unpaid(own, CLOCK).values()
    assert (found.reference, found.gross_micro, found.in_credit_micro) == (
        "I-1",
        17_100_000,
        10_000_000,
    )
    assert money_log.in_credit(own, CLOCK) == {"I-1": 0}


@pytest.mark.parametrize(
    ("item", "invoice", "why"),
    [
        ({"vat": "x"}, {}, "cc_invoice_item 1: its vat 'x' is not a percentage"),
        ({"vat": "NaN"}, {}, "cc_invoice_item 1: its vat 'NaN' is not a percentage"),
        ({"price": "x"}, {}, "cc_invoice_item 1: 'x' is not an amount"),
        ({}, {"date": "soon"}, "cc_invoice 1: "),
    ],
)
def test_an_invoice_that_cannot_be_read_is_named(tmp_path, item, invoice, why):
    usual = {"reference": "I-1", "id_card": 1, "date": AT, "paid_status": 0, "status": 1}
    own = exported(
        tmp_path,
        cc_invoice=[usual | invoice],
        cc_invoice_item=[{"id_invoice": 1, "price": "10", "vat": "21"} | item],
    )
    with pytest.raises(UnusableInput, match=re.escape(why)):
        money_log.unpaid(own, CLOCK)
