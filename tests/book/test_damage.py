"""Lines of a journal that cannot be read."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book.damage import damage


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('2026-02-30 * "x" ""', "2026-02-30 is no day"),
        ('2026-13-01 * "x" ""', "2026-13-01 is no day"),
        ("  from: 2025-02-29", "2025-02-29 is no day"),
        ("  Assets:Bank  1.0000001 EUR", "1.0000001 has more than six decimals or twelve digits"),
        ("  Assets:Bank  -1234567890123 EUR", "1234567890123 has more than"),
        ("2026-01-01 balance Assets:Bank  1.0000001 EUR", "1.0000001 has more than"),
    ],
)
def test_a_day_or_an_amount_that_cannot_be_is_named_with_its_line(line, why):
    found = damage(f"; above\n\n{line}\n")
    assert found is not None
    assert found[0] == 3
    assert why in found[1]


@pytest.mark.parametrize(
    "line",
    [
        "  Assets:Bank  1.0000000 EUR",
        "  Assets:Bank  123456789012.123456 EUR",
        '2026-01-05 custom "a2ledger-set" "name" "since 2026-02-30, 1.0000001"',
        "; 2026-02-30 and 1.0000001",
        '  id: "2026-02-30"',
        "2024-02-29 open Assets:Bank",
    ],
)
def test_words_comments_and_what_adds_up_are_no_damage(line):
    assert damage(f"{line}\n") is None


@given(st.integers(0, 9999), st.integers(0, 19), st.integers(0, 39))
def test_a_day_is_damage_if_no_calendar_has_it(year, month, day):
    text = f"{year:04d}-{month:02d}-{day:02d}"
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        assert damage(f"{text} open Assets:Bank\n") == (1, f"{text} is no day") or year == 0
    else:
        assert damage(f"{text} open Assets:Bank\n") is None
