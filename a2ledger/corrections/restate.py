"""Calls of closed periods re-rated: the difference, posted in the open period.

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
from a2ledger.book.book import GENERAL, Draft, RefusedError
from a2ledger.documents import worth
from a2ledger.documents.worth import Calls, Worth
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
    """What was billed for them, as far as it is not given back."""
    after_micro: int = 0
    price_micro: int = 0
    """What they cost when their price was last looked at."""
    given_micro: int = 0
    """What of all that was billed was given back by hand …"""
    credited_micro: int = 0
    """… and what of it since then."""
    serial: int = 1
    lines: dict[str, int] = field(default_factory=dict)
    """What is moved by line of a bill; see :func:`a2ledger.documents.worth.line_key`."""
    tells_lines: bool = True
    """Whether all earlier corrections say what they moved of which line."""

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
                **self._told(),
            },
            links=[syntax.link(KIND, customer, f"{month}-{service}-{vat}-{self.serial}")],
        )

    def _told(self) -> dict[str, object]:
        """What was given back by hand, where something was; and what is moved of which line."""
        meta: dict[str, object] = {}
        if self.credited_micro:
            meta["credited"] = Amount(money.decimal(self.credited_micro), self.currency)
        if self.tells_lines:
            meta["moved"] = worth.written_lines(self.lines)
        return meta


class _Sum(NamedTuple):
    """Calls of one line of a bill and one month; amounts in micro-units."""

    before_micro: int
    """As they were billed."""
    after_micro: int
    moved_micro: int = 0
    """By earlier corrections."""
    given_micro: int = 0
    """By hand, of what those moved."""


class Restating:
    """Adds calls of closed periods up, day after day, and posts what they differ by."""

    def __init__(self, draft: Draft, since: dt.date) -> None:
        self.draft, self.since = draft, since
        self._sums: dict[Key, Correction] = {}
        self._lines: dict[Key, dict[Calls, _Sum]] = {}
        self._worths: dict[str, Worth] = {}

    def add(self, day: dt.date, calls: pa.Table, after: pa.Array) -> None:
        """Take calls of a day in.

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
            one = self._sums[key]
            one.last = max(one.last, day)
            one.calls += row["uid_count"]
            one.before_micro += row["cost_micro_sum"]
            one.after_micro += row["after_sum"]
            line = self._line(key, row["destination"], day, row["late_in"])
            held = self._lines.setdefault(key, {}).get(line, _Sum(0, 0))
            self._lines[key][line] = held._replace(
                before_micro=held.before_micro + row["cost_micro_sum"],
                after_micro=held.after_micro + row["after_sum"],
            )

    def _line(self, key: Key, destination: str, day: dt.date, late: dt.date | None) -> Calls:
        """The line of a bill on which calls of a day stand."""
        posted, periods = late or day, subledgers.customer(self.draft, key.customer).periods
        start = max((since for since in periods if since <= posted), default=periods[0])
        return Calls(start, key.service, destination, key.vat, day if late else None)

    def corrections(self) -> list[Correction]:
        """What differs from what was billed, corrected or not.

        Raises:
            RefusedError: if a month was re-rated from an earlier day on before.
        """
        for earlier in _earlier(self.draft) if self._sums else ():
            one = self._sums.get(earlier.key)
            if one is None:
                continue
            if earlier.first < one.first:
                raise RefusedError(
                    (
                        f"{one.key.customer}: calls of {one.key.month} were re-rated from "
                        f"{earlier.first} on before"
                    ),
                    todo=(
                        f"say --from {earlier.first}, and give the rates in the deck dates if "
                        "they differ within the month"
                    ),
                )
            one.before_micro += earlier.micro
            one.price_micro += earlier.micro - earlier.credited_micro
            one.credited_micro -= earlier.credited_micro
            one.serial += 1
            one.tells_lines &= bool(earlier.lines) or not earlier.micro
            self._take_in(earlier)
        return [one for _, one in sorted(self._sums.items()) if self._moves(one)]

    def _take_in(self, earlier: _Earlier) -> None:
        """Add what an earlier correction moved, and what of that was given back by hand."""
        share = self._worth(earlier.key.customer).rerated().get(earlier.link)
        if share:
            self._sums[earlier.key].given_micro += share.of(earlier.micro)
        for line, row in self._lines[earlier.key].items():
            if moved := earlier.lines.get(worth.line_key(line), 0):
                self._lines[earlier.key][line] = row._replace(
                    moved_micro=row.moved_micro + moved,
                    given_micro=row.given_micro + (share.of(moved) if share else 0),
                )

    def _worth(self, customer: str) -> Worth:
        """What a customer's billed lines are worth."""
        if customer not in self._worths:
            known = subledgers.customer(self.draft, customer)
            currency = subledgers.currency(self.draft, customer)
            self._worths[customer] = worth.of_customer(self.draft, known, currency)
        return self._worths[customer]

    def _moves(self, one: Correction) -> bool:
        """Work out what a correction moves; false where the price is what it was."""
        lines = self._lines[one.key]
        one.price_micro += sum(row.before_micro for row in lines.values())
        if one.price_micro == one.after_micro:
            return False
        shares = self._worth(one.key.customer).calls()
        for line, row in lines.items():
            given = shares[line].of(row.before_micro) if line in shares else 0
            one.given_micro += given
            left = row.before_micro + row.moved_micro - row.given_micro - given
            if row.after_micro != left:
                one.lines[worth.line_key(line)] = row.after_micro - left
        one.credited_micro += one.given_micro
        one.before_micro -= one.given_micro
        return bool(one.micro)

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


class _Earlier(NamedTuple):
    """A correction the book holds; amounts in micro-units."""

    key: Key
    link: str
    first: dt.date
    micro: int
    credited_micro: int
    """What was given back by hand that it took into account."""
    lines: dict[str, int]
    """What it moved by line of a bill; empty in entries of earlier versions."""


def _earlier(draft: Draft) -> list[_Earlier]:
    """Corrections the book holds, oldest first."""
    names = {accounts.component(name): name for name in subledgers.customers(draft)}
    found = []
    for path in draft.files(GENERAL, "2*.beancount"):
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
                moved = worth.rerated_lines(str(entry.meta.get("moved", "")) if stands else "")
                given = money.micro(credited.number) if credited else 0
                found.append(_Earlier(key, min(entry.links), first, micro, given, moved))
    return found
