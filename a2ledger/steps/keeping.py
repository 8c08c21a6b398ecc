"""Keep every imported call once: day by day into the call detail, then into open periods.

A day is decided with the days before and after it in view, in order of days, so that memory
holds three days and not the whole input. What a row loses to has been decided before it.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import detail, quarantine
from a2ledger.book import Draft
from a2ledger.feed import CALL, Refused, digest
from a2ledger.once import COLUMNS, OLD, Outcome, once
from a2ledger.period import DAY
from a2ledger.progress import SILENT, Progress
from a2ledger.sourceconfig import Source
from a2ledger.spool import Spool
from a2ledger.steps.folding import Folder, sealed
from a2ledger.steps.reporting import HALF, Buckets, Report

_EPOCH = dt.date(1970, 1, 1)
OPENED = pa.field("opened", pa.int64())
"""Beside the columns of the call detail: start of the customer's open period, days since 1970."""
SCHEMA = detail.SCHEMA.append(OPENED)


def keep(
    draft: Draft,
    source: Source,
    spool: Spool,
    report: Report,
    progress: Progress = SILENT,
    accepted: Collection[str] = (),
) -> None:
    """Keep the calls of a spool once, and bring day files and open periods into line.

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
        for day in sorted(near):
            keeper.decide(day, spool.take(day), spool.look(day + DAY))
            progress.add(day in days, f"{day}")
        folder.finish()


class _Keeper:
    """Decides day after day, and remembers what the next one needs."""

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
        self.kept_before = _NOTHING
        self.settled = pa.array(
            [name for name, customer in draft.book.customers.items() if customer.settled],
            pa.string(),
        )
        held = quarantine.read(draft.book.root).rows
        names = [name for owner, name in held if owner == source.name]
        self.held = pa.array(names, pa.string())
        self.accepted = accepted
        self.rivals = {name for name in names if "#" in name}
        self.clashing = pa.array({name.rpartition("#")[0] for name in self.rivals}, pa.string())

    def decide(self, day: dt.date, new: pa.Table, following: pa.Table) -> None:
        """Decide the calls of a day, given the new ones of the day before and after."""
        old = self._old(day)
        outcome = self._compared(day, old, new, following)
        left = np.ones(len(new), np.bool_)
        for out in (outcome.duplicates, outcome.conflicts, outcome.halves):
            left[out] = False
        self._without_settled(new, left)
        kept = _late(new.filter(pa.array(left)), day)
        replaced, displaced, outdone = (
            old.take(pa.array(numbers))
            for numbers in (outcome.replaced, outcome.displaced, outcome.outdone)
        )
        outdoing = np.isin(np.flatnonzero(left), outcome.outdoing)
        kept = _still_void(kept, replaced)
        self.report.take(kept, _buckets(kept, replaced, outdoing))
        self.report.amount_micro += _cost(kept.filter(pa.array(outdoing))) - _cost(outdone)
        self.report.take(new.take(pa.array(outcome.duplicates)), "duplicate")
        self.report.take(new.take(pa.array(outcome.halves)), HALF)
        self.report.refused += _conflicts(new.take(pa.array(outcome.conflicts)))
        # They were read, and counted, by an earlier run: they enter the quarantine alone.
        self.report.displaced += _conflicts(displaced)
        self.report.known |= self._leaving_quarantine(new) | self._settled_rivals(new, outcome)
        self._write(day, old, kept, pa.concat_tables([replaced, displaced, outdone]))
        self.kept_before = self._ranked(kept)

    def _compared(self, day: dt.date, old: pa.Table, new: pa.Table, following: pa.Table) -> Outcome:
        """What of a day's new calls is not new; with the numbers of its own calls alone."""
        around = [self._old(other) for other in (day - DAY, day + DAY)]
        near_new = pa.concat_tables([self.kept_before, self._ranked(following)])
        today = self._ranked(new)
        places = np.empty(0, np.int64)
        near_old = []
        if len(old) or any(map(len, around)):
            wanted = pa.concat_tables([today, near_new])
            places = np.flatnonzero(_rivals(old, wanted))
            near_old = [_comparable(t.filter(_rivals(t, wanted))) for t in around]
        rivals = _comparable(old.take(pa.array(places)))
        near_new = near_new.filter(_rivals(near_new, pa.concat_tables([today, rivals])))
        found = once(pa.concat_tables([rivals, *near_old]), pa.concat_tables([today, near_new]))
        return Outcome(
            *(
                places[numbers[numbers < len(rivals)]]
                if name in OLD
                else numbers[numbers < len(new)]
                for name, numbers in found._asdict().items()
            )
        )

    def _without_settled(self, calls: pa.Table, left: npt.NDArray[np.bool_]) -> None:
        """Refuse the calls left that are of customers whose account was settled."""
        if not len(self.settled):
            return
        settled = np.asarray(pc.is_in(calls["customer"], value_set=self.settled)) & left
        left &= ~settled
        self.report.refused += [
            Refused(
                row["file"],
                row["line"],
                "settled",
                f"the account of {row['customer']} is settled; reopen it, "
                "then run `quarantine retry`",
                written(row),
                identity(row["switch"], row["uid"], row["seq"]),
                CALL,
            )
            for row in calls.filter(pa.array(settled)).to_pylist()
        ]

    def _old(self, day: dt.date) -> pa.Table:
        """The book's calls of a day, with ``sealed``; less those that gave way."""
        if day not in self.old:
            self.old = {known: table for known, table in self.old.items() if known >= day - 2 * DAY}
            table = detail.verified(self.draft.book.root, day, self.draft.book.digests)
            self.old[day] = table.append_column("sealed", sealed(table, day, self.folder.opened))
        return self.old[day]

    def _leaving_quarantine(self, calls: pa.Table) -> set[str]:
        """Identities of calls that an earlier run had refused."""
        if not len(self.held):
            return set()
        found = pa.array(_identities(calls), pa.string())
        return set(found.filter(pc.is_in(found, self.held)).to_pylist())

    def _ranked(self, calls: pa.Table) -> pa.Table:
        """New calls to compare, with what a person decided of those that were refused."""
        found = _comparable(calls)
        rivals = self._rivals(calls)
        if not rivals:
            return found
        rank = np.zeros(len(calls), np.int64)
        for place, name in rivals.items():
            rank[place] = -1 if name in self.accepted else 1
        return found.set_column(found.schema.get_field_index("rank"), "rank", pa.array(rank))

    def _rivals(self, calls: pa.Table) -> dict[int, str]:
        """Of calls that lie in quarantine as conflicts: place, and identity there."""
        if not self.rivals or not len(calls):
            return {}
        clashing = pc.is_in(pa.array(_identities(calls), pa.string()), self.clashing)
        places = np.flatnonzero(np.asarray(clashing)).tolist()
        rows = calls.take(pa.array(places, pa.int64())).to_pylist()
        names = {place: _rival(row) for place, row in zip(places, rows, strict=True)}
        return {place: name for place, name in names.items() if name in self.rivals}

    def _settled_rivals(self, calls: pa.Table, outcome: Outcome) -> set[str]:
        """Identities of conflicts that are none any more: the call is in the book."""
        lost = set(outcome.conflicts.tolist())
        return {name for place, name in self._rivals(calls).items() if place not in lost}

    def _write(self, day: dt.date, old: pa.Table, kept: pa.Table, gone: pa.Table) -> None:
        """Have a day's file hold what was kept, and fold what that changed."""
        if not len(kept) and not len(gone):
            return
        stays = _without(old, gone)
        self.old[day] = stays
        names = detail.SCHEMA.names
        calls = pa.concat_tables([stays.select(names), kept.select(names)])
        touched = {
            *pc.unique(kept["customer"]).to_pylist(),
            *pc.unique(gone["customer"]).to_pylist(),
        }
        self.folder.write(day, calls, touched, pc.unique(gone["carrier"]).to_pylist())


