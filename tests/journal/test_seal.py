"""Seals: each proves what was closed, and the seal before it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.journal import seal, syntax
from a2ledger.journal.seal import Seal, SoFar
from a2ledger.period import Period

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
FILES = st.dictionaries(
    st.text("abc/.", min_size=1, max_size=5), st.text("0123456789abcdef", max_size=4), min_size=1
)


def sealed(**more):
    facts = {
        "customer": "C1",
        "period": JANUARY,
        "document": "INV-2026-000001",
        "files": {"a": "1", "b": "2", "c": "3"},
        "told": "cd" * 32,
        "before": SoFar(),
        "calls": 3,
        "billed_micro": 121_000_000,
        "currency": "EUR",
        "places": 2,
    }
    return Seal(**facts | more)


def test_the_root_is_that_of_rfc_6962_over_paths_in_order():
    def leaf(path, value):
        return hashlib.sha256(b"\0" + f"{path}\0{value}".encode()).digest()

    def node(left, right):
        return hashlib.sha256(b"\1" + left + right).digest()

    files = {"c": "3", "a": "1", "b": "2"}
    both = node(leaf("a", "1"), leaf("b", "2"))
    assert seal.root(files) == node(both, leaf("c", "3")).hex()
    assert seal.root({"a": "1"}) == leaf("a", "1").hex()


@given(FILES, FILES)
def test_files_that_differ_have_another_root(one, other):
    assert (seal.root(one) == seal.root(other)) == (one == other)


def test_what_is_read_of_a_seal_is_what_was_sealed():
    before = SoFar("ef" * 32, 4, -1_000_000)
    own = sealed(before=before)
    head = syntax.formatted(own.directive())
    assert seal.read(head + syntax.MARKER, JANUARY.end) == SoFar(
        own.hash, 7, 120_000_000, "INV-2026-000001", "cd" * 32
    )
    assert seal.read(head, JANUARY.start) is None
    assert seal.read(syntax.MARKER + head, JANUARY.end) is None
    assert seal.read("", JANUARY.end) is None


@pytest.mark.parametrize(
    "other",
    [
        {"customer": "C2"},
        {"period": Period(dt.date(2026, 1, 2), dt.date(2026, 2, 1))},
        {"document": "INV-2026-000002"},
        {"files": {"a": "1", "b": "2", "c": "4"}},
        {"before": SoFar("ab" * 32)},
        {"before": SoFar("", 1)},
        {"calls": 4},
        {"billed_micro": 121_010_000},
        {"currency": "USD"},
    ],
)
def test_whatever_changes_has_another_hash(other):
    assert dataclasses.replace(sealed(), **other).hash != sealed().hash
    assert sealed().hash == sealed().hash
