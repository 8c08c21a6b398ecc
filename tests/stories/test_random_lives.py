"""A company's life at random: whatever happens in whatever order, the books say what a model says.

After every step the program's balances are the model's, the journals load alone, customers' own
ledgers and the general one agree, calls are what was posted, seals hold, and no document's number
is missing or was used twice.

A fourth customer goes through every door by which what was billed comes back, in any order: fees
in advance that change and stop, prices that do, credit notes, debts given up and paid after all.
No model says what he owes; the laws of his own ledger do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from deeds import deed
from dying import Killed, deadly
from examples import sampled
from harness import Book, a2ledger
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model import CENT, Account, cents

from a2ledger.period import DAY

TREATMENTS = {"C1": "on-invoice", "C2": "included", "C3": "none"}
BILLING_DAYS = {"C1": 1, "C2": 15, "C3": 31}
DOORS = "C4"
"""Whom everything happens to that gives back what was billed."""
DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,{},1,1
"""
MARKER = "; ---- usage below this line"
OPENED = dt.date(2026, 1, 1)

whose = st.sampled_from(sorted(TREATMENTS))
ago = st.sampled_from([0, 1, 5, 20, 40])
amounts = st.one_of(st.sampled_from([1, 5_000, 15_000]), st.integers(1, 50_000_000)).map(
    lambda micro: Decimal(micro).scaleb(-6)
)
sums = amounts.map(lambda amount: max(CENT, cents(amount)))
"""Of money, in cents: only what calls cost is finer."""
moments = st.integers(0, 60)
"""Of how many calls to the disk and to git the last is never made; none dies at call 0."""


