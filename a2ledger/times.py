"""Convert times as switches write them to instants and to days, for many rows at once.

Seconds are int64 seconds since 1970-01-01: *naive* ones as a wall clock shows them, others in
UTC. Zones are those of :mod:`zoneinfo`, so that all of a2ledger agrees about them.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

Seconds = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HOUR, DAY = 3600, 86_400

NO_OFFSET = np.int64(DAY)
"""Stands for an offset from UTC where a time has none."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LOCAL_EPOCH = EPOCH.replace(tzinfo=None)
"""Second 0 of decks, on the book's own clock, which has no zone."""

_WALL = len("2026-01-31 23:59:59")
_DIGIT_PLACES = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_SUFFIX = re.compile(r"(?:\.[0-9]{1,9})?(?:(Z)|([+-])([0-9]{2}):?([0-9]{2})?)?", re.ASCII)


class Times(NamedTuple):
    """Times as written. All arrays have the shape (n,)."""

    naive: Seconds
    """Seconds on the wall clock, or zero where the time is invalid."""
    offset: Seconds
    """Seconds ahead of UTC, or :data:`NO_OFFSET`."""
    valid: Mask


def parse(texts: pa.StringArray) -> Times:
    """Parse times written ``YYYY-MM-DD HH:MM:SS``.

    A ``T`` may stand for the space; a fraction of a second is cut off; an offset from UTC, or
    ``Z``, may follow. Anything else is not valid, nor is a
    day there is not or one outside the years 1900 to 2199.
    """
    size = len(texts)
    lengths = np.asarray(pc.binary_length(texts))
    valid = lengths >= _WALL
    rows = np.flatnonzero(valid)
    characters = _characters(texts, rows)
    naive, offset = np.zeros(size, np.int64), np.full(size, NO_OFFSET)
    naive[rows], valid[rows] = _wall_clock(characters)
    longer = np.flatnonzero(valid & (lengths > _WALL))
    offset[longer], valid[longer] = _suffixes(texts, longer)
    return Times(np.where(valid, naive, 0), offset, valid)


