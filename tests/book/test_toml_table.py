"""Tables of the configuration: each value of its kind, each error with its key."""

from __future__ import annotations

import datetime as dt

import pytest

from a2ledger.book.toml_table import ConfigError, Table


def table(**values):
    return Table("mail", values)


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        (5, str, "mail.x: must be text in quotes, not 5"),
        ("5", int, "mail.x: must be a whole number, not '5'"),
        (True, int, "mail.x: must be a whole number, not True"),
        ("yes", bool, "mail.x: must be true or false, not 'yes'"),
        (dt.datetime(2026, 1, 1), dt.date, "mail.x: must be a day"),  # noqa: DTZ001
        ({}, list, "mail.x: must be a list"),
    ],
)
def test_a_value_of_another_kind_is_named(value, kind, says):
    with pytest.raises(ConfigError, match=f"^{says.partition('.')[0]}") as wrong:
        table(x=value).take("x", kind)
    assert says in str(wrong.value)


def test_a_key_is_required_unless_it_has_a_default():
    assert table().take("x", int, 7) == 7
    with pytest.raises(ConfigError, match=r"mail\.x: is missing"):
        table().take("x", int)


def test_one_of_a_few_a_list_of_texts_and_a_time_zone():
    assert table(x="a").choice("x", ("a", "b"), "b") == "a"
    assert table().choice("x", ("a", "b"), "b") == "b"
    assert table(x=["a"]).texts("x") == ("a",)
    assert table(x="Europe/Athens").zone("x") == "Europe/Athens"
    for name, take in (
        ("none of a, b", lambda own: own.choice("x", ("a", "b"), "b")),
        ("a time zone such as", lambda own: own.zone("x")),
    ):
        with pytest.raises(ConfigError, match=name):
            take(table(x="../c"))
    with pytest.raises(ConfigError, match="a list of texts in quotes"):
        table(x=["a", 1]).texts("x")


def test_a_key_nobody_knows_is_named_with_one_it_may_be():
    own = table(port=1, hots="x")
    own.take("port", int)
    own.take("host", str, "")
    with pytest.raises(ConfigError, match=r"mail\.hots: unknown key, did you mean 'host'\?"):
        own.finish()
    del own.values["hots"]
    own.finish()


def test_tables_in_a_table_know_their_path():
    own = Table("", {"a": {"b": {"x": 1}}, "l": [{"y": 1}, 5]})
    inner = own.table("a").table("b")
    assert inner.key("x") == "a.b.x"
    assert own.table("gone").values == {}
    rows = own.listed("l")
    assert next(rows).key("y") == "l[0].y"
    with pytest.raises(ConfigError, match="l: must be tables"):
        next(rows)
    assert [name for name, _ in own.table("a").tables()] == ["b"]
