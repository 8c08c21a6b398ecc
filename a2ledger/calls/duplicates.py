"""Keep every call once: find duplicates and conflicts among billable rows, in any order.

A call is identified by (switch, uniqueid, sequence), whatever the dialect. A row without a
sequence is the same call as one with its uniqueid, start and seconds. The same again is a
duplicate; the same id with other content is a conflict: a sealed call always wins, then one with
a sequence over one without, the earliest start, the longer, the smaller text. Ids are compared
within a day of one another: switches use them again. Rows of one uniqueid, none of them with a
sequence, whose times do not overlap are two calls: a channel may be transferred, or dial twice,
and a log may number the parts of a call alike. Of an id of Asterisk's channels that is so only if
caller or customer is the same and one begins within two hours of the other's end.

Rows of one uniqueid with sequences of their own are of one channel. Of those whose times overlap
and that go the same way one is billed, the first: the others repeat its seconds, as rows made by
``ForkCDR`` and those of a conference of three do. Calls that a person has accepted beside the one
that was kept have ``#`` and a digest behind their uniqueid, and stay beside it.

The outcome depends on the rows alone, not on their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164
from a2ledger.calls import local_halves

_TEXT = ("called", "caller", "customer", "service", "given")
_CONTENT = ("switch", "uid", "seq", "start", "seconds", *_TEXT)
COLUMNS = (*_CONTENT, "direction", "leg", "sealed", "halves", "rank")
"""Columns to compare. All but the last five are identity and content: ``start`` in seconds since
1970, ``given`` the cost as text if the row itself gives it. A cost by tariff is not content: it
changes with the tariff. ``direction`` and ``leg`` are those of the call detail, ``sealed`` is bool,
``halves`` that of :mod:`a2ledger.calls.local_halves`. ``rank`` (int64) decides a conflict before
anything but ``sealed``: the lowest stays; usually it is 0.
"""

ACCEPTED = "#"
"""Separates a uniqueid from the digest of a call accepted beside another with that id."""

_DAY, _QUARTER = 86400, 900
_LONGEST_PAUSE = 7200
"""Most seconds between two calls of one channel; further apart, an id was used again by mistake."""
_CHANNEL = re.compile(r"(?:.*-)?[0-9]{9,11}\.[0-9]+", re.ASCII)
"""Asterisk's ids: of a channel, which is not up for hours without a row."""
_FARTHEST = 14 * 3600
"""Largest offset in seconds between two time zones, in practice; a multiple of a quarter hour."""


class Outcome(NamedTuple):
    """Row numbers of new rows that are not kept, and of old rows that are replaced.

    A new row is a duplicate, a conflict, or the lesser half or a repetition of another call, both
    in ``halves``. An old row gives way to a new one as ``replaced`` (same call, better identified),
    as ``displaced`` (it lost a conflict) or as ``outdone`` (it is the lesser half, or repeats what
    the other says); ``outdoing`` are the new ones that were the reason for the last.
    """

    duplicates: npt.NDArray[np.int64]
    conflicts: npt.NDArray[np.int64]
    replaced: npt.NDArray[np.int64]
    displaced: npt.NDArray[np.int64]
    halves: npt.NDArray[np.int64]
    outdone: npt.NDArray[np.int64]
    outdoing: npt.NDArray[np.int64]


OLD = ("replaced", "displaced", "outdone")
"""Fields of an outcome that hold numbers of old rows."""


class _Row(NamedTuple):
    number: int
    old: bool
    uid: str
    seq: str
    start: int
    seconds: int
    text: tuple[str, ...]
    direction: str
    leg: str
    sealed: bool
    rank: int


