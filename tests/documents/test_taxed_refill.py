"""Refills that are taxed when they are paid: what is taken out is what is given back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from posted import total

from a2ledger import accounts, money, vat
from a2ledger.documents import taxed_refill
from a2ledger.documents.taxed_refill import Issued, Supply
from a2ledger.journal import entries, syntax
from a2ledger.journal.entries import ISSUED
from a2ledger.vat import VatCode

DAY = dt.date(2026, 2, 5)
CENT = 10_000
CENTS = st.integers(-(10**8), 10**8).map(lambda cents: cents * CENT)
RATES = st.sampled_from(["21", "5.5", "20.25", "7", "100"])


def code(rate="21"):
    return VatCode(code="S", category="S", rate=Decimal(rate))


def refill(micro, paid_by=accounts.BANK, **meta):
    postings = [
        entries.leg(paid_by, micro, "EUR", places=2),
        entries.leg(accounts.billed("C1"), -micro, "EUR", places=2),
    ]
    return entries.transaction(DAY, "Refill", "card", postings, meta=meta)


def supply(micro, rate="21", **options):
    return taxed_refill.supply(refill(micro), "C1", code(rate), 2, **options)


@given(CENTS.filter(bool), RATES)
def test_what_is_paid_is_net_and_vat_and_a_chargeback_takes_back_the_same(micro, rate):
    paid, back = supply(micro, rate), supply(-micro, rate)
    assert paid.net_micro + paid.vat_micro == micro
    assert (back.net_micro, back.vat_micro) == (-paid.net_micro, -paid.vat_micro)
    assert {paid.kind, back.kind} == {"invoice", "credit-note"}


@given(CENTS.filter(lambda micro: micro > 0), st.integers(0, 10**8), RATES)
def test_no_more_vat_goes_back_than_was_charged(micro, charged, rate):
    charged *= CENT
    back = supply(-micro, rate, charged_micro=charged)
    assert back is None or 0 <= -back.vat_micro <= charged
    whole = vat.inside(micro, code(rate), 2)
    if whole <= charged:
        assert -(back.vat_micro if back else 0) == whole
    elif charged:
        assert -back.vat_micro <= charged
        assert -back.net_micro - back.vat_micro <= micro


def test_a_gift_is_no_supply_and_what_was_owed_untaxed_is_none_either():
    gift = refill(1_000_000, "Expenses:Bonus")
    assert taxed_refill.supply(gift, "C1", code(), 2) is None
    assert supply(12_100_000, untaxed_micro=12_100_000) is None
    assert supply(12_100_000, untaxed_micro=20_000_000) is None
    assert supply(12_100_000, untaxed_micro=6_050_000).vat_micro == 1_050_000
    assert supply(4_000) is None


@given(CENTS.filter(bool), RATES)
def test_the_entry_with_its_tax_taken_out_balances_and_shows_what_was_paid(micro, rate):
    sold = supply(micro, rate)
    taxed = taxed_refill.taxed(refill(micro), "C1", sold, Issued("INV-1"), 2)
    assert total(taxed) == 0
    legs = {leg.account: leg.micro for leg in syntax.legs(syntax.formatted(taxed))}
    assert legs[accounts.billed("C1")] == -sold.net_micro
    assert legs.get(accounts.vat("S"), 0) == -sold.vat_micro
    assert taxed.meta[ISSUED] == "INV-1"
    assert syntax.legs(syntax.formatted(entries.gross(taxed))) == syntax.legs(
        syntax.formatted(refill(micro))
    )


@given(st.integers(-(10**8), 10**8).map(lambda cents: cents * CENT), RATES)
def test_leaving_and_entering_the_treatment_move_the_vat_of_the_balance_and_no_more(balance, rate):
    out = taxed_refill.leaving(DAY, balance, code(rate), 2)
    if out:
        assert (out.net_micro, out.vat_micro) == (balance, vat.added(balance, code(rate), 2))
        assert not out.paid
        again = taxed_refill.entering(DAY, balance + out.vat_micro, code(rate), 2)
        assert again is None or abs(again.vat_micro + out.vat_micro) <= CENT
    into = taxed_refill.entering(DAY, balance, code(rate), 2)
    if into:
        assert into.net_micro + into.vat_micro == -balance
        assert total(taxed_refill.conversion(into, "C1", "EUR", Issued("INV-1"))) == 0


def test_of_credit_that_was_taxed_in_part_no_more_comes_back():
    whole = taxed_refill.leaving(DAY, -100_000_000, code(), 2)
    assert (whole.vat_micro, whole.kind) == (-21_000_000, "credit-note")
    part = taxed_refill.leaving(DAY, -100_000_000, code(), 2, charged_micro=2_100_000)
    assert (part.net_micro, part.vat_micro) == (-10_000_000, -2_100_000)
    assert taxed_refill.leaving(DAY, -100_000_000, code(), 2, charged_micro=0) is None
    assert taxed_refill.entering(DAY, 12_100_000, code(), 2, charged_micro=0) is None


def test_vat_owed_in_another_currency_is_posted_in_both():
    issued = Issued("INV-1", "EUR", 19_000_000)
    sold = Supply(DAY, "Refill", "Credit", 100_000_000, 21_000_000, code())
    made = taxed_refill.conversion(sold, "C1", "USD", issued)
    sums = {}
    for leg in syntax.legs(syntax.formatted(made)):
        sums[leg.currency] = sums.get(leg.currency, 0) + leg.micro
    assert sums == {"USD": 0, "EUR": 0}
    assert money.parse(str(made.meta["base"].number)) == 100_000_000
