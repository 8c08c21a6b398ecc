"""Codes and numbers of EN 16931's lists."""

from __future__ import annotations

import pytest

from a2ledger import codelists


def test_lists_have_whole_codes_only():
    assert {len(code) for code in codelists.COUNTRIES} == {2}
    assert {len(code) for code in codelists.CURRENCIES} == {3}
    assert {len(code) for code in codelists.ADDRESSES} == {4}
    assert {"BE", "XI", "1A"} <= codelists.COUNTRIES
    assert "EUR" in codelists.CURRENCIES


@pytest.mark.parametrize(
    ("scheme", "is_one"),
    [
        ("0002", True), ("0208", True), ("0248", True),
        ("0001", False), ("0249", False), ("0092", False), ("9925", False),
        ("208", False), ("EM", False),
        ("\u0660\u0662\u0660\u0668", False), ("", False), ("0208\n", False),
    ],
)  # fmt: skip
def test_a_register_is_one_of_iso_6523(scheme, is_one):
    assert codelists.is_register(scheme) is is_one


@pytest.mark.parametrize(
    ("scheme", "valid", "wrong"),
    [
        ("0007", "5560360793", "5560360794"),
        ("0088", "4006381333931", "4006381333932"),
        ("0151", "51824753556", "51824753557"),
        ("0192", "974760673", "974760674"),
        ("0208", "0403170701", "0403170702"),
        ("0211", "IT00743110157", "IT00743110158"),
    ],
)
def test_a_number_with_check_digits_is_checked(scheme, valid, wrong):
    assert codelists.is_number(scheme, valid)
    for number in (
        wrong,
        valid[:-1],
        valid + "0",
        f"{valid} ",
        valid.replace("0", "\u0660", 1),
        "",
    ):
        if number != valid:
            assert not codelists.is_number(scheme, number), number


@pytest.mark.parametrize("number", ["DK12345678", "12345678"])
def test_a_danish_number_may_have_its_country(number):
    assert codelists.is_number("0184", number)
    assert not codelists.is_number("0184", number[:-1])


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("x", True), ("a b", True), ("x" * 100, True), ("x" * 101, False), (" x", False),
     ("x ", False), ("", False), ("a\nb", False)],
)  # fmt: skip
def test_a_number_of_another_scheme_is_a_short_line(number, is_one):
    assert codelists.is_number("9925", number) is is_one
