"""The VAT of a document in the other currency in which it is owed."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from a2ledger import money
from a2ledger.documents import translation

PRINTED = {"currency": "EUR", "price": "0.9137", "vat_total": "2.63", "date": "2026-01-31"}
CENTS = st.integers(0, 10**6).map(lambda cents: cents * 10_000)


@given(
    st.dictionaries(st.sampled_from(["S21", "S6", "S12"]), CENTS, min_size=1),
    st.sampled_from([1, -1]),
)
def test_codes_add_up_to_the_sum_that_is_printed(taxes, sign):
    exact = Decimal(sum(taxes.values())) * Decimal(PRINTED["price"])
    micro = money.rounded(int(exact), 2)
    printed = PRINTED | {"vat_total": money.text(micro, 2)}
    signed = {code: sign * tax for code, tax in taxes.items()}
    found = translation.by_code(printed, signed, sign)
    if any(taxes.values()):
        assert sum(found.values()) == sign * micro
        largest = max(signed, key=lambda code: abs(signed[code]))
        for code, tax in signed.items():
            apart = abs(found[code] - tax * Decimal(PRINTED["price"]))
            assert apart <= 5_000 * (1 if code != largest else 5)
    else:
        assert found == {}


def test_a_document_that_prints_no_other_currency_has_none():
    assert translation.by_code(None, {"S21": 2_100_000}, 1) == {}
    assert translation.by_code(PRINTED, {}, 1) == {}
