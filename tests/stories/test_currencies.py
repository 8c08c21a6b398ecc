"""Customers in their own currency: decks in it, bills in it, and books that still add up."""

from __future__ import annotations

import json
from decimal import Decimal

USD = "dialprefix,destination,rateinitial,buyrate,carrier\n30,Greece,0.60,0.30,acme\n"
TOML = '\n[tariffs.usd]\ncurrency = "USD"\n[tariffs.yen]\ncurrency = "JPY"\n'


def shop(book):
    """A book in euro with customers in euro, dollars and yen."""
    book.today = "2026-06-30"
    (book.root / "tariffs/standard.csv").write_text(USD)
    (book.root / "tariffs/usd.csv").write_text(USD)
    (book.root / "tariffs/yen.csv").write_text(USD.replace("0.60", "60").replace("0.30", "30"))
    toml = book.root / "a2ledger.toml"
    toml.write_text(toml.read_text() + TOML)
    book.customers(
        {"id": "E1", "vat": "on-invoice"},
        {"id": "U1", "vat": "on-invoice", "currency": "USD", "tariff": "usd"},
        {"id": "Y1", "vat": "on-invoice", "currency": "JPY", "tariff": "yen"},
    )
    return book


def calls(book, *rows):
    text = "id,customer,start,called,seconds\n" + "".join(
        f"{number},{customer},2026-01-05 10:00:00,302101,{seconds}\n"
        for number, (customer, seconds) in enumerate(rows)
    )
    return book.file("calls.csv", text)


def test_everyone_is_billed_in_his_own_currency_with_its_decimals(book):
    shop(book).run("import", "calls", calls(book, ("E1", 65), ("U1", 65), ("Y1", 65)))

    # 65 s at 0.60 a minute: 0.65, and 21 % of it 0.14 (0.1365); at 60 yen: 65 and 14 (13.65).
    priced(book)
    rehearsed = book.run("close", "--dry-run", today="2026-02-02")
    assert (
        "3 period(s) would be closed, 0.79 EUR and 79 JPY and 0.79 USD billed" in rehearsed.stderr
    )
    rows = json.loads(book.run("close", "--json", today="2026-02-02").stdout)
    assert [(row["customer"], row["gross"], row["to_pay"]) for row in rows] == [
        ("E1", "0.79", "0.79"),
        ("U1", "0.79", "0.79"),
        ("Y1", "79", "79"),
    ]
    owed = json.loads(book.run("balances", "--json", today="2026-02-02").stdout)
    assert [(row["customer"], row["currency"], row["owed"]) for row in owed] == [
        ("E1", "EUR", "0.79"),
        ("U1", "USD", "0.79"),
        ("Y1", "JPY", "79.00"),
    ]
    documents = json.loads(book.run("invoice", "--json").stdout)
    assert {one["currency"] for one in documents} == {"EUR", "USD", "JPY"}
    book.run("check", "E1", "U1", "Y1")


def test_an_import_adds_up_each_currency_by_itself(book):
    shop(book)
    done = book.run("import", "calls", calls(book, ("E1", 60), ("U1", 120), ("Y1", 60)), "--json")
    found = json.loads(done.stdout)
    assert (found["amount"], found["amounts"]) == ("0.60", {"JPY": "60", "USD": "1.20"})
    assert "0.60, 60 JPY, 1.20 USD" in done.stderr
    priced(book)
    paid = pay(book, "P1,U1,2026-01-19,90,EUR", "P2,U1,2026-01-19,5,USD", "P3,U1,2026-01-19,1,")
    assert (paid["amount"], paid["amounts"]) == ("90.00", {"USD": "6.00"})


def test_carriers_are_owed_in_the_currency_of_the_deck_that_names_them(book):
    shop(book).run("import", "calls", calls(book, ("E1", 60), ("U1", 60), ("U1", 120)))

    month = (book.root / "journals/carriers/acme/2026-01.beancount").read_text()
    assert '"1 call, 0:01:00"' in month
    assert "Liabilities:Carriers:X-acme  -0.300000 EUR" in month
    assert '"2 calls, 0:03:00"' in month
    assert "Liabilities:Carriers:X-acme  -0.900000 USD" in month


