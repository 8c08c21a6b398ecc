"""What a switch was told to dial: the numbers and trunks in the arguments of its applications.

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
"""Digits of the shortest number that is told from an extension."""

_NUMBER = r"\+?[0-9*#]*[0-9]{4,}[0-9*#]*"
_AT = rf"(?P<at>{_NUMBER})@(?P<peer>[^,/&@|()^]+)"
_BEHIND = rf"(?P<trunk>[^,&|()^]+?)/(?P<behind>{_NUMBER})"
_ONE = re.compile(rf"(?P<technology>[A-Za-z0-9_]+)/(?:{_AT}|{_BEHIND})(?:$|[,&|/:^?])")
_LOCAL = re.compile(rf"(?:^|&)Local/(?P<number>{_NUMBER})@")
_LONG = rf"\+?[0-9*#]*[0-9]{{{LEAST_DIGITS},}}"
_LEFT = rf"(?:^|&)(?:\[[^\]]*\])?[A-KM-Za-km-z][A-Za-z0-9_]*/(?:{_LONG}@|[^,&|()^]+/{_LONG})"
"""Of any technology but ``Local``, and others that begin with an L."""


def left(arguments: pa.StringArray) -> npt.NDArray[np.bool_]:
    """Tell which arguments dial a number by a trunk, shape (n,)."""
    return np.asarray(pc.match_substring_regex(arguments, _LEFT))


def number(arguments: str, channel: str = "") -> str:
    """Return the number that was dialled by a trunk, or an empty text.

    Args:
        arguments: of ``Dial`` or its like; several destinations stand between ``&``.
        channel: what was reached, which tells the destinations apart.
    """
    found = [match for match in _ONE.finditer(arguments) if match["technology"] != "Local"]
    for match in found:
        peer = match["peer"] or match["trunk"] or ""
        if channel.startswith(f"{match['technology']}/{peer}-"):
            return match["at"] or match["behind"]
    for match in found:
        digits = match["at"] or match["behind"]
        if digits and digits in channel:
            return digits
    return (found[0]["at"] or found[0]["behind"]) if found else ""


def behind_local(arguments: str) -> str:
    """Return the number in the dial plan behind a ``Local`` channel, or an empty text.

    >>> behind_local("Local/447700900008@fwd,20")
    '447700900008'
    """
    match = _LOCAL.search(arguments)
    return match["number"] if match else ""


def billed(dst: str, dialled: str, technical: tuple[str, ...] = ()) -> str:
    """Return the number to bill: what was dialled, unless that is ``dst`` with a prefix before it.

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


def is_same(one: str, other: str) -> bool:
    """Tell whether two texts are one number, but for prefixes of one or of both."""
    one, other = one.lstrip("+"), other.lstrip("+")
    shorter = min(len(one), len(other))
    if shorter and (one.endswith(other) or other.endswith(one)):
        return True
    common = 0
    while common < shorter and one[-1 - common] == other[-1 - common]:
        common += 1
    return common >= max(LEAST_DIGITS, shorter - 2) and one[-LEAST_DIGITS:].isdigit()
