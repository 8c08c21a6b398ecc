"""Re-rate calls of closed periods: post the difference in the open period.

A closed bill stays as it is. One entry for each customer, calendar month, service and VAT code
says what the calls were billed at and what they cost by now, and moves the difference. What
earlier entries moved counts as billed, so that a second run posts only what changed since.

What was credited of these calls, or written off, is no part of what they still cost: where their
price changes, the entry makes them cost what they cost by now, whatever was given back before. An
entry says what of that it took into account, and what it moved of which line of a bill.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
from beancount.core import data
from beancount.core.amount import Amount

from a2ledger import accounts, money
from a2ledger.book.book import Draft, RefusedError
from a2ledger.documents import given_back, worth
from a2ledger.documents.given_back import Calls
from a2ledger.documents.worth import Worth
from a2ledger.journal import shards, subledgers, syntax
from a2ledger.journal.entries import read_entry, sale, transaction
from a2ledger.journal.period_file import with_entries
from a2ledger.period import DAY, Period, month_of

KIND = "rerate"
"""Link prefix of such entries."""


class Key(NamedTuple):
    """The scope of one entry."""

    customer: str
    month: str
    service: str
    vat: str


@dataclass(kw_only=True)
class Correction:
    """The difference of one entry, in micro-units, for calls from ``first`` to ``last``."""

    key: Key
    currency: str
    first: dt.date
    last: dt.date
    calls: int = 0
    before_micro: int = 0
    """Amount billed for the calls, less what was given back."""
    after_micro: int = 0
    price_micro: int = 0
    """Their cost when they were last priced."""
    given_micro: int = 0
    """Amount given back by hand, in total …"""
    credited_micro: int = 0
    """… and the part given back since the last correction."""
    serial: int = 1
    lines: dict[str, int] = field(default_factory=dict)
    """Amounts moved, by line of a bill; see :func:`a2ledger.documents.given_back.line_key`."""
    tells_lines: bool = True
    """True if all earlier corrections record the lines they moved."""

    @property
    def micro(self) -> int:
        """Return the amount to post."""
        return self.after_micro - self.before_micro

    def as_json(self) -> dict[str, Any]:
        """Return a row for ``--json``."""
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
        """Make the entry that posts the difference, in which ``pending_micro`` is VAT."""
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
                **self._told(),
            },
            links=[syntax.link(KIND, customer, f"{month}-{service}-{vat}-{self.serial}")],
        )

    def _told(self) -> dict[str, object]:
        """Return metadata on what was given back by hand, and on the lines moved."""
        meta: dict[str, object] = {}
        if self.credited_micro:
            meta["credited"] = Amount(money.decimal(self.credited_micro), self.currency)
        if self.tells_lines:
            meta["moved"] = given_back.written_lines(self.lines)
        return meta


class _Sum(NamedTuple):
    """Calls of one bill line and one month, with amounts in micro-units."""

    before_micro: int
    """As billed."""
    after_micro: int
    moved_micro: int = 0
    """Moved by earlier corrections."""
    given_micro: int = 0
    """Given back by hand of what those moved."""


class Restating:
    """Adds up calls of closed periods day by day, and posts the differences."""

    def __init__(self, draft: Draft, since: dt.date) -> None:
        self.draft, self.since = draft, since
        self._sums: dict[Key, Correction] = {}
        self._lines: dict[Key, dict[Calls, _Sum]] = {}
        self._worths: dict[str, Worth] = {}

    def add(self, day: dt.date, calls: pa.Table, after: pa.Array) -> None:
        """Add the calls of a day.

        Args:
            day: on which they started.
            calls: with the columns customer, service, destination, vat, late_in and cost_micro as
                they were billed.
            after: what each costs by now, in micro-units.
        """
        month = month_of(day)
        start = max(self.since, dt.date.fromisoformat(f"{month}-01"))
        by = ["customer", "service", "vat", "destination", "late_in"]
        sums = calls.append_column("after", after).group_by(by)
        columns = [("cost_micro", "sum"), ("after", "sum"), ("uid", "count")]
        for row in sums.aggregate(columns).to_pylist():
            key = Key(row["customer"], month, row["service"], row["vat"])
            if key not in self._sums:
                currency = subledgers.currency(self.draft, key.customer)
                self._sums[key] = Correction(key=key, currency=currency, first=start, last=day)
            total = self._sums[key]
            total.last = max(total.last, day)
            total.calls += row["uid_count"]
            total.before_micro += row["cost_micro_sum"]
            total.after_micro += row["after_sum"]
            line = self._line(key, row["destination"], day, row["late_in"])
            held = self._lines.setdefault(key, {}).get(line, _Sum(0, 0))
            self._lines[key][line] = held._replace(
                before_micro=held.before_micro + row["cost_micro_sum"],
                after_micro=held.after_micro + row["after_sum"],
            )

    def _line(self, key: Key, destination: str, day: dt.date, late: dt.date | None) -> Calls:
        """Return the bill line on which calls of a day appear."""
        posted, periods = late or day, subledgers.customer(self.draft, key.customer).periods
        start = max((since for since in periods if since <= posted), default=periods[0])
        return Calls(start, key.service, destination, key.vat, day if late else None)

    def corrections(self) -> list[Correction]:
        """Return the corrections to post: costs that differ from what was billed or corrected.

        Raises:
            RefusedError: if a month was re-rated from an earlier day on before.
        """
        for earlier in _earlier(self.draft) if self._sums else ():
            total = self._sums.get(earlier.key)
            if total is None:
                continue
            if earlier.first < total.first:
                raise RefusedError(
                    (
                        f"{total.key.customer}: calls of {total.key.month} were re-rated from "
                        f"{earlier.first} on before"
                    ),
                    todo=(
                        f"say --from {earlier.first}, and give the rates in the deck dates if "
                        "they differ within the month"
                    ),
                )
            total.before_micro += earlier.micro
            total.price_micro += earlier.micro - earlier.credited_micro
            total.credited_micro -= earlier.credited_micro
            total.serial += 1
            total.tells_lines &= bool(earlier.lines) or not earlier.micro
            self._take_in(earlier)
        return [total for _, total in sorted(self._sums.items()) if self._moves(total)]

    def _take_in(self, earlier: _Earlier) -> None:
        """Add what an earlier correction moved, and what of it was given back by hand."""
        share = self._worth(earlier.key.customer).rerated().get(earlier.link)
        if share:
            self._sums[earlier.key].given_micro += share.of(earlier.micro)
        for line, row in self._lines[earlier.key].items():
            if moved := earlier.lines.get(given_back.line_key(line), 0):
                self._lines[earlier.key][line] = row._replace(
                    moved_micro=row.moved_micro + moved,
                    given_micro=row.given_micro + (share.of(moved) if share else 0),
                )

    def _worth(self, customer: str) -> Worth:
        """Return the worth of a customer's billed lines."""
        if customer not in self._worths:
            known = subledgers.customer(self.draft, customer)
            currency = subledgers.currency(self.draft, customer)
            self._worths[customer] = worth.of_customer(self.draft, known, currency)
        return self._worths[customer]

    def _moves(self, total: Correction) -> bool:
        """Compute what a correction moves, and return False if the price is unchanged."""
        lines = self._lines[total.key]
        total.price_micro += sum(row.before_micro for row in lines.values())
        if total.price_micro == total.after_micro:
            return False
        shares = self._worth(total.key.customer).calls()
        for line, row in lines.items():
            given = shares[line].of(row.before_micro) if line in shares else 0
            total.given_micro += given
            remaining = row.before_micro + row.moved_micro - row.given_micro - given
            if row.after_micro != remaining:
                total.lines[given_back.line_key(line)] = row.after_micro - remaining
        total.credited_micro += total.given_micro
        total.before_micro -= total.given_micro
        return bool(total.micro)

    def post(self, corrections: list[Correction]) -> None:
        """Post corrections into their customers' open periods, dated today."""
        entries: dict[str, list[data.Transaction]] = {}
        for correction in corrections:
            customer = subledgers.customer(self.draft, correction.key.customer)
            day = max(self.draft.today, customer.open_since)
            config = self.draft.config
            pending = config.pending(
                correction.micro, correction.key.vat, config.party(customer, day, day)
            )
            entries.setdefault(customer.id, []).append(correction.entry(day, pending))
        for name, made in entries.items():
            subledgers.put_open_file(
                self.draft, name, with_entries(subledgers.open_file(self.draft, name), made)
            )


