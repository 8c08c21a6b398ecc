from __future__ import annotations

import ast
import csv
import datetime as dt
import io
import json
import pickle
from collections import Counter
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

import a2ledger
from a2ledger.rating import columns, cost, offline, quote
from a2ledger.rating import deck as tariff
from a2ledger.rating import rate as rating

CASES = DATA / "rating"
NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64))
MONDAY = dt.datetime.fromisoformat("2026-01-05")

COSTS = list(csv.DictReader((CASES / "a2billing_cost_cases.csv").read_text().splitlines()))
CHOICES = [json.loads(line) for line in (CASES / "a2billing_rate_choice_cases.jsonl").open()]


def deck(text, name="standard"):
    made, problems = tariff.parse(text, name=name, file=f"{name}.csv")
    assert problems == []
    return made


def plan(*decks):
    return tariff.Tariff(name="plan", decks=decks)


def batch(*calls, **columns):
    """Calls as (called, local, seconds)."""
    called, local, seconds = zip(*calls, strict=True) if calls else ((), (), ())
    return pa.RecordBatch.from_pydict(
        {
            "called": pa.array(called, pa.string()),
            "local": pa.array(local, pa.timestamp("s")),
            "seconds": pa.array(seconds, pa.int64()),
            "tariff": pa.array([0] * len(called), pa.int32()),
        }
        | columns
    )


def prefixes_of(numbers, text, local=MONDAY):
    rated = rating.rate(batch(*((number, local, 60) for number in numbers)), [plan(deck(text))])
    return [row["prefix"] if not row["reason"] else row["reason"] for row in rated.to_pylist()]


def priced(calls, text):
    output, problems = offline.price(calls, file="calls.csv", deck=deck(text))
    return list(csv.DictReader(io.StringIO(output))), problems


# A2Billing's own answers


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


NOON = dt.datetime.fromisoformat("2026-01-11 12:15")  # minute 9375 of the week, as in the cases


SCENARIOS = {
    "": 47,
    "a trunk is switched off": 13,
    "least cost among rates of one prefix": 15,
    "plans chosen by the dialled or calling number": 25,
}


def beyond_prefixes(case):
    """Why a scenario is decided by more than prefixes, or nothing."""
    if any(
        plan["dnidprefix"] != "all" or plan["calleridprefix"] != "all" for plan in case["plans"]
    ):
        return "plans chosen by the dialled or calling number"
    live = [rate for rate in case["rates"] if is_live(rate, case)]
    off = {trunk["id"] for trunk in case["trunks"] if not trunk["status"]}
    if off & {trunk_of(rate, case) for rate in live}:
        return "a trunk is switched off"
    winner = [
        rate["dialprefix"] for rate in live if rate["id"] in case["php_rate_ids_in_order"][:1]
    ]
    if [rate["dialprefix"] for rate in live if rate["dialprefix"] in winner][1:]:
        return "least cost among rates of one prefix"
    return ""


def trunk_of(rate, case):
    return rate["id_trunk"] if rate["id_trunk"] > 0 else plan_of(rate, case)["id_trunk"]


def plan_of(rate, case):
    return next(plan for plan in case["plans"] if plan["id"] == rate["plan"])


def is_live(rate, case):
    """Whether A2Billing takes a rate to hold; one that ends on 0000-00-00 (None) never does."""
    begun = rate["start_days"] < 0 < (rate["stop_days"] or 0)
    return begun and in_use(plan_of(rate, case)) and rate["endtime"] > 0


def in_use(plan_):
    return plan_["start_days"] < 0 < plan_["stop_days"]


def scenario_text(case):
    """A deck of the scenario's rates, less what clashes while it does not hold.

    And less what ends on 0000-00-00, which in a deck means that it does not end.
    """
    lines = ["dialprefix,rateinitial,startdate,stopdate,starttime,endtime"]
    seen = set()
    for rate in sorted(case["rates"], key=lambda rate: not is_live(rate, case)):
        if rate["dialprefix"] in seen or not in_use(plan_of(rate, case)) or not rate["stop_days"]:
            continue
        seen.add(rate["dialprefix"])
        since, until = (NOON + dt.timedelta(days=rate[f"{end}_days"]) for end in ("start", "stop"))
        window = f"{rate['starttime']},{rate['endtime']}"
        lines.append(f"{rate['dialprefix']},{rate['rateinitial']},{since},{until},{window}")
    return "\n".join(lines)


