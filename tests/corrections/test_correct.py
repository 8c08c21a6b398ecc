from __future__ import annotations

import json
import shutil
import signal
from dataclasses import fields
from decimal import Decimal

import dying
import pytest
import shelf
from examples import cases, sampled, tried
from harness import Book, a2ledger, amounts, bean_check, made_once, total
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.corrections import credit_note
from a2ledger.corrections.credit_note import CannotCreditError
from a2ledger.documents.document import Document, Line, VatLine
from a2ledger.documents.given_back import GivenBack


@pytest.fixture
@made_once
def billed(book):
    """Ten minutes and a subscription of 5.00 in January at 21 %: 15.00 net, 3.15 VAT, 18.15."""
    book.customers({"id": "C1", "vat": "on-invoice"}, {"id": "C2"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.moves("charges", "C1", "2026-01-05", "5.00", today="2026-01-31")
    book.run("close", today="2026-02-02")
    book.today = "2026-02-10"
    return book


def sound(book):
    """Check the books with every tool there is."""
    book.run("check")
    for top in book.tops():
        assert not bean_check(book.root / top)


def test_the_bill_the_stories_begin_with(billed):
    bill = billed.invoice("INV-2026-000001")
    assert (bill["net"], bill["vat_total"], bill["gross"]) == ("15.00", "3.15", "18.15")
    assert [line["net"] for line in bill["lines"]] == ["10.00", "5.00"]


# Credit notes


def test_a_credit_note_gives_an_invoice_back_with_its_vat(billed):
    done = billed.run("credit-note", "INV-2026-000001", "--reason", "never ordered", "--json").json
    assert (done["posted"], done["number"], done["original"]) == (
        True, "CN-2026-000001", "INV-2026-000001",
    )  # fmt: skip
    (entry,) = done["entries"]
    assert {leg["account"]: leg["amount"] for leg in entry["postings"]} == {
        "Income:Corrections": "15.00",
        "Liabilities:VAT:S21": "3.15",
        "Assets:Receivable:C1:Billed": "-18.15",
    }
    note = billed.invoice("CN-2026-000001")
    assert (note["kind"], note["original"]) == (
        "credit-note", {"number": "INV-2026-000001", "date": "2026-02-02"},
    )  # fmt: skip
    assert (note["net"], note["vat_total"], note["gross"]) == ("15.00", "3.15", "18.15")
    assert (note["issue_date"], note["to_pay"], note["notes"]) == (
        "2026-02-10", "0.00", ["never ordered"],
    )  # fmt: skip
    assert [(line["line"], line["net"]) for line in note["lines"]] == [(1, "10.00"), (2, "5.00")]
    assert total(note["statement"]) == 0
    assert billed.balance("C1")["owed"] == "0.00"
    sums = billed.sums()
    assert "Liabilities:VAT:S21" not in sums  # all of it is back
    sound(billed)


def test_line_by_line_ends_where_the_whole_does(billed):
    words = ("credit-note", "INV-2026-000001", "--reason", "wrong")
    first = billed.run(*words, "--line", 1, "--amount", "3.33", "--json").json
    # 3.33 x 21 % = 0.6993
    assert first["amount"] == "4.03"
    # 13.33 at 21 % would be 2.7993; 0.70 of the 2.80 is back already: 10.00 more is 2.10.
    second = billed.run(*words, "--line", 1, "--json").json
    assert second["amount"] == "8.07"  # 6.67 net; 10.00 x 21 % = 2.10, less 0.70
    third = billed.run(*words, "--json").json
    assert third["amount"] == "6.05"  # what is left: 5.00 and 1.05
    assert [first["number"], second["number"], third["number"]] == [
        f"CN-2026-00000{n}" for n in (1, 2, 3)
    ]
    assert billed.balance("C1")["billed"] == "0.00"
    (said,) = billed.run(*words, "--date", "2026-02-09", code=1).errors
    assert said == (
        "a2ledger: INV-2026-000001: nothing is left of it to credit; nothing was credited; "
        "CN-2026-000001 credited 4.03, CN-2026-000002 credited 8.07, CN-2026-000003 credited 6.05"
    )
    sound(billed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--line", 1, "--amount", "10.01"], "10.00 net of line 1 can be credited, not 10.01"),
        (["--line", 1, "--amount", "1.005"], "--amount has more than the 2 decimals"),
        (["--line", 3], "INV-2026-000001 has no line 3"),
        (["--date", "2026-02-11"], "--date 2026-02-11 is after today, 2026-02-10"),
        (["--date", "2025-12-31"], "--date 2025-12-31: C1 was opened on 2026-01-01"),
    ],
)
def test_what_was_not_billed_cannot_be_credited(billed, words, said):
    before = billed.digests()
    done = billed.run("credit-note", "INV-2026-000001", "--reason", "x", *words, code=1)
    assert said in done.errors[0]
    assert billed.digests() == before


def test_only_an_invoice_can_be_credited(billed):
    billed.run("credit-note", "INV-2026-000001", "--reason", "x")
    statement = next(name for name in billed.documents() if name.startswith("statement-"))
    for name, what in (("CN-2026-000001", "credit note"), (statement, "statement")):
        (said,) = billed.run("credit-note", name, "--reason", "x", code=1).errors
        assert f"{name} is a {what}" in said
    (said,) = billed.run("credit-note", "INV-2026-000009", "--reason", "x", code=1).errors
    assert "no such document" in said
    billed.run("credit-note", "INV-2026-000001", code=2)
    billed.run("credit-note", "INV-2026-000001", "--reason", "x", "--amount", "1", code=2)
    billed.run(
        *("credit-note", "INV-2026-000001", "--reason", "x", "--line", 1, "--amount", "-1"), code=2
    )


def test_corrections_share_the_series_of_credit_notes_with_negative_bills(billed):
    """A charge reversed after closing makes a negative bill: it takes the next number."""
    billed.run("credit-note", "INV-2026-000001", "--line", 2, "--reason", "not ordered")
    billed.moves("charges", "C1", "2026-02-05", "-2.00")
    billed.run("close", today="2026-03-02")
    billed.run("credit-note", "INV-2026-000001", "--reason", "all", today="2026-03-03")
    notes = {
        name: (document["original"]["number"], bool(document.get("seal")))
        for name, document in billed.documents().items()
        if name.startswith("CN-")
    }
    # The bill names the invoice of the service that its charge gives back; a close alone seals.
    assert notes == {
        "CN-2026-000001": ("INV-2026-000001", False),
        "CN-2026-000002": ("INV-2026-000001", True),
        "CN-2026-000003": ("INV-2026-000001", False),
    }
    sound(billed)


def test_the_next_bill_lists_the_credit_note_readably(billed):
    billed.run("credit-note", "INV-2026-000001", "--line", 2, "--reason", "not ordered")
    billed.run("close", "C1", today="2026-03-02")
    (bill,) = [d for name, d in billed.documents().items() if "C1-2026-02" in name]
    (line,) = bill["statement"]["lines"]
    assert line == {
        "date": "2026-02-10",
        "description": "Credit note CN-2026-000001 for INV-2026-000001, not ordered",
        "amount": "-6.05",
        "balance": "12.10",
    }
    # The credit note is no close: the VAT of the invoice still stands where it did.
    full = billed.statement("C1")
    assert amounts(full) == ["5.00", "10.00", "3.15", "-6.05"]
    assert full["closing"] == "12.10"


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


def bill_of(lines, rates):
    """Return an invoice of lines of (cents, code), its net and its VAT by code, in cents."""
    net = dict.fromkeys(sorted({code for _, code in lines}), 0)
    for cents, code in lines:
        net[code] += cents
    vat = {code: (2 * cents * rates[code] + 100) // 200 for code, cents in net.items()}
    invoice = partly(
        Document,
        lines=tuple(
            partly(Line, line=n, net=euros(cents), vat_code=code)
            for n, (cents, code) in enumerate(lines, 1)
        ),
        vat=tuple(
            partly(VatLine, code=code, rate=str(rates[code]), net=euros(net[code]), vat=euros(tax))
            for code, tax in vat.items()
        ),
        currency="EUR",
        number="INV-1",
    )
    return invoice, net, vat


def euros(cents):
    return f"{Decimal(cents) / 100:.2f}"


def partly(kind, **values):
    """Return a document, or a part of one, of which nothing is said but some fields."""
    return kind(**{field.name: "" for field in fields(kind)} | values)


LINES = st.lists(
    st.tuples(st.integers(1, 3000), st.sampled_from(["S21", "S10", "O"])), min_size=1, max_size=6
)


@given(LINES, st.data())
def test_however_an_invoice_is_credited_all_of_it_comes_back_and_no_cent_more(lines, data):
    invoice, net, vat = bill_of(lines, {"S21": 21, "S10": 10, "O": 0})
    notes, back = [], 0
    left = {n: cents for n, (cents, _) in enumerate(lines, 1)}
    for number in range(data.draw(st.integers(0, 5))):
        line = data.draw(st.sampled_from(sorted(left)))
        part = data.draw(st.integers(1, 3500)) * 10_000
        if part > left[line] * 10_000:
            with pytest.raises(CannotCreditError):
                credit_note.draw_up(invoice, notes, [line], part)
            continue
        found = credit_note.draw_up(invoice, notes, [line], part)
        left[line] -= part // 10_000
        (tax,) = found.vat.values()
        assert tax >= 0
        notes.append(GivenBack(f"CN-{number}", found.lines, found.net, found.vat, is_note=True))
        back += found.gross_micro
    if any(left.values()):
        back += credit_note.draw_up(invoice, notes, [], None).gross_micro
    assert back == (sum(net.values()) + sum(vat.values())) * 10_000


# Money


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


def test_a_write_off_with_relief_takes_back_vat_in_proportion_to_the_open_bill(billed):
    """Of 18.15 with 3.15 VAT, 6.05 is paid: 12.10 are written off, and 2.10 of VAT are back."""
    billed.moves("payments", "C1", "2026-02-05", "6.05")
    half = billed.run("write-off", "C1", "6.05", "--vat-relief", "--json").json
    legs = {leg["account"]: leg["amount"] for leg in half["entries"][0]["postings"]}
    assert legs == {
        "Expenses:Bad-Debt": "5.00",
        "Liabilities:VAT:S21": "1.05",
        "Assets:Receivable:C1:Billed": "-6.05",
    }
    billed.run("write-off", "C1", "--vat-relief")
    sums = billed.sums()
    assert sums["Expenses:Bad-Debt"] == Decimal("10.00")
    assert sums["Liabilities:VAT:S21"] == Decimal("-1.05")  # 3.15 less 2.10
    (said,) = billed.run("write-off", "C1", "1", code=1).errors
    assert "0.00 is owed on bills; nothing was written off" in said
    sound(billed)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=5))
