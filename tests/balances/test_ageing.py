from __future__ import annotations

import datetime as dt
import shutil
from decimal import Decimal

import pytest
import shelf
from examples import tried
from harness import call, csv_text
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.balances import ageing, balances
from a2ledger.balances.ageing import Moved
from a2ledger.book.book import Book
from a2ledger.journal.ledger import Standing

EURO = 1_000_000
DAY = dt.date(2026, 1, 1)


def day(number):
    return DAY + dt.timedelta(days=number - 1)


def bill(number, on, euros):
    return Moved(day(on), euros * EURO, f"Invoice {number}", number, number, day(on + 14))


def paid(identity, on, euros, reference="", text=""):
    return Moved(
        day(on), -euros * EURO, "Payment", f"payment-payments-{identity}",
        id=identity, reference=reference, names=(reference, text),
    )  # fmt: skip


def back(identity, on, euros):
    link = f"payment-payments-{identity}"
    title = "Returned payment"
    return Moved(day(on), euros * EURO, title, f"returned-x-{identity}", payment=link)


def left(*rows):
    """Open euros by document, and money that is nobody's document's."""
    found, unapplied = ageing.opened(rows)
    return {row.number or row.title: row.open_micro // EURO for row in found}, unapplied // EURO


A, B, C = bill("INV-1", 1, 100), bill("INV-2", 32, 50), bill("INV-3", 60, 20)


def test_payments_settle_the_oldest_bill_first():
    assert left(A, B, paid("p1", 40, 120)) == ({"INV-2": 30}, 0)


def test_a_payment_that_names_a_bill_settles_that_one():
    assert left(A, B, paid("p1", 40, 50, "INV-2")) == ({"INV-1": 100}, 0)
    assert left(A, B, paid("p1", 40, 50, "", "for INV-2, with thanks")) == ({"INV-1": 100}, 0)
    assert left(A, B, paid("p1", 40, 50, "2026/77", "Bill INV-2.")) == ({"INV-1": 100}, 0)


def test_a_number_inside_a_longer_one_names_nothing():
    ten = bill("INV-10", 61, 5)
    assert left(A, ten, paid("p1", 70, 5, "", "INV-10")) == ({"INV-1": 100}, 0)
    assert left(A, ten, paid("p1", 70, 5, "INV-100")) == ({"INV-1": 95, "INV-10": 5}, 0)


def test_what_a_payment_has_over_its_bill_settles_the_oldest():
    assert left(A, B, C, paid("p1", 70, 60, "INV-2")) == ({"INV-1": 90, "INV-3": 20}, 0)


def test_what_is_over_all_bills_is_unapplied():
    assert left(A, paid("p1", 20, 130)) == ({}, 30)
    assert left(paid("p1", 20, 130)) == ({}, 130)


def test_a_returned_payment_was_never_made():
    rows = [A, B, paid("p1", 20, 100), paid("p2", 40, 50)]
    assert left(*rows) == ({}, 0)
    # p1 paid INV-1; without it p2 is all there is, and the oldest bill is still INV-1.
    assert left(*rows, back("p1", 45, 100)) == ({"INV-1": 50, "INV-2": 50}, 0)
    named = [A, B, paid("p1", 20, 100), paid("p2", 40, 50, "INV-2")]
    assert left(*named, back("p2", 45, 50)) == ({"INV-2": 50}, 0)


def test_a_negative_row_of_a_file_reverses_the_payment_it_refers_to():
    reversal = Moved(
        day(45), 50 * EURO, "Payment", "payment-payments-p2r", id="p2r", reference="p2"
    )
    assert left(A, B, paid("p1", 20, 100), paid("p2", 40, 50, "INV-2"), reversal) == (
        {"INV-2": 50},
        0,
    )


def test_a_refund_takes_what_no_bill_needed():
    refund = Moved(day(50), 30 * EURO, "Refund", "refund-corrections-r1")
    assert left(A, paid("p1", 20, 130), refund) == ({}, 0)
    # Paid back by mistake: what he got is owed again.
    assert left(A, paid("p1", 20, 130), refund._replace(micro=40 * EURO)) == ({"INV-1": 10}, 0)
    assert left(refund) == ({"Refund": 30}, 0)


def test_a_credit_note_settles_its_original_whatever_else_is_older():
    note = Moved(
        day(40), -50 * EURO, "Credit note CN-1 for INV-2", "credit-note-x", names=("INV-2",)
    )
    assert left(A, B, note) == ({"INV-1": 100}, 0)
    # INV-2 was paid already: the credit is money, and settles the oldest.
    assert left(A, B, paid("p1", 38, 50, "INV-2"), note) == ({"INV-1": 50}, 0)


def test_an_opening_is_a_document_and_money_brought_along_is_not():
    opening = Moved(
        day(1), 80 * EURO, "Opening balance", "opening-openings-o1", "OLD-7", day(5), names=("", "")
    )
    assert left(opening, paid("p1", 9, 30)) == ({"OLD-7": 50}, 0)
    assert left(opening._replace(micro=-80 * EURO)) == ({}, 80)


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (-5, "current"), (0, "current"), (1, "d1_30"), (30, "d1_30"), (31, "d31_60"),
        (60, "d31_60"), (61, "d61_90"), (90, "d61_90"), (91, "over_90"), (4000, "over_90"),
    ],
)  # fmt: skip
def test_buckets_by_days_past_the_due_date(days, name):
    due = dt.date(2026, 2, 15)
    assert ageing.bucket(due, due + dt.timedelta(days=days)) == name


