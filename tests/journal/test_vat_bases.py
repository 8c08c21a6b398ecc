"""The base of all VAT in the general ledger, under its code."""

from __future__ import annotations

import datetime as dt

from beancount.core import amount
from hypothesis import given
from hypothesis import strategies as st
from shelf import loaded

from a2ledger import accounts
from a2ledger.journal import entries, syntax, vat_bases

DAY = dt.date(2026, 1, 31)
OWN = accounts.unbilled("C1")


def blocks(*written):
    return syntax.blocks("".join(map(syntax.formatted, written)))


def bases(block):
    """What a question for bases finds in an entry, by code."""
    return {
        posting.meta["vat"]: -posting.micro
        for posting in block.postings
        if posting.account == OWN and "vat" in posting.meta
    }


def close(net, vat, *, inside):
    """A close that moves an amount to Billed, with its VAT inside or added."""
    moved = net + vat if inside else net
    postings = [
        entries.leg(OWN, -moved, "EUR", vat="S21", places=2),
        entries.leg(accounts.billed("C1"), net + vat, "EUR", places=2),
        entries.leg(accounts.vat("S21"), -vat, "EUR", places=2),
    ]
    if inside:
        postings.append(entries.leg(accounts.pending("S21"), 0, "EUR", places=2))
    meta = {"treatment": "included"} if inside else {}
    return entries.transaction(DAY, "Invoice", "", postings, meta=meta, tags=["invoice"])


CENTS = st.integers(-(10**9), 10**9).map(lambda cents: cents * 10_000)


@given(CENTS, CENTS.filter(bool))
def test_what_a_close_moves_is_the_base_or_is_split_into_base_and_vat(net, vat):
    for inside in (False, True):
        (block,) = vat_bases.with_bases(blocks(close(net, vat, inside=inside)), "C1")
        assert bases(block) == {"S21": net}
        (moved,) = blocks(close(net, vat, inside=inside))
        for account in {leg.account for leg in moved.legs}:
            before, after = (
                sum(leg.micro for leg in each.legs if leg.account == account)
                for each in (moved, block)
            )
            assert before == after


@given(CENTS.filter(bool), CENTS.filter(bool))
def test_an_entry_with_a_document_of_its_own_is_followed_by_its_base(net, vat):
    postings = [
        entries.leg(accounts.BANK, net + vat, "EUR", places=2),
        entries.leg(accounts.billed("C1"), -net, "EUR", places=2),
        entries.leg(accounts.vat("S21"), -vat, "EUR", places=2),
    ]
    refill = entries.transaction(DAY, "Refill", "", postings, meta={"invoice": "INV-2026-000001"})
    own, memo = vat_bases.with_bases(blocks(refill), "C1")
    assert own.text == syntax.formatted(refill)
    assert bases(memo) == {"S21": net}
    assert sum(leg.micro for leg in memo.legs) == 0
    assert memo.tags == {"invoice" if net > 0 else "credit-note"}
    (parsed,), errors, _ = loaded(memo.text)
    assert not errors
    assert {posting.account for posting in parsed.postings} == {OWN}
    assert sum(posting.units.number for posting in parsed.postings) == amount.ZERO


def test_entries_without_vat_or_without_a_document_stay_alone():
    postings = [
        entries.leg(accounts.BANK, 10_000, "EUR"),
        entries.leg(accounts.billed("C1"), -10_000, "EUR"),
    ]
    plain = entries.transaction(DAY, "Payment", "", postings)
    numbered = entries.transaction(DAY, "Refill", "", postings, meta={"number": "CN-2026-000001"})
    written = blocks(plain, numbered)
    assert list(vat_bases.with_bases(written, "C1")) == written


def test_vat_owed_in_another_currency_is_known_in_the_account_s_own():
    postings = [
        entries.leg(OWN, -100_000_000, "USD", vat="S21"),
        entries.leg(accounts.billed("C1"), 121_000_000, "USD"),
        *entries.converted(accounts.vat("S21"), "S21", (-21_000_000, "USD"), (-19_000_000, "EUR")),
    ]
    (block,) = blocks(entries.transaction(DAY, "Invoice", "", postings, tags=["invoice"]))
    assert vat_bases.converted(block) == {"S21": 21_000_000}
