"""What of a recurring fee falls due when, and how much: figures worked by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import facts, money, period
from a2ledger.fees import due as fees
from a2ledger.period import DAY
from a2ledger.records import Customer, Fee


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def customer(
    opened: str = "2028-01-01", billing_day: int = 1, *changes: tuple[str, int], cycle: str = ""
) -> Customer:
    days = [(opened, billing_day), *changes]
    facts = {"billing_day": tuple((day(since), Decimal(number)) for since, number in days)}
    if cycle:
        facts["cycle"] = ((day(opened), cycle),)
    return Customer(id="C1", opened=day(opened), facts=facts)


def fee(price: str, start: str = "2028-01-01", **more: object) -> Fee:
    usual = {
        "id": "line", "service": "Subscriptions", "every": "month", "arrears": False,
        "description": "Line", "currency": "EUR", "until": None,
    }  # fmt: skip
    changes = more.pop("changes", {})
    prices = {start: price, **changes}
    return Fee(
        prices=tuple((day(since), money.parse(amount)) for since, amount in prices.items()),
        **{**usual, **more},
    )


def due(whose: Customer, what: Fee, since: str = "2028-01-01", until: str = "2028-12-31"):
    """What falls due: on which day, for which first and last day, how much."""
    return [
        (str(line.due), str(line.days.start), str(line.days.last), money.text(line.micro, 2))
        for line in fees.lines(whose, what, day(since), day(until))
    ]


def test_in_advance_it_is_due_on_the_last_day_before_the_month_it_is_for():
    assert due(customer(), fee("9.90"), until="2028-03-31") == [
        ("2028-01-01", "2028-01-01", "2028-01-31", "9.90"),  # the first: on its own first day
        ("2028-01-31", "2028-02-01", "2028-02-29", "9.90"),
        ("2028-02-29", "2028-03-01", "2028-03-31", "9.90"),
        ("2028-03-31", "2028-04-01", "2028-04-30", "9.90"),
    ]


def test_in_arrears_it_is_due_on_the_last_day_of_the_month_it_is_for():
    assert due(customer(), fee("9.90", arrears=True), until="2028-03-30") == [
        ("2028-01-31", "2028-01-01", "2028-01-31", "9.90"),
        ("2028-02-29", "2028-02-01", "2028-02-29", "9.90"),
    ]


def test_days_at_its_ends_are_prorated():
    # 10 to 31 January: 22 of 31 days of 9.90 are 7.0258; 1 to 16 February: 16 of 29 are 5.4621.
    what = fee("9.90", "2028-01-10", until=day("2028-02-17"))
    assert due(customer(), what) == [
        ("2028-01-10", "2028-01-10", "2028-01-31", "7.03"),
        ("2028-01-31", "2028-02-01", "2028-02-16", "5.46"),
    ]
    late = fee("9.90", "2028-01-10", until=day("2028-02-17"), arrears=True)
    assert [row[0] for row in due(customer(), late)] == ["2028-01-31", "2028-02-16"]


def test_a_changed_price_splits_the_days_in_two_lines():
    # 1 to 14 February: 14 of 29 days of 9.90 are 4.7793; the other 15 of 12.90 are 6.6724.
    what = fee("9.90", changes={"2028-02-15": "12.90"})
    assert due(customer(), what, "2028-01-02", "2028-02-29") == [
        ("2028-01-31", "2028-02-01", "2028-02-14", "4.78"),
        ("2028-01-31", "2028-02-15", "2028-02-29", "6.67"),
        ("2028-02-29", "2028-03-01", "2028-03-31", "12.90"),
    ]


def test_a_quarter_is_three_months_from_the_one_that_holds_its_first_day():
    # From 10 February on billing day 15: the quarter from 15 January to 14 April has 91 days.
    what = fee("30.00", "2028-02-10", every="quarter")
    assert due(customer("2028-01-20", 15), what, until="2028-10-31") == [
        ("2028-02-10", "2028-02-10", "2028-04-14", "21.43"),  # 65 of 91 days: 21.4286
        ("2028-04-14", "2028-04-15", "2028-07-14", "30.00"),
        ("2028-07-14", "2028-07-15", "2028-10-14", "30.00"),
        ("2028-10-14", "2028-10-15", "2029-01-14", "30.00"),
    ]


def test_a_year_from_the_last_day_of_february_ends_on_the_day_before_it():
    what = fee("366.00", "2028-02-29", every="year")
    assert due(customer("2028-02-29", 31), what, "2028-01-01", "2030-12-31") == [
        ("2028-02-29", "2028-02-29", "2029-02-27", "366.00"),
        ("2029-02-27", "2029-02-28", "2030-02-27", "366.00"),
        ("2030-02-27", "2030-02-28", "2031-02-27", "366.00"),
    ]


def test_nothing_is_due_for_days_before_the_opening():
    # From 1 January, but opened on the 20th: 12 of 31 days of 31.00.
    assert due(customer("2028-01-20"), fee("31.00"), until="2028-01-30") == [
        ("2028-01-20", "2028-01-20", "2028-01-31", "12.00"),
    ]


def test_a_changed_billing_day_cuts_the_month_and_begins_another():
    # Months from the 1st; from 1 March on from the 15th. 1 to 14 March is the end of the month
    # from 15 February to 14 March, 29 days: 14 of 29 days of 29.00 are 14.00.
    moved = customer("2028-01-01", 1, ("2028-03-01", 15))
    assert due(moved, fee("29.00"), "2028-01-31", "2028-04-30") == [
        ("2028-01-31", "2028-02-01", "2028-02-29", "29.00"),
        ("2028-02-29", "2028-03-01", "2028-03-14", "14.00"),
        ("2028-03-14", "2028-03-15", "2028-04-14", "29.00"),
        ("2028-04-14", "2028-04-15", "2028-05-14", "29.00"),
    ]
    # A quarter from 1 January has 91 days, of which 60 are over by then; the new one is counted
    # from 15 February to 14 May, 90 days, of which 75 are left from 1 March on.
    assert due(moved, fee("90.00", every="quarter"), until="2028-05-31") == [
        ("2028-01-01", "2028-01-01", "2028-02-29", "59.34"),  # 60 of 91 days: 59.3407
        ("2028-02-29", "2028-03-01", "2028-05-14", "75.00"),
        ("2028-05-14", "2028-05-15", "2028-08-14", "90.00"),
    ]


def test_an_anniversary_counts_months_from_the_opening():
    one = customer("2028-01-31", 31, cycle="yearly-anniversary")
    assert due(one, fee("5.00"), until="2028-03-31") == [
        ("2028-01-31", "2028-01-31", "2028-02-28", "5.00"),
        ("2028-02-28", "2028-02-29", "2028-03-30", "5.00"),
        ("2028-03-30", "2028-03-31", "2028-04-29", "5.00"),
    ]


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "355"), ("KWD", "354.839"), ("EUR", "354.84")]
)
def test_a_part_is_rounded_to_the_decimals_of_its_currency(currency, amount):
    what = fee("1000", "2028-01-21", currency=currency)  # 11 of 31 days: 354.83871
    [line, *_] = fees.lines(customer(), what, day("2028-01-01"), day("2028-01-30"))
    assert money.text(line.micro, money.decimals(currency)) == amount
    assert line.formula(money.decimals(currency)).startswith("11 of 31 days of 1000")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "a-b"}, "an id is letters"),
        ({"service": "Magic"}, "service 'Magic' is not under [services]"),
        ({"currency": "USD"}, "is in USD, the account in EUR"),
    ],
)
def test_a_fee_that_cannot_be_billed_is_named(change, said):
    one = replace(customer(), fees=(fee("9.90", **change),))
    with pytest.raises(ValueError, match=r"^fee ") as error:
        facts.check_fees(one, "EUR", ["Subscriptions"])
    assert said in str(error.value)


# ---- laws ----

STARTS = st.dates(dt.date(2023, 1, 1), dt.date(2030, 1, 1))
PRICES = st.integers(-(10**6), 10**8).map(lambda cents: cents * 10_000)
EVERY = st.sampled_from(["month", "quarter", "year"])


@given(STARTS, st.integers(1, 31), PRICES, EVERY, st.booleans(), st.integers(1, 8))
def test_a_fee_of_whole_coverages_costs_a_whole_number_of_times_its_price(
    opened, billing_day, price, every, arrears, count
):
    whose = customer(str(opened), billing_day)
    first = period.holding(opened, whose.cycle(opened)).end  # where a month begins
    what = fee("0", str(first), every=every, arrears=arrears)
    cycle = period.Cycle({"month": 1, "quarter": 3, "year": 12}[every], billing_day, first.month)
    end = first
    for _ in range(count):
        end = period.starting(end, cycle).end
    what = replace(what, prices=((first, price),), until=end)
    lines = list(fees.lines(whose, what, opened, end + 500 * DAY))

    assert sum(line.micro for line in lines) == count * price
    assert [line.micro for line in lines] == [price] * count


@given(st.data(), STARTS, st.integers(1, 31), EVERY, st.booleans())
def test_every_day_of_a_fee_is_covered_once_whatever_changes(
    data, opened, billing_day, every, arrears
):
    days = [(opened, billing_day)]
    start = opened
    for _ in range(data.draw(st.integers(0, 3))):
        for _ in range(data.draw(st.integers(1, 4))):
            start = period.starting(start, period.Cycle(day=days[-1][1])).end
        days.append((start, data.draw(st.integers(1, 31))))
    whose = customer(str(opened), billing_day, *((str(since), day) for since, day in days[1:]))
    first = opened + data.draw(st.integers(-40, 200)) * DAY
    until = first + data.draw(st.integers(1, 900)) * DAY
    changes = sorted(data.draw(st.sets(st.integers(1, 800), max_size=3)))
    what = fee(
        "12.00", str(first), every=every, arrears=arrears, until=until,
        changes={str(first + n * DAY): str(n) for n in changes if first + n * DAY < until},
    )  # fmt: skip
    lines = list(fees.lines(whose, what, dt.date.min, until + DAY))

    covered = max(first, opened)
    for line in lines:
        assert line.days.start == covered < line.days.end
        assert (line.days.end - line.days.start).days <= line.whole
        assert line.price_micro == what.price_micro(line.days.start)
        if arrears:
            assert line.due >= line.days.last
        else:
            assert line.due < line.days.start or line.due == max(first, opened)
        covered = line.days.end
    assert covered == max(until, first, opened)
    # Any window of days gives the lines due in it, and all windows together give all.
    cut = first + data.draw(st.integers(-10, 900)) * DAY
    before = list(fees.lines(whose, what, dt.date.min, cut))
    after = list(fees.lines(whose, what, cut + DAY, until + DAY))
    assert before + after == lines
