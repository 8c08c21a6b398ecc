"""A line of a bill, down to the calls and the rate: all of it adds up, or says that it does not."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
from decimal import Decimal

import pyarrow.compute as pc
import pytest
from harness import STANDARD, Book, call, made_once

from a2ledger import money
from a2ledger.audit import call_price, explain
from a2ledger.billing import preview, used
from a2ledger.book.book import Book as Opened
from a2ledger.calls import detail
from a2ledger.journal import subledgers

TODAY = dt.date(2026, 3, 20)

RATES = """\
dialprefix,destination,rateinitial,initblock,billingblock,buyrate,carrier
32,Belgium,0.60,60,60,0.12,ACME
33,France,1.20,1,1,,
"""


@pytest.fixture
@made_once
def shop(book):
    """C1 called Belgium twice and France once in January; on the 20th he was charged 3.00."""
    (book.root / "tariffs/standard.csv").write_text(RATES)
    book.customers({"id": "C1"})
    book.today = "2026-01-31"
    book.imported(
        "calls",
        [
            call("u1", "C1", "2026-01-05", 61, "32111"),
            call("u2", "C1", "2026-01-05", 30, "33222"),
            call("u3", "C1", "2026-01-06", 1, "32333"),
        ],
    )
    book.moves("charges", "C1", "2026-01-20", "3.00", id="c1", description="Set up")
    return book


def explained(shop, name, line, *words, **options):
    return shop.run("explain", name, line, "--json", *words, **options).json


# ---- every line of a whole book ----


@pytest.fixture(scope="module")
def demo(demo_book, tmp_path_factory):
    return shutil.copytree(demo_book, tmp_path_factory.mktemp("explain") / "demo")


def told_lines(root):
    """Every line of every document, and of every preview."""
    book = Opened(root)
    for path in sorted(root.glob("invoices/*/*.json")):
        for line in json.loads(path.read_text())["lines"]:
            yield explain.explain(book, path.stem, line["line"], TODAY), line["net"]
    for name in subledgers.customers(book):
        for line in Book(root, root).preview(name, today=str(TODAY))["lines"]:
            yield explain.explain(book, name, line["line"], TODAY), line["net"]


def once(read, key):
    """A reader that reads what has the same key once: the book stays as it is."""
    kept = {}

    def reading(*words, **options):
        name = key(*words)
        if name not in kept:
            kept[name] = read(*words, **options)
        return kept[name]

    return reading


def periods(customers):
    return tuple((customer.id, customer.periods) for customer in customers)


def test_every_line_of_every_document_adds_up_and_its_calls_are_priced_as_their_deck_says(
    demo, monkeypatch
):
    for module, name, key in (
        (detail, "read", lambda _, day, *__: day),
        (detail, "verified", lambda _, day, *__: day),
        (preview, "states", lambda _, customers: periods(customers)),
        (used.Calls, "read", lambda _, customers, __, end: (*periods(customers.values()), end)),
    ):
        monkeypatch.setattr(module, name, once(getattr(module, name), key))
    book = Opened(demo)
    count = priced = 0
    for told, net in told_lines(demo):
        count += 1
        assert told.notes == []
        assert sum(one.part_micro for one in told.postings) == told.micro
        if told.line["kind"] in {"usage", "late"} and told.line["calls"]:
            assert pc.sum(told.calls["cost_micro"]).as_py() == told.micro
            assert len(told.calls) == told.line["calls"]
            assert pc.sum(told.calls["seconds"]).as_py() == told.line["seconds"]
        before, after = told.rounding()
        assert money.text(after - before, 2) == net
        for one in told.postings:
            text = (demo / one.file).read_text().splitlines()[one.line - 1]
            assert text.startswith(f"{one.date} * ")
        for row in told.calls.to_pylist()[:3]:
            price = call_price.priced(book, row)
            assert (price.commit, price.told.cost_micro) == ("", row["cost_micro"])
            text = (demo / price.file).read_text().splitlines()[price.line - 1]
            assert text.startswith(f"{row['prefix']},{row['destination']},")
            priced += 1
    assert count > 30
    assert priced > 60


# ---- one line ----


def test_a_line_is_told_down_to_the_formula(shop):
    shop.close("C1", today="2026-02-01")

    done = shop.run("explain", "INV-2026-000001", 1)

    assert done.stdout.splitlines() == [
        "INV-2026-000001, line 1: Calls, Belgium, 2 calls, 0:01:02: 1.80 EUR (O)",
        "exactly 1.800000",
        (
            "posted under O before it 0.000000, shown as 0.00; with it 1.800000, shown as 1.80: "
            "1.80 more"
        ),
        "",
        "postings",
        (
            "  journals/2026-01/C1.01.beancount:8  2026-01-05  Calls, 2 calls, 0:01:31: 1.800000, "
            "1.200000 of it here"
        ),
        "  journals/2026-01/C1.01.beancount:15  2026-01-06  Calls, 1 call, 0:00:01: 0.600000",
        "",
        "calls",
        "  1  2026-01-05 12:00:00  32111  61 s  billed 120 s  1.200000  calls/u1",
        "  2  2026-01-06 12:00:00  32333   1 s   billed 60 s  0.600000  calls/u3",
        "",
        "price of call 1: 1.200000",
        "  tariffs/standard.csv:2, prefix 32, Belgium",
        "  seconds       61 s",
        "  initblock     at least 60 s: 61 s",
        "  billingblock  in blocks of 60 s: 120 s",
        "  rateinitial   120 / 60 * 0.60 = 1.20",
    ]


def test_another_call_and_what_its_carrier_takes(shop):
    found = explained(shop, "C1", 1, "--call", 2, "--buy", "--calls", 1)

    assert found["calls_total"] == 2
    assert [row["call"] for row in found["calls"]] == [1, 2]
    (price,) = found["prices"]
    assert (price["call"], price["file"], price["line"]) == (2, "tariffs/standard.csv", 2)
    assert price["cost"] == "0.600000"
    # One second at 0.12 a minute.
    assert (price["buy_cost"], price["buy_steps"][-1]["text"]) == (
        "0.002000",
        "1 / 60 * 0.12 = 0.002",
    )
    assert explained(shop, "C1", 1)["prices"][0]["buy_cost"] is None


def test_fractions_that_wait_are_told(shop):
    shop.imported("calls", [call("u4", "C1", "2026-01-07", 1, "33222")])

    # A second to France is 0.02: nothing is left over, so take a third of a cent more.
    row = {**call("u5", "C1", "2026-01-07", 1, "33222"), "cost": "0.003333"}
    shop.imported("calls", [row])
    line = next(
        number
        for number, row in enumerate(shop.preview("C1")["lines"], start=1)
        if row["description"] == "Set up"
    )
    found = explained(shop, "C1", line)

    assert (found["exact"], found["line"]["net"]) == ("3.000000", "3.00")
    assert (found["total_before"], found["shown_before"]) == ("2.423333", "2.42")
    assert found["shown_after"] == "5.42"


def test_a_charge_shows_its_entry(shop):
    found = explained(shop, "C1", 3)
    (posting,) = found["postings"]
    assert (posting["text"], posting["amount"]) == ("Subscriptions, Set up", "3.000000")
    assert found["calls"] == found["prices"] == []


def test_a_fee_that_is_due_and_not_posted_is_told_as_such(shop):
    shop.run("fee", "add", "C1", "Subscriptions", "10.00", "--from", "2026-01-01")
    shop.close("C1", today="2026-02-01")
    lines = shop.preview("C1", today="2026-02-28")["lines"]
    number = next(line["line"] for line in lines if line["kind"] == "fee")

    # March's is due on the last day of February, and nothing was written since the 1st.
    said = shop.run("explain", "C1", number, today="2026-02-28").stdout

    assert "exactly 10.000000" in said
    assert "not posted yet  2026-02-28  Subscriptions" in said


def test_all_calls_as_csv(shop):
    done = shop.run("explain", "C1", 1, "--csv", "--calls", 1)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["id"], row["cost"]) for row in rows] == [
        ("calls/u1", "1.200000"),
        ("calls/u3", "0.600000"),
    ]


def test_calls_that_came_late_are_those_of_their_line(shop):
    shop.close("C1", today="2026-02-01")
    shop.today = "2026-02-10"
    shop.imported("calls", [call("u9", "C1", "2026-01-05", 60, "32999")])
    shop.imported("calls", [call("u8", "C1", "2026-02-05", 60, "32999")])

    found = explained(shop, "C1", 2)

    assert (found["line"]["kind"], found["line"]["late_from"]) == ("late", "2026-01-05")
    assert [row["id"] for row in found["calls"]] == ["calls/u9"]
    assert [row["id"] for row in explained(shop, "C1", 1)["calls"]] == ["calls/u8"]
    old = explained(shop, "INV-2026-000001", 1)
    assert [row["id"] for row in old["calls"]] == ["calls/u1", "calls/u3"]


def test_a_credit_note_of_a_close_is_told_with_its_sign(shop):
    shop.close("C1", today="2026-02-01")
    shop.today = "2026-02-10"
    shop.moves("charges", "C1", "2026-02-05", "-2.00", id="c3")
    shop.close("C1", today="2026-03-01")

    found = explained(shop, "CN-2026-000001", 1)

    assert (found["line"]["net"], found["exact"]) == ("2.00", "-2.000000")
    assert found["notes"] == []


def test_a_credit_note_shows_its_entry_and_names_what_it_credits(shop):
    shop.close("C1", today="2026-02-01")
    shop.today = "2026-02-10"
    shop.run("credit-note", "INV-2026-000001", "--line", 1, "--reason", "wrong rate")

    found = explained(shop, "CN-2026-000001", 1)

    assert (found["credits"], found["line"]["net"]) == ("INV-2026-000001", "1.80")
    (posting,) = found["postings"]
    text = shop.text(posting["file"]).splitlines()[posting["line"] - 1]
    assert text.startswith('2026-02-10 * "Credit note CN-2026-000001 for INV-2026-000001"')
    assert "it credits INV-2026-000001" in shop.run("explain", "CN-2026-000001", 1).stdout


def test_a_correction_shows_what_was_posted(shop):
    shop.close("C1", today="2026-02-01")
    (shop.root / "tariffs/standard.csv").write_text(RATES.replace("0.60", "0.90"))
    shop.run("rerate", "--from", "2026-01-01", today="2026-02-10")

    found = explained(shop, "C1", 1, today="2026-02-10")

    assert (found["line"]["kind"], found["exact"]) == ("correction", "0.900000")
    assert found["postings"][0]["text"] == (
        "Calls, Re-rated: 3 calls of 1 January 2026 to 6 January 2026"
    )


# ---- what has no formula, and what has changed ----


def price(shop, name, line, number=1):
    return explained(shop, name, line, "--call", number)["prices"][0]


def test_calls_without_a_formula_say_why(shop):
    shop.imported("calls", [call("g1", "C1", "2026-01-10", 60, "33222") | {"cost": "0.37"}])
    shop.imported("calls", [call("z1", "C1", "2026-01-11", 0, "33222")])
    shop.run("void", "u2", "a test call")

    notes = [price(shop, "C1", 2, number)["note"] for number in (1, 2, 3)]

    assert notes == [
        "it is void: a test call; it would cost 0.600000",
        "its row said what it costs, or its rule that it is free",
        "an answered call of no seconds is free",
    ]
    assert price(shop, "C1", 2, 1)["steps"][-1]["text"] == "30 / 60 * 1.20 = 0.60"


def test_when_the_deck_has_changed_the_commit_that_held_is_named(shop):
    shop.close("C1", today="2026-02-01")
    (shop.root / "tariffs/standard.csv").write_text("# new\n" + RATES.replace("0.60", "0.90"))
    shop.run("customer", "set", "C1", "terms=30", today="2026-02-02")
    (shop.root / "tariffs/standard.csv").write_text(RATES.replace("0.60", "0.95"))

    found = price(shop, "INV-2026-000001", 1)

    assert (found["line"], found["cost"]) == (2, "1.200000")
    commit = found["commit"].split()[0]
    assert "32,Belgium,0.60," in shop.git("show", f"{commit}:tariffs/standard.csv")
    said = shop.run("explain", "INV-2026-000001", 1).stdout
    assert f"the deck has changed since: git show {commit}:tariffs/standard.csv" in said


def test_a_price_no_deck_gives_says_what_it_would_be(shop):
    shop.run("customer", "set", "C1", "discount_percent=10", "--from", "2026-01-01")

    found = price(shop, "C1", 1)

    assert (found["cost"], found["steps"]) == (None, [])
    assert found["note"] == (
        "no version of its deck with the discount of now gives this price; "
        "it would be 1.080000, tariffs/standard.csv, prefix 32"
    )
    shop.run("rerate")
    told = price(shop, "C1", 1)
    assert [step["text"] for step in told["steps"]][-2:] == [
        "120 / 60 * 0.60 = 1.20",
        "less 10 %: 1.08",
    ]


def test_a_clone_without_calls_tells_what_it_can(shop):
    shop.close("C1", today="2026-02-01")
    for path in shop.root.glob("calls/2*"):
        shutil.rmtree(path)

    found = explained(shop, "INV-2026-000001", 1, code=1)

    assert (found["exact"], found["calls"]) == (None, [])
    assert [one["amount"] for one in found["postings"]] == ["1.800000", "0.600000"]
    assert re.search("the calls of 2026-01-05 cannot be read", found["notes"][0])
    charge = explained(shop, "INV-2026-000001", 3, code=1)
    assert [one["amount"] for one in charge["postings"]] == ["3.000000"]


def test_a_line_that_is_not_there_is_said(shop):
    shop.close("C1", today="2026-02-01")
    assert "has 3 line(s)" in shop.run("explain", "INV-2026-000001", 4, code=1).stderr
    assert "has 0 line(s)" in shop.run("explain", "C1", 1, code=1).stderr
    assert "no such document" in shop.run("explain", "nobody", 1, code=1).stderr
    assert "has 2 call(s)" in shop.run("explain", "INV-2026-000001", 1, "--call", 3, code=2).stderr
    assert "LINE" in shop.run("explain", "INV-2026-000001", 0, code=2).stderr


def test_a_document_the_books_no_longer_give_says_so(shop):
    shop.close("C1", today="2026-02-01")
    path = shop.root / "invoices/2026/INV-2026-000001.json"
    path.write_text(path.read_text().replace('"net": "1.80"', '"net": "1.90"'))

    done = shop.run("explain", "INV-2026-000001", 1, code=1)

    assert "journal and call detail say 1.80 by now, 2 calls, 0:01:02" in done.stderr


def test_where_prices_contain_vat_the_line_is_told_less_the_vat_inside(book):
    (book.root / "tariffs/standard.csv").write_text(STANDARD)
    book.customers({"id": "C1", "vat": "included"})
    book.today = "2026-01-31"
    book.imported("calls", [call("u1", "C1", "2026-01-05", 600)])

    found = explained(book, "C1", 1)

    # 10.00 with VAT of 21 % inside: 8.26 and 1.74.
    assert (found["exact"], found["line"]["net"]) == ("10.000000", "8.26")
    assert found["included"] is True
    assert "the VAT inside" in book.run("explain", "C1", 1).stdout


def test_re_rating_a_closed_period_sets_the_vat_inside_aside(book):
    book.customers({"id": "C1", "vat": "included"})
    book.today = "2026-01-31"
    book.imported("calls", [call("u1", "C1", "2026-01-05", 600)])
    book.close("C1", today="2026-02-01")
    (book.root / "tariffs/standard.csv").write_text(STANDARD.replace("1.00", "2.00"))

    book.run("rerate", "--from", "2026-01-01", today="2026-02-10")

    sums = book.sums()
    # 10.00 more, of which 1.735537 are VAT that is owed when it is billed.
    assert sums["Liabilities:VAT-Pending:S21"] == Decimal("-1.735537")
    book.close("C1", today="2026-03-01")
    assert "Liabilities:VAT-Pending:S21" not in book.sums()
    assert dt.date(2026, 2, 10) in {entry.date for entry in book.entries()}
