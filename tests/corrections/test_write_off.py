"""Debts that are given up, with the VAT in them."""

from __future__ import annotations

from decimal import Decimal

import shelf
from examples import tried
from harness import Book, a2ledger
from hypothesis import given
from hypothesis import strategies as st
from soundness import sound


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
