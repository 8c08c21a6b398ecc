"""What a call costs: as A2Billing answers, as the slow version, by other systems' decks."""

from __future__ import annotations

import ast
import csv
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import rating_oracle
from checkout import DATA
from examples import cases, tried
from hypothesis import given
from hypothesis import strategies as st
from pricing import MONDAY, batch, deck, plan, priced, rates, text_of

import a2ledger
from a2ledger.rating import columns, cost
from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating

CASES = DATA / "rating"


NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64))


COSTS = list(csv.DictReader((CASES / "a2billing_cost_cases.csv").read_text().splitlines()))


@cases("case", COSTS, 60, ids=lambda case: f"{case['case_id']}-{case['kind']}")
def test_costs_what_a2billing_says(case):
    names = [name for name in case if not name.startswith("php_")]
    # Its formula charges a call of no seconds, too, which it never reaches for such a call.
    always = dict.fromkeys(tariff.FLOORS, "0")
    cells = always | {name: case[name] for name in names}
    text = ",".join(["dialprefix", *cells]) + "\n" + ",".join(["default", *cells.values()])
    calls = f"id,called,start,seconds\n1,34911234567,2026-01-05 10:00:00,{case['duration']}\n"
    (row,), problems = priced(calls, text)
    assert problems == []
    assert Decimal(row["cost"]) == Decimal(case["php_cost"])
    # The buying side is a float there: ten decimals of it are what it meant.
    bought = Decimal(case["php_buycost"]).quantize(Decimal("1e-10"))
    assert Decimal(row["buy_cost"]) == bought.quantize(Decimal("1e-6"), ROUND_HALF_UP)


def test_no_seconds_cost_nothing_on_either_side_unless_the_deck_says_so():
    header = "dialprefix,rateinitial,initblock,connectcharge,minimal_cost,buyrate,buyrateinitblock"
    calls = "id,called,start,seconds\n" + "".join(
        f"{length},34911234567,2026-01-05 10:00:00,{length}\n" for length in (0, 1, 9, 10)
    )

    def costs(more="", cells=""):
        rows, problems = priced(calls, f"{header}{more}\n34,0.60,30,0.05,0.40,0.30,60{cells}\n")
        assert problems == []
        return [(row["billed_seconds"], row["cost"], row["buy_cost"]) for row in rows]

    full = ("30", "0.400000", "0.300000")
    nothing = ("0", "0.000000", "0.000000")
    assert costs() == [nothing, full, full, full]
    assert costs(",billed_from,buy_billed_from", ",0,0") == [full] * 4
    assert costs(",billed_from", ",10") == [
        nothing, *[("0", "0.000000", "0.300000")] * 2, full,
    ]  # fmt: skip


def test_the_carrier_may_count_its_blocks_otherwise():
    header = "dialprefix,rateinitial,initblock,billingblock,increment,buyrate,buyrateinitblock"
    calls = "id,called,start,seconds\n1,34911234567,2026-01-05 10:00:00,31\n"
    text = f"{header},buyrateincrement,buyincrement\n34,0.60,18,12,remainder,0.60,18,12,"
    bought = [priced(calls, text + how)[0][0]["buy_cost"] for how in ("", "total", "remainder")]
    assert bought == ["0.420000", "0.360000", "0.420000"]


CALL = st.tuples(
    st.integers(0, 4), st.integers(0, 500) | st.integers(0, 100_000), st.integers(0, 10_000)
)


@tried(120)
@given(st.lists(rates(), min_size=1, max_size=5), st.lists(CALL, min_size=1), st.booleans())
def test_kernel_is_the_slow_version(rates, calls, discounted):
    which = [place % len(rates) for place, _, _ in calls]
    discounts = [discount if discounted else 0 for _, _, discount in calls]
    rated = rating.rate(
        batch(
            *(
                (f"{100 + place}55", MONDAY, call[1])
                for place, call in zip(which, calls, strict=True)
            ),
            **({"discount": pa.array(discounts)} if discounted else {}),
        ),
        [plan(deck(text_of(rates)))],
    ).to_pylist()
    for row, place, (_, seconds, _), discount in zip(rated, which, calls, discounts, strict=True):
        rate = rates[place]
        own = rate["buyincrement"] == "remainder"
        rate["buy_remainder"] = own if rate["buyincrement"] else rate["remainder"]
        expected = rating_oracle.sold(rate, seconds, discount)
        assert (row["billed_seconds"], row["cost_micro"]) == expected
        assert row["buy_micro"] == rating_oracle.bought(rate, seconds)
        assert row["reason"] == ""


