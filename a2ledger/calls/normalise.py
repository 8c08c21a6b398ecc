"""Turn rows of a switch into calls: which rows are calls, whose, when, and to where.

Every row ends in exactly one place: ``calls``, ``not_billable`` under a name of a small fixed
set, or ``refused`` with a reason. What decides is asked in a fixed order and of each row alone,
so that the same rows end in the same places however files are split.

=================  ==========================================================================
not billable       the row …
=================  ==========================================================================
no-call            is a total, a remark or a line of types in a report
hangup             is of the hang-up handler
b-leg              is of the leg a switch made, and not of the one that came in
context            stands in a context no rule names
direction          stands in a context a rule names, but goes another way than rules ask
application        stands in a context a rule names, but ran another application
rule               has a context and an application that rules name, but is not what they ask
unanswered         was not answered
no-identifier      bears none of the identifiers its rule looks at
deleted-card       is of an account its source no longer has, and the book never had
no-card            is of no account (A2Billing)
before-opening     is older than the customer's account
before-from        is older than the import was asked to take
after-through      is younger than that
=================  ==========================================================================

Refused are, first of all, rows whose time (``bad-time``) or seconds (``bad-seconds``,
``negative``) are damaged, call or not: a damaged row cannot be trusted to be no call. Then
``unknown-answer``, ``unknown-customer``, ``unclaimed`` for what left by a trunk with nothing that
says whose it is, ``future``, ``bad-number`` and ``bad-amount``.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164, money
from a2ledger import times as clock
from a2ledger.book.source_config import Rule, Source
from a2ledger.calls import direction, doubts, extensions, local_halves, row_ids, rules
from a2ledger.calls.direction import Ways
from a2ledger.calls.fates import Fates, Integers, Mask, Rows
from a2ledger.calls.rules import Taken
from a2ledger.customers.directory import NOBODY, Days, Directory, Indexes
from a2ledger.period import EPOCH
from a2ledger.sources.batch import DIRECTIONS, NO_CALL, OUTGOING, Batch, Refused, constant

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SECONDS = 7 * clock.DAY
"""Longest duration accepted; a longer call is a hung channel that a person should check."""

LONGEST_NUMBER = 64
"""Length in bytes of the longest called number accepted."""

AHEAD = clock.DAY
"""Seconds a call may start after now, since clocks differ."""

_SECONDS = "^[0-9]{1,9}$"


class Wanted(NamedTuple):
    """The first and the last day of the calls an import is to take, in the book's zone."""

    first: dt.date | None = None
    last: dt.date | None = None


EVERY_DAY = Wanted()


class Normalised(NamedTuple):
    """The result of normalising a batch.

    ``calls`` has the columns

    - ``line`` int64; ``start`` timestamp[s, UTC]; ``local`` timestamp[s], naive, and ``day``
      date32, both in the book's zone; ``seconds`` int64
    - ``called``, ``caller`` string, see :mod:`a2ledger.e164`; ``customer`` int32, an index into
      the directory's customers; ``identifier`` string, what decided whose the call is
    - ``service`` string; ``tariff`` string, the rule's or empty; ``free`` bool
    - ``halves`` string, see :mod:`a2ledger.calls.local_halves`; ``direction`` string, empty for
      outgoing; ``leg`` string, the channel and the rows of a leg, empty for a row by itself;
      ``extension`` string, see :mod:`a2ledger.calls.extensions`
    - ``switch``, ``uid``, ``seq`` string, the call's identity; ``given_micro`` int64 or null,
      the cost the switch gave
    - where rows say it, ``given_buy_micro`` int64 or null and ``given_carrier`` string, what they
      cost to buy and of whom

    ``latest`` is the latest start of any row, call or not, that is not in the future. ``judged``
    makes a table of all rows that could be read: ``line``, ``day``, ``start``, ``uid`` and ``seq``;
    ``left_out``, why it is not billable, or null; ``rule``, the number from 1 of the rule that took
    it, or null; ``customer`` as above, or null; ``called``; ``direction``; ``seconds``, or null
    where they are none. ``unclaimed`` are calls on which people talked and that nobody pays for,
    see :func:`_unclaimed`.
    """

    calls: pa.Table
    not_billable: dict[str, int]
    refused: list[Refused]
    latest: dt.datetime | None
    warnings: list[str]
    judged: Callable[[], pa.Table]
    unclaimed: pa.Table


