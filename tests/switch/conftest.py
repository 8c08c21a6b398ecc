"""Fixtures of call authorisation."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where reservations are kept."""
    return tmp_path / "state.sqlite"
