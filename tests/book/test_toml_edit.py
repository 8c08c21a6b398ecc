"""Configuration that the program writes: one table changes, all else stays as a person wrote it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.book.book import RefusedError
from a2ledger.book.toml_edit import quoted, with_keys

PBX1 = ("sources", "pbx1")
MINE = """\
# My book.
format = 1

[sources.pbx1]   # in the cellar
dialect = "calls"
columns = {start = "Date", called = "To"} # of the first hour
timezone = "UTC"

[[sources.pbx1.rules]]
contexts = ["x"]

[company]
name = "Example"
"""


def test_a_key_is_set_where_it_stands_and_remarks_stay():
    changed = with_keys(MINE, PBX1, {"columns": {"start": "Day"}, "like": "twilio"})

    assert changed == MINE.replace(
        '{start = "Date", called = "To"}',
        '{start = "Day"}',
    ).replace('timezone = "UTC"\n', 'timezone = "UTC"\nlike = "twilio"\n')


def test_a_new_table_begins_with_what_it_needs():
    changed = with_keys(MINE, ("sources", "a b"), {"like": "yeti"}, {"dialect": "calls"})

    assert changed == MINE.replace(
        "[company]", '[sources."a b"]\ndialect = "calls"\nlike = "yeti"\n\n[company]'
    )
    other = MINE.partition("[sources")[0] + "[tariffs.a]\ndates = 'dmy'\n"
    assert with_keys(other, PBX1, {"like": "yeti"}) == f'{other}\n[sources.pbx1]\nlike = "yeti"\n'
    assert with_keys("", PBX1, {"like": "yeti"}) == '[sources.pbx1]\nlike = "yeti"\n'


@pytest.mark.parametrize(
    "text",
    [
        'sources = {pbx1 = {dialect = "calls"}}\n',
        'sources.pbx1.dialect = "calls"\n',
        '[sources]\npbx1 = {dialect = "calls"}\n',
        '[sources]\npbx1.dialect = "calls"\n',
        '[sources.pbx1]\ndialect = "calls"\n[sources.pbx1.like]\nid = "a"\n',
        '["sources"."pbx1"]\r\ndialect = "calls"\r\n',
    ],
)
def test_however_a_table_is_written_it_is_changed(text):
    changed = with_keys(text, PBX1, {"like": "yeti"})

    assert tomllib.loads(changed) == {"sources": {"pbx1": {"dialect": "calls", "like": "yeti"}}}
    assert ("\r" in changed) == ("\r" in text)


def test_what_cannot_be_written_is_refused():
    with pytest.raises(RefusedError, match=r"sources\.pbx1: half of a character"):
        with_keys(MINE, PBX1, {"like": "\udcff"})


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_read_back(text):
    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}
    assert tomllib.loads(with_keys(MINE, PBX1, {"like": text}))["sources"]["pbx1"]["like"] == text
