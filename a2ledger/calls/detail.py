"""Call detail: rated calls, one file per day, and the digests that prove them unchanged.

A day file holds the calls that *started* that day in the book's time zone, sorted by customer,
start and id, as Parquet. It is not in git; ``calls/DIGESTS`` is, and names each day's rows and
the digest of their content. Where a call came from (source, file, row) is no part of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from a2ledger.book.book import DIGESTS, Book, BrokenBookError, Draft, restore
from a2ledger.errors import ExpectedError
from a2ledger.records import Problem

SCHEMA = pa.schema(
    [
        ("customer", pa.string()),
        ("start", pa.timestamp("s", "UTC")),
        ("switch", pa.string()),
        ("uid", pa.string()),
        ("seq", pa.string()),
        ("called", pa.string()),
        ("caller", pa.string()),
        ("destination", pa.string()),
        ("service", pa.string()),
        ("deck", pa.string()),
        ("prefix", pa.string()),
        ("seconds", pa.int64()),
        ("billed_seconds", pa.int64()),
        ("cost_micro", pa.int64()),
        ("given", pa.bool_()),
        ("buy_micro", pa.int64()),
        ("carrier", pa.string()),
        ("vat", pa.string()),
        ("late_in", pa.date32()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("identifier", pa.string()),
        ("tariff", pa.string()),
        ("void", pa.string()),
        ("voided_micro", pa.int64()),
        ("halves", pa.string()),
        ("direction", pa.string()),
        ("leg", pa.string()),
        ("extension", pa.string()),
        ("since", pa.string()),
    ]
)
"""A rated call. ``given``: its row or its rule said what it costs, no tariff. ``late_in`` is the
first day of the period a late call was posted in, else null; ``source``, ``file`` and ``line`` say
where it was read. ``identifier`` decided whose it is, ``tariff`` is its rule's, mostly empty.
``void`` says why a call was struck out, else it is empty: it costs nothing then, and
``voided_micro`` is what it would cost. ``halves`` are its ``Local`` channels', mostly empty.
``direction`` is empty for outgoing calls, else ``incoming`` or ``internal``. ``leg`` is, for a call
that several rows were made one of, its channel and those rows, see :mod:`a2ledger.calls.legs`.
``extension`` is who of the customer's called, or took a call that came in. ``since`` is the start
of the rate, where it has one: with ``deck`` and ``prefix`` it names the row that held."""

ORDER = [
    ("customer", "ascending"),
    ("start", "ascending"),
    ("switch", "ascending"),
    ("uid", "ascending"),
    ("seq", "ascending"),
]
_DIGEST = re.compile(r"\d{4}-\d\d-\d\d \d+ [0-9a-f]{64}")
_LATER: dict[str, object] = {
    "identifier": "",
    "tariff": "",
    "void": "",
    "voided_micro": 0,
    "halves": "",
    "direction": "",
    "leg": "",
    "extension": "",
    "since": "",
}
"""Columns missing in day files of older versions, with their default values. They count in a digest
up to the last one that is not at its default that day, so that older digests still hold.
"""
_PLACE = ("source", "file", "line")
_DISTINCT = {"start", "uid", "called", "caller", "seconds", "billed_seconds", "cost_micro", "line"}
_REPEATED = [name for name in SCHEMA.names if name not in _DISTINCT]
"""Columns worth a dictionary; for mostly distinct values it makes files larger and slower."""
_ROW_GROUP = 4096
"""Rows that Parquet keeps together: the calls of one customer are read without those of most."""
_FIRST = [name for name in SCHEMA.names if name not in {*_PLACE, *_LATER}]


class Digest(NamedTuple):
    """A line of ``DIGESTS``: the number of rows of a day, and their digest."""

    rows: int
    sha256: str


class MissingDetailError(ExpectedError):
    """A day's calls are missing, or are not those the book was posted from."""


def kept(file: Path, schema: pa.Schema, todo: str) -> pa.Table:
    """Read what is kept of a day beside its calls, empty if there is no such file.

    Args:
        file: where it is.
        schema: its columns; others are left out.
        todo: what to do if it cannot be read.

    Raises:
        MissingDetailError: if it cannot be read.
    """
    if not file.is_file():
        return schema.empty_table()
    try:
        return pq.read_table(file).select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise MissingDetailError(
            f"{file}: cannot be read ({type(error).__name__})", todo=todo
        ) from error


