"""Who sends a document and who gets it: structured addresses and numbers, by the facts of a day."""

from __future__ import annotations

import datetime as dt

import pytest
from invoices import CUSTOMER, SUPPLIER, document

from a2ledger import facts
from a2ledger.delivery import letters
from a2ledger.documents import cii, einvoice, language, render, rules, ubl
from a2ledger.documents.document import as_json
from a2ledger.documents.parties import one_line

ADA = {
    "id": "C1",
    "street": "Place Saint-Géry 14",
    "street2": "Bus 3",
    "postcode": "1000",
    "city": "Brussels",
    "region": "Brussels-Capital",
    "country": "BE",
    "registration": "0208:0403170701",
    "peppol": "0208:0403170701",
    "contact": "Ada Maes",
    "phone": "+32 2 555 01 01",
    "iban": "BE68539007547034",
    "bic": "BBRUBEBB",
    "buyer_reference": "Cost centre 7",
    "order_reference": "PO-2026-11",
    "delivery": "peppol,mail",
    "documents": "invoice",
}


def test_every_fact_of_a_party_comes_from_a_table_and_stands_on_the_document(book):
    book.customers(ADA)

    shown = book.run("customer", "show", "C1", "--json").json
    buyer = book.preview("C1")["customer"]

    told = ADA | {"iban": "BE68 5390 0754 7034", "delivery": "peppol, mail"}
    assert told.items() <= {**shown, "id": shown["customer"]}.items()
    on_document = told.keys() - {"delivery", "documents"}
    assert {key: buyer[key] for key in on_document} == {key: told[key] for key in on_document}
    assert buyer["address"] == "Place Saint-Géry 14, Bus 3, 1000 Brussels, Brussels-Capital"


def test_a_party_without_structured_facts_is_as_it_always_was(book):
    book.customers({"id": "C1", "address": "Rue Haute 1, 1000 Brussels", "country": "BE"})

    assert book.preview("C1")["customer"] == {
        "id": "C1", "address": "Rue Haute 1, 1000 Brussels", "country": "BE", "email": "",
        "language": "", "name": "C1", "vat_id": "",
    }  # fmt: skip
    assert list(book.preview("C1")["supplier"]) == [
        "name", "address", "country", "vat_id", "email", "phone", "website", "iban", "bic",
    ]  # fmt: skip


def test_the_company_has_the_same_facts(book):
    text = book.text("a2ledger.toml").replace(
        "[company]",
        '[company]\nstreet = "Rue Haute 1"\npostcode = "1000"\ncity = "Brussels"\n'
        'peppol = "0208: 0403170701"\nregistration = "RPM Brussels 123"\ncontact = "Billing"',
    )
    (book.root / "a2ledger.toml").write_text(text)
    book.customers({"id": "C1"})

    supplier = book.preview("C1")["supplier"]

    assert supplier["address"] == "Rue Haute 1, 1000 Brussels"
    assert (supplier["street"], supplier["city"]) == ("Rue Haute 1", "Brussels")
    assert supplier["peppol"] == "0208:0403170701"
    assert supplier["registration"] == "RPM Brussels 123"


def test_a_company_s_number_that_is_none_is_named_by_its_key(book):
    text = book.text("a2ledger.toml").replace("[company]", '[company]\npeppol = "0208:1"')
    (book.root / "a2ledger.toml").write_text(text)

    (line,) = book.run("check", code=1).errors

    assert "a2ledger.toml: company.peppol: '1' is no number of scheme 0208" in line


def test_a_document_goes_where_the_customer_is_on_the_day_it_is_made(book):
    book.customers({"id": "C1", "street": "Old Street 1", "city": "Ghent", "country": "BE"})
    book.moves("charges", "C1", "2026-01-05", "10.00", today="2026-01-06")
    book.run("customer", "set", "C1", "street=New Street 2", today="2026-02-02")

    book.close(today="2026-02-03")

    assert book.invoice("INV-2026-000001")["customer"]["address"] == "New Street 2, Ghent"


def test_a_document_shows_the_country_its_vat_is_for(book):
    book.customers({"id": "C1", "street": "Old Street 1", "city": "Ghent", "country": "BE"})
    book.moves("charges", "C1", "2026-01-05", "10.00", today="2026-01-06")
    book.run("customer", "set", "C1", "street=Rue 2", "city=Lille", "country=FR",
             today="2026-02-02")  # fmt: skip

    book.close(today="2026-02-03")

    buyer = book.invoice("INV-2026-000001")["customer"]
    assert (buyer["address"], buyer["country"]) == ("Old Street 1, Ghent", "BE")


