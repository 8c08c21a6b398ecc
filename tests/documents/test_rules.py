"""E-invoices keep the official rules: schemas and CEN's always, further sets where they are.

``A2LEDGER_RULES`` names a directory of rule sets as they are published (Peppol's, KoSIT's).
"""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from examples import tried
from hypothesis import given
from hypothesis import strategies as st
from invoices import CUSTOMER, KINDS, SHEET, SUPPLIER, document

from a2ledger.billing import bill as billing
from a2ledger.billing import closing_entries
from a2ledger.billing.bill import Brought, Row
from a2ledger.book.config import Company, Config
from a2ledger.documents import cii, einvoice, en16931, profiles, ubl
from a2ledger.documents.einvoice import Attachment
from a2ledger.documents.rules import Rules, RulesError
from a2ledger.period import Period
from a2ledger.records import Customer
from a2ledger.vat import BUILT_IN, VatCode

WRITERS = {"ubl": ubl.write, "cii": cii.write}
CALLS = Attachment("INV-1.calls.csv", "Itemised calls", "text/csv", b"start,called\r\n")
RULES = Rules()


def found(document, syntax, rules=RULES, *attachments):
    assert list(profiles.objections(document)) == []
    drawn = einvoice.draw_up(document, profiles.profile_of(document), attachments)
    return rules.check(WRITERS[syntax](drawn), syntax)


@pytest.mark.parametrize("syntax", WRITERS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_document_keeps_schema_and_european_rules(kind, syntax):
    report = found(KINDS[kind], syntax)

    assert report.findings == ()
    assert len(report.applied) == 2


@pytest.mark.parametrize("syntax", WRITERS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.skipif("A2LEDGER_RULES" not in os.environ, reason="A2LEDGER_RULES is not set")
def test_every_kind_of_document_keeps_the_rules_of_a_directory(kind, syntax):
    rules = Rules(Path(os.environ["A2LEDGER_RULES"]))

    assert found(KINDS[kind], syntax, rules, CALLS).findings == ()


@pytest.mark.parametrize("syntax", WRITERS)
def test_calls_come_along(syntax):
    assert found(document(), syntax, RULES, CALLS).findings == ()


@pytest.mark.parametrize("syntax", WRITERS)
def test_a_sum_that_is_wrong_is_found(syntax):
    drawn = einvoice.draw_up(document())._replace(gross="121.01")

    report = RULES.check(WRITERS[syntax](drawn), syntax)

    assert any("BR-CO-15" in str(error) for error in report.errors) or any(
        "112" in error.message for error in report.errors
    )


def test_what_is_not_in_the_schema_is_found():
    content = ubl.write(einvoice.draw_up(document())).replace(b"cbc:IssueDate", b"cbc:IssuedOn")

    report = RULES.check(content, "ubl")

    assert any(error.rule == "XSD" and "IssuedOn" in error.message for error in report.errors)


@pytest.mark.parametrize(
    ("about", "count"),
    [("", 1), ("PEPPOL-EN16931-R001", 1), ("BR-DE-1 PEPPOL-EN16931-R001", 0)],
)
def test_a_directory_s_rules_are_kept_by_what_they_are_about(tmp_path, about, count):
    (tmp_path / "own.xslt").write_text(SHEET.format(about=about, flag="warning"))
    (tmp_path / "helper.xsl").write_text("<no rules='here'/>")

    report = found(document(), "ubl", Rules(tmp_path))

    assert [str(one) for one in report.findings] == ["warning OWN-1: Not like this"] * count
    assert sum("own (sha256" in label for label in report.applied) == count
    assert found(document(), "cii", Rules(tmp_path)).findings == ()


def test_a_newer_set_of_the_same_name_takes_the_place_of_the_one_installed(tmp_path):
    path = tmp_path / "new" / "EN16931-UBL-validation.xslt"
    path.parent.mkdir()
    path.write_text(SHEET.format(about="", flag="fatal"))

    report = found(document(), "ubl", Rules(tmp_path))

    assert [finding.rule for finding in report.errors] == ["OWN-1"]
    assert len(report.applied) == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("own.sch", "<schema xmlns='http://purl.oclc.org/dsdl/schematron'/>", "is Schematron"),
        ("own.xslt", SHEET.replace("<xsl:template", "<xsl:templat"), "cannot be used"),
    ],
)
def test_rules_that_cannot_be_used_are_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)

    with pytest.raises(RulesError, match=f"{name}.*{said}.*nothing was checked"):
        found(document(), "ubl", Rules(tmp_path))