@tried(10)
def test_written_off_in_parts_the_relief_is_the_vat_of_the_bill(owing, cents):
    """18.15 with 3.15 VAT, in whatever parts."""
    with shelf.copied(owing) as root:
        done = 0
        for number, part in enumerate(cents):
            part = min(part, 1815 - done)  # noqa: PLW2901
            if part:
                words = ("write-off", "C1", f"{part / 100:.2f}", "--vat-relief", "--id", number)
                assert a2ledger("-C", root, "--today", "2026-02-10", *words).code == 0
                done += part
        if done < 1815:
            words = ("write-off", "C1", "--vat-relief")
            assert a2ledger("-C", root, "--today", "2026-02-10", *words).code == 0
        sums = Book(root, root.parent / "files").sums()
        assert "Liabilities:VAT:S21" not in sums
        assert sums["Expenses:Bad-Debt"] == Decimal("15.00")


@pytest.fixture(scope="module")
def owing(empty_book, tmp_path_factory):
    """The book of the stories, made once."""
    directory = tmp_path_factory.mktemp("owing")
    shutil.copytree(empty_book, directory / "book")
    book = Book(directory / "book", directory / "files")
    book.customers({"id": "C1", "vat": "on-invoice"})
    book.talks("C1", "2026-01-10", 10, today="2026-01-31")
    book.moves("charges", "C1", "2026-01-05", "5.00", today="2026-01-31")
    book.run("close", today="2026-02-02")
    return book.root


