"""Import calls: read, price, keep once, fold into customers' open periods.

One day of calls is the unit: only the days in the input are read again, and only their
customers' entries are written anew.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import money, sources
from a2ledger.book.book import Draft
from a2ledger.book.source_config import Source
from a2ledger.book.toml_table import ConfigError
from a2ledger.calls import detail, identity, keep, kept_rows, normalise, trunk_legs, unpriced_halves
from a2ledger.calls.duplicates import ACCEPTED
from a2ledger.calls.inputs import ALL_NEW, Asked, Reading
from a2ledger.calls.legs import MARK
from a2ledger.calls.spool import Spool
from a2ledger.calls.unclaimed import Unclaimed
from a2ledger.calls.usual_rules import with_rules
from a2ledger.journal import subledgers
from a2ledger.rating import price
from a2ledger.sources import dropped, quarantine, restore, text
from a2ledger.sources.address import Address
from a2ledger.sources.batch import (
    BY_TEXT,
    CALL,
    Batch,
    Refused,
    constant,
    gathered,
    named_by_text,
    refuse,
)
from a2ledger.sources.dropped import NONE, Dropped
from a2ledger.sources.report import EXAMPLES, HALF, Report


def import_calls(
    draft: Draft,
    source: Source,
    paths: Sequence[Path | Address],
    now: dt.datetime,
    asked: Asked = ALL_NEW,
) -> tuple[Report, Reading]:
    """Import files and tables of a source into the draft, and all files of a directory.

    Returns:
        What it did, and what was read: to be remembered once the draft is published.

    Raises:
        UnusableInput: if a file cannot be used at all.
        BrokenBookError: if a period's file is bad.
        MissingDetailError: if the calls of a day in question are missing.
    """
    report = Report(
        source=source.name, files=[str(path) for path in paths], through=asked.days.last
    )
    report.explanation = asked.explanation
    report.currencies = subledgers.foreign_accounts(draft)
    _dialect(source)
    source = with_rules(draft, source)
    pricing = price.pricing(draft, strict=False)
    reading = Reading(draft, source, paths, asked)
    dropped_calls = dropped.read(draft)
    lost = Unclaimed(draft, source)
    run = _Run(
        *(draft, source, pricing, now, asked, report, _checked(source), set(), lost, []),
        dropped_calls,
        _by_text(draft, source),
    )
    with Spool(draft.vault.spool, keep.SCHEMA) as spool:
        with draft.progress(f"reading {source.name}", reading.size()) as progress:
            batches, remade = _of_legs(run, reading.batches(report, progress))
            for judged in _ahead(run, batches):
                spool.add(*_taken(run, judged))
        with draft.progress(f"posting {source.name}", len(spool.days())) as progress:
            keep.keep(draft, source, spool, report, progress, remade=remade)
    _leave_out_halves(run)
    report.refused = text.with_heads(report.refused, source.encoding)
    _say_unclaimed(run, remade)
    return report, reading


def _say_unclaimed(run: _Run, remade: pa.StringArray | None) -> None:
    """Store unclaimed answered calls, and report those that were read."""
    run.unclaimed.write(remade)
    summary = run.unclaimed.summary
    if summary.calls:
        run.report.unclaimed = summary.as_json()
        run.draft.talk(f"note: {run.source.name}: {summary.text()}; --explain names each")


def _leave_out_halves(run: _Run) -> None:
    """Take calls without a rate out of the refused ones if another half of theirs has one."""
    if not any(map(len, run.unpriced)):
        return
    unpriced = pa.concat_tables(run.unpriced)
    halves = unpriced.filter(pa.array(unpriced_halves.of_priced(run.draft, unpriced)))
    names = set(identity.identities(halves))
    report = run.report
    report.refused = [
        row for row in report.refused if row.reason != "no-rate" or row.identity not in names
    ]
    report.take(halves, HALF)
    report.known |= names


def import_again(
    draft: Draft,
    source: Source,
    rows: Sequence[Refused],
    now: dt.datetime,
    accepted: Collection[str] = (),
) -> Report:
    """Import quarantined rows into the draft, from their stored text.

    Args:
        draft: of the book.
        source: which they are of.
        rows: from the quarantine; those that are calls already among them.
        now: an aware time.
        accepted: identities of conflicts in which the row is to take the place of the call that
            the book has.
    """
    report = Report(source=source.name)
    _dialect(source)
    source = with_rules(draft, source)
    pricing = price.pricing(draft, strict=False)
    lost = Unclaimed(draft, source)
    run = _Run(draft, source, pricing, now, ALL_NEW, report, _checked(source), set(), lost, [])
    lines = [row for row in rows if row.head != CALL]
    with Spool(draft.vault.spool, keep.SCHEMA) as spool:
        read = list(restore.batches(lines, source))
        report.read += sum(len(batch.rows) + len(batch.refused) for batch in read)
        batches, remade = _of_legs(run, read)
        for batch in batches:
            spool.add(*_taken(run, _judged(run, batch)))
        if calls := [_accepted(row, accepted) for row in rows if row.head == CALL]:
            report.read += len(calls)
            spool.add(*_priced_calls(run, calls))
        keep.keep(draft, source, spool, report, accepted=accepted, remade=remade)
    _leave_out_halves(run)
    _say_unclaimed(run, remade)
    return report


def _accepted(row: Refused, accepted: Collection[str]) -> Refused:
    """Mark an accepted conflict as a call beside the kept one of the same id."""
    if row.identity not in accepted:
        return row
    try:
        call = json.loads(row.raw)
        name = identity.identity(call["switch"], call["uid"], call["seq"])
        if ACCEPTED not in call["uid"] and row.identity.startswith(f"{name}{ACCEPTED}"):
            call["uid"] += row.identity.removeprefix(name)
    except (KeyError, TypeError, ValueError):
        return row  # which restoring it refuses
    return row._replace(raw=json.dumps(call, ensure_ascii=False))


def _priced_calls(run: _Run, rows: Sequence[Refused]) -> tuple[pa.Table, pa.ChunkedArray]:
    """Return calls from the quarantine with their price, and the day of each."""
    calls, rejected = restore.calls(
        rows, run.pricing.names.to_pylist(), run.pricing.config.timezone
    )
    run.report.refused += rejected
    batch = restore.batch_of_calls(rows, calls)
    priced, unpriced = _rated(batch, calls, run.source, run.pricing)
    run.report.refused += _without_rate(batch, calls.filter(pa.array(unpriced)), run)
    good = pa.array(~unpriced)
    return priced.filter(good), calls["day"].filter(good)


_AT_ONCE = 4
"""Most batches judged at once; each takes some hundred megabytes of memory."""


class _Run(NamedTuple):
    """What stays the same throughout an import."""

    draft: Draft
    source: Source
    pricing: price.Pricing
    now: dt.datetime
    asked: Asked
    report: Report
    check: bool
    """True if prices that came with calls are compared with the book's own."""
    said: set[str]
    """Messages already shown, so that batches of a file do not repeat them."""
    unclaimed: Unclaimed
    unpriced: list[pa.Table]
    """Calls without a rate that are halves of others."""
    dropped: Dropped = NONE
    by_text: frozenset[str] = frozenset()
    """Identities in quarantine that stand for a row's text, of the source."""


