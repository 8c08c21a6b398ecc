"""Addresses of databases: parsed, and printed without what is secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.sources import address


def test_an_address_has_its_parts():
    known = address.parse("mysql://cdr:s%40crt@db.example:3306/asteriskcdrdb?charset=utf8#calls")
    assert (known.user, known.place, known.table) == (
        "cdr",
        "db.example:3306/asteriskcdrdb",
        "calls",
    )
    assert known.password == "s@crt"  # noqa: S105 - of the test
    assert known.url == "mysql+pymysql://cdr@db.example:3306/asteriskcdrdb?charset=utf8"
    file = address.parse("sqlite:////var/lib/cdr.db")
    assert (file.url, file.table, file.password) == ("sqlite:////var/lib/cdr.db", "cdr", None)
    assert address.is_address("x://")
    assert not address.is_address("/var/log/Master.csv")


@pytest.mark.parametrize(
    "text", ["oracle://db/x", "mysql:/db", "mysql://a@b@c/d", "db", "mysql://h/d?password=secret"]
)
def test_what_is_no_address_is_refused_without_being_repeated(text):
    with pytest.raises(ValueError, match=r"is no address|among its options") as refused:
        address.parse(text)
    assert "secret" not in str(refused.value)


@given(st.text("abcxyz0123!$~%", min_size=4, max_size=12).filter(lambda text: "%" not in text))
def test_no_password_is_ever_printed(password):
    known = address.parse(f"postgres://u:{password}@host/db")
    error = known.unusable(f"access denied ({password})", "check it")
    assert known.password == password
    for text in (str(known), repr(known), known.url, str(error)):
        assert password not in text.replace("postgres://u@host/db#cdr", "")


def test_a_source_s_own_password_goes_before_that_of_all_and_the_address_before_both():
    environment = {"A2LEDGER_DB_PASSWORD": "all", "A2LEDGER_DB_PASSWORD_PBX_1": "own"}

    def password(text, source, environment=environment):
        return address.with_password(address.parse(text), source, environment, None).password

    assert password("mysql://u@h/d", "pbx-1") == "own"
    assert password("mysql://u@h/d", "other") == "all"
    assert password("mysql://u:said@h/d", "pbx-1") == "said"
    assert password("mysql://u:@h/d", "pbx-1") == ""
    assert password("mysql://u@h/d", "pbx-1", {}) is None