def test_a_deposit_is_no_part_of_what_is_owed(billed):
    taken = billed.run("deposit", "C2", "100", "--method", "cash", "--json").json
    assert taken["held"] == "100.00"
    assert billed.balance("C2")["owed"] == "0.00"
    billed.run("deposit", "C2", "--return", "30.00")
    (said,) = billed.run("deposit", "C2", "--return", "70.01", code=1).errors
    assert "70.00 is held as deposit; nothing was returned" in said
    billed.run("deposit", "C2", code=2)
    sums = billed.sums()
    assert (sums["Assets:Cash"], sums["Assets:Bank"]) == (Decimal(100), Decimal(-30))
    assert sums["Liabilities:Deposits:C2"] == Decimal(-70)
    # His account of deposits is his: it stands in his own ledger, and not in the chart.
    assert "Deposits" not in billed.text("journals/chart.beancount")
    assert "open Liabilities:Deposits:C2 EUR" in billed.text("journals/customers/C2.beancount")
    sound(billed)
    billed.run("close", today="2026-06-02")
    billed.moves("payments", "C1", "2026-06-02", "18.15", today="2026-06-02")
    assert billed.sums()["Liabilities:Deposits:C2"] == Decimal(-70)
    paths = sorted((billed.root / "journals/general/carried").glob("*.beancount"))
    assert any("Liabilities:Deposits:C2" in path.read_text() for path in paths)
    rest = billed.run("deposit", "C2", "--return", "--json", today="2026-06-02").json
    assert (rest["amount"], rest["held"]) == ("70.00", "0.00")
    sound(billed)