def path(day: dt.date) -> str:
    """Return the path of a day's call detail, relative to the book."""
    return f"calls/{day:%Y-%m}/{day:%Y-%m-%d}.parquet"


def path_beside(day: dt.date) -> str:
    """Return the path of a day's lesser halves: calls not billed because their other half is."""
    return f"calls/{day:%Y-%m}/{day:%Y-%m-%d}.halves.parquet"


def beside(root: Path, day: dt.date) -> pa.Table:
    """Read the lesser halves of a day, empty if there is no such file.

    Raises:
        MissingDetailError: if it cannot be read.
    """
    file = root / path_beside(day)
    if not file.is_file():
        return empty()
    try:
        table = pq.read_table(file)
        for name in _LATER.keys() - {*table.column_names}:
            table = _with_nothing(table, name)
        return table.select(SCHEMA.names).cast(SCHEMA)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise MissingDetailError(
            f"{file}: cannot be read ({type(error).__name__})",
            todo="restore it from a backup, or delete it if there is none",
        ) from error


def empty() -> pa.Table:
    """Return a table without calls."""
    return SCHEMA.empty_table()


def read(
    root: Path, day: dt.date, digests: Mapping[dt.date, Digest], columns: list[str] | None = None
) -> pa.Table:
    """Read the calls of a day, empty if the book knows of none.

    Raises:
        MissingDetailError: if the file is missing or is short of rows.
    """
    if day not in digests:
        table = empty()
        return table.select(columns) if columns else table
    file = root / path(day)
    table = load(root, day, columns)
    if table.num_rows != digests[day].rows:
        raise MissingDetailError(
            (f"{file}: holds {table.num_rows} calls, calls/DIGESTS says {digests[day].rows}"),
            todo=_way_back(day),
        )
    return table


def load(
    root: Path,
    day: dt.date,
    columns: list[str] | None = None,
    *,
    customers: Collection[str] | None = None,
) -> pa.Table:
    """Return the calls in a day's file, whatever ``DIGESTS`` says; all, or those of customers.

    Raises:
        MissingDetailError: if it cannot be read, or is not a file of calls.
    """
    file = root / path(day)
    wanted = columns or SCHEMA.names
    try:
        with pq.ParquetFile(file) as parquet:
            there = set(parquet.schema_arrow.names)
            held = [name for name in wanted if name in there]
            table = parquet.read(held) if customers is None else _of(parquet, customers, held)
        for name in set(wanted) - {*table.column_names}:
            table = _with_nothing(table, name)
        # Parquet has no seconds: they come back as milliseconds.
        return table.select(wanted).cast(pa.schema([SCHEMA.field(name) for name in wanted]))
    except (OSError, LookupError, ValueError, TypeError, pa.ArrowException) as error:
        raise MissingDetailError(
            f"{file}: the calls of {day} cannot be read ({type(error).__name__})",
            todo=_way_back(day),
        ) from error


def _of(parquet: pq.ParquetFile, customers: Collection[str], columns: list[str]) -> pa.Table:
    """Read some customers' calls: a file is sorted by customer, so most of it stays unread."""
    least, greatest = min(customers, default=""), max(customers, default="")
    place = parquet.schema_arrow.get_field_index("customer")
    groups = []
    for number in range(parquet.num_row_groups):
        known = parquet.metadata.row_group(number).column(place).statistics
        is_known = known is not None and known.has_min_max
        if not is_known or (known.min <= greatest and least <= known.max):
            groups.append(number)
    wanted = list(dict.fromkeys(["customer", *columns]))
    table = parquet.read_row_groups(groups, wanted, use_threads=False)  # a few rows: no others wait
    return table.filter(pc.is_in(table["customer"], pa.array(sorted(customers), pa.string())))


def _way_back(day: dt.date) -> str:
    return (
        "restore the file from a backup, or run `a2ledger import SOURCE FILE "
        f"--rebuild {day}` with the switch's file"
    )


