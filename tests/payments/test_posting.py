from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book import config
from a2ledger.journal import entries, syntax
from a2ledger.payments import posting
from a2ledger.records import Movement

DAY = dt.date(2026, 1, 5)


def movement(kind="payment", **given_):
    facts = {
        "source": kind + "s", "id": "a", "customer": "C1", "date": DAY, "amount_micro": 10_000_000,
    }  # fmt: skip
    return Movement(kind=kind, **(facts | given_))


def entry(*kind, vat="S21", currency="EUR", **given_):
    one = movement(*kind, **given_)
    return posting.entry(one, currency=currency, methods=config.METHODS, vat=vat)


def legs(one):
    return [(leg.account, str(leg.units)) for leg in one.postings]


def test_a_payment_is_written_like_this():
    assert syntax.formatted(entry(reference="r7", description="by post")) == (
        '2026-01-05 * "Payment" "by post" ^payment-payments-a\n'
        '  id: "a"\n'
        '  reference: "r7"\n'
        "  Assets:Bank                   10.00 EUR\n"
        "  Assets:Receivable:C1:Billed  -10.00 EUR\n"
        "\n"
    )


BILLED, UNBILLED = "Assets:Receivable:C1:Billed", "Assets:Receivable:C1:Unbilled"
CREDITED = (BILLED, "-10.00 EUR")


@pytest.mark.parametrize(
    ("kind", "given_", "expected"),
    [
        ("payment", {}, [("Assets:Bank", "10.00 EUR"), CREDITED]),
        ("payment", {"method": "CASH"}, [("Assets:Cash", "10.00 EUR"), CREDITED]),
        ("payment", {"method": "PayPal"}, [("Assets:Gateway:PayPal", "10.00 EUR"), CREDITED]),
        (
            "payment",
            {"amount_micro": -1},
            [("Assets:Bank", "-0.000001 EUR"), (BILLED, "0.000001 EUR")],
        ),
        ("refill", {}, [("Assets:Clearing:Refills", "10.00 EUR"), CREDITED]),
        ("refill", {"method": "voucher"}, [("Liabilities:Vouchers", "10.00 EUR"), CREDITED]),
        ("refill", {"method": "bonus"}, [("Expenses:Goodwill", "10.00 EUR"), CREDITED]),
        ("opening", {}, [(BILLED, "10.00 EUR"), ("Equity:Opening-Balances", "-10.00 EUR")]),
        (
            "charge",
            {"service": "One-off"},
            [(UNBILLED, "10.000000 EUR"), ("Income:One-off", "-10.000000 EUR")],
        ),
    ],
)
def test_what_is_debited_and_what_is_credited(kind, given_, expected):
    assert legs(entry(kind, **given_)) == expected


def test_a_charge_bears_its_vat_code_and_nothing_else_does():
    charge = entry("charge", service="One-off", vat="S10")

    assert [leg.meta for leg in charge.postings] == [{"vat": "S10"}, None]
    assert [leg.meta for leg in entry().postings] == [None, None]


def test_billed_has_the_currencys_decimals_or_as_many_as_it_needs():
    assert legs(entry(currency="JPY"))[0] == ("Assets:Bank", "10 JPY")
    assert legs(entry(amount_micro=7_123_450))[0] == ("Assets:Bank", "7.12345 EUR")


def test_a_late_entry_keeps_its_day():
    moved = entries.moved_to(entry(), dt.date(2026, 2, 1))

    assert (moved.date, moved.meta["late_from"]) == (dt.date(2026, 2, 1), DAY)
    assert (entries.own_day(moved), entries.own_day(entry())) == (DAY, DAY)


def test_a_payment_and_its_refill_credit_the_customer_once():
    payment = entry(reference="r1", method="cash")
    refill = entry("refill", id="r1", method="voucher")

    together = posting.paired(payment, refill, "C1")

    assert legs(together) == [("Assets:Cash", "10.00 EUR"), ("Liabilities:Vouchers", "-10.00 EUR")]
    assert together.links == {"payment-payments-a", "refill-refills-r1"}
    assert together.meta["customer"] == "C1"
    assert legs(posting.without_effect(refill, "C1")) == [
        ("Liabilities:Vouchers", "10.00 EUR"),
        ("Liabilities:Vouchers", "-10.00 EUR"),
    ]


@pytest.mark.parametrize(
    ("payment", "refill", "together"),
    [
        ({"reference": "r1"}, {}, True),
        ({}, {"reference": "a"}, True),
        ({"reference": "r1"}, {"reference": "a"}, True),
        ({}, {}, False),
        ({"reference": "r2"}, {"reference": "b"}, False),
        ({"reference": "a"}, {"reference": "r1"}, False),
    ],
)
def test_a_payment_and_a_refill_belong_together_if_one_names_the_other(payment, refill, together):
    one, other = entry(**payment), entry("refill", id="r1", **refill)

    assert posting.belong_together(one, other) is together


METHODS = st.sampled_from(["", "bank", "voucher", "PayPal"])


@given(
    METHODS,
    METHODS,
    st.integers(-(10**9), 10**9),
    st.text(max_size=5),
    st.none() | st.integers(-(10**9), 10**9),
)
def test_late_or_paired_an_entry_is_the_same_event(method, other, micro, text, part):
    payment = entry(method=method, amount_micro=micro, description=text, reference=text)
    refill = entry("refill", id="r1", method=other, amount_micro=micro)
    later = dt.date(2026, 2, 1)

    together = posting.paired(entries.moved_to(payment, later), refill, "C1", part)
    without = posting.without_effect(entries.moved_to(refill, later), "C1", part)

    for one in (together, without):
        legs = syntax.legs(syntax.formatted(one))
        assert sum(leg.micro for leg in legs) == 0
    assert posting.canonical(together) == posting.canonical(payment)
    assert posting.canonical(without) == posting.canonical(refill)
    assert posting.alone(together, "C1") == entries.moved_to(payment, later)
    assert posting.alone(without, "C1") == entries.moved_to(refill, later)
    assert posting.alone(payment, "C1") == payment


@pytest.mark.parametrize(
    "other",
    [
        {"amount_micro": 1},
        {"date": dt.date(2026, 1, 6)},
        {"method": "cash"},
        {"description": "x"},
        {"reference": "x"},
        {"id": "b"},
    ],
)
def test_another_amount_day_method_or_word_is_another_event(other):
    assert posting.canonical(entry(**other)) != posting.canonical(entry())


def test_whose_an_event_is_is_asked_apart():
    assert posting.canonical(entry(customer="c2")) == posting.canonical(entry())


def test_words_from_outside_are_made_plain():
    assert entry(description="<b>hi</b>\u202e\n\tthere").narration == "b hi /b there"
