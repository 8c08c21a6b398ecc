"""Void: struck out of the open period, with its identity left behind."""

from __future__ import annotations

import itertools

import pytest
from examples import cases
from harness import STANDARD, call

from a2ledger.journal import syntax


@pytest.fixture
def shop(book):
    """C1 and C2."""
    book.customers({"id": "C1"}, {"id": "C2"})
    book.today = "2026-01-31"
    return book


def journals(book):
    return {path: text for path, text in book.digests().items() if path.startswith("journals/")}


def refill(shop, identity="r1", **more):
    shop.moves("refills", "C1", "2026-01-05", "10.00", id=identity, **more)


def payment(shop, identity="p1", **more):
    shop.moves("payments", "C1", "2026-01-06", "10.00", id=identity, **more)


def test_a_refill_that_was_typed_twice_is_struck_out_and_stays_known(shop):
    refill(shop, "r1")
    refill(shop, "r2", description="Voucher")

    done = shop.run("void", "r2", "typed twice")

    assert done.stderr.splitlines() == [
        "refill-refills-r2: Refill, Voucher, 2026-01-05, 10.00 EUR: void"
    ]
    assert shop.balance("C1")["owed"] == "-10.00"
    assert shop.text("journals/2026-01/C1.01.beancount").split("\n\n")[1] == (
        '2026-01-05 * "Refill" "Voucher" ^refill-refills-r2\n'
        '  id: "r2"\n'
        '  voided: "typed twice"\n'
        "  Assets:Clearing:Refills      0.00 EUR\n"
        "    was: 10.00 EUR\n"
        "  Assets:Receivable:C1:Billed  0.00 EUR\n"
        "    was: -10.00 EUR"
    )
    assert shop.log()[0] == "void: refill-refills-r2 is void: typed twice"
    (_, line) = shop.statement("C1")["lines"]
    assert (line["description"], line["amount"]) == ("Refill, Voucher, void: typed twice", "0.00")
    assert shop.run("check", "C1").stdout == ""

    same = {"customer": "C1", "date": "2026-01-05", "description": "Voucher", "id": "r2"}
    assert "1 duplicate" in shop.imported("refills", [same | {"amount": "10.00"}]).stderr
    other = shop.imported("refills", [same | {"amount": "11.00"}], code=3)
    assert "quarantined (conflict 1)" in other.stderr


def test_voiding_twice_changes_nothing_and_undoing_gives_the_same_books(shop):
    refill(shop)
    shop.moves("charges", "C1", "2026-01-05", "3.00", id="c1")
    shop.moves("openings", "C2", "", "-7.00", id="o1")
    shop.imported("calls", [call("u1", "C1", "2026-01-05", 600)])
    books = shop.digests()
    names = ["r1", "charge/c1", "opening-openings-o1", "calls/u1"]

    for name in names:
        shop.run("void", name, "a test")
        struck = shop.digests()
        again = shop.run("void", name, "another reason")
        assert again.stderr.endswith("nothing to change, it is void: a test\n")
        assert shop.digests() == struck
    assert (shop.balance("C1")["owed"], shop.balance("C2")["owed"]) == ("0.00", "0.00")

    for name in names:
        shop.run("void", "--undo", name)
    assert shop.digests() == books
    assert shop.run("void", "--undo", "r1").stderr.endswith("nothing to change, it is not void\n")


@cases("order", [*itertools.permutations(["refill", "payment", "void"])], 2)
def test_a_refill_and_the_payment_for_it_come_apart_rightly(shop, order):
    if order.index("void") < order.index("payment"):
        order = [name for name in order if name != "void"]
        order.insert(order.index("payment") + 1, "void")
    for name in order:
        match name:
            case "refill":
                refill(shop, "r1", method="voucher")
            case "payment":
                payment(shop, "p1", reference="r1", method="cash")
            case "void":
                shop.run("void", "payment/p1", "bounced")

    # The refill stands: the customer is credited once, and no cash came in.
    assert shop.balance("C1")["owed"] == "-10.00"
    assert {account: str(sum_) for account, sum_ in shop.sums().items()} == {
        "Liabilities:Vouchers": "10.00",
        "Assets:Receivable:C1:Billed": "-10.00",
    }
    assert shop.run("check", "C1").stdout == ""

    shop.run("void", "--undo", "p1")
    assert {account: str(sum_) for account, sum_ in shop.sums().items()} == {
        "Assets:Cash": "10.00",
        "Assets:Receivable:C1:Billed": "-10.00",
    }


def test_when_the_refill_is_void_its_payment_credits_the_customer(shop):
    refill(shop, "r1")
    payment(shop, "p1", reference="r1")
    paired = journals(shop)

    shop.run("void", "r1", "never handed out")

    assert {account: str(sum_) for account, sum_ in shop.sums().items()} == {
        "Assets:Bank": "10.00",
        "Assets:Receivable:C1:Billed": "-10.00",
    }
    shop.run("void", "--undo", "r1")
    assert journals(shop) == paired


def test_a_payment_for_a_voided_refill_finds_the_next_one(shop):
    refill(shop, "r1")
    refill(shop, "r2", reference="p1")
    payment(shop, "p1", reference="r1")

    shop.run("void", "r1", "typed twice")

    assert "^payment-payments-p1 ^refill-refills-r2" in shop.text(
        "journals/2026-01/C1.01.beancount"
    )
    assert shop.balance("C1")["owed"] == "-10.00"


def test_money_in_suspense_can_be_void(shop):
    shop.imported("payments", [{"id": "p1", "customer": "", "date": "2026-01-05", "amount": "5"}])

    shop.run("void", "p1", "not ours")

    assert shop.sums() == {}
    assert 'voided: "not ours"' in shop.text("journals/suspense/2026-01.beancount")