class Company(RuleBasedStateMachine):
    """Commands at random, each followed by what the model says."""

    def __init__(self) -> None:
        super().__init__()
        self.place = Path(tempfile.mkdtemp(prefix="company-"))
        root = self.place / "book"
        done = a2ledger("init", root, "--company", "E", "--currency", "EUR", "--timezone", "UTC")
        assert done.code == 0, done.stderr
        self.book = Book(root, self.place / "files", today="2026-01-20")
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
        (root / "tariffs/standard.csv").write_text(DECK.format("0.60"))
        self.book.customers(
            {"id": DOORS, "vat": "on-invoice", "country": "BE", "credit_limit": "1000000"}
        )
        self.roundings = 0
        self.serial = itertools.count(1)
        self.taken: list[tuple[str, Path]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.place)

    @property
    def today(self) -> dt.date:
        return dt.date.fromisoformat(self.book.today)

    def wait(self, days: int) -> None:
        self.book.today = str(self.today + days * DAY)

    def survive(self, at: int, *words: object) -> None:
        """Run a command that dies at a call; the next one finishes what it began."""
        with pytest.MonkeyPatch.context() as patched:
            deadly(patched, at)
            with contextlib.suppress(Killed):
                a2ledger("-C", self.book.root, "--today", self.book.today, *words)
        self.nothing_happens()

    def nothing_happens(self) -> None:
        """Whatever writes finishes what was begun, takes hand edits and posts what is due."""
        self.book.run("import", "payments", self.book.file("none.csv", "id,customer,date,amount\n"))

    def file(self, *rows: dict[str, object]) -> Path:
        text = "".join(",".join(map(str, row.values())) + "\n" for row in rows)
        return self.book.file(f"{next(self.serial)}.csv", ",".join(rows[0]) + "\n" + text)

    def take(self, source: str, *rows: dict[str, object], at: int = 0, code: int = 0) -> dict:
        """Import rows; after a run that died they may be known, but are not taken twice."""
        path = self.file(*rows)
        if code == 0:
            self.taken.append((source, path))
        if at:
            self.survive(at, "import", source, path)
        done = a2ledger(
            "-C", self.book.root, "--today", self.book.today, "import", source, path, "--json"
        )
        assert done.code == code or (at and done.code == 0), done
        found = done.json
        known = found["duplicate"]
        assert known == 0 or (at and known == len(rows))
        return found

    def call_row(self, who: str, day: dt.date, cost: Decimal) -> dict[str, object]:
        return {"id": next(self.serial), "customer": who, "start": f"{day} 10:00:00",
                "called": "3021", "seconds": 60, "cost": cost}  # fmt: skip

    @rule(who=whose, ago=ago, cost=amounts, at=moments)
    def call(self, who: str, ago: int, cost: Decimal, at: int) -> None:
        account, day = self.accounts[who], self.today - ago * DAY
        settled = account.settled and day >= OPENED
        row = self.call_row(who, day, cost)
        found = self.take("calls", row, at=at, code=3 if settled else 0)
        if day < OPENED:
            assert found["not_billable"] == {"before-opening": 1}
        elif settled:
            assert found["quarantined"] == {"settled": 1}
        else:
            assert found["late" if day < account.since else "posted"] + found["duplicate"] == 1
            account.post(day, cost)

    @rule(who=whose, ago=ago, costs=st.lists(amounts, min_size=3, max_size=3))
    def calls_from_two_at_once(self, who: str, ago: int, costs: list[Decimal]) -> None:
        """Two programs import overlapping files at once: one waits, and nothing counts twice."""
        account, day = self.accounts[who], self.today - ago * DAY
        if account.settled or day < OPENED:
            return
        rows = [self.call_row(who, day, cost) for cost in costs]
        words = [sys.executable, "-m", "a2ledger", "-C", str(self.book.root), "--today",
                 self.book.today, "import", "calls"]  # fmt: skip
        writers = [
            subprocess.Popen([*words, path, "--json"], stdout=subprocess.PIPE, text=True)
            for path in (self.file(*rows[:2]), self.file(*rows[1:]))
        ]
        found = [json.loads(writer.communicate(timeout=60)[0]) for writer in writers]
        assert sum(one["posted"] + one["late"] for one in found) == 3
        assert sum(one["duplicate"] for one in found) == 1
        for cost in costs:
            account.post(day, cost)

    @rule(who=whose, ago=ago, amount=sums, kind=st.sampled_from(["refills", "payments"]),
          at=moments)  # fmt: skip
    def pay(self, who: str, ago: int, amount: Decimal, kind: str, at: int) -> None:
        account, day = self.accounts[who], self.today - ago * DAY
        row = {"id": next(self.serial), "customer": who, "date": day, "amount": amount}
        found = self.take(kind, row, at=at)
        assert found["late" if day < account.since else "posted"] + found["duplicate"] == 1
        account.pay(day, amount)
        if kind == "payments":
            account.payments[str(row["id"])] = amount
        account.last = (f"{kind[:-1]}/{row['id']}", account.money, account.money[-1])

    @rule(who=whose, amount=sums, at=moments)
    def charge(self, who: str, amount: Decimal, at: int) -> None:
        account = self.accounts[who]
        row = {"id": next(self.serial), "customer": who, "date": self.today, "amount": amount,
               "service": "One-off"}  # fmt: skip
        self.take("charges", row, at=at, code=3 if account.settled else 0)
        if not account.settled:
            account.post(self.today, amount)
            account.last = (f"charge/{row['id']}", account.posted, account.posted[-1])

    @rule(who=whose, amount=sums)
    def write_into_the_journal(self, who: str, amount: Decimal) -> None:
        """Somebody grants a credit with his editor."""
        account = self.accounts[who]
        if account.settled:  # Beancount's `close` may stand in his ledger: then it is refused
            return
        day = max(self.today, account.since)
        self.book.edit(
            f"journals/{account.since:%Y-%m}/{who}.{account.since:%d}.beancount",
            MARKER,
            f'{day} * "Credit" "by hand"\n'
            f"  Assets:Receivable:{who}:Billed  -{amount} EUR\n"
            f"  Expenses:Goodwill  {amount} EUR\n\n{MARKER}",
        )
        account.pay(day, amount)

    @rule(who=whose)
    def void(self, who: str) -> None:
        """Strike the last movement out, if no bill has it."""
        account = self.accounts[who]
        name, _, row = account.last or ("payment/none", [], None)
        waiting = account.posted if name.startswith("charge") else account.money
        held = row in waiting
        self.book.run("void", name, "mistyped", code=0 if held else 1)
        if held:
            waiting.remove(row)
            account.payments.pop(name.rpartition("/")[2], None)
        account.last = None

    @rule(who=whose, amount=sums, at=moments)
    def goodwill(self, who: str, amount: Decimal, at: int) -> None:
        words = ("goodwill", who, amount, "--id", f"g{next(self.serial)}")
        if at:
            self.survive(at, *words)
        self.book.run(*words)
        self.accounts[who].pay(self.today, amount)

    @rule(who=whose, amount=sums)
    def refund(self, who: str, amount: Decimal) -> None:
        self.book.run("refund", who, amount, "--id", f"g{next(self.serial)}")
        self.accounts[who].pay(self.today, -amount)

    @rule(who=whose, told=st.sampled_from(["staff", "bank", "staff and bank", "bank and staff"]))
    def charge_back(self, who: str, told: str) -> None:
        """The last payment comes back, and whoever tells of it again tells of the same."""
        account = self.accounts[who]
        if not account.payments:
            return
        name, amount = account.payments.popitem()
        for place, teller in enumerate(told.split(" and ")):
            if teller == "staff":
                code = 0 if place == 0 else 1
                self.book.run("returned", who, name, code=code)
            else:
                row = {"id": next(self.serial), "customer": who, "date": self.today,
                       "amount": -amount, "reference": name}  # fmt: skip
                self.take("payments", row, code=0 if place == 0 else 3)
        account.pay(self.today, -amount)
        account.last = None

    @rule(who=whose, amount=st.none() | sums, at=moments)
    def write_off(self, who: str, amount: Decimal | None, at: int) -> None:
        account = self.accounts[who]
        owed, asked = account.owed_on_bills, [] if amount is None else [amount]
        lost = owed if amount is None else amount
        possible = 0 < lost <= owed
        words = ("write-off", who, *asked, "--vat-relief", "--id", f"w{next(self.serial)}")
        if at:
            self.survive(at, *words)
        self.book.run(*words, code=0 if possible else 1)
        if possible:
            account.pay(self.today, lost)
            account.lost += lost

    @rule(who=whose, amount=sums)
    def recover(self, who: str, amount: Decimal) -> None:
        account = self.accounts[who]
        possible = amount <= account.lost
        words = ("recover", who, amount, "--id", f"r{next(self.serial)}")
        self.book.run(*words, code=0 if possible else 1)
        if possible:
            account.pay(self.today, -amount)
            account.lost -= amount

    @rule(who=whose, at=moments)
    def credit(self, who: str, at: int) -> None:
        """Give back the first invoice that has not been given back."""
        documents = self.book.run("invoice", "--json").json
        credited = {(one.get("original") or {}).get("number") for one in documents}
        for one in documents:
            if one["customer"]["id"] == who and one["kind"] == "invoice":
                number, gross = one["number"], Decimal(one["gross"])
                if number not in credited and gross:
                    words = ("credit-note", number, "--reason", "wrong", "--json")
                    if at:
                        self.survive(at, *words)
                    done = a2ledger("-C", self.book.root, "--today", self.book.today, *words)
                    given = Decimal(done.json["amount"]) if done.code == 0 else Decimal(0)
                    # What was written off of it is not given back once more.
                    assert gross - self.accounts[who].lost - 3 * CENT <= given <= gross, done
                    if given:
                        self.accounts[who].pay(self.today, given)
                    return

    @rule(who=whose, amount=sums)
    def fee(self, who: str, amount: Decimal) -> None:
        """The first of a customer's fees: every month, in arrears, from today."""
        account = self.accounts[who]
        if account.fee or account.settled:
            return
        self.book.run("fee", "add", who, "DIDs", amount, "--arrears", "--id", "did")
        account.fee, account.fee_posted, account.fee_until = amount, self.today, dt.date.max

    @rule(data=st.data(), kind=st.sampled_from(
        ["call", "call", "fee", "change", "stop", "price", "credit", "write-off", "recover", "pay",
         "come back", "settle"]), at=moments)  # fmt: skip
    def go_through_a_door(self, data: st.DataObject, kind: str, at: int) -> None:  # noqa: C901
        """Something happens to the fourth customer; what cannot be is refused in a line."""
        day = self.today - data.draw(ago) * DAY
        name = f"d{next(self.serial)}"
        words: list[object] = []
        if kind == "call":
            row = self.call_row(DOORS, max(day, OPENED), Decimal(0))
            del row["cost"]
            row["called"], row["seconds"] = "3225550101", data.draw(st.integers(0, 5000))
            words = ["import", "calls", self.file(row)]
        elif kind == "fee":
            every = data.draw(st.sampled_from(["month", "2-weeks", "quarter", "month"]))
            own = data.draw(st.sampled_from([[], ["--own-day"]]))
            words = ["fee", "add", DOORS, "Subscriptions", data.draw(sums), "--every", every, *own]
        elif kind in {"change", "stop"}:
            fee = data.draw(st.sampled_from(["fee1", "fee2"]))
            amount = [data.draw(sums)] if kind == "change" else []
            words = ["fee", kind, DOORS, fee, *amount, "--from", day]
        elif kind == "price":
            price = data.draw(st.sampled_from(["0.60", "0.30", "0.12", "0.90"]))
            (self.book.root / "tariffs/standard.csv").write_text(DECK.format(price))
            words = ["rerate", "--from", OPENED]
        elif kind == "credit":
            own = [
                one
                for one in self.book.run("invoice", "--json").json
                if one["customer"]["id"] == DOORS and one["kind"] == "invoice"
            ]
            if not own:
                return
            invoice = data.draw(st.sampled_from(own))
            line = data.draw(st.sampled_from([None, *(row["line"] for row in invoice["lines"])]))
            part = data.draw(st.none() | sums) if line else None
            words = ["credit-note", invoice["number"], "--reason", "wrong", "--id", name]
            words += ["--line", line] if line else []
            words += ["--amount", part] if part else []
        elif kind in {"write-off", "recover"}:
            amount = [data.draw(sums)] if kind == "recover" or data.draw(st.booleans()) else []
            words = [kind, DOORS, *amount, "--id", name]
            words += ["--vat-relief"] if kind == "write-off" else []
        elif kind == "pay":
            row = {"id": name, "customer": DOORS, "date": self.today, "amount": data.draw(sums)}
            words = ["import", "payments", self.file(row)]
        elif kind == "come back":
            words = ["returned", DOORS, f"d{data.draw(st.integers(1, 60))}"]
        else:
            words = ["close", DOORS, "--final"] if data.draw(st.booleans()) else []
            words = words or ["customer", "reopen", DOORS]
        if at:
            self.survive(at, *words)
        done = a2ledger("-C", self.book.root, "--today", self.book.today, *words)
        assert done.code in {0, 1, 3}, done
        self.roundings += 1

    @invariant()
    def no_line_of_the_fourth_is_worth_less_than_nothing(self) -> None:
        """VAT is in proportion to what his bills are worth, and deferred income in step."""
        sums = self.book.sums(f"journals/customers/{DOORS}.beancount")

        def of(*names: str) -> Decimal:
            return sum((value for key, value in sums.items() if key.startswith(names)), Decimal(0))

        documents = self.book.documents().values()
        own = [one for one in documents if one["customer"]["id"] == DOORS]
        slack = CENT * (2 + len(own) * 2 + self.roundings)
        waiting = of(f"Assets:Receivable:{DOORS}:Unbilled")
        sold = -of("Income:", "Liabilities:Deferred-Income") - waiting
        worth = sold - of("Expenses:Bad-Debt")
        assert worth >= -slack, sums
        assert abs(-of("Liabilities:VAT:") - worth * 21 / 100) <= slack, sums
        assert of("Liabilities:Deferred-Income") <= slack, sums

    def fees_fall_due(self) -> None:
        for account in self.accounts.values():
            account.fall_due(self.today)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def import_again(self, data: st.DataObject) -> None:
        source, path = data.draw(st.sampled_from(self.taken))
        self.nothing_happens()
        before = self.book.digests()
        again = self.book.run("import", source, path, "--json").json
        assert again["duplicate"] + sum(again["not_billable"].values()) == again["read"]
        after = self.book.digests()
        assert {path for path in after if after[path] != before.get(path)} <= {"imports.csv"}

    @rule(days=st.sampled_from([0, 1, 15, 31, 45]), at=moments)
    def close(self, days: int, at: int) -> None:
        self.wait(days)
        self.nothing_happens()
        self.fees_fall_due()
        previews = {name: self.book.preview(name) for name in [*self.accounts, DOORS]}
        due = sorted(
            (end, name)
            for name, account in self.accounts.items()
            if not account.settled
            for end in account.ends(self.today)
        )
        if at:
            self.survive(at, "close")
        done = a2ledger("-C", self.book.root, "--today", self.book.today, "close", "--json")
        closed = {(row["period"]["end"], row["customer"]): row for row in done.json}
        assert all(row["closed"] for row in closed.values())
        modelled = [key for key in closed if key[1] != DOORS]
        assert modelled == [(str(end), name) for end, name in due] or (at and not closed)
        for end, name in due:
            gross = self.accounts[name].close(end)
            if row := closed.get((str(end), name)):
                assert Decimal(row["gross"]) == abs(gross)
        for row in closed.values():
            preview = previews.pop(row["customer"])
            if preview and row["number"] and row["kind"] != "credit-note":
                document = self.book.invoice(row["number"])
                for key in ("kind", "number", "issue_date", "due_date", "seal"):
                    document.pop(key, None), preview.pop(key, None)
                assert document == preview
            previews[row["customer"]] = {}  # only his first document is what his preview was

    @rule(who=whose, days=st.integers(0, 20))
    def settle(self, who: str, days: int) -> None:
        self.wait(days)
        account = self.accounts[who]
        if account.fee_posted > self.today:  # the day is over that was charged
            self.book.today = str(account.fee_posted)
        ends = [] if account.settled else account.ends(self.today)
        start = ends[-1] if ends else account.since
        ahead = any(day >= self.today for day, _ in [*account.posted, *account.money])
        possible = not account.settled and (start < self.today or ends) and not ahead
        done = self.book.run("close", who, "--final", "--json", code=0 if possible else 1)
        if possible:
            account.fee_until = min(account.fee_until, self.today)
            self.fees_fall_due()
            for end in [*ends, *([self.today] if start < self.today else [])]:
                account.close(end, final=end == self.today)
            assert len(done.json) == len(ends) + (start < self.today)

    @rule(who=whose, days=st.integers(0, 20))
    def reopen(self, who: str, days: int) -> None:
        self.wait(days)
        account = self.accounts[who]
        self.book.run("customer", "reopen", who, code=0 if account.settled else 1)
        if account.settled:
            if self.today > account.since:
                account.close(self.today)
            account.settled = False

    @rule(seed=st.integers(0, 9999))
    def hands_are_in_the_book(self, seed: int) -> None:
        """The book is right, or the next command says what is wrong, and how it comes back."""
        saved, old, root = self.place / "saved", self.place / "old", self.book.root
        self.nothing_happens()
        shutil.copytree(root, saved, symlinks=True)
        tops = ("journals", "invoices", "imports.csv")
        what, path = deed(root, old if old.exists() else saved, random.Random(seed), tops)  # noqa: S311
        empty = self.book.file("none.csv", "id,customer,date,amount\n")
        words = ("-C", root, "--today", self.book.today, "import", "payments", empty)
        done = a2ledger(*words)
        assert done.code in {0, 1, 73}, (what, done)
        if done.code:
            assert done.errors, what
            assert (
                "doctor --mend" in done.stderr
                or "git checkout" in done.stderr
                or any(word in done.stderr for word in ("take it away", "correct it", "put the"))
            ), (what, done)
            for linked in [one for one in root.rglob("*") if one.is_symlink()]:
                linked.unlink()
            self.book.git("checkout", "HEAD", "--", ".")
            self.book.git("clean", "--quiet", "-fd")
        elif (saved / path).is_file() and path.suffix == ".beancount":
            shutil.copy(saved / path, root / path)  # what was taken is taken back
        self.nothing_happens()
        shutil.rmtree(old, ignore_errors=True)
        saved.rename(old)

    @invariant()
    def balances_are_the_models(self) -> None:
        self.nothing_happens()
        self.fees_fall_due()
        rows = self.book.run("balances", "--json").json
        owed = {row["customer"]: Decimal(row["owed"]) for row in rows}
        del owed[DOORS]  # of whom there is no model
        assert owed == {name: account.owed for name, account in self.accounts.items()}

    @invariant()
    def books_are_sound(self) -> None:
        self.book.run("check", *self.accounts)
        self.book.run("verify")
        for top in self.book.tops():
            self.book.entries(top)
        assert not self.book.git("status", "--porcelain")

    @invariant()
    def documents_follow_each_other(self) -> None:
        documents = self.book.run("invoice", "--json").json
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


TestCompany = pytest.mark.long(Company.TestCase)
TestCompany.settings = settings(
    max_examples=int(os.environ.get("A2LEDGER_LIVES") or sampled(2, 1)),
    stateful_step_count=sampled(30, 20),
    deadline=None,
    derandomize="A2LEDGER_LIVES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
