"""Warn of what is doubtful in rows: an hour that happened twice, zones, inferred directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from a2ledger import times as clock
from a2ledger.calls.fates import EPOCH_OF_ID

if TYPE_CHECKING:
    from a2ledger.calls.direction import Ways
    from a2ledger.calls.fates import Fates, Integers, Mask, Rows

_QUARTER = 900
_SAMPLE = 500


def of_hour(rows: Rows, fates: Fates) -> list[str]:
    """Warn of rows that started in an hour that happened twice."""
    if not fates.doubtful:
        return []
    count = f"{fates.doubtful} row{'s' if fates.doubtful > 1 else ''}"
    return [f"note: {rows.source.name}: {count} of an hour that happened twice, taken as the first"]


def of_guesses(rows: Rows, ways: Ways, fates: Fates) -> list[str]:
    """Warn that directions were inferred, if listing trunks would decide them."""
    if rows.source.trunks or not rows.is_of_switch or not (ways.guessed & fates.open).any():
        return []
    name = rows.source.name
    warning = (
        f"{name}: no trunks are named, so directions are inferred and rows are billed as they "
    )
    return [
        f"{warning}are: what a transfer or forward adds may be lost; set trunks in a2ledger.toml"
    ]


def of_short_numbers(rows: Rows, ways: Ways, fates: Fates) -> list[str]:
    """Say that calls are internal for no other reason than that both numbers are short."""
    if not (ways.short & fates.open).any():
        return []
    which = f"{rows.source.name}: calls from an extension to a short number that nobody holds "
    return [f"{which}are taken for internal; list those that leave the house in short_codes"]


def of_calls_sent_on(rows: Rows, ways: Ways, fates: Fates) -> list[str]:
    """Say that calls are billed to where phones of the house sent them."""
    count = int(np.count_nonzero(ways.sent_on & fates.open))
    if not count:
        return []
    calls = "1 call was" if count == 1 else f"{count} calls were"
    payer = "whoever holds the number that was called pays for the whole call to there"
    return [f"{rows.source.name}: {calls} sent on to a number outside; {payer}"]


def of_zone(rows: Rows, starts: Integers, sound: Mask) -> list[str]:
    """Warn if times in ids, which are UTC, contradict the configured time zone.

    A call may start long after its channel, so that only what most rows say counts.
    """
    places = np.flatnonzero(sound)
    places = places[:: max(1, len(places) // _SAMPLE)]
    ids = rows["uniqueid"].take(pa.array(places)).to_pylist()
    matches = [EPOCH_OF_ID.fullmatch(text) for text in ids]
    ahead = sorted(
        int(start) - int(match[1])
        for start, match in zip(starts[places].tolist(), matches, strict=True)
        if match
    )
    if not ahead:
        return []
    quarters = round(ahead[len(ahead) // 2] / _QUARTER)
    if not quarters:
        return []
    hours, rest = divmod(abs(quarters) * _QUARTER, clock.HOUR)
    off = f"{hours}:{rest // 60:02d} hours {'later' if quarters > 0 else 'earlier'}"
    source = rows.source
    warning = f"note: {source.name}: calls start {off} than their ids say, if their zone is "
    return [f"{warning}{source.timezone}; check the source's timezone"]
