"""How a cost comes about, held against the kernel over all there may be in a deck."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from a2ledger.rating import cost, formula
from a2ledger.rating import deck as tariff
from a2ledger.rating.deck import AMOUNTS, FLOORS, MAX_AMOUNT, MAX_SECONDS, SECONDS

SMALL = st.sampled_from([0, 0, 1, 6, 30, 60, 61, 90]) | st.integers(0, 300)
FLAGS = ("remainder", "buy_remainder", "included_within", "freea", "freeb")
RATES = st.fixed_dictionaries(
    dict.fromkeys(FLAGS, st.integers(0, 1))
    | dict.fromkeys(FLOORS, st.sampled_from([1, 1, 0, 10]))
    | dict.fromkeys(AMOUNTS, st.sampled_from([0, 0, 1, 123_457]) | st.integers(0, MAX_AMOUNT))
    | dict.fromkeys(SECONDS, SMALL | st.just(MAX_SECONDS))
)


def deck(*rates, scale=1):
    """A deck of some rates, as parsing makes it: columns that say nothing are left out."""
    values = {name: np.array([rate[name] for rate in rates]) for name in rates[0]}
    blank = pa.array([""] * len(rates))
    return tariff.Deck(
        name="d",
        prefixes=blank,
        destinations=blank,
        carriers=blank,
        values={
            name: column for name, column in values.items() if (column != FLOORS.get(name, 0)).any()
        },
        scale=scale,
    )


@given(
    RATES,
    SMALL | st.integers(0, MAX_SECONDS),
    st.sampled_from([0, 0, 1, 3333, 10_000]),
    st.sampled_from([1, 100]),
    st.booleans(),
)
@example(dict.fromkeys([*AMOUNTS, *SECONDS, *FLOORS, *FLAGS], 0), 0, 0, 1, False)
@example(
    dict.fromkeys([*AMOUNTS, *SECONDS, *FLOORS, *FLAGS], 0)
    | {"rateinitial": 100, "minimal_cost": 1, "initblock": 60},
    1,
    0,
    100,
    True,
)
def test_an_explanation_comes_to_what_the_kernel_charges(rate, seconds, discount, scale, credit):
    if rate.get("chargea") or rate.get("freea"):
        rate = rate | {"included_within": 0}  # a deck that says both is refused
    if credit:
        rate = rate | {"rateinitial": -rate["rateinitial"], "buyrate": -rate["buyrate"]}
    rates = deck(rate, scale=scale)
    row, length, share = np.array([0]), np.array([seconds]), np.array([discount])
    billed, price, buy = (int(figure[0]) for figure in cost.price(rates, row, length, share))

    told = formula.sold(formula.rate(rates, 0), seconds, discount)

    assert (told.billed_seconds, told.cost_micro) == (billed, price)
    assert formula.bought(formula.rate(rates, 0), seconds).cost_micro == buy
    assert all(step.name and step.text for step in told.steps)


def told(text, seconds, discount=0):
    made, problems = tariff.parse(text, name="d", file="d.csv")
    assert problems == []
    found = formula.sold(formula.rate(made, 0), seconds, discount)
    return [": ".join(step) for step in found.steps]


def test_a_plain_call_is_told_in_its_blocks():
    text = "dialprefix,rateinitial,initblock,billingblock\n32,0.095,30,6\n"
    assert told(text, 84) == [
        "seconds: 84 s",
        "initblock: at least 30 s: 84 s",
        "billingblock: in blocks of 6 s: 84 s",
        "rateinitial: 84 / 60 * 0.095 = 0.133",
    ]


def test_everything_a_rate_may_say_is_told():
    text = (
        "dialprefix,rateinitial,initblock,billingblock,increment,connectcharge,disconnectcharge,"
        "disconnectcharge_after,minimal_cost,additional_grace,rounding_calltime,"
        "rounding_threshold,additional_block_charge,additional_block_charge_time\n"
        "32,0.1,18,12,remainder,0.05,0.01,5,1,1,60,10,0.02,25\n"
    )
    assert told(text, 30, 1000) == [
        "seconds: 30 s",
        "additional_grace: + 1 s: 31 s",
        "rounding_calltime: longer than 10 s, so at least 60 s: 60 s",
        "additional_block_charge: 2 times 25 s, each 0.02",
        "initblock: at least 18 s: 60 s",
        "billingblock: 18 s and blocks of 12 s: 66 s",
        "rateinitial: 66 / 60 * 0.10 = 0.11",
        "connectcharge: + 0.05",
        "disconnectcharge: + 0.01",
        "additional_block_charge: + 0.04",
        "sum: 0.21",
        "discount_percent: less 10 %: 0.189",
        "minimal_cost: at least 1.00: 1.000000",
    ]


def test_steps_are_told_one_by_one():
    text = (
        "dialprefix,rateinitial,billingblock,chargea,timechargea,billingblocka,stepchargea,"
        "chargeb,timechargeb\n32,0.07,10,0.30,60,30,0.02,0.20,60\n"
    )
    first = "60 s of up to 60 s, in blocks of 30 s: 60 s"
    assert told(text, 125) == [
        "seconds: 125 s",
        f"chargea: {first}; 60 / 60 * 0.30 = 0.30, and 0.02 once",
        "chargeb: 60 s of up to 60 s; 60 / 60 * 0.20 = 0.20",
        "billingblock: 5 s left, in blocks of 10 s: 10 s",
        "rateinitial: 10 / 60 * 0.07 = 0.011666666…",
        "sum: 0.531666666…",
        "rounded: 0.531667",
    ]


@pytest.mark.parametrize(("after", "shown"), [(5, True), (31, False)])
def test_a_disconnect_charge_that_is_not_due_is_said(after, shown):
    text = f"dialprefix,rateinitial,disconnectcharge,disconnectcharge_after\n3,0,1,{after}\n"
    steps = told(text, 30)
    assert ("disconnectcharge: + 1.00" in steps) == shown
    assert (f"disconnectcharge_after: not {after} s: no disconnectcharge" in steps) != shown