def _by_text(draft: Draft, source: Source) -> frozenset[str]:
    """Return the identities of refused rows of a source that nothing but their text names."""
    rows = quarantine.read(draft.root).rows
    return frozenset(
        name for owner, name in rows if owner == source.name and name.startswith(BY_TEXT)
    )


def _of_legs(run: _Run, batches: Iterable[Batch]) -> tuple[Iterable[Batch], pa.StringArray | None]:
    """Return the batches to judge: rows, or the legs made of them where trunks are known.

    With legs come the keys of calls that were made of the same rows, and are made anew.
    """
    if run.source.dialect == kept_rows.BRIDGED:
        batches = list(batches)
        if trunk_legs.are_alone(run.draft, run.source, batches):
            run.draft.talk(trunk_legs.alone(run.source))
        if not trunk_legs.are_legs(run.draft, run.source, batches):
            return gathered(batches), None
    elif not run.source.trunks:
        return gathered(batches), None
    zone, directory = run.pricing.config.timezone, run.pricing.directory
    made = trunk_legs.made(run.draft, run.source, batches, directory, zone)
    run.report.beyond += made.beyond
    held = [
        name for owner, name in quarantine.read(run.draft.root).rows if owner == run.source.name
    ]
    bare = pa.array([re.sub(f"{MARK}(in)?[0-9]*(?=/|$)", "", name) for name in held], pa.string())
    again = pc.is_in(bare, value_set=made.names).to_pylist()
    run.report.known |= {name for name, is_there in zip(held, again, strict=True) if is_there}
    return made.batches, made.keys


