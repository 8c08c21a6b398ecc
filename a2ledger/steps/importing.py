"""Import calls: read, price, keep once, fold into customers' open periods.

One day of calls is the unit: only the days in the input are read again, and only their
customers' entries are written anew.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import carriers, cdr, detail, quarantine, rating, sources
from a2ledger.book import Draft
from a2ledger.config import Config, Source
from a2ledger.directory import Days, Directory, Indexes
from a2ledger.feed import Batch, Refused, digest, refuse
from a2ledger.once import COLUMNS, once
from a2ledger.period import DAY
from a2ledger.periodfile import Usage, with_usage
from a2ledger.steps.reporting import Report
from a2ledger.tariff import Tariff

_EPOCH = dt.date(1970, 1, 1)
Integers = npt.NDArray[np.int64]


class Pricing(NamedTuple):
    """What pricing a call needs to know of the book."""

    config: Config
    directory: Directory
    tariffs: Tariffs
    opened: Integers
    """Start of each customer's open period, in days since 1970."""


class Tariffs:
    """Tariffs by their text (``acme, standard``), loaded once each."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._numbers: dict[str, int] = {}
        self.loaded: list[Tariff] = []

    def number(self, text: str) -> int:
        """Where a tariff stands in ``loaded``."""
        if text not in self._numbers:
            names = [name.strip() for name in text.split(",") if name.strip()]
            decks = tuple(self._draft.book.deck(name) for name in names)
            self._numbers[text] = len(self.loaded)
            self.loaded.append(Tariff(name=text, decks=decks))
        return self._numbers[text]


def import_calls(draft: Draft, source: Source, paths: list[Path], now: dt.datetime) -> Report:
    """Import files of a source into the draft.

    Raises:
        UnusableInput: if a file cannot be used at all.
        BrokenBookError: if a deck or a period's file is bad.
        MissingDetailError: if the calls of a day in question are missing.
    """
    report = Report(source=source.name, files=[str(path) for path in paths])
    customers = list(draft.book.customers.values())
    pricing = Pricing(
        draft.book.config,
        Directory(customers),
        Tariffs(draft),
        np.array([(c.open_since - _EPOCH).days for c in customers], dtype=np.int64),
    )
    priced = [
        table for path in paths for table in _priced(draft, source, path, pricing, now, report)
    ]
    calls = pa.concat_tables(priced) if priced else _priced_schema().empty_table()
    _keep(draft, source, calls, customers, report)
    return report


def _priced_schema() -> pa.Schema:
    return detail.SCHEMA.append(pa.field("day", pa.date32())).append(pa.field("opened", pa.int64()))


def _priced(
    draft: Draft, source: Source, path: Path, pricing: Pricing, now: dt.datetime, report: Report
) -> Iterator[pa.Table]:
    for batch in sources.dialect(source.dialect)(path, source):
        for note in batch.notes:
            draft.talk(note)
        normal = cdr.normalise(batch, source, pricing.directory, pricing.config.timezone, now)
        for warning in normal.warnings:
            draft.talk(warning)
        report.read += batch.rows.num_rows + len(batch.refused)
        report.refused += [*batch.refused, *normal.refused]
        report.not_billable.update(normal.not_billable)
        if normal.latest and (report.latest is None or normal.latest > report.latest):
            report.latest = normal.latest
        yield _rated(batch, normal.calls, source, pricing, report)


def _rated(
    batch: Batch, calls: pa.Table, source: Source, pricing: Pricing, report: Report
) -> pa.Table:
    """Calls of a batch with their price, in the columns of the call detail."""
    who = calls["customer"].to_numpy().astype(np.int32)
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int32)
    rated = rating.rate(
        pa.RecordBatch.from_arrays(
            [
                _one(calls["called"]),
                _one(calls["local"]),
                _one(calls["seconds"]),
                pa.array(_tariff(calls, pricing, who, day), pa.int32()),
                pa.array(_discount(pricing, who, day), pa.int64()),
            ],
            ["called", "local", "seconds", "tariff", "discount"],
        ),
        pricing.tariffs.loaded,
    )
    has_price = calls["given_micro"].is_valid().to_numpy(zero_copy_only=False)
    free = calls["free"].to_numpy(zero_copy_only=False)
    silent = calls["seconds"].to_numpy() == 0
    unpriced = (_one(rated["reason"]).to_numpy(zero_copy_only=False) != "") & ~has_price & ~free
    cost = rated["cost_micro"].to_numpy(zero_copy_only=False)
    # An answered call of no seconds costs nothing, as A2Billing has it.
    cost = np.where(free | silent, 0, cost)
    cost = np.where(has_price, pc.fill_null(calls["given_micro"], 0).to_numpy(), cost)
    report.refused += [
        refuse(
            batch,
            line,
            "no-rate",
            f"no rate for {called}; add one to the customer's tariff, then import again",
            identity(switch, uid, seq),
        )
        for line, called, switch, uid, seq in zip(
            *(
                calls[name].filter(pa.array(unpriced)).to_pylist()
                for name in ("line", "called", "switch", "uid", "seq")
            ),
            strict=True,
        )
    ]
    count = calls.num_rows
    names = pa.array([customer.id for customer in pricing.directory.customers], pa.string())
    columns = {
        "customer": names.take(pa.array(who)),
        **{
            name: calls[name]
            for name in (
                "start",
                "switch",
                "uid",
                "seq",
                "called",
                "caller",
                "service",
                "seconds",
                "line",
                "day",
            )
        },
        **{
            name: rated[name]
            for name in ("destination", "deck", "prefix", "billed_seconds", "buy_micro", "carrier")
        },
        "cost_micro": pa.array(cost, pa.int64()),
        "given": pa.array(has_price | free),
        "vat": _vat(calls, pricing, who, day),
        "late_in": pa.nulls(count, pa.date32()),
        "source": pa.repeat(source.name, count),
        "file": pa.repeat(batch.file, count),
        "opened": pa.array(pricing.opened[who]) if count else pa.array([], pa.int64()),
    }
    schema = _priced_schema()
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    return table.filter(pa.array(~unpriced))


def identity(switch: str, uid: str, seq: str) -> str:
    """A call's id as text."""
    return f"{switch}/{uid}/{seq}" if seq else f"{switch}/{uid}"


