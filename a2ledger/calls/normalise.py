"""From rows as a switch wrote them to calls: which rows are calls, whose, when, and to where.

Every row ends in exactly one place: ``calls``, ``not_billable`` under a name of a small fixed
set, or ``refused`` with a reason. What decides is asked in a fixed order and of each row alone,
so that the same rows end in the same places however files are split.

=================  ==========================================================================
not billable       the row …
=================  ==========================================================================
hangup             is of the hang-up handler
b-leg              is of the leg a switch made, and not of the one that came in
context            stands in a context no rule names
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
``unknown-customer``, ``future``, ``bad-number`` and ``bad-amount``.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164, money
from a2ledger import times as clock
from a2ledger.book.source_config import Rule, Source
from a2ledger.calls import local_halves
from a2ledger.customers.directory import EPOCH, NOBODY, Days, Directory, Indexes
from a2ledger.sources.batch import Batch, Refused, constant, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

LONGEST_SECONDS = 7 * clock.DAY
"""A longer call is a channel that hung; a person should look."""

LONGEST_NUMBER = 64
"""Bytes of the longest number called that is believed."""

AHEAD = clock.DAY
"""Seconds a call may start after now: clocks differ."""

_SECONDS = "^[0-9]{1,9}$"
_CONTROLS = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+"
_ENDPOINT = r"^[^/]+/(.+?)(-[0-9a-f]+)?(;[0-9])?$"
_EPOCH_OF_ID = re.compile(r"(?:.*-)?([0-9]{10})\.[0-9]+", re.DOTALL)
_CANONICAL = (
    "seconds",
    "accountcode",
    "src",
    "dst",
    "channel",
    "context",
    "application",
)
_QUARTER = 900
_SAMPLE = 500


class Wanted(NamedTuple):
    """The first and the last day of the calls an import is to take, in the book's zone."""

    first: dt.date | None = None
    last: dt.date | None = None


EVERY_DAY = Wanted()


class Normalised(NamedTuple):
    """What a batch holds.

    ``calls`` has the columns

    - ``line`` int64; ``start`` timestamp[s, UTC]; ``local`` timestamp[s], naive, and ``day``
      date32, both in the book's zone; ``seconds`` int64
    - ``called``, ``caller`` string, see :mod:`a2ledger.e164`; ``customer`` int32, an index into
      the directory's customers; ``identifier`` string, what decided whose the call is
    - ``service`` string; ``tariff`` string, the rule's or empty; ``free`` bool
    - ``halves`` string, see :mod:`a2ledger.calls.local_halves`
    - ``switch``, ``uid``, ``seq`` string, the call's identity; ``given_micro`` int64 or null,
      the cost the switch gave
    - where rows say it, ``given_buy_micro`` int64 or null and ``given_carrier`` string, what they
      cost to buy and of whom

    ``latest`` is the latest start of any row, call or not, that is not in the future. ``judged``
    makes a table of all rows that could be read: ``line``; ``left_out``, why it is not billable,
    or null; ``rule``, the number from 1 of the rule that took it, or null; ``customer`` as above,
    or null; ``called``; ``seconds``, or null where they are none.
    """

    calls: pa.Table
    not_billable: dict[str, int]
    refused: list[Refused]
    latest: dt.datetime | None
    warnings: list[str]
    judged: Callable[[], pa.Table]


