"""Settle reservations: what an imported record leaves of the money a call reserves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from a2ledger.switch.reservations import ENDED, NEVER, RUNNING, Reservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The record of an imported call, as far as it settles an allowed one."""

    call: str
    switch: str
    start: int
    seconds: int
    cost_micro: int


def settled(
    attempts: Sequence[Reservation], records: Sequence[Record], generation: int
) -> Iterator[Reservation]:
    """Yield the reservations of a call id, settled by records in a generation of the book.

    Those that waited for a record hold nothing any more beside that generation. A call that goes
    on though a record of it is there (a dialplan forked or reset it) holds the rest as another
    attempt, until its switch says that it was hung up, as it promised to.
    """
    attempt = max((known.attempt for known in attempts), default=0)
    for reservation, own in _pairs(attempts, records):
        if not reservation.ends or reservation.state != RUNNING:
            yield replace(
                reservation,
                state=ENDED,
                seconds=sum(record.seconds for record in own),
                cost_micro=sum(record.cost_micro for record in own),
                released=generation,
            )
            continue
        remaining = reservation
        for record in own:
            yield replace(
                remaining,
                state=ENDED,
                seconds=record.seconds,
                held_micro=min(record.cost_micro, remaining.held_micro),
                cost_micro=record.cost_micro,
                released=generation,
            )
            attempt += 1
            left_micro = max(remaining.held_micro - record.cost_micro, 0)
            remaining = replace(
                remaining,
                attempt=attempt,
                held_micro=left_micro,
                cost_micro=left_micro,
                kept_micro=remaining.kept_micro - record.cost_micro,
            )
        yield remaining


def _pairs(
    attempts: Sequence[Reservation], records: Sequence[Record]
) -> Iterator[tuple[Reservation, list[Record]]]:
    """Pair calls under one id that wait for a record with their records, in order.

    A channel that dialled twice has two calls under one id; those that never held anything to
    the end have no record.
    """
    records = sorted(records, key=lambda record: record.start)
    costly = [
        attempt
        for attempt in attempts
        if attempt.held_micro or attempt.released != NEVER or attempt.state != ENDED
    ]
    for place, reservation in enumerate(costly):
        own = [
            record
            for record in records
            if not reservation.switch or record.switch == reservation.switch
        ]
        last = reservation is costly[-1]
        mine = own[place:] if last else own[place : place + 1]
        if mine and reservation.released == NEVER:
            yield reservation, mine
