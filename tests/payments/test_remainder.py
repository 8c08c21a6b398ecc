"""One event that two tell of is one; and what is paid beyond a refill is the customer's."""

from __future__ import annotations

import pytest
from examples import cases
from harness import made_once


@pytest.fixture
@made_once
def paid(book):
    """A customer who has paid 12.10."""
    book.customers({"id": "P"}, {"id": "A"})
    book.today = "2026-01-12"
    book.moves("payments", "P", "2026-01-07", "12.10", id="pp")
    return book


def told_by_the_file(book, code=0, **more):
    book.moves("payments", "P", "2026-01-09", "-12.10", id="rev", code=code, **more)


def test_a_return_told_by_the_file_and_then_by_staff_is_one(paid):
    told_by_the_file(paid, reference="pp")
    said = paid.run("returned", "P", "pp", code=1).stderr
    assert "nothing is left of payment pp" in said
    assert paid.run("transfer", "P", "A", "pp", code=1)
    assert paid.balance("P")["owed"] == paid.balance("A")["owed"] == "0.00"
    assert "Assets:Bank" not in paid.sums()


@pytest.mark.parametrize("how", [("returned", "P", "pp"), ("transfer", "P", "A", "pp")])
def test_a_return_told_by_staff_and_then_by_the_file_waits_in_quarantine(paid, how):
    paid.run(*how)
    before = paid.sums()
    told_by_the_file(paid, reference="pp", code=3)
    (row,) = paid.run("quarantine", "list", "--json").json
    assert row["reason"] == "conflict"
    assert paid.sums() == before
    assert paid.run("check", "P", code=0)


def test_a_reversal_takes_no_more_than_is_left(paid):
    paid.moves("payments", "P", "2026-01-08", "-2.10", id="part", reference="pp")
    told_by_the_file(paid, reference="pp", code=3)
    assert paid.balance("P")["owed"] == "-10.00"


def test_a_refund_told_by_staff_and_by_the_banks_file_is_one(paid):
    paid.run("refund", "P", "12.10", "--date", "2026-01-08")
    told_by_the_file(paid, code=3)
    assert paid.balance("P")["owed"] == "0.00"
    # It is another one after all.
    paid.run("quarantine", "retry", "--accept")
    assert paid.balance("P")["owed"] == "12.10"


def test_a_refund_told_by_the_banks_file_and_then_by_staff_is_one(paid):
    told_by_the_file(paid)
    said = paid.run("refund", "P", "12.10", code=1).stderr
    assert "payment rev of 2026-01-09 already records this refund" in said
    assert paid.balance("P")["owed"] == "0.00"
    paid.run("refund", "P", "12.10", "--id", "another")
    assert paid.balance("P")["owed"] == "12.10"


@cases(
    ("payments", "owed"),
    [
        (["10.00", "10.00"], "-20.00"),
        (["50.00"], "-50.00"),
        (["12.10"], "-12.10"),
        (["6.00"], "-10.00"),
        (["6.00", "6.00"], "-12.00"),
        (["50.00", "-50.00"], "-10.00"),
    ],
    2,
)
@pytest.mark.parametrize("refill_first", [True, False])
def test_what_is_paid_beyond_a_refill_is_the_customers(book, payments, owed, refill_first):
    book.customers({"id": "C1"})
    book.today = "2026-01-06"

    def refill():
        book.moves("refills", "C1", "2026-01-05", "10.00", id="r1")

    if refill_first:
        refill()
    for number, amount in enumerate(payments):
        book.moves("payments", "C1", "2026-01-05", amount, id=f"p{number}", reference="r1")
    if not refill_first:
        refill()
    assert book.balance("C1")["owed"] == owed
    text = book.text("journals/2026-01/C1.01.beancount")
    for number, amount in enumerate(payments):  # once more changes nothing
        done = book.imported("payments", [{
            "id": f"p{number}", "customer": "C1", "date": "2026-01-05", "amount": amount,
            "reference": "r1",
        }])  # fmt: skip
        assert "1 duplicate" in done.stderr
    assert book.text("journals/2026-01/C1.01.beancount") == text
    book.run("check", "C1")


def test_a_debt_that_was_written_off_and_is_paid_after_all(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.moves("charges", "C1", "2026-01-05", "100.00", today="2026-01-06")
    book.close(today="2026-02-01")
    book.today = "2026-03-01"
    book.run("write-off", "C1", "--vat-relief")
    assert "Liabilities:VAT:S21" not in book.sums()
    assert "121.00 is written off" in book.run("recover", "C1", "130.00", code=1).stderr
    book.run("recover", "C1", "60.50")
    assert "posted before" in book.run("recover", "C1", "60.50").stdout
    sums = book.sums()
    assert (str(sums["Liabilities:VAT:S21"]), str(sums["Expenses:Bad-Debt"])) == ("-10.50", "50.00")
    (row,) = book.run("ageing", "--json").json
    assert row["billed"] == "60.50"
    # What is owed again can be credited, and no more.
    book.run("credit-note", "INV-2026-000001", "--reason", "never delivered")
    assert book.balance("C1")["owed"] == "0.00"
    assert "Liabilities:VAT:S21" not in book.sums()
    book.run("check", "C1")


@pytest.mark.parametrize(
    "spelled",
    ["inv-2026-000001", "INV 2026 000001", "INV2026000001", "Bill Inv/2026.000001 thanks"],
)
def test_payers_spell_numbers_in_their_own_ways(book, spelled):
    book.customers({"id": "C1"})
    for month in ("01", "02"):
        book.moves("charges", "C1", f"2026-{month}-05", "10.00", today="2026-02-20")
    book.close(today="2026-03-02")
    book.today = "2026-03-05"
    book.moves("payments", "C1", "2026-03-04", "10.00", description=spelled.replace("1", "2", 0))
    book.moves("payments", "C1", "2026-03-04", "5.00", reference="inv 2026-0000021")
    rows = book.run("ageing", "C1", "--documents", "--json").json
    documents = {row["number"]: row["open"] for row in rows[0].get("documents", rows)}
    assert documents == {"INV-2026-000002": "5.00"}
