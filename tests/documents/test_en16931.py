"""The standard's rules over documents: whatever is issued keeps them, and each can be broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from a2ledger.documents import en16931
from a2ledger.documents.document import Document, Line, Statement, StatementLine, VatLine

GREEK, BELGIAN = "EL094259216", "BE0403170701"


def line(net, code="S21", number=1):
    return Line(
        line=number, kind="usage", service="Calls", destination="Anywhere", description="",
        from_="2026-01-05", to="2026-01-05", calls=1, seconds=60, net=net, vat_code=code,
    )  # fmt: skip


def row(code="S21", category="S", rate="21", net="10.00", tax="2.10", reason=""):
    return VatLine(code=code, category=category, rate=rate, net=net, vat=tax, reason=reason)


def document(**given):
    usual = {
        "kind": "invoice",
        "number": "INV-1",
        "supplier": {"country": "BE", "vat_id": BELGIAN},
        "customer": {"id": "C1", "country": "GR", "vat_id": GREEK},
        "currency": "EUR",
        "issue_date": "2026-02-01",
        "due_date": "2026-02-15",
        "period": {"start": "2026-01-01", "end": "2026-02-01"},
        "statement": Statement(
            opening="5.00",
            lines=(StatementLine(date="", description="", amount="12.10", balance="17.10"),),
            closing="17.10",
        ),
        "lines": (line("4.00"), line("6.00", number=2)),
        "vat": (row(),),
        "net": "10.00",
        "vat_total": "2.10",
        "gross": "12.10",
        "to_pay": "17.10",
        "credit": "0.00",
    }
    return Document(**(usual | given))


def untaxed(category, code, **given):
    return document(
        lines=(line("12.10", code),),
        vat=(row(code, category, "0", "12.10", "0.00", "because"),),
        **{"net": "12.10", "vat_total": "0.00", **given},
    )


def rules(one):
    return [objection.rule for objection in en16931.objections(one)]


@pytest.mark.parametrize(
    "one",
    [
        document(),
        untaxed("E", "E"),
        untaxed("AE", "AE"),
        untaxed("G", "G"),
        untaxed("O", "O"),
        untaxed("O", "O", supplier={}, customer={"id": "C1"}),
        document(supplier={}),
        document(
            lines=(line("10.00"), line("0.00", "AE")),
            vat=(row(), row("AE", "AE", "0", "0.00", "0.00", "Reverse charge")),
        ),
    ],
)
def test_what_keeps_every_rule(one):
    assert rules(one) == []


@pytest.mark.parametrize(
    ("one", "broken"),
    [
        (document(lines=(line("4.00"), line("6.01"))), ["BR-CO-10", "BR-S-08"]),
        (document(vat_total="2.11", gross="12.11"), ["BR-CO-14"]),
        (document(gross="12.11"), ["BR-CO-15"]),
        (document(to_pay="12.10"), ["BR-CO-16"]),
        (document(to_pay="17.11", credit="0.01"), []),
        (document(statement=replace(document().statement, opening="5.01")), ["statement"]),
        (
            document(vat=(row(tax="2.11"),), vat_total="2.11", gross="12.11"),
            ["BR-CO-17"],
        ),
        (document(lines=(line("4.00"), line("6.00", "S6"))), ["BR-S-08", "BR-CO-18"]),
        (document(lines=(line("4.001"), line("5.999"))), ["BR-DEC", "BR-DEC"]),
        (
            document(vat=(row(rate="0", tax="0.00"),), vat_total="0.00", gross="10.00"),
            ["BR-S-05"],
        ),
        (document(vat=(row(category="E", reason="art. 44"),)), ["BR-E-05"]),
        (document(vat=(row(reason="art. 44"),)), ["BR-S-10"]),
        (replace(untaxed("E", "E"), vat=(row("E", "E", "0", "12.10", "0.00"),)), ["BR-E-10"]),
        (untaxed("AE", "AE", supplier={"vat_id": "BE1"}), ["BR-AE-02"]),
        (untaxed("AE", "AE", customer={"id": "C1"}), ["BR-AE-02"]),
        (untaxed("AE", "AE", customer={"id": "C1"}, supplier={}), ["BR-AE-02", "BR-AE-02"]),
        (untaxed("G", "G", supplier={}), ["BR-G-02"]),
        (untaxed("G", "G", customer={"id": "C1"}), []),
        (
            document(
                lines=(line("10.00"), line("0.00", "O")),
                vat=(row(), row("O", "O", "0", "0.00", "0.00", "outside")),
            ),
            ["BR-O-11"],
        ),
        (document(treatment="on-refill", kind="statement", number=None), ["on-refill"]),
    ],
)
def test_what_breaks_a_rule_is_told_by_its_name(one, broken):
    assert rules(one) == broken


def test_vat_that_was_inside_the_prices_may_be_a_cent_off_the_net():
    # 0.03 with 21 % inside: 0.0052 is a cent of VAT, though 21 % of the other two are none
    one = document(
        lines=(line("0.02"),), vat=(row(net="0.02", tax="0.01"),),
        net="0.02", vat_total="0.01", gross="0.03",
    )  # fmt: skip

    assert rules(one) == ["BR-CO-17"]
    assert rules(replace(one, treatment="included")) == []


def test_a_supplier_without_a_vat_id_is_remarked_upon_where_vat_is_shown():
    assert list(en16931.remarks(document())) == []
    assert [remark.rule for remark in en16931.remarks(document(supplier={}))] == ["BR-S-02"]
    assert list(en16931.remarks(untaxed("O", "O", supplier={}))) == []