def _with_nothing(table: pa.Table, name: str) -> pa.Table:
    """Add a column that a day file of an older version lacks, with its default value."""
    nothing = pa.scalar(_LATER[name], SCHEMA.field(name).type)
    return table.append_column(name, pa.repeat(nothing, table.num_rows))


def verified(root: Path, day: dt.date, digests: Mapping[dt.date, Digest]) -> pa.Table:
    """Read the calls of a day, and compare their content with ``DIGESTS``.

    Raises:
        MissingDetailError: if they are missing or differ.
    """
    table = read(root, day, digests)
    file = root / path(day)
    if day not in digests and (file.exists() or file.is_symlink()):
        raise MissingDetailError(
            f"{file}: is there, and calls/DIGESTS knows nothing of it",
            todo="bring calls/DIGESTS back (`a2ledger doctor --mend`), or move the file away",
        )
    if day in digests and _digest(table) != digests[day]:
        raise MissingDetailError(f"{file}: differs from calls/DIGESTS", todo=_way_back(day))
    return table


def unchanged(book: Book, days: Iterable[dt.date]) -> set[dt.date]:
    """Return those of some days whose files are as they were published, by what the disk says."""
    published = book.vault.published_if_known()
    if published is None or published.differs([DIGESTS]):
        return set()
    files = {path(day): day for day in days}
    held = published.among(files)
    return {files[file] for file in held.difference(published.differs(held))}


def of_customers(
    root: Path, day: dt.date, names: Collection[str], columns: list[str] | None = None
) -> pa.Table:
    """Read the calls of some customers from a day's file that is as it was published.

    Raises:
        MissingDetailError: if it cannot be read, or is not a file of calls.
    """
    return load(root, day, columns, customers=names)


def ordered(table: pa.Table) -> pa.Table:
    """Return a day's calls in the order of their file."""
    return table.sort_by(ORDER)


def day_file(calls: pa.Table) -> tuple[Digest, bytes]:
    """Return the digest and the Parquet file of a day's calls."""
    calls = ordered(calls)
    return _digest(calls), _parquet(calls)


def encoded(table: pa.Table) -> bytes:
    """Return a day's calls as a Parquet file, sorted."""
    return _parquet(ordered(table))


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression="zstd", use_dictionary=_REPEATED, row_group_size=_ROW_GROUP
    )
    return bytes(sink.getvalue())


def digest(table: pa.Table) -> Digest:
    """Return the row count and content digest of a day's calls, sorted.

    The content is one line per call, its columns joined by tabs; text columns hold no control
    characters, so no two calls give one line.
    """
    return _digest(ordered(table))


def _digest(table: pa.Table) -> Digest:
    content = table.select(_content(table))
    columns = [_text(content[name]) for name in content.column_names]
    sha = hashlib.sha256()
    if content.num_rows:
        columns[-1] = pc.binary_join_element_wise(columns[-1], "", "\n")
        text = pc.binary_join_element_wise(*columns, "\t")
        # The texts of an array lie one after the other in its buffer.
        sha.update(text.buffers()[2][: pc.sum(pc.binary_length(text)).as_py()])
    return Digest(table.num_rows, sha.hexdigest())


def _content(table: pa.Table) -> list[str]:
    """Return the columns that go into a day's digest."""
    later = list(_LATER)
    while later and not _says(table[later[-1]], _LATER[later[-1]]):
        later.pop()
    return [*_FIRST, *later]


def _says(column: pa.ChunkedArray, nothing: object) -> bool:
    return bool(pc.any(pc.not_equal(column, pa.scalar(nothing, column.type))).as_py())


def _text(column: pa.ChunkedArray) -> pa.StringArray:
    return pc.fill_null(pc.cast(_plain(column.combine_chunks()), pa.string()), "")


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def digests(book: Book) -> dict[dt.date, Digest]:
    """Return the digests of call detail in a book, by day.

    Raises:
        BrokenBookError: if ``DIGESTS`` is not as the program wrote it.
    """
    return book.once(_read_digests)


