"""Keep every imported call once: day by day in the call detail, then in open periods.

A day is decided with the days before and after it in view, in order of days, so that memory
holds three days and not the whole input. What a row loses to has been decided before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.book import Draft
from a2ledger.book.source_config import Source
from a2ledger.calls import detail, identity, related, trunk_legs
from a2ledger.calls.duplicates import COLUMNS, OLD, Outcome, once
from a2ledger.calls.fold import Folder, sealed
from a2ledger.calls.spool import Spool
from a2ledger.journal import subledgers
from a2ledger.period import DAY, EPOCH
from a2ledger.progress import SILENT, Progress
from a2ledger.sources import quarantine
from a2ledger.sources.batch import CALL, Refused, constant
from a2ledger.sources.report import HALF, PART, Buckets, Report

OPENED = pa.field("opened", pa.int64())
"""Additional column: start of the customer's open period, in days since 1970."""
SCHEMA = detail.SCHEMA.append(OPENED)


def keep(
    draft: Draft,
    source: Source,
    spool: Spool,
    report: Report,
    progress: Progress = SILENT,
    *,
    accepted: Collection[str] = (),
    remade: pa.StringArray | None = None,
) -> None:
    """Keep the calls of a spool once, and update day files and open periods.

    A call that lies in quarantine as a conflict loses against any other; one whose identity
    there is ``accepted`` wins, unless the other is sealed.

    Raises:
        MissingDetailError: if the calls of a day in question are missing or differ.
        BrokenBookError: if a customer's open period is not as the program wrote it.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        folder = Folder(draft, pool)
        keeper = _Keeper(draft, source, report, folder, accepted)
        days = set(spool.days())
        near = {day + offset for day in days for offset in (-DAY, DAY * 0, DAY)}
        keeper.remade = remade
        for day in sorted(near):
            for other in (day - DAY, day, day + DAY):
                keeper.look(other, spool)
            keeper.decide(day, spool.take(day), spool.look(day + DAY))
            progress.add(day in days, f"{day}")
        folder.finish()


class _Keeper:
    """Decides day after day, and remembers what the next day needs."""

    def __init__(
        self,
        draft: Draft,
        source: Source,
        report: Report,
        folder: Folder,
        accepted: Collection[str],
    ) -> None:
        self.draft, self.source, self.report, self.folder = draft, source, report, folder
        self.old: dict[dt.date, pa.Table] = {}
        self.beside: dict[dt.date, pa.Table] = {}
        self.before = _NOTHING
        self.settled = pa.array(
            [name for name, customer in subledgers.customers(draft).items() if customer.settled],
            pa.string(),
        )
        held = quarantine.read(draft.root).rows
        names = [name for owner, name in held if owner == source.name]
        self.held = pa.array(names, pa.string())
        self.accepted = accepted
        self.remade: pa.StringArray | None = None
        """Keys of calls whose legs are made again from all rows, see
        :mod:`a2ledger.calls.trunk_legs`.
        """
        self.outdated: dict[dt.date, pa.Table] = {}
        self.rivals = {name for name in names if "#" in name}
        self.clashing = pa.array({name.rpartition("#")[0] for name in self.rivals}, pa.string())

    def look(self, day: dt.date, spool: Spool) -> None:
        """Remove a day's calls from the book whose rows have become another leg."""
        if self.remade is None or day in self.old:
            return
        old = self._old(day)
        again = related.among(trunk_legs.keys_of(old), self.remade)
        ours = pc.and_(pc.equal(old["switch"], self.source.switch), pc.invert(old["sealed"]))
        places = np.flatnonzero(np.asarray(pc.and_(ours, again)))
        if not len(places):
            return
        coming = set(_told(spool.look(day)))
        keys = list(_told(_rows(old, places)))
        staying = np.ones(len(old), np.bool_)
        staying[[place for place, key in zip(places, keys, strict=True) if key not in coming]] = (
            False
        )
        if not staying.all():
            self.outdated[day] = _where(old, ~staying)
            self.old[day] = _where(old, staying)

    def decide(self, day: dt.date, new: pa.Table, following: pa.Table) -> None:
        """Decide the calls of a day, given the new ones of the days before and after."""
        old, beside = self._old(day), self._beside(day)
        wanted = [self._ranked(new), self.before, self._ranked(following)]
        around = [
            *(self._old(other) for other in (day - DAY, day + DAY)),
            *(self._beside(other) for other in (day - DAY, day + DAY)),
        ]
        in_old, in_beside, *in_around = related.linked(
            [old, beside, *around], pa.concat_tables(wanted)
        )
        again = _where(beside, in_beside)
        near = [_where(table, mask) for table, mask in zip(around, in_around, strict=True)]
        new = pa.concat_tables([again, new])
        outcome = self._compared(old, np.flatnonzero(in_old), new, near, wanted[1:])
        self._decided(day, old, new, outcome, _where(beside, ~in_beside), len(again))

    def _compared(
        self,
        old: pa.Table,
        places: npt.NDArray[np.int64],
        new: pa.Table,
        near: Sequence[pa.Table],
        near_new: Sequence[pa.Table],
    ) -> Outcome:
        """Compare a day's new calls with the book's, and return row numbers of that day only.

        Args:
            old: the book's calls of the day.
            places: of those that may be one of the new ones.
            new: the day's new calls.
            near: calls and lesser halves of the day before and after that are in the book.
            near_new: new calls of the day before and after, comparable.
        """
        today = self._ranked(new)
        rivals = _comparable(_rows(old, places))
        near_old = list(map(_comparable, near[:2]))
        others = pa.concat_tables([*map(self._ranked, near[2:]), *near_new])
        (in_question,) = related.linked([others], pa.concat_tables([today, rivals]))
        others = _where(others, in_question)
        result = once(pa.concat_tables([rivals, *near_old]), pa.concat_tables([today, others]))
        return Outcome(
            *(
                places[numbers[numbers < len(rivals)]]
                if name in OLD
                else numbers[numbers < len(new)]
                for name, numbers in result._asdict().items()
            )
        )

    def _decided(
        self,
        day: dt.date,
        old: pa.Table,
        new: pa.Table,
        outcome: Outcome,
        beside: pa.Table,
        again: int,
    ) -> None:
        """Report and write what was decided about a day.

        Args:
            day: on which the calls start.
            old: the book's calls of it.
            new: its new ones; the first ``again`` are lesser halves that earlier runs counted.
            outcome: what of them is not new.
            beside: lesser halves that were not in question.
            again: how many are not to be counted.
        """
        remaining = np.ones(len(new), np.bool_)
        for out in (outcome.duplicates, outcome.conflicts, outcome.halves):
            remaining[out] = False
        self._without_settled(new, remaining, again)
        kept = _late(_where(new, remaining), day)
        replaced, displaced, outdone = (
            _rows(old, numbers)
            for numbers in (outcome.replaced, outcome.displaced, outcome.outdone)
        )
        numbers = np.flatnonzero(remaining)
        counted, outdoing = numbers >= again, np.isin(numbers, outcome.outdoing)
        kept = _still_void(kept, replaced)
        outdated = self.outdated.pop(day, old.slice(0, 0))
        kept = _void_again(kept, outdated)
        buckets = _buckets(kept, replaced, outdoing)[counted]
        self.report.take(_where(kept, counted), buckets)
        self.report.amount_micro += _cost(_where(kept, outdoing | ~counted))
        self.report.amount_micro -= _cost(outdone) + _cost(outdated)
        lesser = _rows(new, outcome.halves)
        self._count(new, outcome, again)
        # They were read, and counted, by an earlier run: they enter the quarantine alone.
        self.report.displaced += identity.conflicts(displaced)
        self.report.known |= self._leaving_quarantine(new) | self._settled_rivals(new, outcome)
        self._write(day, old, kept, pa.concat_tables([replaced, displaced, outdone, outdated]))
        self._put_beside(day, lesser, outdone, beside, again)
        self.before = pa.concat_tables(map(self._ranked, (kept, lesser, outdone)))

    def _count(self, new: pa.Table, outcome: Outcome, again: int) -> None:
        """Report the new calls that are not kept, except the first ``again``."""
        lesser = outcome.halves[outcome.halves >= again]
        repeated = outcome.duplicates[outcome.duplicates >= again]
        repeated_halves = identity.equal(new, repeated, outcome.halves[outcome.halves < again])
        conflicts = outcome.conflicts
        self.report.take(_rows(new, repeated[~repeated_halves]), "duplicate")
        for places in (lesser, repeated[repeated_halves]):
            rows = _rows(new, places)
            self.report.take(rows, _lesser(rows))
        self.report.refused += identity.conflicts(_rows(new, conflicts[conflicts >= again]))
        self.report.displaced += identity.conflicts(_rows(new, conflicts[conflicts < again]))

    def _without_settled(
        self, calls: pa.Table, remaining: npt.NDArray[np.bool_], again: int
    ) -> None:
        """Refuse remaining calls of customers whose account is settled."""
        if not len(self.settled):
            return
        settled = np.asarray(pc.is_in(calls["customer"], value_set=self.settled)) & remaining
        remaining &= ~settled
        refused = [
            Refused(
                row["file"],
                row["line"],
                "settled",
                f"the account of {row['customer']} is settled; reopen it, "
                "then run `quarantine retry`",
                identity.written(row),
                identity.identity(row["switch"], row["uid"], row["seq"]),
                CALL,
            )
            for row in _where(calls, settled).to_pylist()
        ]
        counted = np.flatnonzero(settled) >= again
        for row, is_new in zip(refused, counted.tolist(), strict=True):
            (self.report.refused if is_new else self.report.displaced).append(row)

    def _old(self, day: dt.date) -> pa.Table:
        """Return the book's calls of a day, with ``sealed``, without those already replaced."""
        if day not in self.old:
            self.old = {known: table for known, table in self.old.items() if known >= day - 2 * DAY}
            table = (
                detail.empty()
                if day == self.draft.rebuilding
                else detail.verified(self.draft.root, day, detail.digests(self.draft))
            )
            self.old[day] = table.append_column("sealed", sealed(table, day, self.folder.opened))
        return self.old[day]

    def _beside(self, day: dt.date) -> pa.Table:
        """Return the book's lesser halves of a day as new calls, without those decided again."""
        if day not in self.beside:
            recent = day - 2 * DAY
            self.beside = {known: rows for known, rows in self.beside.items() if known >= recent}
            table = detail.beside(self.draft.root, day)
            opened = (self.folder.opened.get(name, day) for name in table["customer"].to_pylist())
            since = pa.array([(first - EPOCH).days for first in opened], pa.int64())
            self.beside[day] = table.append_column(OPENED, [since])
        return self.beside[day]

    def _put_beside(
        self, day: dt.date, lesser: pa.Table, outdone: pa.Table, untouched: pa.Table, again: int
    ) -> None:
        """Write a day's file of lesser halves, of which ``again`` were there before."""
        self.beside[day] = untouched
        if not again and not len(lesser) and not len(outdone):
            return
        names = detail.SCHEMA.names
        rows = pa.concat_tables([table.select(names) for table in (untouched, lesser, outdone)])
        content = detail.encoded(rows) if len(rows) else None
        self.draft.put(detail.path_beside(day), content)

    def _leaving_quarantine(self, calls: pa.Table) -> set[str]:
        """Return identities of calls that an earlier run refused."""
        if not len(self.held):
            return set()
        names = pa.array(identity.identities(calls), pa.string())
        return set(names.filter(pc.is_in(names, self.held)).to_pylist())

    def _ranked(self, calls: pa.Table) -> pa.Table:
        """Return new calls in comparable form, ranked by what a person decided in quarantine."""
        comparable = _comparable(calls)
        rivals = self._rivals(calls)
        if not rivals:
            return comparable
        rank = np.zeros(len(calls), np.int64)
        for place, name in rivals.items():
            rank[place] = -1 if name in self.accepted else 1
        return comparable.set_column(
            comparable.schema.get_field_index("rank"), "rank", pa.array(rank)
        )

    def _rivals(self, calls: pa.Table) -> dict[int, str]:
        """Return the places of calls quarantined as conflicts, with their identity there."""
        if not self.rivals or not len(calls):
            return {}
        clashing = pc.is_in(pa.array(identity.identities(calls), pa.string()), self.clashing)
        places = np.flatnonzero(np.asarray(clashing)).tolist()
        rows = calls.take(pa.array(places, pa.int64())).to_pylist()
        names = {place: identity.of_rival(row) for place, row in zip(places, rows, strict=True)}
        return {place: name for place, name in names.items() if name in self.rivals}

    def _settled_rivals(self, calls: pa.Table, outcome: Outcome) -> set[str]:
        """Return identities of conflicts that are resolved: the call is in the book."""
        lost = set(outcome.conflicts.tolist())
        return {name for place, name in self._rivals(calls).items() if place not in lost}

    def _write(self, day: dt.date, old: pa.Table, kept: pa.Table, removed: pa.Table) -> None:
        """Write a day's file with what was kept, and recompute the usage that changes."""
        if not len(kept) and not len(removed):
            return
        stays = _without(old, removed)
        self.old[day] = stays
        names = detail.SCHEMA.names
        calls = pa.concat_tables([stays.select(names), kept.select(names)])
        touched = {
            *pc.unique(kept["customer"]).to_pylist(),
            *pc.unique(removed["customer"]).to_pylist(),
        }
        self.folder.write(day, calls, touched, pc.unique(removed["carrier"]).to_pylist())