def _among(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=values)


def _rivals(calls: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    """Which calls one of some others may be, or be a half of."""
    found = _among(calls["uid"], others["uid"].combine_chunks())
    if not pc.any(pc.not_equal(others["halves"], "")).as_py():
        return found
    return pc.or_(found, pc.not_equal(calls["halves"], ""))


def _cost(calls: pa.Table) -> int:
    return int(calls["cost_micro"].to_numpy().sum())


def _buckets(kept: pa.Table, replaced: pa.Table, outdoing: npt.NDArray[np.bool_]) -> Buckets:
    """What each call that is kept counts as.

    One that takes the place of a call already counted, because it identifies it better or is its
    better half, is not counted as another.
    """
    late = kept["late_in"].is_valid().to_numpy(zero_copy_only=False)
    costs = kept["cost_micro"].to_numpy()
    buckets = np.where(late, "late", np.where(costs == 0, "free", "posted")).astype(object)
    buckets[outdoing] = HALF
    if len(replaced):
        known = set(_same(replaced))
        for place, key in enumerate(_same(kept)):
            if key in known:
                known.discard(key)  # one row is the one known; what else has its start is new
                buckets[place] = "duplicate"
    return buckets


def _comparable(calls: pa.Table) -> pa.Table:
    """Identity and content of calls; new ones, which have no such column, are not sealed."""
    start = pc.cast(calls["start"], pa.int64())
    price = pc.add(calls["cost_micro"], calls["voided_micro"])
    cost = pc.if_else(calls["given"], pc.cast(price, pa.string()), "")
    for name, column in (("start", start), ("given", cost)):
        calls = calls.set_column(calls.schema.get_field_index(name), name, column)
    if "sealed" not in calls.column_names:
        calls = calls.append_column("sealed", pa.array(np.zeros(len(calls), np.bool_)))
    calls = calls.append_column("rank", pa.array(np.zeros(len(calls), np.int64)))
    return calls.select(COLUMNS)


def _still_void(calls: pa.Table, replaced: pa.Table) -> pa.Table:
    """New calls, those void that take the place of a call that was struck out."""
    struck = replaced.filter(pc.not_equal(replaced["void"], ""))
    if not len(struck):
        return calls
    reasons = dict(zip(_same(struck), struck["void"].to_pylist(), strict=True))
    found = [reasons.get(key, "") for key in _same(calls)]
    return detail.voided(calls, pa.array(found, pa.string()))


def _same(calls: pa.Table) -> Iterator[tuple[Any, ...]]:
    """What a row that only identifies a call better has in common with it."""
    names = ("switch", "uid", "start", "seconds")
    return zip(*(calls[name].to_pylist() for name in names), strict=True)


def _late(calls: pa.Table, day: dt.date) -> pa.Table:
    """New calls of a day with ``late_in`` set where it lies in a closed period."""
    opened = calls["opened"].to_numpy()
    in_time = opened <= (day - _EPOCH).days
    late_in = pa.array(opened.astype("datetime64[D]"), pa.date32(), mask=in_time)
    return calls.set_column(calls.schema.get_field_index("late_in"), "late_in", late_in)


def _identities(calls: pa.Table) -> Iterable[str]:
    return itertools.starmap(identity, _keys(calls))


def _keys(calls: pa.Table) -> Iterator[tuple[str, str, str]]:
    return zip(*(calls[name].to_pylist() for name in ("switch", "uid", "seq")), strict=True)


def _conflicts(calls: pa.Table) -> list[Refused]:
    return [
        Refused(
            row["file"],
            row["line"],
            "conflict",
            "a call with this id but other content was kept; "
            "`quarantine retry --accept` takes this one",
            written(row),
            _rival(row),
            CALL,
        )
        for row in calls.to_pylist()
    ]


def _rival(row: dict[str, Any]) -> str:
    """The identity of a conflict; the id alone is that of the call that was kept."""
    name = identity(row["switch"], row["uid"], row["seq"])
    return f"{name}#{digest(_content(row))[:8]}"


_WRITTEN = (
    *("customer", "start", "called", "caller", "seconds", "switch", "uid", "seq"),
    *("service", "identifier", "tariff", "halves"),
)


def written(row: Mapping[str, Any]) -> str:
    """A call as text that can be read again; without its price, unless its row gave it."""
    call = {name: row[name] for name in _WRITTEN} | {"start": row["start"].isoformat()}
    if row["given"]:
        call["given_micro"] = row["cost_micro"] + row["voided_micro"]
    return json.dumps(call, ensure_ascii=False)


def _content(row: dict[str, Any]) -> str:
    return f"{row['customer']},{row['start']:%Y-%m-%d %H:%M:%S},{row['called']},{row['seconds']}"


def _without(calls: pa.Table, gone: pa.Table) -> pa.Table:
    if not gone.num_rows:
        return calls
    left = set(_keys(gone))
    return calls.filter(pa.array([key not in left for key in _keys(calls)]))


def identity(switch: str, uid: str, seq: str) -> str:
    """A call's id as text."""
    return f"{switch}/{uid}/{seq}" if seq else f"{switch}/{uid}"


_NOTHING = _comparable(SCHEMA.empty_table())