def test_chooses_the_rate_a2billing_chooses():
    assert Counter(beyond_prefixes(case) for case in CHOICES) == SCENARIOS
    for case in (case for case in CHOICES if not beyond_prefixes(case)):
        calls = f"id,called,start,seconds\n1,{case['number']},{NOON},60\n"
        (got,), problems = priced(calls, scenario_text(case))
        assert problems == []
        rates = {rate["id"]: rate for rate in case["rates"]}
        want = rates[case["php_rate_ids_in_order"][0]] if case["php_rate_ids_in_order"] else None
        assert got["reason"] == ("" if want else "no-rate"), case["case"]
        if want:
            assert got["prefix"] == want["dialprefix"], case["case"]
            assert Decimal(got["cost"]) == Decimal(str(want["rateinitial"]))


# Against the slow version


AMOUNT = st.integers(0, 3_000_000).map(lambda micro: Fraction(micro, 1_000_000)) | st.just(
    Fraction(0)
)
BLOCK = st.sampled_from([0, 0, 1, 6, 7, 12, 18, 30, 60, 61]) | st.integers(0, 400)


@st.composite
def rates(draw):
    rate = {column: draw(AMOUNT) for column in draw(st.sets(st.sampled_from(tariff.AMOUNTS)))}
    rate |= {column: draw(BLOCK) for column in draw(st.sets(st.sampled_from(tariff.SECONDS)))}
    rate |= {column: draw(BLOCK) for column in draw(st.sets(st.sampled_from([*tariff.FLOORS])))}
    remainder = draw(st.booleans())
    stepped = rate.get("chargea", 0) and rate.get("timechargea", 0)
    return rate | {
        "included": "" if stepped else draw(st.sampled_from(["", "before", "within"])),
        "rateinitial": draw(AMOUNT),
        "remainder": remainder,
        "buyincrement": draw(st.sampled_from(["", "total", "remainder"])),
    }