def _where(calls: pa.Table, wanted: npt.NDArray[np.bool_]) -> pa.Table:
    """Filter ``calls`` by a mask, without a copy if it is all true or all false."""
    if wanted.all():
        return calls
    return calls.filter(pa.array(wanted)) if wanted.any() else calls.slice(0, 0)


def _rows(calls: pa.Table, numbers: npt.NDArray[np.int64]) -> pa.Table:
    """Take the calls at the given row numbers, usually none."""
    return calls.take(pa.array(numbers)) if len(numbers) else calls.slice(0, 0)


def _cost(calls: pa.Table) -> int:
    return int(calls["cost_micro"].to_numpy().sum())


def _buckets(kept: pa.Table, replaced: pa.Table, outdoing: npt.NDArray[np.bool_]) -> Buckets:
    """Return the bucket each kept call counts as.

    One that takes the place of a call already counted, because it identifies it better or is its
    better half, is not counted as another.
    """
    late = kept["late_in"].is_valid().to_numpy(zero_copy_only=False)
    costs = kept["cost_micro"].to_numpy()
    buckets = np.where(late, "late", np.where(costs == 0, "free", "posted")).astype(object)
    buckets[outdoing] = _lesser(_where(kept, outdoing))
    if len(replaced):
        known = set(_same(replaced))
        for place, key in enumerate(_same(kept)):
            if key in known:
                known.discard(key)  # one row is the one known; what else has its start is new
                buckets[place] = "duplicate"
    return buckets


