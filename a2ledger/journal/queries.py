"""The questions asked of a loaded ledger, in Beancount's query language.

Queries are constants; values are bound, never put into the text. Beanquery takes a third of a
second to parse them, half of what a command takes: hence ``queries.json`` beside this module,
which holds them parsed by one version of beanquery. Another version, and any other query, is
parsed when it is asked. A test compares both, and writes the file anew::

    A2LEDGER_UPDATE_QUERIES=1 pytest tests/journal/test_queries.py
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from functools import cache
from pathlib import Path
from typing import Any

ACCOUNTS = """
SELECT account, open.meta['customer'] AS customer, str(open.meta['name']) AS name,
       decimal(open.meta['credit_limit']) AS credit_limit, str(open.meta['currency']) AS currency
FROM #accounts WHERE account ~ '^Assets:Receivable:[^:]+:Unbilled$'
"""

BALANCES = """
SELECT account, currency, sum(number) AS owed
WHERE account ~ '^Assets:Receivable:' GROUP BY account, currency
"""

ROWS = """
SELECT date, account, payee, narration, number, currency, str(meta('vat')) AS vat,
       int(entry_meta('calls')) AS calls, int(entry_meta('seconds')) AS seconds,
       date(entry_meta('late_from')) AS late_from, str(entry_meta('voided')) AS voided, links, tags,
       date(entry_meta('from')) AS first, date(entry_meta('to')) AS last,
       filename, int(entry_meta('lineno')) AS line
WHERE account ~ '^Assets:Receivable:'
"""

TAXES = """
SELECT date, account, number, currency, str(meta('vat_of')) AS code, links
WHERE (account ~ '^Liabilities:VAT(-Not-Due)?:'
       OR (account = 'Equity:Conversion' AND meta('vat_of') IS NOT NULL))
  AND ('invoice' IN tags OR 'credit-note' IN tags OR 'statement' IN tags)
  AND entry_meta('treatment') IS NULL
"""

PENDING = """
SELECT filename, int(entry_meta('lineno')) AS line, account, number
WHERE account ~ '^Liabilities:VAT-Pending:'
"""

UNMATCHED = """
SELECT currency, sum(number) AS held
WHERE account = 'Liabilities:Suspense:Unmatched' GROUP BY currency ORDER BY currency
"""

FILE = Path(__file__).with_name("queries.json")


@cache
def parsed(query: str) -> Any:
    """Return a query as beanquery's syntax tree."""
    trees = kept()
    if query in trees:
        return node(trees[query])
    return importlib.import_module("beanquery.parser").parse(query)


@cache
def kept() -> dict[str, Any]:
    """Return the trees that are kept, by query; none if another beanquery made them."""
    held = json.loads(FILE.read_bytes())
    is_same = held["beanquery"] == importlib.metadata.version("beanquery")
    return dict(held["queries"]) if is_same else {}


def tree(node: Any) -> Any:
    """Return a syntax tree as values that JSON can hold: ``{"Column": {"name": "account"}}``.

    Raises:
        TypeError: for a constant of a type that JSON does not have.
    """
    if isinstance(node, list):
        return [tree(part) for part in node]
    if node is None or isinstance(node, str | int):
        return node
    parts = getattr(type(node), "__dataclass_fields__", None)
    if parts is None:
        raise TypeError(f"{node!r} cannot be kept")
    names = [name for name in parts if name != "parseinfo"]
    return {type(node).__name__: {name: tree(getattr(node, name)) for name in names}}


def node(tree: Any) -> Any:
    """Return the syntax tree that :func:`tree` made values of."""
    if isinstance(tree, list):
        return [node(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, fields),) = tree.items()
    make = getattr(importlib.import_module("beanquery.parser.ast"), kind)
    return make(**{name: node(value) for name, value in fields.items()})
