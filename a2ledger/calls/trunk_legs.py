"""Make legs of the rows of a source whose trunks are known, before deciding whose they are.

Rows of one call may come in different files, days or runs. So all rows of such a source are kept
beside the call detail (:mod:`a2ledger.calls.kept_rows`), and a run that brings another row of a
call makes its legs anew from all of them: in the end the same rows give the same legs, whatever
their order.

A row that is the head of a leg stands for it, with the leg's seconds and number; a row that is
only part of one is left out as ``part``. A leg whose head has another leg to stand for, or was read
by an earlier run, is a row of its own, which is not among those read.
"""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import e164, times
from a2ledger.calls import bonds, bridged_legs, dialled, kept_rows
from a2ledger.calls import legs as model
from a2ledger.calls.components import components
from a2ledger.calls.devices import endpoints
from a2ledger.calls.direction import patterns_of
from a2ledger.calls.rules import like
from a2ledger.period import EPOCH
from a2ledger.sources.batch import BOND, Batch, Origin, constant
from a2ledger.sources.freeswitch.legs import UNTOLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from a2ledger.book.book import Draft
    from a2ledger.book.source_config import Source
    from a2ledger.customers.directory import Directory

Integers = npt.NDArray[np.int64]

PART = "part"
_AT_ONCE = 1 << 16
"""Rows per batch passed on."""


class Made(NamedTuple):
    """The result of making legs: batches in which legs replace their rows.

    ``beyond`` are the legs that are rows of their own. ``keys`` say which calls of the book were
    made of the same rows, see :func:`keys_of`; ``names`` are the identities such rows may have in
    the quarantine, without marks.
    """

    batches: Iterator[Batch]
    beyond: int
    keys: pa.StringArray
    names: pa.StringArray


def are_legs(draft: Draft, source: Source, batches: Sequence[Batch]) -> bool:
    """Return whether legs have to be made of a bridged source's rows.

    So it is if rows say which leg each was made for, as documents do. Rows of files name the leg
    they were connected with last: they are tied if any such leg is there, now or in an earlier run.
    Few rows are kept in any case, since what belongs to them may come later; many in which no
    leg names another are of a switch that writes a-legs alone.
    """
    tables = [batch.rows for batch in batches]
    if any(pc.any(pc.not_equal(rows["linkedid"], "")).as_py() for rows in tables):
        return True
    tables = [rows for rows in tables if BOND in rows.column_names]
    return 0 < sum(map(len, tables)) <= _FEW or are_both(draft, source, batches)


def are_both(draft: Draft, source: Source, batches: Sequence[Batch]) -> bool:
    """Return whether some row of a file names a leg that has a row, too, now or from before."""
    tables = [batch.rows for batch in batches if BOND in batch.rows.column_names]
    if not tables:
        return False
    parts = [rows.select(["uniqueid", BOND]) for rows in tables]
    rows = pa.concat_tables(parts).combine_chunks()
    if _meet(rows["uniqueid"], rows[BOND]):
        return True
    days = {day for table in tables for day in _days(table["start"].combine_chunks(), source)}
    held = pa.concat_tables([kept_rows.read(draft.root, day) for day in sorted(_near(days))])
    held = held.filter(pc.equal(held["switch"], source.switch))
    ends = pc.replace_substring_regex(held["lastdata"], f"^{bonds.MARK}", "")
    return _meet(held["uniqueid"], rows[BOND]) or _meet(rows["uniqueid"], ends)


def are_alone(draft: Draft, source: Source, batches: Sequence[Batch]) -> bool:
    """Return whether rows of a-legs were connected with others, and none of those has a row."""
    tables = [batch.rows for batch in batches if BOND in batch.rows.column_names]
    connected = any(pc.any(pc.not_equal(rows[BOND], "")).as_py() for rows in tables)
    return connected and not are_both(draft, source, batches)


def alone(source: Source) -> str:
    """Return what to say of rows of a-legs alone."""
    return (
        f"note: {source.name}: rows of a-legs alone do not show which calls were transferred, so "
        "each is billed whole to where it went last; log both legs (legs is ab), or keep documents"
    )