class _Judged(NamedTuple):
    """A batch with its rows classified, its calls with prices, and a mask of those without."""

    batch: Batch
    normal: normalise.Normalised
    calls: pa.Table
    unpriced: npt.NDArray[np.bool_]


def _judged(run: _Run, batch: Batch) -> _Judged:
    """Classify and price a batch's rows, independently of other batches."""
    source, pricing = run.source, run.pricing
    zone = pricing.config.timezone
    normal = normalise.normalise(batch, source, pricing.directory, zone, run.now, run.asked.days)
    return _Judged(batch, normal, *_rated(batch, normal.calls, source, pricing))


def _ahead(run: _Run, batches: Iterable[Batch]) -> Iterator[_Judged]:
    """Yield judged batches in order, several at once (Arrow releases the GIL)."""
    at_once = min(os.cpu_count() or 1, _AT_ONCE)
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        coming: deque[Future[_Judged]] = deque()
        for batch in batches:
            coming.append(pool.submit(_judged, run, batch))
            if len(coming) == at_once:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def _taken(run: _Run, judged: _Judged) -> tuple[pa.Table, pa.ChunkedArray]:
    """Count all rows of a batch, and return its priced calls with the day of each."""
    draft, report = run.draft, run.report
    batch, normal, calls, unpriced = judged
    for message in (*batch.notes, *normal.warnings):
        if message not in run.said:
            draft.talk(message)
            run.said.add(message)
    if run.check:
        _compare(normal.calls, run.pricing, report)
    no_rate = _without_rate(batch, normal.calls.filter(pa.array(unpriced)), run)
    report.refused += [*batch.refused, *normal.refused, *no_rate]
    if no_rate:
        halves = pc.and_(pa.array(unpriced), pc.not_equal(calls["halves"], ""))
        run.unpriced.append(calls.filter(halves))
    run.unclaimed.take(normal)
    report.not_billable.update(normal.not_billable)
    if report.explanation is not None:
        report.explanation.read(batch, normal, run.pricing.names)
    if normal.latest and (report.latest is None or normal.latest > report.latest):
        report.latest = normal.latest
    report.known |= _known_by_text(run, batch, normal.calls)
    day = normal.calls["day"]
    kept = ~unpriced & ~_dropped(run, batch, normal.calls)
    if kept.all():
        return calls, day
    if count := int((~kept & ~unpriced).sum()):
        report.not_billable[dropped.NAME] += count
        if report.explanation is not None:
            left_out = calls.filter(pa.array(~kept & ~unpriced))
            report.explanation.take(left_out, np.full(count, dropped.NAME, object))
    stays = pa.array(kept)
    return calls.filter(stays), day.filter(stays)


def _known_by_text(run: _Run, batch: Batch, calls: pa.Table) -> set[str]:
    """Return what calls without an id were called when an earlier run refused their rows."""
    if not run.by_text:
        return set()
    lines = calls["line"].filter(pc.starts_with(calls["uid"], "h-")).to_pylist()
    return {name for line in lines if (name := named_by_text(batch.raw(line))) in run.by_text}


def _dropped(run: _Run, batch: Batch, calls: pa.Table) -> npt.NDArray[np.bool_]:
    """Return a mask of calls that a person has dropped for good from the quarantine."""
    mask = np.zeros(len(calls), np.bool_)
    if not run.dropped.rows:
        return mask
    names = run.dropped.identities(run.source.name)
    for place, key in enumerate(zip(*(calls[n].to_pylist() for n in _KEY), strict=True)):
        line, switch, uid, sequence = key
        # A row without an id is known in quarantine by its text alone.
        if uid.startswith("h-") or identity.identity(switch, uid, sequence) in names:
            mask[place] = run.dropped.has_text(run.source.name, batch.raw(line))
    return mask


