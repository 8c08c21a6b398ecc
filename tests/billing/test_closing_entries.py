"""The entries and the document of a close, as text: the layout every reader of a book sees."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest

from a2ledger.billing import bill as billing
from a2ledger.billing import closing_entries, kind
from a2ledger.book import config
from a2ledger.book.bills import Bills
from a2ledger.journal import ledger, syntax
from a2ledger.journal.rows import Brought, Row
from a2ledger.period import Period
from a2ledger.records import Customer
from a2ledger.vat import OUTSIDE, VatCode

JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
CODES = {
    "S21": VatCode(code="S21", category="S", rate=Decimal(21)),
    "O": OUTSIDE,
}


def charge(micro, vat="S21"):
    return Row(dt.date(2026, 1, 5), False, "One-off", "", micro, vat, None, None, None, "charge-c",
               frozenset())  # fmt: skip


def bill_of(*rows, **brought):
    return billing.draw_up(JANUARY, Brought(**brought), rows, [], CODES, 2)


def text_of(entries):
    return "".join(map(syntax.formatted, entries))


def written(bill, kind="invoice", number="INV-2026-000123"):
    return text_of(closing_entries.entries(bill, "C10001", "EUR", kind, number))


def test_a_close_is_written_like_this():
    assert written(bill_of(charge(67_742_310))) == (
        '2026-01-31 * "Invoice INV-2026-000123" "1 January 2026 to 31 January 2026"'
        " ^INV-2026-000123 #invoice\n"
        "  Assets:Receivable:C10001:Billed     81.97 EUR\n"
        "  Assets:Receivable:C10001:Unbilled  -67.74 EUR\n"
        '    vat: "S21"\n'
        "  Liabilities:VAT:S21                -14.23 EUR\n"
        "\n"
    )


def test_the_next_period_begins_like_this():
    balances, sums = closing_entries.brought_forward(bill_of(charge(67_742_310)), "C10001", "EUR")
    found = [*balances, *sums]

    assert text_of(found) == (
        "2026-02-01 balance Assets:Receivable:C10001:Billed  81.97 ~ 0 EUR\n"
        "2026-02-01 balance Assets:Receivable:C10001:Unbilled  0.002310 ~ 0 EUR\n"
        '2026-02-01 custom "a2ledger-carried" "S21" 67.742310 EUR\n'
    )


def test_each_code_has_its_leg_and_no_vat_of_zero_is_posted():
    assert written(bill_of(charge(10_000_000, "O"), charge(1_000_000))) == (
        '2026-01-31 * "Invoice INV-2026-000123" "1 January 2026 to 31 January 2026"'
        " ^INV-2026-000123 #invoice\n"
        "  Assets:Receivable:C10001:Billed     11.21 EUR\n"
        "  Assets:Receivable:C10001:Unbilled  -10.00 EUR\n"
        '    vat: "O"\n'
        "  Assets:Receivable:C10001:Unbilled   -1.00 EUR\n"
        '    vat: "S21"\n'
        "  Liabilities:VAT:S21                 -0.21 EUR\n"
        "\n"
    )


def test_a_credit_note_has_its_own_name_and_tag():
    text = written(bill_of(charge(-10_000_000)), "credit-note", "CN-2026-000001")

    assert text.startswith('2026-01-31 * "Credit note CN-2026-000001" "1 Jan')
    assert " ^CN-2026-000001 #credit-note\n" in text
    assert "  Assets:Receivable:C10001:Billed    -12.10 EUR\n" in text


def test_a_fraction_nobody_will_use_is_a_visible_line():
    bill = bill_of(unbilled_micro=4_000, cumulative_micro={"S21": 1_004_000})

    assert written(bill, "statement", None) == (
        '2026-01-31 * "Rounding" "fraction of a cent left under S21" #rounding\n'
        "  Assets:Receivable:C10001:Unbilled  -0.004000 EUR\n"
        '    vat: "S21"\n'
        "  Income:Rounding                     0.004000 EUR\n"
        "\n"
    )


def test_a_close_that_moves_nothing_writes_no_entry():
    assert written(bill_of(), "statement", None) == ""
    assert written(bill_of(charge(4_000)), "statement", None) == ""


def test_a_code_that_takes_back_what_another_gives_is_moved_without_touching_billed():
    text = written(bill_of(charge(12_100_000, "O"), charge(-10_000_000)))

    assert "Billed" not in text
    assert text.count("Unbilled") == 2


@pytest.mark.parametrize(
    ("rows", "numbered"),
    [
        ([], False),
        ([charge(4_000)], False),
        ([charge(5_000)], True),
        ([charge(1_000_000), charge(-1_000_000)], True),
        ([charge(-1_000_000)], True),
    ],
)
def test_a_number_is_taken_where_some_line_is_not_zero(rows, numbered):
    assert kind.is_numbered(bill_of(*rows)) is numbered


def settings():
    company = config.Company(name="Example", vat_id="BE1")
    return SimpleNamespace(
        company=company, company_on=lambda _: company, terms_days=14, bill=Bills()
    )


CUSTOMER = Customer(
    id="C10001",
    opened=dt.date(2026, 1, 1),
    facts={
        "name": (
            (dt.date(2026, 1, 1), "Earlier"),
            (dt.date(2026, 2, 3), "Ada"),
            (dt.date(2026, 2, 4), "Later"),
        ),
        "vat_id": ((dt.date(2026, 1, 31), "BE2"), (dt.date(2026, 2, 1), "BE3")),
        "credit_limit": ((dt.date(2026, 1, 1), Decimal(50)),),
    },
)


def document(bill, **given):
    facts = {
        "currency": "EUR",
        "kind": "invoice",
        "number": "INV-1",
        "issue_date": dt.date(2026, 2, 3),
    }
    return closing_entries.document(bill, CUSTOMER, settings(), **(facts | given))


def test_the_document_says_what_is_billed_and_what_is_to_pay():
    found = document(bill_of(charge(67_742_310), billed_micro=-1_000_000))

    assert (found.net, found.vat_total, found.gross) == ("67.74", "14.23", "81.97")
    assert (found.to_pay, found.credit) == ("80.97", "0.00")
    assert (found.issue_date, found.due_date) == ("2026-02-03", "2026-02-17")
    assert found.period == {"start": "2026-01-01", "end": "2026-02-01"}
    # it has to arrive where the customer is on the day of issue; the period decided its VAT
    assert found.customer["name"] == "Ada"
    assert found.customer["vat_id"] == "BE2"
    assert "credit_limit" not in found.customer
    assert found.supplier["vat_id"] == "BE1"


def test_a_customers_own_terms_win():
    own = Customer(id="C1", opened=CUSTOMER.opened, facts={"terms": ((CUSTOMER.opened, "30"),)})
    found = closing_entries.document(
        bill_of(),
        own,
        settings(),
        currency="EUR",
        kind="statement",
        number=None,
        issue_date=dt.date(2026, 2, 3),
    )

    assert found.due_date == "2026-03-05"


def test_a_customer_who_has_money_has_nothing_to_pay():
    found = document(bill_of(charge(1_000_000), billed_micro=-5_000_000))

    assert (found.to_pay, found.credit) == ("0.00", "3.79")


def test_amounts_of_a_credit_note_are_positive_and_its_statement_is_as_it_is():
    found = document(bill_of(charge(-10_000_000)), kind="credit-note", number="CN-1")

    assert (found.net, found.vat_total, found.gross) == ("10.00", "2.10", "12.10")
    assert [line.net for line in found.lines] == ["10.00"]
    assert [(line.net, line.vat) for line in found.vat] == [("10.00", "2.10")]
    assert found.statement.closing == "-12.10"


def test_what_is_brought_forward_is_read_back_and_a_balance_by_hand_is_not_taken_for_it():
    bill = bill_of(charge(67_742_310), charge(-3, "O"), billed_micro=7_123_450)
    balances, sums = closing_entries.brought_forward(bill, "C10001", "EUR")
    text = text_of([*balances, *sums])
    by_hand = (
        "2026-02-09 balance Assets:Receivable:C10001:Billed  5.00 ~ 0 EUR\n"
        '2026-02-09 custom "a2ledger-carried" "S21" 5.000000 EUR\n'
    )

    assert ledger.read_brought(text + by_hand, bill.period.end) == bill.carried
    assert ledger.read_brought(by_hand, bill.period.end) == Brought()
