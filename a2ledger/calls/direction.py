"""The direction of each call: out by a trunk, in from one, or between extensions.

A row that says so is believed. Of a source whose trunks are known the channels decide. Else it is
told from what the row shows, as well as that goes:

- what a customer holds is called by nobody of ours: it is incoming;
- a customer calls what is their own, or an extension of up to six characters that a customer holds
  or a device of that name took: it is internal;
- in a log without channels, and in legs of FreeSWITCH's, an extension calls a short number of about
  its own length: it is internal, unless the source lists it among ``short_codes``;
- everything else is outgoing, a call of one customer to the number of another among it, for
  whether that left the switch does not show.

Rows alone decide, never other rows, so that the same row goes the same way in any file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164
from a2ledger.calls import dialled
from a2ledger.calls.rules import identifiers, like
from a2ledger.customers.directory import NOBODY, Days, Directory, Indexes
from a2ledger.sources.batch import DIRECTIONS, INCOMING, INTERNAL, OUTGOING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from a2ledger.calls.fates import Integers, Mask, Rows

EXTENSION = 6
"""Characters of the longest extension."""

_OUT, _IN, _WITHIN = map(DIRECTIONS.index, (OUTGOING, INCOMING, INTERNAL))


class Ways(NamedTuple):
    """Directions of the calls of rows, all of shape (n,).

    ``direction`` is a place in :data:`a2ledger.sources.directions.DIRECTIONS`; ``called`` is the
    number to bill, as it was written; ``left`` says which rows left by a trunk for certain;
    ``trunk`` which have a named trunk on either side; ``guessed`` of which the direction was told
    from what customers hold; ``short`` which are internal for no other reason than that both of
    their numbers are short; ``sent_on`` which are billed to a number that took the call in place of
    the one that was called.
    """

    direction: npt.NDArray[np.int8]
    called: pa.StringArray
    left: Mask
    trunk: Mask
    guessed: Mask
    short: Mask
    sent_on: Mask


def ways(rows: Rows, directory: Directory, day: Days, wanted: Mask) -> Ways:
    """Determine the directions of calls.

    Args:
        rows: of a batch.
        directory: all customers.
        day: on which each row starts, shape (n,).
        wanted: rows that matter, shape (n,); the others are said to be outgoing.
    """
    stated = _said(rows)
    called = rows["dst"]
    trunk, out = _trunks(rows)
    none = short = went_on = sent_on = np.zeros(len(rows), np.bool_)
    bridged = rows.source.dialect == "freeswitch"
    if rows.source.trunks and _has_channels(rows) and not bridged:
        direction = np.where(out, _OUT, np.where(trunk, _IN, _WITHIN)).astype(np.int8)
        guessed, evident = none, out
    else:
        direction, evident, short = _inferred(rows, directory, day, wanted)
        short &= stated < 0
        sent_on = wanted & _sent_on(rows, directory, day)
        went_on = wanted & (stated == _IN) & _forwarded(rows, directory, day)
        guessed = wanted & (direction != _OUT) & (stated < 0)
        if bridged:  # a leg's only channel is its own, so one of a trunk has come in
            direction = np.where(trunk, _IN, direction).astype(np.int8)
            evident |= trunk
    direction = np.where((stated < 0) | went_on, direction, stated).astype(np.int8)
    if sent_on.any():
        direction[sent_on] = _OUT
        guessed, short = guessed & ~sent_on, short & ~sent_on
        called = pc.if_else(pa.array(sent_on), rows["connected"], called)
    outgoing = direction == _OUT
    by_trunk = outgoing & (evident | sent_on | (_is_log(rows) & (stated != _IN)))
    called = _with_dialled(rows, called, wanted & outgoing & evident)
    return Ways(direction, called, by_trunk, trunk, guessed, short, sent_on)


def _said(rows: Rows) -> npt.NDArray[np.int8]:
    """Return the direction each row states, or -1."""
    places = pc.index_in(rows["direction"], value_set=pa.array(DIRECTIONS))
    return np.asarray(pc.fill_null(places, NOBODY)).astype(np.int8)


def _trunks(rows: Rows) -> tuple[Mask, Mask]:
    """Return masks of the rows with a named trunk on either side, and of those that dialled one."""
    none = np.zeros(len(rows), np.bool_)
    if not rows.source.trunks:
        return none, none
    patterns = patterns_of(rows.source.trunks)
    out = like(rows["dstchannel"], patterns)
    return out | like(rows["channel"], patterns), out


def patterns_of(trunks: tuple[str, ...]) -> tuple[str, ...]:
    """Return channel patterns for trunks, which may be given without the channel's number.

    >>> patterns_of(("PJSIP/carrier", "SIP/line-*"))
    ('PJSIP/carrier', 'PJSIP/carrier-*', 'PJSIP/carrier/*', 'SIP/line-*')
    """
    return tuple(
        pattern
        for trunk in trunks
        for pattern in ((trunk,) if trunk.endswith("*") else (trunk, f"{trunk}-*", f"{trunk}/*"))
    )


def _has_channels(rows: Rows) -> bool:
    return bool(pc.any(pc.not_equal(rows["channel"], "")).as_py())


def _is_log(rows: Rows) -> Mask:
    """Return a mask of the rows of a log without channels, such as a provider's."""
    is_log: Mask = np.asarray(
        pc.and_(pc.equal(rows["channel"], ""), pc.equal(rows["application"], ""))
    )
    return is_log


