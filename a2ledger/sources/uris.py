"""Strip what surrounds numbers in logs: names, hosts, and the schemes of addresses."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164

_AROUND = (
    r"^.*<([^<>]*)>(?:;.*)?$",
    r"^[^()]*[\pL][^()]*\(([0-9+*#][0-9+*# .-]*)\)$",
    r"^([0-9+*#]+) ?\([^()]*[\pL][^()]*\)$",
    r"(?i)^(?:ext(?:ension)?[. ] *)([0-9*#]+)$",
    r"(?i)^(?:sips?|tel|client):(?://)?([^@;:?]+)(?:[:@;?].*)?$",
    r"^([0-9+*#]+)[@;].*$",
)
"""Patterns of what surrounds a number: a name beside it, the word for extension, a host after it.
"""
_PLUS = r"(?i)^%2B([0-9])"


def bare(numbers: pa.StringArray) -> pa.StringArray:
    """Return numbers without names and hosts.

    >>> bare(pa.array(['"Al" <101>', "Al (102)", "<sip:%2B3225550101@host>;tag=9"])).to_pylist()
    ['101', '102', '+3225550101']
    """
    if (
        e164.are_digits(numbers)
        or not pc.any(pc.match_substring_regex(numbers, "[A-Za-z<@]")).as_py()
    ):
        return numbers
    for pattern in _AROUND:
        numbers = pc.replace_substring_regex(numbers, pattern, r"\1")
    return pc.replace_substring_regex(numbers, _PLUS, r"+\1")


def are_there(values: pa.StringArray) -> bool:
    """Return True if some values are addresses such as ``sip:101@host`` or ``tel:+3225550101``."""
    return bool(pc.any(pc.match_substring_regex(values, "(?i)(?:sips?|tel):")).as_py())
