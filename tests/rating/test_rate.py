from __future__ import annotations

import datetime as dt
import json
import pickle
from collections import Counter
from decimal import Decimal

import pyarrow as pa
import rating_oracle
from checkout import DATA
from examples import tried
from hypothesis import given
from hypothesis import strategies as st
from pricing import MONDAY, NUMBER, batch, deck, plan, priced

from a2ledger.rating import deck as tariff
from a2ledger.rating import quote
from a2ledger.rating import rate as rating

CHOICES = [json.loads(line) for line in (DATA / "rating/a2billing_rate_choice_cases.jsonl").open()]


def prefixes_of(numbers, text, local=MONDAY):
    rated = rating.rate(batch(*((number, local, 60) for number in numbers)), [plan(deck(text))])
    return [row["prefix"] if not row["reason"] else row["reason"] for row in rated.to_pylist()]


# A2Billing's own answers


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