def normalise(
    batch: Batch,
    source: Source,
    directory: Directory,
    zone: str,
    now: dt.datetime,
    wanted: Wanted = EVERY_DAY,
) -> Normalised:
    """Classify each row of a batch.

    Args:
        batch: rows of ``source``.
        source: whose rules, zone and number forms apply. Without rules every row that was
            answered is a call.
        directory: all customers.
        zone: the book's time zone.
        now: an aware time; calls that start more than a day later are refused.
        wanted: the days that are asked for; no other row is looked at any closer.
    """
    rows = Rows(batch, source)
    fates = Fates(batch, rows)
    if NO_CALL in rows.never_names():
        fates.leave_out(rows.never(NO_CALL), NO_CALL)
    starts, naive = _starts(rows, zone, fates)
    day = (naive // clock.DAY).astype(np.int32)
    _leave_out_unwanted(day, wanted, fates)
    asked = fates.open.copy()
    seconds = _seconds(rows, fates)
    for name in rows.never_names():
        fates.leave_out(rows.never(name), name)
    _refuse_unknown_words(rows, seconds, fates)
    ways = direction.ways(rows, directory, day, fates.open & rows.answered)
    if rows.has("side"):
        fates.leave_out(direction.of_made_legs(rows, directory, day), "b-leg")
    taken = rules.taken(rows, source.rules or (Rule(),), directory, day, ways, fates)
    fates.leave_out(~rows.answered, "unanswered")
    customer, identifier = rules.customer_of(rows, taken, directory, day, ways, fates)
    soon = (now - clock.EPOCH) // dt.timedelta(seconds=1) + AHEAD
    fates.refuse(starts > soon, "future", lambda row: f"it starts in the future, {rows.start(row)}")
    plans, plan = directory.fact("dial_plan", customer, day)
    numbers = _numbers(rows, ways, [str(text or "") for text in plans], plan, fates)
    given = _given(rows, fates)
    times = {
        "start": pa.array(starts).cast(pa.timestamp("s", "UTC")),
        "local": pa.array(naive).cast(pa.timestamp("s")),
        "day": pa.array(day).cast(pa.date32()),
        "seconds": pa.array(seconds),
    }
    whose = {"customer": pa.array(customer, pa.int32()), "identifier": identifier}
    lost = _lost(rows, seconds, fates)
    identity, nothing = row_ids.identity(rows, starts, fates.open | lost), constant("", len(rows))
    halves = local_halves.named(rows["channel"], rows["dstchannel"])
    if ways.trunk.any():  # of a leg the channel tells which rows are its own
        halves = pc.if_else(pa.array(ways.trunk), "", halves)
    identity |= {"halves": halves}
    identity |= {"direction": _directions(ways), "leg": rows["leg"] if rows.has("leg") else nothing}
    table = pa.table({"line": rows.line, **times, **numbers, **whose, **identity} | given)
    calls = table.filter(pa.array(fates.open))
    callers = extensions.extensions(rows, ways, np.flatnonzero(fates.open))
    calls = calls.append_column("extension", callers)
    for name, column in _repeated(taken, fates.open, source.switch).items():
        calls = calls.append_column(name, column)
    return Normalised(
        calls,
        fates.not_billable,
        _refused(rows, customer, directory, day, fates),
        _latest(starts[asked & (starts <= soon)]),
        [
            *doubts.of_zone(rows, starts, fates.sound),
            *doubts.of_hour(rows, fates),
            *doubts.of_guesses(rows, ways, fates),
            *doubts.of_short_numbers(rows, ways, fates),
            *doubts.of_calls_sent_on(rows, ways, fates),
        ],
        functools.partial(_judged, table, taken, fates),
        _unclaimed(rows, table, lost, fates),
    )


def _refused(
    rows: Rows, customer: Indexes, directory: Directory, day: Days, fates: Fates
) -> list[Refused]:
    """Return the refused rows with their day and customer, as far as known."""
    if not fates.refused:
        return []
    places = np.array(fates.places, np.int64)
    account = rows["accountcode"].take(pa.array(places))
    holder = np.where(
        customer[places] < 0, directory.identify(account, day[places]), customer[places]
    )
    known = zip(fates.refused, places.tolist(), holder.tolist(), strict=True)
    dates = {int(of): str(EPOCH + dt.timedelta(days=int(of))) for of in np.unique(day[places])}
    return sorted(
        row._replace(
            day=dates[int(day[place])] if fates.sound[place] else "",
            customer=directory.customers[index].id if index >= 0 else "",
        )
        for row, place, index in known
    )


def _judged(table: pa.Table, taken: Taken, fates: Fates) -> pa.Table:
    customer = table["customer"].combine_chunks()
    reasons = pa.array(list(fates.not_billable), pa.string())
    left_out = pa.array(fates.left_out, mask=fates.left_out == NOBODY)
    return pa.table(
        {
            **{name: table[name] for name in ("line", "day", "start", "uid", "seq")},
            "left_out": reasons.take(left_out),
            "rule": pa.array(taken.place + 1, mask=taken.place == NOBODY),
            "customer": pc.if_else(pc.less(customer, 0), pa.scalar(None, pa.int32()), customer),
            "called": table["called"],
            "direction": pc.if_else(pc.equal(table["direction"], ""), OUTGOING, table["direction"]),
            "seconds": pc.if_else(
                pa.array(fates.timed), table["seconds"], pa.scalar(None, pa.int64())
            ),
        }
    )


def _leave_out_unwanted(day: Days, wanted: Wanted, fates: Fates) -> None:
    if wanted.first:
        fates.leave_out(day < (wanted.first - EPOCH).days, "before-from")
    if wanted.last:
        fates.leave_out(day > (wanted.last - EPOCH).days, "after-through")


def _starts(rows: Rows, zone: str, fates: Fates) -> tuple[Integers, Integers]:
    """Return when rows start, in UTC seconds and as wall-clock time of the book's zone."""
    times = clock.parse(rows["start"])
    fates.sound = times.valid
    # Dialects of switches know their own form; a log of a provider's may have any.
    key = f"sources.{rows.source.name}.time_format"
    todo = f"; if all are written so, set {key}" if rows.source.dialect == "calls" else ""
    fates.refuse(
        ~times.valid,
        "bad-time",
        lambda row: f"its start {rows.start(row)!r} is no date and time{todo}",
    )
    starts = clock.to_utc(times, rows.source.timezone)
    places, later = clock.twice(times, rows.source.timezone)
    for place, by in zip(places.tolist(), later.tolist(), strict=True):
        created = rows.created(place)
        if created is None:
            fates.doubtful += 1
        elif abs(starts[place] + by - created) < abs(starts[place] - created):
            starts[place] += by
    return starts, clock.to_naive(starts, zone)


def _seconds(rows: Rows, fates: Fates) -> Integers:
    """Return the seconds to bill, taken from their own column, not from two times."""
    _expect_seconds(rows, "duration", pc.equal(rows["duration"], ""), fates)
    good = fates.timed = _expect_seconds(rows, "seconds", None, fates)
    written = rows["seconds"] if good.all() else pc.if_else(pa.array(good), rows["seconds"], "0")
    seconds: Integers = np.asarray(pc.cast(written, pa.int64()))
    return seconds


def _expect_seconds(rows: Rows, name: str, allowed: pa.Array | None, fates: Fates) -> Mask:
    """Refuse values that are not a number of seconds, and return a mask of the good ones."""
    written = rows[name]
    good: Mask = np.ones(len(rows), np.bool_)
    number = written
    if not _are_short_digits(written):  # no pattern is as fast
        good = np.asarray(pc.match_substring_regex(written, _SECONDS))
        number = pc.if_else(pa.array(good), written, "0")
    good = good & (np.asarray(pc.cast(number, pa.int64())) <= LONGEST_SECONDS)
    if allowed is not None:
        good = good | np.asarray(allowed)
    if good.all():
        return good

    def message(row: int) -> str:
        text = rows.text(name, row)
        todo = "; if it is minutes and seconds, map its column as minutes"
        clocked = rows.source.dialect == "calls" and re.fullmatch("[0-9]{1,4}:[0-5][0-9]", text)
        problem = f"its {name} {text!r} is not a number of seconds a call can have"
        return problem + todo if clocked else problem

    fates.refuse(np.asarray(pc.match_substring_regex(written, "^-[0-9]+$")), "negative", message)
    fates.refuse(~good, "bad-seconds", message)
    return good


def _refuse_unknown_words(rows: Rows, seconds: Integers, fates: Fates) -> None:
    """Refuse rows with talk time whose word for "answered" is unknown."""
    if not rows.has("unknown"):
        return
    unknown = np.asarray(pc.not_equal(rows["unknown"], "")) & (seconds > 0)
    fates.refuse(
        unknown,
        "unknown-answer",
        lambda row: (
            f"it lasted {seconds[row]} s, but {rows.text('unknown', row)!r} is not known to mean "
            f"answered; if it does, set answered = [{json.dumps(rows.text('unknown', row))}] in "
            f"sources.{rows.source.name}"
        ),
    )


def _directions(ways: Ways) -> pa.StringArray:
    """Return directions as stored in the call detail: empty for outgoing."""
    if not ways.direction.any():
        return constant("", len(ways.direction))
    names = pa.array(["", *DIRECTIONS[1:]])
    return names.take(pa.array(ways.direction))


_SILENT = (NO_CALL, "unanswered", "hangup", "before-from", "after-through", "before-opening")
"""Reasons to leave rows out that lose no billable talk."""
_QUIET = ("deleted-card", "no-card", "b-leg", "part")


def _lost(rows: Rows, seconds: Integers, fates: Fates) -> Mask:
    """Return a mask of answered calls with talk time that are left out, shape (n,)."""
    silent = [
        place for place, name in enumerate(fates.not_billable) if name not in (*_SILENT, *_QUIET)
    ]
    if not silent:
        return np.zeros(len(rows), np.bool_)
    lost: Mask = np.isin(fates.left_out, silent) & rows.answered & (seconds > 0)
    return lost


def _unclaimed(rows: Rows, table: pa.Table, lost: Mask, fates: Fates) -> pa.Table:
    """Return the answered calls that are left out, and the reason.

    Returns:
        columns line, day, start, seconds, uid and seq of the rows; reason string; word string
        (what was left out: the context, the application, or the device that called).
    """
    if not lost.any():
        return UNCLAIMED.empty_table()
    places = pa.array(np.flatnonzero(lost))
    reasons = pa.array(list(fates.not_billable)).take(pa.array(fates.left_out[lost]))
    words = rows.devices("channel", places)
    words = pc.if_else(pc.equal(words, ""), rows["src"].take(places), words)
    for name in ("context", "application"):
        words = pc.if_else(pc.equal(reasons, name), rows[name].take(places), words)
    unclaimed = table.select(UNCLAIMED.names[:-2]).take(places)
    return unclaimed.append_column("reason", reasons).append_column("word", words).cast(UNCLAIMED)


UNCLAIMED = pa.schema(
    [
        ("line", pa.int64()),
        ("day", pa.date32()),
        ("start", pa.timestamp("s", "UTC")),
        ("seconds", pa.int64()),
        ("uid", pa.string()),
        ("seq", pa.string()),
        ("reason", pa.string()),
        ("word", pa.string()),
    ]
)


def _are_short_digits(column: pa.StringArray) -> bool:
    """Return True if all texts match :data:`_SECONDS`."""
    sizes = pc.min_max(pc.binary_length(column)).as_py()
    return e164.are_digits(column) and len(column) > 0 and 1 <= sizes["min"] <= sizes["max"] <= 9  # noqa: PLR2004


def _numbers(
    rows: Rows, ways: Ways, plans: list[str], plan: Indexes, fates: Fates
) -> dict[str, pa.StringArray]:
    called = e164.planned(ways.called, rows.source, plans, plan)
    length = np.asarray(pc.binary_length(called))
    fates.refuse(length == 0, "bad-number", lambda _: "there is no number called")
    fates.refuse(
        length > LONGEST_NUMBER,
        "bad-number",
        lambda _: f"the number called is longer than {LONGEST_NUMBER}",
    )
    return {"called": called, "caller": e164.digits(rows["src"], rows.source)}


def _given(rows: Rows, fates: Fates) -> dict[str, pa.Array]:
    """Return the costs the switch gives, in micro-units, null where it gives none."""
    encoded = rows["cost"].dictionary_encode()
    amounts = [_amount(text) for text in encoded.dictionary.to_pylist()]
    bad = np.array([amount is not None and amount < 0 for amount in amounts], np.bool_)
    codes = np.asarray(encoded.indices)
    fates.refuse(
        bad[codes],
        "bad-amount",
        lambda row: f"its cost {rows.text('cost', row)!r} is no amount such as 0.125",
    )
    given = {"given_micro": pa.array(amounts, pa.int64()).take(encoded.indices)}
    return given | _bought(rows) if rows.are_bought else given


def _bought(rows: Rows) -> dict[str, pa.Array]:
    """Return the buying costs and carriers that rows give, null where they give none."""
    encoded = rows["buy"].dictionary_encode()
    amounts = [_amount(text) for text in encoded.dictionary.to_pylist()]
    buy = pa.array([None if amount == -1 else amount for amount in amounts], pa.int64())
    return {"given_buy_micro": buy.take(encoded.indices), "given_carrier": rows["carrier"]}


def _amount(text: str) -> int | None:
    """Parse a cost in micro-units: None if empty, -1 if invalid."""
    try:
        return money.parse(text) if text else None
    except ValueError:
        return -1


def _repeated(taken: Taken, wanted: Mask, switch: str) -> dict[str, pa.Array]:
    """Return columns with the switch, and the service, tariff and ``free`` of each row's rule."""
    index = pa.array(taken.place[wanted])
    return {
        "switch": constant(switch, len(index)),
        "service": pa.array([rule.service for rule in taken.rules]).take(index),
        "tariff": pa.array([rule.tariff for rule in taken.rules]).take(index),
        "free": pa.array([rule.free for rule in taken.rules]).take(index),
    }


def _latest(starts: Integers) -> dt.datetime | None:
    return clock.EPOCH + dt.timedelta(seconds=int(starts.max())) if len(starts) else None