def _lesser(calls: pa.Table) -> Buckets:
    """Return the bucket of calls not billed because another is: halves or parts."""
    halves = np.asarray(pc.not_equal(calls["halves"], ""))
    return np.where(halves, HALF, PART).astype(object)


def _comparable(calls: pa.Table) -> pa.Table:
    """Return calls in comparable form, new ones, without that column, are not sealed."""
    start = pc.cast(calls["start"], pa.int64())
    cost = constant("", len(calls))
    if pc.any(calls["given"]).as_py():
        price = pc.add(calls["cost_micro"], calls["voided_micro"])
        cost = pc.if_else(calls["given"], pc.cast(price, pa.string()), "")
    for name, column in (("start", start), ("given", cost)):
        calls = calls.set_column(calls.schema.get_field_index(name), name, column)
    if "sealed" not in calls.column_names:
        calls = calls.append_column("sealed", pa.array(np.zeros(len(calls), np.bool_)))
    calls = calls.append_column("rank", pa.array(np.zeros(len(calls), np.int64)))
    return calls.select(COLUMNS)


def _still_void(calls: pa.Table, replaced: pa.Table) -> pa.Table:
    """Return new calls, voided where they replace a call that was void."""
    struck = replaced.filter(pc.not_equal(replaced["void"], ""))
    if not len(struck):
        return calls
    reasons = dict(zip(_same(struck), struck["void"].to_pylist(), strict=True))
    voids = [reasons.get(key, "") for key in _same(calls)]
    return detail.voided(calls, pa.array(voids, pa.string()))


