"""Who of a customer's extensions called, or took a call that came in.

It is the short number that the row names, else the device behind the channel. A trunk is nobody's
extension, and neither is a device that bears the name of the account itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.calls.direction import EXTENSION, patterns_of
from a2ledger.calls.rules import endpoints, like
from a2ledger.sources.batch import DIRECTIONS, INCOMING

if TYPE_CHECKING:
    from a2ledger.calls.direction import Ways
    from a2ledger.calls.fates import Integers, Rows

_IN = DIRECTIONS.index(INCOMING)
_SHORT = rf"^[0-9*#]{{1,{EXTENSION}}}$"
_USER = r"^[^/]+/[^/]+/([^@/]+)@.*$"
"""FreeSWITCH's ``sofia/internal/101@pbx.example.com``."""


def extensions(rows: Rows, ways: Ways, places: Integers) -> pa.StringArray:
    """Return the extension of some rows, empty where nothing shows it.

    Args:
        rows: of a batch. Where it has a column ``extension``, what stands there holds.
        ways: where each row's call goes.
        places: of the rows that are wanted, shape (n,).
    """
    index = pa.array(places)
    came_in = ways.direction[places] == _IN
    found = _of_callers(rows, index, "src", "channel")
    if came_in.any():
        found = pc.if_else(pa.array(came_in), _of_callers(rows, index, "dst", "dstchannel"), found)
    if rows.has("extension"):
        said = rows["extension"].take(index)
        found = pc.if_else(pc.equal(said, ""), found, said)
    account = pc.equal(found, rows["accountcode"].take(index))
    if not pc.any(account).as_py():
        return found
    return pc.if_else(pc.and_not(account, pc.match_substring_regex(found, _SHORT)), "", found)


def _of_callers(rows: Rows, index: pa.Array, number: str, channel: str) -> pa.StringArray:
    """Return the short numbers in one column, and else the devices of the channels in another."""
    numbers, channels = (rows[name].take(index) for name in (number, channel))
    short = pc.match_substring_regex(numbers, _SHORT)
    if pc.all(short).as_py() or not pc.any(pc.not_equal(channels, "")).as_py():
        return pc.if_else(short, numbers, "")
    return pc.if_else(short, numbers, _devices(channels, rows))


def _devices(channels: pa.StringArray, rows: Rows) -> pa.StringArray:
    devices = endpoints(channels)
    within = pc.match_substring(devices, "/")
    if pc.any(within).as_py():  # FreeSWITCH's users, of whom only those with short names are known
        users = pc.replace_substring_regex(channels, _USER, r"\1")
        devices = pc.if_else(
            within, pc.if_else(pc.match_substring_regex(users, _SHORT), users, ""), devices
        )
    if rows.source.trunks:
        trunks = like(channels, patterns_of(rows.source.trunks))
        if trunks.any():
            devices = pc.if_else(pa.array(trunks), "", devices)
    return devices