def _inferred(
    rows: Rows, directory: Directory, day: Days, wanted: Mask
) -> tuple[npt.NDArray[np.int8], Mask, Mask]:
    """Infer directions from what customers hold.

    Returns:
        The directions, a mask of rows that dialled by a trunk, and one of those that are internal
        because both of their numbers are short.
    """
    direction = np.full(len(rows), _OUT, np.int8)
    evident, short = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    places = np.flatnonzero(wanted)
    if not len(places):
        return direction, evident, short
    devices = rows.devices("dstchannel", pa.array(places))
    device = _holder(devices, directory, day, places)
    number = _held(rows, ("dst", "did"), directory, day, places)
    caller = _held(rows, _callers(rows), directory, day, places)
    ours = (device >= 0) | (number >= 0)
    callee = np.where(number >= 0, number, device)
    dst = rows["dst"].take(pa.array(places))
    size = np.asarray(pc.utf8_length(dst))
    # Not every extension is told us as a customer's: its own device took what was called.
    named = (size > 0) & (size <= EXTENSION) & (caller >= 0) & np.asarray(pc.equal(devices, dst))
    own = (caller == callee) | (caller == device) | (size <= EXTENSION)
    unsure = places[(caller < 0) | (size <= EXTENSION)]
    evident[unsure] = dialled.left(rows["lastdata"].take(pa.array(unsure)))
    # It was dialled out by a trunk that is no customer's device, whatever number was called. One
    # that was dialled by its own number went to the switch of the customer who holds it.
    forwarded = evident[places] & (device < 0)
    dubious = np.flatnonzero(forwarded & (number >= 0))
    forwarded[dubious] = [
        dialled.billed(dst, dialled.number(arguments, channel)) != dst
        for dst, arguments, channel in _arguments(rows, places[dubious])
    ]
    forwarded |= _forwarded(rows, directory, day)[places]
    inferred = np.where(caller < 0, _IN, np.where(own, _WITHIN, _OUT))
    direction[places] = np.where(ours & ~forwarded, inferred, _OUT)
    direction[places[named & ~forwarded]] = _WITHIN
    evident[places] &= (device < 0) & (direction[places] == _OUT)
    ends = _between_extensions(rows, places)
    if ends.any():
        direction[places[ends & ours]] = _WITHIN
        short[places] = ends & ~ours & (caller >= 0)
        direction[short] = _WITHIN
    return direction, evident, short