def test_an_id_of_two_entries_must_be_told_apart(shop):
    refill(shop, "1")
    payment(shop, "1")

    done = shop.run("void", "1", "which", code=1)

    assert done.errors == [
        "a2ledger: 1: there are 2: payment-payments-1, refill-refills-1; nothing was done; name one"
    ]
    shop.run("void", "payment/1", "that")
    assert shop.balance("C1")["owed"] == "-10.00"


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("refill/r1", "refund it"),
        ("payment/p1", "return or refund it"),
        ("charge/c1", "write a credit note"),
        ("calls/u1", "write a credit note"),
    ],
)
def test_what_is_closed_is_not_struck_out(shop, name, instead):
    refill(shop)
    payment(shop)
    shop.moves("charges", "C1", "2026-01-05", "3.00", id="c1")
    shop.imported("calls", [call("u1", "C1", "2026-01-05", 600)])
    shop.close("C1", today="2026-02-01")
    books = shop.digests()

    done = shop.run("void", name, "wrong", today="2026-02-02", code=1)

    assert done.stderr.rstrip().endswith(f"is closed; nothing was done; {instead}")
    assert shop.digests() == books


def test_a_bill_is_not_struck_out(shop):
    shop.talks("C1", "2026-01-05", 10)
    shop.close("C1", today="2026-02-01")

    done = shop.run("void", "INV-2026-000001", "wrong", today="2026-02-02", code=1)

    assert "is a numbered document; nothing was done; credit it" in done.stderr


def test_what_there_is_not_and_a_missing_reason_are_said(shop):
    assert "no such entry, and no such call" in shop.run("void", "x9", "wrong", code=1).stderr
    assert "say why it is void" in shop.run("void", "x9", code=2).stderr
    assert "say why it is void" in shop.run("void", "x9", "  ", code=2).stderr
    assert "needs no reason" in shop.run("void", "x9", "why", "--undo", code=2).stderr


def test_a_dry_run_strikes_nothing_out(shop):
    refill(shop)
    books = shop.digests()
    done = shop.run("void", "r1", "wrong", "--dry-run", "--json")
    assert done.json == {
        "name": "refill-refills-r1", "customer": "C1",
        "what": "Refill, 2026-01-05, 10.00 EUR", "changed": True, "reason": "wrong",
    }  # fmt: skip
    assert shop.digests() == books


# ---- calls ----


def test_a_test_call_stays_on_record_at_no_cost(shop):
    rows = [call("u1", "C1", "2026-01-05", 600), call("u2", "C1", "2026-01-05", 60)]
    shop.imported("calls", rows)

    done = shop.run("void", "calls/u1", "test call")

    assert done.stderr == "calls/u1: call of 2026-01-05, 600 s to 3225550199, 10.00 EUR: void\n"
    assert shop.balance("C1")["owed"] == "1.00"
    assert shop.run("check", "C1").stdout == ""
    (line,) = shop.preview("C1")["lines"]
    assert (line["calls"], line["net"]) == (2, "1.00")
    assert "2 duplicate" in shop.imported("calls", rows).stderr
    assert shop.balance("C1")["owed"] == "1.00"


def test_a_void_call_stays_void_when_it_is_re_rated(shop):
    shop.imported("calls", [call("u1", "C1", "2026-01-05", 600)])
    shop.run("void", "u1", "test call")
    (shop.root / "tariffs/standard.csv").write_text(STANDARD.replace("1.00", "2.00"))

    shop.run("rerate")
    assert shop.balance("C1")["owed"] == "0.00"
    shop.run("void", "--undo", "u1")
    assert shop.balance("C1")["owed"] == "20.00"
    assert shop.run("rerate").stderr == "1 call(s) looked at, 0 changed\n"


def test_a_void_call_with_a_price_of_its_own_is_known_again(shop):
    row = call("u1", "C1", "2026-01-05", 600) | {"cost": "0.37"}
    shop.imported("calls", [row])
    shop.run("void", "u1", "test call")

    assert "1 duplicate" in shop.imported("calls", [row]).stderr
    shop.run("void", "--undo", "u1")
    assert shop.balance("C1")["owed"] == "0.37"


def test_a_void_call_that_is_identified_better_stays_void(shop):
    line = '"C1","3225550101","3225550199","x","c","SIP/a","","Dial","",{0},{0},{0},60,60'
    line = line.format('"2026-01-05 10:00:00"') + ',"ANSWERED","DOCUMENTATION","1767607200.1",""'
    shop.run("import", "asterisk", shop.file("old.csv", line + "\n"))
    shop.run("void", "1767607200.1", "test call")

    shop.run("import", "asterisk", shop.file("new.csv", line + ',"","1767607200.1",7\n'))

    assert shop.balance("C1")["owed"] == "0.00"
    done = shop.run("void", "1767607200.1", "again")
    assert "asterisk/1767607200.1/7" in done.stderr
    assert "it is void: test call" in done.stderr


def test_an_id_a_switch_used_twice_needs_its_day(shop):
    shop.imported("calls", [call("u1", "C1", "2026-01-05", 600)])
    shop.imported("calls", [call("u1", "C1", "2026-01-15", 60)])

    done = shop.run("void", "u1", "test call", code=1)
    assert "there are 2: calls/u1 --on 2026-01-05, calls/u1 --on 2026-01-15" in done.stderr

    shop.run("void", "u1", "test call", "--on", "2026-01-05")
    assert shop.balance("C1")["owed"] == "1.00"


def test_the_reason_is_one_plain_line(shop):
    refill(shop)
    shop.run("void", "r1", 'a "quoted"\n<b>reason</b>')
    text = shop.text("journals/2026-01/C1.01.beancount")
    assert syntax.quoted('a "quoted" b reason /b') in text
