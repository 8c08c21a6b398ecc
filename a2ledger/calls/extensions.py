"""The extension of a customer that made a call, or took an incoming one.

It is the short number that the row names, else the device behind the channel. A trunk is nobody's
extension, and neither is a device that bears the name of the account itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164
from a2ledger.calls.direction import EXTENSION, patterns_of
from a2ledger.calls.rules import like
from a2ledger.sources.batch import DIRECTIONS, INCOMING

if TYPE_CHECKING:
    from a2ledger.calls.direction import Ways
    from a2ledger.calls.fates import Integers, Rows

_IN = DIRECTIONS.index(INCOMING)
_SHORT = rf"^[0-9*#]{{1,{EXTENSION}}}$"
_USER = r"^[^/]+/[^/]+/([^@/]+)@.*$"
"""FreeSWITCH's ``sofia/internal/101@pbx.example.com``."""


def extensions(rows: Rows, ways: Ways, places: Integers) -> pa.StringArray:
    """Return the extensions of some rows, empty if unknown.

    Args:
        rows: of a batch. Where it has a column ``extension``, what stands there holds.
        ways: where each row's call goes.
        places: of the rows that are wanted, shape (n,).
    """
    index = pa.array(places)
    came_in = ways.direction[places] == _IN
    inferred = _of_callers(rows, index, "src", "channel")
    if came_in.any():
        inferred = pc.if_else(pa.array(came_in), _of_takers(rows, index), inferred)
    if (sent_on := ways.sent_on[places]).any():  # the phone that sent the call on made that call
        unknown = pc.and_(pa.array(sent_on), pc.equal(inferred, ""))
        inferred = pc.if_else(unknown, _of_takers(rows, index), inferred)
    if rows.has("extension"):
        stated = rows["extension"].take(index)
        inferred = pc.if_else(pc.equal(stated, ""), inferred, stated)
    account = pc.equal(inferred, rows["accountcode"].take(index))
    if not pc.any(account).as_py():
        return inferred
    return pc.if_else(pc.and_not(account, pc.match_substring_regex(inferred, _SHORT)), "", inferred)


def _of_takers(rows: Rows, index: pa.Array) -> pa.StringArray:
    """Return the extensions that took calls: of a queue, who answered, and not the queue."""
    called = _of_callers(rows, index, "dst", "dstchannel")
    if not len(e164.data(rows["dstchannel"])):
        return called
    devices = _devices(rows, index, "dstchannel")
    return pc.if_else(pc.match_substring_regex(devices, _SHORT), devices, called)


def _of_callers(rows: Rows, index: pa.Array, number: str, channel: str) -> pa.StringArray:
    """Return the short numbers of one column, or else the devices of another column's channels."""
    numbers = rows[number].take(index)
    short = _are_short(numbers)
    if pc.all(short).as_py() or not len(e164.data(rows[channel])):
        return pc.if_else(short, numbers, "")
    return pc.if_else(short, numbers, _devices(rows, index, channel))


def _are_short(numbers: pa.StringArray) -> pa.BooleanArray:
    """Tell which numbers are those of extensions; most are too long, which is soon seen."""
    few = pc.less_equal(pc.binary_length(numbers), EXTENSION)
    if not pc.any(few).as_py():
        return few
    mask = np.asarray(few).copy()
    mask[mask] = np.asarray(pc.match_substring_regex(numbers.filter(few), _SHORT))
    return pa.array(mask)


def _devices(rows: Rows, index: pa.Array, channel: str) -> pa.StringArray:
    devices = rows.devices(channel, index)
    within = pc.match_substring(devices, "/")
    if pc.any(within).as_py():  # FreeSWITCH's users, of whom only those with short names are known
        users = pc.replace_substring_regex(rows[channel].take(index), _USER, r"\1")
        devices = pc.if_else(
            within, pc.if_else(pc.match_substring_regex(users, _SHORT), users, ""), devices
        )
    if rows.source.trunks:
        trunks = like(rows[channel].take(index), patterns_of(rows.source.trunks))
        if trunks.any():
            devices = pc.if_else(pa.array(trunks), "", devices)
    return devices
