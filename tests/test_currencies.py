"""Customers in their own currency: decks in it, bills in it, and books that still add up."""

from __future__ import annotations

import json

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

    carried = (book.root / "journals/general/carried.beancount").read_text()
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
