"""Calls added up for bills: by period, service, destination, VAT code and what came late."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.billing.bill import Used
from a2ledger.billing.used import Calls, Day
from a2ledger.calls import detail
from a2ledger.calls.detail import Told
from a2ledger.documents.document import Rate
from a2ledger.period import DAY, Period

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
FEBRUARY = Period(dt.date(2026, 2, 1), dt.date(2026, 3, 1))
DAYS = st.integers(0, 58).map(lambda offset: JANUARY.start + offset * DAY)
SUMS = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["C1", "C2"]),
        st.sampled_from(["Calls", "Fax"]),
        st.sampled_from(["Belgium", "France"]),
        st.integers(1, 9),
        st.integers(-(10**6), 10**6),
    ),
    max_size=20,
)


def line(customer, service, place, count, micro, late_in=None, *, prefix="32"):
    """A line of a day's calls, as a table of one."""
    names = [
        "customer",
        "service",
        "destination",
        "vat",
        "late_in",
        *detail.RATE,
        "calls",
        "seconds",
        "cost_micro",
    ]
    types = [pa.string()] * 4 + [pa.date32()] + [pa.string()] * 3 + [pa.int64()] * 3
    values = [
        customer,
        service,
        place,
        "O",
        late_in,
        "standard",
        prefix,
        "",
        count,
        60 * count,
        micro,
    ]
    columns = [pa.array([value], kind) for value, kind in zip(values, types, strict=True)]
    return pa.table(columns, names)


def taken(sums):
    calls = Calls()
    for day, customer, *values in sums:
        told = [Told(customer, None, values[2], "ab")]
        prefix = "32" if values[3] % 2 else "3247"
        calls.add(Day(day, line(customer, *values, prefix=prefix), {}, told))
    return calls


@given(SUMS)
def test_every_call_is_in_the_bill_of_one_period_of_its_customer(sums):
    calls = taken(sums)
    for customer in ("C1", "C2"):
        own = [row for row in sums if row[1] == customer]
        bills = [calls.of(customer, period) for period in (JANUARY, FEBRUARY)]
        assert sum(used.calls for bill in bills for used in bill) == sum(row[4] for row in own)
        assert sum(used.micro for bill in bills for used in bill) == sum(row[5] for row in own)
        for period, bill in zip((JANUARY, FEBRUARY), bills, strict=True):
            keys = [(used.service, used.destination) for used in bill]
            assert len(keys) == len(set(keys))
            assert all(sum(rate.calls for rate in used.rates) == used.calls for used in bill)
            assert all(
                len({rate.prefix for rate in used.rates}) == len(used.rates) for used in bill
            )
            assert all(period.start <= used.first <= used.last < period.end for used in bill)


@given(SUMS, st.randoms())
def test_what_a_seal_vouches_for_does_not_depend_on_the_order_of_days(sums, random):
    shuffled = random.sample(sums, len(sums))
    assert taken(sums).told("C1", JANUARY) == taken(shuffled).told("C1", JANUARY)


@given(SUMS)
def test_handed_on_for_some_customers_it_is_the_same_for_them_and_nothing_of_others(sums):
    calls = taken(sums)
    part = calls.only(["C1"])
    assert part.of("C1", JANUARY) == calls.of("C1", JANUARY)
    assert part.of("C2", JANUARY) == []


def test_late_calls_are_of_the_period_they_are_posted_in_and_apart():
    calls, day = Calls(), dt.date(2026, 1, 30)
    said = {("C1", "Calls", "Belgium", "O", FEBRUARY.start): {"201": 1}}
    calls.add(Day(FEBRUARY.start, line("C1", "Calls", "Belgium", 1, 5), {}, []))
    late_line = line("C1", "Calls", "Belgium", 1, 5, FEBRUARY.start)
    calls.add(Day(day, late_line, said, [Told("C1", FEBRUARY.start, 1, "ab")]))
    now = Used("Calls", "Belgium", "O", None, 1, 60, 5, FEBRUARY.start, FEBRUARY.start,
               rates=(Rate("standard", "32", "", 1),))  # fmt: skip
    late = now._replace(late_from=day, first=day, last=day, extensions={"201": 1})
    assert calls.of("C1", JANUARY) == []
    assert calls.of("C1", FEBRUARY) == [now, late]
    assert calls.told("C1", JANUARY) == (0, "")
    assert calls.told("C1", FEBRUARY) == (1, "2026-01-30 2026-02-01 1 ab\n")


def test_of_thousands_of_customers_each_has_their_own_calls():
    """Arrow's groups come in the order of their names only as long as there are few."""
    names = [f"C{number:06}" for number in range(10_000)]
    calls = Calls()
    for day in (JANUARY.start, JANUARY.start + DAY):
        columns = {
            "customer": names,
            **dict.fromkeys(("service", "destination", "vat"), ["Calls"] * len(names)),
            "late_in": pa.nulls(len(names), pa.date32()),
            **dict.fromkeys(detail.RATE, [""] * len(names)),
            **{key: list(range(len(names))) for key in ("calls", "seconds", "cost_micro")},
        }
        calls.add(Day(day, pa.table(columns), {}, []))
    wrong = [
        name
        for number, name in list(enumerate(names))[::97]
        if [used.micro for used in calls.of(name, JANUARY)] != [2 * number]
    ]
    assert not wrong