class _Earlier(NamedTuple):
    """A correction that is in the book, with amounts in micro-units."""

    key: Key
    link: str
    first: dt.date
    micro: int
    credited_micro: int
    """Amount given back by hand that it took into account."""
    lines: dict[str, int]
    """Amounts moved by line of a bill, empty in entries of earlier versions."""


def _earlier(draft: Draft) -> list[_Earlier]:
    """Return the re-rating corrections in the book, oldest first."""
    names = {accounts.component(name): name for name in subledgers.customers(draft)}
    corrections = []
    for path in shards.months(draft):
        text = draft.text(path)
        if f" ^{KIND}-" not in text:
            continue
        for block in syntax.blocks(text):
            if any(name.startswith(f"{KIND}-") for name in block.links):
                entry = read_entry(block.text)
                account, micro, _ = block.legs[0]
                vat = str((entry.postings[0].meta or {}).get("vat", ""))
                first: dt.date = entry.meta["from"]
                key = Key(names[account.split(":")[2]], month_of(first), entry.payee or "", vat)
                stands = "voided" not in entry.meta
                credited = entry.meta.get("credited") if stands else None
                moved = given_back.rerated_lines(str(entry.meta.get("moved", "")) if stands else "")
                given = money.micro(credited.number) if credited else 0
                corrections.append(_Earlier(key, min(entry.links), first, micro, given, moved))
    return corrections
