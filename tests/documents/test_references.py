"""Payment references follow from an invoice's number, and lead back to it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import iso11649
from stdnum.be import ogm_vcs
from stdnum.ch import esr

from a2ledger.documents import references

NUMBERS = st.from_regex(r"[A-Z]{0,4}-?20[0-9]{2}-?[0-9]{1,8}", fullmatch=True)
BELGIAN, SWISS, SWISS_QR, GREEK = (
    "BE68 5390 0754 7034", "CH93 0076 2011 6238 5295 7", "CH44 3199 9123 0008 8901 2",
    "GR16 0110 1250 0000 0001 2300 695",
)  # fmt: skip


@pytest.mark.parametrize(
    ("iban", "kind", "reference"),
    [
        (BELGIAN, "auto", "+++202/6000/00701+++"),
        (BELGIAN, "rf", "RF29INV2026000007"),
        (GREEK, "auto", "RF29INV2026000007"),
        (GREEK, "belgian", "+++202/6000/00701+++"),
        (SWISS, "auto", "RF29INV2026000007"),
        (SWISS_QR, "auto", "000000000000000020260000071"),
        (SWISS_QR, "number", "000000000000000020260000071"),
        (GREEK, "number", "INV-2026-000007"),
        ("", "auto", "INV-2026-000007"),
    ],
)
def test_an_invoice_asks_for_what_the_account_s_country_is_used_to(iban, kind, reference):
    assert references.of_invoice("INV-2026-000007", iban, kind) == reference


def test_a_number_too_long_for_a_creditor_reference_is_the_reference_itself():
    number = "INVOICES-OF-SUN-2026-000007"
    assert references.of_invoice(number, GREEK) == number


@given(NUMBERS)
@example("THP20000")  # "RF64THP20000 from Ada" has right check digits to its end, too
def test_check_digits_are_right_and_every_reference_leads_back_to_its_invoice(number):
    made = references.creditor(number), references.belgian(number), references.swiss(number)

    assert iso11649.is_valid(made[0])
    assert ogm_vcs.is_valid(made[1])
    assert esr.is_valid(made[2])
    for reference in made:
        for text in (reference, references.grouped(reference), f"thanks, {reference} from Ada"):
            assert references.names(text, number)
            assert references.Invoices([number, "OTHER-1999-1"]).named(text) == {number}


@given(NUMBERS, st.integers(0, 9))
def test_a_wrong_digit_names_nothing(number, digit):
    reference = references.belgian(number)
    wrong = f"{reference[:5]}{digit}{reference[6:]}"

    assert references.names(wrong, number) == (wrong == reference)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("INV-2026-000007", {"INV-2026-000007"}),
        ("invoice inv 2026 000007 of January", {"INV-2026-000007"}),
        ("INV-2026-000007 and INV-2026-000008", {"INV-2026-000007", "INV-2026-000008"}),
        ("INV-2026-0000071", set()),
        ("2026000007", set()),
        ("", set()),
    ],
)
def test_a_number_is_known_however_it_is_spelled(text, named):
    assert references.Invoices(["INV-2026-000007", "INV-2026-000008"]).named(text) == named