def normalise(
    batch: Batch,
    source: Source,
    directory: Directory,
    zone: str,
    now: dt.datetime,
    wanted: Wanted = EVERY_DAY,
) -> Normalised:
    """Decide what each row of a batch is.

    Args:
        batch: rows of ``source``.
        source: whose rules, zone and number forms apply. Without rules every row that was
            answered is a call.
        directory: all customers.
        zone: the book's time zone.
        now: an aware time; calls that start more than a day later are refused.
        wanted: the days that are asked for; no other row is looked at any closer.
    """
    rows = _Rows(batch, source)
    fates = _Fates(batch, rows)
    starts, naive = _starts(rows, zone, fates)
    day = (naive // clock.DAY).astype(np.int32)
    _leave_out_unwanted(day, wanted, fates)
    asked = fates.open.copy()
    seconds = _seconds(rows, fates)
    for name in rows.never_names():
        fates.leave_out(rows.never(name), name)
    taken = _taken(rows, source.rules or (Rule(),), directory, day, fates)
    fates.leave_out(~rows.answered, "unanswered")
    customer, identifier = _customer(rows, taken, directory, day, fates)
    soon = (now - clock.EPOCH) // dt.timedelta(seconds=1) + AHEAD
    fates.refuse(starts > soon, "future", lambda row: f"it starts in the future, {rows.start(row)}")
    plans, plan = directory.fact("dial_plan", customer, day)
    numbers = _numbers(rows, [str(text or "") for text in plans], plan, fates)
    given = _given(rows, fates)
    times = {
        "start": pa.array(starts).cast(pa.timestamp("s", "UTC")),
        "local": pa.array(naive).cast(pa.timestamp("s")),
        "day": pa.array(day).cast(pa.date32()),
        "seconds": pa.array(seconds),
    }
    whose = {"customer": pa.array(customer, pa.int32()), "identifier": identifier}
    identity = _identity(rows, starts, fates.open)
    identity |= {"halves": local_halves.named(rows["channel"], rows["dstchannel"])}
    table = pa.table({"line": rows.line, **times, **numbers, **whose, **identity} | given)
    calls = table.filter(pa.array(fates.open))
    for name, column in _repeated(taken, fates.open, source.switch).items():
        calls = calls.append_column(name, column)
    return Normalised(
        calls,
        fates.not_billable,
        sorted(fates.refused),
        _latest(starts[asked & (starts <= soon)]),
        [*_zone_warnings(rows, starts, fates.sound), *_hour_warnings(rows, fates)],
        functools.partial(_judged, table, taken, fates),
    )


def _judged(table: pa.Table, taken: _Taken, fates: _Fates) -> pa.Table:
    customer = table["customer"].combine_chunks()
    reasons = pa.array(list(fates.not_billable), pa.string())
    left_out = pa.array(fates.left_out, mask=fates.left_out == NOBODY)
    return pa.table(
        {
            "line": table["line"],
            "left_out": reasons.take(left_out),
            "rule": pa.array(taken.place + 1, mask=taken.place == NOBODY),
            "customer": pc.if_else(pc.less(customer, 0), pa.scalar(None, pa.int32()), customer),
            "called": table["called"],
            "seconds": pc.if_else(
                pa.array(fates.timed), table["seconds"], pa.scalar(None, pa.int64())
            ),
        }
    )


def _leave_out_unwanted(day: Days, wanted: Wanted, fates: _Fates) -> None:
    if wanted.first:
        fates.leave_out(day < (wanted.first - EPOCH).days, "before-from")
    if wanted.last:
        fates.leave_out(day > (wanted.last - EPOCH).days, "after-through")


class _Rows:
    """A batch's columns, cleaned: no control characters within, no white space around."""

    def __init__(self, batch: Batch, source: Source) -> None:
        self.source = source
        self._table = batch.rows
        self._cleaned: dict[str, pa.StringArray] = {}
        self.line = batch.rows["line"]
        self.answered: Mask = np.asarray(batch.rows["answered"]).astype(np.bool_)

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, name: str) -> pa.StringArray:
        if name not in self._cleaned:
            self._cleaned[name] = _clean(self._table[name].combine_chunks())
        return self._cleaned[name]

    def never_names(self) -> list[str]:
        """Why there are rows that no rule may take; see :mod:`a2ledger.sources.batch`."""
        if "never" not in self._table.column_names:
            return []
        return sorted(set(pc.unique(self._table["never"]).to_pylist()) - {"", None})

    def never(self, name: str) -> Mask:
        """Which rows no rule may take, for one reason."""
        return np.asarray(pc.is_in(self._table["never"], value_set=pa.array([name])))

    @property
    def are_bought(self) -> bool:
        """Whether rows say what they cost to buy; see :mod:`a2ledger.sources.batch`."""
        return "buy" in self._table.column_names

    def text(self, name: str, row: int) -> str:
        """One value."""
        return str(self[name][row].as_py())

    def start(self, row: int) -> str:
        """When a row says it starts."""
        return self.text("start", row)

    def created(self, row: int) -> int | None:
        """When a row's id says that its channel was made, in seconds since 1970."""
        match = _EPOCH_OF_ID.fullmatch(self.text("uniqueid", row))
        return int(match[1]) if match else None

    def identity(self, row: int) -> str:
        """The id a switch gave a row, with the switch's name; or nothing."""
        uid, sequence = self.text("uniqueid", row), self.text("sequence", row)
        return "/".join(filter(None, (self.source.switch, uid, sequence))) if uid else ""