_FEW = 1000
"""Rows of a file that are kept though no leg among them names another."""


def _meet(uuids: pa.ChunkedArray, others: pa.ChunkedArray) -> bool:
    others = others.filter(pc.not_equal(others, ""))
    return bool(pc.any(pc.is_in(others, value_set=uuids.combine_chunks())).as_py())


def _days(starts: pa.StringArray, source: Source) -> set[dt.date]:
    parsed = times.parse(starts)
    instants = times.to_utc(parsed, source.timezone)[parsed.valid]
    return {EPOCH + dt.timedelta(days=int(day)) for day in np.unique(instants // times.DAY)}


def _near(days: Iterable[dt.date]) -> set[dt.date]:
    return {day + dt.timedelta(days=by) for day in days for by in (-1, 0, 1)}


def made(
    draft: Draft, source: Source, batches: Iterable[Batch], directory: Directory, zone: str
) -> Made:
    """Make legs of all rows of an import, and store the rows in the draft.

    Args:
        draft: of the book.
        source: with trunks.
        batches: all there are.
        directory: all customers.
        zone: the book's.
    """
    batch = _together(list(batches))
    if not len(batch.rows):
        nothing = pa.array([], pa.string())
        return Made(iter([batch]), 0, nothing, nothing)
    pa.default_memory_pool().release_unused()  # what reading took
    pieces = (batch.rows.slice(begin, _AT_ONCE) for begin in range(0, len(batch.rows), _AT_ONCE))
    rows = pa.concat_tables([kept_rows.facts(piece, source) for piece in pieces])
    valid = np.asarray(rows["start_at"].is_valid())
    new = rows if valid.all() else rows.filter(pa.array(valid))
    del rows
    known = _known(draft, source, new)
    pa.default_memory_pool().release_unused()  # what reading and comparing took
    maker = _Maker(source, directory, zone, np.flatnonzero(valid))
    every = pa.concat_tables([known, new])
    changes, more, touched = maker.made(every, len(known))
    again = every.select(_KEYED).filter(pa.array(touched))
    del every, new
    parts = [again[name] for name in ("switch", "uniqueid", "sequence")]
    names = pc.utf8_rtrim(pc.binary_join_element_wise(*parts, "/"), "/").combine_chunks()
    if maker.without_rows:
        batch = batch._replace(notes=(*batch.notes, _without_rows(source, maker.without_rows)))
    if maker.untold:
        batch = batch._replace(notes=(*batch.notes, _untold(source, maker.untold)))
    if maker.ringing:
        batch = batch._replace(notes=(*batch.notes, _ringing(source, maker.ringing)))
    keys = [keys_of(again), *([_keys_of_ways(again)] if maker.is_bridged else [])]
    return Made(_changed(batch, changes, more), len(more), pa.concat_arrays(keys), names)


_KEYED = ["switch", "uniqueid", "sequence", "start_at", "lastdata"]


def _known(draft: Draft, source: Source, new: pa.Table) -> pa.Table:
    """Keep the new rows in the draft, and return those of their days that were kept before.

    Day by day: the rows of a day are compared as texts, which take as much memory as the rows.
    """
    days = kept_rows.days(new)
    own = {EPOCH + dt.timedelta(days=int(day)) for day in np.unique(days)}
    known = []
    for day in sorted(_near(own)):
        held = kept_rows.read(draft.root, day)
        of_day = new.filter(pa.array(days == (day - EPOCH).days)) if day in own else new.slice(0, 0)
        texts = kept_rows.texts_of(of_day)
        if len(of_day):
            kept_rows.keep(draft, day, held, of_day, texts)
        held = held.filter(pc.equal(held["switch"], source.switch))
        known.append(held.filter(pc.invert(pc.is_in(kept_rows.texts_of(held), value_set=texts))))
    return pa.concat_tables(known)


def _keys_of_ways(rows: pa.Table) -> pa.StringArray:
    """Return keys of calls that transferred legs may be, which begin when a number was reached."""
    rows = rows.filter(pc.not_equal(rows["lastdata"], ""))
    pairs = zip(rows["uniqueid"].to_pylist(), rows["lastdata"].to_pylist(), strict=True)
    keys = [f"{uid}/{begin}" for uid, way in pairs for _, begin, _ in bridged_legs.ways(way)]
    return pa.array(keys, pa.string())


def _without_rows(source: Source, count: int) -> str:
    return (
        f"{source.name}: a-legs that lasted longer than the legs they were connected with, while "
        f"no rows hold the rest: {count}; each is billed whole to where it went last; documents "
        "(mod_json_cdr) tell more"
    )


def _untold(source: Source, count: int) -> str:
    legs = "1 leg was" if count == 1 else f"{count} legs were"
    return (
        f"{source.name}: {legs} transferred and do not say when, so each is billed whole to where "
        "it went last; keep the callflow's times, or the documents of b-legs (log-b-leg)"
    )


def _ringing(source: Source, seconds: Sequence[int]) -> str:
    legs = "1 leg" if len(seconds) == 1 else f"{len(seconds)} legs"
    return (
        f"{source.name}: {sum(seconds)} s of ringing were taken off {legs} that a menu or a "
        f"calling card dialled; before_dialling of the source says how many off each"
    )


def keys_of(rows: pa.Table) -> pa.StringArray:
    """Return keys that link rows to the calls made of them.

    Args:
        rows: kept rows, or calls of the call detail.
    """
    uid, seq = ("uniqueid", "sequence") if "uniqueid" in rows.column_names else ("uid", "seq")
    start = rows["start_at"] if "start_at" in rows.column_names else rows["start"].cast(pa.int64())
    ids = pc.replace_substring_regex(rows[uid], f"{model.MARK}(in)?[0-9]*$", "")
    turn = pc.if_else(pc.equal(rows[seq], ""), start.cast(pa.string()), rows[seq])
    keys = pc.binary_join_element_wise(ids, turn, "/")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys


def _together(batches: Sequence[Batch]) -> Batch:
    """Return all rows of an import as one batch, numbered from 1."""
    tables = [batch.rows for batch in batches]
    names = {name: table.schema.field(name).type for table in tables for name in table.column_names}
    for place, table in enumerate(tables):
        for name in names.keys() - set(table.column_names):
            table = table.append_column(name, constant("", len(table)))  # noqa: PLW2901
        tables[place] = table.select(list(names))
    rows = pa.concat_tables(tables).combine_chunks()
    ends = np.cumsum([len(table) for table in tables])
    raws = [batch.raw for batch in batches]  # and not the rows of each
    origins = [batch.origins(batch.rows["line"].combine_chunks()) for batch in batches]
    own = rows["line"].to_numpy()
    numbers = pa.array(np.arange(1, len(rows) + 1))

    def raw(line: int) -> str:
        return raws[int(np.searchsorted(ends, line))](int(own[line - 1]))

    heads = {batch.head for batch in batches}
    return Batch(
        batches[0].file,
        rows.set_column(rows.column_names.index("line"), "line", numbers),
        [row for batch in batches for row in batch.refused],
        raw,
        tuple(dict.fromkeys(note for batch in batches for note in batch.notes)),
        origin=Origin(
            pa.concat_arrays([part.files for part in origins]),
            pa.concat_arrays([part.lines for part in origins]),
        ),
        head=heads.pop() if len(heads) == 1 else "",
    )


# Legs

_NUMBERS = ("accountcode", "peeraccount", "dst", "did", "userfield")
_QUARTER = 900
"""Seconds of a quarter of an hour: at whose ends alone a zone's clock is changed."""

Changes = dict[int, dict[str, object]]
More = list[tuple[int, dict[str, object]]]


class _Maker:
    """Makes legs of rows, and collects what changes in the rows."""

    def __init__(self, source: Source, directory: Directory, zone: str, lines: Integers) -> None:
        self.source, self.directory = source, directory
        self.decided: set[int] = set()
        self.ringing: list[int] = []
        """Seconds taken off legs, in which they were ringing."""
        self.untold = 0
        """Legs that went to several numbers and do not say when."""
        self.without_rows = 0
        """Legs that lasted longer than what rows tell of them."""
        self.lines = lines
        """Line numbers of the new rows in the batch."""
        self.trunks: dict[str, bool] = {}
        self.devices: dict[str, str] = {}
        self.digits: dict[str, str] = {}
        """What rows name customers by, each with the digits it is if it is a number."""
        holder = functools.cache(self._held)

        @functools.cache
        def day_of(quarter: int) -> int:
            return int(times.to_naive(np.array([quarter * _QUARTER]), zone)[0]) // times.DAY

        def holds(text: str, start: int) -> bool:
            return holder(text, day_of(start // _QUARTER))

        self.is_bridged = source.dialect == kept_rows.BRIDGED
        self.model = bridged_legs if self.is_bridged else model
        self.rules = model.Rules(
            self.trunks.__getitem__,
            self.devices.__getitem__,
            holds,
            source.technical_prefixes,
            source.before_dialling,
        )

    def _look_at_channels(self, rows: pa.Table, places: Integers) -> None:
        """Learn of each channel that some rows name whether it is a trunk's, and its device."""
        taken = rows.select(["channel", "dstchannel"]).take(pa.array(places))
        names = pc.unique(pa.chunked_array([*taken["channel"].chunks, *taken["dstchannel"].chunks]))
        patterns = patterns_of(self.source.trunks)
        are = np.asarray(like(names, patterns)) if patterns else np.zeros(len(names), np.bool_)
        devices = pc.if_else(pa.array(are), "", endpoints(names))
        self.trunks.update(zip(names.to_pylist(), are.tolist(), strict=True))
        self.devices.update(zip(names.to_pylist(), devices.to_pylist(), strict=True))

    def _look_at_numbers(self, rows: pa.Table, places: Integers) -> None:
        """Learn the digits of whatever some rows may name a customer by."""
        taken = rows.select(list(_NUMBERS)).take(pa.array(places))
        texts = pc.unique(
            pa.chunked_array([part for name in _NUMBERS for part in taken[name].chunks])
        )
        digits = e164.digits(texts, self.source)
        self.digits.update(zip(texts.to_pylist(), digits.to_pylist(), strict=True))

    def _held(self, text: str, day: int) -> bool:
        number = self.digits.get(text)
        if number is None:
            number = e164.digits(pa.array([text]), self.source)[0].as_py()
        return any(
            self.directory.identify(pa.array([spelling]), np.array([day], np.int32))[0] >= 0
            for spelling in dict.fromkeys((text, number))
            if spelling in self.directory
        )

    def made(self, rows: pa.Table, known: int) -> tuple[Changes, More, npt.NDArray[np.bool_]]:
        """Return changes to new rows by place, and the rows to add.

        With them comes which rows are decided anew: new ones, and known ones that are heads or
        parts of legs. A known row that is a call by itself stays what it is.

        Args:
            rows: known ones first.
            known: how many.
        """
        changes: Changes = {}
        more: More = []
        if self.is_bridged:
            rows = self._with_bonds(rows, known, changes)
        start, end = rows["start_at"].to_numpy(), rows["end_at"].to_numpy()
        labels = components(self._tied(rows), start, end)
        sizes = np.bincount(labels, minlength=len(labels))[labels]
        if self.is_bridged:  # one that says which way it went is more than a row by itself
            alone = ~np.asarray(pc.match_substring_regex(rows["lastdata"], f"^({bonds.MARK}.*)?$"))
        else:
            came, went = (np.asarray(self._trunk(rows, n)) for n in ("channel", "dstchannel"))
            alone = came & went
            if self.rules.before_dialling != 0:
                answered_at_once = went & (rows["answer_at"].to_numpy() == start)
                if self.rules.before_dialling is None:  # by itself only a code shows a menu
                    answered_at_once &= _are_codes(rows["dst"])
                alone |= answered_at_once
        is_new = np.arange(len(rows)) >= known
        touched = np.isin(labels, labels[is_new])
        places = np.flatnonzero(touched & ((sizes > 1) | alone))
        places = places[np.argsort(labels[places], kind="stable")]
        self._look_at_channels(rows, places)
        self._look_at_numbers(rows, places)
        group: list[model.Row] = []
        last = -1
        for row, label in zip(_as_rows(rows, places), labels[places].tolist(), strict=True):
            if group and label != last:
                self._of_call(group, rows, known, changes, more)
                group = []
            group.append(row)
            last = label
        if group:
            self._of_call(group, rows, known, changes, more)
        decided = is_new
        decided[list(self.decided)] = True
        return changes, more, decided

    def _with_bonds(self, rows: pa.Table, known: int, changes: Changes) -> pa.Table:
        """Return rows with the leg that each row of a file belongs to, as documents say it."""
        owner, untold, repeated = bonds.tied(rows)
        self.without_rows = sum(place >= known for place in untold)
        for place in repeated:
            if place >= known:
                changes[int(self.lines[place - known])] = {"never": "b-leg"}
            else:  # it was nobody's until the leg came which it was made for
                self.decided.add(place)
        made = owner >= 0
        if not made.any():
            return rows
        for place in np.flatnonzero(made & (owner != np.arange(len(rows)))).tolist():
            if place >= known:
                changes[int(self.lines[place - known])] = {"never": "b-leg"}
        names = rows["uniqueid"].combine_chunks().take(pa.array(np.maximum(owner, 0)))
        linked = pc.if_else(pa.array(made), names, rows["linkedid"].combine_chunks())
        return rows.set_column(rows.column_names.index("linkedid"), "linkedid", linked)

    def _tied(self, rows: pa.Table) -> pa.Table:
        """Return rows for grouping, without FreeSWITCH's channel names, which are of devices."""
        if not self.is_bridged:
            return rows
        for name in ("channel", "dstchannel"):
            index = rows.column_names.index(name)
            rows = rows.set_column(index, name, constant("", len(rows)))
        return rows

    def _trunk(self, rows: pa.Table, name: str) -> pa.BooleanArray:
        column = rows[name].combine_chunks()
        if not self.source.trunks:
            return pa.array(np.zeros(len(rows), np.bool_))
        return pa.array(like(column, patterns_of(self.source.trunks)))

    def _of_call(
        self,
        group: list[model.Row],
        rows: pa.Table,
        known: int,
        changes: Changes,
        more: More,
    ) -> None:
        """Collect what changes in the rows of one call."""
        billed = self.model.legs(group, self.rules)
        if not billed:
            self.untold += self.is_bridged and any(row.lastdata == UNTOLD for row in group)
            return
        self.ringing += [leg.ringing for leg in billed if leg.ringing]
        new = [row.place for row in group if row.place >= known]
        parts = self.model.parts(group, billed, self.rules)
        self.decided |= {*parts, *(leg.head.place for leg in billed)}
        for place in parts:
            if place >= known:
                changes[int(self.lines[place - known])] = {"never": PART}
        stands = set()
        for leg in billed:
            place = leg.head.place
            values = _values(leg) | ({"application": "bridge"} if self.is_bridged else {})
            if place >= known and place not in stands:
                changes[int(self.lines[place - known])] = values
            else:
                at = place if place >= known else new[0]
                own = _fields(rows, place) if place < known else {}
                more.append((int(self.lines[at - known]), own | values))
            stands.add(place)


def _are_codes(numbers: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    length = np.asarray(pc.utf8_length(pc.utf8_ltrim(numbers, "+")))
    return (length > 0) & (length < dialled.LEAST_DIGITS)


def _as_rows(rows: pa.Table, places: Integers) -> Iterator[model.Row]:
    names = [name for name in model.Row._fields if name in rows.column_names]
    taken = rows.select([*names, *kept_rows.TIMES, "answered", "never"]).take(pa.array(places))
    for place, row in zip(places.tolist(), taken.to_pylist(), strict=True):
        yield model.Row(
            place=place,
            **{name: row[name] for name in names if name != "seconds"},
            seconds=int(row["seconds"]) if row["seconds"].isdecimal() else 0,
            start=row["start_at"],
            answer=row["answer_at"],
            end=row["end_at"],
            counts=row["answered"] and row["never"] in {"", "b-leg"},
        )


def _values(leg: model.Leg) -> dict[str, object]:
    """Return the values of the row that stands for a leg."""
    several = len({row._replace(place=0) for row in leg.rows}) > 1
    return {
        "uniqueid": leg.head.uniqueid + leg.mark,
        "start": _written(leg.head.start),
        "seconds": str(leg.seconds),
        "duration": "",
        "dst": leg.called,
        "did": "",
        "lastdata": "",
        "application": "Dial",
        "accountcode": leg.account,
        "direction": leg.direction,
        "payer": leg.payer,
        "leg": leg.text if several else "",
        "extension": leg.extension,
        "answered": True,
        "never": "",
        "unknown": "",
    }


def _fields(rows: pa.Table, place: int) -> dict[str, object]:
    """Return the values of a row that was read before."""
    return dict(rows.select(kept_rows.COLUMNS).slice(place, 1).to_pylist()[0])


def _written(start: int) -> str:
    return dt.datetime.fromtimestamp(start, dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


# What is handed on


def _changed(
    batch: Batch, changes: Changes, more: Sequence[tuple[int, Mapping[str, object]]]
) -> Iterator[Batch]:
    """Yield a batch's rows with their changes, followed by added rows, some at a time."""
    rows = batch.rows
    count = len(rows)
    assert batch.origin is not None  # noqa: S101 - rows put together have one
    origin = batch.origin
    if more:
        places = pa.array([place for place, _ in more], pa.int64())
        origin = Origin(
            pa.concat_arrays([origin.files, origin.files.take(places)]),
            pa.concat_arrays([origin.lines, origin.lines.take(places)]),
        )

    def raw(line: int) -> str:
        return batch.raw(line if line <= count else more[line - count - 1][0] + 1)

    refused, notes = batch.refused, batch.notes
    ordered = sorted(changes)
    for begin in range(0, count, _AT_ONCE):
        own = ordered[bisect_left(ordered, begin) : bisect_left(ordered, begin + _AT_ONCE)]
        part = _replaced(
            _widened(rows.slice(begin, _AT_ONCE)), {place - begin: changes[place] for place in own}
        )
        yield batch._replace(rows=part, refused=refused, raw=raw, notes=notes, origin=origin)
        refused, notes = [], ()
    for begin in range(0, len(more), _AT_ONCE):
        some = more[begin : begin + _AT_ONCE]
        added = _widened(rows.take(pa.array([place for place, _ in some], pa.int64())))
        added = _replaced(added, {number: dict(values) for number, (_, values) in enumerate(some)})
        lines = pa.array(np.arange(len(some)) + count + begin + 1)
        added = added.set_column(added.column_names.index("line"), "line", lines)
        yield batch._replace(rows=added, refused=[], raw=raw, notes=(), origin=origin)


def _widened(rows: pa.Table) -> pa.Table:
    """Return rows with all columns that legs may have."""
    for name in ("leg", "payer", "extension", "never", "unknown", "direction"):
        if name not in rows.column_names:
            rows = rows.append_column(name, constant("", len(rows)))
    return rows


def _replaced(rows: pa.Table, changes: Changes) -> pa.Table:
    """Return rows with values replaced in some places, given by column."""
    if not changes:
        return rows
    for name in dict.fromkeys(name for values in changes.values() for name in values):
        places = sorted(place for place, values in changes.items() if name in values)
        mask = np.zeros(len(rows), np.bool_)
        mask[places] = True
        column = rows[name].combine_chunks()
        values = pa.array([changes[place][name] for place in places], column.type)
        index = rows.column_names.index(name)
        rows = rows.set_column(index, name, pc.replace_with_mask(column, pa.array(mask), values))
    return rows
