"""Rules of a source: which takes a row, and whose it is."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from batches import rows_of
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import rules


def like(text, *patterns):
    return bool(rules.like(pa.array([text], pa.string()), patterns)[0])


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("PJSIP/trunk-1", "PJSIP/*", True),
        ("PJSIP/trunk-1", "pjsip/*", False),
        ("abc", "a?c", True),
        ("ac", "a?c", False),
        ("a.c", "a.c", True),
        ("abc", "a.c", False),
        ("xabc", "abc", False),
        ("", "*", True),
        ("a\nb", "a*", True),
        ("(1)", "(1)", True),
    ],
)
def test_a_star_is_any_text_and_a_question_mark_one_character(text, pattern, fits):
    assert like(text, pattern) is fits


@given(st.text("ab*?.[(|\\", max_size=6), st.text("ab.[(|\\", max_size=6))
def test_whatever_stands_in_a_pattern_means_itself(pattern, text):
    expression = "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
    assert like(text, pattern) == bool(re.fullmatch(expression, text, re.DOTALL))
    assert like(text, "nothing", pattern) == (like(text, pattern) or text == "nothing")


def identified(item, **row):
    _, rows = rows_of(row)
    return [values.to_pylist()[0] for values in rules.identifiers(rows, item, np.array([0]))]


@pytest.mark.parametrize(
    ("item", "row", "values"),
    [
        ("src", {"src": "+32 2 555 01 01"}, ["+32 2 555 01 01", "3225550101"]),
        ("src", {"src": "3031"}, ["3031"]),
        ("channel", {"channel": "PJSIP/3031-0000002a"}, ["3031"]),
        (r"channel~^PJSIP/(\d)", {"channel": "PJSIP/3031-0000002a"}, ["3"]),
        (r"channel~^SIP/(\d)", {"channel": "PJSIP/3031-0000002a"}, [""]),
        (r"userfield~(x)?y", {"userfield": "y"}, [""]),
        ("accountcode", {"accountcode": "acme"}, ["acme"]),
        ("accountcode", {"accountcode": "+32 2 555 01 01"}, ["+32 2 555 01 01", "3225550101"]),
    ],
)
def test_an_item_is_the_field_as_written_and_then_as_a_number(item, row, values):
    assert identified(item, **row) == values


def test_either_of_two_channels_may_fit():
    one, other = pa.array(["SIP/a", "x"]), pa.array(["y", "SIP/b"])
    assert rules.like_either(one, other, ("SIP/*",)).tolist() == [True, True]
    assert rules.like_either(one, other, ("SIP/b",)).tolist() == [False, True]
