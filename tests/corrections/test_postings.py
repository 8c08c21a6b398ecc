"""Entries of corrections: whatever is given back, in whatever currency, nothing is left over."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from beancount.core import data
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import money
from a2ledger.corrections import postings
from a2ledger.corrections.postings import Correction
from a2ledger.fees.deferrals import Deferral
from a2ledger.journal import syntax
from a2ledger.payments.remainder import Payment
from a2ledger.period import Period

DAY = dt.date(2026, 2, 10)
CENTS = st.integers(1, 10**9).map(lambda cents: cents * 10_000)
TAXES = st.dictionaries(st.sampled_from(["S21", "S10", "AE"]), CENTS, min_size=1)


def correction(kind: str, micro: int, currency: str = "EUR") -> Correction:
    return Correction(kind, "x1", "C1", DAY, micro, currency, "why")


def sums(*entries: data.Transaction) -> dict[tuple[str, str], int]:
    """What entries move, by account and currency; each must balance in every currency."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        total: Counter[str] = Counter()
        for leg in syntax.legs(syntax.formatted(entry)):
            found[leg.account, leg.currency] += leg.micro
            total[leg.currency] += leg.micro
        assert not any(total.values()), entry
    return {key: micro for key, micro in found.items() if micro}


@given(TAXES, TAXES, st.booleans())
def test_a_credit_note_gives_back_net_and_vat_by_code(net, vat, is_foreign):
    whole = sum(net.values()) + sum(vat.values())
    currency = "USD" if is_foreign else "EUR"
    translated = ("EUR", {code: micro // 10_000 * 9_000 for code, micro in vat.items()})
    entry = postings.credit_note(
        correction("credit-note", whole, currency),
        number="CN-1",
        original="INV-1",
        lines=[1, 3],
        net=net,
        vat=vat,
        translated=translated if is_foreign else ("", {}),
    )
    found = sums(entry)

    assert found["Assets:Receivable:C1:Billed", currency] == -whole
    assert found["Income:Corrections", currency] == sum(net.values())
    owed = {key: micro for key, micro in found.items() if key[0].startswith("Liabilities:VAT:")}
    taxes = translated[1] if is_foreign else vat
    assert owed == {(f"Liabilities:VAT:{code}", "EUR"): micro for code, micro in taxes.items()}
    assert (entry.meta["original"], entry.meta["lines"]) == ("INV-1", "1, 3")


@given(CENTS, TAXES, st.booleans())
def test_what_is_recovered_takes_a_write_off_back(net, vat, is_foreign):
    whole, currency = net + sum(vat.values()), "USD" if is_foreign else "EUR"
    translated = ("EUR", dict(vat)) if is_foreign else ("", {})
    lost = postings.write_off(
        correction("write-off", whole, currency), {"INV-1": whole}, vat, translated
    )
    back = postings.recovered(
        correction("recover", whole, currency), lost.narration or "", {"INV-1": whole}, vat,
        translated,
    )  # fmt: skip

    assert sums(lost)["Expenses:Bad-Debt", currency] == net
    assert sums(lost, back) == {}
    assert lost.meta["parts"] == back.meta["parts"] == f"INV-1 {money.text(whole, 2)}"


@given(CENTS, CENTS)
def test_a_payment_that_came_in_another_currency_goes_back_in_it(paid, worth):
    payment = Payment("payment-p-1", DAY, worth, "EUR", "Assets:Bank", paid, "USD")
    found = sums(postings.returned(correction("returned", worth), payment))

    assert found["Assets:Bank", "USD"] == -paid
    assert found["Assets:Receivable:C1:Billed", "EUR"] == worth


@given(CENTS)
def test_a_transfer_passes_through_suspense_and_leaves_nothing_there(micro):
    payment = Payment("payment-p-1", DAY, micro, "EUR", "Assets:Bank", micro, "EUR", "R1")
    one = correction("transfer", micro)
    out = postings.transferred_out(one, payment)
    arrived = postings.transferred_in(one._replace(customer="C2"), payment)

    assert sums(out, arrived) == {
        ("Assets:Receivable:C1:Billed", "EUR"): micro,
        ("Assets:Receivable:C2:Billed", "EUR"): -micro,
    }
    assert out.meta["payment"] == arrived.meta["payment"] == "payment-p-1"
    assert arrived.meta["reference"] == "R1"


def test_a_deposit_is_the_customers_until_it_is_returned_or_set_against_what_is_owed():
    one = correction("deposit", 50_000_000)
    taken = postings.deposit(one, "Assets:Cash")

    assert sums(taken)["Liabilities:Deposits:C1", "EUR"] == -50_000_000
    assert sums(taken, postings.deposit_returned(one, "Assets:Cash")) == {}
    settled = sums(taken, postings.deposit_settled(one))
    assert settled["Assets:Receivable:C1:Billed", "EUR"] == -50_000_000
    assert ("Liabilities:Deposits:C1", "EUR") not in settled


def test_what_is_given_back_of_income_deferred_is_no_income_of_later_days():
    days = Period(dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    taken = Deferral("f", "Subscriptions", days, -120_000_000, -100_000_000)
    entry = postings.deferral_taken(correction("credit-note", 1), taken, "INV-1", 1)

    assert sums(entry) == {
        ("Liabilities:Deferred-Income", "EUR"): 100_000_000,
        ("Income:Corrections", "EUR"): -100_000_000,
    }
    assert str(entry.meta["whole"]) == "120.00 EUR"


def test_asking_the_same_makes_the_same_id_and_another_day_another():
    asked = ("refund", "C1", DAY, 5_000_000)
    assert postings.identity(*asked) == postings.identity(*asked)
    assert postings.identity(*asked) != postings.identity("refund", "C1", dt.date.max, 5_000_000)
