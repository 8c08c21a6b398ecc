"""Deposits: held for a customer, and no part of what is owed."""

from __future__ import annotations

from decimal import Decimal

from soundness import sound


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