LARGEST = Fraction(tariff.MAX_AMOUNT, 1_000_000)


@pytest.mark.parametrize("discount", [None, 0, 1, 9_999])
@pytest.mark.parametrize(
    "rate",
    [
        {"rateinitial": LARGEST - Fraction(1, 1_000_000)},
        {
            "rateinitial": LARGEST,
            "connectcharge": LARGEST,
            "additional_block_charge": LARGEST,
            "additional_block_charge_time": 1,
        },
        {"rateinitial": 1, "chargea": LARGEST, "timechargea": 999_000, "stepchargea": LARGEST},
    ],
)
def test_exact_with_the_largest_amounts(rate, discount):
    rate |= {"remainder": False}
    given = {} if discount is None else {"discount": pa.array([discount])}
    calls = batch(("100", MONDAY, tariff.MAX_SECONDS - 1), **given)
    (rated,) = rating.rate(calls, [plan(deck(text_of([rate])))]).to_pylist()
    expected = rating_oracle.sold(rate, tariff.MAX_SECONDS - 1, discount or 0)
    assert (rated["billed_seconds"], rated["cost_micro"]) == expected


def billed(seconds, **rate):
    header, values = ",".join(rate), ",".join(map(str, rate.values()))
    made = deck(f"dialprefix,rateinitial,{header}\n1,60,{values}\n")
    return rating.rate(batch(("1", MONDAY, seconds)), [plan(made)])["billed_seconds"][0].as_py()


def test_short_calls_are_rounded_up_beyond_a_threshold():
    short = {"rounding_calltime": 60, "rounding_threshold": 10}
    assert [billed(seconds, **short) for seconds in (10, 11, 60, 61)] == [10, 60, 60, 61]


def test_a_step_without_price_or_time_is_none():
    blocks = {"initblock": 30, "billingblock": 18}
    assert billed(5, chargea=1, timechargea=0, **blocks) == 30
    # A deck with all of A2Billing's columns means by a charge of 0 what A2Billing means.
    every = dict.fromkeys(sorted(columns.STEPS), 0) | {"timechargea": 9}
    assert billed(5, **every, **blocks) == 30
    assert billed(5, chargea=1, timechargea=1, **blocks) == 1 + 36


def test_blocks_in_total_and_from_the_initial_one():
    text = (
        "dialprefix,rateinitial,initblock,billingblock,increment\n1,60,18,12,\n2,60,18,12,remainder"
    )
    calls = batch(("1", MONDAY, 31), ("2", MONDAY, 31), ("1", MONDAY, 5), ("2", MONDAY, 5))
    rated = rating.rate(calls, [plan(deck(text))])
    assert rated["billed_seconds"].to_pylist() == [36, 42, 18, 18]
    assert rated["cost_micro"].to_pylist() == [36_000_000, 42_000_000, 18_000_000, 18_000_000]


def test_grace_counts_once():
    text = "dialprefix,rateinitial,initblock,billingblock,connectcharge,additional_grace\n"
    text += "1,0.12,30,6,0.01,5\n"
    rated = rating.rate(batch(("1", MONDAY, 61)), [plan(deck(text))])
    assert rated["cost_micro"].to_pylist() == [142_000]  # 66 s; twice would make 72 s


def test_discount_comes_before_rounding_and_the_least_cost_after():
    text = "dialprefix,rateinitial,minimal_cost\n1,0.000003,0\n2,0.10,0.09\n"
    calls = batch(("1", MONDAY, 60), ("2", MONDAY, 60), discount=pa.array([5_000, 5_000]))
    rated = rating.rate(calls, [plan(deck(text))])
    assert rated["cost_micro"].to_pylist() == [2, 90_000]