class _Fates:
    """Where each row ends; a row that has ended is no longer open."""

    def __init__(self, batch: Batch, rows: _Rows) -> None:
        self._batch, self._rows = batch, rows
        self.open: Mask = np.ones(len(rows), np.bool_)
        self.sound: Mask = np.ones(len(rows), np.bool_)
        """Rows whose start is a time."""
        self.timed: Mask = np.ones(len(rows), np.bool_)
        """Rows whose seconds are some."""
        self.doubtful = 0
        """Rows of an hour that happens twice, with nothing that tells which."""
        self.not_billable: dict[str, int] = {}
        self.left_out: Indexes = np.full(len(rows), NOBODY, np.int32)
        """The place of each row's reason in ``not_billable``, or -1."""
        self.refused: list[Refused] = []

    def leave_out(self, mask: Mask, name: str) -> None:
        """Of the rows still open, these are not billable."""
        if count := int(np.count_nonzero(mask & self.open)):
            self.not_billable[name] = self.not_billable.get(name, 0) + count
            self.left_out[mask & self.open] = list(self.not_billable).index(name)
            self.open &= ~mask

    def refuse(self, mask: Mask, reason: str, message: Callable[[int], str]) -> None:
        """Of the rows still open, these are refused."""
        for row in np.flatnonzero(mask & self.open).tolist():
            line = self._rows.line[row].as_py()
            identity = self._rows.identity(row)
            self.refused.append(refuse(self._batch, line, reason, message(row), identity))
        self.open &= ~mask


def _clean(column: pa.StringArray) -> pa.StringArray:
    if column.null_count:
        column = pc.fill_null(column, "")
    least, most = e164.bounds(column)
    if least > ord(" ") and most <= ord("~"):
        return column
    if least < ord(" ") or most > ord("~"):
        column = pc.replace_substring_regex(column, _CONTROLS, "")
        return pc.utf8_trim_whitespace(column)
    return pc.ascii_trim_whitespace(column)


