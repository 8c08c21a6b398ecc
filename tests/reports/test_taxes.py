"""The VAT return, the sales journal and services to businesses in the Union, of a small book."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import shelf

from a2ledger import accounts, money
from a2ledger.book.book import Book
from a2ledger.journal import shards, syntax
from a2ledger.reports import documents, taxes

FIRST, LAST = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
RULES = '\n[[vat.rules]]\ncode = "AE"\ncountries = ["eu"]\nbusiness = true\n'
CHARGES = """\
id,customer,date,amount,service
1,A,2026-01-05,100,Calls
2,G,2026-01-05,70,Calls
3,I,2026-01-05,12.10,Calls
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A Belgian company that billed a Belgian, a German business, and one whose prices hold VAT."""
    root = shelf.started(tmp_path_factory.mktemp("taxes") / "book")
    config = root / "a2ledger.toml"
    text = config.read_text().replace('country = ""', 'country = "BE"')
    config.write_text(text.replace('vat_id = ""', 'vat_id = "BE0403170701"') + RULES)
    draft = shelf.draft(root)
    usual = {"opened": "2026-01-01", "vat": "on-invoice", "country": "BE"}
    shelf.register.add(draft, "A", usual)
    shelf.register.add(draft, "G", usual | {"country": "DE", "vat_id": "DE136695976"})
    shelf.register.add(draft, "I", usual | {"vat": "included"})
    shelf.publish(draft)
    shelf.take(root, "charges", CHARGES)
    shelf.close(root, dt.date(2026, 2, 1))
    return Book(root)


def owed(book, since, until):
    """What the general ledger adds to the accounts of VAT."""
    sums = Counter()
    for path in shards.months(book):
        for block in syntax.blocks(book.text(path)):
            if block.kind == "*" and str(since) <= block.date <= str(until):
                for leg in block.legs:
                    if leg.account.startswith(accounts.OWED):
                        sums[accounts.name_of(leg.account.removeprefix(accounts.OWED))] -= leg.micro
    return {code: micro for code, micro in sums.items() if micro}


def test_each_code_has_its_base_and_the_vat_of_its_account(own):
    report = taxes.vat_return(own, FIRST, LAST)
    rows = {row["code"]: (row["base"], row["vat"]) for row in report.rows}
    assert rows == {"AE": ("70.00", "0.00"), "S21": ("110.00", "23.10")}
    assert report.totals[0]["vat"] == "23.10"
    assert {code: money.text(micro, 2) for code, micro in owed(own, FIRST, LAST).items()} == {
        "S21": "23.10"
    }
    assert report.other == ()


def test_days_without_documents_have_no_rows_and_totals_of_nothing(own):
    report = taxes.vat_return(own, dt.date(2026, 3, 1), LAST)
    assert (report.rows, report.totals[0]["vat"]) == ([], "0.00")
    assert taxes.sales(own, dt.date(2026, 3, 1), LAST).rows == []


def test_the_sales_journal_has_each_document_once_for_each_code(own):
    report = taxes.sales(own, FIRST, LAST)
    assert sorted((row["customer"], row["code"], row["gross"]) for row in report.rows) == [
        *(("A", "S21", "121.00"), ("G", "AE", "70.00"), ("I", "S21", "12.10")),
    ]
    assert report.totals[0]["gross"] == "203.10"
    assert set(report.columns) <= set(report.rows[0])


def test_services_to_businesses_of_other_members_are_by_their_numbers(own):
    (row,) = taxes.ec_services(own, FIRST, LAST).rows
    assert (row["country"], row["vat_id"], row["base"]) == ("DE", "DE136695976", "70.00")


def test_documents_are_in_order_and_those_due_are_those_issued(own):
    issued = documents.issued(own, FIRST, LAST)
    assert [row.number for row in issued] == sorted(row.number for row in issued)
    moved = documents.due(own, FIRST, LAST)
    assert sorted(row[:7] for row in moved.taxed) == sorted(row[:7] for row in issued)
    assert moved.other == []