def _characters(texts: pa.StringArray, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the first bytes of some texts, shape (len(rows), 19)."""
    if not len(rows):
        return np.empty((0, _WALL), np.uint8)
    _, offsets, values = texts.buffers()
    starts = np.frombuffer(offsets, np.int32)[texts.offset :][rows]
    places = starts.astype(np.int64)[:, None] + np.arange(_WALL)
    characters: npt.NDArray[np.uint8] = np.frombuffer(values, np.uint8)[places]
    return characters


def _wall_clock(characters: npt.NDArray[np.uint8]) -> tuple[Seconds, Mask]:
    digits = characters[:, _DIGIT_PLACES] - np.uint8(ord("0"))
    marks = characters[:, [4, 7, 13, 16]] == np.frombuffer(b"--::", np.uint8)
    gap = np.isin(characters[:, 10], list(b" T"))
    valid = (digits <= 9).all(axis=1) & marks.all(axis=1) & gap  # noqa: PLR2004
    tens = digits[:, 0::2].astype(np.int64) * 10 + digits[:, 1::2]
    century, year, month, day, hour, minute, second = tens.T
    valid &= (century >= 19) & (century < 22)  # noqa: PLR2004 - years a zone can be asked about
    valid &= (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)  # noqa: PLR2004
    months = (century * 100 + year - 1970) * 12 + np.clip(month, 1, 12) - 1
    first, following = (
        count.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        for count in (months, months + 1)
    )
    valid &= (day >= 1) & (day <= following - first)
    return (first + day - 1) * DAY + hour * HOUR + minute * 60 + second, valid


def _suffixes(texts: pa.StringArray, rows: npt.NDArray[np.int64]) -> tuple[Seconds, Mask]:
    """Return the offsets after the seconds of some texts, and whether these are valid."""
    suffixes = pc.utf8_slice_codeunits(texts.take(pa.array(rows)), _WALL).dictionary_encode()
    different = [_offset(suffix) for suffix in suffixes.dictionary.to_pylist()]
    offsets = np.array([NO_OFFSET if ahead is None else ahead for ahead in different], np.int64)
    valid = np.array([ahead is not None for ahead in different], np.bool_)
    codes = np.asarray(suffixes.indices)
    return offsets[codes], valid[codes]


def _offset(suffix: str) -> int | None:
    """Return seconds ahead of UTC, or None if the suffix is invalid."""
    match = _SUFFIX.fullmatch(suffix)
    if match is None:
        return None
    utc, sign, hours, minutes = match.groups()
    if not (utc or sign):
        return int(NO_OFFSET)
    ahead = 0 if utc else int(hours) * HOUR + int(minutes or 0) * 60
    return None if ahead >= DAY else -ahead if sign == "-" else ahead


def to_utc(times: Times, zone: str) -> Seconds:
    """Convert valid times to instants, taking those without an offset in ``zone``.

    Of an hour that happens twice the earlier one is meant, see :func:`twice`; a time the clock
    leaps over is taken as far after the leap as it stands after its beginning.
    """
    ahead = times.offset.copy()
    rows = np.flatnonzero(times.valid & (times.offset == NO_OFFSET))
    ahead[rows] = _by_hour(times.naive[rows], functools.partial(_ahead_of_wall, zone))
    return times.naive - np.where(times.valid, ahead, 0)


def twice(times: Times, zone: str) -> tuple[npt.NDArray[np.int64], Seconds]:
    """Return which valid times are in a repeated hour, and how much later the second one is.

    Those with an offset beside them are not in doubt.
    """
    rows = np.flatnonzero(times.valid & (times.offset == NO_OFFSET))
    days = times.naive[rows] // DAY
    near = [day + beside for day in _turning(days, zone) for beside in (-1, 0, 1)]
    if not near:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows = rows[np.isin(days, near)]
    walls = times.naive[rows].tolist()
    later = [_ahead_of_wall(zone, wall) - _ahead_of_wall(zone, wall, fold=1) for wall in walls]
    by = np.array(later, np.int64)
    return rows[by > 0], by[by > 0]


def _turning(days: Seconds, zone: str) -> list[int]:
    """Return the days, among some, on which the clock is put back."""
    if zone == "UTC" or not len(days):
        return []
    first, last = int(days.min()), int(days.max())
    short = last - first < len(days)
    return [
        day
        for day in (range(first, last + 1) if short else np.unique(days).tolist())
        if _ahead_of_wall(zone, day * DAY) > _ahead_of_wall(zone, (day + 1) * DAY)
    ]


def to_naive(instants: Seconds, zone: str) -> Seconds:
    """Convert instants to the wall clock of a zone."""
    return instants + _by_hour(instants, functools.partial(_ahead_at, zone))


def _by_hour(seconds: Seconds, ahead: Callable[[int], int]) -> Seconds:
    """Return offsets, computed once per hour, or per second in hours in which they change."""
    hours, inverse = np.unique(seconds // HOUR, return_inverse=True)
    starts = (hours * HOUR).tolist()
    offsets = np.array([ahead(start) for start in starts], np.int64)
    changing = np.array([ahead(start + HOUR - 1) for start in starts], np.int64) != offsets
    result = offsets[inverse]
    for row in np.flatnonzero(changing[inverse]).tolist():
        result[row] = ahead(int(seconds[row]))
    return result


@functools.lru_cache(maxsize=1 << 16)
def _ahead_of_wall(zone: str, naive: int, fold: int = 0) -> int:
    wall = (EPOCH + dt.timedelta(seconds=naive)).replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=fold)
    return _seconds(wall.utcoffset())


@functools.lru_cache(maxsize=1 << 16)
def _ahead_at(zone: str, instant: int) -> int:
    moment = (EPOCH + dt.timedelta(seconds=instant)).astimezone(zoneinfo.ZoneInfo(zone))
    return _seconds(moment.utcoffset())


def _seconds(offset: dt.timedelta | None) -> int:
    return (offset or dt.timedelta()) // dt.timedelta(seconds=1)
