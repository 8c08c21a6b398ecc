"""Calls of closed periods re-rated: the difference, posted in the open period.

A closed bill stays as it is. One entry for each customer, calendar month, service and VAT code
says what the calls were billed at and what they cost by now, and moves the difference. What
earlier entries moved counts as billed, so that a second run posts only what changed since.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.book.book import GENERAL, Draft, RefusedError
from a2ledger.journal import subledgers, syntax
from a2ledger.journal.entries import read_entry, sale, transaction
from a2ledger.journal.period_file import with_entries
from a2ledger.period import DAY, Period, month_of

KIND = "rerate"
"""What the links of such entries begin with."""


class Key(NamedTuple):
    """What one entry is about."""

    customer: str
    month: str
    service: str
    vat: str


@dataclass(kw_only=True)
class Correction:
    """The difference of one entry; amounts in micro-units, ``first`` and ``last`` are days."""

    key: Key
    currency: str
    first: dt.date
    last: dt.date
    calls: int = 0
    before_micro: int = 0
    after_micro: int = 0
    serial: int = 1

    @property
    def micro(self) -> int:
        """What is posted."""
        return self.after_micro - self.before_micro

    def as_json(self) -> dict[str, Any]:
        """A row of the command's ``--json``."""
        return {
            "customer": self.key.customer,
            "currency": self.currency,
            "service": self.key.service,
            "vat_code": self.key.vat,
            "from": str(self.first),
            "to": str(self.last),
            "calls": self.calls,
            "before": money.text(self.before_micro, 2),
            "after": money.text(self.after_micro, 2),
            "difference": money.text(self.micro, 2),
        }

    def entry(self, day: dt.date, pending_micro: int) -> data.Transaction:
        """What moves the difference; ``pending_micro`` is the VAT inside it."""
        customer, month, service, vat = self.key
        calls = f"{self.calls} call{'' if self.calls == 1 else 's'}"
        return transaction(
            day,
            service,
            f"Re-rated: {calls} of {Period(self.first, self.last + DAY)}",
            sale(
                customer,
                accounts.income(service),
                self.micro,
                self.currency,
                vat=vat,
                pending_micro=pending_micro,
            ),
            meta={
                "from": self.first,
                "to": self.last,
                "rerated": self.calls,
                "before": Amount(money.decimal(self.before_micro), self.currency),
                "after": Amount(money.decimal(self.after_micro), self.currency),
            },
            links=[syntax.link(KIND, customer, f"{month}-{service}-{vat}-{self.serial}")],
        )


class Restating:
    """Adds calls of closed periods up, day after day, and posts what they differ by."""

    def __init__(self, draft: Draft, since: dt.date) -> None:
        self.draft, self.since = draft, since
        self._sums: dict[Key, Correction] = {}

    def add(self, day: dt.date, calls: pa.Table, after: pa.Array) -> None:
        """Take calls of a day in.

        Args:
            day: on which they started.
            calls: with the columns customer, service, vat and cost_micro as they were billed.
            after: what each costs by now, in micro-units.
        """
        month = month_of(day)
        start = max(self.since, dt.date.fromisoformat(f"{month}-01"))
        sums = calls.append_column("after", after).group_by(["customer", "service", "vat"])
        columns = [("cost_micro", "sum"), ("after", "sum"), ("uid", "count")]
        for row in sums.aggregate(columns).to_pylist():
            key = Key(row["customer"], month, row["service"], row["vat"])
            if key not in self._sums:
                currency = subledgers.currency(self.draft, key.customer)
                self._sums[key] = Correction(key=key, currency=currency, first=start, last=day)
            one = self._sums[key]
            one.last = max(one.last, day)
            one.calls += row["uid_count"]
            one.before_micro += row["cost_micro_sum"]
            one.after_micro += row["after_sum"]

    def corrections(self) -> list[Correction]:
        """What differs from what was billed, corrected or not.

        Raises:
            RefusedError: if a month was re-rated from an earlier day on before.
        """
        for key, first, micro in _earlier(self.draft) if self._sums else ():
            one = self._sums.get(key)
            if one is None:
                continue
            if first < one.first:
                raise RefusedError(
                    f"{key.customer}: calls of {key.month} were re-rated from {first} on before; "
                    f"nothing was done; say --from {first}, and give the rates in the deck dates "
                    "if they differ within the month"
                )
            one.before_micro += micro
            one.serial += 1
        return [one for _, one in sorted(self._sums.items()) if one.micro]

    def post(self, corrections: list[Correction]) -> None:
        """Put corrections into their customers' open periods, dated today."""
        entries: dict[str, list[data.Transaction]] = {}
        for one in corrections:
            customer = subledgers.customer(self.draft, one.key.customer)
            day = max(self.draft.today, customer.open_since)
            config = self.draft.config
            pending = config.pending(one.micro, one.key.vat, config.party(customer, day, day))
            entries.setdefault(customer.id, []).append(one.entry(day, pending))
        for name, found in entries.items():
            subledgers.put_open_file(
                self.draft, name, with_entries(subledgers.open_file(self.draft, name), found)
            )


def _earlier(draft: Draft) -> list[tuple[Key, dt.date, int]]:
    """Corrections the book holds: what each is about, from which day on, and what it moved."""
    names = {accounts.component(name): name for name in subledgers.customers(draft)}
    found = []
    for path in draft.files(GENERAL, "2*.beancount"):
        text = draft.text(path)
        if f" ^{KIND}-" not in text:
            continue
        for block in syntax.blocks(text):
            if any(name.startswith(f"{KIND}-") for name in syntax.links(block.text)):
                entry = read_entry(block.text)
                account, micro, _ = syntax.legs(block.text)[0]
                vat = str((entry.postings[0].meta or {}).get("vat", ""))
                first: dt.date = entry.meta["from"]
                key = Key(names[account.split(":")[2]], month_of(first), entry.payee or "", vat)
                found.append((key, first, micro))
    return found