def test_settling_an_account_sets_the_deposit_against_it(billed):
    """18.15 are owed on the bill, 50.00 are held: 31.85 are his."""
    billed.run("deposit", "C1", "50.00", "--date", "2026-02-03")
    billed.run("close", "C1", "--final", today="2026-02-12")
    assert billed.balance("C1")["billed"] == "-31.85"
    assert "Liabilities:Deposits:C1" not in billed.sums()
    (last,) = [d for name, d in billed.documents().items() if "C1-2026-02" in name]
    assert [tuple(line.values()) for line in last["statement"]["lines"]] == [
        ("2026-02-11", "Deposit set against the account", "-50.00", "-31.85")
    ]
    assert (last["to_pay"], last["credit"]) == ("0.00", "31.85")
    billed.run("refund", "C1", "31.85", today="2026-02-12")
    assert billed.balance("C1")["owed"] == "0.00"
    sound(billed)


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


# Payments that went wrong


def due(book, customer, day="2026-03-01"):
    rows = book.run("ageing", customer, "--documents", "--as-of", day, "--json", today=day).json
    return [(row["number"], row["days"], row["open"]) for row in rows]


def test_a_returned_payment_leaves_the_debt_as_old_as_it_was(billed):
    billed.moves("payments", "C1", "2026-02-05", "18.15", id="p1")
    assert due(billed, "C1") == []
    billed.run("returned", "C1", "p1", "--description", "refused")
    # Issued on 2 February, due on the 16th: on 1 March 13 days late, as if nothing had come.
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    assert due(billed, "C1", "2026-02-09") == []
    assert billed.sums().get("Assets:Bank") is None
    (said,) = billed.run("returned", "C1", "p2", code=1).errors
    assert "C1: no payment p2" in said
    sound(billed)


def test_a_negative_row_reverses_a_payment_too(billed):
    billed.moves("payments", "C1", "2026-02-05", "18.15", id="p1")
    billed.moves("payments", "C1", "2026-02-08", "-18.15", id="p1-back", reference="p1")
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    sound(billed)


def test_a_returned_payment_that_paid_for_a_refill_takes_the_credit_back(billed):
    billed.moves("refills", "C2", "2026-02-04", "10.00", id="r1")
    billed.moves("payments", "C2", "2026-02-05", "10.00", id="p1", reference="r1", method="cash")
    assert billed.balance("C2")["owed"] == "-10.00"
    billed.run("returned", "C2", "p1")
    assert billed.balance("C2")["owed"] == "0.00"
    assert not {"Assets:Cash", "Assets:Clearing:Refills"} & billed.sums().keys()
    sound(billed)


