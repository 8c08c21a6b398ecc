"""Rate calls: one pure function on Arrow batches.

Which rate: of a customer's decks, in their order, the first with a prefix the number begins
with, and the longest such prefix in it. A rate that does not hold at the call's start is passed
over for the next shorter prefix. What it costs then is told in :mod:`a2ledger.rating.cost`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.rating import prefixes
from a2ledger.rating.cost import Rates, price
from a2ledger.rating.deck import ALWAYS, MAX_SECONDS, Deck, Tariff
from a2ledger.times import LOCAL_EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Integers = npt.NDArray[np.int64]

_MINUTE = 60
_WEEK = 7 * 24 * 60
_MONDAY = 3 * 24 * 60  # 1970-01-01 was a Thursday

SCHEMA = pa.schema(
    [
        ("deck", pa.string()),
        ("prefix", pa.string()),
        ("destination", pa.string()),
        ("billed_seconds", pa.int64()),
        ("cost_micro", pa.int64()),
        ("buy_micro", pa.int64()),
        ("carrier", pa.string()),
        ("reason", pa.string()),
        ("since", pa.string()),
    ]
)
"""The schema of what :func:`rate` returns."""


def rate(calls: pa.RecordBatch, tariffs: Sequence[Tariff]) -> pa.RecordBatch:
    """Price every call, in the order of the calls.

    Args:
        calls: ``called`` (string: digits, or whatever was dialled), ``local`` (timestamp[s] on
            the book's clock, without a zone), ``seconds`` (int64), ``tariff`` (int32: place in
            ``tariffs``; below 0 the call has none) and, if wanted, ``discount`` (int64:
            hundredths of a percent, 0 to :data:`~a2ledger.rating.cost.FULL`). Others are not
            looked at.
        tariffs: what ``tariff`` counts into.

    Returns:
        A batch of :data:`SCHEMA`. ``reason`` is empty for a priced call, ``no-rate`` where no
        deck knows the number at that time and ``bad-seconds`` where the length is below 0 or
        above :data:`~a2ledger.rating.deck.MAX_SECONDS`; then the other columns are empty or 0.
        It is ``blocked`` where the rate says that such calls are refused; what they cost is 0.
        ``since`` is the rate's start, empty where it has none: with deck and prefix it names the
        row that held.
    """
    called = calls.column("called").fill_null("")
    local = _integers(calls.column("local").cast(pa.timestamp("s")))
    seconds = _integers(calls.column("seconds"))
    decks = list(dict.fromkeys(deck for tariff in tariffs for deck in tariff.decks))
    deck, row = _choose(called, local, _integers(calls.column("tariff")), tariffs, decks)
    possible = (seconds >= 0) & (seconds <= MAX_SECONDS)
    deck[~possible] = -1
    discount = None
    if "discount" in calls.schema.names:
        discount = _integers(calls.column("discount").fill_null(0))
    figures = [np.zeros(len(called), np.int64) for _ in range(3)]
    for place, rows in _groups(deck):
        part = None if discount is None else discount[rows]
        amounts = price(decks[place], row[rows], seconds[rows], part)
        for figure, amount in zip(figures, amounts, strict=True):
            figure[rows] = amount
    reasons = pa.array(["", "no-rate", "bad-seconds", "blocked"])
    reason = np.where(possible, np.where(deck < 0, 1, 0), 2)
    for place, rows in _groups(deck):
        if "blocked" in decks[place].values:
            barred = decks[place].values["blocked"].take(row[rows]) != 0
            reason[rows] = np.where(barred, 3, reason[rows])
            for figure in figures:
                figure[rows] = np.where(barred, 0, figure[rows])
    texts = _texts(deck, row, decks)
    return pa.RecordBatch.from_arrays(
        [
            *texts[:3],
            *(pa.array(figure) for figure in figures),
            texts[3],
            reasons.take(pa.array(reason)),
            texts[4],
        ],
        schema=SCHEMA,
    )


def rate_of(tariff: Tariff, called: str, local: dt.datetime) -> tuple[Deck, int] | None:
    """Return the deck of a number's rate at a time on the book's clock, and its place there.

    It is the rate :func:`rate` chooses, found without arrays: a switch asks for one at a time.
    """
    naive = local.replace(tzinfo=None, microsecond=0)
    start = int((naive - LOCAL_EPOCH).total_seconds())
    key = prefixes.key(called)
    for deck in tariff.decks:
        row = _row(deck, called, key, start)
        if row >= 0:
            return deck, row
    return None


def chosen(
    tariff: Tariff, numbers: Sequence[str], local: dt.datetime
) -> list[tuple[Deck, int] | None]:
    """Return the rate of each number at a time, as :func:`rate_of` does for one."""
    start = np.array([local.replace(tzinfo=None)] * len(numbers), "datetime64[s]").astype(np.int64)
    decks = list(dict.fromkeys(tariff.decks))
    which = np.zeros(len(numbers), np.int64)
    place, row = _choose(pa.array(numbers, pa.string()), start, which, [tariff], decks)
    return [
        (decks[deck], rate) if deck >= 0 else None
        for deck, rate in zip(place.tolist(), row.tolist(), strict=True)
    ]


def _row(deck: Deck, called: str, key: int, start: int) -> int:
    """Return the place of a number's rate in a deck, or -1."""
    index = deck.index
    if index.patterns:
        numbers, moment = pa.array([called], pa.string()), np.array([start])
        return int(_longest(deck, numbers, np.array([key]), moment)[0])
    place = int(np.searchsorted(index.bounds, key, "right")) - 1
    candidate = int(index.first[place]) if place >= 0 else -1
    moment = np.array([start])
    while candidate >= 0:
        row = int(index.row[candidate])
        if not deck.conditional or holds(deck, np.array([row]), moment)[0]:
            return row
        candidate = int(index.following[candidate])
    return -1


