"""A dial plan: what is dialled, and the digits it stands for."""

from __future__ import annotations

import pytest

from a2ledger import dial_plan


def test_items_keep_their_order_and_may_stand_for_nothing():
    assert dial_plan.parse(" 9= , *#0=0030 ,, +=00") == [("9", ""), ("*#0", "0030"), ("+", "00")]
    assert dial_plan.parse("") == []


@pytest.mark.parametrize("text", ["9", "=30", "a=1", "0=+30", "0=3 0", "٣=3", "0" * 16 + "=1"])
def test_what_is_no_item_is_named(text):
    with pytest.raises(ValueError, match="is not DIALLED=DIGITS"):
        dial_plan.parse(text)