def test_months_carried_forward_keep_currencies_apart(book):
    shop(book)
    for month in range(1, 7):
        book.run(
            "import",
            "calls",
            book.file(
                f"{month}.csv",
                "id,customer,start,called,seconds\n"
                f"a{month},E1,2026-{month:02d}-05 10:00:00,302101,60\n"
                f"b{month},U1,2026-{month:02d}-05 10:00:00,302101,120\n",
            ),
        )

    carried = (book.root / "journals/general/carried/2026-01.beancount").read_text()
    assert "Income:Calls                 -0.600000 EUR" in carried
    assert "Income:Calls                 -1.200000 USD" in carried
    owed = json.loads(book.run("balances", "--json").stdout)
    assert [(row["currency"], row["owed"]) for row in owed] == [
        ("EUR", "3.60"),
        ("USD", "7.20"),
        ("JPY", "0.00"),
    ]


def test_a_deck_in_another_currency_than_the_account_prices_nothing(book):
    shop(book)
    done = book.run("customer", "set", "E1", "tariff=usd", code=1)
    assert "usd is in USD, the account in EUR" in done.stderr
    book.run("customer", "add", "G1", "--currency", "GBP", "--tariff", "standard", code=1)
    # By hand in a2ledger.toml, after customers had the deck.
    toml = book.root / "a2ledger.toml"
    toml.write_text(toml.read_text().replace('usd]\ncurrency = "USD"', 'usd]\ncurrency = "CHF"'))

    done = book.run("import", "calls", calls(book, ("U1", 60), ("E1", 60)), "--json", code=3)
    assert json.loads(done.stdout)["quarantined"] == {"wrong-currency": 1}
    assert json.loads(done.stdout)["posted"] == 1


def test_the_currency_of_an_account_never_changes(book):
    shop(book)
    done = book.run("customer", "set", "U1", "currency=EUR", code=1)
    assert "kept in USD for good" in done.stderr


PRICES = "date,currency,price\n2026-01-02,USD,0.90\n2026-01-20,USD,0.92\n2026-01-02,JPY,0.0060\n"


def priced(book, text=PRICES):
    book.run("import", "prices", book.file("prices.csv", text))


def pay(book, *rows, code=0):
    text = "id,customer,date,amount,currency\n" + "".join(f"{row}\n" for row in rows)
    done = book.run("import", "payments", book.file("payments.csv", text), "--json", code=code)
    return json.loads(done.stdout)


def owed(book):
    rows = json.loads(book.run("balances", "--json").stdout)
    return {row["customer"]: row["owed"] for row in rows}


def test_a_payment_in_another_currency_is_converted_by_the_price_of_its_day(book):
    priced(shop(book))
    pay(book, "P1,U1,2026-01-19,90,EUR", "P2,U1,2026-01-20,92,EUR", "P3,Y1,2026-01-05,1,USD")

    # 90 EUR at 0.90 and 92 EUR at 0.92 are 100 USD each; 1 USD is 0.90 / 0.0060 = 150 yen.
    assert owed(book) == {"E1": "0.00", "U1": "-200.00", "Y1": "-150.00"}
    text = (book.root / "journals/2026-01/U1.01.beancount").read_text()
    assert (
        "  Assets:Bank                    90.00 EUR\n"
        "  Equity:Conversion             -90.00 EUR\n"
        "  Equity:Conversion             100.00 USD\n"
        "  Assets:Receivable:U1:Billed  -100.00 USD\n"
    ) in text
    assert "@" not in text
    book.run("check", "U1", "Y1")


def test_the_same_payment_again_is_known_even_when_prices_came_between(book):
    priced(shop(book))
    pay(book, "P1,U1,2026-01-19,90,EUR")
    priced(book, "date,currency,price\n2026-01-19,USD,0.75\n")

    assert pay(book, "P1,U1,2026-01-19,90,EUR")["duplicate"] == 1
    assert owed(book)["U1"] == "-100.00"
    assert pay(book, "P1,U1,2026-01-19,91,EUR", code=3)["quarantined"] == {"conflict": 1}


