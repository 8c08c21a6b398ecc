"""A customer's dial plan: what the first digits they dial stand for."""

from __future__ import annotations

import re

_DIALLED = re.compile(r"[0-9+*#]{1,15}", re.ASCII)
_INSTEAD = re.compile(r"[0-9]{0,15}", re.ASCII)


def parse(text: str) -> list[tuple[str, str]]:
    """Parse a dial plan into pairs of what is dialled and the digits it stands for.

    >>> parse("9=, 0=30")
    [('9', ''), ('0', '30')]

    Raises:
        ValueError: if an item is not ``DIALLED=DIGITS``.
    """
    pairs = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        dialled, equals, instead = item.partition("=")
        if not (equals and _DIALLED.fullmatch(dialled) and _INSTEAD.fullmatch(instead)):
            raise ValueError(f"{item!r} is not DIALLED=DIGITS, such as 0=30")
        pairs.append((dialled, instead))
    return pairs
