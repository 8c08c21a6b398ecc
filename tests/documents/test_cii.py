"""CII: where the parts of an e-invoice stand in it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from invoices import GERMANS, KINDS, credit_note, document

from a2ledger.documents import cii, einvoice, profiles
from a2ledger.documents.einvoice import Attachment

CII = "urn:un:unece:uncefact:data:standard:"
NAMES = {
    "rsm": f"{CII}CrossIndustryInvoice:100",
    "ram": f"{CII}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{CII}UnqualifiedDataType:100",
}
SUMS = ".//ram:SpecifiedTradeSettlementHeaderMonetarySummation"


def parsed(made, *attachments):
    drawn = einvoice.draw_up(made, profiles.profile_of(made), attachments)
    return ET.fromstring(cii.write(drawn))  # noqa: S314 - made here


def text(root, path):
    return root.findtext(path, namespaces=NAMES)


@pytest.mark.parametrize("kind", KINDS)
def test_the_sums_are_those_of_the_document(kind):
    made = KINDS[kind]
    sums = parsed(made).find(SUMS, NAMES)
    assert text(sums, "ram:TaxBasisTotalAmount") == made.net
    assert text(sums, "ram:GrandTotalAmount") == made.gross
    own = [
        each
        for each in sums.findall("ram:TaxTotalAmount", NAMES)
        if each.get("currencyID") == made.currency
    ]
    assert [each.text for each in own] == [made.vat_total]


def test_days_are_written_without_hyphens():
    root = parsed(document())
    day = root.find("rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString", NAMES)
    assert (day.text, day.get("format")) == ("20260201", "102")


def test_it_claims_no_more_than_the_standard_but_between_germans():
    profile = ".//ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"
    assert text(parsed(document()), profile) == einvoice.CORE
    assert text(parsed(document(**GERMANS)), profile) == einvoice.XRECHNUNG


def test_a_credit_note_names_what_it_corrects_and_an_attachment_comes_along():
    root = parsed(credit_note(), Attachment("calls.csv", "Calls", "text/csv", b"\xff"))
    assert text(root, "rsm:ExchangedDocument/ram:TypeCode") == "381"
    assert text(root, ".//ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == "INV-2026-000001"
    file = root.find(".//ram:AttachmentBinaryObject", NAMES)
    assert (file.text, file.get("filename")) == ("/w==", "calls.csv")
