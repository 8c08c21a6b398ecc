"""Lines of a statement: every one is rounded, and none loses a cent."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st
from posted import CENTS, CODE, CODES, months, row

from a2ledger import money
from a2ledger.balances.statement import Telescope, description, line_order, statement_lines
from a2ledger.journal.rows import Brought

DAY = dt.date(2026, 1, 5)


@given(
    st.dictionaries(CODE, st.integers(-4_999, 5_000)),
    st.lists(st.tuples(CODE, CENTS)),
    st.sampled_from([0, 2, 3]),
)
def test_what_is_shown_adds_up_to_what_the_rounded_total_moved(start, postings, places):
    telescope = Telescope(start, places)
    shown = dict.fromkeys(CODES, 0)
    for code, micro in postings:
        shown[code] += telescope.add(code, micro)

    for code in CODES:
        exact = start.get(code, 0) + sum(micro for other, micro in postings if other == code)
        before = money.rounded(start.get(code, 0), places)
        assert shown[code] == money.rounded(exact, places) - before


def test_three_thirds_of_a_cent_show_a_cent_once():
    telescope = Telescope({}, 2)
    assert [telescope.add("O", micro) for micro in (3_333, 3_333, 3_334)] == [0, 10_000, 0]


@given(months(dt.date(2026, 1, 1)), st.sampled_from([0, 2, 3]))
def test_every_line_s_amount_leads_to_its_balance(month, places):
    rows, _ = month
    balance = 0
    for movement in statement_lines(rows, Brought(), places):
        balance += movement.amount
        assert balance == movement.balance


def test_of_a_day_calls_come_first_then_sales_and_money_last():
    payment = row(DAY, "", -5_000_000, billed=True, payee="Payment", link="payment-p1")
    charge = row(DAY, "O", 5_000_000, payee="One-off", link="charge-c1")
    calls = row(DAY, "O", 1_000_000, payee="Calls", calls=1, link="")
    earlier = row(DAY - dt.timedelta(days=1), "", -1_000_000, billed=True, payee="Payment")

    found = sorted([payment, charge, calls, earlier], key=line_order)

    assert found == [earlier, calls, charge, payment]


def test_what_is_posted_late_says_of_which_day_it_is():
    late = row(
        DAY, "O", 1_000_000, payee="Calls", narration="1 call", late_from=dt.date(2025, 12, 9)
    )
    assert description(late) == "Calls, 1 call, of 2025-12-09, posted late"


def test_a_balance_brought_forward_is_where_lines_begin():
    paid = row(DAY, "", -2_500_000, billed=True, payee="Payment")
    (movement,) = statement_lines([paid], Brought(billed_micro=10_000_000), 2)
    assert (movement.amount, movement.balance) == (-2_500_000, 7_500_000)
