"""What an e-invoice says of a document, in either syntax, and what keeps one from being made."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from invoices import (
    CUSTOMER,
    KINDS,
    OUTSIDE,
    credit_note,
    document,
    line,
)

from a2ledger.documents import cii, einvoice, profiles, ubl


def drawn(made):
    return einvoice.draw_up(made, profiles.profile_of(made))


@pytest.mark.parametrize("kind", KINDS)
def test_amounts_are_the_document_s_and_add_up_exactly(kind):
    made = KINDS[kind]
    told = drawn(made)

    cents = [round(float(item.net) * 100) for item in told.items]
    allowed = sum(round(float(row.net) * 100) for row in told.allowances)
    assert sum(cents) - allowed == round(float(told.net) * 100)
    assert sum(cents) == round(float(told.items_net) * 100)
    assert (told.net, told.vat, told.gross) == (made.net, made.vat_total, made.gross)
    paid = float(told.paid or 0)
    assert round(float(told.gross) - paid, 2) == float(told.due)
    for item in told.items:
        assert float(item.quantity) * float(item.price) == float(item.net)
        assert not item.price.startswith("-")


@pytest.mark.parametrize(
    ("given", "paid", "due"),
    [
        ({"to_pay": "121.00"}, "", "121.00"),
        ({"to_pay": "171.00"}, "", "121.00"),  # an older debt is no part of it
        ({"to_pay": "21.00"}, "100.00", "21.00"),
        ({"to_pay": "0.00", "credit": "0.00"}, "121.00", "0.00"),
        ({"to_pay": "0.00", "credit": "79.00"}, "121.00", "0.00"),
    ],
)
def test_credit_there_was_is_the_paid_amount(given, paid, due):
    told = drawn(document(**given))

    assert (told.paid, told.due) == (paid, due)


def test_a_credit_note_is_credited_in_full_whatever_is_owed_besides():
    told = drawn(credit_note(to_pay="300.00"))

    assert (told.kind, told.gross, told.paid, told.due) == ("381", "121.00", "", "121.00")
    assert told.original == ("INV-2026-000001", "2026-02-01")
    assert told.note.startswith("Wrong tariff. Account: ")


@pytest.mark.parametrize("write", [ubl.write, cii.write])
def test_a_charge_below_zero_reduces_the_invoice_and_a_correction_is_an_item(write):
    drawn = einvoice.draw_up(KINDS["reduced"])

    assert [(item.id, item.net) for item in drawn.items] == [("1", "100.00"), ("3", "-5.00")]
    assert [(row.reason, row.net, row.category) for row in drawn.allowances] == [
        *(("For the outage", "15.00", "S"), ("Calls", "5.00", "E"))
    ]
    assert (drawn.items_net, drawn.allowed, drawn.net) == ("95.00", "20.00", "75.00")
    assert b"For the outage" in write(drawn)


def test_an_invoice_of_nothing_but_reductions_has_items():
    made = credit_note(lines=(line(1, "-15.00", "S21", kind="charge"),))
    for kind in ("invoice", "credit-note"):
        assert einvoice.draw_up(replace(made, kind=kind)).allowances == ()


def test_codes_that_share_category_and_rate_are_one_row():
    taxes = drawn(KINDS["mixed"]).taxes

    assert [(row.category, row.rate, row.net, row.vat) for row in taxes] == [
        ("S", "21", "103.00", "21.63"), ("Z", "0", "10.00", "0.00"),
        ("E", "0", "-5.00", "0.00"), ("S", "6", "-1.00", "-0.06"),
    ]  # fmt: skip


def test_nobody_s_vat_id_stands_on_what_is_outside_the_scope_of_vat():
    told = drawn(document(OUTSIDE))

    assert (told.seller.vat_id, told.buyer.vat_id) == ("", "")
    assert told.seller.registration == ("0208", "0403170701")
    for content in (ubl.write(told), cii.write(told)):
        assert b"BE0403170701" not in content
        assert b"VATEX-EU-O" in content


def test_the_reverse_charge_is_told_in_words_and_by_code():
    for content in (ubl.write(drawn(KINDS["reverse charge"])),
                    cii.write(drawn(KINDS["reverse charge"]))):  # fmt: skip
        assert b"VATEX-EU-AE" in content
        assert b">Reverse charge" in content


def test_days_outside_the_period_are_told_in_words():
    late, advance = drawn(KINDS["late and advance"]).items

    assert (late.start, advance.start) == ("", "")
    assert late.description.endswith(", 2025-12-30")
    assert advance.description.endswith(", 2026-02-01 to 2026-02-28")


def test_vat_in_the_book_s_currency_is_told_too():
    told = drawn(KINDS["foreign currency"])

    assert re.findall(rb'<cbc:TaxAmount currencyID="EUR">([^<]*)<', ubl.write(told)) == [b"23.10"]
    assert b'<ram:TaxTotalAmount currencyID="EUR">23.10<' in cii.write(told)


def test_what_xml_cannot_hold_goes_and_what_it_means_stays():
    name = 'A\x00 & <B>\ud800 "C"\n\u202aD'
    told = drawn(document(customer={**CUSTOMER, "name": name}, lines=(
        line(1, "100.00", "S21", service="\x08", destination="\ufffe", description="x\x0by"),
    )))  # fmt: skip

    for content in (ubl.write(told), cii.write(told)):
        assert 'A &amp; &lt;B&gt; "C" \u202aD<' in content.decode()
        assert ">Service<" in content.decode()
        assert b">xy<" in content


def test_the_same_document_gives_the_same_bytes():
    for write in (ubl.write, cii.write):
        assert write(drawn(KINDS["mixed"])) == write(drawn(KINDS["mixed"]))
