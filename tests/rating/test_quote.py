"""What a call will cost while it goes on, and how long it may last."""

from __future__ import annotations

import rating_oracle
from examples import tried
from hypothesis import given
from hypothesis import strategies as st
from pricing import MONDAY, deck, plan, rates, text_of

from a2ledger.rating import quote


@tried(100)
@given(rates(), st.integers(-1, 20_000_000), st.integers(0, 10_000), st.integers(1, 400))
def test_the_longest_call_that_can_be_paid(rate, available, discount, increment):
    plan_ = plan(deck(text_of([rate])))
    limit = 7200
    most = quote.max_seconds(plan_, "100", MONDAY, available, discount=discount, limit=limit)

    def bill(seconds):
        return rating_oracle.sold(rate, seconds, discount)[1]

    assert most == 0 or bill(most) <= available
    assert most == limit or available < bill(most + increment)


def test_a_quote_prices_many_lengths_as_one_by_one():
    text = "dialprefix,rateinitial,chargea,timechargea,stepchargea\n1,0.60,1.20,6,0.10\n"
    known = quote.quote(plan(deck(text)), "100", MONDAY)
    lengths = [1, 5, 6, 7, 60, 3600]
    assert known.costs(lengths) == [known.cost(length) for length in lengths]
    assert known.cost(60) == 100_000 + 6 * 20_000 + 54 * 10_000


def test_no_longest_call_without_a_rate():
    plan_ = plan(deck("dialprefix,rateinitial\n44,1\n"))
    assert quote.max_seconds(plan_, "33", MONDAY, 1) is None
    assert quote.max_seconds(plan_, "44", MONDAY, 60_000_000) == 3600


def quoted(text, **options):
    return quote.quote(plan(deck(text)), "3225550101", MONDAY, **options)


def test_a_quote_names_the_rate_and_its_price_after_the_discount():
    text = "dialprefix,destination,rateinitial\n32,Belgium,0.10\n3,Europe,0.20\n"
    known = quoted(text, discount=2_500)
    assert (known.prefix, known.destination, known.per_minute_micro) == ("32", "Belgium", 75_000)
    assert known.cost(0) == known.cost(-5) == 0
    assert known.cost(61) == 76_250


def test_a_call_that_pays_the_customer_costs_nothing_while_it_goes_on():
    known = quoted("dialprefix,rateinitial,is_credit\n32,-0.02,yes\n")
    assert known.costs([1, 60, 6000]) == [0, 0, 0]
    assert known.longest(0, 100) == 100


def test_the_block_that_can_be_paid_is_talked_to_its_end():
    known = quoted("dialprefix,rateinitial,connectcharge,billingblock\n32,0.60,0.10,60\n")
    assert [known.longest(money, 7200) for money in (699_999, 700_000, 1_299_999)] == [0, 60, 60]
    assert known.longest(1_300_000, 7200) == 120
    assert known.longest(10**9, 90) == 90


def test_a_blocked_call_lasts_no_second():
    known = quoted("dialprefix,rateinitial,blocked\n32,,yes\n")
    assert known.is_blocked
    assert known.longest(10**12, 3600) == 0