def test_nothing_is_priced_of_nothing():
    assert [figure.size for figure in cost.price(deck("prefix,rateinitial\n1,1\n"), *NOTHING)] == [
        *(0, 0, 0)
    ]


MONEY_MODULES = [
    "money.py",
    "rating/deck.py",
    "rating/prefixes.py",
    "rating/rate.py",
    "rating/cost.py",
    "rating/offline.py",
]


@pytest.mark.parametrize("module", MONEY_MODULES)
def test_no_float_touches_money(module):
    tree = ast.parse((Path(a2ledger.__file__).parent / module).read_text())
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float))
        assert not (isinstance(node, ast.Name) and node.id in {"float", "round"})
        assert not (isinstance(node, ast.Attribute) and node.attr.startswith(("float", "divide_")))
        assert not (isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div))


def test_every_amount_is_int64():
    made = deck("dialprefix,rateinitial\n44,0.1\n")
    assert all(value.dtype == np.int64 for value in made.values.values())
    rated = rating.rate(batch(("44", MONDAY, 7)), [plan(made)])
    assert {str(rated.schema.field(name).type) for name in ("cost_micro", "buy_micro")} == {"int64"}


def cost_of(seconds, header, row, **columns_):
    made = deck(f"dialprefix,rateinitial,{header}\n44,{row}\n")
    calls = batch(("44123", MONDAY, seconds), **columns_)
    return rating.rate(calls, [plan(made)]).to_pylist()[0]


@pytest.mark.parametrize(
    ("seconds", "row", "cost", "billed_seconds"),
    [
        (60, "0.30,0,30,", 150_000, 60),
        (30, "0.30,0,30,", 0, 30),
        (90, "0.30,0,30,0.60,60", 600_000, 90),
    ],
)
def test_a_step_of_charge_0_is_free(seconds, row, cost, billed_seconds):
    rated = cost_of(
        seconds, "chargea,timechargea,chargeb,timechargeb", row + "," * (4 - row.count(","))
    )
    assert (rated["cost_micro"], rated["billed_seconds"]) == (cost, billed_seconds)


@pytest.mark.parametrize(
    ("seconds", "how", "cost", "billed_seconds"),
    [
        (30, "before", 100_000, 0),  # nothing but the connection
        (31, "before", 400_000, 60),  # a second beyond them is a whole block
        (31, "", 400_000, 60),
        (31, "within", 250_000, 30),  # of a block of 60 s half is free
        (61, "within", 550_000, 90),
    ],
)
def test_seconds_are_free_before_or_within_the_first_block(seconds, how, cost, billed_seconds):
    header = "initblock,billingblock,connectcharge,included_seconds,included"
    rated = cost_of(seconds, header, f"0.30,60,60,0.10,30,{how}")
    assert (rated["cost_micro"], rated["billed_seconds"]) == (cost, billed_seconds)


def test_eight_decimals_are_rounded_once():
    rated = cost_of(6000, "minimal_cost", "0.31135104,")
    assert rated["cost_micro"] == 31_135_104
    half = cost_of(60, "minimal_cost", "0.00000150,", discount=pa.array([5_000]))
    assert half["cost_micro"] == 1


@pytest.mark.parametrize("discount", [0, 5_000])
def test_a_credit_pays_the_customer(discount):
    rated = cost_of(61, "is_credit", "-0.02000001,yes", discount=pa.array([discount]))
    exact = Fraction(-61 * 2_000_001, 60 * 10**8) * (10_000 - discount) / 10_000
    assert rated["cost_micro"] == rating_oracle.rounded(exact)
    text = "id,called,start,seconds\n1,44,2026-01-05 10:00:00,60\n"
    rows, problems = priced(text, "prefix,rateinitial,is_credit\n44,-0.02,yes\n")
    assert problems == []
    assert rows[0]["cost"] == "-0.020000"
