"""What a payer's telephone reads says what the invoice says."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from harness import made_for_all
from invoices import CUSTOMER, SUPPLIER, credit_note, document

from a2ledger.documents import pdf, qr, references, render
from a2ledger.documents.document import as_json
from a2ledger.workers import Workers

cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is not installed")
SWISS = SUPPLIER | {
    "country": "CH", "street": "Bahnhofstrasse 1", "postcode": "8001", "city": "Zürich",
    "iban": "CH44 3199 9123 0008 8901 2", "bic": "",
}  # fmt: skip
PLAIN_SWISS = SWISS | {"iban": "CH93 0076 2011 6238 5295 7"}


def paid(supplier, **given):
    reference = references.of_invoice("INV-2026-000001", supplier["iban"])
    return as_json(document(supplier=supplier, reference=reference, **given))


BILLS = {
    "epc": paid(SUPPLIER),
    "epc rf": paid(SUPPLIER | {"iban": "DE89 3704 0044 0532 0130 00"}),
    "swiss": paid(SWISS, currency="CHF"),
    "swiss rf": paid(PLAIN_SWISS, currency="EUR", customer=CUSTOMER | {"city": ""}),
}


def _read(directory):
    """Write down what a reader of QR codes finds on the last sheet of each bill."""
    directory.mkdir()
    pages = [(render.html(bill), bill["issue_date"]) for bill in BILLS.values()]
    found = {}
    for name, content in zip(BILLS, pdf.written(pages, Workers("1")), strict=True):
        (directory / "bill.pdf").write_bytes(content)
        words = ["pdftoppm", "-r", "200", "-gray", "-png", "bill.pdf", name]
        subprocess.run(words, cwd=directory, check=True)
        sheet = max(directory.glob(f"{name}-*.png"))
        text, _, _ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(sheet)))
        found[name] = text.splitlines()
    (directory / "found.json").write_text(json.dumps(found))


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What a reader of QR codes finds on the last sheet of each bill."""
    if not shutil.which("pdftoppm"):
        pytest.skip("pdftoppm is not installed")
    directory = made_for_all(tmp_path_factory, "qr", _read)
    return json.loads((directory / "found.json").read_text())


def test_the_code_of_a_bill_in_euros_pays_it(read):
    assert read["epc"] == [
        "BCD", "002", "2", "SCT", "BBRUBEBB", "Sun & Co <Telecom>", "BE68539007547034", "EUR121",
        "", "", "+++202/6000/00192+++",
    ]  # fmt: skip


def test_a_creditor_reference_is_told_as_one(read):
    assert read["epc rf"][7:] == ["EUR121", "", "RF94INV2026000001"]


def test_a_swiss_slip_pays_to_a_qr_iban_under_its_reference(read):
    lines = read["swiss"]

    assert lines[:5] == ["SPC", "0200", "1", "CH4431999123000889012", "S"]
    assert lines[5:11] == ["Sun & Co <Telecom>", "Bahnhofstrasse 1", "", "8001", "Zürich", "CH"]
    assert lines[18:20] == ["121.00", "CHF"]
    assert lines[20:27] == ["S", "Maes Import", "Veldstraat 5", "", "9000", "Ghent", "BE"]
    assert lines[27:29] == ["QRR", "000000000000000020260000018"]


def test_a_swiss_slip_without_a_payer_s_town_leaves_the_payer_out(read):
    lines = read["swiss rf"]

    assert lines[18:20] == ["121.00", "EUR"]
    assert lines[20:27] == [""] * 7
    assert lines[27:29] == ["SCOR", "RF94INV2026000001"]


@pytest.mark.parametrize(
    "bill",
    [
        document(to_pay="0.00", credit="10.00"),
        document(kind="preview"),
        document(kind="statement"),
        document(supplier=SUPPLIER | {"iban": ""}),
        document(supplier=SUPPLIER | {"iban": "BE68 5390 0754 7035"}),
        document(currency="USD"),
        document(supplier=SWISS | {"city": ""}, currency="CHF"),
        document(supplier=SWISS, currency="USD"),
        credit_note(),
    ],
)
def test_where_nothing_is_paid_by_transfer_there_is_no_code(bill):
    shown = as_json(bill)

    assert (qr.epc(shown), qr.slip(shown, "de")) == ("", "")
    assert "data:image" not in render.html(shown)


def test_a_slip_is_in_the_language_of_its_reader():
    slips = {qr.slip(BILLS["swiss"], language) for language in ("de", "fr", "en", "el")}
    assert len(slips) == 3


def test_text_and_page_bear_the_same_reference_as_the_code():
    for bill in BILLS.values():
        reference = references.grouped(bill["reference"])
        assert reference in render.text(bill)
        assert reference in render.html(bill)