def _one(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _tariff(calls: pa.Table, pricing: Pricing, who: Indexes, day: Days) -> Integers:
    """Each call's tariff: the rule's, or what the customer had at its start."""
    values, index = pricing.directory.fact("tariff", who, day)
    used = set(np.unique(index).tolist())
    number = np.array(
        [
            pricing.tariffs.number(str(value or "")) if place in used else -1
            for place, value in enumerate(values)
        ]
        or [0],
        dtype=np.int64,
    )
    found: Integers = number[index]
    for name in pc.unique(calls["tariff"]).to_pylist():
        if name:
            of_rule = pc.equal(calls["tariff"], name).to_numpy(zero_copy_only=False)
            found = np.where(of_rule, pricing.tariffs.number(name), found)
    return found


def _discount(pricing: Pricing, who: Indexes, day: Days) -> Integers:
    values, index = pricing.directory.fact("discount_percent", who, day)
    hundredths = np.array([int((value or 0) * 100) for value in values] or [0], dtype=np.int64)
    found: Integers = hundredths[index]
    return found


def _vat(calls: pa.Table, pricing: Pricing, who: Indexes, day: Days) -> pa.Array:
    """Each call's VAT code: of its service, by the treatment on the day it is posted."""
    posted = np.maximum(day, pricing.opened[who]).astype(np.int32)
    values, index = pricing.directory.fact("vat", who, posted)
    services = _one(pc.dictionary_encode(_one(calls["service"])))
    codes = pa.array(
        [
            pricing.config.code_of(service, str(value or pricing.config.treatment)).code
            for value in values or [None]
            for service in services.dictionary.to_pylist() or [next(iter(pricing.config.services))]
        ],
        pa.string(),
    )
    per_value = max(len(services.dictionary), 1)
    place = index.astype(np.int64) * per_value + services.indices.to_numpy(zero_copy_only=False)
    return codes.take(pa.array(place, pa.int64()))


def _keep(
    draft: Draft, source: Source, calls: pa.Table, customers: list[Any], report: Report
) -> None:
    """Keep every call once, and bring day files and open periods into line."""
    opened = {customer.id: customer.open_since for customer in customers}
    days = sorted(pc.unique(calls["day"]).to_pylist())
    old = _known(draft, days, opened)
    sealed = pa.nulls(calls.num_rows, pa.bool_()).fill_null(False)
    new = calls.append_column("sealed", sealed)
    outcome = once(_comparable(old), _comparable(new))
    dropped = np.concatenate([outcome.duplicates, outcome.conflicts])
    kept = _late(calls.take(pa.array(np.setdiff1d(np.arange(calls.num_rows), dropped))))
    report.duplicate += len(outcome.duplicates)
    report.refused += _conflicts(calls.take(pa.array(outcome.conflicts)))
    displaced = old.take(pa.array(outcome.displaced))
    report.known |= _leaving_quarantine(draft, source, calls)
    late = kept["late_in"].is_valid().to_numpy(zero_copy_only=False)
    replaced = len(outcome.replaced)
    # A better-identified row takes the place of one already counted: the same call again.
    costs = kept["cost_micro"].to_numpy()
    report.late += int(late.sum())
    report.free += int((~late & (costs == 0)).sum())
    report.posted += int((~late & (costs != 0)).sum())
    report.amount_micro += int(costs.sum())
    report.customers |= set(pc.unique(kept["customer"]).to_pylist())
    _count_replacements(kept, old.take(pa.array(outcome.replaced)), report) if replaced else None
    gone = old.take(pa.array(np.concatenate([outcome.replaced, outcome.displaced])))
    _write_days(draft, kept, gone, opened)
    # They were read, and counted, by an earlier run: they enter the quarantine, not the counts.
    report.displaced += _conflicts(displaced)


def _count_replacements(kept: pa.Table, replaced: pa.Table, report: Report) -> None:
    """Rows that only identify a known call better are duplicates, whatever they cost."""
    known = {
        (row["switch"], row["uid"], row["start"], row["seconds"]) for row in replaced.to_pylist()
    }
    for row in kept.to_pylist():
        key = (row["switch"], row["uid"], row["start"], row["seconds"])
        if key in known:
            known.discard(key)  # one row is the one known; what else has its start is new
            report.duplicate += 1
            report.amount_micro -= row["cost_micro"]
            if row["late_in"]:
                report.late -= 1
            elif row["cost_micro"]:
                report.posted -= 1
            else:
                report.free -= 1


def _known(draft: Draft, days: list[dt.date], opened: Mapping[str, dt.date]) -> pa.Table:
    """The book's calls of some days and a day around them, with ``day`` and ``sealed``."""
    wanted = sorted({day + offset for day in days for offset in (-DAY, DAY * 0, DAY)})
    tables = [_with_day(_day_file(draft, day), day) for day in wanted if day in draft.book.digests]
    schema = detail.SCHEMA.append(pa.field("day", pa.date32()))
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    names = _one(pc.dictionary_encode(_one(table["customer"])))
    since = np.array(
        [(opened.get(name, _EPOCH) - _EPOCH).days for name in names.dictionary.to_pylist()] or [0],
        dtype=np.int64,
    )
    posted = pc.coalesce(table["late_in"], table["day"])
    day = posted.to_numpy().astype("datetime64[D]").astype(np.int64)
    sealed = day < since[names.indices.to_numpy(zero_copy_only=False)]
    return table.append_column("sealed", pa.array(sealed, pa.bool_()))


def _day_file(draft: Draft, day: dt.date) -> pa.Table:
    return detail.verified(draft.book.root, day, draft.book.digests)


def _with_day(table: pa.Table, day: dt.date) -> pa.Table:
    return table.append_column("day", pa.repeat(pa.scalar(day, pa.date32()), table.num_rows))


def _comparable(table: pa.Table) -> pa.Table:
    start = pc.cast(table["start"], pa.int64())
    cost = pc.if_else(table["given"], pc.cast(table["cost_micro"], pa.string()), "")
    for name, column in (("start", start), ("given", cost)):
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table.select(COLUMNS)


def _late(calls: pa.Table) -> pa.Table:
    """New calls with ``late_in`` set where their day lies in a closed period."""
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    opened = calls["opened"].to_numpy()
    late_in = pa.array(opened.astype("datetime64[D]"), pa.date32(), mask=day >= opened)
    return calls.set_column(calls.schema.get_field_index("late_in"), "late_in", late_in)


def _leaving_quarantine(draft: Draft, source: Source, calls: pa.Table) -> set[str]:
    """Identities of calls that an earlier run had refused."""
    held = quarantine.read(draft.book.root).rows
    names = pa.array([name for owner, name in held if owner == source.name], pa.string())
    if not len(names):
        return set()
    found = pa.array(_identities(calls), pa.string())
    return set(found.filter(pc.is_in(found, names)).to_pylist())


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
            "another call has this id but other content; the earliest start was kept",
            (raw := _content(row)),
            # The id alone is that of the call that was kept.
            f"{identity(row['switch'], row['uid'], row['seq'])}#{digest(raw)[:8]}",
        )
        for row in calls.to_pylist()
    ]


