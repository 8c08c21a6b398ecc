"""Legs of trunks: every talked second of a trunk's channel is billed once, to whoever it is due."""

from __future__ import annotations

import pytest
from examples import tried
from hypothesis import given
from hypothesis import strategies as st
from switches import START, Switch, legs_of, scenarios, told


@pytest.mark.parametrize("columns", [18, 21])
@tried(60)
@given(data=st.data())
def test_seconds_of_trunks_are_conserved_whatever_becomes_of_a_call(columns, data):
    rows, due = data.draw(scenarios(columns))
    order = data.draw(st.permutations(range(len(rows))))
    assert told(legs_of(rows, order)) == due


@tried(40)
@given(data=st.data())
def test_rows_without_ids_are_told_apart_by_their_channels(data):
    """As 16 columns have it: forwarded over ``Local`` or transferred, a call has no id at all."""
    rows, due = data.draw(scenarios(16))
    assert told(legs_of(rows)) == due


def test_a_name_of_a_channel_that_begins_anew_with_the_switch_is_another_channel():
    first, second = Switch(21), Switch(21, START + 240)
    trunk, phone = "PJSIP/trunk-00000001", "PJSIP/a101-00000000"
    for switch in (first, second):
        uid, at = switch.uid(), switch.now
        switch.row(phone, trunk, uid, uid, "447700900001", at, at, at + 60, accountcode="acme",
                   lastdata="PJSIP/447700900001@trunk")  # fmt: skip
    assert [leg.seconds for leg in legs_of(first.rows + second.rows)] == [60, 60]


@pytest.mark.parametrize("columns", [16, 18, 21])
@pytest.mark.parametrize("code", ["*55", "88", "447700900001"])
def test_a_calling_card_is_billed_without_the_ringing_its_rows_include(columns, code):
    """One row after the other on one channel, each counted from the menu's own answer."""
    switch = Switch(columns, START)
    phone, uid = switch.channel("a101"), switch.uid()
    for number, began, ended in (("447700900001", 0, 20), ("442079460001", 20, 50)):
        switch.row(phone, switch.channel("trunk"), uid, uid, code, START + began, START + began,
                   START + ended, accountcode="acme",
                   lastdata=f"PJSIP/{number}@trunk,20,g")  # fmt: skip
    billed = [(leg.called, leg.seconds, leg.ringing) for leg in legs_of(switch.rows)]
    assert billed == [("447700900001", 17, 3), ("442079460001", 27, 3)]


def test_a_menu_that_dialled_once_shows_in_the_code_alone():
    """A call that is answered within its first second has the same row, but for that."""
    seconds = {}
    for code in ("*55", "447700900001"):
        switch = Switch(21, START)
        uid = switch.uid()
        switch.row(switch.channel("a101"), switch.channel("trunk"), uid, uid, code,
                   START, START, START + 60, accountcode="acme",
                   lastdata="PJSIP/447700900001@trunk")  # fmt: skip
        seconds[code] = [leg.seconds for leg in legs_of(switch.rows)]
    assert seconds == {"*55": [57], "447700900001": [60]}