def test_without_a_price_a_foreign_payment_waits_in_quarantine(book):
    shop(book)
    assert pay(book, "P1,U1,2026-01-19,90,EUR", code=3)["quarantined"] == {"bad-currency": 1}
    priced(book)
    assert pay(book, "P1,U1,2026-01-19,90,EUR")["posted"] == 1
    assert owed(book)["U1"] == "-100.00"


def test_prices_are_taken_once(book):
    shop(book)
    rows = PRICES + "2026-01-20,USD,0.93\n2026-01-20,EUR,1\n2026-02-30,USD,1\n2026-01-03,USD,0\n"
    file = book.file("prices.csv", rows)
    first = json.loads(book.run("import", "prices", file, "--json", code=3).stdout)
    assert first["posted"] == 3
    assert first["quarantined"] == {"bad-currency": 1, "bad-date": 1, "bad-price": 1, "conflict": 1}
    again = json.loads(book.run("import", "prices", file, "--json").stdout)
    assert (again["posted"], again["duplicate"]) == (0, 3)
    journal = (book.root / "journals/prices.beancount").read_text()
    assert "2026-01-20 price USD  0.92 EUR\n" in journal


def test_a_foreign_bill_shows_its_vat_in_the_books_currency_too(book):
    shop(book).run("import", "calls", calls(book, ("U1", 1000)))
    done = book.run("close", "U1", "--json", today="2026-02-02", code=1)
    assert json.loads(done.stdout)[0]["warnings"][0]["code"] == "no-price"
    priced(book)
    book.run("close", "U1", today="2026-02-02")

    # 10.00 USD, 21 % VAT is 2.10 USD, at 0.92 (the price on the last day) 1.93 EUR.
    document = json.loads(book.run("invoice", "INV-2026-000001", "--json").stdout)
    assert (document["net"], document["vat_total"]) == ("10.00", "2.10")
    assert document["vat_translated"] == {
        "currency": "EUR",
        "price": "0.92",
        "date": "2026-01-20",
        "vat_total": "1.93",
    }
    text = book.run("invoice", "INV-2026-000001", "--format", "text", "-o", "-").stdout
    assert "VAT in EUR, at 0.92 of 20 January 2026" in text
    html = book.run("invoice", "INV-2026-000001", "--format", "html", "-o", "-").stdout
    assert "VAT in EUR, at 0.92 of" in html


def test_a_credit_note_for_a_foreign_bill_uses_the_price_of_the_bill(book):
    shop(book).run("import", "calls", calls(book, ("U1", 1000)))
    priced(book)
    book.run("close", "U1", today="2026-02-02")
    priced(book, "date,currency,price\n2026-02-05,USD,0.50\n")
    book.run("credit-note", "INV-2026-000001", "--reason", "Wrong rate", today="2026-02-10")
    credited = json.loads(book.run("invoice", "CN-2026-000001", "--json").stdout)
    billed = json.loads(book.run("invoice", "INV-2026-000001", "--json").stdout)
    assert credited["vat_translated"] == billed["vat_translated"]


def test_a_currency_without_decimals_is_sealed_like_any_other(book):
    priced(shop(book))
    for month in ("01", "02"):
        book.moves("charges", "Y1", f"2026-{month}-05", "300", today="2026-02-20")
    book.run("close", "Y1", today="2026-03-02")
    book.run("verify", today="2026-03-02")
    (seal,) = [
        line
        for line in book.text("journals/2026-03/Y1.01.beancount").splitlines()
        if "a2ledger-seal" in line
    ]
    assert seal.endswith(" 0 0 363 JPY 726 JPY")  # this period's, and all so far


