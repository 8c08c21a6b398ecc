"""Numbers in the form tariffs have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from a2ledger import dial_plan, e164
from a2ledger.book.source_config import Source


def source(**values):
    return Source(name="s", dialect="calls", switch="s", timezone="UTC", **values)


def digits(number, **values):
    return e164.digits(pa.array(["302101234567", number]), source(**values)).to_pylist()[1]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("3221234567", "3221234567"),
        ("+3221234567", "3221234567"),
        ("003221234567", "3221234567"),
        ("00 32 (2) 123-45.67", "3221234567"),
        ("", ""),
        ("00", "00"),
        ("+", "+"),
        ("*98", "*98"),
        ("h", "h"),
        ("+32abc", "+32abc"),
        ("sip:ann@example.org", "sip:ann@example.org"),
        ("٣٢", "٣٢"),
        ("0221234567", "0221234567"),
    ],
)
def test_numbers_become_digits_or_stay_as_they_are(number, expected):
    assert digits(number) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0221234567", "32221234567"),
        ("003221234567", "3221234567"),
        ("+0221234567", "0221234567"),
        ("1234", "1234"),
    ],
)
def test_a_national_prefix_makes_room_for_the_country(number, expected):
    assert digits(number, national="0", country="32") == expected


def test_the_longest_international_prefix_that_fits_is_taken_off():
    several = {"international": ("0", "00", "011"), "national": "0", "country": "1"}
    assert digits("0113221", **several) == "3221"
    assert digits("0032", **several) == "32"
    assert digits("032", **several) == "32"


def test_short_codes_stay_whatever_they_begin_with():
    rules = {"short_codes": ("112", "0800", "*55"), "national": "0", "country": "32"}
    assert digits("112", **rules) == "112"
    assert digits("0 800", **rules) == "0800"
    assert digits("*55", **rules) == "*55"
    assert digits("08001", **rules) == "328001"


def test_no_numbers_are_no_numbers():
    assert e164.digits(pa.array([], pa.string()), source()).to_pylist() == []


def test_a_slice_of_numbers_is_not_judged_by_the_rest():
    numbers = pa.array(["+32", "32", "33", "x"])
    assert e164.are_digits(numbers.slice(1, 2))
    assert not e164.are_digits(numbers)
    assert e164.digits(numbers.slice(0, 2), source()).to_pylist() == ["32", "32"]


def test_a_customers_dial_plan_comes_before_the_sources_rules():
    source = Source(
        name="pbx", dialect="asterisk", switch="pbx", timezone="UTC", short_codes=("911",),
        national="0", country="32",
    )  # fmt: skip
    dialled = pa.array(["90475123456", "0475123456", "0475123456", "911", "+3021", "9 00 44 1"])

    found = e164.planned(dialled, source, ["", "9=, 0=30, 900="], np.array([1, 1, 0, 1, 1, 1]))

    assert found.to_pylist() == ["0475123456", "30475123456", "32475123456", "911", "3021", "441"]


@pytest.mark.parametrize("plan", ["0", "=30", "0=x", "x=1", "0=30 1=2"])
def test_what_is_no_dial_plan_is_said_to_be_none(plan):
    with pytest.raises(ValueError, match="is not DIALLED=DIGITS"):
        dial_plan.parse(plan)
