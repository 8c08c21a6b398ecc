"""Who holds which identifier when."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.customers.directory import Directory, clashes
from a2ledger.period import EPOCH
from a2ledger.records import Customer, split_list

DAY = dt.date(2026, 1, 1)


def customer(name, *identifiers, **facts):
    if identifiers:
        facts["identifiers"] = identifiers
    return Customer(id=name, opened=DAY, facts=facts)


def days(*offsets):
    return np.array([(DAY - EPOCH).days + offset for offset in offsets], np.int32)


def later(offset):
    return DAY + dt.timedelta(days=offset)


def test_an_id_is_always_its_customers_identifier():
    directory = Directory([customer("a"), customer("b", (DAY, "1001, 1002"))])
    found = directory.identify(pa.array(["b", "1002", "", "c", "a"]), days(0, -900, 0, 0, 900))
    assert found.tolist() == [1, 1, -1, -1, 0]
    assert found.dtype == np.int32


def test_an_identifier_moves_on_a_day():
    one = customer("a", (DAY, "1001"), (later(10), ""))
    two = customer("b", (DAY, ""), (later(10), "1001"))
    directory = Directory([one, two])
    assert clashes([one, two]) == []
    assert directory.identify(pa.array(["1001"] * 4), days(-5, 9, 10, 99)).tolist() == [0, 0, 1, 1]


def test_an_identifier_held_twice_is_nobodys_and_named():
    one = customer("a", (DAY, "1001"))
    two = customer("b", (DAY, ""), (later(10), "1001"), (later(20), ""))
    three = customer("1001")
    assert clashes([one, two]) == ["a and b both hold the identifier '1001' from 2026-01-11"]
    assert clashes([one, three]) == ["1001 and a both hold the identifier '1001'"]
    directory = Directory([one, two])
    assert directory.identify(pa.array(["1001"] * 3), days(9, 10, 20)).tolist() == [0, -1, 0]


def test_one_customer_may_name_an_identifier_twice():
    assert clashes([customer("a", (DAY, "a, 1001, 1001"), (later(1), "1001"))]) == []


def test_facts_are_dated():
    directory = Directory(
        [
            customer("a", discount_percent=((DAY, Decimal(5)), (later(10), Decimal(0)))),
            customer("b"),
        ]
    )
    who = np.array([0, 0, 0, 1, -1], np.int32)
    values, index = directory.fact("discount_percent", who, days(-9, 9, 10, 0, 0))
    assert values[0] is None
    assert [values[i] for i in index] == [Decimal(5), Decimal(5), Decimal(0), None, None]


def test_a_fact_first_set_after_the_opening_held_nothing_before():
    one = customer("a", (later(10), "1001"), discount_percent=((later(10), Decimal(5)),))
    directory = Directory([one])
    values, index = directory.fact("discount_percent", np.array([0, 0]), days(9, 10))
    assert [values[i] for i in index] == [None, Decimal(5)]
    assert [one.fact("discount_percent", later(day)) for day in (9, 10)] == [None, Decimal(5)]
    assert directory.identify(pa.array(["1001", "1001"]), days(9, 10)).tolist() == [-1, 0]


def test_a_directory_of_nobody_knows_nobody():
    directory = Directory([])
    assert directory.identify(pa.array(["a"]), days(0)).tolist() == [-1]
    values, index = directory.fact("name", np.array([-1], np.int32), days(0))
    assert [values[i] for i in index] == [None]


NAMES = st.sampled_from(["a", "b", "c", "x", "y"])
HISTORY = st.lists(
    st.tuples(st.integers(-5, 5), st.lists(NAMES, max_size=2).map(", ".join)), max_size=3
).map(lambda rows: tuple((later(day), text) for day, text in sorted(rows)))


@given(
    histories=st.lists(HISTORY, min_size=1, max_size=3),
    asked=st.lists(st.tuples(NAMES, st.integers(-8, 8)), min_size=1, max_size=10),
)
def test_many_rows_at_once_are_as_one_by_one(histories, asked):
    known = [customer(name, *history) for name, history in zip("abc", histories, strict=False)]
    directory = Directory(known)
    found = directory.identify(
        pa.array([name for name, _ in asked]), days(*(day for _, day in asked))
    )
    for (name, day), index in zip(asked, found.tolist(), strict=True):
        holders = [
            place
            for place, one in enumerate(known)
            if name in {one.id, *split_list(one.text("identifiers", later(day)))}
        ]
        assert index == (holders[0] if len(holders) == 1 else -1)
        if len(holders) > 1:
            assert any(f"'{name}'" in message for message in clashes(known))
        values, index_of = directory.fact("identifiers", np.array([0]), days(day))
        assert values[index_of[0]] == known[0].fact("identifiers", later(day))


def test_ten_thousand_customers_and_a_million_rows_take_no_time():
    known = [
        customer(f"C{n}", *((later(30 * k), f"{n}-{k}, {n}") for k in range(3)))
        for n in range(10_000)
    ]
    values = pa.array([f"{n % 10_000}" for n in range(1_000_000)])
    when = np.resize(days(*range(90)), 1_000_000)
    directory = Directory(known)
    started = time.perf_counter()
    found = directory.identify(values, when)
    facts, index = directory.fact("identifiers", found, when)
    assert time.perf_counter() - started < 3
    assert found[4321] == 4321
    assert facts[index[4321]] == "4321-0, 4321"