def _forwarded(rows: Rows, directory: Directory, day: Days) -> Mask:
    """Return a mask of a log's rows in which a call to a customer's number went on to another one.

    Such a row names both: the number that was called, and the one that took the call.
    """
    places = np.flatnonzero(_is_log(rows) & np.asarray(pc.not_equal(rows["did"], "")))
    mask = np.zeros(len(rows), np.bool_)
    if not len(places):
        return mask
    index = pa.array(places)
    far = np.asarray(pc.greater(pc.utf8_length(rows["dst"].take(index)), EXTENSION))
    far &= np.asarray(pc.match_substring_regex(rows["dst"].take(index), r"^\+?[0-9 ().-]+$"))
    far &= _held(rows, ("did",), directory, day, places) >= 0
    far &= _held(rows, ("dst", *_callers(rows)), directory, day, places) < 0
    near = zip(*(rows[name].take(index).filter(far).to_pylist() for name in _BOTH), strict=True)
    far[far] = [_is_another(dst, did) for dst, did in near]
    mask[places] = far
    return mask


_BOTH = ("dst", "did")


def _sent_on(rows: Rows, directory: Directory, day: Days) -> Mask:
    """Return a mask of a log's rows in which a call to a phone of the house was sent outside.

    Such a row names the number that took the call beside the one that was called, which is an
    extension or a customer's. A customer's call to another one's number stays a call to that.
    """
    mask = np.zeros(len(rows), np.bool_)
    if not rows.has("connected"):
        return mask
    places = np.flatnonzero(_is_log(rows) & np.asarray(pc.not_equal(rows["connected"], "")))
    if not len(places):
        return mask
    index = pa.array(places)
    called, connected = (rows[name].take(index) for name in ("dst", "connected"))
    outside = np.asarray(pc.greater(pc.utf8_length(connected), EXTENSION))
    outside &= np.asarray(pc.match_substring_regex(connected, r"^\+?[0-9 ().-]+$"))
    outside &= _held(rows, ("connected",), directory, day, places) < 0
    extension = np.asarray(pc.match_substring_regex(called, rf"^[0-9]{{1,{EXTENSION}}}$"))
    if codes := rows.source.short_codes:
        extension &= ~np.asarray(pc.is_in(called, value_set=pa.array(codes, pa.string())))
    callee = _held(rows, ("dst", "did"), directory, day, places)
    caller = _held(rows, _callers(rows), directory, day, places)
    outside &= extension | ((callee >= 0) & ((caller < 0) | (caller == callee)))
    near = zip(*(rows[name].take(index).filter(outside).to_pylist() for name in _NEAR), strict=True)
    outside[outside] = [all(_is_another(took, other) for other in others) for took, *others in near]
    mask[places] = outside
    return mask


_NEAR = ("connected", "src", "dst", "did")


def _is_another(number: str, other: str) -> bool:
    """Return True if a number is not the other, written in another way; an extension never is."""
    return len(other) <= EXTENSION or not dialled.is_same(number, other)


def of_made_legs(rows: Rows, directory: Directory, day: Days) -> Mask:
    """Return a mask of a log's b-legs that repeat what the leg says which they were made for.

    A b-leg from outside to the outside is a forwarded call: what was called is free, and says
    nothing of it.
    """
    made = np.asarray(pc.equal(rows["side"], "b"))
    places = np.flatnonzero(made)
    ours = _held(rows, ("src", "dst"), directory, day, places) >= 0
    for name in ("src", "dst"):
        ours |= np.asarray(
            pc.less_equal(pc.utf8_length(rows[name].take(pa.array(places))), EXTENSION)
        )
    made[places] = ours
    return made


def _callers(rows: Rows) -> tuple[str, ...]:
    """Return the fields that tell who called: of a log, also what its source identifies by."""
    if _is_log(rows).all():
        items = dict.fromkeys(
            item
            for rule in rows.source.rules
            if rule.direction != INCOMING
            for item in rule.identify
            if item.partition("~")[0] in _OF_CALLERS
        )
        return tuple(items)
    return "accountcode", "channel"


