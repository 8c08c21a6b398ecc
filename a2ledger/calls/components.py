"""Group rows into calls, by shared ids and channel names.

Rows with one uniqueid or linkedid are of one call. So are rows that name one channel, on either
side: a transfer joins two calls. Names of channels begin anew with the switch, so a name ties two
rows together only while the channel can have been up: a row begins at most :data:`GAP` seconds past
the end of the last one that named the channel, and its call did not begin after that end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.int64]

GAP = 300
"""Seconds a channel may stay up, on hold or parked, without a row that names it."""

_NONE = -1
_CREATED = r"^(?:.*-)?(?P<epoch>[0-9]{9,11})\.[0-9]+$"
_HALF = r"^(Local/.+)[;,][12]$"


def components(rows: pa.Table, start: Integers, end: Integers) -> Integers:
    """Return the call number of each row: the smallest index of the call's rows.

    Args:
        rows: the columns ``uniqueid``, ``linkedid``, ``channel``, ``dstchannel``; no nulls.
        start: when each begins, in seconds, shape (n,).
        end: when it ends, shape (n,).
    """
    count = len(rows)
    ids = [_texts(rows[name]) for name in ("uniqueid", "linkedid")]
    keys = [_split(_codes(ids), count)]
    channels = [bare(_texts(rows[name])) for name in ("channel", "dstchannel")]
    created = _created(*ids)
    keys.append(_split(_instances(channels, created, start, end), count))
    return _joined(keys, count)


def bare(channels: pa.StringArray) -> pa.StringArray:
    """Return channel names, with both halves of a ``Local`` channel named alike."""
    if not pc.any(pc.starts_with(channels, "Local/")).as_py():
        return channels
    return pc.replace_substring_regex(channels, _HALF, r"\1")


def _texts(column: pa.ChunkedArray) -> pa.StringArray:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _codes(columns: list[pa.StringArray]) -> Integers:
    """Number the distinct texts of several columns together, empty texts are -1."""
    every = pa.chunked_array(columns, pa.string()).combine_chunks()
    encoded = every.dictionary_encode()
    codes = np.asarray(encoded.indices).astype(np.int64)
    empty = pc.index(encoded.dictionary, "").as_py()
    return np.where(codes == empty, _NONE, codes)


def _split(codes: Integers, count: int) -> list[Integers]:
    return [codes[place : place + count] for place in range(0, len(codes), count or 1)][:2]


def _created(uids: pa.StringArray, linked: pa.StringArray) -> list[Integers]:
    """Return the earliest creation times of the caller's and the other channel, 0 if unknown.

    It is when the call's first channel was made, or for the caller's where rows do not name that
    the channel itself; 0 where nothing shows it.
    """
    calls, own = _epochs(linked), _epochs(uids)
    return [np.where(calls > 0, calls, own), calls]


def _epochs(ids: pa.StringArray) -> Integers:
    epochs = pc.struct_field(pc.extract_regex(ids, _CREATED), [0])
    return np.asarray(pc.cast(pc.fill_null(epochs, "0"), pa.int64()))


def _instances(
    channels: list[pa.StringArray], created: list[Integers], start: Integers, end: Integers
) -> Integers:
    """Number the channels that rows name, where a name may have been reused."""
    names = _codes(channels)
    begins, ends = np.tile(start, 2), np.tile(np.maximum(start, end), 2)
    made = np.concatenate(created)
    order = np.lexsort((ends, begins, names))
    names, begins, ends, made = names[order], begins[order], ends[order], made[order]
    if not len(names):
        return names
    # The latest end so far among rows of one name: names come in order, so later ones weigh more.
    weight = int(ends.max() - begins.min()) + 1
    latest = np.maximum.accumulate(ends - begins.min() + (names + 1) * weight)
    before = np.concatenate([[0], latest[:-1]]) + begins.min() - (names + 1) * weight
    anew = np.concatenate([[True], names[1:] != names[:-1]])
    anew |= (begins > before + GAP) | (made > before + 1)
    numbers = np.empty(len(names), np.int64)
    numbers[order] = np.where(names < 0, _NONE, np.cumsum(anew))
    return numbers


def _joined(keys: list[list[Integers]], count: int) -> Integers:
    """Label rows that share keys, directly or in a chain, with the smallest index of their call."""
    labels = np.arange(count)
    tables = [
        (codes, int(max((code.max(initial=-1) for code in codes), default=-1)) + 1)
        for codes in keys
    ]
    while True:
        before = labels.copy()
        for codes, size in tables:
            least = np.full(size + 1, count, np.int64)
            for code in codes:
                np.minimum.at(least, code, labels)
            for code in codes:
                labels = np.where(code >= 0, np.minimum(labels, least[code]), labels)
        labels = labels[labels]
        if np.array_equal(before, labels):
            return labels
