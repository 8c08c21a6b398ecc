"""Queries are kept parsed, and are what beanquery makes of their text."""

from __future__ import annotations

import importlib.metadata
import json
import os

import pytest
from beanquery import parser

from a2ledger.journal import queries

CONSTANTS = {
    name: value
    for name, value in vars(queries).items()
    if isinstance(value, str) and value.lstrip().startswith("SELECT ")
}


def test_kept_trees_are_those_of_the_queries() -> None:
    kept = {
        "beanquery": importlib.metadata.version("beanquery"),
        "queries": {query: queries.tree(parser.parse(query)) for query in CONSTANTS.values()},
    }
    if os.environ.get("A2LEDGER_UPDATE_QUERIES"):
        queries.FILE.write_text(json.dumps(kept, separators=(",", ":"), indent=0) + "\n")
    there = json.loads(queries.FILE.read_text())
    if there["beanquery"] != kept["beanquery"]:
        pytest.skip(f"kept for beanquery {there['beanquery']}: parsed when asked")
    assert there == kept


@pytest.mark.parametrize("name", CONSTANTS)
def test_kept_tree_is_what_is_parsed(name: str) -> None:
    assert queries.parsed(CONSTANTS[name]) == parser.parse(CONSTANTS[name])


def test_query_that_is_not_kept_is_parsed() -> None:
    text = "SELECT account WHERE number > 1.5"
    assert queries.parsed(text) == parser.parse(text)


def test_trees_of_another_beanquery_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.0.1")
    monkeypatch.setattr(parser, "parse", asked.append)
    monkeypatch.setattr(queries, "kept", queries.kept.__wrapped__)
    queries.parsed.__wrapped__(queries.BALANCES)
    assert asked == [queries.BALANCES]
