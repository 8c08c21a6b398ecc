"""Guards of calls, as texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import callguards
from a2ledger.callguards import CallGuards


@pytest.mark.parametrize(
    "text", ["calls", "calls=x", "speed=1", "calls=1, calls=2", "per_day=-1", "barred=A/B"]
)
def test_a_guard_that_is_none_is_named(text):
    with pytest.raises(ValueError, match=text.partition("=")[0].split(",")[0]):
        callguards.parse_text(text)


@pytest.mark.parametrize(
    ("text", "names", "value"),
    [
        ("calls=2", "calls", 2),
        (" per_day = 50.00 ", "per_day", 50_000_000),
        ("barred=premium satellite, calls=0", "barred", ("premium", "satellite")),
        ("dearest=0.0005", "dearest", 500),
        ("", "calls", None),
        (" , ", "longest", None),
    ],
)
def test_guards_of_a_customer_are_a_list_of_settings(text, names, value):
    assert getattr(callguards.parse_text(text), names) == value


AMOUNTS = st.none() | st.integers(0, 100)
CLASSES = st.lists(st.sampled_from(["premium", "satellite", "mobile"]), unique=True).map(tuple)
GUARDS = st.builds(
    CallGuards, barred=CLASSES, allowed=CLASSES, barred_at_night=CLASSES, calls=AMOUNTS,
    per_hour=AMOUNTS, longest=AMOUNTS,
)  # fmt: skip


@given(GUARDS, GUARDS)
def test_what_a_narrower_guard_says_holds_and_what_it_leaves_open_is_as_wider_ones_say(own, wider):
    both = own.under(wider)
    for name in ("calls", "per_hour", "longest", "dearest"):
        mine = getattr(own, name)
        assert getattr(both, name) == (getattr(wider, name) if mine is None else mine)
    assert set(both.barred) == set(own.barred) | set(wider.barred) - set(own.allowed)
    assert own.under(CallGuards()) == own
    assert CallGuards().under(own) == own


@given(st.times(), st.times(), st.times())
def test_every_time_of_day_is_in_the_night_or_in_the_day_that_begins_when_it_ends(
    clock, begins, ends
):
    if begins != ends:
        night, day = (begins, ends), (ends, begins)
        assert callguards.is_night(clock, night) != callguards.is_night(clock, day)
        assert callguards.is_night(begins, night)
        assert not callguards.is_night(ends, night)
    assert not callguards.is_night(clock, None)


@pytest.mark.parametrize(
    "text", ["22:00", "22:00-22:00", "24:00-06:00", "9:00-17:00", "22:00-06:00 "]
)
def test_a_night_is_two_different_times(text):
    with pytest.raises(ValueError, match="is not two different times of day"):
        callguards.parse_night(text)


def test_no_number_is_international_where_no_home_is_known():
    assert callguards.classes_of("33123", callguards.CLASSES, ()) == ()
    assert callguards.classes_of("33123", callguards.CLASSES, ("32",)) == ("international",)
    assert callguards.classes_of("32123", callguards.CLASSES, ("32",)) == ()
