"""Credit notes, issued for invoices."""

from __future__ import annotations

import json
import shutil
import signal

import dying
import pytest
import shelf
from examples import sampled
from harness import a2ledger, amounts, total
from soundness import sound


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
