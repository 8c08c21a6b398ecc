"""Whatever is done to what was billed, by whatever door and in whatever order, is done once."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import shelf
from examples import sampled
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from a2ledger import accounts, money
from a2ledger.balances import check
from a2ledger.book.book import Book, RefusedError
from a2ledger.corrections import correct, issue_credit_note, rerate, transfer, write_off
from a2ledger.corrections.correct import Wanted
from a2ledger.documents import files, worth
from a2ledger.fees import charge
from a2ledger.journal import subledgers, syntax

DECK = """\
dialprefix,destination,rateinitial,initblock,billingblock
32,Belgium,{},1,1
33,France,{},1,1
"""
CENT = 10_000


@pytest.fixture(scope="module")
def billed(tmp_path_factory) -> Path:
    """January to March are billed: fees in advance, 31.00 a month and 73.00 a year, 10.00 and 5.00
    of calls, a charge."""
    root = shelf.started(
        tmp_path_factory.mktemp("worth") / "book", "A", vat="on-invoice", country="BE"
    )
    (root / "tariffs/standard.csv").write_text(DECK.format("0.60", "0.30"))
    one = shelf.draft(root, dt.date(2026, 1, 1))
    charge.add(one, "A", "Subscriptions", "31.00", name="f", since=dt.date(2026, 1, 1))
    since = dt.date(2026, 1, 1)
    charge.add(one, "A", "DIDs", "73.00", name="y", every="year", since=since)
    charge.charge(one, {"A"})
    shelf.publish(one)
    calls = "id,customer,start,called,seconds\n" + "".join(
        f"{number},A,2026-0{month}-06 10:00:00,{prefix}25550101,1000\n"
        for number, (month, prefix) in enumerate([(1, "32"), (1, "33"), (2, "32"), (3, "33")])
    )
    shelf.take(root, "old", calls, dt.date(2026, 3, 20))
    row = "id,customer,date,amount,service\nc,A,2026-02-07,100.00,One-off\n"
    shelf.take(root, "charges", row, dt.date(2026, 3, 20))
    shelf.close(root, dt.date(2026, 4, 1))
    return root


NUMBERS = st.sampled_from([f"INV-2026-00000{number}" for number in (1, 2, 3)])
DAYS = st.sampled_from([dt.date(2026, month, day) for month in (1, 2, 3, 4) for day in (1, 10, 16)])
FEES = st.sampled_from(["f", "y"])
AMOUNTS = st.sampled_from(["0.01", "1.00", "5.00", "16.00", "31.00", "60.50", "121.00"])
DOOR = (
    st.tuples(
        st.just("credit"), NUMBERS, st.none() | st.tuples(st.integers(1, 5), st.none() | AMOUNTS)
    )
    | st.tuples(st.just("stop"), DAYS, FEES)
    | st.tuples(st.just("change"), DAYS, AMOUNTS, FEES)
    | st.tuples(st.just("rerate"), st.sampled_from(["0.60", "0.30", "0.12", "0.90"]), AMOUNTS)
    | st.tuples(st.just("write-off"), st.none() | AMOUNTS)
    | st.tuples(st.just("recover"), AMOUNTS)
    | st.tuples(st.just("close"))
)


def go_through(root: Path, today: dt.date, door: tuple) -> dt.date:
    """Do one thing on a day, and return the day of the next."""
    kind, *how = door
    if kind == "close":
        following = (today.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        shelf.close(root, following)
        return following + dt.timedelta(days=1)
    if kind == "rerate":
        (root / "tariffs/standard.csv").write_text(DECK.format(how[0], "0.30"))
    one = shelf.draft(root, today)
    wanted = Wanted(kind=kind, customer="A", day=today, id=f"{kind}-{today}-{len(how)}")
    with contextlib.suppress(RefusedError):
        if kind == "credit":
            line, amount = how[1] or (None, None)
            lines, micro = (line,) if line else (), money.parse(amount) if amount else None
            asked = issue_credit_note.Asked(how[0], lines, micro, "wrong", today)
            issue_credit_note.credit_note(one, asked)
        elif kind == "stop":
            charge.stop(one, "A", how[1], how[0])
        elif kind == "change":
            charge.change(one, "A", how[2], how[1], how[0])
        elif kind == "rerate":
            rerate.rerate(one, since=dt.date(2026, 1, 1))
        elif kind == "write-off":
            micro = None if how[0] is None else money.parse(how[0])
            write_off.write_off(one, wanted, micro, relief=True)
        else:
            write_off.recover(one, wanted, money.parse(how[0]))
    charge.charge(one, {"A"})
    shelf.publish(one)
    return today + dt.timedelta(days=1)


def sums(root: Path) -> Counter[str]:
    """What is on every account, in micro-units."""
    found: Counter[str] = Counter()
    for path in (root / "journals/general").glob("2*.beancount"):
        for leg in syntax.legs(path.read_text()):
            found[leg.account] += leg.micro
    return found


def check_worth(root: Path) -> None:
    """No line is worth less than nothing, or more than it was billed at."""
    book = Book(root)
    customer = subledgers.customer(book, "A")
    left = worth.of_customer(book, customer, "EUR")
    for number, document in files.chosen(book, [], "").items():
        if document.kind != "invoice":
            continue
        given_back = [*left.notes(number), *left.given(document)]
        rest = document.net_by_line
        taxes = {row.code: money.parse(row.vat) for row in document.vat}
        for each in given_back:
            for line, net in each.lines.items():
                rest[line] -= net
            for code, vat in each.vat.items():
                taxes[code] -= vat
        for line, net in document.net_by_line.items():
            assert min(net, 0) <= rest[line] <= max(net, 0), (number, line, given_back)
        # VAT in proportion: a cent for each time it was rounded.
        slack = CENT * (1 + len(given_back))
        assert abs(taxes["S21"] - sum(rest.values()) * 21 // 100) <= slack, (number, given_back)


def check_deferred(root: Path, end: dt.date, slack: int) -> None:
    """What is income of days to come is what these are still worth."""
    book = Book(root)
    customer = subledgers.customer(book, "A")
    left = worth.of_customer(book, customer, "EUR")
    monthly, yearly = sorted(customer.fees, key=lambda fee: fee.id)
    deferred = -sums(root)[accounts.DEFERRED]
    assert deferred >= -slack
    expected = 0 if monthly.until else monthly.price_micro(end)
    if not yearly.until and len(yearly.prices) == 1:
        january = files.chosen(book, ["INV-2026-000001"], "")["INV-2026-000001"]
        (line,) = (row.line for row in january.lines if row.service == "DIDs")
        credited = sum(each.lines.get(line, 0) for each in left.notes("INV-2026-000001"))
        whole = yearly.price_micro(end)
        days = (dt.date(2027, 1, 1) - end).days
        expected += (whole - credited) * days // 365
    elif not yearly.until:
        return
    assert abs(deferred - expected) <= slack, (deferred, expected)


DATES = settings(
    max_examples=int(os.environ.get("A2LEDGER_LIVES") or sampled(6, 2)),
    deadline=None,
    derandomize="A2LEDGER_LIVES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.long
@DATES
@given(st.lists(DOOR, min_size=2, max_size=5))
@example([("credit", "INV-2026-000002", None), ("stop", dt.date(2026, 2, 1), "f"), ("close",)])
@example([("stop", dt.date(2026, 2, 1), "f"), ("credit", "INV-2026-000001", None), ("close",)])
@example([("credit", "INV-2026-000001", None), ("stop", dt.date(2026, 4, 1), "y"), ("close",)])
@example([("write-off", None), ("stop", dt.date(2026, 3, 16), "y"), ("recover", "121.00")])
@example([("rerate", "0.30", ""), ("write-off", None), ("close",), ("recover", "60.50")])
@example([("stop", dt.date(2026, 1, 1), "f"), ("rerate", "0.30", ""), ("write-off", None)])
@example([("credit", "INV-2026-000001", (1, "5.00")), ("rerate", "0.30", ""), ("close",)])
@example([("rerate", "0.30", ""), ("credit", "INV-2026-000001", None), ("rerate", "0.12", "")])
@example([("write-off", None), ("credit", "INV-2026-000002", None), ("recover", "60.50")])
@example([("write-off", "60.50"), ("stop", dt.date(2026, 1, 1), "f"), ("write-off", None)])
def test_nothing_is_given_back_twice(billed, doors):
    with shelf.copied(billed) as root:
        today = dt.date(2026, 4, 2)
        for door in doors:
            today = go_through(root, today, door)
            check_worth(root)
        shelf.close(root, dt.date(2026, 8, 1))
        check_worth(root)
        check_deferred(root, dt.date(2026, 8, 1), CENT * (4 + len(doors)))
        found = sums(root)
        owed = found[accounts.billed("A")] + found[accounts.unbilled("A")]
        assert owed >= -CENT * len(doors)
        # Nothing was paid, so that what is owed is what was sold, and VAT is in it.
        tax = -found[accounts.vat("S21")]
        assert abs(tax - owed * 21 // 121) <= CENT * (8 + len(doors)), (tax, owed)
        assert check.check(Book(root), ["A"]) == [] or owed > 1000 * money.MICRO


# ---- refills that are taxed as they are paid ----


@pytest.fixture(scope="module")
def prepaid(tmp_path_factory) -> Path:
    """Whoever pays ahead, with VAT taken out of what is paid."""
    root = shelf.started(
        tmp_path_factory.mktemp("prepaid") / "book", "A", vat="on-refill", country="BE"
    )
    (root / "tariffs/standard.csv").write_text(DECK.format("0.60", "0.30"))
    return root


PAID = st.sampled_from(["0.01", "1.00", "5.00", "6.05", "12.10", "60.50"])
PAYMENTS = st.integers(0, 4)
PREPAID = (
    st.tuples(st.just("pay"), PAID)
    | st.tuples(st.just("call"), st.integers(0, 3000))
    | st.tuples(st.just("refund"), PAID)
    | st.tuples(st.sampled_from(["staff", "bank"]), PAYMENTS)
    | st.tuples(st.just("close"))
)


def top_up(root: Path, today: dt.date, door: tuple, place: int) -> dt.date:
    """Do one thing to a prepaid account, and return the day of the next."""
    kind, *how = door
    if kind == "close":
        return go_through(root, today, door)
    if kind == "pay":
        row = f"id,customer,date,amount\np{place},A,{today},{how[0]}\n"
        shelf.take(root, "payments", row, today)
    elif kind == "call":
        row = f"id,customer,start,called,seconds\n{place},A,{today} 00:00:00,3225550101,{how[0]}\n"
        shelf.take(root, "old", row, today)
    elif kind == "bank":
        found = [one for one in PAYMENT.findall(text_of(root)) if one[0] == f"p{how[0]}"]
        for name, amount in found:
            row = f"id,customer,date,amount,reference\nb{place},A,{today},-{amount},{name}\n"
            shelf.take(root, "payments", row, today)
    else:
        one = shelf.draft(root, today)
        with contextlib.suppress(RefusedError):
            word = "refund" if kind == "refund" else "returned"
            wanted = Wanted(kind=word, customer="A", day=today, id=f"{kind}-{place}")
            if kind == "refund":
                correct.refund(one, wanted, money.parse(how[0]), "bank")
            else:
                transfer.returned(one, wanted, f"p{how[0]}")
            shelf.publish(one)
    return today + dt.timedelta(days=1)


PAYMENT = re.compile(r'id: "(p[0-9]+)".*?Assets:Bank +([0-9.]+) EUR', re.DOTALL)


def text_of(root: Path) -> str:
    """The customer's entries, of all periods."""
    return "".join(path.read_text() for path in sorted(root.glob("journals/2*/A.*.beancount")))


@pytest.mark.long
@DATES
@given(st.lists(PREPAID, min_size=3, max_size=9))
@example([("pay", "12.10"), ("refund", "12.10"), ("staff", 0), ("pay", "12.10")])
@example([("pay", "12.10"), ("call", 1600), ("bank", 0), ("staff", 0), ("close",), ("pay", "6.05")])
@example([("pay", "12.10"), ("close",), ("refund", "6.05"), ("refund", "6.05"), ("bank", 0)])
def test_of_money_that_is_kept_vat_is_owed_and_of_no_more(prepaid, doors):
    with shelf.copied(prepaid) as root:
        today = dt.date(2026, 2, 2)
        for place, door in enumerate(doors):
            today = top_up(root, today, door, place)
            found = sums(root)
            slack = CENT * (1 + place)
            kept, tax = found[accounts.BANK], -found[accounts.vat("S21")]
            assert abs(tax - max(kept, 0) * 21 // 121) <= slack, (door, kept, tax)
            assert check.check(Book(root), ["A"]) == []