def once(old: pa.Table, new: pa.Table) -> Outcome:
    """Find the rows of ``new`` that are not new calls, given what the book holds.

    Args:
        old: the book's calls of the days in question and a day around them, :data:`COLUMNS`.
        new: rows to be posted, the same columns.
    """
    both = pa.concat_tables([old.select(COLUMNS), new.select(COLUMNS)])
    groups = _groups_of(both)
    numbers = np.flatnonzero(groups >= 0)
    count = old.num_rows
    rows = both.take(pa.array(numbers)).combine_chunks()
    first = _first_of_equals(rows)
    is_first = first == np.arange(len(rows))
    repeated = numbers[~is_first]
    duplicates = set((repeated[repeated >= count] - count).tolist())
    outcome: dict[str, set[int]] = {"conflicts": set(), "replaced": set(), "displaced": set()}
    repetitions = _Repetitions(set(), set(), set())
    for group in _clashing(rows, groups[numbers], is_first, numbers, count):
        _settle(group, duplicates, outcome, repetitions)
    dropped = [number + count for number in duplicates | outcome["conflicts"] | repetitions.new]
    dropped += outcome["replaced"] | outcome["displaced"] | repetitions.old
    lesser = [
        halves | more
        for halves, more in zip(_halves(both, count, dropped), repetitions, strict=True)
    ]
    return Outcome(*map(_numbers, (duplicates, *outcome.values(), *lesser)))


class _Repetitions(NamedTuple):
    """Rows that repeat seconds of another row of their channel, and the new rows they repeat."""

    new: set[int]
    old: set[int]
    outdoing: set[int]


def _halves(both: pa.Table, count: int, dropped: list[int]) -> tuple[set[int], set[int], set[int]]:
    """Find lesser halves, new and old, and what outdoes the old, given the old rows first."""
    remaining = np.ones(len(both), np.bool_)
    remaining[dropped] = False
    numbers = np.flatnonzero(remaining & np.asarray(pc.not_equal(both["halves"], "")))
    lesser: set[int] = set()
    outdone: set[int] = set()
    outdoing: set[int] = set()
    for pair in local_halves.lesser(both.take(pa.array(numbers))):
        worse, better = numbers[list(pair)].tolist()
        if worse >= count:
            lesser.add(worse - count)
        else:
            outdone.add(worse)
            outdoing |= {better - count} if better >= count else set()
    return lesser, outdone, outdoing


