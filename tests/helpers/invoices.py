"""Documents to make e-invoices of, and the parties on them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from a2ledger.documents.document import Document, Line, Statement, VatLine

SUPPLIER = {
    "name": "Sun & Co <Telecom>", "address": "", "country": "BE", "vat_id": "BE0403170701",
    "email": "billing@sun.example", "phone": "+32 2 555 01 00", "website": "",
    "iban": "BE68 5390 0754 7034", "bic": "BBRUBEBB", "street": "Rue Haute 1",
    "postcode": "1000", "city": "Brussels", "contact": "Billing", "peppol": "0208:0403170701",
}  # fmt: skip
CUSTOMER = {
    "id": "C1", "name": "Maes Import", "address": "", "country": "BE",
    "vat_id": "BE0428759497", "email": "ada@maes.example", "language": "", "street": "Veldstraat 5",
    "postcode": "9000", "city": "Ghent", "peppol": "0208:0428759497",
}  # fmt: skip
GERMAN_SUPPLIER = SUPPLIER | {
    "country": "DE", "vat_id": "DE136695976", "iban": "DE89 3704 0044 0532 0130 00", "peppol": "",
}  # fmt: skip
GERMAN_CUSTOMER = CUSTOMER | {"country": "DE", "vat_id": "", "peppol": "0204:991-01484-64"}

S21 = ("S21", "S", "21", "100.00", "21.00", "")
S6 = ("S6", "S", "6", "-1.00", "-0.06", "")
ALSO_21 = ("DIDS", "S", "21", "3.00", "0.63", "")
ZERO = ("Z", "Z", "0", "10.00", "0.00", "")
EXEMPT = ("E", "E", "0", "-5.00", "0.00", "Exempt, article 5")
REVERSED = ("AE", "AE", "0", "100.00", "0.00", "Reverse charge")
GOODS = ("K", "K", "0", "100.00", "0.00", "Intra-community supply")
CANARIES = ("L", "L", "7", "100.00", "7.00", "")
CEUTA = ("M", "M", "4", "100.00", "4.00", "")
EXPORT = ("G", "G", "0", "100.00", "0.00", "Export outside the EU")
OUTSIDE = ("O", "O", "0", "100.00", "0.00", "Not subject to VAT")
NOTHING = ("S21", "S", "21", "0.00", "0.00", "")


def line(number: int, net: str, code: str, **given: Any) -> Line:
    usual = {
        "line": number, "kind": "usage", "service": "Calls", "destination": "Belgium mobile",
        "description": "312 calls, 5:18:24", "from_": "2026-01-03", "to": "2026-01-30",
        "calls": 312, "seconds": 19104, "net": net, "vat_code": code,
    }  # fmt: skip
    return Line(**(usual | given))


def document(*rows: tuple[str, ...], **given: Any) -> Document:
    """An invoice with a line for each row of VAT: code, category, rate, net, VAT, reason."""
    rows = rows or (S21,)
    net, vat = (sum((Decimal(row[at]) for row in rows), Decimal(0)) for at in (3, 4))
    gross = str(net + vat)
    usual = {
        "kind": "invoice", "number": "INV-2026-000001", "supplier": SUPPLIER,
        "customer": CUSTOMER, "currency": "EUR", "issue_date": "2026-02-01",
        "due_date": "2026-02-15", "period": {"start": "2026-01-01", "end": "2026-02-01"},
        "statement": Statement(opening="0.00", lines=(), closing=gross),
        "lines": tuple(line(at, row[3], row[0]) for at, row in enumerate(rows, 1)),
        "vat": tuple(
            VatLine(code=code, category=category, rate=rate, net=n, vat=v, reason=reason)
            for code, category, rate, n, v, reason in rows
        ),
        "net": str(net), "vat_total": str(vat), "gross": gross, "to_pay": gross, "credit": "0.00",
    }  # fmt: skip
    return Document(**(usual | given))


def credit_note(*rows: tuple[str, ...], **given: Any) -> Document:
    original = {"number": "INV-2026-000001", "date": "2026-02-01"}
    usual = {"kind": "credit-note", "number": "CN-2026-000001", "original": original}
    return document(*rows, **(usual | {"notes": ("Wrong tariff",)} | given))


GERMANS = {"supplier": GERMAN_SUPPLIER, "customer": GERMAN_CUSTOMER}
KINDS = {
    "taxed": document(),
    "mixed": document(S21, ZERO, EXEMPT, S6, ALSO_21),
    "reverse charge": document(
        REVERSED,
        customer=CUSTOMER | {"country": "FR", "vat_id": "FR40303265045", "peppol": "9957:FR4030"},
        treatment="reverse-charge",
    ),
    "reverse charge beside tax": document(REVERSED, S21),
    "goods to another member state": document(
        GOODS, S21,
        customer=CUSTOMER | {"country": "FR", "vat_id": "FR40303265045", "peppol": "9957:FR4030"},
    ),
    "Canary Islands": document(CANARIES, ZERO),
    "Ceuta": document(CEUTA),
    "export to Kosovo": document(
        EXPORT, customer=CUSTOMER | {"country": "XK", "vat_id": "", "peppol": ""}
    ),
    "greek": document(
        ("S24", "S", "24", "100.00", "24.00", ""),
        supplier=SUPPLIER | {
            "country": "GR", "vat_id": "EL094259216", "peppol": "9933:094259216",
            "registration": "123456789000",
        },
        customer=CUSTOMER | {"country": "EL", "vat_id": "EL094259216", "peppol": "9933:094259216"},
    ),
    "every category that goes together": document(
        S21, S6, ZERO, EXEMPT, REVERSED, EXPORT,
        customer=CUSTOMER | {"country": "FR", "vat_id": "FR40303265045", "peppol": "9957:FR4030"},
    ),
    "negative": document(
        ("S21", "S", "21", "-10.00", "-2.10", ""), to_pay="0.00", credit="12.10",
    ),
    "reduced in a category of its own": document(
        S21, EXEMPT,
        lines=(line(1, "100.00", "S21"), line(2, "-5.00", "E", kind="charge", destination="")),
    ),
    "signs of XML": document(
        customer=CUSTOMER | {
            "name": "Ünïçødé & <Söhne> \"GmbH\" 'x' ]]>", "street": "a\tb\x00\x0b\ufffe",
            "buyer_reference": ' <"&> ', "order_reference": 'PO & "1"',
        },
        lines=(line(1, "100.00", "S21", description="<&\"'> \u200f مرحبا 😀 \x1b[31m"),),
    ),
    "nothing but names and countries": document(
        supplier={"name": "Sun", "country": "BE", "vat_id": "BE0403170701"},
        customer={"id": "C1", "name": "Ada", "country": "BE", "vat_id": ""},
    ),
    "export": document(
        EXPORT, customer=CUSTOMER | {"country": "US", "vat_id": "", "peppol": "0060:362012345"}
    ),
    "outside": document(OUTSIDE, supplier=SUPPLIER | {"registration": "0208:0403170701"}),
    "outside, registration implied": document(OUTSIDE),
    "exempt": document(("E", "E", "0", "7.00", "0.00", "Exempt, article 5")),
    "zero-rated": document(ZERO),
    "credit note of part": credit_note(("S21", "S", "21", "10.00", "2.10", "")),
    "credit note without original": credit_note(original=None),
    "credit note outside": credit_note(OUTSIDE),
    "buyer with a tax number that is no VAT id": document(
        customer=CUSTOMER | {"vat_id": "27AAPFU0939F1ZV"}
    ),
    "foreign currency": document(
        currency="CHF",
        vat_translated={
            "currency": "EUR", "price": "1.1", "date": "2026-01-31", "vat_total": "23.10",
        },
    ),
    "no decimals": document(
        ("S21", "S", "21", "1000", "210", ""), currency="JPY",
        statement=Statement(opening="0", lines=(), closing="1210"), credit="0",
    ),
    "nothing to pay": document(NOTHING),
    "paid by credit": document(to_pay="0.00", credit="10.00"),
    "paid in part": document(to_pay="21.00"),
    "refill": document(
        treatment="on-refill", to_pay="0.00",
        statement=Statement(opening="0.00", lines=(), closing="0.00"),
        lines=(line(1, "100.00", "S21", kind="refill", destination="", calls=0),),
    ),
    "late and advance": document(
        S21, ALSO_21,
        lines=(
            line(1, "100.00", "S21", kind="late", from_="2025-12-30", to="2025-12-30"),
            line(2, "3.00", "DIDS", kind="fee", from_="2026-02-01", to="2026-02-28"),
        ),
    ),
    "reduced": document(
        ("S21", "S", "21", "80.00", "16.80", ""), EXEMPT,
        lines=(
            line(1, "100.00", "S21"),
            line(2, "-15.00", "S21", kind="charge", destination="", description="For the outage"),
            line(3, "-5.00", "S21", kind="correction", destination=""),
            line(4, "-5.00", "E", kind="charge", destination="", description=""),
        ),
    ),
    "reduced, outside": document(
        OUTSIDE, supplier=SUPPLIER | {"registration": "0208:0403170701"},
        lines=(line(1, "110.00", "O"), line(2, "-10.00", "O", kind="charge", description="Late")),
    ),
    "300 lines": document(
        ("S21", "S", "21", "300.00", "63.00", ""),
        lines=tuple(line(number, "1.00", "S21") for number in range(1, 301)),
    ),
    "one-line addresses": document(
        supplier=SUPPLIER | dict.fromkeys(("street", "city", "postcode", "peppol", "iban"), "")
        | {"address": "Rue Haute 1, 1000 Brussels"},
        customer=CUSTOMER | dict.fromkeys(("street", "city", "postcode", "peppol", "email"), "")
        | {"address": "Veldstraat 5\n9000 Ghent\nEast Flanders\nBelgium"},
    ),
    "german": document(**GERMANS),
    "german credit note": credit_note(**GERMANS),
    "german, outside": document(
        OUTSIDE, supplier=GERMAN_SUPPLIER | {"registration": "HRB 12345"}, customer=GERMAN_CUSTOMER
    ),
    "dutch": document(
        supplier=SUPPLIER | {
            "country": "NL", "vat_id": "NL123456782B90", "peppol": "0106:12345678",
            "registration": "0106:12345678",
        },
        customer=CUSTOMER | {"country": "NL", "vat_id": "", "peppol": "0106:87654321"},
    ),
    "danish": document(
        supplier=SUPPLIER | {
            "country": "DK", "vat_id": "DK13585628", "peppol": "0184:DK13585628",
            "registration": "0184:DK13585628",
        },
        customer=CUSTOMER | {"country": "DK", "vat_id": "", "peppol": "0184:DK13585628"},
    ),
    "swiss": document(
        ("S8", "S", "8.1", "100.00", "8.10", ""), currency="CHF",
        supplier=SUPPLIER | {
            "country": "CH", "vat_id": "CHE-116.281.710 MWST", "peppol": "0183:CHE116281710",
            "registration": "0183:CHE116281710", "iban": "CH93 0076 2011 6238 5295 7",
        },
        customer=CUSTOMER | {"country": "CH", "vat_id": "", "peppol": "0183:CHE116281710"},
    ),
    "no VAT id as Europe has them": document(
        ("S18", "S", "18", "100.00", "18.00", ""), currency="INR",
        supplier=SUPPLIER | {
            "country": "IN", "vat_id": "27AAPFU0939F1ZV", "peppol": "", "registration": "U72200MH",
        },
        customer=CUSTOMER | {"country": "IN", "vat_id": "", "peppol": ""},
    ),
}  # fmt: skip
"""Every kind of document that there is an e-invoice of."""

SHEET = """<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
 xmlns:svrl="http://purl.oclc.org/dsdl/svrl"
 xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
<!-- {about} -->
<xsl:template match="/"><svrl:schematron-output>
<svrl:failed-assert id="OWN-1" flag="{flag}"><svrl:text>[OWN-1]-Not like this</svrl:text>
</svrl:failed-assert></svrl:schematron-output></xsl:template></xsl:stylesheet>"""
"""A rule set in which everything breaks the one rule there is."""
