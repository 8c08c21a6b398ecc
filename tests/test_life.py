"""A company's life at random: whatever happens in whatever order, the books say what a model says.

The model knows the rules in their plainest form: what was posted, what was billed, one rounding
rule. After every step the program's balances are the model's, the journals load, customers' own
ledgers and the general one agree, and documents follow each other to the cent without a gap.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from conftest import Book, a2ledger

from a2ledger.period import DAY

CENT = Decimal("0.01")
TREATMENTS = {"C1": "on-invoice", "C2": "included", "C3": "none"}
BILLING_DAYS = {"C1": 1, "C2": 15, "C3": 31}


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass
class Account:
    """What the model knows of a customer."""

    treatment: str
    billing_day: int
    since: dt.date = dt.date(2026, 1, 1)
    """Where the open period starts."""
    billed: Decimal = Decimal(0)
    cumulative: Decimal = Decimal(0)
    """Everything ever posted to Unbilled; all of it is of one VAT code."""
    shown: Decimal = Decimal(0)
    """The part of it that has been billed."""
    posted: list[tuple[dt.date, Decimal]] = field(default_factory=list)
    money: list[tuple[dt.date, Decimal]] = field(default_factory=list)
    settled: bool = False
    fee: Decimal = Decimal(0)
    """What a month costs, in arrears; nothing before there is a fee."""
    fee_from: dt.date = dt.date.max
    fee_until: dt.date = dt.date.max
    fee_posted: dt.date = dt.date.min
    """The day to which its months have been posted."""
    last: tuple[str, list[tuple[dt.date, Decimal]], tuple[dt.date, Decimal]] | None = None
    """The last movement: what `void` calls it, where it waits to be billed, and itself."""

    def post(self, day: dt.date, amount: Decimal) -> None:
        self.posted.append((max(day, self.since), amount))

    def pay(self, day: dt.date, amount: Decimal) -> None:
        self.money.append((max(day, self.since), -amount))

    def fall_due(self, today: dt.date) -> None:
        """Post the months of the fee that have passed: billed on their last day."""
        if not self.fee:
            return
        start = self.fee_posted
        while start < self.fee_until:
            whole = Account(self.treatment, self.billing_day, start).end()
            end = min(whole, self.fee_until)
            if end - DAY > today:
                break
            first = self.month_start(whole)
            if part := cents(self.fee * (end - start).days / (whole - first).days):
                self.post(end - DAY, part)  # what costs nothing is not posted
            start = self.fee_posted = end

    def month_start(self, end: dt.date) -> dt.date:
        """The billing day before one."""
        day = end - DAY
        while True:
            if Account(self.treatment, self.billing_day, day).end() != end:
                return day + DAY
            day -= DAY

    @property
    def owed(self) -> Decimal:
        waiting = sum((amount for _, amount in [*self.posted, *self.money]), Decimal(0))
        return self.billed + self.cumulative - self.shown + waiting

    def end(self) -> dt.date:
        """The billing day after the open period's start."""
        day = self.since + DAY
        while (day + DAY).month == day.month and day.day != self.billing_day:
            day += DAY
        is_last = (day + DAY).month != day.month
        return (
            day
            if day.day == self.billing_day or (is_last and self.billing_day > 28)
            else self._first(day)
        )

    def _first(self, day: dt.date) -> dt.date:
        while day.day != min(self.billing_day, 28):
            day += DAY
        return day

    def close(self, end: dt.date, *, final: bool = False) -> Decimal:
        """Bill a period; what the customer owes more for it."""
        inside = [amount for day, amount in self.posted if day < end]
        self.posted = [row for row in self.posted if row[0] >= end]
        self.billed += sum((amount for day, amount in self.money if day < end), Decimal(0))
        self.money = [row for row in self.money if row[0] >= end]
        self.cumulative += sum(inside, Decimal(0))
        if final or not inside:
            self.cumulative = cents(self.cumulative)
        net = cents(self.cumulative) - self.shown
        self.shown += net
        gross = net + cents(net * 21 / 100) if self.treatment == "on-invoice" else net
        self.billed += gross
        self.since = end
        self.settled |= final
        return gross