def _read_digests(book: Book) -> dict[dt.date, Digest]:
    try:
        return parse_digests(book.text(DIGESTS))
    except ValueError as error:
        problem = Problem(DIGESTS, 0, "digests", str(error), todo=restore(DIGESTS))
        raise BrokenBookError([problem]) from None


def put_digests(draft: Draft, changed: Mapping[dt.date, Digest]) -> None:
    """Update ``DIGESTS`` with the days that changed."""
    known = digests(draft)
    known.update(changed)
    remaining = {day: digest for day, digest in known.items() if digest.rows}
    draft.put(DIGESTS, written_digests(remaining))


def parse_digests(text: str) -> dict[dt.date, Digest]:
    """Parse ``calls/DIGESTS`` into digests by day.

    Raises:
        ValueError: if a line is not DAY ROWS SHA256.
    """
    by_day = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not _DIGEST.fullmatch(line):
            raise ValueError(f"line {number} is not DAY ROWS SHA256")
        day, rows, sha = line.split()
        by_day[dt.date.fromisoformat(day)] = Digest(int(rows), sha)
    return by_day


def written_digests(digests: Mapping[dt.date, Digest]) -> str:
    """Format ``calls/DIGESTS``, one line per day."""
    return "".join(f"{day} {rows} {sha}\n" for day, (rows, sha) in sorted(digests.items()))


class Folded(NamedTuple):
    """Calls of one customer, day, service and VAT code, added up."""

    customer: str
    late_in: dt.date | None
    service: str
    vat: str
    calls: int
    seconds: int
    micro: int


def fold(calls: pa.Table, customers: Iterable[str]) -> list[Folded]:
    """Add up a day's calls of some customers, as they are posted."""
    keys = ["customer", "late_in", "service", "vat"]
    added = calls.select([*keys, "uid", "seconds", "cost_micro"])
    wanted = added.filter(pc.is_in(added["customer"], pa.array(sorted(customers), pa.string())))
    sums = wanted.group_by(keys, use_threads=False).aggregate(
        [("uid", "count"), ("seconds", "sum"), ("cost_micro", "sum")]
    )
    columns = (*keys, "uid_count", "seconds_sum", "cost_micro_sum")
    return [Folded(*row) for row in zip(*(sums[name].to_pylist() for name in columns), strict=True)]


class Told(NamedTuple):
    """The calls of a customer and day that were posted together, with the digest of their text."""

    customer: str
    late_in: dt.date | None
    calls: int
    sha256: str


def told(calls: pa.Table) -> list[Told]:
    """Return the digests that seals store of a day's calls: by customer, late ones apart.

    The text is a line a call, the columns of :func:`digest` joined by tabs, up to the last one
    that says anything of that call: it stays the same whatever else happens on that day.
    """
    if calls["late_in"].null_count == calls.num_rows:
        return list(_told(calls))
    late = calls.filter(pc.is_valid(calls["late_in"]))
    late = late.sort_by([("customer", "ascending"), ("late_in", "ascending"), *ORDER[1:]])
    return [*_told(calls.filter(pc.is_null(calls["late_in"]))), *_told(late)]


def _told(calls: pa.Table) -> Iterator[Told]:
    """Yield a digest for each run of calls of the same customer and late period."""
    if not calls.num_rows:
        return
    text = _texts(calls)
    ends = np.frombuffer(text.buffers()[1], np.int32)[: len(text) + 1]
    content = memoryview(text.buffers()[2])
    owners = calls["customer"].combine_chunks()
    late = pc.fill_null(calls["late_in"].combine_chunks().cast(pa.int32()), -1)
    differs = np.asarray(pc.not_equal(owners[1:], owners[:-1])) | (np.diff(late) != 0)
    starts = [0, *(np.flatnonzero(differs) + 1).tolist()]
    names = owners.take(pa.array(starts)).to_pylist()
    posted = calls["late_in"].take(pa.array(starts)).to_pylist()
    runs = zip(names, posted, itertools.pairwise([*starts, len(text)]), strict=True)
    for name, late_in, (start, end) in runs:
        sha256 = hashlib.sha256(content[ends[start] : ends[end]]).hexdigest()
        yield Told(name, late_in, end - start, sha256)


