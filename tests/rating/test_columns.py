"""The columns of a deck, by our names and by those of other systems."""

from __future__ import annotations

import pytest

from a2ledger.rating import columns


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Dial Prefix", "dialprefix"),
        ("RATE_PER_MINUTE", "rateinitial"),
        ("Connect Fee", "connectcharge"),
        ("Billing Increment", "billingblock"),
        ("Valid From", "startdate"),
        ("LCR", "LCR"),
    ],
)
def test_another_system_s_header_is_our_column(header, name):
    assert columns.named([header]) == [name]


def test_a_column_of_our_own_name_leaves_the_other_one_as_it_is():
    assert columns.named(["rateinitial", "price", "code"]) == ["rateinitial", "price", "dialprefix"]


def test_an_increment_is_a_block_where_it_is_a_number():
    assert columns.named(["increment"], numeric=True) == ["billingblock"]
    assert columns.named(["increment"], numeric=False) == ["increment"]


def test_blocks_count_from_the_first_one_where_the_names_are_those_of_such_systems():
    assert columns.from_first_block(["prefix", "Init Increment", "Increment"])
    assert not columns.from_first_block(["dialprefix", "initblock", "billingblock"])
