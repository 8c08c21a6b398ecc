"""E-invoices of a book: checked before a number is taken, issued with documents, sealed."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import facturx
import pytest
from harness import call
from invoices import SHEET

from a2ledger.documents.document import as_json, read, written

COMPANY = """
street = "Rue Haute 1"
postcode = "1000"
city = "Brussels"
contact = "Billing"
peppol = "0208:0403170701"
"""
MAES = {
    "id": "C1", "name": "Maes Import", "street": "Veldstraat 5", "postcode": "9000",
    "city": "Ghent", "country": "BE", "vat_id": "BE0428759497", "vat": "on-invoice",
    "peppol": "0208:0428759497", "delivery": "peppol",
}  # fmt: skip


@pytest.fixture
def firm(book):
    """A book of a company that can issue e-invoices."""
    text = book.text("a2ledger.toml")
    text = re.sub(r"(?m)^country = .*$", 'country = "BE"', text)
    text = re.sub(r"(?m)^vat_id = .*$", 'vat_id = "BE0403170701"', text)
    text = re.sub(r"(?m)^iban = .*$", 'iban = "BE68 5390 0754 7034"', text)
    (book.root / "a2ledger.toml").write_text(text.replace("[company]", f"[company]{COMPANY}", 1))
    return book


def configure(book, text):
    with (book.root / "a2ledger.toml").open("a") as file:
        file.write(text)


def bill(book, *customers, today="2026-02-01"):
    book.customers(*customers)
    for customer in customers:
        book.moves("charges", customer["id"], "2026-01-10", "10.00", today="2026-01-11")
    return book.run("close", "--json", today=today)


def value(xml, name):
    return re.findall(rf"<{name}[^>]*>([^<]*)</{name}>", xml)


def test_an_invoice_is_issued_with_its_e_invoice_and_the_report_of_its_check(firm):
    bill(firm, MAES)

    xml = firm.text("invoices/2026/INV-2026-000001.ubl.xml")
    report = firm.text("invoices/2026/INV-2026-000001.ubl.report.txt")
    files = firm.documents()["INV-2026-000001"]["files"]

    assert value(xml, "cbc:ID")[0] == "INV-2026-000001"
    assert value(xml, "cbc:EndpointID") == ["0403170701", "0428759497"]
    assert value(xml, "cbc:PayableAmount") == ["12.10"]
    assert value(xml, "cbc:TaxPointDate") == ["2026-01-31"]
    assert "result: 0 error(s), 0 warning(s)" in report
    assert "specification: urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu" in report
    assert "EN16931-UBL-validation (sha256 " in report
    assert files == {
        name: hashlib.sha256((firm.root / "invoices/2026" / name).read_bytes()).hexdigest()
        for name in ("INV-2026-000001.ubl.xml", "INV-2026-000001.ubl.report.txt")
    }
    assert hashlib.sha256(xml.encode()).hexdigest() in report
    assert firm.git("ls-files", "invoices").split() == [
        f"invoices/2026/INV-2026-000001.{end}" for end in ("json", "ubl.report.txt", "ubl.xml")
    ]
    assert firm.run("verify").code == 0


def test_a_customer_without_an_electronic_address_gets_none_and_the_document_is_as_ever(firm):
    bill(firm, {"id": "C1", "vat": "on-invoice"})

    assert [path.name for path in (firm.root / "invoices/2026").iterdir()] == [
        "INV-2026-000001.json"
    ]
    assert "files" not in firm.documents()["INV-2026-000001"]


@pytest.mark.parametrize("end", ["ubl.xml", "ubl.report.txt"])
@pytest.mark.parametrize("gone", [True, False])
def test_verify_names_a_kept_file_that_is_not_as_it_was_issued(firm, end, gone):
    bill(firm, MAES)
    path = firm.root / f"invoices/2026/INV-2026-000001.{end}"
    path.unlink() if gone else path.write_text(path.read_text().replace("12.10", "0.10") + " ")

    done = firm.run("verify", code=1)

    what = "is gone" if gone else "was changed after it was issued"
    assert f"invoices/2026/INV-2026-000001.{end}: {what}" in done.stdout + done.stderr
    if end == "ubl.xml":
        (line,) = firm.run("invoice", "INV-2026-000001", "--format", "ubl", "-o", "-",
                           code=1).errors  # fmt: skip
        assert what in line


def test_what_an_e_invoice_lacks_leaves_the_period_open_and_takes_no_number(firm):
    lacking = {**MAES, "id": "A1", "country": "", "vat_id": "", "peppol": ""}
    firm.customers(lacking, MAES)
    for name in ("A1", "C1"):
        firm.moves("charges", name, "2026-01-10", "10.00", today="2026-01-11")

    left, closed = firm.run("close", "--json", today="2026-02-01", code=1).json

    assert (left["customer"], left["closed"]) == ("A1", False)
    told = {warned["code"]: warned["message"] for warned in left["warnings"]}
    assert told["BR-11"] == "a country is missing; say `a2ledger customer set A1 country=…`"
    assert "a2ledger customer set A1 peppol=…" in told["PEPPOL-EN16931-R010"]
    assert closed["number"] == "INV-2026-000001"

    firm.run("customer", "set", "A1", "country=BE", "peppol=0208:0417497106", today="2026-02-02")
    (closed,) = firm.run("close", "--json", today="2026-02-02").json

    assert closed["number"] == "INV-2026-000002"
    assert (firm.root / "invoices/2026/INV-2026-000002.ubl.xml").is_file()


def test_official_rules_of_the_operator_s_leave_a_period_open(firm):
    (firm.root / "rules").mkdir()
    (firm.root / "rules/own.xslt").write_text(SHEET.format(about="", flag="fatal"))
    configure(firm, '\n[einvoice]\nrules = "rules"\n')
    firm.customers(MAES)
    firm.moves("charges", "C1", "2026-01-10", "10.00", today="2026-01-11")

    (left,) = firm.run("close", "--json", today="2026-02-01", code=1).json

    assert left["warnings"] == [{"code": "OWN-1", "message": "ubl: Not like this"}]
    assert not (firm.root / "invoices").exists()


def test_warnings_are_reported_and_the_document_is_issued(firm):
    (firm.root / "rules").mkdir()
    (firm.root / "rules/own.xslt").write_text(SHEET.format(about="", flag="warning"))
    configure(firm, '\n[einvoice]\nrules = "rules"\n')

    (closed,) = bill(firm, MAES).json

    assert {"code": "OWN-1", "message": "ubl: Not like this"} in closed["warnings"]
    report = firm.text("invoices/2026/INV-2026-000001.ubl.report.txt")
    assert "result: 0 error(s), 1 warning(s)" in report
    assert "warning OWN-1: Not like this" in report


def test_rules_that_are_not_there_are_one_line(firm):
    configure(firm, '\n[einvoice]\nrules = "rules"\n')
    firm.customers(MAES)
    firm.moves("charges", "C1", "2026-01-10", "10.00", today="2026-01-11")

    (line,) = firm.run("close", today="2026-02-01", code=1).errors

    assert "rules: is no directory; nothing was checked; correct [einvoice] rules" in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('formats = ["pdf"]', "einvoice.formats: 'pdf' is none of ubl, cii"),
        ('profile = "dutch"', "einvoice.profile: 'dutch' is none of auto"),
        ('calls = "some"', "einvoice.calls: 'some' is none of none, masked, full"),
        ('rule = "rules"', "einvoice.rule: unknown key, did you mean 'rules'?"),
    ],
)
def test_a_setting_that_cannot_be_is_named(firm, text, said):
    configure(firm, f"\n[einvoice]\n{text}\n")

    assert said in firm.run("check", code=1).stderr


def test_a_closed_document_is_rendered_as_an_e_invoice_when_asked(firm):
    bill(firm, {**MAES, "peppol": "", "delivery": ""})

    out = firm.run("invoice", "INV-2026-000001", "--format", "ubl", "-o", "-").stdout
    paths = firm.run("invoice", "INV-2026-000001", "--format", "ubl,cii").stdout.split()

    assert value(out, "cbc:CustomizationID") == ["urn:cen.eu:en16931:2017"]
    assert [path.rpartition("/")[2] for path in paths] == [
        "INV-2026-000001.ubl.xml", "INV-2026-000001.cii.xml",
    ]  # fmt: skip
    assert firm.text("invoices/2026/INV-2026-000001.ubl.xml") == out
    assert firm.run("verify").code == 0


def test_what_was_issued_is_what_is_rendered_whatever_is_configured_since(firm):
    bill(firm, MAES)
    issued = firm.text("invoices/2026/INV-2026-000001.ubl.xml")
    configure(firm, '\n[einvoice]\nprofile = "core"\n')

    assert firm.run("invoice", "INV-2026-000001", "--format", "ubl", "-o", "-").stdout == issued


def test_one_line_addresses_go_on_working_and_what_is_missing_is_named(firm):
    bill(firm, {"id": "C1", "vat": "on-invoice", "address": "Veldstraat 5, 9000 Ghent"})

    (line,) = firm.run("invoice", "INV-2026-000001", "--format", "ubl", code=1).errors
    assert line.startswith("a2ledger: INV-2026-000001: BR-11: a country is missing; ")
    assert line.endswith("; nothing was written; say `a2ledger customer set C1 country=…`")

    out = firm.root.parent / "out"
    done = firm.run("invoice", "--all", "--format", "ubl,text", "-o", out, code=1)
    assert done.errors == [line]
    assert [path.name for path in out.iterdir()] == ["INV-2026-000001.txt"]


def test_what_was_not_known_at_the_close_is_taken_from_what_is_known_when_it_is_asked(firm):
    bill(firm, {"id": "C1", "vat": "on-invoice", "city": "Ghent"})
    firm.run("customer", "set", "C1", "country=BE", "city=Aalst", "peppol=0208:0428759497",
             today="2026-02-05")  # fmt: skip

    xml = firm.run("invoice", "INV-2026-000001", "--format", "ubl", "-o", "-",
                   today="2026-02-05").stdout  # fmt: skip

    assert value(xml, "cbc:EndpointID") == ["0403170701", "0428759497"]
    assert value(xml, "cbc:CityName") == ["Brussels", "Ghent"]


def test_statements_are_no_e_invoices(firm):
    firm.customers({"id": "C1"})
    firm.close(today="2026-02-01")

    assert firm.run("invoice", "--all", "--format", "ubl").stdout == ""
    (line,) = firm.run("invoice", "statement-C1-2026-01-01", "--format", "ubl", code=1).errors
    assert "a statement is not an invoice" in line


def test_a_pdf_carries_the_invoice_and_is_the_same_whenever_it_is_made(firm):
    bill(firm, MAES)
    words = ("invoice", "INV-2026-000001", "--format", "facturx")
    (path,) = firm.run(*words).stdout.split()
    first = (firm.root / "invoices/2026/INV-2026-000001.facturx.pdf").read_bytes()

    name, xml = facturx.get_facturx_xml_from_pdf(first, check_xsd=True)

    assert path.endswith("INV-2026-000001.facturx.pdf")
    assert name == "factur-x.xml"
    assert b"<ram:DuePayableAmount>12.10</ram:DuePayableAmount>" in xml
    firm.run(*words, "-o", firm.root.parent / "again")
    again = firm.root.parent / "again/INV-2026-000001.facturx.pdf"
    assert again.read_bytes() == first


def test_a_credit_note_names_the_invoice_it_corrects(firm):
    bill(firm, MAES)
    firm.run("credit-note", "INV-2026-000001", "--reason", "Wrong tariff", today="2026-02-03")

    xml = firm.text("invoices/2026/CN-2026-000001.ubl.xml")

    assert "<CreditNote " in xml
    assert value(xml, "cbc:ID")[:2] == ["CN-2026-000001", "INV-2026-000001"]
    assert value(xml, "cbc:PayableAmount") == ["12.10"]
    assert "result: 0 error(s)" in firm.text("invoices/2026/CN-2026-000001.ubl.report.txt")
    firm.close(today="2026-03-01")
    assert firm.run("verify").code == 0


def test_a_taxed_refill_is_an_invoice_that_is_paid(firm):
    firm.customers({**MAES, "vat": "on-refill"})
    firm.moves("refills", "C1", "2026-01-10", "121.00", method="bank", today="2026-01-11")

    xml = firm.text("invoices/2026/INV-2026-000001.ubl.xml")

    assert value(xml, "cbc:PrepaidAmount") == ["121.00"]
    assert value(xml, "cbc:PayableAmount") == ["0.00"]
    assert firm.documents()["INV-2026-000001"]["files"].keys() == {
        "INV-2026-000001.ubl.xml", "INV-2026-000001.ubl.report.txt",
    }  # fmt: skip


def test_a_refill_that_no_e_invoice_can_be_made_of_waits_in_quarantine(firm):
    firm.customers({**MAES, "vat": "on-refill", "peppol": ""})

    done = firm.moves("refills", "C1", "2026-01-10", "121.00", method="bank",
                      today="2026-01-11", code=3)  # fmt: skip

    assert "PEPPOL-EN16931-R010" in firm.run("quarantine", "list", "--json").stdout or (
        "a Peppol address" in done.stderr
    )
    assert not (firm.root / "invoices").exists()


@pytest.mark.parametrize(
    ("calls", "shown"), [("none", None), ("masked", "3225550xxx"), ("full", "3225550199")]
)
def test_the_calls_come_along_as_far_as_they_may(firm, calls, shown):
    configure(firm, f'\n[einvoice]\ncalls = "{calls}"\n')
    firm.customers(MAES)
    rows = [call("one", "C1", "2026-01-05", 60), call("two", "C1", "2026-01-06", 120)]
    firm.imported("calls", rows, today="2026-01-07")
    firm.close(today="2026-02-01")

    attached = value(
        firm.text("invoices/2026/INV-2026-000001.ubl.xml"), "cbc:EmbeddedDocumentBinaryObject"
    )

    if shown is None:
        assert attached == []
        return
    header, first, second = base64.b64decode(attached[0]).decode().splitlines()
    assert header == "start,service,destination,called,seconds,price,tariff,prefix"
    assert first.split(",")[3:6] == [shown, "60", "1.000000"]
    assert second.startswith("2026-01-06 ")


def test_without_the_extra_the_own_rules_hold_and_the_report_says_so(firm, monkeypatch):
    monkeypatch.setattr("a2ledger.documents.electronic.is_installed", lambda: False)
    bill(firm, MAES)

    report = firm.text("invoices/2026/INV-2026-000001.ubl.report.txt")
    assert "not checked by official rules: they are not installed" in report

    configure(firm, '\n[einvoice]\nrules = "rules"\n')
    firm.moves("charges", "C1", "2026-02-10", "10.00", today="2026-02-11")
    (line,) = firm.run("close", today="2026-03-01", code=1).errors
    assert "pip install 'a2ledger[einvoice]'" in line


def test_a_document_s_json_is_read_back_as_it_was(firm):
    bill(firm, MAES)
    text = firm.text("invoices/2026/INV-2026-000001.json")

    assert written(as_json(read(text))) == text
    assert read(json.dumps(json.loads(text) | {"later": 1})) == read(text)
