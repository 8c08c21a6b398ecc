"""Import calls: read, price, keep once, fold into customers' open periods.

One day of calls is the unit: only the days in the input are read again, and only their
customers' entries are written anew.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from a2ledger import cdr, detail, sources
from a2ledger.book import Draft
from a2ledger.config import ConfigError, Source
from a2ledger.feed import Batch, Refused, constant, gathered, refuse
from a2ledger.progress import Progress
from a2ledger.spool import Spool
from a2ledger.steps import keeping, valuing
from a2ledger.steps.reporting import Report

_NAMED = 5
"""Files left out of a directory that are named."""


def import_calls(draft: Draft, source: Source, paths: list[Path], now: dt.datetime) -> Report:
    """Import files of a source into the draft; a directory stands for its files.

    Raises:
        UnusableInput: if a file cannot be used at all.
        BrokenBookError: if a deck or a period's file is bad.
        MissingDetailError: if the calls of a day in question are missing.
    """
    report = Report(source=source.name, files=[str(path) for path in paths])
    _dialect(source)
    source = replace(source, rules=source.rules or sources.rules(source.dialect))
    pricing = valuing.pricing(draft.book)
    files = list(_files(draft, source, paths))
    with Spool(draft.book.vault.spool, keeping.SCHEMA) as spool:
        with draft.progress(f"reading {source.name}", sum(map(_size, files))) as progress:
            for batch in gathered(_read(source, files, report, progress)):
                spool.add(*_priced(draft, source, batch, pricing, now, report))
        with draft.progress(f"posting {source.name}", len(spool.days())) as progress:
            keeping.keep(draft, source, spool, report, progress)
    return report


def _read(source: Source, files: list[Path], report: Report, progress: Progress) -> Iterator[Batch]:
    """Batches of files, counting their rows and telling how far they are read."""
    began = time.monotonic()
    for path in files:
        before = 0
        for batch in _dialect(source)(path, source):
            report.read += batch.rows.num_rows + len(batch.refused)
            yield batch
            rate = report.read / max(time.monotonic() - began, 0.001)
            progress.add(batch.place.offset - before, f"{report.read:,} rows, {rate:,.0f} rows/s")
            before = batch.place.offset


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0  # reading it will say what is the matter


def _files(draft: Draft, source: Source, paths: list[Path]) -> Iterator[Path]:
    """The files to read: those named, and in place of a directory those of the dialect in it."""
    for path in paths:
        if not path.is_dir():
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


def _priced(
    draft: Draft,
    source: Source,
    batch: Batch,
    pricing: valuing.Pricing,
    now: dt.datetime,
    report: Report,
) -> tuple[pa.Table, pa.ChunkedArray]:
    """Calls of a batch with their price, and the day of each."""
    normal = cdr.normalise(batch, source, pricing.directory, pricing.config.timezone, now)
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