def test_a_bill_asks_for_what_can_be_paid_in_coins(book):
    toml = book.root / "a2ledger.toml"
    toml.write_text(toml.read_text() + '\n[cash_rounding]\nEUR = "0.05"\n')
    book.edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    book.customers({"id": "C1", "vat": "on-invoice", "country": "BE"}, {"id": "C2"})
    book.moves("charges", "C1", "2026-01-06", "11.05", service="One-off")
    book.moves("openings", "C2", "2026-01-06", "0.12")
    assert book.preview("C1")["to_pay"] == "13.35"
    [row, opened] = book.close(today="2026-02-02")

    # 11.05 and 2.32 of VAT are 13.37, of which 13.35 is asked for.
    assert (row["gross"], row["billed"], row["to_pay"]) == ("13.37", "13.37", "13.35")
    assert (opened["number"], opened["to_pay"]) == (None, "0.10")
    document = book.invoice(row["number"])
    assert document["rounding"] == {"amount": "-0.02", "to": "0.05"}
    text = book.run("invoice", row["number"], "--format", "text", "-o", "-").stdout
    assert "Payments & refills        0.00\nRounding                 -0.02\n" in text
    ubl = book.run("invoice", row["number"], "--format", "ubl", "-o", "-").stdout
    assert '<cbc:PayableRoundingAmount currencyID="EUR">-0.02<' in ubl
    assert '<cbc:PayableAmount currencyID="EUR">13.35<' in ubl
    last = {"description": "Rounding of what is to pay", "amount": "-0.02", "balance": "13.35"}
    assert document["statement"]["lines"][-1].items() >= last.items()
    assert book.statement("C1")["lines"][-1].items() >= last.items()
    assert book.statement("C2")["lines"][-1]["balance"] == "0.10"
    assert book.sums()["Income:Rounding"] == Decimal("0.04")
    [aged, _] = book.run("ageing", "--json", today="2026-02-03").json
    assert (aged["current"], aged["unapplied"]) == ("13.35", "0.00")

    # The invoice is given back whole, and the next bill rounds what that left.
    book.run("credit-note", row["number"], "--reason", "wrong", today="2026-02-10")
    assert book.balance("C1")["owed"] == "-0.02"
    book.moves("charges", "C1", "2026-02-11", "0.10", service="One-off", today="2026-02-11")
    toml.write_text(toml.read_text().replace("0.05", "0.10"))
    [row, _] = book.close(today="2026-03-02")
    assert row["to_pay"] == "0.10"
    assert "rounding" not in book.invoice(row["number"])
    toml.write_text(toml.read_text().replace("[cash_rounding]", "").replace('EUR = "0.10"', ""))
    book.run("check", "C1", "C2")
    book.run("verify")


def dollars(book):
    """Bills of 100.00 USD and 21 % of VAT at 0.90, closed in January and paid by nobody."""
    shop(book).edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.edit("a2ledger.toml", 'vat_id = ""', 'vat_id = "BE0403170701"')
    book.today = "2026-01-20"
    book.run(
        "import", "prices", book.file("prices.csv", "date,currency,price\n2026-01-02,USD,0.90\n")
    )
    book.moves("charges", "U1", "2026-01-05", "100.00", service="One-off")
    (bill,) = (row for row in book.close(today="2026-02-02") if row["customer"] == "U1")
    return bill["number"]


def vat(book):
    return book.sums("journals/history.beancount").get("Liabilities:VAT:S21", Decimal(0))


def test_vat_of_a_debt_given_up_comes_back_in_the_currency_it_was_owed_in(book):
    number = dollars(book)
    assert vat(book) == Decimal("-18.90")  # 21.00 USD
    book.run("write-off", "U1", "60.50", "--vat-relief", today="2026-02-05")
    assert vat(book) == Decimal("-9.45")
    book.run("write-off", "U1", "--vat-relief", today="2026-02-06")
    assert vat(book) == 0
    said = book.run("credit-note", number, "--reason", "wrong", today="2026-02-07", code=1).stderr
    assert "nothing is left of it to credit" in said
    report = book.run("report", "vat", "--from", "2026-01-01", "--to", "2026-02-28", "--json").json
    (row,) = report["rows"]
    assert (row["invoiced_base"], row["other_base"], row["base"]) == ("90.00", "-90.00", "0.00")
    assert (row["other_vat"], row["vat"]) == ("-18.90", "0.00")

    book.run("recover", "U1", "121.00", today="2026-02-10")
    assert vat(book) == Decimal("-18.90")
    assert book.balance("U1")["owed"] == "121.00"
    sums = book.sums("journals/history.beancount")
    assert "Expenses:Bad-Debt" not in sums
    book.run("verify")
    # Owed again it can be given back, and its VAT as it was owed.
    book.run("credit-note", number, "--reason", "wrong", today="2026-02-12")
    assert (book.balance("U1")["owed"], vat(book)) == ("0.00", Decimal(0))
    book.run("check", "U1")