def _texts(calls: pa.Table) -> pa.StringArray:
    """Return the text of each call, a line each, contiguous in the array's buffer."""
    columns = [_text(calls[name]) for name in _FIRST]
    rest = pa.array([""] * calls.num_rows, pa.string())
    for name in reversed(_LATER):
        text = _text(calls[name])
        says = pc.or_(pc.not_equal(text, str(_LATER[name])), pc.not_equal(rest, ""))
        rest = pc.if_else(says, pc.binary_join_element_wise("\t", text, rest, ""), "")
    columns[-1] = pc.binary_join_element_wise(columns[-1], rest, "\n", "")
    return pc.binary_join_element_wise(*columns, "\t")


def bought(calls: pa.Table) -> list[tuple[str, str, int, int, int]]:
    """Sum a day's calls per carrier: (carrier, deck, calls, seconds, micro-units to buy)."""
    of_carriers = calls.filter(pc.not_equal(calls["carrier"], ""))
    sums = of_carriers.group_by(["carrier", "deck"], use_threads=False).aggregate(
        [("uid", "count"), ("seconds", "sum"), ("buy_micro", "sum")]
    )
    columns = ("carrier", "deck", "uid_count", "seconds_sum", "buy_micro_sum")
    return [tuple(row[name] for name in columns) for row in sums.to_pylist()]


_LINE = ["customer", "service", "destination", "vat", "late_in"]
"""Columns whose values calls of one bill line share."""
RATE = ["deck", "prefix", "since"]
"""Columns that name the row of a price list that held for a call."""


SUMMED = [
    *(*_LINE, *RATE),
    *("given", "uid", "seconds", "cost_micro", "direction", "extension"),
]
"""Columns that :func:`lines` and :func:`callers` look at."""


def callers(calls: pa.Table) -> dict[tuple[Any, ...], dict[str, int]]:
    """Count the incoming and internal calls of each line by extension.

    The keys are (customer, service, destination, VAT code, late period).
    """
    named = pc.and_(pc.not_equal(calls["direction"], ""), pc.not_equal(calls["extension"], ""))
    rows = calls.filter(named).select([*_LINE, "extension", "uid"])
    if not rows.num_rows:
        return {}
    sums = rows.group_by([*_LINE, "extension"], use_threads=False).aggregate([("uid", "count")])
    counts: dict[tuple[Any, ...], dict[str, int]] = {}
    columns = (sums[name].to_pylist() for name in (*_LINE, "extension", "uid_count"))
    for *key, extension, count in zip(*columns, strict=True):
        counts.setdefault(tuple(key), {})[extension] = count
    return counts


def lines(calls: pa.Table) -> pa.Table:
    """Sum a day's calls per line of a bill and row of a price list.

    Returns:
        columns customer, service, destination, vat, late_in, deck, prefix, since, calls, seconds,
        cost_micro; the row's three are empty where a record or rule gave the price.
    """
    keys = [*_LINE, *RATE]
    given = calls["given"]
    if pc.any(given).as_py():
        for name in RATE:
            place = calls.schema.get_field_index(name)
            calls = calls.set_column(place, name, pc.if_else(given, "", calls[name]))
    sums = calls.group_by(keys, use_threads=False).aggregate(
        [("uid", "count"), ("seconds", "sum"), ("cost_micro", "sum")]
    )
    return sums.select([*keys, "uid_count", "seconds_sum", "cost_micro_sum"]).rename_columns(
        [*keys, "calls", "seconds", "cost_micro"]
    )


def voided(calls: pa.Table, reasons: pa.Array) -> pa.Table:
    """Void calls that have a reason, and restore those whose reason is empty."""
    price = pc.add(calls["cost_micro"], calls["voided_micro"])
    stands = pc.equal(reasons, "")
    nothing = pa.scalar(0, pa.int64())
    for name, column in {
        "void": reasons,
        "voided_micro": pc.if_else(stands, nothing, price),
        "cost_micro": pc.if_else(stands, price, nothing),
    }.items():
        calls = calls.set_column(
            calls.schema.get_field_index(name), calls.schema.field(name), column
        )
    return calls