def _starts(rows: _Rows, zone: str, fates: _Fates) -> tuple[Integers, Integers]:
    """Instants at which rows start, and what the clock of the book's zone showed."""
    times = clock.parse(rows["start"])
    fates.sound = times.valid
    fates.refuse(
        ~times.valid, "bad-time", lambda row: f"its start {rows.start(row)!r} is no date and time"
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


def _seconds(rows: _Rows, fates: _Fates) -> Integers:
    """Seconds to bill, from their own column and never from the difference of two times."""
    _expect_seconds(rows, "duration", pc.equal(rows["duration"], ""), fates)
    good = fates.timed = _expect_seconds(rows, "seconds", None, fates)
    written = rows["seconds"] if good.all() else pc.if_else(pa.array(good), rows["seconds"], "0")
    seconds: Integers = np.asarray(pc.cast(written, pa.int64()))
    return seconds


def _expect_seconds(rows: _Rows, name: str, allowed: pa.Array | None, fates: _Fates) -> Mask:
    """Refuse what is no number of seconds that a call may have; returns which are."""
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
        return f"its {name} {rows.text(name, row)!r} are no seconds of a call"

    fates.refuse(np.asarray(pc.match_substring_regex(written, "^-[0-9]+$")), "negative", message)
    fates.refuse(~good, "bad-seconds", message)
    return good


def _are_short_digits(column: pa.StringArray) -> bool:
    """Whether every text is what :data:`_SECONDS` means."""
    sizes = pc.min_max(pc.binary_length(column)).as_py()
    return e164.are_digits(column) and len(column) > 0 and 1 <= sizes["min"] <= sizes["max"] <= 9  # noqa: PLR2004


class _Taken(NamedTuple):
    """Which of some rules takes each row: its place among them, or -1."""

    rules: tuple[Rule, ...]
    place: Indexes


def _taken(
    rows: _Rows, rules: tuple[Rule, ...], directory: Directory, day: Days, fates: _Fates
) -> _Taken:
    index = np.full(len(rows), NOBODY, np.int32)
    in_context = np.zeros(len(rows), np.bool_)
    applies = np.zeros(len(rows), np.bool_)
    for place, rule in enumerate(rules):
        fits = _among(rows["context"], rule.contexts)
        in_context |= fits
        fits = fits & _among(rows["application"], rule.applications)
        applies |= fits
        if rule.channels:
            fits = fits & _like_either(rows["channel"], rows["dstchannel"], rule.channels)
        if rule.called:
            numbers = e164.digits(rows["dst"], rows.source)
            fits = fits & _like_either(rows["dst"], numbers, rule.called)
        for name in rule.without:
            fits = fits & np.asarray(pc.equal(rows[name], ""))
        pending = np.flatnonzero(fits & (index < 0))
        if rule.to:
            pending = pending[_to_customer(rows, rule.to, directory, day, pending)]
        index[pending] = place
    fates.leave_out((index < 0) & ~in_context, "context")
    fates.leave_out((index < 0) & ~applies, "application")
    fates.leave_out(index < 0, "rule")
    index[~fates.open] = NOBODY
    return _Taken(rules, index)


def _among(column: pa.StringArray, names: tuple[str, ...]) -> Mask:
    if not names:
        return np.ones(len(column), np.bool_)
    return np.asarray(pc.is_in(column, value_set=pa.array(names, pa.string())))


def _like(column: pa.StringArray, patterns: tuple[str, ...]) -> Mask:
    """Which values are like one of some patterns; ``*`` is any text, ``?`` one character."""
    either = "|".join(
        "".join({"*": ".*", "?": "."}.get(one, re.escape(one)) for one in pattern)
        for pattern in patterns
    )
    return np.asarray(pc.match_substring_regex(column, f"^(?s:{either})$"))


def _like_either(column: pa.StringArray, other: pa.StringArray, patterns: tuple[str, ...]) -> Mask:
    return _like(column, patterns) | _like(other, patterns)


def _to_customer(rows: _Rows, to: str, directory: Directory, day: Days, places: Integers) -> Mask:
    """Whether what was called is what a customer holds: a number, or for ``customer`` a device."""
    held = np.zeros(len(places), np.bool_)
    called = [*_identifiers(rows, "dst", places)]
    if to == "did":
        called += _identifiers(rows, "did", places)
    else:
        called.append(_endpoints(rows["dstchannel"].take(pa.array(places))))
    for values in called:
        held |= directory.identify(values, day[places]) >= 0
    return held


def _customer(
    rows: _Rows, taken: _Taken, directory: Directory, day: Days, fates: _Fates
) -> tuple[Indexes, pa.StringArray]:
    """The customer of each row, by the first identifier in its rule's order that is known."""
    customer = np.full(len(rows), NOBODY, np.int32)
    seen, place = [pa.array([""], pa.string())], np.zeros(len(rows), np.int64)
    bears = np.zeros(len(rows), np.bool_)
    for index, one in enumerate(taken.rules):
        for item in one.identify:
            pending = np.flatnonzero(fates.open & (taken.place == index) & (customer == NOBODY))
            if not len(pending):
                break
            for values in _identifiers(rows, item, pending):
                bears[pending] |= np.asarray(pc.not_equal(values, ""))
                found = directory.identify(values, day[pending])
                first = np.flatnonzero((customer[pending] < 0) & (found >= 0))
                customer[pending[first]] = found[first]
                place[pending[first]] = first + sum(map(len, seen))
                seen.append(values)
    if (accounts := rows.source.accounts) is not None:
        there = pc.is_in(rows["accountcode"], value_set=pa.array(sorted(accounts), pa.string()))
        fates.leave_out((customer < 0) & ~np.asarray(there), "deleted-card")
    fates.refuse(
        bears & (customer < 0),
        "unknown-customer",
        lambda row: _unknown(rows, taken.rules[taken.place[row]], row, int(day[row])),
    )
    fates.leave_out(customer < 0, "no-identifier")
    if directory.customers:
        opened = directory.opened[np.maximum(customer, 0)]
        fates.leave_out(day < opened, "before-opening")
    return customer, pa.concat_arrays(seen).take(pa.array(place))


def _identifiers(rows: _Rows, item: str, places: Integers) -> Iterator[pa.StringArray]:
    """What an item of ``identify`` finds in some rows; numbers as written, then as digits."""
    name, _, pattern = item.partition("~")
    values = rows[name].take(pa.array(places))
    if pattern:
        values = _extracted(values, pattern)
    elif name == "channel":
        values = _endpoints(values)
    yield values
    if name in {"src", "dst", "did"} and not pattern:
        yield e164.digits(values, rows.source)


def _extracted(values: pa.StringArray, pattern: str) -> pa.StringArray:
    """The first group of a pattern found in each value, or nothing."""
    search = re.compile(pattern).search
    encoded = values.dictionary_encode()
    found = [
        (match[1] or "") if (match := search(text)) else ""
        for text in encoded.dictionary.to_pylist()
    ]
    return pa.array(found, pa.string()).take(encoded.indices)


def _endpoints(channels: pa.StringArray) -> pa.StringArray:
    """Names of the devices behind channels; ``Local`` channels have none.

    ``PJSIP/1001-0000002a`` is the channel of the endpoint ``1001``.
    """
    names = pc.replace_substring_regex(channels, _ENDPOINT, r"\1")
    none = pc.or_(pc.equal(names, channels), pc.starts_with(channels, "Local/"))
    return pc.if_else(none, "", names)


def _unknown(rows: _Rows, rule: Rule, row: int, day: int) -> str:
    place = np.array([row], np.int64)
    item, value = next(
        (item, value)
        for item in rule.identify
        for values in _identifiers(rows, item, place)
        if (value := values[0].as_py())
    )
    when = EPOCH + dt.timedelta(days=day)
    return f"no customer holds {value!r} ({item.partition('~')[0]}) on {when}"


def _numbers(
    rows: _Rows, plans: list[str], plan: Indexes, fates: _Fates
) -> dict[str, pa.StringArray]:
    called = e164.planned(rows["dst"], rows.source, plans, plan)
    length = np.asarray(pc.binary_length(called))
    fates.refuse(length == 0, "bad-number", lambda _: "there is no number called")
    fates.refuse(
        length > LONGEST_NUMBER,
        "bad-number",
        lambda _: f"the number called is longer than {LONGEST_NUMBER}",
    )
    return {"called": called, "caller": e164.digits(rows["src"], rows.source)}


def _given(rows: _Rows, fates: _Fates) -> dict[str, pa.Array]:
    """What the switch says calls cost, in micro-units; null where it does not say."""
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


def _bought(rows: _Rows) -> dict[str, pa.Array]:
    """What calls cost to buy and of whom, where rows say that; null where they do not."""
    encoded = rows["buy"].dictionary_encode()
    amounts = [_amount(text) for text in encoded.dictionary.to_pylist()]
    buy = pa.array([None if amount == -1 else amount for amount in amounts], pa.int64())
    return {"given_buy_micro": buy.take(encoded.indices), "given_carrier": rows["carrier"]}


def _amount(text: str) -> int | None:
    """Micro-units, None where nothing is given, less than nothing for what is no cost."""
    try:
        return money.parse(text) if text else None
    except ValueError:
        return -1


def _repeated(taken: _Taken, wanted: Mask, switch: str) -> dict[str, pa.Array]:
    """What the rows that are wanted have in common: their switch, and what their rule says."""
    index = pa.array(taken.place[wanted])
    return {
        "switch": constant(switch, len(index)),
        "service": pa.array([one.service for one in taken.rules]).take(index),
        "tariff": pa.array([one.tariff for one in taken.rules]).take(index),
        "free": pa.array([one.free for one in taken.rules]).take(index),
    }


def _identity(rows: _Rows, starts: Integers, wanted: Mask) -> dict[str, pa.Array]:
    """Id and sequence; a row that has no id gets a digest of what it says."""
    uid = rows["uniqueid"]
    nameless = np.flatnonzero(wanted & np.asarray(pc.equal(uid, "")))
    if len(nameless):
        uids = np.array(uid.to_pylist(), object)
        uids[nameless] = _digests(rows, starts, nameless)
        uid = pa.array(uids, pa.string())
    return {"uid": uid, "seq": rows["sequence"]}


def _digests(rows: _Rows, starts: Integers, places: Integers) -> list[str]:
    """Digests of what any dialect would say of a row, in any zone."""
    index = pa.array(places)
    columns = [list(map(str, starts[places].tolist()))]
    columns += [rows[name].take(index).to_pylist() for name in _CANONICAL]
    return [
        f"h-{hashlib.sha256(chr(31).join(values).encode()).hexdigest()[:24]}"
        for values in zip(*columns, strict=True)
    ]


def _latest(starts: Integers) -> dt.datetime | None:
    return clock.EPOCH + dt.timedelta(seconds=int(starts.max())) if len(starts) else None


def _hour_warnings(rows: _Rows, fates: _Fates) -> list[str]:
    if not fates.doubtful:
        return []
    count = f"{fates.doubtful} row{'s' if fates.doubtful > 1 else ''}"
    return [f"{rows.source.name}: {count} of an hour that happened twice, taken as the first"]


def _zone_warnings(rows: _Rows, starts: Integers, sound: Mask) -> list[str]:
    """What the times in ids, which are UTC, say of the configured zone.

    A call may start long after its channel, so that only what most rows say counts.
    """
    places = np.flatnonzero(sound)
    places = places[:: max(1, len(places) // _SAMPLE)]
    ids = rows["uniqueid"].take(pa.array(places)).to_pylist()
    matches = [_EPOCH_OF_ID.fullmatch(text) for text in ids]
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
    warning = f"{source.name}: calls start {off} than their ids say, if their zone is "
    return [f"{warning}{source.timezone}; check the source's timezone"]
