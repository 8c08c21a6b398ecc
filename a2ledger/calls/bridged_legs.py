"""FreeSWITCH b-legs: what is billed of a call that was bridged to several destinations.

Of a plain call the leg that came in, *a*, is billed, and the leg made for it, *b*, is left
out: they say the same. Where they do not, because the call was transferred, was forwarded over a
``loopback`` channel or went on when *a* had gone, the b-legs are billed, each with its number and
seconds, and *a* is part of them. An a-leg that is no customer's came from outside and is billed as
what it is, beside the legs it was forwarded by.

A b-leg is paid by the account of the leg it was made for, and where that has none by who holds the
number that was called. Once another customer took the call,
and transferred it, its caller pays for the call to that customer until they hang up, and that
customer for what comes after.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from a2ledger.calls.legs import MARK, Leg, Row, Rules
from a2ledger.sources.batch import INTERNAL, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NEAR = 2
"""Seconds by which two legs of one plain call may differ."""

_SHORT = 6


def legs(rows: Sequence[Row], rules: Rules) -> list[Leg]:
    """Return the legs billed in place of a call's rows, none for a plain call.

    Args:
        rows: all of one call, in any order. ``linkedid`` is the uuid of the leg a row was made
            for, empty for one that was made for none.
        rules: of the source.
    """
    ordered = sorted(rows, key=lambda row: (row.start, row.end, row.uniqueid, row.place))
    by_uuid = {row.uniqueid: row for row in reversed(ordered)}
    real = [row for row in ordered if row.counts and not _is_loopback(row)]
    heads = [row for row in real if not _is_made(row)]
    made = list({row.uniqueid: row for row in real if _is_made(row)}.values())
    billed: list[Leg] = []
    for head in list({row.uniqueid: row for row in heads}.values()):
        own = [row for row in made if _root(row, by_uuid).uniqueid == head.uniqueid]
        if not own:
            billed += _of_way(head, rules)
        elif len(own) > 1 or not _is_plain(head, own[0], by_uuid, rules):
            billed += _of_head(head, own, by_uuid, rules)
    return billed


def _of_way(head: Row, rules: Rules) -> list[Leg]:
    """Return a transferred leg as one to each of the numbers it was connected with, in turn.

    So it is where no leg was kept that was made for it: the leg itself says which way it went, see
    :mod:`a2ledger.sources.freeswitch.legs`.
    """
    payer = head.accountcode if rules.holds(head.accountcode, head.start) else ""
    found = []
    for place, (number, begin, seconds) in enumerate(ways(head.lastdata)):
        row = head._replace(start=begin if place else head.start, dst=number)
        account = payer if payer or _is_outside(row, rules) else head.accountcode
        mark = f"{MARK}{place + 1}" if place else ""
        way = INTERNAL if payer and _is_short(row) else ""
        found.append(Leg(head.channel, way, row, (head,), seconds, number, account, "", mark))
        if not payer and rules.holds(number, begin):
            payer = number  # who was reached from outside pays for where they send the call
    return found


def ways(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield number, beginning and seconds of the parts of a transferred leg."""
    for part in text.split():
        if match := _WAY.fullmatch(part):
            yield match["number"], int(match["begin"]), int(match["seconds"])


_WAY = re.compile(r"(?P<number>[^@+]+|\+[^@+]+)@(?P<begin>[0-9]+)\+(?P<seconds>[0-9]+)")


def _of_head(head: Row, own: list[Row], by_uuid: Mapping[str, Row], rules: Rules) -> list[Leg]:
    """Return the billed legs among those made for an incoming leg."""
    ours = rules.holds(head.accountcode, head.start)
    payer = head.accountcode if ours else ""
    called = "" if ours else next((n for n in (head.did, head.dst) if _held(n, head, rules)), "")
    billed = []
    for number, row in enumerate(own):
        account = _account(row, by_uuid) if _parent_is_loopback(row, by_uuid) else ""
        taker = row.accountcode if rules.holds(row.accountcode, row.start) else ""
        transferred = number + 1 < len(own) and taker and taker != payer
        if not _is_outside(row, rules) and not ours:
            payer = payer or taker  # who was reached from outside pays for where they send the call
            continue
        seconds = row.seconds
        if transferred and payer and not _is_short(row):
            seconds = max(head.end - (row.end - row.seconds), 0)
        account = account or payer or taker or _account(row, by_uuid)
        billed.append(_leg(row, seconds, account, called, rules))
        if transferred:
            payer = taker
    return billed


def _held(number: str, row: Row, rules: Rules) -> bool:
    return bool(number) and rules.holds(number, row.start)


def _leg(row: Row, seconds: int, account: str, called: str, rules: Rules) -> Leg:
    payer = row.accountcode if rules.holds(row.accountcode, row.start) else called
    direction = OUTGOING if rules.is_trunk(row.channel) else INTERNAL if _is_short(row) else ""
    return Leg(row.channel, direction, row, (row,), seconds, row.dst, account, payer, "")


def parts(rows: Sequence[Row], billed: Sequence[Leg], rules: Rules) -> set[int]:
    """Return the places of rows that are part of billed legs."""
    by_uuid = {row.uniqueid: row for row in rows}
    heads = {leg.head.place for leg in billed}
    roots = {_root(leg.head, by_uuid).uniqueid for leg in billed}
    return {
        row.place
        for row in rows
        if row.place not in heads
        and (
            _is_loopback(row)
            or _is_made(row)
            or (row.uniqueid in roots and rules.holds(row.accountcode, row.start))
        )
    }


def _is_plain(head: Row, row: Row, by_uuid: Mapping[str, Row], rules: Rules) -> bool:
    """Return True if a leg's only b-leg repeats what the leg itself says."""
    if _parent_is_loopback(row, by_uuid):
        return False
    if _is_outside(head, rules) != _is_outside(row, rules) and _is_outside(row, rules):
        return False
    if not _is_outside(row, rules):
        return not _is_outside(head, rules) or abs(head.seconds - row.seconds) <= NEAR
    return abs(head.seconds - row.seconds) <= NEAR


def _is_loopback(row: Row) -> bool:
    return row.channel.startswith("loopback/")


def _is_made(row: Row) -> bool:
    """Return True if a leg was made for another one."""
    return bool(row.linkedid) and row.linkedid != row.uniqueid


def _parent_is_loopback(row: Row, by_uuid: Mapping[str, Row]) -> bool:
    parent = by_uuid.get(row.linkedid)
    return parent is not None and _is_loopback(parent)


def _root(row: Row, by_uuid: Mapping[str, Row]) -> Row:
    """Return the first leg in the chain of legs that a leg was made for."""
    seen = set()
    while row.uniqueid not in seen and (parent := by_uuid.get(row.linkedid)) is not None:
        seen.add(row.uniqueid)
        if parent.uniqueid == row.uniqueid:
            break
        row = parent
    return row


def _account(row: Row, by_uuid: Mapping[str, Row]) -> str:
    """Return the account of the nearest leg a leg was made for, else its own."""
    seen = set()
    parent = by_uuid.get(row.linkedid)
    while parent is not None and parent.uniqueid not in seen:
        if parent.accountcode:
            return parent.accountcode
        seen.add(parent.uniqueid)
        parent = by_uuid.get(parent.linkedid)
    return row.accountcode


def _is_short(row: Row) -> bool:
    return len(row.dst) <= _SHORT


def _is_outside(row: Row, rules: Rules) -> bool:
    """Return True if a leg called a number that is neither a customer's nor an extension."""
    return not _is_short(row) and not rules.holds(row.dst, row.start)