def test_a_payment_of_the_wrong_customer_reaches_the_right_one_and_stays_known(billed):
    row = {"id": "p1", "customer": "C2", "date": "2026-02-05", "amount": "18.15"}
    billed.imported("payments", [row])
    done = billed.run("transfer", "C2", "C1", "p1", "--json").json
    assert [entry["customer"] for entry in done["entries"]] == ["C2", "C1"]
    assert billed.balance("C2")["owed"] == "0.00"
    assert billed.balance("C1")["owed"] == "0.00"
    assert "Liabilities:Suspense:Unmatched" not in billed.sums()
    # His journal does not tell either whose the other account is.
    assert "C1" not in billed.text("journals/2026-02/C2.01.beancount").replace("C1.01", "")
    again = billed.imported("payments", [row], today="2026-02-11")
    assert "1 duplicate" in again.stderr
    mended = billed.imported("payments", [{**row, "customer": "C1"}])
    assert "1 duplicate" in mended.stderr
    (said,) = billed.run("transfer", "C2", "C1", "p1", "--date", "2026-02-09", code=1).errors
    assert "nothing is left of payment p1" in said
    # It may bounce later, for whoever has it now.
    (said,) = billed.run("returned", "C2", "p1", code=1).errors
    assert "nothing is left of payment p1" in said
    billed.run("returned", "C1", "p1")
    assert due(billed, "C1") == [("INV-2026-000001", 13, "18.15")]
    assert "Assets:Bank" not in billed.sums()
    sound(billed)


@pytest.mark.parametrize("owner", ["C1", ""])
def test_a_return_is_voided_and_the_payment_is_there_as_it_was(billed, owner):
    row = {"id": "p1", "customer": owner, "date": "2026-02-05", "amount": "18.15"}
    billed.imported("payments", [row], today="2026-02-11")
    before, books = billed.sums(), billed.balance("C1")
    name = owner or "suspense"
    back = billed.run("returned", name, "p1", "--json").json
    (said,) = billed.run("void", "payment/p1", "slip", code=1).errors
    assert "refers to it" in said
    billed.run("void", f"returned/{back['id']}", "the other one")
    assert (billed.sums(), billed.balance("C1")) == (before, books)
    if owner:
        (paid,) = billed.run("payments", "C1", "--json").json
        assert (paid["returned"], paid["invoices"]) == (False, ["INV-2026-000001"])
    sound(billed)
    # Once more it is returned, or struck out; then the first return does not stand again.
    billed.run("returned", name, "p1", "--id", "again")
    (said,) = billed.run("void", "--undo", f"returned/{back['id']}", code=1).errors
    assert "was returned, moved or voided since" in said
    billed.run("void", "returned/again", "slip")
    billed.run("void", "payment/p1", "slip")
    (said,) = billed.run("void", "--undo", f"returned/{back['id']}", code=1).errors
    assert "was returned, moved or voided since" in said
    assert "Assets:Bank" not in billed.sums()
    sound(billed)


def test_a_payment_that_went_and_came_back_is_where_it_was(billed):
    billed.moves("payments", "C2", "2026-02-05", "18.15", id="p1")
    billed.run("transfer", "C2", "C1", "p1", "--id", "t1")
    billed.run("transfer", "C1", "C2", "p1", "--id", "t2")
    (paid,) = billed.run("payments", "C2", "--json").json
    assert (paid["id"], paid["returned"]) == ("p1", False)
    (gone,) = billed.run("payments", "C1", "--json").json
    assert (gone["id"], gone["returned"]) == ("p1", True)
    billed.run("transfer", "C2", "C1", "p1", "--id", "t3")
    assert [row["returned"] for row in billed.run("payments", "C1", "--json").json] == [False]
    assert [row["returned"] for row in billed.run("payments", "C2", "--json").json] == [True]
    sound(billed)


def test_an_amount_is_transferred_and_what_could_be_either_is_asked_about(billed):
    billed.moves("payments", "C2", "2026-02-05", "20.00", id="7")
    billed.run("transfer", "C2", "C1", "5.50")
    assert (billed.balance("C2")["owed"], billed.balance("C1")["owed"]) == ("-14.50", "12.65")
    (said,) = billed.run("transfer", "C2", "C1", "7", code=1).errors
    assert "7 is an amount, and a payment of C2's" in said
    billed.run("transfer", "C2", "C1", "7.00")
    assert billed.balance("C2")["owed"] == "-7.50"
    billed.run("transfer", "C2", "C1", "7", "--payment")
    assert billed.balance("C2")["owed"] == "12.50"
    (said,) = billed.run("transfer", "C1", "C1", "7.00", code=1).errors
    assert "a transfer needs two customers" in said
    sound(billed)


