"""A2Billing's call plans as decks."""

from __future__ import annotations

from exports import exported
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.a2billing import ratecards
from a2ledger.rating import deck


def rate(prefix="32", sell="0.10", buy="0.05", plan=1, **more):
    return {
        "idtariffplan": plan,
        "dialprefix": prefix,
        "rateinitial": sell,
        "buyrate": buy,
        "starttime": 0,
        "endtime": 10079,
        **more,
    }


def read(tmp_path, rates, plans=("1",), **tables):
    usual = {"cc_tariffplan": [{"tariffname": "a"}, {"tariffname": "b"}]}
    own = exported(tmp_path, cc_ratecard=rates, **usual | tables)
    return ratecards.read(own, "a2b", plans)


def prices(made, name="a2b-1"):
    parsed, problems = deck.parse(made.texts[name], name=name, file=name)
    assert problems == []
    return dict(
        zip(parsed.prefixes.to_pylist(), parsed.values["rateinitial"].tolist(), strict=True)
    )


def test_of_rates_of_a_prefix_the_cheapest_to_buy_is_taken_or_to_sell(tmp_path):
    rates = [rate(sell="0.20", buy="0.04"), rate(sell="0.10", buy="0.05")]
    made = read(tmp_path, rates)
    assert prices(made) == {"32": 200_000}
    assert made.odd == {"an outpriced rate": 1}
    group = [{"tariffgroupname": "x", "lcrtype": "1"}]
    assert prices(
        read(
            tmp_path,
            rates,
            cc_tariffgroup=group,
            cc_tariffgroup_plan=[{"idtariffgroup": 1, "idtariffplan": 1}],
        )
    ) == {"32": 100_000}


def test_a_call_plan_has_the_ratecards_that_are_in_it(tmp_path):
    rates = [rate("32", plan=1), rate("33", plan=2)]
    members = {
        "cc_tariffgroup": [{"tariffgroupname": "x"}, {"tariffgroupname": "y"}],
        "cc_tariffgroup_plan": [{"idtariffgroup": 2, "idtariffplan": 2}],
    }
    made = read(tmp_path, rates, ("1", "2"), **members)
    assert list(made.texts) == ["a2b-1", "a2b-2"]
    assert prices(made, "a2b-2") == {"33": 100_000}
    assert "32" not in made.texts["a2b-1"]


def test_where_nothing_says_what_is_in_a_call_plan_all_rates_are(tmp_path):
    made = read(tmp_path, [rate("32", plan=1), rate("33", plan=2)], ("9",))
    assert set(prices(made, "a2b-9")) == {"32", "33"}


def test_what_no_deck_can_say_is_left_out_and_counted(tmp_path):
    made = read(
        tmp_path,
        [rate("32"), rate("33", sell="x"), rate("34", plan=2)],
        cc_tariffplan=[{"tariffname": "a"}, {"tariffname": "b", "dnidprefix": "800"}],
    )
    assert prices(made) == {"32": 100_000}
    assert made.odd == {"an invalid rate": 1, "a rate for some callers only": 1}
    assert made.rates == 3


def test_a_carrier_is_named_by_its_trunk(tmp_path):
    made = read(
        tmp_path,
        [rate("32", id_trunk=4), rate("33", id_trunk=-1), rate("34", id_trunk=8)],
        cc_tariffplan=[{"tariffname": "a", "id_trunk": 5}],
        cc_provider=[{"provider_name": "Acme"}],
        cc_trunk=[{"id_trunk": 4, "id_provider": 1}, {"id_trunk": 5, "trunkcode": "five"}],
    )
    parsed, _ = deck.parse(made.texts["a2b-1"], name="d", file="d")
    assert parsed.carriers.to_pylist() == ["Acme", "five", "Trunk-8"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["32", "33"]), st.integers(1, 9), st.integers(1, 9)), max_size=5
    )
)
def test_every_prefix_has_the_cheapest_of_its_rates_and_each_other_one_is_counted(
    tmp_path_factory, rows
):
    rates = [rate(prefix, sell, buy) for prefix, sell, buy in rows]
    made = read(tmp_path_factory.mktemp("a2b"), rates or [rate("9")])
    if rows:
        found = prices(made)
        assert set(found) == {prefix for prefix, *_ in rows}
        for prefix, price in found.items():
            least = min(buy for name, _, buy in rows if name == prefix)
            assert price in {
                sell * 10**6 for name, sell, buy in rows if (name, buy) == (prefix, least)
            }
