"""How much is tried of what has no end: examples of laws, lives of companies, calls to die at.

Every run of the tests tries a sample. With ``A2LEDGER_LONG`` those marked ``long`` try the whole,
and ``A2LEDGER_TIMES`` multiplies it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("A2LEDGER_TIMES", "1"))
Kind = TypeVar("Kind")
IS_WHOLE = bool({"A2LEDGER_LONG", "A2LEDGER_TIMES"} & os.environ.keys())


def sampled(whole: Kind, sample: Kind) -> Kind:
    """Return how much is tried: the whole only where that is asked for."""
    return whole if IS_WHOLE else sample


def tried(count: int) -> Callable[[Any], Any]:
    """Try a law on as many examples, however long each takes; on a fifth of them in a sample."""
    how = settings(
        max_examples=sampled(count * TIMES, max(count // 5, 3)),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda law: pytest.mark.long(how(law))


def cases(
    names: str | tuple[str, ...], table: Iterable[Any], count: int, **options: Any
) -> Callable[[Any], Any]:
    """Try a test on all the cases of a table; in a sample on so many, spread over it."""
    every = list(table)
    some = [number * len(every) // count for number in range(min(count, len(every)))]
    chosen = sampled(range(len(every)), some)
    if isinstance(options.get("ids"), list):
        options["ids"] = [options["ids"][number] for number in chosen]
    how = pytest.mark.parametrize(names, [every[number] for number in chosen], **options)
    return lambda test: pytest.mark.long(how(test))
