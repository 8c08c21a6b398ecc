"""Whatever is done to what was billed, by whatever door and in whatever order, is done once."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections import Counter
from pathlib import Path

import pytest
import shelf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from a2ledger import accounts, money
from a2ledger.balances import check
from a2ledger.book.book import Book, RefusedError
from a2ledger.corrections import correct, issue_credit_note, rerate
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
    """January to March are billed: a fee of 31.00 a month, 10.00 and 5.00 of calls, a charge."""
    root = shelf.started(
        tmp_path_factory.mktemp("worth") / "book", "A", vat="on-invoice", country="BE"
    )
    (root / "tariffs/standard.csv").write_text(DECK.format("0.60", "0.30"))
    one = shelf.draft(root, dt.date(2026, 1, 1))
    charge.add(one, "A", "Subscriptions", "31.00", name="f", since=dt.date(2026, 1, 1))
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
AMOUNTS = st.sampled_from(["0.01", "1.00", "5.00", "16.00", "31.00", "60.50", "121.00"])
DOOR = (
    st.tuples(st.just("credit"), NUMBERS, st.none() | st.tuples(st.integers(1, 4), AMOUNTS))
    | st.tuples(st.just("stop"), DAYS)
    | st.tuples(st.just("change"), DAYS, AMOUNTS)
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
            lines, micro = ((), None) if how[1] is None else ((how[1][0],), money.parse(how[1][1]))
            asked = issue_credit_note.Asked(how[0], lines, micro, "wrong", today)
            issue_credit_note.credit_note(one, asked)
        elif kind == "stop":
            charge.stop(one, "A", "f", how[0])
        elif kind == "change":
            charge.change(one, "A", "f", how[1], how[0])
        elif kind == "rerate":
            rerate.rerate(one, since=dt.date(2026, 1, 1))
        elif kind == "write-off":
            micro = None if how[0] is None else money.parse(how[0])
            correct.write_off(one, wanted, micro, relief=True)
        else:
            correct.recover(one, wanted, money.parse(how[0]))
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


DATES = settings(
    max_examples=int(os.environ.get("A2LEDGER_LIVES", "6")),
    deadline=None,
    derandomize="A2LEDGER_LIVES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@DATES
@given(st.lists(DOOR, min_size=2, max_size=5))
@example([("credit", "INV-2026-000002", None), ("stop", dt.date(2026, 2, 1)), ("close",)])
@example([("stop", dt.date(2026, 2, 1)), ("credit", "INV-2026-000001", None), ("close",)])
@example([("credit", "INV-2026-000001", (1, "5.00")), ("rerate", "0.30", ""), ("close",)])
@example([("rerate", "0.30", ""), ("credit", "INV-2026-000001", None), ("rerate", "0.12", "")])
@example([("write-off", None), ("credit", "INV-2026-000002", None), ("recover", "60.50")])
@example([("write-off", "60.50"), ("stop", dt.date(2026, 1, 1)), ("write-off", None)])
def test_nothing_is_given_back_twice(billed, doors):
    with shelf.copied(billed) as root:
        today = dt.date(2026, 4, 2)
        for door in doors:
            today = go_through(root, today, door)
            check_worth(root)
        shelf.close(root, dt.date(2026, 8, 1))
        check_worth(root)
        found = sums(root)
        owed = found[accounts.billed("A")] + found[accounts.unbilled("A")]
        assert owed >= -CENT * len(doors)
        # Nothing was paid, so that what is owed is what was sold, and VAT is in it.
        tax = -found[accounts.vat("S21")]
        assert abs(tax - owed * 21 // 121) <= CENT * (8 + len(doors)), (tax, owed)
        assert check.check(Book(root), ["A"]) == [] or owed > 1000 * money.MICRO
