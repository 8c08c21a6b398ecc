"""Entries made, moved, struck out and read back: none of it loses or makes money."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from posted import CENTS, DAYS, total

from a2ledger import accounts
from a2ledger.journal import entries, syntax

CODES = st.sampled_from(["S21", "O", "AE"])


@st.composite
def sales(draw):
    """A sale with the VAT that may be inside it."""
    price, within = draw(CENTS), draw(st.sampled_from([0, 1, -1, 173_554]))
    postings = entries.sale(
        "C1", "Income:Calls", price, "EUR", vat=draw(CODES), pending_micro=within
    )
    return entries.transaction(draw(DAYS), "Calls", "a call", postings, links=["charge-charges-1"])


@given(sales())
def test_a_sale_balances_with_and_without_vat_inside(entry):
    assert total(entry) == 0
    assert entry.postings[0].account == accounts.unbilled("C1")


@given(sales())
def test_an_entry_is_read_back_from_its_text(entry):
    assert entries.read_entry(syntax.formatted(entry)) == entry


@given(sales(), st.text("abc ", min_size=1))
def test_struck_out_it_moves_nothing_and_restored_it_is_what_it_was(entry, reason):
    struck = entries.voided(entry, reason)
    assert all(posting.units.number == 0 for posting in struck.postings)
    assert struck.meta["voided"] == reason
    assert entries.restored(struck) == entry
    assert entries.restored(entries.read_entry(syntax.formatted(struck))).postings == entry.postings


@given(sales())
def test_what_was_never_struck_out_is_not_changed_by_restoring(entry):
    assert entries.restored(entry) is entry


@given(sales(), DAYS)
def test_posted_late_it_keeps_its_own_day(entry, day):
    moved = entries.moved_to(entry, day)
    assert moved.date == day
    assert entries.own_day(moved) == entry.date
    assert moved.postings == entry.postings


def test_a_refill_with_a_document_of_its_own_is_shown_with_its_vat_back_in():
    postings = [
        entries.leg(accounts.billed("C1"), -8_264_463, "EUR"),
        entries.leg(accounts.vat("S21"), -1_735_537, "EUR"),
        entries.leg("Assets:Cash", 10_000_000, "EUR"),
    ]
    day = dt.date(2026, 1, 5)
    plain = entries.transaction(day, "Refill", "", postings)
    taxed = entries.transaction(day, "Refill", "", postings, meta={entries.ISSUED: "INV-1"})
    assert entries.gross(plain) is plain
    assert [str(posting.units) for posting in entries.gross(taxed).postings] == [
        "-10.000000 EUR",
        "10.000000 EUR",
    ]


def test_a_payment_s_link_comes_before_its_refill_s():
    entry = entries.transaction(
        dt.date(2026, 1, 5), "Payment", "", [], links=["refill-refills-a", "payment-payments-z"]
    )
    assert entries.own_link(entry) == "payment-payments-z"
