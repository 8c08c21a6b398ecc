"""Parse dial strings: the numbers and trunks in the arguments of a switch's applications.

``PJSIP/447700900001@carrier,20,tT`` dials a number by the trunk ``carrier``; so do
``SIP/carrier/447700900001``, ``DAHDI/g1/447700900001`` and ``sofia/gateway/carrier/447700900001``.
``PJSIP/101,20`` rings a device, and ``Local/101@out`` goes on in the dial plan.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

LEAST_DIGITS = 6
"""Fewest digits of a number; shorter ones are extensions."""

_NUMBER = r"\+?[0-9*#]*[0-9]{4,}[0-9*#]*"
_AT = rf"(?P<at>{_NUMBER})@(?P<peer>[^,/&@|()^]+)"
_BEHIND = rf"(?P<trunk>[^,&|()^]+?)/(?P<behind>{_NUMBER})"
_ONE = re.compile(rf"(?P<technology>[A-Za-z0-9_]+)/(?:{_AT}|{_BEHIND})(?:$|[,&|/:^?])")
_LOCAL = re.compile(rf"(?:^|&)Local/(?P<number>{_NUMBER})@")
_LONG = rf"\+?[0-9*#]*[0-9]{{{LEAST_DIGITS},}}"
_LEFT = rf"(?:^|&)(?:\[[^\]]*\])?[A-KM-Za-km-z][A-Za-z0-9_]*/(?:{_LONG}@|[^,&|()^]+/{_LONG})"
"""Matches any technology but ``Local`` and others that begin with an L."""


def left(arguments: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Return a mask of the arguments that dial a number by a trunk, shape (n,)."""
    return np.asarray(pc.match_substring_regex(arguments, _LEFT))


def number(arguments: str, channel: str = "") -> str:
    """Return the number that was dialled by a trunk, or an empty text.

    Args:
        arguments: of ``Dial`` or its like; several destinations stand between ``&``.
        channel: what was reached, which tells the destinations apart.
    """
    destinations = [match for match in _ONE.finditer(arguments) if match["technology"] != "Local"]
    for match in destinations:
        peer = match["peer"] or match["trunk"] or ""
        if channel.startswith(f"{match['technology']}/{peer}-"):
            return match["at"] or match["behind"]
    for match in destinations:
        digits = match["at"] or match["behind"]
        if digits and digits in channel:
            return digits
    return (destinations[0]["at"] or destinations[0]["behind"]) if destinations else ""


def behind_local(arguments: str) -> str:
    """Return the number dialled through a ``Local`` channel, or an empty text.

    >>> behind_local("Local/447700900008@fwd,20")
    '447700900008'
    """
    match = _LOCAL.search(arguments)
    return match["number"] if match else ""


def billed(dst: str, dialled: str, technical: tuple[str, ...] = ()) -> str:
    """Return the number to bill: the one dialled, unless it is ``dst`` with a prefix.

    >>> billed("442079460017", "8888442079460017"), billed("*55", "447700900718")
    ('442079460017', '447700900718')

    Args:
        dst: the number in the dial plan.
        dialled: what the switch dialled by its trunk; empty where nothing shows it.
        technical: prefixes that the switch puts before a number for its carrier.
    """
    for prefix in sorted(technical, key=len, reverse=True):
        if dialled.startswith(prefix) and len(dialled) - len(prefix) >= LEAST_DIGITS:
            dialled = dialled[len(prefix) :]
            break
    if len(dialled.lstrip("+")) < LEAST_DIGITS or is_same(dst, dialled):
        return dst
    return dialled


def is_same(number: str, other: str) -> bool:
    """Return True if two texts are the same number, apart from prefixes."""
    number, other = number.lstrip("+"), other.lstrip("+")
    shorter = min(len(number), len(other))
    if shorter and (number.endswith(other) or other.endswith(number)):
        return True
    common = 0
    while common < shorter and number[-1 - common] == other[-1 - common]:
        common += 1
    return common >= max(LEAST_DIGITS, shorter - 2) and number[-LEAST_DIGITS:].isdigit()