@st.composite
def histories(draw):
    numbers = [f"INV-{n}" for n in range(1, draw(st.integers(1, 5)))]
    rows = [bill(n, 10 * i, draw(st.integers(1, 99))) for i, n in enumerate(numbers, 1)]
    for n in range(draw(st.integers(0, 6))):
        named = draw(st.sampled_from(["", *numbers]))
        rows.append(paid(f"p{n}", draw(st.integers(1, 70)), draw(st.integers(1, 99)), named))
        if draw(st.booleans()):
            rows.append(back(f"p{n}", draw(st.integers(1, 70)), draw(st.integers(1, 99))))
    return draw(st.permutations(rows))


@given(histories())
def test_open_amounts_less_unapplied_money_are_the_balance_in_any_order(rows):
    found, unapplied = ageing.opened(rows)
    assert sum(row.open_micro for row in found) - unapplied == sum(row.micro for row in rows)
    assert unapplied >= 0
    assert not (found and unapplied)
    assert all(0 < row.open_micro <= row.amount_micro for row in found)
    assert ageing.opened(sorted(rows, reverse=True)) == (found, unapplied)


# In a book


def test_ageing_of_a_book_by_hand(book):
    """Ten minutes in January and five in February; terms of 14 days from the day of closing."""
    book.customers({"id": "C1"}, {"id": "C2"})
    book.talks("C1", "2026-01-10", 10, today="2026-02-01")
    book.run("close", "C1", today="2026-02-02")  # INV-2026-000001, 10.00, due 16 February
    book.talks("C1", "2026-02-10", 5, today="2026-03-01")
    book.run("close", "C1", today="2026-03-02")  # INV-2026-000002, 5.00, due 16 March
    book.moves("payments", "C1", "2026-03-05", "12.00", today="2026-03-05")
    book.moves("payments", "C2", "2026-03-06", "4.00", today="2026-03-06")

    def row(as_of):
        return book.run("ageing", "C1", "--as-of", as_of, "--json").json[0]

    empty = dict.fromkeys((*ageing.BUCKETS, "unapplied"), "0.00")
    about = {"customer": "C1", "currency": "EUR"}
    assert row("2026-01-30") == {**about, **empty, "billed": "0.00"}
    assert row("2026-02-16") == {**about, **empty, "current": "10.00", "billed": "10.00"}
    assert row("2026-02-17") == {**about, **empty, "d1_30": "10.00", "billed": "10.00"}
    assert row("2026-03-01") == {
        **about, **empty, "d1_30": "10.00", "current": "5.00", "billed": "15.00",
    }  # fmt: skip
    # 12.00 settles the first bill and 2.00 of the second.
    assert row("2026-03-16") == {**about, **empty, "current": "3.00", "billed": "3.00"}
    assert row("2026-06-14") == {**about, **empty, "d61_90": "3.00", "billed": "3.00"}
    assert row("2026-06-15") == {**about, **empty, "over_90": "3.00", "billed": "3.00"}
    overdue = book.run("ageing", "--overdue", "--documents", "--json", today="2026-04-01").json
    assert overdue == [
        {
            "customer": "C1", "number": "INV-2026-000002", "description": "Invoice INV-2026-000002",
            "date": "2026-02-28", "due_date": "2026-03-16", "days": 16,
            "currency": "EUR", "amount": "5.00", "open": "3.00",
        }
    ]  # fmt: skip
    everyone = book.run("ageing", "--json", today="2026-04-01").json
    assert [(r["customer"], r["unapplied"], r["billed"]) for r in everyone] == [
        ("C1", "0.00", "3.00"),
        ("C2", "-4.00", "-4.00"),
    ]