def decimal(amount):
    return str(Decimal(amount.numerator * 1_000_000 // amount.denominator) / 1_000_000)


def text_of(rates):
    columns = [*tariff.AMOUNTS, *tariff.SECONDS, *tariff.FLOORS]
    lines = [",".join(["dialprefix", "increment", "buyincrement", "included", *columns])]
    for number, rate in enumerate(rates):
        values = [rate.get(column, tariff.FLOORS.get(column, 0)) for column in columns]
        texts = [f"{value:f}" if isinstance(value, Decimal) else str(value) for value in values]
        texts = [
            f"{Decimal(decimal(value)):f}" if isinstance(value, Fraction) else text
            for value, text in zip(values, texts, strict=True)
        ]
        lines.append(
            ",".join(
                [
                    str(100 + number),
                    "remainder" if rate["remainder"] else "",
                    rate.get("buyincrement", ""),
                    rate.get("included", ""),
                    *texts,
                ]
            )
        )
    return "\n".join(lines)


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


NUMBER = st.text("0123", max_size=17) | st.text("01*+x", max_size=5)


@tried(150)
@given(st.sets(st.text("0123", max_size=6)), st.lists(NUMBER))
def test_longest_prefix_decides(prefixes, numbers):
    # One written with 00 serves without it too; then it is told apart by its own test.
    prefixes = {prefix for prefix in prefixes if not prefix.startswith("00")}
    rows = (f"{prefix or 'default'},1" for prefix in prefixes)
    text = "\n".join(["dialprefix,rateinitial", *rows])
    found = prefixes_of(numbers, text)
    want = [rating_oracle.chosen(number, prefixes) for number in numbers]
    assert found == ["no-rate" if prefix is None else prefix or "default" for prefix in want]


# Which rate


def test_everything_has_a_price_where_a_prefix_is_default():
    text = "dialprefix,rateinitial\ndefault,0.10\n44,0.20\n"
    assert prefixes_of(["441", "33", "*98", "alice", ""], text) == ["44", *["default"] * 4]
    assert prefixes_of(["33", "44"], "prefix,rateinitial\ndefaultprefix,1\n44,1") == [
        "defaultprefix",
        "44",
    ]


def test_short_numbers_do_not_match_longer_prefixes():
    text = "dialprefix,rateinitial\n1415,1\n14150,1\n112,1\n"
    assert prefixes_of(["1415", "14150", "141", "112", "1121"], text) == [
        *("1415", "14150", "no-rate", "112", "112")
    ]


def test_a_prefix_with_00_serves_numbers_without():
    text = "dialprefix,rateinitial\n0044,1\n+33,1\n0034,1\n34,2\n"
    assert prefixes_of(["44555", "0044555", "33", "34", "0034"], text) == [
        *("0044", "0044", "33", "34", "0034")
    ]


def test_patterns_rank_by_their_written_length():
    text = (
        "dialprefix,rateinitial\n34,1\n346001234,1\n_34[6-7]XX.,1\n_3,1\n_*9Z!,1\n_34NXXXXXXXX,1\n"
    )
    assert prefixes_of(
        ["34600", "346001", "346001234", "34600123456", "3", "*98", "*90"], text
    ) == [*("34", "_34[6-7]XX.", "_34[6-7]XX.", "_34NXXXXXXXX", "_3", "_*9Z!", "no-rate")]


def test_digits_win_against_a_pattern_written_as_long():
    assert prefixes_of(["442015"], "dialprefix,rateinitial\n44201,1\n_442.,2\n") == ["44201"]


def test_the_first_deck_that_knows_the_number_decides():
    special = deck("dialprefix,rateinitial,destination,carrier\n44,5,UK,acme\n", "special")
    standard = deck("dialprefix,rateinitial,destination\ndefault,1,World\n447,2,UK mobile\n")
    calls = batch(("447", MONDAY, 60), ("33", MONDAY, 60), ("447", MONDAY, 60), ("1", MONDAY, 60))
    calls = calls.set_column(3, "tariff", pa.array([0, 0, 1, -1], pa.int32()))
    rated = rating.rate(calls, [plan(special, standard), plan(standard)])
    assert rated.schema.equals(rating.SCHEMA)
    assert rated.to_pydict() == {
        "deck": ["special", "standard", "standard", ""],
        "prefix": ["44", "default", "447", ""],
        "destination": ["UK", "World", "UK mobile", ""],
        "billed_seconds": [60, 60, 60, 0],
        "cost_micro": [5_000_000, 1_000_000, 2_000_000, 0],
        "buy_micro": [0, 0, 0, 0],
        "carrier": ["acme", "", "", ""],
        "reason": ["", "", "", "no-rate"],
        "since": ["", "", "", ""],
    }


def test_a_rate_begins_and_ends():
    text = (
        "dialprefix,rateinitial,startdate,stopdate\n"
        "4,1,,\n44,2,0000-00-00 00:00:00,2026-01-05\n44,3,2026-01-05,2026-01-05T12:00\n"
    )
    hours = [-1, 0, 11 * 3600 + 3599, 12 * 3600]
    moments = [MONDAY + dt.timedelta(seconds=second) for second in hours]
    rated = rating.rate(batch(*(("44", moment, 60) for moment in moments)), [plan(deck(text))])
    assert rated["cost_micro"].to_pylist() == [2_000_000, 3_000_000, 3_000_000, 1_000_000]
    assert rated["prefix"].to_pylist() == ["44", "44", "44", "4"]


def test_times_of_the_week_may_go_over_its_end():
    text = "dialprefix,rateinitial,starttime,endtime\n4,1,,\n44,2,10020,59\n44,3,60,119\n"
    minutes = [0, 59, 60, 119, 120, 10019, 10020, 10079]
    moments = [MONDAY + dt.timedelta(minutes=minute, seconds=59) for minute in minutes]
    rated = rating.rate(batch(*(("44", moment, 60) for moment in moments)), [plan(deck(text))])
    units = [cost // 1_000_000 for cost in rated["cost_micro"].to_pylist()]
    assert units == [2, 2, 3, 3, 1, 1, 2, 2]


def test_a_window_of_zeros_is_the_first_minute_of_monday():
    text = "dialprefix,rateinitial,starttime,endtime\n44,1,0,0\n"
    assert prefixes_of(["44"], text) == ["44"]
    assert prefixes_of(["44"], text, MONDAY + dt.timedelta(minutes=1)) == ["no-rate"]


def test_nothing_in_nothing_out():
    assert rating.rate(batch(), [plan(deck("dialprefix,rateinitial\n44,1\n"))]).num_rows == 0
    empty = deck("dialprefix,rateinitial\n")
    assert rating.rate(batch(("44", MONDAY, 1)), [plan(empty)])["reason"].to_pylist() == ["no-rate"]
    assert rating.rate(batch(("44", MONDAY, 1)), [plan()])["reason"].to_pylist() == ["no-rate"]


def test_impossible_lengths_are_told():
    calls = batch(("44", MONDAY, -1), ("44", MONDAY, tariff.MAX_SECONDS + 1), ("44", MONDAY, 60))
    rated = rating.rate(calls, [plan(deck("dialprefix,rateinitial\n44,1\n"))])
    assert rated["reason"].to_pylist() == ["bad-seconds", "bad-seconds", ""]
    assert rated["cost_micro"].to_pylist() == [0, 0, 1_000_000]


def test_an_encoded_deck_can_be_sent_to_another_process():
    made = deck("dialprefix,rateinitial\n44,1\n_4X.,2\n")
    assert made.index.bounds.size
    sent = pickle.loads(pickle.dumps(made))  # noqa: S301
    assert "index" in vars(sent)
    rated = [rating.rate(batch(("4420", MONDAY, 60)), [plan(one)]) for one in (made, sent)]
    assert rated[0].equals(rated[1])


# At what cost


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


def test_nothing_is_priced_of_nothing():
    assert [figure.size for figure in cost.price(deck("prefix,rateinitial\n1,1\n"), *NOTHING)] == [
        *(0, 0, 0)
    ]


def test_no_longest_call_without_a_rate():
    plan_ = plan(deck("dialprefix,rateinitial\n44,1\n"))
    assert quote.max_seconds(plan_, "33", MONDAY, 1) is None
    assert quote.max_seconds(plan_, "44", MONDAY, 60_000_000) == 3600


# Without a book


def test_calls_in_prices_out():
    calls = (
        "seconds,id,start,called,note\n"
        "61,a,2026-01-05 10:00:00,4420,x\n"
        "60,b,2026-01-05T10:00:00,+44 20,\n"
        "1,c,2026-01-05 10:00:00,33,"
    )
    text = 'dialprefix,destination,rateinitial,buyrate,billingblock\n44,"UK, all",0.1,0.05,60\n'
    output, problems = offline.price(calls, file="calls.csv", deck=deck(text))
    assert problems == []
    assert output == (
        "id,prefix,destination,billed_seconds,cost,buy_cost,reason\n"
        'a,44,"UK, all",120,0.200000,0.050833,\n'
        'b,44,"UK, all",60,0.100000,0.050000,\n'
        "c,,,0,0.000000,0.000000,no-rate\n"
    )


HEADER = "id,called,start,seconds\n"
GOOD = "1,44,2026-01-05 10:00:00,60\n"


@pytest.mark.parametrize(
    ("row", "reason", "says"),
    [
        ("2,44,2026-02-30 10:00:00,60", "bad-start", "'2026-02-30 10:00:00' is not a time"),
        ("2,44,5.1.2026,60", "bad-start", "'5.1.2026' is not a time"),
        ("2,44,2026-01-05 10:00:00,-1", "bad-seconds", "'-1' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1.5.2", "bad-seconds", "'1.5.2' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,-1.5", "bad-seconds", "'-1.5' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1:30", "bad-seconds", "'1:30' is not a whole number"),
        ("2,44,2026-01-05 10:00:00,1000000.1", "bad-seconds", "up to 1,000,000"),
        ("2,44,2026-01-05 10:00:00,99999999", "bad-seconds", "up to 1,000,000"),
        ("2,44,2026-01-05 10:00:00", "bad-seconds", "'' is not a whole number"),
        ("2,,2026-01-05 10:00:00,60", "bad-called", "called: is empty"),
        ("2,44,2026-01-05 10:00:00,60,7", "bad-row", "has 5 cells under 4 columns"),
        ('2,"44,2026-01-05 10:00:00,60', "bad-csv", "missing quote"),
    ],
)
def test_a_bad_row_is_named_and_the_others_priced(row, reason, says):
    rows, problems = priced(HEADER + GOOD + row + "\n", "dialprefix,rateinitial\n44,1\n")
    assert [problem[:3] for problem in problems] == [("calls.csv", 3, reason)]
    assert says in problems[0].message
    assert [row["id"] for row in rows] == ["1"]


@pytest.mark.parametrize(
    ("length", "billed"),
    [("1.5", 2), ("1,5", 2), ("2.0", 2), ("0.001", 1), ("0.0", 0), ("1:02:03", 3723)],
)
def test_a_length_is_read_as_in_calls_a_second_that_was_begun_counts(length, billed):
    row = f'2,44,2026-01-05 10:00:00,"{length}"\n'
    rows, problems = priced(HEADER + GOOD + row, "dialprefix,rateinitial\n44,60\n")
    assert problems == []
    assert [(row["id"], row["billed_seconds"], row["cost"]) for row in rows] == [
        ("1", "60", "60.000000"),
        ("2", str(billed), f"{billed}.000000"),
    ]


def test_lines_are_right_among_comments_and_quotes():
    text = f'# today\n\n{HEADER}"a\nb",44,2026-01-05 10:00:00,60\n{GOOD}x,44,never,60\n'
    rows, problems = priced(text, "dialprefix,rateinitial\n44,1\n")
    assert [row["id"] for row in rows] == ["a\nb", "1"]
    assert [(problem.line, problem.reason) for problem in problems] == [(7, "bad-start")]


def test_calls_without_their_columns_are_refused():
    assert priced("id,called,start\n", "dialprefix,rateinitial\n")[1][0].reason == "bad-header"
    assert priced("", "dialprefix,rateinitial\n")[1][0].reason == "empty"


LINE = st.sampled_from(
    [
        *(
            GOOD.strip(),
            "2,33,2026-01-05T10:00:00,5",
            '"q",44,2026-01-05 10:00:00,1',
            "#",
            "",
            ",,,",
        ),
        *(" 3,44,2026-01-05 10:00:00,60 ", "4,44,2026-01-05 10:00:00", "5,44,x,1", "6, 44,x,1,"),
    ]
)


@given(st.lists(LINE))
def test_fast_and_careful_reading_agree(lines):
    text = HEADER + "".join(f"{line}\n" for line in lines)
    one = deck("dialprefix,rateinitial\n44,1\n")
    careful = offline.price("# read me slowly\n" + text, file="calls.csv", deck=one)
    problems = [problem._replace(line=problem.line - 1) for problem in careful[1]]
    assert offline.price(text, file="calls.csv", deck=one) == (careful[0], problems)


# No floats where there is money


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


# What other systems' decks say


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


def test_a_blocked_row_refuses_the_call_and_no_shorter_prefix_takes_it():
    text = "dialprefix,destination,rateinitial,blocked\n88,Satellite,1,\n8816,Iridium,,yes\n"
    rated = rating.rate(
        batch(("88161", MONDAY, 60), ("8817", MONDAY, 60)), [plan(deck(text))]
    ).to_pylist()
    assert [(row["reason"], row["cost_micro"]) for row in rated] == [
        ("blocked", 0),
        ("", 1_000_000),
    ]
    assert rated[0]["destination"] == "Iridium"
    assert quote.max_seconds(plan(deck(text)), "88161", MONDAY, 10**9) == 0


DATED = st.lists(
    st.tuples(
        st.sampled_from(["4", "44", "447", "_4[47]X.", "default"]),
        st.integers(-5, 15),
        st.integers(1, 30),
    ),
    max_size=12,
    unique_by=lambda row: row[:2],
)


@tried(50)
@given(DATED, st.lists(st.tuples(NUMBER, st.integers(0, 12)), min_size=1))
def test_dated_rows_price_as_the_deck_cut_to_the_day(rows, asked):
    lines = ["dialprefix,rateinitial,startdate,stopdate"]
    for price, (prefix, first, length) in enumerate(rows, 1):
        since, until = (MONDAY + dt.timedelta(days=days) for days in (first, first + length))
        end = f"{until:%Y-%m-%d}" if length < 20 else ""
        lines.append(f"{prefix},{price},{since:%Y-%m-%d},{end}")
    made = deck("\n".join(lines))
    for number, day in asked:
        moment = MONDAY + dt.timedelta(days=day, hours=5)
        dated, cut = (
            rating.rate(batch((number, moment, 60)), [plan(one)]) for one in (made, made.at(moment))
        )
        assert dated.drop_columns(["since"]).equals(cut.drop_columns(["since"]))
        # And slowly: of the rows that hold, the latest of the prefix that decides.
        holding = [
            (first, price)
            for price, (prefix, first, length) in enumerate(rows, 1)
            if first <= day
            and (day < first + length or length >= 20)
            and prefix == dated["prefix"][0].as_py()
        ]
        expected = max(holding)[1] * 1_000_000 if holding else 0
        assert dated["cost_micro"][0].as_py() == expected
        start = MONDAY + dt.timedelta(days=max(holding)[0]) if holding else None
        assert dated["since"][0].as_py() == (f"{start:%Y-%m-%d}" if start else "")


def test_a_later_row_replaces_an_earlier_one_from_its_day_on():
    text = "dialprefix,rateinitial,startdate\n44,1,2026-01-01\n44,2,2026-02-01\n44,3,2026-03-01\n"
    days = ["2025-12-31", "2026-01-31", "2026-02-01", "2026-03-01"]
    moments = [dt.datetime.fromisoformat(day) for day in days]
    rated = rating.rate(batch(*(("44", moment, 60) for moment in moments)), [plan(deck(text))])
    assert [cost // 1_000_000 for cost in rated["cost_micro"].to_pylist()] == [0, 1, 2, 3]
    assert rated["since"].to_pylist() == ["", "2026-01-01", "2026-02-01", "2026-03-01"]