def _content(row: dict[str, Any]) -> str:
    return f"{row['customer']},{row['start']:%Y-%m-%d %H:%M:%S},{row['called']},{row['seconds']}"


def _write_days(
    draft: Draft, kept: pa.Table, gone: pa.Table, opened: Mapping[str, dt.date]
) -> None:
    """Rewrite the days that changed, then the open periods of their customers."""
    changed: dict[dt.date, detail.Digest] = {}
    usage: dict[str, list[Usage]] = {}
    days: dict[str, set[dt.date]] = {}
    every = sorted({*pc.unique(kept["day"]).to_pylist(), *pc.unique(gone["day"]).to_pylist()})
    for day in every:
        added = kept.filter(pc.equal(kept["day"], pa.scalar(day))).select(detail.SCHEMA.names)
        left = gone.filter(pc.equal(gone["day"], pa.scalar(day)))
        calls = pa.concat_tables([_without(_day_file(draft, day), left), added])
        calls = calls.sort_by(detail.ORDER)
        changed[day] = detail.digest(calls)
        _write_carriers(draft, day, calls, left)
        draft.put(detail.path(day), detail.encoded(calls) if calls.num_rows else None)
        touched = {
            *pc.unique(added["customer"]).to_pylist(),
            *pc.unique(left["customer"]).to_pylist(),
        }
        for name in touched:
            days.setdefault(name, set()).add(day)
        for row in detail.fold(calls, touched):
            if (posted := _usage(row, day, opened[row.customer])) is not None:
                usage.setdefault(row.customer, []).append(posted)
    if changed:
        draft.put_digests(changed)
    for name in sorted(days):
        file = with_usage(draft.open_file(name), days[name], usage.get(name, ()))
        draft.put_open_file(name, file)


def _write_carriers(draft: Draft, day: dt.date, calls: pa.Table, left: pa.Table) -> None:
    """Bring what carriers are owed for a day into line with its calls."""
    owed = {name: carriers.Terminated(*sums) for name, *sums in detail.bought(calls)}
    for name in sorted({*owed, *(set(pc.unique(left["carrier"]).to_pylist()) - {""})}):
        path = carriers.month_path(name, day)
        currency = draft.book.config.currency
        text = carriers.merged(draft.text(path), name, {day: owed.get(name)}, currency)
        draft.put(path, text)
        draft.put(carriers.opens_path(name), carriers.opens(name))


def _usage(row: detail.Folded, day: dt.date, opened: dt.date) -> Usage | None:
    """What a fold posts in the customer's open period; None if it belongs to a closed one."""
    if (row.late_in or day) < opened:
        return None
    late = day if row.late_in else None
    return Usage(row.late_in or day, late, row.service, row.vat, row.calls, row.seconds, row.micro)


def _without(calls: pa.Table, gone: pa.Table) -> pa.Table:
    if not gone.num_rows:
        return calls
    left = set(_keys(gone))
    return calls.filter(pa.array([key not in left for key in _keys(calls)]))
