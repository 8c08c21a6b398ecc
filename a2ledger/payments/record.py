"""Record a single payment, refill or charge, with an id made from its contents.

Recording the same again on the same day finds its id in the book and posts nothing: a command
that is repeated by mistake costs nobody anything. Whoever means another one says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from a2ledger import money
from a2ledger.book.book import Draft, RefusedError
from a2ledger.journal import subledgers
from a2ledger.payments import imports, posting
from a2ledger.payments.pairs import held_among, part
from a2ledger.records import Movement
from a2ledger.sources.batch import digest
from a2ledger.sources.report import Report

_MOST = 1000
"""Limit of identical movements recorded on a day."""


class Recorded(NamedTuple):
    """A movement that was recorded now, or was in the book already."""

    movement: Movement
    is_new: bool
    is_late: bool
    """True if it is posted on the open period's first day, since its own day is closed."""


def record(draft: Draft, given: Movement, *, again: bool = False) -> Recorded:
    """Post a movement into the draft, once.

    Args:
        draft: of the book.
        given: the movement; without an id it gets one.
        again: whether it is to be posted though the same was recorded before.

    Raises:
        RefusedError: if it cannot be posted.
    """
    source = f"{given.kind}s"
    if given.service and given.service not in draft.config.services:
        names = ", ".join(draft.config.services)
        raise RefusedError(
            f"{given.service!r} is not under [services]", "nothing was posted", f"there is {names}"
        )
    movement = replace(given, source=source)
    if not movement.id:
        movement = _with_id(draft, movement, again=again)
    report = Report(source=source)
    imports.take(draft, [movement], {given.kind: report})
    if report.refused:
        raise RefusedError(report.refused[0].message, "nothing was posted", _todo(report))
    return Recorded(movement, is_new=not report.duplicate, is_late=bool(report.late))


def _todo(report: Report) -> str:
    if report.refused[0].reason == "conflict":
        return "leave --id out to have one made"
    return "correct it and run again"


def _with_id(draft: Draft, movement: Movement, *, again: bool) -> Movement:
    """Return a movement with the first id made from its contents that is free or its own."""
    currency = movement.currency or subledgers.currency(draft, movement.customer)
    content = "\0".join(
        [
            *(movement.customer, str(movement.date), money.text(movement.amount_micro), currency),
            *(movement.method, movement.reference, movement.service, movement.description),
        ]
    )
    stem = f"{movement.date:%Y%m%d}-{digest(content)[:8]}"
    named = [
        replace(movement, id=stem if number == 1 else f"{stem}.{number}")
        for number in range(1, _MOST)
    ]
    links = {posting.link(row): row for row in named}
    known = held_among(draft, links, {part(movement.customer)})
    for link, row in links.items():
        held = known.get(link)
        if held is None or not (again or "voided" in held.entry.meta):
            return row
    raise RefusedError("the same was recorded too often", "nothing was posted", "give it an --id")