def test_money_without_a_customer_waits_in_suspense_for_its_owner(billed):
    row = {"id": "p1", "customer": "", "date": "2026-02-05", "amount": "18.15",
           "reference": "who?", "description": "From the bank"}  # fmt: skip
    done = billed.imported("payments", [row, {**row, "id": "p2", "date": "2025-11-30"}])
    assert "2 rows read, 2 posted" in done.stderr
    assert "2 payment(s) name no customer" in done.stderr
    assert (
        "2 duplicate"
        in billed.imported("payments", [row, {**row, "id": "p2", "date": "2025-11-30"}]).stderr
    )
    assert billed.sums()["Liabilities:Suspense:Unmatched"] == Decimal("-36.30")
    sound(billed)
    waiting = billed.run("suspense", "--json").json
    assert waiting[1] == {
        "id": "p1", "date": "2026-02-05", "amount": "18.15", "currency": "EUR",
        "account": "Assets:Bank", "reference": "who?", "description": "From the bank",
    }  # fmt: skip
    # The row comes again with its customer: it is not booked twice, and the message says how.
    done = billed.imported("payments", [{**row, "customer": "C1"}], code=3)
    assert "`a2ledger transfer suspense C1 p1` assigns it" in done.stderr
    billed.run("transfer", "suspense", "C1", "p1")
    assert [found["id"] for found in billed.run("suspense", "--json").json] == ["p2"]
    assert billed.balance("C1")["owed"] == "0.00"
    assert "1 duplicate" in billed.imported("payments", [{**row, "customer": "C1"}]).stderr
    assert "1 duplicate" in billed.imported("payments", [row]).stderr
    # It was not C1's after all, nor C2's: back, and back to whoever sent it.
    billed.run("transfer", "C1", "suspense", "p1")
    billed.run("transfer", "suspense", "C2", "p1")
    billed.run("transfer", "C2", "suspense", "p1")
    billed.run("returned", "suspense", "p1")
    assert [found["id"] for found in billed.run("suspense", "--json").json] == ["p2"]
    assert billed.sums()["Assets:Bank"] == Decimal("18.15")
    assert (billed.balance("C1")["owed"], billed.balance("C2")["owed"]) == ("18.15", "0.00")
    (said,) = billed.run("transfer", "suspense", "C1", "5.00", code=1).errors
    assert "suspense holds payments, not amounts" in said
    said = billed.run("balances").stderr
    assert said == "note: 18.15 EUR belongs to no customer: see `a2ledger suspense`\n"
    (said,) = billed.run("customer", "add", "suspense", code=1).errors
    assert "this name is reserved for unmatched money" in said
    unknown = billed.imported("payments", [{**row, "id": "p3", "customer": "C9"}], code=3)
    assert "unknown-customer" in unknown.stderr
    assert "p2" in billed.run("suspense").stdout
    sound(billed)


def test_foreign_money_goes_back_as_it_came(billed):
    """90 EUR at 0.90 are 100 USD: returned, the bank has lost 90 EUR, and he owes 100 USD."""
    (billed.root / "tariffs/usd.csv").write_text(billed.text("tariffs/standard.csv"))
    billed.append("a2ledger.toml", '\n[tariffs.usd]\ncurrency = "USD"\n')
    billed.customers({"id": "U1", "currency": "USD", "tariff": "usd"})
    rows = "date,currency,price\n2026-01-02,USD,0.90\n"
    billed.run("import", "prices", billed.file("prices.csv", rows))
    euros = {"date": "2026-02-05", "amount": "90.00", "currency": "EUR"}
    billed.imported("payments", [{"id": "p1", "customer": "U1", **euros}])
    billed.imported("payments", [{"id": "p2", "customer": "", **euros}])
    assert billed.balance("U1")["owed"] == "-100.00"
    billed.run("transfer", "suspense", "U1", "p2")
    assert billed.balance("U1")["owed"] == "-200.00"
    again = billed.imported("payments", [{"id": "p2", "customer": "U1", **euros}])
    assert "1 duplicate" in again.stderr
    assert not billed.run("transfer", "suspense", "U1", "p2", "--json").json["posted"]
    for payment in ("p1", "p2"):
        done = billed.run("returned", "U1", payment, "--json").json
        assert (done["amount"], done["currency"]) == ("100.00", "USD")
        (entry,) = done["entries"]
        assert [tuple(leg.values()) for leg in entry["postings"]] == [
            ("Assets:Receivable:U1:Billed", "100.00", "USD"),
            ("Equity:Conversion", "-100.00", "USD"),
            ("Equity:Conversion", "90.00", "EUR"),
            ("Assets:Bank", "-90.00", "EUR"),
        ]
    assert billed.balance("U1")["owed"] == "0.00"
    assert not {"Assets:Bank", "Equity:Conversion"} & billed.sums().keys()
    billed.moves("payments", "U1", "2026-02-06", "5.00", id="p3")
    (said,) = billed.run("transfer", "U1", "C1", "5.00", code=1).errors
    assert "it is in USD, and C1 is kept in EUR; nothing was posted" in said
    sound(billed)
    # A payment is worth to its owner what it would have been worth at once: 5 USD are 4.50 EUR.
    billed.run("transfer", "U1", "C1", "p3")
    assert (billed.balance("U1")["owed"], billed.balance("C1")["owed"]) == ("0.00", "13.65")
    billed.imported("payments", [{"id": "p4", "customer": "U1", **euros}])
    billed.run("transfer", "U1", "C1", "p4")
    assert billed.balance("C1")["owed"] == "-76.35"  # the 90 EUR that came
    sound(billed)