_KEY = ("line", "switch", "uid", "seq")


def _checked(source: Source) -> bool:
    return bool(sources.beside(source.dialect, "CHECKED"))


_NEAR = 10
"""Micro-units by which two prices rounded to five decimals in two ways may differ."""


def _compare(calls: pa.Table, pricing: price.Pricing, report: Report) -> None:
    """Compare prices that came with calls with those of the book's tariffs."""
    calls = calls.filter(pc.and_(calls["given_micro"].is_valid(), pc.invert(calls["free"])))
    own, unpriced = price.own_price(calls, pricing)
    own, given = np.asarray(own), np.asarray(calls["given_micro"])
    apart = ~unpriced & (np.abs(own - given) > _NEAR)
    rated = report.rated
    rated.compared += len(calls)
    rated.without_rate += int(unpriced.sum())
    rated.different += int(apart.sum())
    rated.given_micro += int(given[apart].sum())
    rated.own_micro += int(own[apart].sum())
    for place in np.flatnonzero(apart)[: EXAMPLES - len(rated.examples)].tolist():
        row = {name: calls[name][place].as_py() for name in ("uid", "called", "seconds")}
        prices = f"{money.text(int(given[place]))}, own rating {money.text(int(own[place]))}"
        rated.examples.append(f"{row['uid']}: {row['called']}, {row['seconds']} s, given {prices}")


def _dialect(source: Source) -> sources.Dialect:
    try:
        return sources.dialect(source.dialect)
    except KeyError:
        raise ConfigError(
            f"a2ledger.toml: sources.{source.name}.dialect: {source.dialect!r} is none of "
            + ", ".join(sources.dialects()),
            undone="nothing was imported",
            todo="name one of them",
        ) from None


def _rated(
    batch: Batch, calls: pa.Table, source: Source, pricing: price.Pricing
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Return a batch's calls in the columns of the call detail, and a mask of the unpriced."""
    count = len(calls)
    known = {name: calls[name] for name in calls.column_names if name in detail.SCHEMA.names}
    priced, unpriced = price.valued(calls, pricing)
    origins = batch.origins(calls["line"].combine_chunks())
    made = {
        "late_in": pa.nulls(count, pa.date32()),
        "source": pa.repeat(source.name, count),
        "file": origins.files,
        "line": origins.lines,
        "void": constant("", count),
        "voided_micro": pa.array(np.zeros(count, np.int64)),
        "opened": pa.array(pricing.opened[calls["customer"].to_numpy()], pa.int64()),
    }
    columns = known | priced | made
    schema = keep.SCHEMA
    return pa.table([columns[name] for name in schema.names], schema=schema), unpriced


def _to_rate(called: str, source: Source) -> str:
    """Return what makes a number that no price list knows have a price."""
    if called.startswith("0") and not source.national:
        return (
            f"if it is dialled within your country, set sources.{source.name}.national and country "
            "in a2ledger.toml, else add a rate; then run `quarantine retry`"
        )
    return "add one, then run `quarantine retry`"


def _without_rate(batch: Batch, calls: pa.Table, run: _Run) -> list[Refused]:
    pricing = run.pricing
    keys = ("day", "line", "called", "switch", "uid", "seq")
    columns = (calls[name].to_pylist() for name in keys)
    names = pricing.names.take(calls["customer"].combine_chunks()).to_pylist()
    bad = price.by_bad_tariff(calls, pricing)
    refused = []
    rows = zip(bad, price.refusals(calls, pricing), names, *columns, strict=True)
    for wrong, why, customer, day, line, called, *key in rows:
        reason = "bad-tariff" if wrong else why
        message = {
            "bad-tariff": f"{customer}: {wrong}; mend it, then run `quarantine retry`",
            "wrong-currency": (
                f"the tariff for {called} is not in the account's currency; give them one"
            ),
            "blocked": f"calls to {called} are blocked by the deck, but it was answered; see why",
        }.get(reason, f"no rate for {called}; {_to_rate(called, run.source)}")
        row = refuse(batch, line, reason, message, identity.identity(*key))
        refused.append(row._replace(day=str(day), customer=customer))
    return refused
