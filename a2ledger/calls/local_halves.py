"""The two halves of Asterisk's ``Local`` channels, which write two rows for one call.

``Local/3069@out-0000003b;2`` runs the dial plan, ``Local/3069@out-0000003b;1`` is what somebody
dialled or originated. Calls of one customer that have a half each are one call if both go the same
way: one that came in and was forwarded by the channel is two. Who dialled the channel and its
``;2`` are one whatever numbers they bear; where each half has called somebody, as it is with a
callback, they are one only if that is the same number. The row of whoever dialled the channel
stays, for the call lasts as long as they talk, even where Asterisk takes the channel out of its
middle; else that of the half that ran the dial plan. Rows over several channels make a chain, of
which the first stays: so a lesser half is kept beside the call detail, for what comes later may be
a half of it alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.sources.batch import constant

NEAR = 3600
"""Largest distance in seconds between two halves: channel names repeat after a restart."""

_OWN = r"^Local/.+[;,][12]$"
_DIALLED = r"^Local/.+[;,]1$"
_SAID = re.compile(r"(?:(Local/.+?)[;,]([12]))?(?: ?>(Local/.+)[;,]1)?", re.DOTALL)
_WORSE = (("1", "2"), ("1", ">"), ("2", ">"))
"""Pairs of sides (loser, winner); ``>`` is the row that dialled the channel."""
_COLUMNS = ("switch", "customer", "direction", "called", "start", "sealed", "halves")
_ORDER = [(name, "ascending") for name in ("start", "halves", "switch", "uid", "seq", "seconds")]
_NAMES = r"^(?:(?P<own>Local/.+?)[;,][12])?(?: ?>(?P<dialled>Local/.+)[;,]1)?$"
"""Same as ``_SAID``, without the sides."""


def named(channels: pa.StringArray, dialled: pa.StringArray) -> pa.StringArray:
    """Return the half a call ran on and, after ``>``, the one it dialled, empty if none.

    Args:
        channels: names of channels, shape (n,).
        dialled: names of the channels they dialled, shape (n,).
    """
    own, other = _like(channels, _OWN), _like(dialled, _DIALLED)
    if not pc.any(pc.or_(own, other)).as_py():
        return constant("", len(channels))
    dialling = pc.if_else(other, pc.binary_join_element_wise(">", dialled, ""), "")
    both = pc.binary_join_element_wise(pc.if_else(own, channels, ""), dialling, " ")
    return pc.utf8_trim_whitespace(both)


def _like(channels: pa.StringArray, pattern: str) -> pa.BooleanArray:
    """Return a mask of the ``Local`` channels that match a pattern."""
    local = pc.starts_with(channels, "Local/")
    if not pc.any(local).as_py():
        return local
    mask = np.asarray(local).copy()
    mask[mask] = np.asarray(pc.match_substring_regex(channels.filter(local), pattern))
    return pa.array(mask)


def lesser(calls: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield pairs of row numbers (lesser, better) of calls that are halves of one.

    Args:
        calls: with the columns ``switch``, ``customer``, ``direction``, ``called``, ``start`` in
            seconds,
            ``sealed`` (bool; it always stays) and ``halves``, see :func:`named`; in an order of
            rows that these and ``uid``, ``seq`` and ``seconds`` decide, whatever theirs is.
    """
    places = np.flatnonzero(np.asarray(pc.not_equal(calls["halves"], "")))
    if not len(places):
        return
    places = places[pc.sort_indices(calls.take(pa.array(places)), sort_keys=_ORDER).to_numpy()]
    rows = calls.select(_COLUMNS).take(pa.array(places)).to_pylist()
    sides: dict[tuple[str, ...], dict[str, list[int]]] = {}
    for place, row in enumerate(rows):
        for name, side in _sides(row["halves"]):
            key = (row["switch"], row["customer"], row["direction"], name)
            sides.setdefault(key, {}).setdefault(side, []).append(place)
    betters: dict[int, int] = {}
    for worse, better in _facing(sides.values(), rows):
        pair = _decided(rows, worse, better)
        if pair is None or _leads_to(pair[0], pair[1], betters):
            continue
        betters.setdefault(*pair)
        yield int(places[pair[0]]), int(places[pair[1]])


def linked(halves: pa.Array, seeds: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return a mask of the calls that are seeds, or linked to a seed by channels.

    Args:
        halves: see :func:`named`, shape (n,).
        seeds: where to begin, shape (n,).
    """
    every = seeds.copy()
    places = np.flatnonzero(np.asarray(pc.not_equal(halves, "")))  # few, and the others are in none
    mask = seeds[places]
    names = pc.extract_regex(halves.take(pa.array(places)), _NAMES)
    ends = [pc.struct_field(names, [place]) for place in range(2)]
    while True:
        those = pa.chunked_array([end.filter(pa.array(mask)) for end in ends])
        values = those.filter(pc.fill_null(pc.not_equal(those, ""), False)).unique()
        before = mask.sum()
        for end in ends:
            mask |= np.asarray(pc.is_in(end, value_set=values))
        if mask.sum() == before:
            every[places] = mask
            return every


def _facing(
    channels: Iterable[dict[str, list[int]]], rows: list[dict[str, Any]]
) -> Iterator[tuple[int, int]]:
    """Yield rows that may be the halves of one call, the lesser first."""
    for sides in channels:
        for worse, better in _WORSE:
            for loser, winner in itertools.product(sides.get(worse, ()), sides.get(better, ())):
                if worse == "2" or rows[loser]["called"] == rows[winner]["called"]:
                    yield loser, winner


def _leads_to(one: int, other: int, betters: dict[int, int]) -> bool:
    """Return True if following the better halves from ``other`` leads to ``one``."""
    while other in betters:
        other = betters[other]
    return one == other


def _sides(halves: str) -> Iterator[tuple[str, str]]:
    match = _SAID.fullmatch(halves)
    if match is None:
        return
    own, half, dialled = match.groups()
    if own:
        yield own, half
    if dialled:
        yield dialled, ">"


def _decided(rows: list[dict[str, Any]], first: int, second: int) -> tuple[int, int] | None:
    """Return two halves as (lesser, better), or None if they are not of one call."""
    if first == second or abs(rows[first]["start"] - rows[second]["start"]) > NEAR:
        return None
    if not rows[first]["sealed"]:
        return first, second
    return None if rows[second]["sealed"] else (second, first)
