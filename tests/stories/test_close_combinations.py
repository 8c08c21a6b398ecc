"""Features of a close together, with figures worked by hand. One started minute costs 1.00."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from examples import cases
from harness import Book, bean_check, total

RATES = """
[vat.codes.S12]
rate = 12
[[vat.rules]]
code = "S12"
from = 2026-03-16
"""
PARTIES = ('country = ""', 'country = "BE"'), ('vat_id = ""', 'vat_id = "BE0403170701"')
DOLLAR = '\n[tariffs.dollar]\ncurrency = "USD"\n'


def sound(book: Book, today: str) -> None:
    """Ask everything that can tell whether the books are right; billed is what `ageing` says."""
    book.run("check", today=today)
    standings = book.run("balances", "--json", today=today).json
    for row in standings:
        book.run("check", row["customer"], today=today)
    aged = {
        row["customer"]: Decimal(row["total"]) if "total" in row else Decimal(row["billed"])
        for row in book.run("ageing", "--json", today=today).json
    }
    for row in standings:
        assert aged.get(row["customer"], 0) == Decimal(row["billed"]), row
    for top in book.tops():
        assert not bean_check(book.root / top), top


def taxes(document) -> list[tuple[str, str, str]]:
    return [(row["code"], row["net"], row["vat"]) for row in document["vat"]]


def closes_as_rehearsed(book: Book, *words: object, today: str) -> list[dict]:
    """Close, after a preview and a rehearsal that said the same."""
    rehearsed = book.run("close", "--dry-run", "--json", *words, today=today).json
    seen = {row["customer"]: book.preview(row["customer"], today) for row in rehearsed}
    closed = book.close(*words, today=today)
    keep = ("customer", "gross", "to_pay", "period", "number")
    assert [[row[key] for key in keep] for row in closed] == [
        [row[key] for key in keep] for row in rehearsed
    ]
    for row in closed:
        preview = seen.pop(row["customer"], None)
        if preview and str(row["number"]).startswith("INV"):
            document = book.invoice(row["number"])
            for key in ("kind", "number", "issue_date", "due_date", "seal"):
                document.pop(key, None), preview.pop(key, None)
            assert document == preview
    return closed


def pays_31_a_month(book: Book) -> None:
    """Have C1 pay 31.00 a month ahead for a number, from 1 January on."""
    words = ("DIDs", "31.00", "--id", "did", "--from", "2026-01-01")
    book.run("fee", "add", "C1", *words, today="2026-01-05")


def test_a_fee_with_vat_inside_over_a_change_of_rate_and_stopped_after_it_was_billed(book):
    book.append("a2ledger.toml", RATES)
    book.customers({"id": "C1", "vat": "included"})
    book.run("fee", "add", "C1", "Subscriptions", "12.10", "--id", "line", "--from", "2026-02-15",
             today="2026-02-15")  # fmt: skip
    book.talks("C1", "2026-03-10", 10, today="2026-03-10")
    book.talks("C1", "2026-03-20", 10, today="2026-03-20")

    # January is empty. February: 14 of 28 days, 6.05, and March ahead, 12.10: 18.15. The rate
    # changes on 16 March: 15 of 31 days, 5.85 (5.8548), are at 21 % with February's 6.05, 16 days,
    # 6.25 (6.2452), at 12 %.
    # March: calls of 10.00 at 21 %, 1.74 (1.7355) inside; calls of 10.00 and April's 12.10, due on
    # 31 March, at 12 %: 22.10, 2.37 (2.3678) inside.
    _, february, march = closes_as_rehearsed(book, today="2026-04-02")
    assert (february["gross"], march["gross"]) == ("18.15", "32.10")
    assert taxes(book.invoice(february["number"])) == [
        ("S12", "5.58", "0.67"),
        ("S21", "9.83", "2.07"),
    ]
    assert taxes(book.invoice(march["number"])) == [
        ("S12", "19.73", "2.37"),
        ("S21", "8.26", "1.74"),
    ]
    sound(book, "2026-04-02")

    # 10 of April's 30 days are 4.03 (4.0333): 8.07 of the 12.10 come back, 0.86 (0.8646) of it VAT.
    book.run("fee", "stop", "C1", "line", "--from", "2026-04-11", today="2026-04-05")
    (april,) = closes_as_rehearsed(book, today="2026-05-01")
    assert (april["number"], april["gross"]) == ("CN-2026-000001", "8.07")
    note = book.invoice("CN-2026-000001")
    assert taxes(note) == [("S12", "7.21", "0.86")]
    assert total(note["statement"]) == Decimal("42.18")  # 18.15 + 32.10 - 8.07
    sums = book.sums()
    assert sums["Liabilities:VAT:S12"] == Decimal("-2.18")  # 0.67 + 2.37 - 0.86
    assert not [account for account in sums if "Pending" in account]
    sound(book, "2026-05-01")


def test_a_closed_month_re_rated_where_prices_contain_vat(book):
    book.customers({"id": "C1", "vat": "included"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.close(today="2026-02-01")  # 10.00, 1.74 of it VAT
    book.edit("tariffs/standard.csv", "1.00", "0.60")
    book.run("rerate", "--from", "2026-01-01", today="2026-02-05")

    # Ten minutes at 0.60 are 6.00: 4.00 come back, 0.69 (0.6942) of it VAT.
    (row,) = closes_as_rehearsed(book, today="2026-03-01")
    assert (row["number"], row["gross"], row["to_pay"]) == ("CN-2026-000001", "4.00", "6.00")
    assert taxes(book.invoice(row["number"])) == [("S21", "3.31", "0.69")]
    assert not [account for account in book.sums() if "Pending" in account]
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-1.05")
    sound(book, "2026-03-01")


def test_an_invoice_whose_prices_contain_vat_is_credited_as_it_was_billed(book):
    book.customers({"id": "C1", "vat": "included"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.moves("charges", "C1", "2026-01-12", "2.10", today="2026-01-31")
    book.close(today="2026-02-01")

    # 12.10, of it 2.10 VAT; the lines are 8.26 and 1.74 net. Line 2: 0.37 (0.3654) of VAT.
    words = ("credit-note", "INV-2026-000001", "--reason", "wrong", "--json")
    part = book.run(*words, "--line", 2, today="2026-02-05").json
    assert part["amount"] == "2.11"
    rest = book.run(*words, today="2026-02-05").json
    assert rest["amount"] == "9.99"
    assert book.balance("C1")["owed"] == "0.00"
    assert "Liabilities:VAT:S21" not in book.sums()
    sound(book, "2026-02-05")
    assert book.close(today="2026-03-01")[0]["gross"] == "0.00"
    sound(book, "2026-03-01")


def test_credit_that_was_taxed_and_is_not_spent_is_paid_back_with_its_vat_after_the_last_bill(book):
    book.customers({"id": "C1", "vat": "on-refill", "credit_limit": "0"})
    book.moves("refills", "C1", "2026-01-05", "12.10", today="2026-01-05")
    book.talks("C1", "2026-01-10", 4, today="2026-01-10")
    (row,) = book.close("C1", "--final", today="2026-01-20")
    # 10.00 of credit, 4.00 of them used.
    assert (row["number"], row["gross"], row["to_pay"]) == (None, "4.00", "0.00")
    assert book.balance("C1")["owed"] == "-6.00"
    # 6.00 and the 1.26 of VAT that was paid on them.
    done = book.run("refund", "C1", "7.26", "--json", today="2026-01-21").json
    assert done["posted"]
    assert book.balance("C1")["owed"] == "0.00"
    assert taxes(book.invoice("CN-2026-000001")) == [("S21", "6.00", "1.26")]
    assert book.sums()["Liabilities:VAT:S21"] == Decimal("-0.84")
    assert " close Assets:Receivable:C1" in book.text("journals/customers/C1.beancount")
    sound(book, "2026-01-21")


def test_a_reverse_charge_credited_names_its_reason_and_moves_no_vat(book):
    for old, new in PARTIES:
        book.edit("a2ledger.toml", old, new)
    book.customers({"id": "C1", "vat": "reverse-charge", "country": "GR", "vat_id": "EL094259216"})
    book.run("fee", "add", "C1", "DIDs", "31.00", "--arrears", "--from", "2026-01-22",
             today="2026-01-22")  # fmt: skip
    (row,) = closes_as_rehearsed(book, today="2026-02-01")
    assert row["gross"] == "10.00"  # 10 of 31 days
    book.run("credit-note", row["number"], "--line", 1, "--amount", "4.00", "--reason", "x",
             today="2026-02-03")  # fmt: skip
    note = book.invoice("CN-2026-000001")
    assert (note["gross"], taxes(note)) == ("4.00", [("AE", "4.00", "0.00")])
    assert (note["vat"][0]["reason"], note["treatment"]) == ("Reverse charge", "reverse-charge")
    assert not [account for account in book.sums() if "VAT" in account]
    sound(book, "2026-02-03")


def test_a_bill_in_dollars_credited_paid_in_euro_aged_and_written_off(book):
    book.append("a2ledger.toml", DOLLAR)
    (book.root / "tariffs/dollar.csv").write_text(book.text("tariffs/standard.csv"))
    book.customers({"id": "U1", "vat": "on-invoice", "currency": "USD", "tariff": "dollar"})
    prices = book.file(
        "prices.csv", "date,currency,price\n2026-01-02,USD,0.80\n2026-02-10,USD,0.90\n"
    )
    book.run("import", "prices", prices, today="2026-02-10")
    book.talks("U1", "2026-01-10", 100, today="2026-01-31")
    (row,) = closes_as_rehearsed(book, today="2026-02-01")
    assert row["gross"] == "121.00"
    # VAT of 21.00 dollars at 0.80
    assert book.invoice(row["number"])["vat_translated"]["vat_total"] == "16.80"
    book.run("credit-note", row["number"], "--line", 1, "--amount", "40.00", "--reason", "x",
             today="2026-02-11")  # fmt: skip
    # 48.40 dollars come back; VAT of 8.40.
    note = book.invoice("CN-2026-000001")
    assert note["gross"] == "48.40"
    # By the price of the invoice, whose VAT it takes back: 8.40 at 0.80.
    assert note["vat_translated"] == {
        "currency": "EUR", "price": "0.80", "date": "2026-01-02", "vat_total": "6.72",
    }  # fmt: skip
    # 32.67 euro at 0.90 are 36.30 dollars; of 121.00 36.30 are open.
    book.moves("payments", "U1", "2026-02-12", "32.67", currency="EUR", today="2026-02-12")
    (aged,) = book.run("ageing", "--json", today="2026-03-01").json
    assert aged["currency"] == "USD"
    sound(book, "2026-03-01")
    # 36.30 of 121.00: 21.00 x 0.3 = 6.30 of VAT come back.
    done = book.run("write-off", "U1", "--vat-relief", "--json", today="2026-03-01").json
    legs = {leg["account"]: leg["amount"] for leg in done["entries"][0]["postings"]}
    assert legs == {
        "Expenses:Bad-Debt": "30.00",
        # 6.30 dollars at 0.80: VAT is owed in euro.
        "Liabilities:VAT:S21": "5.04",
        "Equity:Conversion": "-5.04",
        "Assets:Receivable:U1:Billed": "-36.30",
    }
    # Billed 21.00, 8.40 credited, 6.30 relieved.
    assert book.balance("U1")["owed"] == "0.00"
    sound(book, "2026-03-01")


def test_a_deposit_over_settling_and_opening_again(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.run("deposit", "C1", "50.00", today="2026-01-05")
    pays_31_a_month(book)
    # January's 31.00, and nothing ahead: 10 days of it are due: 10.00 and VAT of 2.10.
    (row,) = book.close("C1", "--final", today="2026-01-11")
    assert (row["gross"], row["to_pay"]) == ("12.10", "0.00")
    assert book.balance("C1")["owed"] == "-37.90"
    sound(book, "2026-01-11")
    book.run("customer", "reopen", "C1", today="2026-01-20")
    book.run("deposit", "C1", "5.00", today="2026-01-21")
    sound(book, "2026-01-21")
    book.talks("C1", "2026-01-22", 10, today="2026-01-22")
    done = book.close("C1", "--final", today="2026-01-25")
    # 12.10 more, less the deposit of 5.00.
    assert [row["gross"] for row in done] == ["12.10"]
    assert book.balance("C1")["owed"] == "-30.80"
    book.run("refund", "C1", "30.80", today="2026-01-25")
    assert " close Assets:Receivable:C1" in book.text("journals/customers/C1.beancount")
    assert "Liabilities:Deposits:C1" not in book.sums()
    sound(book, "2026-01-25")


def test_a_fee_struck_out_is_waived_and_stays_so_when_it_is_stopped(book):
    book.customers({"id": "C1", "vat": "on-invoice"})
    pays_31_a_month(book)
    book.run("void", "fee-C1-did-2026-01-01", "free month", today="2026-01-06")
    sound(book, "2026-01-06")
    assert book.balance("C1")["owed"] == "0.00"
    # The 28 days of February are due on 31 January.
    (row,) = closes_as_rehearsed(book, today="2026-02-01")
    assert row["gross"] == "37.51"  # 31.00 and 6.51
    sound(book, "2026-02-01")
    # 14 of February's 28 days come back, 15.50; of January, which was waived, nothing.
    book.run("fee", "stop", "C1", "did", "--from", "2026-02-15", today="2026-02-02")
    (row,) = closes_as_rehearsed(book, today="2026-03-01")
    assert (row["number"], row["gross"]) == ("CN-2026-000001", "18.76")  # 15.50 and 3.26 (3.255)
    sound(book, "2026-03-01")


def test_a_refund_struck_out_and_asked_for_again(book):
    book.customers({"id": "C1"})
    book.moves("payments", "C1", "2026-01-05", "10.00", today="2026-01-05")
    book.run("refund", "C1", "4.00", today="2026-01-06")
    (link,) = [
        x for x in book.text("journals/2026-01/C1.01.beancount").split() if x.startswith("^refund")
    ]
    book.run("void", link[1:], "never sent", today="2026-01-06")
    assert book.balance("C1")["owed"] == "-10.00"
    sound(book, "2026-01-06")
    # It was struck out on purpose: asked for again in the same words it stays so, and that is said.
    again = book.run("refund", "C1", "4.00", today="2026-01-06")
    assert "posted before, and void; nothing was done" in again.stdout
    assert book.balance("C1")["owed"] == "-10.00"
    book.run("refund", "C1", "4.00", "--id", "second", today="2026-01-06")
    assert book.balance("C1")["owed"] == "-6.00"
    sound(book, "2026-01-06")


def test_a_quarterly_customer_with_monthly_fees_and_a_year_ahead(book):
    book.customers({"id": "C1", "vat": "on-invoice", "cycle": "quarterly", "billing_day": "31",
                    "credit_limit": "1000"})  # fmt: skip
    words = ("--from", "2026-01-31")
    book.run("fee", "add", "C1", "DIDs", "10.00", *words, today="2026-01-31")
    book.run("fee", "add", "C1", "Subscriptions", "365.00", "--every", "year", *words,
             today="2026-01-31")  # fmt: skip
    book.talks("C1", "2026-02-10", 1, today="2026-02-10")

    # To 30 April: a call of 1.00, the year's 365.00, and four months of 10.00, for what begins on
    # 30 April is due on the 29th: 406.00 and 85.26. To 31 July: three more, 30.00 and 6.30.
    _, second, third = closes_as_rehearsed(book, today="2026-07-31")
    assert [row["period"]["end"] for row in (second, third)] == ["2026-04-30", "2026-07-31"]
    assert [row["gross"] for row in (second, third)] == ["491.26", "36.30"]
    fees = [line for line in book.invoice(second["number"])["lines"] if line["service"] == "DIDs"]
    assert [(line["from"], line["to"]) for line in fees] == [
        ("2026-01-31", "2026-02-27"), ("2026-02-28", "2026-03-30"),
        ("2026-03-31", "2026-04-29"), ("2026-04-30", "2026-05-30"),
    ]  # fmt: skip
    # 365.00 for 365 days: 89 of them have passed by 30 April, 92 more by 31 July. Of the seven
    # months of 10.00 the last is of days to come.
    sums = book.sums()
    assert sums["Liabilities:Deferred-Income"] == Decimal("-194.00")
    assert sums["Income:Subscriptions"] == Decimal("-181.00")
    assert sums["Income:DIDs"] == Decimal("-60.00")
    sound(book, "2026-07-31")


@cases(
    ("before", "after", "billed", "back"),
    [
        # 31.00 for February were billed in January, 21 % added or inside. 14 of 28 days come back.
        # Between VAT and none the month ahead has what holds on its days: 31.00 bear 6.51, the
        # other 31.00 nothing.
        ("on-invoice", "none", "68.51", "15.50"),
        ("on-invoice", "included", "75.02", "18.76"),  # 62.00 + 13.02; 15.50 + 3.26 (3.255)
        ("included", "on-invoice", "62.00", "15.50"),  # 12.81 and 2.69
        ("included", "none", "62.00", "15.50"),
        ("none", "on-invoice", "68.51", "18.76"),
    ],
    2,
)
def test_a_fee_billed_under_another_treatment_is_credited_on_its_own_invoice(
    book, before, after, billed, back
):
    book.customers({"id": "C1", "vat": before})
    book.run("fee", "add", "C1", "DIDs", "31.00", "--id", "did", today="2026-01-01")
    book.run("customer", "set", "C1", f"vat={after}", "--from", "2026-02-01", today="2026-01-02")
    (january,) = closes_as_rehearsed(book, today="2026-02-01")
    assert january["gross"] == billed
    book.run("fee", "stop", "C1", "did", "--from", "2026-02-15", today="2026-02-05")
    book.talks("C1", "2026-02-06", 1, today="2026-02-06")

    # A line of February can not give back what was billed by other rules; it says what can.
    (row,) = book.close(today="2026-03-01", code=1)
    assert "other-treatment" in [warned["code"] for warned in row["warnings"]]
    book.run("void", "fee-C1-did-2026-01-31.2026-02-01", "credited", today="2026-03-01", code=1)
    book.run("void", "fee-C1-did-2026-02-01.2026-02-01", "credited", today="2026-03-01")
    # Of prices that contain VAT the line is net: 31.00 are 25.62 and 5.38; half is 12.81.
    net = "12.81" if before == "included" else "15.50"
    words = ("--line", 2, "--amount", net, "--reason", "stopped", "--json")
    note = book.run("credit-note", january["number"], *words, today="2026-03-01").json
    assert note["amount"] == back
    (row,) = closes_as_rehearsed(book, today="2026-03-01")
    assert row["gross"] == {"on-invoice": "1.21"}.get(after, "1.00")
    sound(book, "2026-03-01")
    assert not [account for account in book.sums() if "Pending" in account]


@pytest.mark.parametrize(
    ("before", "after"), [("included", "on-invoice"), ("on-invoice", "none"), ("none", "included")]
)
def test_a_closed_period_rerated_after_another_treatment_is_credited_on_its_own_invoice(
    book, before, after
):
    deck = book.root / "tariffs/standard.csv"
    deck.write_text("dialprefix,rateinitial\ndefault,10.00\n")
    book.customers({"id": "C1", "vat": before})
    book.talks("C1", "2026-01-05", 60, today="2026-01-05")
    book.run("customer", "set", "C1", f"vat={after}", "--from", "2026-02-01", today="2026-01-06")
    (january,) = book.close(today="2026-02-02")
    deck.write_text("dialprefix,rateinitial\ndefault,5.00\n")
    book.run("rerate", "--from", "2026-01-01", today="2026-02-03")

    (row,) = book.close(today="2026-03-02", code=1)
    assert "other-treatment" in [warned["code"] for warned in row["warnings"]]
    (link,) = re.findall(r"\^(rerate-\S+)", book.text("journals/2026-02/C1.01.beancount"))
    book.run("void", link, "credited", today="2026-03-02")
    book.run("credit-note", january["number"], "--reason", "rate", today="2026-03-02")
    book.close(today="2026-03-02")
    sound(book, "2026-03-02")
    # Nothing is left of January: neither what was owed, nor VAT.
    assert book.sums().get("Assets:Receivable:C1:Billed", 0) == 0
    assert book.sums().get("Liabilities:VAT:S21", 0) == 0
