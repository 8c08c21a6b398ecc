"""Rules of a source: which rule takes a row, and whose call it is.

The first rule that fits decides. What it looks at is asked of each row alone, so that the same rows
are taken by the same rules however files are split.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164
from a2ledger.customers.directory import NOBODY, Days, Directory, Indexes
from a2ledger.period import EPOCH
from a2ledger.sources import uris
from a2ledger.sources.batch import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a2ledger.book.source_config import Rule, Source
    from a2ledger.calls.direction import Ways
    from a2ledger.calls.fates import Fates, Integers, Mask, Rows

_NUMBERS = ("src", "dst", "did", "connected")
_DEVICES = ("channel", "dstchannel")
_CODES = ("accountcode", "peeraccount", "userfield", "payer")
"""Fields that may hold a number, where a log names customers by nothing else."""


class Taken(NamedTuple):
    """The rule that takes each row: its place among the rules, or -1."""

    rules: tuple[Rule, ...]
    place: Indexes


def taken(
    rows: Rows,
    rules: tuple[Rule, ...],
    directory: Directory,
    day: Days,
    ways: Ways,
    fates: Fates,
) -> Taken:
    """Find the rule that takes each row, and leave out rows that none takes.

    Args:
        rows: of a batch.
        rules: in their order.
        directory: all customers.
        day: on which each row starts, shape (n,).
        ways: where each row's call goes.
        fates: of the rows.
    """
    index = np.full(len(rows), NOBODY, np.int32)
    in_context, heads_there, applies = (np.zeros(len(rows), np.bool_) for _ in range(3))
    for place, rule in enumerate(rules):
        fits = _among(rows, "context", rule.contexts)
        in_context |= fits
        if rule.direction:
            fits = fits & (ways.direction == DIRECTIONS.index(rule.direction))
        heads_there |= fits
        # What touches a trunk is a call whatever application ended it.
        fits = fits & (_among(rows, "application", rule.applications) | ways.trunk)
        applies |= fits
        if rule.channels:
            fits = fits & like_either(rows["channel"], rows["dstchannel"], rule.channels)
        if rule.called:
            numbers = e164.digits(rows["dst"], rows.source)
            fits = fits & like_either(rows["dst"], numbers, rule.called)
        for name in rule.without:
            fits = fits & np.asarray(pc.equal(rows[name], ""))
        pending = np.flatnonzero(fits & (index < 0))
        if rule.to:
            pending = pending[_to_customer(rows, rule.to, directory, day, pending)]
        index[pending] = place
    fates.leave_out((index < 0) & ~in_context, "context")
    fates.leave_out((index < 0) & ~heads_there, "direction")
    fates.leave_out((index < 0) & ~applies, "application")
    fates.leave_out(index < 0, "rule")
    index[~fates.open] = NOBODY
    return Taken(rules, index)


def _among(rows: Rows, name: str, values: tuple[str, ...]) -> Mask:
    if not values:
        return np.ones(len(rows), np.bool_)
    return np.asarray(pc.is_in(rows[name], value_set=pa.array(values, pa.string())))


def like(column: pa.StringArray, patterns: tuple[str, ...]) -> Mask:
    """Return a mask of the values that match a pattern; ``*`` is any text, ``?`` one character."""
    either = "|".join(
        "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
        for pattern in patterns
    )
    return np.asarray(pc.match_substring_regex(column, f"^(?s:{either})$"))


def like_either(column: pa.StringArray, other: pa.StringArray, patterns: tuple[str, ...]) -> Mask:
    """Return a mask of the rows where either of two values matches a pattern."""
    return like(column, patterns) | like(other, patterns)


def _to_customer(rows: Rows, to: str, directory: Directory, day: Days, places: Integers) -> Mask:
    """Return a mask of rows whose called number or, for ``customer``, device a customer holds."""
    held = np.zeros(len(places), np.bool_)
    called = [*identifiers(rows, "dst", places)]
    if to == "did":
        called += identifiers(rows, "did", places)
    else:
        called.append(rows.devices("dstchannel", pa.array(places)))
    for values in called:
        held |= directory.identify(values, day[places]) >= 0
    return held


def customer_of(
    rows: Rows, taken: Taken, directory: Directory, day: Days, ways: Ways, fates: Fates
) -> tuple[Indexes, pa.StringArray]:
    """Find the customer of each row, by the first known identifier in its rule's order.

    A row that bears unknown identifiers alone is refused. One that bears none is refused as
    ``unclaimed`` where it left by a trunk, and else left out.

    Args:
        rows: of a batch.
        taken: which rule takes each.
        directory: all customers.
        day: on which each row starts, shape (n,).
        ways: where each row's call goes.
        fates: of the rows.

    Returns:
        Indexes into the directory's customers, or -1; and the identifiers that decided.
    """
    customer = np.full(len(rows), NOBODY, np.int32)
    seen, place = [pa.array([""], pa.string())], np.zeros(len(rows), np.int64)
    bears = np.zeros(len(rows), np.bool_)
    for index, rule in enumerate(taken.rules):
        # A device nobody holds, such as a carrier's, says nothing where accounts are asked first.
        weak = {"channel", "dstchannel"} if "accountcode" in rule.identify else set()
        for item in _items(rows, rule):
            pending = np.flatnonzero(fates.open & (taken.place == index) & (customer == NOBODY))
            if not len(pending):
                break
            for values in identifiers(rows, item, pending):
                if rule.direction in {"", "outgoing"} and item not in weak:
                    bears[pending] |= np.asarray(pc.not_equal(values, ""))
                holders = directory.identify(values, day[pending])
                first = np.flatnonzero((customer[pending] < 0) & (holders >= 0))
                customer[pending[first]] = holders[first]
                place[pending[first]] = first + sum(map(len, seen))
                seen.append(values)
    if (accounts := rows.source.accounts) is not None:
        known = pc.is_in(rows["accountcode"], value_set=pa.array(sorted(accounts), pa.string()))
        fates.leave_out((customer < 0) & ~np.asarray(known), "deleted-card")
    fates.refuse(
        bears & (customer < 0),
        "unknown-customer",
        lambda row: _unknown(rows, taken.rules[taken.place[row]], row, int(day[row])),
    )
    fates.refuse(ways.left & (customer < 0), "unclaimed", lambda row: _unclaimed(rows, row))
    fates.leave_out(customer < 0, "no-identifier")
    if directory.customers:
        opened = directory.opened[np.maximum(customer, 0)]
        fates.leave_out(day < opened, "before-opening")
    return customer, pa.concat_arrays(seen).take(pa.array(place))


def _items(rows: Rows, rule: Rule) -> tuple[str, ...]:
    """Return what may identify a row's customer, in the order in which it is asked."""
    return (*rule.identify, "payer") if rows.has("payer") else rule.identify


