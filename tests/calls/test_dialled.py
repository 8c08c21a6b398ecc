"""The numbers and trunks in what a dial plan dialled."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.calls import dialled


@pytest.mark.parametrize(
    ("arguments", "channel", "number"),
    [
        ("PJSIP/447700900001@carrier,20,tT", "", "447700900001"),
        ("SIP/carrier/447700900001", "", "447700900001"),
        ("DAHDI/g1/447700900001,60", "", "447700900001"),
        ("sofia/gateway/carrier/+447700900001", "", "+447700900001"),
        ("PJSIP/101,20", "", ""),
        ("PJSIP/101@carrier", "", ""),
        ("Local/447700900001@out", "", ""),
        ("", "", ""),
        ("PJSIP/101&PJSIP/447700900001@a&PJSIP/447700900002@b", "PJSIP/b-0000002a", "447700900002"),
        ("PJSIP/447700900001@a&SIP/b/447700900002", "DAHDI/447700900002-1", "447700900002"),
        ("PJSIP/447700900001@a&PJSIP/447700900002@b", "PJSIP/c-1", "447700900001"),
    ],
)
def test_the_number_is_that_of_the_trunk_which_answered(arguments, channel, number):
    assert dialled.number(arguments, channel) == number


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ("PJSIP/447700900001@carrier", True),
        ("SIP/carrier/447700900001", True),
        ("PJSIP/101&[x=1]SIP/carrier/447700900001", True),
        ("PJSIP/1010@pbx", False),
        ("PJSIP/101", False),
        ("Local/447700900001@out", False),
        ("", False),
    ],
)
def test_only_a_number_by_a_trunk_leaves_the_house(arguments, left):
    assert dialled.left(pa.array([arguments])).tolist() == [left]


@pytest.mark.parametrize(
    ("dst", "number", "technical", "billed"),
    [
        ("447700900001", "8888447700900001", (), "447700900001"),
        ("*55", "447700900001", (), "447700900001"),
        ("3021", "8888447700900001", ("88", "8888"), "447700900001"),
        ("*55", "88881234", ("8888",), "88881234"),
        ("447700900001", "", (), "447700900001"),
        ("447700900001", "12345", (), "447700900001"),
        ("0447700900001", "+447700900001", (), "0447700900001"),
    ],
)
def test_a_prefix_for_the_carrier_is_billed_to_nobody(dst, number, technical, billed):
    assert dialled.billed(dst, number, technical) == billed


DIGITS = st.text("0123456789", min_size=dialled.LEAST_DIGITS, max_size=12)


@given(DIGITS, st.text("0123456789+", max_size=4))
def test_a_number_is_the_same_with_whatever_stands_before_it(number, before):
    assert dialled.is_same(number, before + number)
    assert dialled.is_same(before + number, number)
    assert dialled.billed(number, before + number) == number


@given(st.text(max_size=30))
def test_no_argument_is_an_error(arguments):
    assert isinstance(dialled.number(arguments, arguments), str)
    assert isinstance(dialled.behind_local(arguments), str)