_OF_CALLERS = {"accountcode", "src", "userfield"}


def _between_extensions(rows: Rows, places: Integers) -> Mask:
    """Return a mask of rows that show one channel at most, by which an extension calls another.

    That is a number of as many digits, or one more, or a code that begins with ``*`` or ``#``. A
    call that comes with its cost is not free, and so is none of them.
    """
    index = pa.array(places)
    src, dst = (rows[name].take(index) for name in ("src", "dst"))
    size, other = (np.asarray(pc.binary_length(numbers)) for numbers in (src, dst))
    fits = (size > 0) & (size <= EXTENSION) & (other <= EXTENSION)
    if rows.source.dialect == "freeswitch":
        fits &= np.asarray(pc.equal(rows["application"].take(index), "bridge"))
    else:
        fits &= _is_log(rows)[places]
    if not fits.any():
        return fits
    near = (other == size) | (other == size + 1)
    near &= np.asarray(pc.match_substring_regex(dst, "^[0-9]+$"))
    near |= np.asarray(pc.match_substring_regex(dst, "^[*#]"))
    fits &= near & np.asarray(pc.match_substring_regex(src, "^[0-9]+$"))
    fits &= np.asarray(pc.equal(rows["cost"].take(index), ""))
    if codes := rows.source.short_codes:
        fits &= ~np.asarray(pc.is_in(dst, value_set=pa.array(codes, pa.string())))
    return fits


def _held(
    rows: Rows, items: tuple[str, ...], directory: Directory, day: Days, places: Integers
) -> Indexes:
    """Return the customer who holds the first known value among some fields, or -1."""
    holders = np.full(len(places), NOBODY, np.int32)
    for item in items:
        pending = np.flatnonzero(holders < 0)  # mostly the first item tells
        if not len(pending):
            break
        if not len(e164.data(rows[item])):
            continue
        for values in identifiers(rows, item, places[pending]):
            holder = _holder(values, directory, day, places[pending])
            unknown = holders[pending] < 0
            holders[pending[unknown]] = holder[unknown]
    return holders


def _holder(values: pa.StringArray, directory: Directory, day: Days, places: Integers) -> Indexes:
    return directory.identify(values, day[places])


def _with_dialled(rows: Rows, called: pa.StringArray, wanted: Mask) -> pa.StringArray:
    """Replace called numbers by those that were dialled by a trunk instead."""
    places = np.flatnonzero(wanted & np.asarray(pc.not_equal(rows["lastdata"], "")))
    if not len(places):
        return called
    index = pa.array(places)
    # Nearly all dial what was called, with nothing before it.
    plain = pc.match_substring_regex(called.take(index), r"^\+?[0-9]{7,}$")
    same = np.asarray(pc.and_(plain, _contained(called.take(index), rows["lastdata"].take(index))))
    places = places[~same]
    if not len(places):
        return called
    technical = rows.source.technical_prefixes
    numbers = [
        dialled.billed(dst, dialled.number(arguments, channel), technical)
        for dst, arguments, channel in _arguments(rows, places)
    ]
    mask = np.zeros(len(called), np.bool_)
    mask[places] = True
    return pc.replace_with_mask(called, pa.array(mask), pa.array(numbers, pa.string()))


def _arguments(rows: Rows, places: Integers) -> Iterator[tuple[str, str, str]]:
    """Yield the called number, the application's arguments, and the channel reached."""
    index = pa.array(places)
    names = ("dst", "lastdata", "dstchannel")
    return zip(*(rows[name].take(index).to_pylist() for name in names), strict=True)


def _contained(numbers: pa.StringArray, arguments: pa.StringArray) -> pa.BooleanArray:
    """Return a mask of arguments that dial the number itself, right after technology or trunk."""
    dialled_first = pc.replace_substring_regex(arguments, r"^[A-Za-z0-9_]+/\+?([0-9]+)@.*$", r"\1")
    return pc.equal(dialled_first, numbers)
