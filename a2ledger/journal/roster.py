"""The roster: all customers' own ledgers of a large book, parsed once and read back.

`.a2ledger/customers.arrow` has a row for each file of ``journals/customers/``: what the disk said
of the file when it was parsed (size, time, inode), what lists ask of every customer, and the
customer as JSON. A row counts only while the disk says the same of the file; every other file is
parsed. The roster may be deleted at any time. Small books have none.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from a2ledger.book import disk
from a2ledger.book.book import Book
from a2ledger.book.transaction import STATE
from a2ledger.records import Customer, Fact, Fee

LEAST = 500
"""Customers from which on a book has a roster: below, parsing all takes no time to speak of."""
_VERSION = 1
"""Raise this whenever parsing a customer's own ledger, or checking it, changes its result."""
_NAME = "customers.arrow"
_SPARE = 32
"""Share of the files, as a divisor, that may be parsed again before the roster is written anew."""
NEVER = dt.date.max.toordinal()

_Seen = tuple[int, int, int]
"""Size, modification time in nanoseconds, and inode of a file."""


class Entry(NamedTuple):
    """What lists ask of every customer."""

    currency: str
    has_fees: bool
    stable_from: int
    """Ordinal of the day from which on the `open` entries repeat the facts, whatever day it is;
    :data:`NEVER` if a day may come that changes them."""


class Roster:
    """The customers whose files are as they were when they were parsed."""

    def __init__(self, book: Book, known_by: str) -> None:
        self._file = book.root / STATE / _NAME
        self._known_by = f"{_VERSION} {known_by}"
        self._seen = _seen(book)
        self.entries: dict[str, Entry] = {}
        """Entries by customer id."""
        self._records: dict[str, str] = {}
        self._read()

    @property
    def is_small(self) -> bool:
        """Return whether the book has too few customers to keep a roster."""
        return len(self._seen) < LEAST

    def _read(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        if self.is_small:
            return
        try:
            with pa.memory_map(str(self._file)) as source, pa.ipc.open_file(source) as reader:
                if reader.schema.metadata[b"known-by"].decode() != self._known_by:
                    return
                columns = reader.read_all().to_pydict()
            names, seen = columns["id"], zip(*(columns[name] for name in _SEEN), strict=True)
            entries = map(Entry, *(columns[name] for name in Entry._fields))
            records = columns["record"]
        except (OSError, pa.ArrowException, LookupError, TypeError, ValueError):
            return  # there is none, or one that cannot be read: all files are parsed
        for name, was, entry, record in zip(names, seen, entries, records, strict=True):
            if self._seen.get(name) == was:
                self.entries[name] = entry
                self._records[name] = record

    def missing(self) -> list[str]:
        """Return the ids of customers whose files must be parsed."""
        return sorted(self._seen.keys() - self.entries.keys())

    def customer(self, identity: str) -> Customer | None:
        """Return a customer, or None if the file must be parsed."""
        record = self._records.get(identity)
        return of_json(json.loads(record)) if record else None

    def keep(self, parsed: Mapping[str, Customer], entry: Callable[[Customer], Entry]) -> None:
        """Write the roster anew, if enough files had to be parsed.

        Args:
            parsed: the customers that were parsed of files, by id.
            entry: what lists ask of a customer.
        """
        import pyarrow as pa  # noqa: PLC0415 - few books need it

        fresh = {name: customer for name, customer in parsed.items() if name in self._seen}
        if self.is_small or len(fresh) * _SPARE < len(self._seen):
            return
        self.entries |= {name: entry(customer) for name, customer in fresh.items()}
        self._records |= {name: json.dumps(as_json(customer)) for name, customer in fresh.items()}
        names = sorted(self.entries)
        seen = zip(*(self._seen[name] for name in names), strict=True)
        entries = zip(*(self.entries[name] for name in names), strict=True)
        columns: dict[str, Any] = {
            "id": names,
            **dict(zip(_SEEN, map(list, seen), strict=True)),
            **dict(zip(Entry._fields, map(list, entries), strict=True)),
            "record": [self._records[name] for name in names],
        }
        table = pa.table(columns).replace_schema_metadata({"known-by": self._known_by})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        try:
            disk.write(temporary, bytes(sink.getvalue()))
            temporary.replace(self._file)
        except OSError:  # a full or read-only disk: the next run parses the files again
            temporary.unlink(missing_ok=True)


_SEEN = ("size", "mtime_ns", "inode")


def _seen(book: Book) -> dict[str, _Seen]:
    """Return what the disk says of the file of each customer, by id."""
    seen: dict[str, _Seen] = {}
    suffix = ".beancount"
    try:
        entries = list(os.scandir(book.root / "journals/customers"))
    except OSError:
        return seen
    for entry in entries:
        if entry.name.endswith(suffix) and entry.is_file():
            about = entry.stat()
            seen[entry.name.removesuffix(suffix)] = about.st_size, about.st_mtime_ns, about.st_ino
    return seen


def as_json(customer: Customer) -> list[Any]:
    """Return a customer as values that JSON can hold."""
    return [
        customer.id,
        customer.opened.toordinal(),
        {
            key: [(since.toordinal(), _json(value)) for since, value in history]
            for key, history in customer.facts.items()
        },
        _days(customer.periods),
        customer.has_deposit,
        [
            {
                "id": fee.id,
                "service": fee.service,
                "every": fee.every,
                "arrears": fee.arrears,
                "description": fee.description,
                "currency": fee.currency,
                "prices": [(since.toordinal(), micro) for since, micro in fee.prices],
                "until": fee.until and fee.until.toordinal(),
                "quantities": [(since.toordinal(), count) for since, count in fee.quantities],
            }
            for fee in customer.fees
        ],
    ]


def _json(value: Fact) -> Any:
    return [str(value)] if isinstance(value, Decimal) else value


def _days(days: Iterable[dt.date]) -> list[int]:
    return [day.toordinal() for day in days]


def of_json(record: list[Any]) -> Customer:
    """Return the customer that :func:`as_json` made values of."""
    identity, opened, facts, periods, has_deposit, fees = record
    day = dt.date.fromordinal
    return Customer(
        id=identity,
        opened=day(opened),
        facts={
            key: tuple(
                (day(since), Decimal(value[0]) if isinstance(value, list) else value)
                for since, value in history
            )
            for key, history in facts.items()
        },
        periods=tuple(map(day, periods)),
        has_deposit=has_deposit,
        fees=tuple(map(_fee, fees)),
    )


def _fee(record: dict[str, Any]) -> Fee:
    day = dt.date.fromordinal
    dated = {
        name: tuple((day(since), value) for since, value in record[name])
        for name in ("prices", "quantities")
    }
    until = record["until"]
    return Fee(**record | dated | {"until": until and day(until)})
