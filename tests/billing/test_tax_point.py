"""VAT that is due on another day than the last of its period."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from posted import total

from a2ledger import accounts, money
from a2ledger.billing import tax_point
from a2ledger.billing.tax_point import Due
from a2ledger.journal import entries, syntax
from a2ledger.period import Period

CENT = 10_000
MONTHS = [dt.date(2026, month, 1) for month in range(1, 7)]


def invoice(number, day, net, vat, code="S21"):
    """The entry that closes a period whose VAT is due when it is paid; amounts in cents."""
    postings = [
        entries.leg(accounts.unbilled("C1"), -net * CENT, "EUR", vat=code),
        entries.leg(accounts.billed("C1"), (net + vat) * CENT, "EUR"),
    ]
    if vat:  # a close writes no posting of nothing
        postings.append(entries.leg(accounts.not_due(code), -vat * CENT, "EUR"))
    return entries.transaction(
        day, f"Invoice {number}", "", postings, links=[number], tags=["invoice"]
    )


def payment(identity, day, cents):
    postings = [
        entries.leg(accounts.BANK, cents * CENT, "EUR"),
        entries.leg(accounts.billed("C1"), -cents * CENT, "EUR"),
    ]
    return entries.transaction(day, "Payment", "", postings, links=[f"payment-payments-{identity}"])


def closed(posted):
    """What closing each month makes due, by day, when these entries have been posted."""
    texts, made = [], []
    for start, end in itertools.pairwise(MONTHS):
        month = [entry for entry in posted if start <= entry.date < end]
        texts.append("".join(map(syntax.formatted, month)) + syntax.MARKER)
        due = list(tax_point.on_payments(texts, "C1", Period(start, end), "EUR"))
        texts[-1] += "".join(map(syntax.formatted, due))
        made += due
    return made


def owed(made, code="S21"):
    """VAT made due in cents, by day."""
    return [
        (entry.date, int(-posting.units.number * 100), int(posting.meta["base"].number * 100))
        for entry in made
        for posting in entry.postings
        if posting.account == accounts.vat(code)
    ]


def test_vat_follows_the_payments_of_each_month():
    posted = [
        invoice("INV-1", dt.date(2026, 1, 31), 10_000, 2_100),
        payment("a", dt.date(2026, 2, 3), 6_050),
        payment("b", dt.date(2026, 4, 9), 6_050),
    ]
    made = closed(posted)
    assert owed(made) == [
        (dt.date(2026, 2, 28), 1_050, 5_000),
        (dt.date(2026, 4, 30), 1_050, 5_000),
    ]
    assert {entry.meta["customer"] for entry in made} == {"C1"}
    assert all(entry.tags == {tax_point.TAG} for entry in made)


def test_a_period_of_several_months_has_an_entry_for_each_in_which_money_came():
    posted = [invoice("INV-1", dt.date(2026, 1, 1), 10_000, 2_100)]
    posted += [payment(day, dt.date(2026, 1 + day, 5), 3_025) for day in range(3)]
    text = "".join(map(syntax.formatted, posted)) + syntax.MARKER
    quarter = Period(MONTHS[0], MONTHS[3])
    made = list(tax_point.on_payments([text], "C1", quarter, "EUR"))
    assert [entry.date for entry in made] == [
        *(dt.date(2026, 1, 31), dt.date(2026, 2, 28), dt.date(2026, 3, 31))
    ]


def test_money_before_any_document_makes_nothing_due():
    assert closed([payment("a", dt.date(2026, 2, 3), 6_050)]) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(1, 99_999), st.integers(0, 30_000)), max_size=3
    ),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 200_000)), max_size=4),
)
def test_all_vat_is_due_once_all_is_paid_and_never_more(documents, payments):
    posted = [
        invoice(f"INV-{place}", MONTHS[month].replace(day=20), net, vat)
        for place, (month, net, vat) in enumerate(documents)
    ]
    posted += [
        payment(place, MONTHS[month].replace(day=21), cents)
        for place, (month, cents) in enumerate(payments)
    ]
    made = closed(posted)
    assert all(total(entry) == 0 for entry in made)
    due = sum(vat for _, vat, _ in owed(made))
    whole = sum(vat for _, _, vat in documents)
    paid = sum(cents for _, cents in payments)
    asked = sum(net + vat for _, net, vat in documents)
    assert 0 <= due <= whole
    if paid >= asked:
        assert due == whole
        assert sum(base for _, _, base in owed(made)) == sum(
            net for _, net, vat in documents if vat
        )
    if not paid:
        assert made == []


def test_an_entry_moves_vat_from_not_due_to_owed_and_states_its_base():
    dues = [Due("S21", 100_000_000, 21_000_000), Due("S6", 50_000_000, 3_000_000)]
    entry = tax_point.entry(dt.date(2026, 2, 5), "C1", "INV-1", dues, "EUR")
    assert total(entry) == 0
    assert {posting.account: str(posting.units) for posting in entry.postings} == {
        accounts.not_due("S21"): "21.00 EUR",
        accounts.vat("S21"): "-21.00 EUR",
        accounts.not_due("S6"): "3.00 EUR",
        accounts.vat("S6"): "-3.00 EUR",
    }
    assert entry.links == {"tax-point-INV-1"}
    assert money.parse(str(entry.postings[1].meta["base"].number)) == 100_000_000
    assert tax_point.entry(dt.date(2026, 2, 5), "C1", "INV-2", [], "EUR").postings == []
    assert isinstance(entry.postings[0].units.number, Decimal)