class Life:
    """Commands at random, each followed by what the model says."""

    def __init__(self, place: Path) -> None:
        root = place / "book"
        done = a2ledger("init", root, "--company", "E", "--currency", "EUR", "--timezone", "UTC")
        assert done.code == 0, done.stderr
        self.book = Book(root, place / "files", today="2026-01-20")
        self.accounts = {
            name: Account(treatment, BILLING_DAYS[name]) for name, treatment in TREATMENTS.items()
        }
        self.book.customers(
            *(
                {"id": name, "vat": row.treatment, "billing_day": row.billing_day,
                 "credit_limit": "1000000"}
                for name, row in self.accounts.items()
            )
        )  # fmt: skip
        self.serial = itertools.count(1)
        self.again: list[tuple[str, Path]] = []

    @property
    def today(self) -> dt.date:
        return dt.date.fromisoformat(self.book.today)

    def take(self, source: str, row: dict[str, object], code: int = 0) -> dict[str, object]:
        path = self.book.file(
            f"{next(self.serial)}.csv",
            ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n",
        )
        if code == 0:
            self.again.append((source, path))
        return json.loads(self.book.run("import", source, path, "--json", code=code).stdout)

    def call(self, who: str, ago: int, cost: Decimal) -> None:
        account, day = self.accounts[who], self.today - ago * DAY
        row = {"id": next(self.serial), "customer": who, "start": f"{day} 10:00:00",
               "called": "3021", "seconds": 60, "cost": cost}  # fmt: skip
        if day < dt.date(2026, 1, 1):
            assert self.take("calls", row)["not_billable"] == {"before-opening": 1}
        elif account.settled:
            assert self.take("calls", row, code=3)["quarantined"] == {"settled": 1}
        else:
            assert self.take("calls", row)["late" if day < account.since else "posted"] == 1
            account.post(day, cost)

    def pay(self, who: str, ago: int, amount: Decimal, kind: str) -> None:
        account, day = self.accounts[who], self.today - ago * DAY
        row = {"id": next(self.serial), "customer": who, "date": day, "amount": amount}
        taken = self.take(kind, row)
        if day < dt.date(2026, 1, 1):
            assert taken["not_billable"] == {"before-opening": 1}
        else:
            account.pay(day, amount)
            account.last = (f"{kind[:-1]}/{row['id']}", account.money, account.money[-1])

    def charge(self, who: str, amount: Decimal) -> None:
        account = self.accounts[who]
        row = {"id": next(self.serial), "customer": who, "date": self.today, "amount": amount,
               "service": "One-off"}  # fmt: skip
        self.take("charges", row, code=3 if account.settled else 0)
        if not account.settled:
            account.post(self.today, amount)
            account.last = (f"charge/{row['id']}", account.posted, account.posted[-1])

    def void(self, who: str) -> None:
        """Strike the last movement out, if no bill has it."""
        account = self.accounts[who]
        name, _, row = account.last or ("payment/none", [], None)
        waiting = account.posted if name.startswith("charge") else account.money
        held = row in waiting
        self.book.run("void", name, "mistyped", code=0 if held else 1)
        if held:
            waiting.remove(row)
        account.last = None

    def goodwill(self, who: str, amount: Decimal) -> None:
        amount = max(CENT, cents(amount))
        self.book.run("goodwill", who, amount, "--id", f"g{next(self.serial)}")
        self.accounts[who].pay(self.today, amount)

    def refund(self, who: str, amount: Decimal) -> None:
        amount = max(CENT, cents(amount))
        self.book.run("refund", who, amount, "--id", f"g{next(self.serial)}")
        self.accounts[who].pay(self.today, -amount)

    def credit(self, who: str) -> None:
        """Give the last invoice back that has not been given back."""
        documents = json.loads(self.book.run("invoice", "--json").stdout)
        credited = {(one.get("original") or {}).get("number") for one in documents}
        for one in documents:
            if one["customer"]["id"] == who and one["kind"] == "invoice":
                number, gross = one["number"], Decimal(one["gross"])
                if number not in credited and gross:
                    self.book.run("credit-note", number, "--reason", "wrong")
                    self.accounts[who].pay(self.today, gross)
                    return

    def fee(self, who: str, amount: Decimal) -> None:
        """The first of a customer's fees: every month, in arrears, from today."""
        account, amount = self.accounts[who], max(CENT, cents(amount))
        if account.fee or account.settled:
            return
        self.book.run("fee", "add", who, "DIDs", amount, "--arrears", "--id", "did")
        account.fee, account.fee_posted, account.fee_until = amount, self.today, dt.date.max

    def fees_fall_due(self) -> None:
        for account in self.accounts.values():
            account.fall_due(self.today)

    def import_again(self, which: int) -> None:
        if not self.again:
            return
        source, path = self.again[which % len(self.again)]
        before = self.book.digests()
        again = json.loads(self.book.run("import", source, path, "--json").stdout)
        assert again["duplicate"] + sum(again["not_billable"].values()) == again["read"] == 1
        after = self.book.digests()
        assert {path for path in after if after[path] != before.get(path)} <= {"imports.csv"}

    def close(self, days: int) -> None:
        self.book.today = str(self.today + days * DAY)
        self.fees_fall_due()
        previews = {name: self.preview(name) for name in self.accounts}
        due = [
            (end, name)
            for name, account in self.accounts.items()
            if not account.settled
            for end in self.ends(account)
        ]
        done = self.book.run("close", "--json", code=0 if due else 1)
        closed = json.loads(done.stdout)
        assert [(row["period"]["end"], row["customer"]) for row in closed] == [
            (str(end), name) for end, name in sorted(due)
        ]
        for row in closed:
            gross = self.accounts[row["customer"]].close(
                dt.date.fromisoformat(row["period"]["end"])
            )
            assert Decimal(row["gross"]) == abs(gross)
        self.compare(closed, previews)

    def ends(self, account: Account) -> list[dt.date]:
        found = []
        probe = Account(account.treatment, account.billing_day, account.since)
        while probe.end() <= self.today:
            probe.since = probe.end()
            found.append(probe.since)
        return found

    def preview(self, name: str) -> dict[str, object]:
        return json.loads(self.book.run("preview", name, "--json").stdout)

    def compare(self, closed: list[dict], previews: dict[str, dict]) -> None:
        """The first document of each customer is what his preview was."""
        for row in closed:
            if (preview := previews.pop(row["customer"], None)) and row["number"]:
                done = self.book.run("invoice", row["number"], "--json")
                document = json.loads(done.stdout)
                for key in ("kind", "number", "issue_date", "due_date"):
                    document.pop(key), preview.pop(key)
                assert document == preview

    def settle(self, who: str, days: int) -> None:
        self.book.today = str(self.today + days * DAY)
        account = self.accounts[who]
        if account.fee_posted > self.today:  # the day is over that was charged
            self.book.today = str(account.fee_posted)
        ends = [] if account.settled else self.ends(account)
        start = ends[-1] if ends else account.since
        ahead = any(day >= self.today for day, _ in [*account.posted, *account.money])
        possible = not account.settled and (start < self.today or ends) and not ahead
        done = self.book.run("close", who, "--final", "--json", code=0 if possible else 1)
        if possible:
            account.fee_until = min(account.fee_until, self.today)
            self.fees_fall_due()
            for end in [*ends, *([self.today] if start < self.today else [])]:
                account.close(end, final=end == self.today)
            assert len(json.loads(done.stdout)) == len(ends) + (start < self.today)

    def reopen(self, who: str, days: int) -> None:
        self.book.today = str(self.today + days * DAY)
        account = self.accounts[who]
        self.book.run("customer", "reopen", who, code=0 if account.settled else 1)
        if not account.settled:
            return
        if self.today > account.since:
            account.close(self.today)
        account.settled = False

    def balances_are_the_models(self) -> None:
        nothing = self.book.file("none.csv", "id,customer,date,amount\n")
        self.book.run("import", "payments", nothing)  # whatever writes posts what is due
        self.fees_fall_due()
        rows = json.loads(self.book.run("balances", "--json").stdout)
        assert {row["customer"]: Decimal(row["owed"]) for row in rows} == {
            name: account.owed for name, account in self.accounts.items()
        }
        self.book.run("check", *self.accounts)

    def documents_follow_each_other(self) -> None:
        documents = json.loads(self.book.run("invoice", "--json").stdout)
        for series in ("INV", "CN"):
            numbers = sorted(
                d["number"] for d in documents if (d["number"] or "").startswith(series)
            )
            assert [int(number[-6:]) for number in numbers] == list(range(1, len(numbers) + 1))
        for name in self.accounts:
            own = [
                one
                for one in documents
                if one["customer"]["id"] == name and not one.get("original")
            ]
            own.sort(key=lambda one: one["period"]["start"])
            for one, following in itertools.pairwise(own):
                assert one["period"]["end"] == following["period"]["start"]
                assert one["statement"]["closing"] == following["statement"]["opening"]


