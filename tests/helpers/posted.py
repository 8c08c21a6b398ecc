"""Postings of periods at random, and the bills that are drawn up from them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from beancount.core import data
from hypothesis import strategies as st

from a2ledger.billing import bill as billing
from a2ledger.billing.bill import Row
from a2ledger.book import config
from a2ledger.period import DAY, Period

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
CODES = {
    code: config.VatCode(code=code, category="S" if rate != "0" else "O", rate=Decimal(rate))
    for code, rate in {"S21": "21", "S5": "5.5", "S20": "20.25", "O": "0"}.items()
}
DAYS = st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31))
CENTS = st.one_of(
    st.integers(-(10**10), 10**10),
    st.integers(-20_003, 20_003),
    st.integers(-7, 7).map(lambda half_cents: half_cents * 5_000),
    st.integers(-3, 3).map(lambda halves: halves * 500_000),
)
CODE = st.sampled_from(sorted(CODES))


def total(entry: data.Transaction) -> Decimal:
    return sum((leg.units.number for leg in entry.postings), Decimal(0))


def draw_up(brought, rows, used=(), period=JANUARY, places=2):
    return billing.draw_up(period, brought, rows, used, CODES, places)


def row(day, code, micro, **given_):
    usual = {"billed": False, "payee": "One-off", "narration": "", "calls": None}
    usual |= {"late_from": None, "link": "charge-x", "tags": frozenset()}
    facts = usual | given_
    return Row(date=day, micro=micro, vat=code, seconds=facts["calls"], **facts)


def shown_together(call):
    """What calls on one line of a bill have in common."""
    _, service, destination, code, _, late = call
    return service, destination, code, late


@st.composite
def months(draw, day):
    """What is posted in one period: charges, calls with their detail, payments."""
    days = st.integers(0, 27).map(lambda offset: day + offset * DAY)
    charges = draw(st.lists(st.builds(row, days, CODE, CENTS), max_size=4))
    payments = draw(
        st.lists(st.builds(row, days, st.just(""), CENTS, billed=st.just(True)), max_size=3)
    )
    calls = draw(
        st.lists(
            st.tuples(
                days,
                st.sampled_from(["Calls", "Directory"]),
                st.sampled_from(["Belgium", "France", ""]),
                CODE,
                CENTS,
                st.sampled_from([None, day - 3 * DAY, day - 5 * DAY]),
            ),
            max_size=6,
            unique_by=shown_together,
        )
    )
    usage = [
        row(day if late else when, code, micro, calls=1, payee=service, late_from=late, link="")
        for when, service, _, code, micro, late in calls
    ]
    used = [
        billing.Used(service, destination, code, late, 1, 60, micro, when, when)
        for when, service, destination, code, micro, late in calls
    ]
    return draw(st.permutations([*charges, *payments, *usage])), draw(st.permutations(used))


@st.composite
def years(draw):
    """Some periods, one after another."""
    starts = [dt.date(2026, month, 1) for month in range(1, draw(st.integers(2, 6)))]
    return [
        (Period(start, (start + 32 * DAY).replace(day=1)), *draw(months(start))) for start in starts
    ]
