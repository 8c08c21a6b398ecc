from __future__ import annotations

from decimal import Decimal

from examples import cases
from harness import amounts, total
from soundness import due, sound


def test_the_bill_the_stories_begin_with(billed):
    bill = billed.invoice("INV-2026-000001")
    assert (bill["net"], bill["vat_total"], bill["gross"]) == ("15.00", "3.15", "18.15")
    assert [line["net"] for line in bill["lines"]] == ["10.00", "5.00"]


def test_a_day_of_a_closed_period_is_posted_late_and_changes_nothing_closed(billed):
    closed = "journals/2026-01/C1.01.beancount"
    before = billed.text(closed)
    done = billed.run(
        "credit-note", "INV-2026-000001", "--reason", "x", "--date", "2026-01-20", "--json"
    ).json
    (entry,) = done["entries"]
    assert (entry["date"], entry["late_from"]) == ("2026-02-01", "2026-01-20")
    assert billed.text(closed) == before
    again = billed.run(
        "credit-note", "INV-2026-000001", "--reason", "x", "--date", "2026-01-20", "--json"
    ).json
    assert (again["posted"], again["number"]) == (False, "CN-2026-000001")
    sound(billed)


def test_refund_goodwill_and_write_off_by_hand(billed):
    book = billed
    book.moves("payments", "C1", "2026-02-05", "20.15")  # 2.00 too much
    book.run("refund", "C1", "2.00", "--method", "cash", "--description", "paid too much")
    book.run("goodwill", "C1", "1.50", "--description", "Sorry")
    assert book.balance("C1")["billed"] == "-1.50"
    book.run("refund", "C1", "4.50")  # a mistake: 3.00 more than there was
    assert book.balance("C1")["billed"] == "3.00"
    done = book.run("write-off", "C1", "--json").json
    assert done["amount"] == "3.00"
    sums = book.sums()
    assert sums["Assets:Cash"] == Decimal("-2.00")
    assert sums["Expenses:Goodwill"] == Decimal("1.50")
    assert sums["Expenses:Bad-Debt"] == Decimal("3.00")
    assert "Assets:Receivable:C1:Billed" not in sums
    described = [line["description"] for line in book.statement("C1")["lines"][-5:]]
    assert sorted(described) == [
        "Goodwill, Sorry", "Payment", "Refund", "Refund, paid too much", "Write-off",
    ]  # fmt: skip
    sound(book)


@cases(
    "words",
    [
        ("credit-note", "INV-2026-000001", "--line", "1", "--reason", "x"),
        ("refund", "C1", "2.00"),
        ("goodwill", "C1", "2.00"),
        ("write-off", "C1"),
        ("write-off", "C1", "2.00", "--vat-relief"),
        ("deposit", "C1", "2.00"),
        ("returned", "C1", "p1"),
        ("transfer", "C1", "C2", "p1"),
        ("transfer", "C1", "C2", "2.00"),
        ("transfer", "C1", "suspense", "p1"),
        ("transfer", "suspense", "C1", "p0"),
        ("returned", "suspense", "p0"),
    ],
    4,
    ids=" ".join,
)
def test_asked_for_twice_it_is_posted_once_and_a_dry_run_posts_nothing(billed, words):
    billed.moves("payments", "C1", "2026-02-05", "6.05", id="p1")
    billed.moves("payments", "", "2026-02-05", "7.00", id="p0")
    before = billed.digests()
    dry = billed.run(*words, "--dry-run", "--json").json
    assert dry["posted"]
    assert billed.digests() == before
    first = billed.run(*words, "--json").json
    assert first == dry
    after, log = billed.digests(), billed.log()
    assert after != before
    again = billed.run(*words, "--json").json
    said = f"{first['text']}: posted before; nothing was done"
    assert again == {**first, "posted": False, "text": said}
    assert "posted before; nothing was done" in billed.run(*words).stdout
    assert (billed.digests(), billed.log()) == (after, log)
    sound(billed)


def test_a_second_one_of_the_same_needs_an_id_and_an_id_means_one_thing(billed):
    billed.run("goodwill", "C1", "2.00")
    billed.run("goodwill", "C1", "2.00", "--id", "second")
    assert billed.balance("C1")["billed"] == "14.15"
    assert not billed.run("goodwill", "C1", "2.00", "--id", "second", "--json").json["posted"]
    for words in (["C1", "3.00"], ["C2", "2.00"], ["C1", "2.00", "--date", "2026-02-09"]):
        (said,) = billed.run("goodwill", *words, "--id", "second", code=1).errors
        assert "goodwill second is already in the book with other values" in said
    billed.run("goodwill", "C9", "2.00", code=1)
    billed.run("goodwill", "C1", "0", code=2)


def test_what_was_struck_out_is_still_known(billed):
    billed.run("goodwill", "C1", "2.00", "--id", "g1")
    billed.run("void", "goodwill/g1", "wrong customer")
    assert billed.balance("C1")["owed"] == "18.15"
    again = billed.run("goodwill", "C1", "2.00", "--id", "g1")
    assert "posted before, and void; nothing was done" in again.stdout
    offered = again.stdout.split("`")[1].split()
    billed.run(*offered[1:])
    assert billed.balance("C1")["owed"] == "16.15"
    billed.run("void", "goodwill/g1", "wrong customer")
    (said,) = billed.run("goodwill", "C1", "3.00", "--id", "g1", code=1).errors
    assert "with other values" in said
    billed.moves("payments", "C1", "2026-02-05", "6.05", id="p1")
    billed.run("void", "payment/p1", "typed twice")
    (said,) = billed.run("returned", "C1", "p1", code=1).errors
    assert "nothing is left of payment p1" in said
    sound(billed)