def _void_again(calls: pa.Table, outdated: pa.Table) -> pa.Table:
    """Return new calls, voided where the call made of the same rows was void."""
    struck = outdated.filter(pc.not_equal(outdated["void"], ""))
    if not len(struck):
        return calls
    keys = trunk_legs.keys_of(struck).to_pylist()
    reasons = dict(zip(keys, struck["void"].to_pylist(), strict=True))
    voids = [reasons.get(key, "") for key in trunk_legs.keys_of(calls).to_pylist()]
    return detail.voided(calls, pa.array(voids, pa.string()))


def _told(calls: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the contents that make a call another one if they differ."""
    names = (
        *("service", "direction", "leg", "caller", "identifier", "tariff", "halves"),
        "extension",
    )
    rest = zip(*(calls[name].to_pylist() for name in names), strict=True)
    return zip(_places(calls), rest, strict=True)


def _same(calls: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield keys that match a row to the same call with a better identity."""
    names = ("switch", "uid", "start", "seconds")
    return zip(*(calls[name].to_pylist() for name in names), strict=True)


def _late(calls: pa.Table, day: dt.date) -> pa.Table:
    """Set ``late_in`` of new calls whose day lies in a closed period."""
    opened = calls["opened"].to_numpy()
    in_time = opened <= (day - EPOCH).days
    late_in = pa.array(opened.astype("datetime64[D]"), pa.date32(), mask=in_time)
    return calls.set_column(calls.schema.get_field_index("late_in"), "late_in", late_in)


def _without(calls: pa.Table, removed: pa.Table) -> pa.Table:
    if not removed.num_rows:
        return calls
    keys = set(_places(removed))
    return calls.filter(pa.array([key not in keys for key in _places(calls)], pa.bool_()))


def _places(calls: pa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield keys that are unique among a day's calls, even where ids repeat."""
    names = ("switch", "uid", "seq", "start", "seconds", "called", "customer")
    return zip(*(calls[name].to_pylist() for name in names), strict=True)


_NOTHING = _comparable(SCHEMA.empty_table())
