"""Where A2Billing bills wrongly, and what is right. One started minute costs 1.00."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

import pytest
from examples import cases
from harness import Book, amounts, bean_check, call, total
from incumbent import Incumbent


@pytest.fixture
def postpaid(book: Book) -> Book:
    """A book whose customer C1 may owe 100.00 and pays no VAT."""
    book.customers({"id": "C1"})
    return book


def to_pay(book: Book, customer: str, today: str) -> str:
    return book.preview(customer, today)["to_pay"]


def test_a_bill_asks_for_what_was_used_and_once_it_is_paid_for_nothing(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    (january,) = postpaid.close(today="2026-02-01")
    assert (january["gross"], january["to_pay"]) == ("10.00", "10.00")
    assert postpaid.balance("C1")["owed"] == "10.00"
    assert to_pay(postpaid, "C1", "2026-02-02") == "10.00"

    postpaid.moves("payments", "C1", "2026-02-05", "10.00", today="2026-02-05")
    assert to_pay(postpaid, "C1", "2026-02-05") == "0.00"
    assert postpaid.balance("C1")["owed"] == "0.00"


def test_the_bill_after_a_paid_one_is_for_the_new_usage_alone(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    postpaid.close(today="2026-02-01")
    postpaid.moves("payments", "C1", "2026-02-05", "10.00", today="2026-02-05")
    postpaid.talks("C1", "2026-02-10", 5, today="2026-02-11")

    (february,) = postpaid.close(today="2026-03-01")
    assert (february["gross"], february["to_pay"]) == ("5.00", "5.00")  # A2Billing: 15.00
    bill = postpaid.invoice(february["number"])
    assert [line["net"] for line in bill["lines"]] == ["5.00"]
    assert bill["statement"]["opening"] == "10.00"
    assert amounts(bill["statement"]) == ["-10.00", "5.00"]
    assert total(bill["statement"]) == Decimal("5.00")


def test_what_a_part_payment_leaves_is_carried_to_the_next_statement(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    postpaid.close(today="2026-02-01")
    postpaid.moves("payments", "C1", "2026-02-05", "4.00", today="2026-02-05")
    postpaid.talks("C1", "2026-02-10", 5, today="2026-02-11")

    (february,) = postpaid.close(today="2026-03-01")
    assert february["gross"] == "5.00"
    assert february["to_pay"] == "11.00"  # A2Billing: 1.00
    statement = postpaid.invoice(february["number"])["statement"]
    assert statement["opening"] == "10.00"
    assert amounts(statement) == ["-4.00", "5.00"]
    assert total(statement) == Decimal("11.00")
    assert postpaid.balance("C1")["owed"] == "11.00"


def test_with_vat_the_same_story_adds_the_tax_once_and_to_the_invoice_it_belongs_to(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    (january,) = book.close(today="2026-02-01")
    assert (january["gross"], january["to_pay"]) == ("12.10", "12.10")

    book.moves("payments", "C1", "2026-02-05", "4.00", today="2026-02-05")
    book.talks("C1", "2026-02-10", 5, today="2026-02-11")
    (february,) = book.close(today="2026-03-01")
    assert (february["gross"], february["to_pay"]) == ("6.05", "14.15")
    bill = book.invoice(february["number"])
    assert (bill["net"], bill["vat_total"]) == ("5.00", "1.05")
    assert bill["statement"]["opening"] == "12.10"
    assert amounts(bill["statement"]) == ["-4.00", "5.00", "1.05"]
    assert total(bill["statement"]) == Decimal("14.15")
    sums = book.sums()
    assert sums["Liabilities:VAT:S21"] == Decimal("-3.15")
    assert sums["Income:Calls"] == Decimal("-15.00")


def test_a_customer_who_pays_too_much_has_the_rest_in_his_favour(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    postpaid.close(today="2026-02-01")
    postpaid.moves("payments", "C1", "2026-02-05", "25.00", today="2026-02-05")
    bill = postpaid.preview("C1", "2026-02-06")
    assert (bill["to_pay"], bill["credit"]) == ("0.00", "15.00")
    postpaid.talks("C1", "2026-02-10", 5, today="2026-02-11")

    (february,) = postpaid.close(today="2026-03-01")
    bill = postpaid.invoice(february["number"])
    assert (bill["gross"], bill["to_pay"], bill["credit"]) == ("5.00", "0.00", "10.00")
    assert postpaid.balance("C1")["available"] == "110.00"


def test_what_happens_on_the_billing_day_before_the_run_is_on_exactly_one_invoice(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    # The first of February: all this is in the book before January is closed that evening.
    postpaid.talks("C1", "2026-02-01", 3, today="2026-02-01")
    postpaid.moves("charges", "C1", "2026-02-01", "2.00", today="2026-02-01")
    postpaid.moves("refills", "C1", "2026-02-01", "1.00", today="2026-02-01")
    postpaid.moves("payments", "C1", "2026-02-01", "4.00", today="2026-02-01")

    (january,) = postpaid.close(today="2026-02-01")
    (february,) = postpaid.close(today="2026-03-01")
    first, second = postpaid.invoice(january["number"]), postpaid.invoice(february["number"])
    assert [line["net"] for line in first["lines"]] == ["10.00"]
    assert amounts(first["statement"]) == ["10.00"]
    assert sorted(line["net"] for line in second["lines"]) == ["2.00", "3.00"]
    assert sorted(amounts(second["statement"])) == ["-1.00", "-4.00", "2.00", "3.00"]
    assert total(second["statement"]) == Decimal("10.00")


@pytest.mark.parametrize(
    ("start", "month"),
    [("2026-01-31 22:59:59", 1), ("2026-01-31 23:00:00", 2), ("2026-02-01 00:00:00", 2)],
)
def test_the_midnight_that_parts_two_bills_is_that_of_the_book_s_time_zone(postpaid, start, month):
    # The book keeps Brussels time; the switch writes UTC, an hour behind in winter.
    row = call("c1", "C1", "2026-01-31", 60) | {"start": f"{start}Z"}
    postpaid.imported("calls", [row], today="2026-02-01")
    closed = postpaid.close(today="2026-03-01")
    assert [row["gross"] for row in closed] == ["1.00" if month == n else "0.00" for n in (1, 2)]


def test_closing_twice_bills_once(postpaid):
    postpaid.talks("C1", "2026-01-10", 10, today="2026-01-11")
    postpaid.close(today="2026-02-01")
    before, log = postpaid.digests(), postpaid.log()

    assert postpaid.close(today="2026-02-01") == []
    assert postpaid.close("--through", "2026-01-31", today="2026-02-01") == []
    postpaid.close("C1", today="2026-02-01", code=1)
    assert postpaid.digests() == before
    assert postpaid.log() == log
    assert list(postpaid.documents()) == ["INV-2026-000001"]


REFILL = {"id": "r1", "customer": "C1", "date": "2026-01-10", "amount": "10.00"}
PAYMENT = {**REFILL, "id": "p1", "date": "2026-01-12", "reference": "r1"}
EARLY = {**PAYMENT, "date": "2026-01-08"}
NAMED = ({**REFILL, "reference": "p1"}, {**PAYMENT, "reference": ""})


@pytest.mark.parametrize("close_between", [False, True], ids=["one period", "across a close"])
@cases(
    ("first", "second"),
    [
        (("refills", REFILL), ("payments", PAYMENT)),
        (("payments", PAYMENT), ("refills", REFILL)),
        (("payments", EARLY), ("refills", REFILL)),
        (("refills", NAMED[0]), ("payments", NAMED[1])),
        (("payments", NAMED[1]), ("refills", NAMED[0])),
    ], 2,
    ids=[
        "refill first", "payment first", "paid before", "refill names payment",
        "payment first, refill names it",
    ],
)  # fmt: skip
def test_a_refill_and_the_payment_that_paid_for_it_credit_the_customer_once(
    postpaid, first, second, close_between
):
    postpaid.imported(first[0], [first[1]], today="2026-01-20")
    assert postpaid.balance("C1")["owed"] == "-10.00"
    if close_between:
        postpaid.close(today="2026-02-01")
    postpaid.imported(second[0], [second[1]], today="2026-02-02")
    assert postpaid.balance("C1")["owed"] == "-10.00"
    # The same files again change nothing.
    before = postpaid.digests()
    postpaid.imported(first[0], [first[1]], today="2026-02-02")
    postpaid.imported(second[0], [second[1]], today="2026-02-02")
    assert postpaid.digests() == before

    postpaid.close(today="2026-03-01")
    assert postpaid.balance("C1")["owed"] == "-10.00"
    statement = postpaid.statement("C1", today="2026-03-01")
    assert total(statement) == Decimal("-10.00")
    assert sum(Decimal(amount) < 0 for amount in amounts(statement)) == 1
    assert postpaid.run("check", "C1").stdout == ""
    # The money is in the bank, and nothing waits in clearing.
    assert postpaid.sums() == {
        "Assets:Bank": Decimal("10.00"),
        "Assets:Receivable:C1:Billed": Decimal("-10.00"),
    }
    assert bean_check(postpaid.root / "journals/main.beancount") == ""


def test_in_one_period_the_order_of_refill_and_payment_leaves_no_trace(postpaid):
    other_book = shutil.copytree(postpaid.root, postpaid.files / "other")
    postpaid.imported("refills", [REFILL], today="2026-01-20")
    postpaid.imported("payments", [PAYMENT], today="2026-01-20")
    one = {path: d for path, d in postpaid.digests().items() if path.startswith("journals/")}
    postpaid.root = other_book
    postpaid.imported("payments", [PAYMENT], today="2026-01-20")
    postpaid.imported("refills", [REFILL], today="2026-01-20")
    other = {path: d for path, d in postpaid.digests().items() if path.startswith("journals/")}
    assert one == other


def test_a_payment_that_names_another_customer_s_refill_credits_its_own_customer(book):
    book.customers({"id": "C1"}, {"id": "C2"})
    book.imported("refills", [REFILL], today="2026-01-20")
    book.imported("payments", [PAYMENT | {"customer": "C2"}], today="2026-01-20")
    assert book.balance("C1")["owed"] == "-10.00"
    assert book.balance("C2")["owed"] == "-10.00"


def test_prepaid_and_postpaid_are_the_same_account_with_another_limit(book):
    book.customers({"id": "C1", "credit_limit": "0.00"}, {"id": "C2", "credit_limit": "100.00"})
    for name in ("C1", "C2"):
        book.moves("refills", name, "2026-01-03", "15.00", id=f"r-{name}", today="2026-01-03")
        book.talks(name, "2026-01-10", 10, today="2026-01-11")
        book.moves("payments", name, "2026-01-12", "2.00", id=f"p-{name}", today="2026-01-12")
    prepaid, postpaid = book.balance("C1"), book.balance("C2")
    assert (prepaid["owed"], prepaid["available"]) == ("-7.00", "7.00")
    assert (postpaid["owed"], postpaid["available"]) == ("-7.00", "107.00")
    book.close(today="2026-02-01")

    def told(path: str) -> str:
        text = book.text(path.format("C1")).replace("C1", "C2")
        return text.replace("INV-2026-000001", "INV-2026-000002")

    frozen = "journals/2026-01/{}.01.beancount"
    assert told(frozen) == book.text(frozen.format("C2"))
    own = "journals/customers/{}.beancount"
    mine, others = told(own).splitlines(), book.text(own.format("C2")).splitlines()
    differing = [line for line, other in zip(mine, others, strict=True) if line != other]
    assert all("credit_limit" in line for line in differing)
    assert len(differing) == 2


def test_a_prepaid_customer_who_has_used_up_his_refill_is_over_his_limit_to_the_cent(book):
    book.customers({"id": "C1", "credit_limit": "0.00"})
    book.moves("refills", "C1", "2026-01-03", "10.00", today="2026-01-03")
    book.talks("C1", "2026-01-10", 10, today="2026-01-11")
    assert book.balance("C1")["available"] == "0.00"
    assert book.balance("C1")["over_limit"] is False
    book.run("check")
    book.talks("C1", "2026-01-10", 1, today="2026-01-11")
    assert book.balance("C1")["over_limit"] is True
    assert "C1" in book.run("check", code=1).stdout


def money_report(prices: list[str], rate: int, payments: list[str]) -> dict[str, Decimal]:
    """A2Billing's screen of customers' balances: it rounds every line's gross up to a cent.

    What is invoiced and paid is gross there, the credit net; TO PAY is payments less invoices.
    """
    cent, factor = Decimal("0.01"), 1 + Decimal(rate) / 100
    invoiced = sum((Decimal(price) * factor).quantize(cent, ROUND_CEILING) for price in prices)
    paid = sum(map(Decimal, payments))
    used = sum(map(Decimal, prices))
    return {"INVOICE": invoiced, "TO PAY": paid - invoiced, "CREDIT": paid / factor - used}


@pytest.mark.parametrize(("rate", "right"), [(21, False), (0, True)])
def test_the_money_report_is_right_whatever_the_vat_is(book, rate, right):
    prices = ["0.32"] * 3
    # 0.96 x 21 % = 0.2016, so 1.16 are due. A2Billing: 3 x 0.3872, each rounded up to 0.39
    due = {21: "1.16", 0: "0.96"}[rate]
    report = money_report(prices, rate, [due])
    assert (report["TO PAY"] == report["CREDIT"] == 0) is right
    if not right:
        assert (report["INVOICE"], report["TO PAY"]) == (Decimal("1.17"), Decimal("-0.01"))
        assert report["CREDIT"] < 0

    book.customers({"id": "C1", "vat": "on-invoice" if rate else "none"})
    for price in prices:
        book.moves("charges", "C1", "2026-01-10", price, today="2026-01-11")
    (closed,) = book.close(today="2026-02-01")
    book.moves("payments", "C1", "2026-02-05", due, today="2026-02-05")

    bill, sums = book.invoice(closed["number"]), book.sums()
    assert bill["gross"] == due
    assert -sums["Income:Subscriptions"] == Decimal(bill["net"]) == Decimal("0.96")
    assert -sums.get("Liabilities:VAT:S21", Decimal(0)) == Decimal(bill["vat_total"])
    assert sums["Assets:Bank"] == Decimal(due)
    assert book.balance("C1")["owed"] == to_pay(book, "C1", "2026-02-05") == "0.00"


# The same out of an A2Billing: what it billed, what is billed once its rows are taken in, and why


def used(cost: str, moment: str) -> Callable[[Incumbent], object]:
    return lambda one: one.call(1, moment, 600, cost=cost)


def both(*steps: Callable[[Incumbent], object]) -> Callable[[Incumbent], object]:
    return lambda one: [step(one) for step in steps]


def bought(moment: str) -> Callable[[Incumbent], object]:
    """A number bought in the customer's pages: taken from the balance, and to be invoiced."""

    def buy(one: Incumbent) -> None:
        charge = one.charge(1, moment, "3.00", kind=2, id_cc_did=1)
        charge["charged_status"] = 0

    return buy