def _integers(column: Any) -> Integers:
    return np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _choose(
    called: pa.StringArray,
    local: Integers,
    tariff: Integers,
    tariffs: Sequence[Tariff],
    decks: Sequence[Deck],
) -> tuple[Integers, Integers]:
    """Return deck (place in ``decks``, or -1) and rate (place in the deck) of every call."""
    deck, row = np.full((2, len(called)), -1)
    keys = prefixes.keys(called)
    places = {known: place for place, known in enumerate(decks)}
    for level in range(max((len(tariff.decks) for tariff in tariffs), default=0)):
        by_tariff = np.array(
            [places[item.decks[level]] if level < len(item.decks) else -1 for item in tariffs]
            + [-1]
        )
        wanted = by_tariff.take(np.where(tariff < 0, -1, tariff))
        wanted[deck >= 0] = -1
        for place, calls in _groups(wanted):
            numbers = called if isinstance(calls, slice) else called.take(pa.array(calls))
            rates = _longest(decks[place], numbers, keys[calls], local[calls])
            row[calls] = rates
            deck[calls] = np.where(rates < 0, -1, place)
    return deck, row


def _groups(places: Integers) -> Iterator[tuple[int, Any]]:
    """Yield each place above -1 that occurs, with the indices where it does."""
    if not places.size:
        return
    low, high = int(places.min()), int(places.max())
    if low == high:
        if low >= 0:
            yield low, slice(None)
        return
    order = np.argsort(places, kind="stable")
    present, starts = np.unique(places.take(order), return_index=True)
    for place, indices in zip(present, np.split(order, starts[1:]), strict=True):
        if place >= 0:
            yield int(place), indices


def _longest(deck: Deck, called: pa.StringArray, keys: Integers, local: Integers) -> Integers:
    """Return the rate of each number: its place in the deck, or -1."""
    index = deck.index
    candidate = index.find(keys)
    if deck.conditional:
        pending = np.flatnonzero(candidate >= 0)
        while pending.size:
            held = holds(deck, index.row.take(candidate.take(pending)), local.take(pending))
            pending = pending[~held]
            candidate[pending] = index.following.take(candidate.take(pending))
            pending = pending[candidate.take(pending) >= 0]
    row: Integers = np.append(index.row, -1).take(candidate)
    if index.patterns:
        _prefer_patterns(deck, called, local, row)
    return row


def _prefer_patterns(deck: Deck, called: pa.StringArray, local: Integers, row: Integers) -> None:
    """Replace a found prefix by a pattern that is written longer.

    That is how A2Billing ranks them. Between equals the digits stay.
    """
    lengths: Any = pc.binary_length(deck.prefixes).to_numpy()
    world = pc.is_in(deck.prefixes, pa.array([prefixes.DEFAULT, prefixes.WORLD]))
    written = np.where(world, 0, lengths)
    best = np.where(row < 0, -1, written.take(row, mode="clip"))
    for expression, length, place in deck.index.patterns:
        fits = pc.match_substring_regex(called, expression).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(fits & (best < length))
        rows = rows[holds(deck, np.full(rows.size, place), local.take(rows))]
        row[rows], best[rows] = place, length


def holds(deck: Deck, row: Integers, local: Integers) -> npt.NDArray[np.bool_]:
    """Return whether each rate holds at a time."""
    values = Rates(deck.values, row, ALWAYS)
    held = (values["startdate"] <= local) & (local < values["stopdate"])
    if "starttime" in deck.values or "endtime" in deck.values:
        minute = (local // _MINUTE + _MONDAY) % _WEEK
        begun, unended = values["starttime"] <= minute, minute <= values["endtime"]
        wraps = values["starttime"] > values["endtime"]
        held &= np.where(wraps, begun | unended, begun & unended)
    return np.broadcast_to(held, row.shape)


def _texts(deck: Integers, row: Integers, decks: Sequence[Deck]) -> list[pa.StringArray]:
    """Return deck name, prefix, destination, carrier and start of every call's rate, or empty."""
    blank = pa.array([""])
    offsets = np.cumsum([0, *map(len, decks)])
    rates = pa.array(np.where(deck < 0, offsets[-1], offsets.take(deck, mode="clip") + row))
    names = pa.array([*(known.name for known in decks), ""])
    columns = [
        pa.concat_arrays([*(getattr(known, column) for known in decks), blank]).take(rates)
        for column in ("prefixes", "destinations", "carriers", "sinces")
    ]
    return [names.take(pa.array(np.where(deck < 0, len(decks), deck))), *columns]
