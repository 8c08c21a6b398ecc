"""What an e-invoice must say, by the profile it follows."""

from __future__ import annotations

import re

import pytest
from invoices import (
    CUSTOMER,
    GERMAN_CUSTOMER,
    GERMAN_SUPPLIER,
    GERMANS,
    OUTSIDE,
    SUPPLIER,
    document,
)

from a2ledger.documents import einvoice, profiles


def rules(made, profile="auto", **given):
    return [one.rule for one in profiles.objections(made, profile, **given)]


def without(party, *keys):
    return {**party, **dict.fromkeys(keys, "")}


@pytest.mark.parametrize(
    ("made", "specification"),
    [
        (document(), einvoice.PEPPOL),
        (document(customer=without(CUSTOMER, "peppol")), einvoice.CORE),
        (document(**GERMANS), einvoice.XRECHNUNG),
        (document(supplier=without(GERMAN_SUPPLIER, "phone"), customer=GERMAN_CUSTOMER),
         einvoice.CORE),
        (document(customer=GERMAN_CUSTOMER), einvoice.PEPPOL),
    ],
)  # fmt: skip
def test_the_specification_follows_from_the_parties(made, specification):
    assert profiles.profile_of(made) == specification
    assert profiles.profile_of(made, "core") == einvoice.CORE


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (document(), []),
        (document(kind="statement"), ["BT-3"]),
        (document(kind="preview"), ["BT-3"]),
        (document(customer=without(CUSTOMER, "country")), ["BR-11"]),
        (document(customer={**CUSTOMER, "country": "XZ"}), ["BR-11"]),
        (document(supplier=without(SUPPLIER, "country", "name")), ["BR-09", "BR-09"]),
        (document(supplier=without(SUPPLIER, "vat_id")), ["BR-S-02"]),
        (document(supplier=without(SUPPLIER, "vat_id", "peppol")), ["BR-CO-26", "BR-S-02"]),
        (document(OUTSIDE, supplier=without(SUPPLIER, "vat_id", "peppol")), ["BR-CO-26"]),
        (document(currency="KWD"), ["BR-DEC-12"]),
        (document(currency="ABC"), ["BR-CL-04"]),
        (document(lines=(), vat=()), ["BR-16", "BR-CO-18"]),
        (document(
            ("AE", "AE", "0", "1.00", "0.00", "Reverse charge"),
            customer=without(CUSTOMER, "vat_id", "peppol"),
        ), ["BR-AE-02"]),
    ],
)  # fmt: skip
def test_what_no_e_invoice_can_be_made_of_is_named_by_its_rule(made, expected):
    assert rules(made) == expected


def test_what_a_profile_asks_for_besides_is_named():
    bare = document(
        supplier=without(SUPPLIER, "peppol", "contact", "city", "email"),
        customer=without(CUSTOMER, "peppol", "postcode", "email"),
    )

    assert rules(bare) == []
    assert rules(bare, "peppol") == rules(bare, by_network=True)
    assert rules(bare, "peppol") == ["PEPPOL-EN16931-R020", "PEPPOL-EN16931-R010"]
    assert rules(bare, "xrechnung") == [
        "BR-DE-5", "BR-DE-7", "BR-DE-3", "BR-DE-9", "BR-DE-7", "PEPPOL-EN16931-R010",
    ]  # fmt: skip


def test_each_objection_says_what_to_do():
    bare = document(supplier={"name": "A"}, customer={"id": "C1"})
    for profile in ("auto", "peppol", "xrechnung"):
        for objection in profiles.objections(bare, profile):
            assert re.search("; (say|write) ", objection.message), objection