def test_money_is_paid_back_in_another_currency_at_the_price_of_the_day(book):
    dollars(book)
    pay(book, "P1,U1,2026-01-19,200,USD")
    words = ("refund", "U1", "9.00", "--currency", "EUR")
    done = book.run(*words, "--json", today="2026-02-05").json
    assert (done["amount"], done["currency"]) == ("10.00", "USD")
    (entry,) = done["entries"]
    assert [tuple(leg.values()) for leg in entry["postings"]] == [
        ("Assets:Receivable:U1:Billed", "10.00", "USD"),
        ("Equity:Conversion", "-10.00", "USD"),
        ("Equity:Conversion", "9.00", "EUR"),
        ("Assets:Bank", "-9.00", "EUR"),
    ]
    assert book.balance("U1")["owed"] == "-69.00"
    assert not book.run(*words, "--json", today="2026-02-05").json["posted"]
    said = book.run("refund", "U1", "9.00", "--currency", "GBP", today="2026-02-06", code=1).stderr
    assert "no price to convert GBP to USD on 2026-02-06" in said
    said = book.run("refund", "U1", "9.001", "--currency", "EUR", today="2026-02-06", code=1).stderr
    assert "9.001 has more than the 2 decimals of EUR" in said
    book.run("check", "U1")


def test_refills_in_another_currency_are_taxed_in_the_books_own(book):
    shop(book).edit("a2ledger.toml", 'country = ""', 'country = "BE"')
    book.today = "2026-01-20"
    book.customers({"id": "P1", "vat": "on-refill", "currency": "USD", "tariff": "usd"})
    row = {"id": "r1", "customer": "P1", "date": "2026-01-05", "amount": "121.00"}
    assert "no-price" in book.imported("refills", [row], code=3).stderr
    book.run(
        "import", "prices", book.file("prices.csv", "date,currency,price\n2026-01-02,USD,0.90\n")
    )
    book.imported("refills", [row])
    assert book.balance("P1")["owed"] == "-100.00"
    book.run("refund", "P1", "60.50")
    assert book.balance("P1")["owed"] == "-50.00"
    report = book.run("report", "vat", "--from", "2026-01-01", "--to", "2026-01-31", "--json").json
    (taxed,) = report["rows"]
    assert (taxed["invoiced_base"], taxed["credited_base"]) == ("90.00", "-45.00")
    assert (taxed["vat"], vat(book)) == ("9.45", Decimal("-9.45"))
    book.run("check", "P1")


def test_money_in_another_currency_that_paid_for_a_refill_comes_back_as_it_came(book):
    shop(book)
    book.today = "2026-01-20"
    book.run("import", "prices", book.file("p.csv", "date,currency,price\n2026-01-02,USD,0.90\n"))
    book.moves("refills", "E1", "2026-01-05", "10.00", id="R1")
    row = {"id": "P1", "customer": "E1", "date": "2026-01-06", "amount": "20", "reference": "R1"}
    book.imported("payments", [{**row, "currency": "USD"}])
    # 20 USD are 18.00 EUR: 10.00 paid for the refill, and 8.00 more are the customer's.
    assert book.balance("E1")["owed"] == "-18.00"
    assert "Assets:Clearing:Refills" not in book.sums()
    done = book.run("returned", "E1", "P1", "--json", today="2026-01-21").json
    assert (done["amount"], done["currency"]) == ("18.00", "EUR")
    assert book.balance("E1")["owed"] == "0.00"
    assert book.sums() == {}
    book.run("check", "E1")