def test_an_opening_ages_from_its_own_due_date_and_is_settled_by_its_number(book):
    book.customers({"id": "C1"})
    book.imported(
        "openings",
        [
            {"id": "o1", "customer": "C1", "amount": "80", "number": "OLD-7",
             "date": "2026-01-02", "due": "2026-01-12"},
            {"id": "o2", "customer": "C1", "amount": "20", "number": "OLD-8",
             "date": "2026-01-03", "due": "2026-02-20"},
        ],
        today="2026-01-03",
    )  # fmt: skip
    book.moves("payments", "C1", "2026-01-20", "20.00", reference="OLD-8", today="2026-01-20")
    rows = book.run("ageing", "--documents", "--json", today="2026-02-11").json
    assert [(r["number"], r["due_date"], r["days"], r["open"]) for r in rows] == [
        ("OLD-7", "2026-01-12", 30, "80.00")
    ]


def test_balances_of_a_past_day_are_what_they_were(book):
    book.customers({"id": "C1", "credit_limit": "10"}, {"id": "C2", "opened": "2026-02-01"})
    book.talks("C1", "2026-01-10", 9, today="2026-01-10")
    book.run("customer", "set", "C1", "credit_limit=5", today="2026-01-20")
    book.moves("payments", "C1", "2026-02-05", "3.00", today="2026-02-05")
    book.run("close", "C1", today="2026-02-06")

    def at(day, *words, code=0):
        rows = book.run("balances", "--as-of", day, "--json", *words, code=code).json
        keys = ("customer", "owed", "billed", "credit_limit", "over_limit")
        return [tuple(row[key] for key in keys) for row in rows]

    assert at("2025-12-31") == []
    assert at("2026-01-09") == [("C1", "0.00", "0.00", "10.00", False)]
    assert at("2026-01-10") == [("C1", "9.00", "0.00", "10.00", False)]
    assert at("2026-01-20", "--over-limit", code=1) == [("C1", "9.00", "0.00", "5.00", True)]
    assert at("2026-01-31") == [("C1", "9.00", "9.00", "5.00", True)]
    assert at("2026-02-05")[0] == ("C1", "6.00", "6.00", "5.00", True)
    assert at("2026-02-05") == at("2999-01-01")
    (book.root / "journals/2026-01/C1.01.beancount").unlink()
    (said,) = book.run("balances", "--as-of", "2026-01-15", code=1).errors
    assert "journals/2026-01/C1.01.beancount: is gone" in said


@pytest.fixture(scope="module")
def founded(tmp_path_factory):
    root = shelf.started(tmp_path_factory.mktemp("aged") / "book", "C1", vat="on-invoice")
    shelf.take(root, "customers", "id,name,credit_limit,tariff,opened,billing_day\n"
               "C2,Two,5,standard,2026-01-01,15\n")  # fmt: skip
    return root


@st.composite
def days_of_business(draw):
    """What happens on each day: (day, customer, what, cents or seconds)."""
    what = st.sampled_from(["calls", "payments", "refills", "charges"])
    event = st.tuples(
        st.integers(0, 70), st.sampled_from(["C1", "C2"]), what, st.integers(1, 40000)
    )
    return sorted(draw(st.lists(event, max_size=12)))


def happen(root, serial, on, customer, what, amount):
    if what == "calls":
        rows = [call(f"c{serial}", customer, str(on), amount, "3225550199")]
    else:
        service = {"service": "Calls"} if what == "charges" else {}
        euros = f"{amount / 100:.2f}"
        rows = [{"id": f"m{serial}", "customer": customer, "date": str(on), "amount": euros,
                 **service}]  # fmt: skip
    shelf.take(root, what, csv_text(rows), on)


def plain(rows: list[Standing]):
    return [(r.customer, r.billed_micro, r.unbilled_micro, r.credit_limit_micro) for r in rows]


@tried(6)
@given(days_of_business())
def test_balances_of_every_past_day_are_what_balances_said_and_ageing_adds_up_to_them(
    founded, business
):
    with shelf.copied(founded) as root:
        said = {}
        todo = list(business)
        now = balances.standings(Book(root))
        for number in range(71):
            on = DAY + dt.timedelta(days=number)
            if on.day in {1, 15} and shelf.close(root, on):
                now = balances.standings(Book(root))
            before = on - dt.timedelta(days=1)
            if number:
                # A close is dated the day before: that day's balances are those after it.
                said[before] = now
            while todo and todo[0][0] == number:
                _, *event = todo[0]
                happen(root, len(todo), on, *event)
                todo.pop(0)
                now = balances.standings(Book(root))
        book = Book(root)
        for on, rows in said.items():
            assert plain(balances.standings_on(book, on)) == plain(rows), on
            for row, standing in zip(ageing.aged(book, [], on), rows, strict=True):
                shown = row.as_json()
                parts = [*ageing.BUCKETS, "unapplied"]
                assert sum(Decimal(shown[part]) for part in parts) == Decimal(shown["billed"])
                assert row.billed_micro == standing.billed_micro
        assert plain(balances.standings_on(book, dt.date.max)) == plain(balances.standings(book))
        shutil.rmtree(root / "calls", ignore_errors=True)
        assert plain(balances.standings_on(book, on)) == plain(rows)
