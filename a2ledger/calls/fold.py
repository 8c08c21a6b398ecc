"""Fold days of calls again: day files, carriers' charges, and customers' open periods.

Whatever changes calls ends here: imports, re-rating, calls struck out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Executor, Future

import pyarrow as pa
import pyarrow.compute as pc

from a2ledger.book.book import Draft
from a2ledger.book.config import Config
from a2ledger.calls import detail
from a2ledger.journal import carriers, subledgers
from a2ledger.journal.period_file import Usage, with_usage
from a2ledger.period import EPOCH


class Folder:
    """Collects days of calls that change, and puts what follows from them into a draft."""

    def __init__(self, draft: Draft, pool: Executor) -> None:
        self.draft, self.pool = draft, pool
        self.opened = {
            name: dt.date.fromordinal(entry.open_since)
            for name, entry in subledgers.customers(draft).entries().items()
        }
        """Start of each customer's open period."""
        self._including = {
            name
            for name, customer in subledgers.customers(draft).items()
            if "included" in {draft.config.treatment, *customer.values("vat")}
        }
        """Customers whose prices may contain VAT."""
        self._encoded: dict[dt.date, Future[tuple[detail.Digest, bytes]]] = {}
        self._usage: dict[str, list[Usage]] = {}
        self._days: dict[str, set[dt.date]] = {}

    def write(
        self,
        day: dt.date,
        calls: pa.Table,
        touched: Collection[str],
        carriers_before: Iterable[str],
    ) -> None:
        """Queue a day's file, and recompute usage of the customers touched.

        Args:
            day: on which the calls start.
            calls: all of the day, in any order.
            touched: customers some call of whom was added, changed or taken away.
            carriers_before: carriers of calls that were changed or taken away.
        """
        self._encoded[day] = self.pool.submit(detail.day_file, calls)
        self._write_carriers(day, calls, carriers_before)
        for name in touched:
            self._days.setdefault(name, set()).add(day)
        for row in detail.fold(calls, touched):
            if (row.late_in or day) >= self.opened[row.customer]:
                self._usage.setdefault(row.customer, []).append(self._posted(row, day))

    def _posted(self, row: detail.Folded, day: dt.date) -> Usage:
        """Return the usage to post in the customer's open period for a sum of calls."""
        posted, late = row.late_in or day, day if row.late_in else None
        pending = 0
        if row.customer in self._including:
            config, customer = self.draft.config, subledgers.customer(self.draft, row.customer)
            pending = config.pending(row.micro, row.vat, config.party(customer, day, posted))
        counts = (row.calls, row.seconds, row.micro)
        return Usage(posted, late, row.service, row.vat, *counts, pending)

    def _write_carriers(self, day: dt.date, calls: pa.Table, before: Iterable[str]) -> None:
        """Update what carriers are owed for a day."""
        owed = _owed(self.draft.config, detail.bought(calls))
        for name in sorted({*owed, *before} - {""}):
            path = carriers.month_path(name, day)
            text = carriers.merged(self.draft.text(path), name, {day: owed.get(name, ())})
            self.draft.put(path, text or None)
            remaining = self.draft.files(path.rpartition("/")[0], "2*.beancount")
            self.draft.put(carriers.opens_path(name), carriers.opens(name) if remaining else None)

    def finish(self) -> None:
        """Write the day files, and the open periods of all customers touched.

        Raises:
            BrokenBookError: if a customer's open period is not as the program wrote it.
        """
        draft = self.draft
        for name in sorted(self._days):
            file = with_usage(
                subledgers.open_file(draft, name), self._days[name], self._usage.get(name, ())
            )
            subledgers.put_open_file(draft, name, file)
        changed = {}
        for day, done in self._encoded.items():
            changed[day], content = done.result()
            draft.put(detail.path(day), content if changed[day].rows else None)
        if changed:
            detail.put_digests(draft, changed)


def _owed(
    config: Config, bought: Iterable[tuple[str, str, int, int, int]]
) -> dict[str, list[carriers.Terminated]]:
    """Return what each carrier is owed, by currency of the deck."""
    sums: dict[tuple[str, str], tuple[int, int, int]] = {}
    for carrier, deck, *row in bought:
        key = (carrier, config.deck(deck).currency)
        calls, seconds, micro = sums.get(key, (0, 0, 0))
        sums[key] = (calls + row[0], seconds + row[1], micro + row[2])
    owed: dict[str, list[carriers.Terminated]] = {}
    for (carrier, currency), total in sums.items():
        owed.setdefault(carrier, []).append(carriers.Terminated(*total, currency))
    return owed


def sealed(calls: pa.Table, day: dt.date, opened: Mapping[str, dt.date]) -> pa.Array:
    """Return a mask of the calls posted in a closed period.

    Args:
        calls: of a day.
        day: on which they start.
        opened: start of each customer's open period.
    """
    names = calls["customer"].combine_chunks().dictionary_encode()
    since = pa.array(
        [opened.get(name, EPOCH) for name in names.dictionary.to_pylist()], pa.date32()
    )
    posted = pc.fill_null(calls["late_in"], pa.scalar(day, pa.date32()))
    return pc.less(posted, since.take(names.indices)).combine_chunks()
