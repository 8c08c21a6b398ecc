"""What a credit note gives back of an invoice."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2ledger.corrections import credit_note
from a2ledger.corrections.credit_note import CannotCreditError
from a2ledger.documents.document import Document, Line, VatLine
from a2ledger.documents.given_back import GivenBack

DAY = dt.date(2026, 2, 10)


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


def bill(**more):
    invoice, *_ = bill_of([(1_000, "S21"), (500, "S21"), (200, "O")], {"S21": 21, "O": 0})
    return replace(invoice, **{"vat_translated": None} | more)


def test_what_is_asked_for_and_cannot_be_given_says_what_can():
    with pytest.raises(
        CannotCreditError, match=r"INV-1 has no line 9.*it has 3: `a2ledger invoice"
    ):
        credit_note.draw_up(bill(), [], [9], None)
    with pytest.raises(
        CannotCreditError, match=r"10\.00 net of line 1 can be credited, not 10\.01"
    ):
        credit_note.draw_up(bill(), [], [1], 10_010_000)
    with pytest.raises(CannotCreditError, match="more than the 2 decimals"):
        credit_note.draw_up(bill(), [], [1], 5_000)
    whole = credit_note.draw_up(bill(), [], [], None)
    before = [GivenBack("CN-1", whole.lines, whole.net, whole.vat, is_note=True)]
    with pytest.raises(CannotCreditError, match=r"nothing is left of it.*CN-1 credited 20\.15"):
        credit_note.draw_up(bill(), before, [], None)
    with pytest.raises(CannotCreditError, match="nothing is left of line 2"):
        credit_note.draw_up(bill(), before, [2], None)


def test_a_credit_of_the_invoice_itself_is_credited_only_as_far_as_something_is_owed():
    """A line of a credit beside a larger one: the whole is less than the line alone."""
    invoice, *_ = bill_of([(1_000, "S21"), (-400, "S21")], {"S21": 21})
    assert credit_note.draw_up(invoice, [], [], None).gross_micro == 7_260_000
    with pytest.raises(CannotCreditError, match=r"billed 6\.00 net under S21 in all; 10\.00 would"):
        credit_note.draw_up(invoice, [], [1], None)
    with pytest.raises(CannotCreditError):
        credit_note.draw_up(invoice, [], [2], None)


def made(invoice, lines=(), amount=None, notes=(), **more):
    credit = credit_note.draw_up(invoice, notes, lines, amount)
    facts = {"number": "CN-1", "day": DAY, "issue_date": DAY, "opening_micro": 0, "reason": "why"}
    return credit_note.document(invoice, notes, credit, **facts | more)


def test_the_document_has_the_invoice_s_lines_and_leads_the_account_where_it_stands():
    note = made(bill(), [1], opening_micro=20_154_000)
    assert (note.net, note.vat_total, note.gross) == ("10.00", "2.10", "12.10")
    assert (note.statement.opening, note.statement.closing) == ("20.15", "8.05")
    assert [line.amount for line in note.statement.lines] == ["-12.10"]
    assert (note.to_pay, note.credit) == ("8.05", "0.00")
    assert [(line.line, line.kind, line.net) for line in note.lines] == [(1, "correction", "10.00")]
    assert made(bill(), [1]).credit == "12.10"


def test_calls_of_a_line_are_named_only_if_all_of_it_comes_back():
    invoice = bill()
    counted = replace(
        invoice, lines=tuple(replace(line, calls=3, seconds=60) for line in invoice.lines)
    )
    assert [line.calls for line in made(counted, [1]).lines] == [3]
    assert [line.calls for line in made(counted, [1], 1_000_000).lines] == [0]


def test_vat_in_another_currency_comes_back_to_the_cent_however_it_is_parted():
    billed = {"currency": "CHF", "price": "0.9137", "date": "2026-01-31", "vat_total": "2.88"}
    invoice, notes, back = bill(vat_translated=billed), [], Decimal(0)
    for amount in (3_330_000, 3_330_000, 3_340_000):
        credit = credit_note.draw_up(invoice, notes, [1], amount)
        note = credit_note.document(
            invoice,
            notes,
            credit,
            number="CN",
            day=DAY,
            issue_date=DAY,
            opening_micro=0,
            reason="x",
        )
        notes.append(GivenBack("CN", credit.lines, credit.net, credit.vat, is_note=True))
        back += Decimal(note.vat_translated["vat_total"])
    whole = made(invoice, [1]).vat_translated["vat_total"]
    assert back == Decimal(whole) == Decimal("1.92")
    assert made(invoice, [3]).vat_translated is None
