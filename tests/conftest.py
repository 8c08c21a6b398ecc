"""Fixtures of every test: a small book, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("harness", "shelf")

from harness import STANDARD, Book, a2ledger, slim  # noqa: E402 - its assertions are rewritten

# How fast a machine is is measured in benchmarks, and asserted nowhere.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def empty_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new book with the tariff ``standard``, made once; tests work on copies."""
    root = tmp_path_factory.mktemp("empty") / "book"
    words = ["--company", "Example Telecom", "--timezone", "Europe/Brussels"]
    done = a2ledger("--today", "2026-01-01", "init", root, *words)
    assert done.code == 0, done.stderr
    (root / "tariffs" / "standard.csv").write_text(STANDARD)
    return slim(root)


@pytest.fixture
def book(empty_book: Path, tmp_path: Path) -> Book:
    """A new book with the tariff ``standard`` and nobody in it yet."""
    root = tmp_path / "book"
    shutil.copytree(empty_book, root)
    return Book(root, tmp_path / "files")