def test_a_directory_that_is_none_is_named(tmp_path):
    with pytest.raises(RulesError, match="gone: is no directory; nothing was checked"):
        found(document(), "ubl", Rules(tmp_path / "gone"))


# Random books never make an invalid file

CODES = dict(BUILT_IN) | {
    code: VatCode(code=code, category=category, rate=Decimal(rate), reason=reason)
    for code, category, rate, reason in (
        ("S21", "S", "21", ""), ("S6", "S", "6", ""), ("ALSO", "S", "21", ""),
        ("S5", "S", "5.5", ""), ("Z", "Z", "0", ""), ("E", "E", "0", "Exempt & so on"),
        ("E2", "E", "0", "Another <reason>"), ("G", "G", "0", "Export"),
    )
}  # fmt: skip
JANUARY = Period(dt.date(2026, 1, 1), dt.date(2026, 2, 1))
WORDS = st.one_of(st.just(""), st.text(max_size=20), st.just("Rue de l'Étuve 46 & 48"))
COUNTRIES = st.sampled_from(["BE", "FR", "DE", "US", "CH", "", "xx", "Belgium", "el"])
VAT_IDS = st.sampled_from(["", "BE0403170701", "FR40303265045", "DE136695976", "US 12", "27AAPFU"])
PEPPOL = st.sampled_from(["", "0208:0403170701", "0009:30326504500020", "9930:DE136695976"])


@st.composite
def parties(draw):
    named = {
        key: draw(WORDS)
        for key in ("name", "address", "street", "street2", "postcode", "city", "region",
                    "contact", "phone", "email", "registration", "iban", "bic",
                    "buyer_reference", "order_reference")
    }  # fmt: skip
    return named | {
        "country": draw(COUNTRIES), "vat_id": draw(VAT_IDS), "peppol": draw(PEPPOL)
    }  # fmt: skip


@st.composite
def documents(draw):
    """What a close makes of random charges, corrections and payments under random codes."""
    treatment = draw(st.sampled_from(["on-invoice", "included", "reverse-charge"]))
    pool = ["S21", "S6", "ALSO", "S5", "Z", "E", "E2", "AE", "G"]
    codes = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3) | st.just(["O"]))
    amounts = st.integers(-300_000_000, 900_000_000)
    rows = [
        Row(
            date=dt.date(2026, 1, draw(st.integers(1, 31))), billed=False,
            payee=draw(st.text(max_size=12)), narration=draw(st.text(max_size=12)),
            micro=draw(amounts), vat=draw(st.sampled_from(codes)), calls=None, seconds=None,
            late_from=draw(st.none() | st.just(dt.date(2025, 12, 9))), link=f"charge-{number}",
            tags=frozenset(),
        )
        for number in range(draw(st.integers(1, 5)))
    ]  # fmt: skip
    places, currency = draw(st.sampled_from([(2, "EUR"), (0, "JPY"), (2, "CHF"), (3, "KWD")]))
    drawn = billing.draw_up(
        JANUARY, Brought(billed_micro=draw(amounts)), rows, [], CODES, places, treatment=treatment
    )
    company, buyer = draw(parties()), draw(parties())
    made = closing_entries.document(
        drawn,
        Customer(
            id="C1",
            opened=JANUARY.start,
            facts={key: ((JANUARY.start, text),) for key, text in buyer.items()},
        ),
        Config(
            company=Company(**{key: text for key, text in company.items() if "_ref" not in key}),
            currency=currency, timezone="UTC", treatment=treatment, terms_days=14, codes=CODES,
            services={}, methods={},
        ),
        currency=currency,
        kind="credit-note" if drawn.gross_micro < 0 else "invoice",
        number=draw(st.sampled_from(["INV-1", "2026/7&8"])),
        issue_date=dt.date(2026, 2, draw(st.integers(1, 9))),
    )  # fmt: skip
    if currency == "EUR" or draw(st.booleans()):
        return made
    told = {"currency": "EUR", "price": "1.1", "date": "2026-01-31", "vat_total": "1.23"}
    return replace(made, vat_translated=told)


@tried(25)
@given(documents())
def test_what_is_not_objected_to_is_valid(made):
    if [*en16931.objections(made), *profiles.objections(made)]:
        return

    assert [found(made, syntax).errors for syntax in WRITERS] == [(), ()]


@tried(10)
@given(documents())
def test_random_money_between_sound_parties_is_valid(made):
    made = replace(made, supplier=SUPPLIER, customer=CUSTOMER)
    if made.currency == "KWD":
        assert [one.rule for one in profiles.objections(made)] == ["BR-DEC-12"]
    elif not list(en16931.objections(made)):
        assert [found(made, syntax).findings for syntax in WRITERS] == [(), ()]
