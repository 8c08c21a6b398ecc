"""Import calls: read, price, keep once, fold into customers' open periods.

One day of calls is the unit: only the days in the input are read again, and only their
customers' entries are written anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from a2ledger import cdr, detail, rating, sources
from a2ledger.book import Draft
from a2ledger.config import Config, ConfigError, Source
from a2ledger.directory import Days, Directory, Indexes
from a2ledger.feed import Batch, Refused, refuse
from a2ledger.records import split_list
from a2ledger.spool import Spool
from a2ledger.steps import keeping
from a2ledger.steps.reporting import Report
from a2ledger.tariff import Tariff

_EPOCH = dt.date(1970, 1, 1)
_NAMED = 5
"""Files left out of a directory that are named."""

Integers = npt.NDArray[np.int64]


class Pricing(NamedTuple):
    """What pricing a call needs to know of the book."""

    config: Config
    directory: Directory
    tariffs: Tariffs
    opened: Integers
    """Start of each customer's open period, in days since 1970."""
    names: pa.StringArray
    """Customers' ids."""


class Tariffs:
    """Tariffs by their text (``acme, standard``), loaded once each."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._numbers: dict[str, int] = {}
        self.loaded: list[Tariff] = []

    def number(self, text: str) -> int:
        """Where a tariff stands in ``loaded``."""
        if text not in self._numbers:
            decks = tuple(self._draft.book.deck(name) for name in split_list(text))
            self.loaded.append(Tariff(name=text, decks=decks))
            self._numbers[text] = len(self.loaded) - 1
        return self._numbers[text]


def import_calls(draft: Draft, source: Source, paths: list[Path], now: dt.datetime) -> Report:
    """Import files of a source into the draft; a directory stands for its files.

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
        pa.array([customer.id for customer in customers], pa.string()),
    )
    with Spool(draft.book.vault.spool, keeping.SCHEMA) as spool:
        for path in _files(draft, source, paths):
            for calls, day in _priced(draft, source, path, pricing, now, report):
                spool.add(calls, day)
        keeping.keep(draft, source, spool, report)
    return report


def _files(draft: Draft, source: Source, paths: list[Path]) -> Iterator[Path]:
    """The files to read: those named, and in place of a directory those of the dialect in it."""
    _dialect(source)
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
    draft: Draft, source: Source, path: Path, pricing: Pricing, now: dt.datetime, report: Report
) -> Iterator[tuple[pa.Table, pa.ChunkedArray]]:
    """Calls of a file with their price, in batches, and the day of each."""
    for batch in _dialect(source)(path, source):
        normal = cdr.normalise(batch, source, pricing.directory, pricing.config.timezone, now)
        for message in (*batch.notes, *normal.warnings):
            draft.talk(message)
        calls, unpriced = _rated(batch, normal.calls, source, pricing)
        no_rate = _without_rate(batch, normal.calls.filter(pa.array(unpriced)))
        report.read += batch.rows.num_rows + len(batch.refused)
        report.refused += [*batch.refused, *normal.refused, *no_rate]
        report.not_billable.update(normal.not_billable)
        if normal.latest and (report.latest is None or normal.latest > report.latest):
            report.latest = normal.latest
        priced = pa.array(~unpriced)
        yield calls.filter(priced), normal.calls["day"].filter(priced)


def _dialect(source: Source) -> sources.Dialect:
    try:
        return sources.dialect(source.dialect)
    except KeyError:
        raise ConfigError(
            f"a2ledger.toml: sources.{source.name}.dialect: {source.dialect!r} is none of "
            f"{', '.join(sources.dialects())}; nothing was imported; name one of them"
        ) from None


def _rated(
    batch: Batch, calls: pa.Table, source: Source, pricing: Pricing
) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Calls of a batch in the columns of the call detail, and which of them have no price."""
    who = calls["customer"].to_numpy().astype(np.int32)
    day = calls["day"].to_numpy().astype("datetime64[D]").astype(np.int32)
    asked = calls.select(["called", "local", "seconds"]).combine_chunks()
    asked = asked.append_column("tariff", pa.array(_tariff(calls, pricing, who, day), pa.int32()))
    asked = asked.append_column("discount", pa.array(_discount(pricing, who, day), pa.int64()))
    columns = {name: _one(column) for name, column in zip(asked.column_names, asked, strict=True)}
    rated = rating.rate(pa.RecordBatch.from_pydict(columns), pricing.tariffs.loaded)
    cost, given, unpriced = _cost(calls, rated)
    count = len(calls)
    known = {name: calls[name] for name in calls.column_names if name in detail.SCHEMA.names}
    priced = {name: rated[name] for name in rated.schema.names if name in detail.SCHEMA.names}
    made = {
        "customer": pricing.names.take(pa.array(who)),
        "cost_micro": pa.array(cost, pa.int64()),
        "given": pa.array(given),
        "vat": _vat(calls, pricing, who, day),
        "late_in": pa.nulls(count, pa.date32()),
        "source": pa.repeat(source.name, count),
        "file": pa.repeat(batch.file, count),
        "opened": pa.array(pricing.opened[who], pa.int64()),
    }
    columns = known | priced | made
    schema = keeping.SCHEMA
    return pa.table([columns[name] for name in schema.names], schema=schema), unpriced


def _cost(
    calls: pa.Table, rated: pa.RecordBatch
) -> tuple[Integers, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """What calls cost; whether their row or rule says so, no tariff; whether nothing does."""
    has_price = calls["given_micro"].is_valid().to_numpy(zero_copy_only=False)
    free = calls["free"].to_numpy(zero_copy_only=False)
    silent = calls["seconds"].to_numpy() == 0
    unrated = _one(rated["reason"]).to_numpy(zero_copy_only=False) != ""
    # An answered call of no seconds costs nothing, as A2Billing has it.
    cost = np.where(free | silent, 0, rated["cost_micro"].to_numpy(zero_copy_only=False))
    cost = np.where(has_price, pc.fill_null(calls["given_micro"], 0).to_numpy(), cost)
    return cost, has_price | free, unrated & ~has_price & ~free


def _without_rate(batch: Batch, calls: pa.Table) -> list[Refused]:
    columns = (calls[name].to_pylist() for name in ("line", "called", "switch", "uid", "seq"))
    return [
        refuse(
            batch,
            line,
            "no-rate",
            f"no rate for {called}; add one to the customer's tariff, then import again",
            keeping.identity(*key),
        )
        for line, called, *key in zip(*columns, strict=True)
    ]


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