def event(chance: random.Random) -> tuple[object, ...]:
    """Something that happens, and to whom."""
    who, ago = chance.choice(sorted(TREATMENTS)), chance.choice([0, 1, 5, 20, 40])
    amount = Decimal(chance.choice([1, 5_000, 15_000, chance.randrange(1, 50_000_000)])).scaleb(-6)
    return chance.choice(
        [
            *[("call", who, ago, amount)] * 3,
            ("pay", who, ago, amount, chance.choice(["refills", "payments"])),
            ("charge", who, amount),
            ("void", who),
            ("goodwill", who, amount),
            ("refund", who, amount),
            ("credit", who),
            ("fee", who, amount),
            ("import_again", chance.randrange(99)),
            ("close", chance.choice([0, 1, 15, 31, 45])),
            ("settle", who, chance.randrange(20)),
            ("reopen", who, chance.randrange(20)),
        ]
    )


@pytest.mark.parametrize("seed", range(int(os.environ.get("A2LEDGER_LIVES", "5"))))
def test_whatever_happens_the_books_say_what_the_model_says(seed, tmp_path):
    chance = random.Random(seed)  # noqa: S311 - the same lives every time
    life = Life(tmp_path)
    for _ in range(30):
        name, *values = event(chance)
        getattr(life, str(name))(*values)
        life.balances_are_the_models()
    life.documents_follow_each_other()
