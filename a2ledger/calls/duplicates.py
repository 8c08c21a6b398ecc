"""Every call once: duplicates and conflicts among billable rows, whatever order they come in.

A call is identified by (switch, uniqueid, sequence), whatever the dialect. A row without a
sequence is the same call as one with its uniqueid, start and seconds. The same again is a
duplicate; the same id with other content is a conflict: a sealed call always wins, then one with
a sequence over one without, the earliest start, the longer, the smaller text. Ids are compared
within a day of one another: switches use them again. The outcome depends on the rows alone, not
on their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.calls import local_halves

_TEXT = ("called", "caller", "customer", "service", "given")
_CONTENT = ("switch", "uid", "seq", "start", "seconds", *_TEXT)
COLUMNS = (*_CONTENT, "sealed", "halves", "rank")
"""What is compared. Identity and content are made of all but the last three: ``start`` in seconds
since 1970, ``given`` the cost as text where the row itself says it. A cost by tariff is no
content: it changes with the tariff. ``sealed`` is bool, ``halves`` that of
:mod:`a2ledger.calls.local_halves`. ``rank`` (int64) decides a conflict before anything but
``sealed``: the least stays, as a person has decided; mostly it is 0."""

_DAY = 86400


class Outcome(NamedTuple):
    """Row numbers of new rows that are not kept, and of old rows that give way.

    A new row is a duplicate, a conflict or the lesser half of another call. An old row gives way
    to a new one as ``replaced`` (same call, better identified), as ``displaced`` (it lost a
    conflict) or as ``outdone`` (it is the lesser half); ``outdoing`` are the new ones that were
    the reason for the last.
    """

    duplicates: npt.NDArray[np.int64]
    conflicts: npt.NDArray[np.int64]
    replaced: npt.NDArray[np.int64]
    displaced: npt.NDArray[np.int64]
    halves: npt.NDArray[np.int64]
    outdone: npt.NDArray[np.int64]
    outdoing: npt.NDArray[np.int64]


OLD = ("replaced", "displaced", "outdone")
"""Which of an outcome are numbers of old rows."""


class _Row(NamedTuple):
    number: int
    old: bool
    seq: str
    start: int
    seconds: int
    text: tuple[str, ...]
    sealed: bool
    rank: int


def once(old: pa.Table, new: pa.Table) -> Outcome:
    """What of ``new`` is not new, given what the book holds.

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
    for group in _clashing(rows, groups[numbers], is_first, numbers, count):
        _settle(group, duplicates, outcome)
    gone = [number + count for number in duplicates | outcome["conflicts"]]
    gone += outcome["replaced"] | outcome["displaced"]
    found = (duplicates, *outcome.values(), *_halves(both, count, gone))
    return Outcome(*map(_numbers, found))


def _halves(both: pa.Table, count: int, gone: list[int]) -> tuple[set[int], set[int], set[int]]:
    """Lesser halves, new and old, and what outdoes the old; the first ``count`` rows are old."""
    left = np.ones(len(both), np.bool_)
    left[gone] = False
    numbers = np.flatnonzero(left & np.asarray(pc.not_equal(both["halves"], "")))
    lesser: set[int] = set()
    outdone: set[int] = set()
    outdoing: set[int] = set()
    for pair in local_halves.lesser(both.take(pa.array(numbers))):
        one, better = numbers[list(pair)].tolist()
        if one >= count:
            lesser.add(one - count)
        else:
            outdone.add(one)
            outdoing |= {better - count} if better >= count else set()
    return lesser, outdone, outdoing


def _groups_of(rows: pa.Table) -> npt.NDArray[np.int64]:
    """A number for rows that share switch and uniqueid with another, -1 for all others."""
    codes = _codes(pc.binary_join_element_wise(rows["switch"], rows["uid"], "\x1f"))
    counts = np.bincount(codes, minlength=1)
    return np.where(counts[codes] > 1, codes, -1)


def _numbers(found: Iterable[int]) -> npt.NDArray[np.int64]:
    return np.array(sorted(found), dtype=np.int64)


def _first_of_equals(rows: pa.Table) -> npt.NDArray[np.int64]:
    """For every row the number of the first row that is the same in everything."""
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
    """Groups in which more than one row is left once equals are one.

    Args:
        rows: those that share switch and uniqueid with another.
        groups: each row's group, shape (n,).
        is_first: whether it is the first of its equals, shape (n,).
        numbers: its number among old and new rows together, shape (n,).
        count: how many of those are old.
    """
    left = np.bincount(groups[is_first], minlength=1)
    places = np.flatnonzero(is_first & (left[groups] > 1)) if len(groups) else numbers
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
                taken["seq"][index],
                taken["start"][index],
                taken["seconds"][index],
                tuple(taken[name][index] for name in _TEXT),
                taken["sealed"][index],
                taken["rank"][index],
            )
        )
    if group:
        yield group


def _settle(group: list[_Row], duplicates: set[int], outcome: dict[str, set[int]]) -> None:
    """Decide one group of rows that share switch and uniqueid."""
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


def _kept(rows: list[_Row], duplicates: set[int], outcome: dict[str, set[int]]) -> list[_Row]:
    """Of rows with one id those that stay; the others are decided."""
    left = [row for row in rows if row.old or row.number not in duplicates]
    losers = list(_losers(left))
    for row in losers:
        outcome["displaced" if row.old else "conflicts"].add(row.number)
    return [row for row in left if row not in losers]


def _unmatched(
    without: list[_Row],
    with_sequence: list[_Row],
    duplicates: set[int],
    outcome: dict[str, set[int]],
) -> list[_Row]:
    """Rows without a sequence that are a call of their own; the others are decided."""
    found: list[_Row] = []
    for row in without:
        same = [other for other in with_sequence if _same(other, row)]
        if not same:
            rivals = [other for other in with_sequence if _near(row, other)]
            if row.sealed or not rivals:
                found.append(row)
            elif not any(r.sealed for r in rivals) and row.rank < min(r.rank for r in rivals):
                found.append(row)
                for other in rivals:
                    outcome["displaced" if other.old else "conflicts"].add(other.number)
            else:
                outcome["displaced" if row.old else "conflicts"].add(row.number)
        elif not row.old:
            duplicates.add(row.number)
        elif not row.sealed:
            outcome["replaced"].add(row.number)
    return found


def _same(one: _Row, other: _Row) -> bool:
    """Whether two rows are one call if either has no sequence."""
    return (one.start, one.seconds) == (other.start, other.seconds)


def _losers(rows: list[_Row]) -> Iterator[_Row]:
    winners: list[_Row] = []
    for row in sorted(rows, key=lambda r: (not r.sealed, r.rank, r.start, -r.seconds, r.text)):
        if any(_near(row, winner) for winner in winners):
            yield row
        else:
            winners.append(row)


def _near(one: _Row, other: _Row) -> bool:
    return abs(one.start - other.start) <= _DAY