def test_structure_wins_over_one_line_and_taking_it_away_brings_the_line_back(book):
    book.customers({"id": "C1", "address": "Rue Haute 1, 1000 Brussels", "country": "BE"})
    book.run("customer", "set", "C1", "street=Rue Basse 9", "city=Namur")
    assert book.preview("C1")["customer"]["address"] == "Rue Basse 9, Namur"

    book.run("customer", "set", "C1", "street=", "city=")

    assert book.preview("C1")["customer"]["address"] == "Rue Haute 1, 1000 Brussels"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("peppol", " 0208 : 0403170701", "0208:0403170701"),
        ("peppol", "9930:DE136695976", "9930:DE136695976"),
        ("registration", "HRB 12345", "HRB 12345"),
        ("registration", "0192:991825827", "0192:991825827"),
        ("iban", "gb82 west 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 32"),
        ("bic", "bbru be bb", "BBRUBEBB"),
        ("delivery", "print,mail", "print, mail"),
        ("delivery", "none", "none"),
        ("documents", "statement", "statement"),
        *((key, "", "") for key in ("peppol", "registration", "iban", "delivery", "documents")),
    ],
)
def test_numbers_are_kept_in_one_form(key, text, value):
    assert facts.parse(key, text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("peppol", "0208:0403170702"),
        ("peppol", "1208:0403170701"),
        ("peppol", "0403170701"),
        ("peppol", "0208:"),
        ("peppol", "0088:5412345000012"),
        ("peppol", "0007:5566778898"),
        ("registration", "0208:12"),
        ("registration", "9925:BE0403170701"),
        ("iban", "BE68539007547035"),
        ("bic", "BBRU"),
        ("delivery", "pigeon"),
        ("delivery", "mail, none"),
        ("documents", "both"),
    ],
)
def test_numbers_that_are_none_are_said_by_their_key(key, text):
    with pytest.raises(ValueError, match=f"^{key}: "):
        facts.parse(key, text)


def test_an_address_of_a_town_alone_is_one():
    assert one_line({"city": "Athens", "postcode": "105 57"}) == "105 57 Athens"


# Direct debit


def collected(**given):
    supplier = SUPPLIER | {"creditor_id": "BE69ZZZ050D000000008"}
    customer = CUSTOMER | {"mandate": "M-2026/7", "iban": "BE71 0961 2345 6769"}
    return document(**({"supplier": supplier, "customer": customer} | given))


def test_a_bill_under_a_mandate_says_what_is_collected_and_has_no_code():
    page, text = (made(as_json(collected())) for made in (render.html, render.text))

    words = "We collect EUR 121.00 from your account BE71 0961 2345 6769 on 15 February 2026."
    assert words in text
    assert "M-2026/7" in text
    assert "BE69ZZZ050D000000008" in page
    assert "Please pay" not in text
    assert "Account holder" not in text
    assert "BBRUBEBB" not in text + page
    assert "<figure" not in page.partition('id="pay"')[2].partition("</section>")[0]
    assert "Please pay" in render.text(as_json(collected(customer=CUSTOMER)))


def test_the_mail_of_a_bill_under_a_mandate_names_no_account_to_pay_to(tmp_path):
    about = letters.about_document(as_json(collected()), "121.00", dt.date(2026, 2, 1))
    letter = letters.written("invoice", about, tmp_path, language.language("en"))

    assert letter.subject == (
        "Invoice INV-2026-000001: EUR 121.00 is collected on 15 February 2026"
    )
    assert "from your account BE71 0961 2345 6769 on 15 February 2026" in letter.text
    for words in ("Please pay", "IBAN", "Reference"):
        assert words not in letter.text


def test_a_mandate_in_another_currency_is_not_collected():
    assert "We collect" not in render.text(as_json(collected(currency="CHF")))


@pytest.mark.parametrize("write", [ubl.write, cii.write])
def test_an_electronic_invoice_names_mandate_account_and_creditor(write):
    content = write(einvoice.draw_up(collected())).decode()

    assert ">59<" in content
    for number in ("M-2026/7", "BE71096123456769", "BE69ZZZ050D000000008"):
        assert f">{number}<" in content
    assert "BE68539007547034" not in content


@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_a_direct_debit_keeps_the_official_rules(syntax):
    pytest.importorskip("saxonche")
    content = {"ubl": ubl.write, "cii": cii.write}[syntax](einvoice.draw_up(collected()))
    assert rules.Rules().check(content, syntax).findings == ()


def test_a_mandate_and_a_creditor_identifier_are_checked(book):
    book.customers({"id": "C1"})
    assert "SEPA mandate" in book.run("customer", "set", "C1", "mandate=a|b", code=1).stderr
    book.run("customer", "set", "C1", "mandate=M-2026/7")
    book.edit("a2ledger.toml", 'iban = ""', 'iban = ""\ncreditor_id = "BE69ZZZ050D000000009"')
    done = book.run("customer", "list", code=1)
    assert "company.creditor_id" in done.stderr


# The company from a day on


MOVED = """
[[company.changes]]
from = 2026-02-01
street = "Place Flagey 18"
city = "Brussels"
"""


def test_a_company_that_moves_shows_its_new_address_from_that_day_on(book):
    book.edit("a2ledger.toml", 'iban = ""', 'iban = ""\nstreet = "Rue Haute 1"')
    book.edit("a2ledger.toml", "[services", MOVED + "\n[services")
    book.customers({"id": "C1"})
    book.talks("C1", "2026-01-10", 1, today="2026-01-11")

    assert book.preview("C1", today="2026-01-31")["supplier"]["street"] == "Rue Haute 1"
    book.close(today="2026-02-02")
    (bill,) = book.documents().values()
    assert bill["supplier"]["street"] == "Place Flagey 18"
    assert "Flagey" in bill["supplier"]["address"]
    assert book.run("verify", today="2026-02-02").code == 0


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("[[company.changes]]\nfrom = 2026-01-01\n", "company.changes[1].from"),
        ('vat_id = "BE0428759497"\n', "company.changes[0].vat_id"),
        ('iban_ = "x"\n', "company.changes[0].iban_"),
    ],
)
def test_a_change_of_the_company_that_cannot_be_is_named(book, more, key):
    book.edit("a2ledger.toml", "[services", MOVED + more + "\n[services")
    assert key in book.run("customer", "list", code=1).stderr
