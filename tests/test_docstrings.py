"""The examples in docstrings hold."""

from __future__ import annotations

import doctest
import importlib

import pytest
from checkout import ROOT

MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "a2ledger").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_hold(module):
    told = doctest.testmod(importlib.import_module(module))
    assert told.attempted
    assert not told.failed