def identifiers(rows: Rows, item: str, places: Integers) -> Iterator[pa.StringArray]:
    """Yield the values of an ``identify`` item in rows: as written, then numbers as digits."""
    name, _, pattern = item.partition("~")
    index = pa.array(places)
    if name in _DEVICES and not pattern:
        values = rows.devices(name, index)
    else:
        values = rows[name].take(index)
    if pattern:
        values = _extracted(values, pattern)
    yield values
    if name in _CODES and rows.source.dialect == "calls" and uris.are_there(values):
        values = uris.bare(values)
        yield values
    may_be = name in _NUMBERS or (name in _CODES and _any_number(values, rows.source))
    if may_be and not pattern:
        numbers = e164.digits(values, rows.source)
        if numbers is not values:
            yield numbers


def _any_number(values: pa.StringArray, source: Source) -> bool:
    """Return True if some value may be a number written with more than digits."""
    prefixes = [*source.international, *filter(None, [source.national])]
    starts = "|".join(re.escape(prefix) for prefix in prefixes)
    pattern = r"^[0-9][0-9\s().-]*[\s().-][0-9\s().-]*$"
    if prefixes:
        pattern = rf"^(?:{starts})[0-9\s().-]+$|{pattern}"
    return bool(pc.any(pc.match_substring_regex(values, pattern)).as_py())


def _extracted(values: pa.StringArray, pattern: str) -> pa.StringArray:
    """Return the first group of a pattern in each value, or an empty text."""
    search = re.compile(pattern).search
    encoded = values.dictionary_encode()
    groups = [
        (match[1] or "") if (match := search(text)) else ""
        for text in encoded.dictionary.to_pylist()
    ]
    return pa.array(groups, pa.string()).take(encoded.indices)


def _unknown(rows: Rows, rule: Rule, row: int, day: int) -> str:
    fields: dict[str, str] = {}
    for item in _items(rows, rule):
        value = next(filter(None, _values(rows, item, row)), "")
        if value and value not in fields:
            fields[value] = "number called" if item == "payer" else item.partition("~")[0]
            if rows.source.dialect != "calls":  # of a log any of its columns may be meant
                break
    held = " or ".join(f"{value!r} ({field})" for value, field in fields.items())
    return f"no customer holds {held} on {EPOCH + dt.timedelta(days=day)}"


def _values(rows: Rows, item: str, row: int) -> Iterator[str]:
    """Yield the values of an ``identify`` item in a row."""
    if "~" not in item and item not in _DEVICES:
        yield rows[item][row].as_py()  # a million rows may ask, each for itself
    for values in identifiers(rows, item, np.array([row], np.int64)):
        yield values[0].as_py()


def _unclaimed(rows: Rows, row: int) -> str:
    channel = rows.text("dstchannel", row) or rows.text("channel", row)
    by = f" by {channel}" if channel else ""
    seconds, called = rows.text("seconds", row), rows.text("dst", row)
    return (
        f"{seconds} s to {called} left{by}, and no account code, device or number says whose call "
        "it is; give a customer its identifier, then run `quarantine retry`"
    )
