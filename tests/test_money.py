from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger import money

MICRO = st.integers(-(10**18) + 1, 10**18 - 1)


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("0", 0),
        ("-0", 0),
        ("12.345", 12_345_000),
        ("-12.345", -12_345_000),
        ("0.000001", 1),
        ("0.00000100", 1),
        ("007", 7_000_000),
        ("999999999999.999999", 999_999_999_999_999_999),
    ],
)
def test_a_plain_number_is_an_amount(text, micro):
    assert money.parse(text) == micro


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "--1", "1.", ".5", "1,5", "1e3", "0x1", "1_000", "NaN", "inf",
     "\u0663", "1\n", "0.0000001", "1000000000000", "1.123456789"],
)  # fmt: skip
def test_anything_else_is_none(text):
    with pytest.raises(ValueError, match=r"amount|decimals"):
        money.parse(text)


@given(MICRO, st.integers(0, 6))
def test_text_reads_back_as_the_same_amount(micro, places):
    text = money.text(micro, places)

    assert money.parse(text) == micro
    assert money.micro(money.decimal(micro, places)) == micro
    assert len(text.partition(".")[2]) >= places


@pytest.mark.parametrize(
    ("micro", "places", "text"),
    [
        (0, 6, "0.000000"),
        (0, 0, "0"),
        (-1, 6, "-0.000001"),
        (-1, 2, "-0.000001"),
        (1_500_000, 0, "1.5"),
        (1_000_000, 2, "1.00"),
        (12_345_670, 6, "12.345670"),
        (10_000, 2, "0.01"),
    ],
)
def test_an_amount_has_the_decimals_asked_for_and_all_it_needs(micro, places, text):
    assert money.text(micro, places) == text


@given(MICRO, st.sampled_from([0, 2, 3, 6]))
def test_rounding_is_half_away_from_zero(micro, places):
    exact = Decimal(micro) / money.MICRO
    expected = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)

    assert Decimal(money.rounded(micro, places)) / money.MICRO == expected
    assert money.rounded(-micro, places) == -money.rounded(micro, places)


@given(st.lists(st.integers(-(10**15), 10**15), min_size=1, max_size=5), st.integers(1, 10**6))
def test_an_array_is_divided_as_its_numbers_are(numbers, denominator):
    divided = money.divide(np.array(numbers, np.int64), denominator)

    assert divided.tolist() == [money.divide(number, denominator) for number in numbers]


def test_currencies_have_the_decimals_of_iso_4217():
    assert [money.decimals(code) for code in ("EUR", "USD", "JPY", "CLP", "KWD", "TND")] == [
        2, 2, 0, 0, 3, 3,
    ]  # fmt: skip


def test_a_number_finer_than_a_micro_unit_is_refused():
    with pytest.raises(ValueError, match="more than six decimals"):
        money.micro(Decimal("0.0000001"))


@pytest.mark.parametrize(
    ("currency", "places"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("UYW", 4), ("CLP", 0), ("UYI", 0)],
)
def test_documents_show_the_decimals_a_currency_has(currency, places):
    assert money.decimals(currency) == places