def test_check_says_so_if_more_left_suspense_than_came_into_it(billed):
    """A hand-written entry takes 3.00 for a customer out of an empty suspense."""
    billed.edit(
        "journals/2026-02/C2.01.beancount",
        "; ---- usage",
        '2026-02-09 * "Found" ""\n  Liabilities:Suspense:Unmatched  3.00 EUR\n'
        "  Assets:Receivable:C2:Billed  -3.00 EUR\n\n; ---- usage",
    )
    billed.append("journals/chart.beancount", "1970-01-01 open Liabilities:Suspense:Unmatched\n")
    billed.run("customer", "set", "C2", "terms=7")
    said = billed.run("check", code=1).stdout
    assert "3.00 EUR more left suspense than came into it" in said


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


# Whatever interrupts


@pytest.mark.long
def test_numbers_are_gapless_whatever_call_a_credit_note_is_killed_at(owing, tmp_path):
    """Killed before calls that change the disk, from the first to the last; then run again."""
    words = ("--today", "2026-02-10", "credit-note", "INV-2026-000001", "--reason", "x")
    whole = tmp_path / "whole"
    shutil.copytree(owing, whole)
    assert a2ledger("-C", whole, *words).code == 0
    wanted = shelf.tree(whole)
    books = {at: tmp_path / f"killed-{at}" for at in sampled(range(1, 41, 3), range(4, 17, 4))}
    for root in books.values():
        shutil.copytree(owing, root)
    codes = dying.killed(books, words, ("replace", "unlink", "mkdir"))
    for at, root in books.items():
        assert a2ledger("-C", root, *words).code == 0
        assert shelf.tree(root) == wanted, f"killed at call {at}"
        names = sorted(path.stem for path in root.glob("invoices/*/CN-*.json"))
        assert names == ["CN-2026-000001"]
    assert list(codes.values()).count(-signal.SIGKILL) >= 3


def test_documents_are_json_a_line_a_key(billed):
    billed.run("credit-note", "INV-2026-000001", "--reason", "x")
    text = billed.text("invoices/2026/CN-2026-000001.json")
    assert json.loads(text)["number"] == "CN-2026-000001"
    assert text.startswith('{\n "kind": "credit-note"')


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


@pytest.mark.parametrize("order", ["refill first", "payment first", "refill last"])
def test_a_payment_from_suspense_and_the_refill_it_paid_for_are_one(billed, order):
    refill = {"id": "R1", "customer": "C2", "date": "2026-02-05", "amount": "10.00"}
    payment = {"id": "P1", "customer": "", "date": "2026-02-05", "amount": "12.00"}
    steps = [
        lambda: billed.imported("refills", [refill]),
        lambda: billed.imported("payments", [{**payment, "reference": "R1"}]),
        lambda: billed.run("transfer", "suspense", "C2", "P1"),
    ]
    places = {"refill first": (0, 1, 2), "payment first": (1, 0, 2), "refill last": (1, 2, 0)}
    for place in places[order]:
        steps[place]()
    # 10.00 paid for the refill, and what is more is the customer's.
    assert billed.balance("C2")["owed"] == "-12.00"
    assert "Assets:Clearing:Refills" not in billed.sums()
    steps[0](), steps[1]()
    billed.run("returned", "C2", "P1")
    assert billed.balance("C2")["owed"] == "0.00"
    sound(billed)
