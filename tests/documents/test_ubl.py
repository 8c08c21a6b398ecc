"""UBL: where the parts of an e-invoice stand in it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from invoices import GERMANS, KINDS, credit_note, document

from a2ledger.documents import einvoice, profiles, ubl
from a2ledger.documents.einvoice import Attachment

NAMES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def parsed(made, *attachments):
    drawn = einvoice.draw_up(made, profiles.profile_of(made), attachments)
    return ET.fromstring(ubl.write(drawn))  # noqa: S314 - made here


def text(root, path):
    return root.findtext(path, namespaces=NAMES)


def names(root):
    return [child.tag.rpartition("}")[2] for child in root]


@pytest.mark.parametrize("kind", KINDS)
def test_the_sums_are_those_of_the_document_and_name_their_currency(kind):
    made = KINDS[kind]
    root = parsed(made)
    total = root.find("cac:LegalMonetaryTotal", NAMES)
    assert text(total, "cbc:TaxExclusiveAmount") == made.net
    assert text(total, "cbc:TaxInclusiveAmount") == made.gross
    assert text(root, "cac:TaxTotal/cbc:TaxAmount") == made.vat_total
    amounts = [each for each in total if each.tag.endswith("Amount")]
    assert {each.get("currencyID") for each in amounts} == {made.currency}


def test_an_invoice_is_due_and_a_credit_note_names_what_it_corrects():
    invoice, credit = parsed(document()), parsed(credit_note())
    assert text(invoice, "cbc:DueDate") == "2026-02-15"
    assert text(invoice, "cbc:InvoiceTypeCode") == "380"
    assert "CreditNoteTypeCode" in names(credit)
    assert "DueDate" not in names(credit)
    original = "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID"
    assert text(credit, original) == "INV-2026-000001"
    assert len(credit.findall("cac:CreditNoteLine", NAMES)) == len(credit_note().lines)


def test_the_specification_is_named_and_the_process_of_the_network_where_it_is_one():
    assert text(parsed(document()), "cbc:ProfileID") == einvoice.PROCESS
    assert text(parsed(document(**GERMANS)), "cbc:CustomizationID") == einvoice.XRECHNUNG
    drawn = einvoice.draw_up(document(), einvoice.CORE)
    assert "ProfileID" not in names(ET.fromstring(ubl.write(drawn)))  # noqa: S314 - made here


def test_an_attachment_comes_along_whole():
    root = parsed(document(), Attachment("calls.csv", "Calls", "text/csv", b"a,b\n\xff"))
    place = "cac:AdditionalDocumentReference/cac:Attachment/cbc:EmbeddedDocumentBinaryObject"
    file = root.find(place, NAMES)
    assert (file.text, file.get("mimeCode"), file.get("filename")) == (
        *("YSxiCv8=", "text/csv", "calls.csv"),
    )
