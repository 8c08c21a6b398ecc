"""How many examples a law is tried on."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("A2LEDGER_TIMES", "1"))


def tried(count: int) -> Any:
    """Try a law on as many examples, or on more by ``A2LEDGER_TIMES``, however long each takes."""
    return settings(
        max_examples=count * TIMES, deadline=None, suppress_health_check=list(HealthCheck)
    )
