"""Where things are in the checkout: nothing else in the tests counts directories upwards."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = ROOT / "tests"
DATA = TESTS / "data"
MASTER = DATA / "asterisk_live" / "Master.csv"
"""66 records of an Asterisk 22."""