def _groups_of(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Number the groups of rows that share switch and uniqueid, or -1 for rows without a group."""
    codes = _codes(pc.binary_join_element_wise(rows["switch"], bare(rows["uid"]), "\x1f"))
    counts = np.bincount(codes, minlength=1)
    return np.where(counts[codes] > 1, codes, -1)


def bare(uids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return uniqueids without the suffix of accepted calls."""
    mark = ord(ACCEPTED)
    if not any((e164.data(chunk) == mark).any() for chunk in uids.chunks):  # as it mostly is
        return uids
    return pc.replace_substring_regex(uids, f"{ACCEPTED}[0-9a-f]{{8}}$", "")


def _numbers(rows: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(sorted(rows), dtype=np.int64)


def _first_of_equals(rows: pa.Table) -> npt.NDArray[np.int64]:
    """Return, for each row, the number of the first row with equal identity and content."""
    parts = [pc.cast(rows[name], pa.string()) for name in _CONTENT]
    codes = _codes(pc.binary_join_element_wise(*parts, "\x1f"))
    first = np.full(int(codes.max(initial=-1)) + 1, len(codes), dtype=np.int64)
    np.minimum.at(first, codes, np.arange(len(codes)))
    return first[codes]


def _codes(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    codes: npt.NDArray[np.int64] = (
        pc.dictionary_encode(array).indices.to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return codes


def _clashing(
    rows: pa.Table,
    groups: npt.NDArray[np.int64],
    is_first: npt.NDArray[np.bool_],
    numbers: npt.NDArray[np.int64],
    count: int,
) -> Iterator[list[_Row]]:
    """Yield the groups with more than one distinct row.

    Args:
        rows: those that share switch and uniqueid with another.
        groups: each row's group, shape (n,).
        is_first: whether it is the first of its equals, shape (n,).
        numbers: its number among old and new rows together, shape (n,).
        count: how many of those are old.
    """
    distinct = np.bincount(groups[is_first], minlength=1)
    places = np.flatnonzero(is_first & (distinct[groups] > 1)) if len(groups) else numbers
    places = places[np.argsort(groups[places], kind="stable")]
    taken = rows.take(pa.array(places)).to_pydict()
    group: list[_Row] = []
    for index, (place, number) in enumerate(zip(places, numbers[places].tolist(), strict=True)):
        if index and groups[place] != groups[places[index - 1]]:
            yield group
            group = []
        old = number < count
        group.append(
            _Row(
                number if old else number - count,
                old,
                taken["uid"][index],
                taken["seq"][index],
                taken["start"][index],
                taken["seconds"][index],
                tuple(taken[name][index] for name in _TEXT),
                taken["direction"][index],
                taken["leg"][index],
                taken["sealed"][index],
                taken["rank"][index],
            )
        )
    if group:
        yield group


def _settle(
    group: list[_Row],
    duplicates: set[int],
    outcome: dict[str, set[int]],
    repetitions: _Repetitions,
) -> None:
    """Decide one group of rows that share switch and uniqueid."""
    # What a person has accepted is another call, however like the one in the book.
    moved = [
        row for row in group if not row.old and ACCEPTED not in row.uid and _is_moved(row, group)
    ]
    duplicates.update(row.number for row in moved)
    group = [row for row in group if row not in moved]
    accepted = [row for row in group if ACCEPTED in row.uid]
    if accepted:
        contents = {_said(row) for row in accepted}
        again = [
            row for row in group if row not in accepted and not row.old and _said(row) in contents
        ]
        duplicates.update(row.number for row in again)
        group = [row for row in group if row not in accepted and row not in again]
    by_sequence: dict[str, list[_Row]] = {}
    for row in group:
        by_sequence.setdefault(row.seq, []).append(row)
    without = by_sequence.pop("", [])
    for row in without:
        if row.sealed:  # it stays, so what is the same gives way to it
            same = (r for rows in by_sequence.values() for r in rows if _same(r, row))
            duplicates.update(other.number for other in same if not other.old)
    # What loses a conflict is no call, so no row without a sequence is the same as it.
    kept = [row for rows in by_sequence.values() for row in _kept(rows, duplicates, outcome)]
    _kept(_unmatched(without, kept, duplicates, outcome), duplicates, outcome)
    _without_repetitions(kept, outcome, repetitions)


def _is_moved(row: _Row, group: list[_Row]) -> bool:
    """Return True if a new row is a call of the book that was read in another time zone.

    It is the same in everything but its start, which is off by as much as zones are.
    """
    return any(
        other.old
        and (other.seq, other.seconds, other.text) == (row.seq, row.seconds, row.text)
        and other.start != row.start
        and abs(other.start - row.start) <= _FARTHEST
        and (other.start - row.start) % _QUARTER == 0
        for other in group
    )


def _said(row: _Row) -> tuple[object, ...]:
    """Return the key by which an accepted call recognises its row when it is read again."""
    return row.seq, row.start, row.seconds, row.text


def _without_repetitions(
    kept: list[_Row], outcome: dict[str, set[int]], repetitions: _Repetitions
) -> None:
    """Decide which of a channel's rows repeat seconds of another one."""
    candidates = [
        row
        for row in kept
        if row.seconds
        and not row.leg
        and row.number not in outcome["displaced" if row.old else "conflicts"]
    ]
    winners: list[_Row] = []
    order = sorted(
        candidates, key=lambda row: (not row.sealed, row.start, -row.seconds, _turn(row.seq))
    )
    for row in order:
        better = next((winner for winner in winners if _repeats(row, winner)), None)
        if better is None or row.sealed:
            winners.append(row)
        elif row.old:
            repetitions.old.add(row.number)
            if not better.old:
                repetitions.outdoing.add(better.number)
        else:
            repetitions.new.add(row.number)


def _turn(seq: str) -> tuple[int, str]:
    """Return a sort key for sequences, numeric where they are numbers."""
    return (int(seq), "") if seq.isascii() and seq.isdigit() and len(seq) < 20 else (0, seq)  # noqa: PLR2004


def _repeats(row: _Row, other: _Row) -> bool:
    # A sequence that is no number is none of a switch's: what made it told the rows apart.
    if not (row.seq.isdigit() and other.seq.isdigit()):
        return False
    return row.direction == other.direction and row.seq != other.seq and not _apart(row, other)


def _kept(rows: list[_Row], duplicates: set[int], outcome: dict[str, set[int]]) -> list[_Row]:
    """Resolve conflicts among rows with the same id, and return the rows that stay."""
    remaining = [row for row in rows if row.old or row.number not in duplicates]
    losers = list(_losers(remaining))
    for row in losers:
        outcome["displaced" if row.old else "conflicts"].add(row.number)
    return [row for row in remaining if row not in losers]


def _unmatched(
    without: list[_Row],
    with_sequence: list[_Row],
    duplicates: set[int],
    outcome: dict[str, set[int]],
) -> list[_Row]:
    """Resolve rows without a sequence, and return those that are calls of their own."""
    unmatched: list[_Row] = []
    for row in without:
        same = [other for other in with_sequence if _same(other, row)]
        if not same:
            rivals = [other for other in with_sequence if _clashes(row, other)]
            if row.sealed or not rivals:
                unmatched.append(row)
            elif not any(r.sealed for r in rivals) and row.rank < min(r.rank for r in rivals):
                unmatched.append(row)
                for other in rivals:
                    outcome["displaced" if other.old else "conflicts"].add(other.number)
            else:
                outcome["displaced" if row.old else "conflicts"].add(row.number)
        elif not row.old:
            duplicates.add(row.number)
        elif not row.sealed:
            outcome["replaced"].add(row.number)
    return unmatched


def _same(row: _Row, other: _Row) -> bool:
    """Return True if two rows are the same call, given that either lacks a sequence."""
    return (row.start, row.seconds) == (other.start, other.seconds)


def _losers(rows: list[_Row]) -> Iterator[_Row]:
    winners: list[_Row] = []
    for row in sorted(rows, key=lambda r: (not r.sealed, r.rank, r.start, -r.seconds, r.text)):
        if any(_clashes(row, winner) for winner in winners):
            yield row
        else:
            winners.append(row)


def _clashes(row: _Row, other: _Row) -> bool:
    """Return True if two rows of one id cannot both be calls."""
    if abs(row.start - other.start) > _DAY:
        return False
    if row.direction != other.direction and (row.leg or other.leg):
        return False  # one row may stand for a call that came in and for one that went out
    if row.seq or other.seq:
        return True  # a sequence is of one row alone, which has it wherever it is written
    return not _are_two(row, other) or _is_shifted(row, other)


def _is_shifted(row: _Row, other: _Row) -> bool:
    """Return True if two rows differ only by time zone."""
    same = (row.seconds, row.text) == (other.seconds, other.text)
    return same and (row.start - other.start) % _QUARTER == 0


def _apart(one: _Row, other: _Row) -> bool:
    """Return True if two rows do not overlap in time."""
    return _between(one, other) >= 0


def _are_two(row: _Row, other: _Row) -> bool:
    """Return True if two rows of one id are calls that were made after one another."""
    caller, customer = (_TEXT.index(name) for name in ("caller", "customer"))
    same_caller = row.text[caller] == other.text[caller] != ""
    same_customer = row.text[customer] == other.text[customer]
    pause = _between(row, other)
    if not _CHANNEL.fullmatch(row.uid):
        return pause >= 0
    return (same_caller or same_customer) and 0 <= pause <= _LONGEST_PAUSE


def _between(one: _Row, other: _Row) -> int:
    """Return the seconds between the end of one row and the start of the other."""
    first, second = sorted((one, other), key=lambda row: row.start)
    return second.start - first.start - max(first.seconds, 1)
