"""What the configuration says of call authorisation."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger.book import authorize
from a2ledger.book.authorize import Authorize
from a2ledger.book.toml_table import ConfigError, Table


def parsed(**values):
    return authorize.parsed(Table("authorize", values))


def test_what_is_not_said_is_as_usual():
    assert parsed() == Authorize()
    assert parsed().group("any").guards.calls is None


def test_guards_hold_for_all_and_for_groups():
    made = parsed(
        guards={"calls": 5, "per_day": "50.00", "barred": ["premium"]},
        groups={"gold": {"allowed": ["premium"], "on_failure": "allow"}},
        classes={"mobile": ["324"]},
        night="22:00-06:00",
        home=["32"],
    )
    assert (made.guards.calls, made.guards.per_day, made.guards.barred) == (
        5,
        50_000_000,
        ("premium",),
    )
    assert (made.group("gold").guards.allowed, made.group("gold").on_failure) == (
        ("premium",),
        "allow",
    )
    assert made.night == (dt.time(22), dt.time(6))
    assert {"premium", "satellite", "mobile"} == set(made.classes)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"agi": "4573"}, "authorize.agi: '4573' is not HOST:PORT"),
        ({"http": "a:99999"}, "authorize.http: 'a:99999' is not HOST:PORT"),
        ({"ring_seconds": 0}, "authorize.ring_seconds: must be at least 1"),
        ({"home": ["+32"]}, "authorize.home: '+32' is not a prefix"),
        ({"night": "22:00"}, "authorize.night: '22:00' is not two different times"),
        ({"on_failure": "maybe"}, "authorize.on_failure: 'maybe' is none of"),
        ({"guards": {"speed": "1"}}, "authorize.guards.speed: no such guard"),
        ({"guards": {"calls": "2"}}, "authorize.guards.calls: must be a whole number"),
        ({"guards": {"per_day": "-1"}}, "authorize.guards.per_day: '-1' is negative"),
        ({"guards": {"barred": ["mars"]}}, "'mars' is no class of destinations"),
        ({"classes": {"international": ["1"]}}, "name yours else"),
        ({"groups": {"gold": {"on_failure": "x"}}}, "authorize.groups.gold.on_failure"),
        ({"htpp": "x"}, "did you mean 'http'"),
    ],
)
def test_what_cannot_be_is_named_by_its_key(values, says):
    with pytest.raises(ConfigError) as wrong:
        parsed(**values)
    assert says in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:80", ("::1", 80)), (":4573", ("", 4573))],
)
def test_an_address_has_a_host_and_a_port(text, address):
    assert authorize.split_address(text) == address


@pytest.mark.parametrize("text", ["", "x", "::1:80", "a:b", "a:65536", "a b:1"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValueError, match="is not HOST:PORT"):
        authorize.split_address(text)