def test_a_customers_life_from_first_refill_to_settlement(book):
    """Every figure of this story can be recomputed with a pencil; VAT is 21 %."""
    book.customers({"id": "L", "vat": "on-invoice"})
    book.run("deposit", "L", "20.00", today="2026-01-02")
    book.moves("refills", "L", "2026-01-03", "20.00", method="voucher", today="2026-01-03")
    book.moves("charges", "L", "2026-01-04", "25.00", today="2026-02-01")
    book.talks("L", "2026-01-10", 30, today="2026-02-01")
    assert book.balance("L")["owed"] == "35.00"  # 55.00 used, 20.00 paid
    book.run("close", today="2026-02-02")
    assert book.balance("L")["owed"] == "46.55"  # and 11.55 of VAT
    book.moves(
        "payments", "L", "2026-02-10", "46.55", id="dd", reference="INV-2026-000001",
        today="2026-02-10",
    )  # fmt: skip
    assert due(book, "L", "2026-02-10") == []
    book.run("returned", "L", "dd", today="2026-02-14")
    assert due(book, "L", "2026-02-18") == [("INV-2026-000001", 2, "46.55")]
    # The charge is line 2, after the calls: 25.00 and 5.25 of VAT.
    note = ("credit-note", "INV-2026-000001", "--line", "2", "--reason", "never installed")
    assert book.run(*note, "--json", today="2026-02-20").json["amount"] == "30.25"
    book.run("goodwill", "L", "1.30", today="2026-02-20")
    assert due(book, "L", "2026-02-20") == [("INV-2026-000001", 4, "15.00")]
    book.moves("payments", "", "2026-02-22", "20.00", id="bank-77", today="2026-02-22")
    book.run("transfer", "suspense", "L", "bank-77", today="2026-02-23")
    book.run("refund", "L", "3.00", today="2026-02-24")
    assert book.balance("L")["owed"] == "-2.00"
    book.talks("L", "2026-02-25", 30, today="2026-03-01")
    book.run("close", today="2026-03-02")
    assert book.balance("L")["owed"] == "34.30"  # 36.30 less 2.00
    book.run("close", "L", "--final", today="2026-05-02")
    assert book.balance("L")["owed"] == "14.30"  # less the deposit
    gone = book.run("write-off", "L", "--vat-relief", "--json", today="2026-05-03").json
    legs = {leg["account"]: leg["amount"] for leg in gone["entries"][0]["postings"]}
    assert legs == {
        "Expenses:Bad-Debt": "11.82",
        "Liabilities:VAT:S21": "2.48",  # 6.30 x 14.30 / 36.30 = 2.4818
        "Assets:Receivable:L:Billed": "-14.30",
    }
    full = book.statement("L")
    assert total(full) == 0
    assert amounts(full) == [
        "-20.00", "25.00", "30.00", "11.55", "-46.55", "46.55", "-30.25", "-1.30",
        "-20.00", "3.00", "30.00", "6.30", "-20.00", "-14.30",
    ]  # fmt: skip
    assert book.sums() == {
        "Assets:Bank": Decimal("37.00"),  # 20.00 deposit, 20.00 from the bank, 3.00 back
        "Liabilities:Vouchers": Decimal("20.00"),
        "Income:Subscriptions": Decimal("-25.00"),
        "Income:Calls": Decimal("-60.00"),
        "Income:Corrections": Decimal("25.00"),
        "Expenses:Goodwill": Decimal("1.30"),
        "Expenses:Bad-Debt": Decimal("11.82"),
        "Liabilities:VAT:S21": Decimal("-10.12"),  # 11.55 + 6.30 - 5.25 - 2.48
    }
    assert "close Assets:Receivable:L:Billed" in book.text("journals/customers/L.beancount")
    sound(book)


def test_nothing_is_posted_to_an_account_that_somebody_has_closed(billed):
    billed.moves("payments", "C1", "2026-02-05", "1.00", method="paypal")
    billed.append("journals/manual.beancount", "2026-02-07 close Assets:Gateway:X-paypal\n")
    paid = {"customer": "C1", "date": "2026-02-08", "amount": "2.00", "method": "paypal"}
    done = billed.imported("payments", [{"id": "late", **paid}], today="2026-02-08", code=3)
    assert "X-paypal is closed since 2026-02-07 (journals/manual.beancount:" in done.stderr
    assert "closed-account" in done.stderr
    words = ("refund", "C1", "1.00", "--method", "paypal")
    (said,) = billed.run(*words, today="2026-02-08", code=1).errors
    assert "is closed since 2026-02-07" in said
    sound(billed)
    billed.imported("payments", [{"id": "then", **paid, "date": "2026-02-07"}], today="2026-02-08")
    billed.edit("journals/manual.beancount", "2026-02-07 close Assets:Gateway:X-paypal\n", "")
    billed.run("quarantine", "retry", today="2026-02-09")
    sound(billed)


def test_an_opening_balance_bears_no_number_of_this_book(billed):
    (number,) = (name for name in billed.documents() if name.startswith("INV"))
    row = {"id": "o", "customer": "C1", "amount": "5.00", "number": number}
    done = billed.imported("openings", [row], code=3)
    assert f"{number} is a document of this book" in done.stderr
    billed.imported("openings", [{**row, "number": "OLD-7"}])
    # Told once more after a bill took its number it is still the same one.
    assert "1 duplicate" in billed.imported("openings", [{**row, "number": "OLD-7"}]).stderr
