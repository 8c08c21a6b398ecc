"""Import calls: read, price, keep once, fold into customers' open periods.

One day of calls is the unit: only the days in the input are read again, and only their
customers' entries are written anew.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger import cdr, detail, sources
from a2ledger.book import Draft
from a2ledger.cdr import EVERY_DAY, Wanted
from a2ledger.config import ConfigError, Source
from a2ledger.feed import Batch, Refused, Span, constant, gathered, refuse
from a2ledger.period import DAY
from a2ledger.progress import Progress
from a2ledger.sources.address import Address
from a2ledger.spool import Spool
from a2ledger.steps import keeping, valuing
from a2ledger.steps.reporting import Report

_NAMED = 5
"""Files left out of a directory that are named."""


LOOK_BACK = dt.timedelta(hours=48)
"""How far before the latest call of a table it is read again: rows appear at hang-up."""


class Asked(NamedTuple):
    """What an import is to read: days, and whether also what is known to have been read."""

    days: Wanted = EVERY_DAY
    everything: bool = False


ALL_NEW = Asked()


def import_calls(
    draft: Draft,
    source: Source,
    paths: Sequence[Path | Address],
    now: dt.datetime,
    asked: Asked = ALL_NEW,
) -> Report:
    """Import files and tables of a source into the draft; a directory stands for its files.

    Raises:
        UnusableInput: if a file cannot be used at all.
        BrokenBookError: if a deck or a period's file is bad.
        MissingDetailError: if the calls of a day in question are missing.
    """
    report = Report(
        source=source.name, files=[str(path) for path in paths], through=asked.days.last
    )
    _dialect(source)
    source = replace(source, rules=source.rules or sources.rules(source.dialect))
    pricing = valuing.pricing(draft.book)
    inputs = list(_inputs(draft, source, paths))
    run = _Run(draft, source, pricing, now, asked, report)
    with Spool(draft.book.vault.spool, keeping.SCHEMA) as spool:
        with draft.progress(f"reading {source.name}", sum(map(_size, inputs))) as progress:
            for batch in gathered(_read(run, inputs, progress)):
                spool.add(*_priced(run, batch))
        with draft.progress(f"posting {source.name}", len(spool.days())) as progress:
            keeping.keep(draft, source, spool, report, progress)
    return report


class _Run(NamedTuple):
    """What stays the same in one import."""

    draft: Draft
    source: Source
    pricing: valuing.Pricing
    now: dt.datetime
    asked: Asked
    report: Report


def _read(run: _Run, inputs: Iterable[Path | Address], progress: Progress) -> Iterator[Batch]:
    """Batches of what is read, counting their rows and telling how far one is."""
    began, report = time.monotonic(), run.report
    for one in inputs:
        before = 0
        for batch in _batches(run, one):
            report.read += batch.rows.num_rows + len(batch.refused)
            yield batch
            rate = report.read / max(time.monotonic() - began, 0.001)
            progress.add(batch.place.offset - before, f"{report.read:,} rows, {rate:,.0f} rows/s")
            before = batch.place.offset


def _batches(run: _Run, one: Path | Address) -> Iterator[Batch]:
    """The rows of a file or table that are to be read."""
    if isinstance(one, Path):
        return _dialect(run.source)(one, run.source)
    query = sources.beside(run.source.dialect, "query")
    if query is None:
        raise one.unusable(
            f"{run.source.dialect} reads files", "use a dialect of tables such as asterisk-db"
        )
    batches: Iterator[Batch] = query(one, run.source, _span(run, one))
    return batches


def _span(run: _Run, address: Address) -> Span:
    """What is to be read of a table: all at first, later what may have come since."""
    first, last = run.asked.days
    zone = run.draft.book.config.zone
    until = dt.datetime.combine(last + DAY, dt.time(), zone) if last else None
    if first:
        return Span(dt.datetime.combine(first, dt.time(), zone), until)
    latest = run.draft.book.latest(run.source.name, str(address))
    if latest is None or run.asked.everything:
        return Span(None, until)
    since = latest - LOOK_BACK
    run.draft.talk(
        f"{address}: read from {since.astimezone(zone):%Y-%m-%d %H:%M} on, 48 hours before the "
        "latest call known; --all reads everything"
    )
    return Span(since, until)


def _size(one: Path | Address) -> int:
    try:
        return one.stat().st_size if isinstance(one, Path) else 0
    except OSError:
        return 0  # reading it will say what is the matter


def _inputs(
    draft: Draft, source: Source, paths: Sequence[Path | Address]
) -> Iterator[Path | Address]:
    """What to read: what is named, and in place of a directory those of the dialect in it."""
    for path in paths:
        if not isinstance(path, Path) or not path.is_dir():
            yield path
            continue
        taken = sources.files(source.dialect, path)
        left = sorted(
            {other.name for other in sources.present(path)}.difference(one.name for one in taken)
        )
        named = f", and not {', '.join(left[:_NAMED])}" if left else ""
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        draft.talk(f"{path}: {len(taken)} of {len(taken) + len(left)} files read{named}{more}")
        yield from taken


def _priced(run: _Run, batch: Batch) -> tuple[pa.Table, pa.ChunkedArray]:
    """Calls of a batch with their price, and the day of each."""
    draft, source, pricing, now, asked, report = run
    zone = pricing.config.timezone
    normal = cdr.normalise(batch, source, pricing.directory, zone, now, asked.days)
    for message in (*batch.notes, *normal.warnings):
        draft.talk(message)
    calls, unpriced = _rated(batch, normal.calls, source, pricing)
    no_rate = _without_rate(batch, normal.calls.filter(pa.array(unpriced)), pricing)
    report.refused += [*batch.refused, *normal.refused, *no_rate]
    report.not_billable.update(normal.not_billable)
    if normal.latest and (report.latest is None or normal.latest > report.latest):
        report.latest = normal.latest
    priced = pa.array(~unpriced)
    return calls.filter(priced), normal.calls["day"].filter(priced)


def _dialect(source: Source) -> sources.Dialect:
    try:
        return sources.dialect(source.dialect)
    except KeyError:
        raise ConfigError(
            f"a2ledger.toml: sources.{source.name}.dialect: {source.dialect!r} is none of "
            f"{', '.join(sources.dialects())}; nothing was imported; name one of them"
        ) from None


def _rated(
    batch: Batch, calls: pa.Table, source: Source, pricing: valuing.Pricing
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Calls of a batch in the columns of the call detail, and which of them have no price."""
    count = len(calls)
    known = {name: calls[name] for name in calls.column_names if name in detail.SCHEMA.names}
    priced, unpriced = valuing.valued(calls, pricing)
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
    schema = keeping.SCHEMA
    return pa.table([columns[name] for name in schema.names], schema=schema), unpriced


def _without_rate(batch: Batch, calls: pa.Table, pricing: valuing.Pricing) -> list[Refused]:
    columns = (calls[name].to_pylist() for name in ("line", "called", "switch", "uid", "seq"))
    foreign = valuing.in_other_currency(calls, pricing).tolist()
    refused = []
    for is_foreign, line, called, *key in zip(foreign, *columns, strict=True):
        name = keeping.identity(*key)
        if is_foreign:
            message = f"the tariff for {called} is not in the account's currency; give him one"
            refused.append(refuse(batch, line, "wrong-currency", message, name))
        else:
            message = f"no rate for {called}; add one to the customer's tariff, then import again"
            refused.append(refuse(batch, line, "no-rate", message, name))
    return refused
