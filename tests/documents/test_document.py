"""The document as JSON."""

from __future__ import annotations

import json

from examples import tried
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.documents.document import Statement, StatementLine, as_json, written

LEAF = st.one_of(st.text(), st.none(), st.integers())
ITEM = st.dictionaries(st.text(), LEAF)
VALUE = st.one_of(
    LEAF, ITEM, st.lists(ITEM), st.dictionaries(st.text(), st.one_of(LEAF, st.lists(ITEM)))
)


@tried(20)
@given(st.dictionaries(st.text(), VALUE))
def test_what_is_written_is_read_again_whatever_it_holds(value):
    assert json.loads(written(value)) == value


def test_a_line_of_the_document_is_a_line_of_its_file():
    line = StatementLine(date="2026-01-05", description="Calls", amount="1.00", balance="1.00")
    statement = Statement(opening="0.00", lines=(line, line), closing="1.00")

    text = written({"number": None, "statement": as_json(statement), "notes": []})

    item = '{"date": "2026-01-05", "description": "Calls", "amount": "1.00", "balance": "1.00"}'
    assert text == (
        '{\n "number": null,\n "statement": {\n  "opening": "0.00",\n  "lines": [\n'
        f'  {item},\n  {item}\n ],\n  "closing": "1.00"\n }},\n "notes": []\n}}\n'
    )