TEN = used("10", "2026-01-10 10:00:00")
FIVE = used("5", "2026-02-10 10:00:00")


class Story(NamedTuple):
    """What happens in January and February, and the net of the bills for them."""

    january: Callable[[Incumbent], object]
    february: Callable[[Incumbent], object]
    theirs: list[str]
    """Measured: A2Billing's invoices."""
    ours: list[str]
    owed: str
    """In the end, net."""
    why: str


STORIES = {
    "paid online, then used again": Story(
        TEN,
        both(lambda one: one.payment(1, "2026-02-05 10:00:00", "10.00"), FIVE),
        ["10", "15"], ["10.00", "5.00"], "5",
        "the payment is in the account: what was paid is not billed again",
    ),
    "nothing is paid": Story(
        TEN, FIVE, ["10", "5"], ["10.00", "5.00"], "15", "the first bill stays owed",
    ),
    "paid online, and refilled as well": Story(
        TEN,
        both(
            lambda one: one.payment(1, "2026-02-05 10:00:00", "10.00"),
            lambda one: one.refill(1, "2026-02-05 11:00:00", "10.00"),
            FIVE,
        ),
        ["10", "5"], ["10.00", "5.00"], "-5",
        "a payment and a refill that do not name each other are two credits, and both are shown",
    ),
    "a part is refilled": Story(
        TEN,
        both(lambda one: one.refill(1, "2026-02-05 10:00:00", "4.00"), FIVE),
        ["10", "1"], ["10.00", "5.00"], "11", "what is not paid is carried, what is used is billed",
    ),
    "on the billing day, before the cron": Story(
        TEN,
        both(
            used("2", "2026-02-01 03:00:00"),
            lambda one: one.charge(1, "2026-02-01 02:00:00", "3.00", kind=2),
        ),
        ["15", "0"], ["10.00", "5.00"], "15", "a day belongs to one period, whoever runs when",
    ),
    "a number bought by who pays later": Story(
        bought("2026-01-10 10:00:00"), lambda _: None,
        ["6"], ["3.00"], "3", "it is one charge, however often it was written down",
    ),
    "a number bought by who pays first": Story(
        both(lambda one: one.refill(1, "2026-01-03 10:00:00", "20.00"),
             bought("2026-01-10 10:00:00")),
        lambda _: None,
        ["3"], ["3.00"], "-17", "and it is paid for: there is nothing to pay",
    ),
    "an extra charge": Story(
        both(used("1", "2026-01-10 10:00:00"),
             lambda one: one.charge(1, "2026-01-11 10:00:00", "7.00", kind=4, taken=0)),
        lambda _: None,
        ["8"], ["8.00"], "8", "it counts against the limit, too: A2Billing's balance says -1",
    ),
    "parts of a cent": Story(
        both(used("10.005", "2026-01-10 10:00:00"), used("0.0001", "2026-01-11 10:00:00")),
        FIVE,
        ["10.0051", "5.0051"], ["10.01", "5.00"], "15.0051",
        "a bill has cents; the fraction stays in the account until it has grown to one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_out_of_a2billing_each_story_is_billed_as_it_should_be(book, name):
    story, one = STORIES[name], Incumbent()
    one.new_card("C1")
    bills = []
    for happens, today in ((story.january, "2026-02-01"), (story.february, "2026-03-01")):
        happens(one)
        book.run("import", "a2billing", one.exported(book.files / "a2b"), today=today)
        bills += book.close(today=today)
    nets = [book.invoice(row["number"])["net"] for row in bills if row["number"]]
    assert nets == story.ours, f"A2Billing: {story.theirs}; {story.why}"
    assert Decimal(book.balance("C1")["owed"]) == Decimal(story.owed)
    done = book.run("reconcile", "--json", book.files / "a2b", today="2026-03-01").json
    assert done["unexplained"] == 0


def test_out_of_a2billing_the_31st_is_the_last_day_of_every_month(book):
    one = Incumbent()
    one.new_card("C1", invoiceday=31, creationdate="2026-01-01 09:00:00")
    for day in ("2026-01-30", "2026-01-31", "2026-02-27", "2026-02-28"):
        one.call(1, f"{day} 10:00:00", 60, cost="1")
    book.run("import", "a2billing", one.exported(book.files / "a2b"), today="2026-03-02")
    bills = [(row["period"]["end"], row["gross"]) for row in book.close(today="2026-03-02")]
    # A2Billing bills on the 1st whoever has a day after the 28th.
    assert bills == [("2026-01-31", "1.00"), ("2026-02-28", "2.00")]
