"""``python -m a2ledger``."""

from __future__ import annotations

from a2ledger.cli import main

main()
